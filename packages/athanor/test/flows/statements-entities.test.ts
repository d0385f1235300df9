import { describe, expect, expectTypeOf, test } from "vitest";
import {
  aliased,
  attributes,
  deserialize,
  type FrozenResult,
  func,
  inspect,
  joinedLoad,
  listen,
  load,
  mergeFrozenResult,
  type ORMExecuteState,
  select,
  selectinLoad,
  serialize,
  withLoaderCriteria,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { Article, Author, fillNewsroom, Obituary, openNewsroom, Review, statementsOf, Tag } from "./newsroom.ts";

const pairs = select(Author)
  .join("articles")
  .orderBy((_, article) => article.id);

forEachDatabase((db) => {
  describe("several classes in one row", () => {
    test("are instances, the session's own, in objects and in tuples, beside values", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const named = await session.execute(pairs.columns((author, article) => ({ author, article })));
      expectTypeOf(named.all()).toEqualTypeOf<{ author: Author; article: Article }[]>();
      expect(named.all().map(({ author, article }) => `${author.name} ${article.title}`)).toEqual([
        "ann arts",
        "ann bees",
        "bob cars",
      ]);
      const [first, second, third] = named.all();
      expect(first?.author).toBe(second?.author);
      expect(session.has(third?.article as Article)).toBe(true);
      expect([second?.article, third?.article].map((article) => article?.constructor)).toEqual([Review, Obituary]);

      const listed = await session.execute(
        pairs.columns((author, article) => [article.title, article, author, func.upper(author.name)]),
      );
      expectTypeOf(listed.all()).toEqualTypeOf<[string, Article, Author, string][]>();
      expect(listed.first()).toEqual(["arts", first?.article, first?.author, "ANN"]);
      expect(listed.first()?.[1]).toBe(first?.article);
      expect((await session.scalars(pairs.columns((author, article) => [article, author]))).all()).toEqual(
        named.all().map(({ article }) => article),
      );
    });

    test("are null where an outer join finds none, and so are the columns of such a class", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const result = await session.execute(
        select(Author)
          .outerJoin("articles")
          .orderBy((author, article) => [author.id, article.id])
          .columns((author, article) => ({ author, article, title: article.title, words: article.facts })),
      );
      expectTypeOf(result.all()).toEqualTypeOf<
        {
          author: Author;
          article: Article | null;
          title: string | null;
          words: { readonly words: number } | null;
        }[]
      >();
      expect(result.all().map(({ author, article, title }) => [author.name, article?.title ?? null, title])).toEqual([
        ["ann", "arts", "arts"],
        ["ann", "bees", "bees"],
        ["bob", "cars", "cars"],
        ["cid", null, null],
      ]);
    });

    test("may be one class twice, under other names", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const other = aliased(Article, "other");
      const statement = select(Article)
        .join(other, (article, second) => second.authorId.eq(article.authorId))
        .where((article, second) => article.id.lt(second.id))
        .columns((article, second) => [article, second]);
      const [row] = (await session.execute(statement)).all();
      expectTypeOf(row).toEqualTypeOf<[Article, Article] | undefined>();
      expect(row?.map(({ title }) => title)).toEqual(["arts", "bees"]);
      const colleague = aliased(Author, "colleague");
      const one = await session.execute(
        select(colleague)
          .where((author) => author.name.eq("bob"))
          .columns((author) => ({ author, again: author })),
      );
      expect(one.one().author).toBe(one.one().again);
    });

    test("are grouped with what is counted beside them", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const result = await session.execute(
        select(Author)
          .outerJoin("articles")
          .columns((author, article) => ({ author, articles: func.count(article.id) }))
          .groupBy((author) => author.id)
          .orderBy((author, article) => [func.count(article.id).desc(), author.id]),
      );
      expectTypeOf(result.all()).toEqualTypeOf<{ author: Author; articles: number }[]>();
      expect(result.all().map(({ author, articles }) => [author.name, articles])).toEqual([
        ["ann", 2],
        ["bob", 1],
        ["cid", 0],
      ]);
    });

    test("are loaded once each, with their events, and keep what was changed unless populateExisting says otherwise", async () => {
      const opened = await openNewsroom(db);
      await using session = await fillNewsroom(opened);
      const loaded: string[] = [];
      using _author = listen(Author, "load", ({ target }) => void loaded.push(target.name));
      using _article = listen(Article, "load", ({ target }) => void loaded.push(target.title));
      const statement = pairs.columns((author, article) => ({ article, author }));
      const [first] = (await session.execute(statement)).all();
      expect(loaded).toEqual(["arts", "ann", "bees", "cars", "bob"]);
      (first as { author: Author }).author.name = "changed";
      (first as { article: Article }).article.title = "changed";
      await session.noAutoflush(() => session.execute(statement));
      expect([first?.author.name, first?.article.title]).toEqual(["changed", "changed"]);
      await session.noAutoflush(() => session.execute(statement.executionOptions({ populateExisting: true })));
      expect([first?.author.name, first?.article.title]).toEqual(["ann", "arts"]);
      expect(loaded).toHaveLength(5);
    });

    test("are loaded with what options say of each class, by further statements and by joins", async () => {
      const opened = await openNewsroom(db);
      await using session = await fillNewsroom(opened);
      const statements = statementsOf(opened.engine);
      const statement = pairs
        .columns((author, article) => [author, article.id, article])
        .options(selectinLoad(Article, "tags"), joinedLoad(Author, "articles").joinedLoad("section"));
      const rows = (await session.execute(statement)).all();
      expect(statements).toHaveLength(2);
      expect(rows.map(([author, id, article]) => [author.name, id, article.tags.map(({ label }) => label)])).toEqual([
        ["ann", 1, ["new", "old"]],
        ["ann", 2, []],
        ["bob", 3, ["new"]],
      ]);
      expect(rows[0]?.[0].articles.map(({ title, section }) => [title, section?.name])).toEqual([
        ["arts", "france"],
        ["bees", "france"],
      ]);
      expect(statements).toHaveLength(2);
    });

    test("are counted by a limit, and joined collections do not come into it", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const limited = pairs.limit(2).columns((author, article) => ({ title: article.title, article, author }));
      const rows = await session.execute(limited.options(joinedLoad(Article, "tags"), joinedLoad(Author, "articles")));
      expect(
        rows
          .all()
          .map(({ author, article, title }) => [title, article.tags.map(({ label }) => label), author.articles.length]),
      ).toEqual([
        ["arts", ["new", "old"], 2],
        ["bees", [], 2],
      ]);
      const grouped = select(Author)
        .join("articles")
        .groupBy((author) => author.id)
        .columns((author, article) => ({ author, longest: func.coalesce(func.max(article.title), "-") }))
        .orderBy((_, article) => func.coalesce(func.max(article.title), "-").desc());
      const counted = (await session.execute(grouped.options(joinedLoad(Author, "articles")))).all();
      expect(counted.map(({ author, longest }) => [author.name, longest, author.articles.length])).toEqual([
        ["bob", "cars", 1],
        ["ann", "bees", 2],
      ]);
    });

    test("keep to criteria, now and when more of them is loaded", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const statement = select(Author)
        .outerJoin("articles")
        .orderBy((author, article) => [author.id, article.id])
        .columns((author, article) => [author, article])
        .options(
          withLoaderCriteria(Article, (article) => article.title.ne("arts")),
          withLoaderCriteria(Tag, (tag) => tag.label.ne("new")),
        );
      const rows = (await session.execute(statement)).all();
      expect(rows.map(([author, article]) => [author.name, article?.title])).toEqual([
        ["ann", "bees"],
        ["bob", "cars"],
        ["cid", undefined],
      ]);
      expect((await load(rows[0]?.[0] as Author, "articles")).map(({ title }) => title)).toEqual(["bees"]);
      expect(await load(rows[1]?.[1] as Article, "tags")).toEqual([]);
    });

    test("are described, and told to listeners, each as what it is", async () => {
      const opened = await openNewsroom(db);
      await using session = await fillNewsroom(opened);
      const seen: ORMExecuteState[] = [];
      listen(opened.SessionLocal, "doOrmExecute", (event) => void seen.push(event));
      const other = aliased(Author, "other");
      const statement = select(Author)
        .join("articles")
        .join(other, (author, _, second) => second.name.eq(author.name))
        .columns((author, article, second) => [author, article, second, article.title, func.count(author.id)]);
      expect(statement.columnDescriptions.map(({ name, entity }) => [name, entity])).toEqual([
        ["Author", Author],
        ["Article", Article],
        ["other", Author],
        ["title", Article],
        [undefined, undefined],
      ]);
      await session.execute(pairs.columns((author, article) => ({ author, article })));
      await session.execute(
        pairs
          .columns(() => [func.count()])
          .orderBy(() => func.count())
          .groupBy((author) => author.id)
          .groupBy((_, article) => article.id),
      );
      expect(
        seen.map(({ bindMapper, allMappers }) => [bindMapper, ...allMappers].map((mapper) => mapper?.class)),
      ).toEqual([[Author, Author, Article], [Author]]);
    });

    test("are frozen, written as text, and given to another session with what options say", async () => {
      const opened = await openNewsroom(db);
      await using session = await fillNewsroom(opened);
      const statement = select(Author)
        .outerJoin("articles")
        .orderBy((author) => author.id)
        .columns((author, article) => ({ author, article, title: article.title }))
        .options(selectinLoad(Article, "tags"));
      const frozen = (await session.execute(statement)).freeze();
      const read = deserialize<FrozenResult<{ author: Author; article: Article | null; title: string | null }>>(
        serialize(frozen),
        [Author, Article, Tag],
      );
      const statements = statementsOf(opened.engine);
      for (const each of [frozen, read]) {
        await using other = opened.SessionLocal();
        const merged = await mergeFrozenResult(other, statement, each, { load: false });
        const [first, second] = merged.all();
        expect(merged.all().map(({ title }) => title)).toEqual(["arts", "bees", "cars", null]);
        expect(first?.author).toBe(second?.author);
        expect(other.has(first?.author as Author)).toBe(true);
        expect([...(first?.article?.tags ?? [])].map(({ label }) => label)).toEqual(["new", "old"]);
      }
      expect(statements).toEqual([]);
    });

    test("that the statement does not read are refused, and so are options of a class that is in no row", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      expect(() => select(Author).columns((author) => [author, attributes(Tag)])).toThrow(
        /attributes of Tag, which the statement does not read/,
      );
      expect(() => select(Author).columns((author) => author as never)).toThrow(
        /it returned one thing by itself, which belongs into a list/,
      );
      const both = pairs.columns((author, article) => [author, article]);
      expect(() => attributes(Author).id.in(both as never)).toThrow(/selects instances/);
      await expect(
        session.execute(pairs.columns((author) => [author]).options(selectinLoad(Article, "tags"))),
      ).rejects.toThrow(/how Article.tags is loaded, and the rows of the statement of Author hold no Article/);
    });

    test("lock the rows of all of them that are sure to be there", async () => {
      const opened = await openNewsroom(db);
      if (!db.traits.rowLocks) return;
      await using session = await fillNewsroom(opened);
      const statements = statementsOf(opened.engine);
      const rows = await session.execute(pairs.columns((author, article) => [author, article]).forUpdate());
      expect(rows.all()).toHaveLength(3);
      expect(statements.at(-1)).toMatch(/for update of authors, articles$/);
      expect(inspect(rows.first()?.[0] as Author).lifecycle).toBe("persistent");
    });
  });
});
