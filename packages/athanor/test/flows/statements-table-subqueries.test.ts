import { describe, expect, expectTypeOf, test } from "vitest";
import {
  aliased,
  containsEager,
  exists,
  func,
  load,
  select,
  selectinLoad,
  sql,
  update,
  withLoaderCriteria,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { Article, Author, fillNewsroom, openNewsroom, publishedAt, Review, Section, statementsOf } from "./newsroom.ts";

const counts = select(Article)
  .where((article) => article.authorId.isNotNull())
  .groupBy((article) => article.authorId)
  .columns((article) => ({ authorId: article.authorId, articles: func.count(), last: func.max(article.title) }));

forEachDatabase((db) => {
  describe("a subquery as a table", () => {
    test("is selected from, by its own names and with its own types", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const kept = select(Article)
        .columns(({ title, views, publishedAt: at, facts }) => ({ title, views, at, facts, isRead: views.gt(0n) }))
        .subquery("kept");
      const rows = (await session.execute(select(kept).orderBy((row) => row.title))).all();
      expectTypeOf(rows).toEqualTypeOf<
        {
          title: string;
          views: bigint;
          at: Date | null;
          facts: { readonly words: number } | null;
          isRead: boolean;
        }[]
      >();
      expect(rows.slice(0, 2)).toEqual([
        { title: "arts", views: 2n ** 60n, at: publishedAt, facts: { words: 7 }, isRead: true },
        { title: "bees", views: 0n, at: null, facts: null, isRead: false },
      ]);
      const some = select(kept)
        .where({ at: publishedAt })
        .columns((row) => [func.upper(row.title), row.views]);
      expect((await session.execute(some)).all()).toEqual([["ARTS", 2n ** 60n]]);
    });

    test("is joined, to instances and to others", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const count = counts.subquery("counts");
      const inner = select(Author)
        .join(count, (author, row) => row.authorId.eq(author.id))
        .orderBy((_, row) => row.articles.desc())
        .columns((author, row) => ({ author, articles: row.articles, last: row.last }));
      const rows = (await session.execute(inner)).all();
      expectTypeOf(rows).toEqualTypeOf<{ author: Author; articles: number; last: string | null }[]>();
      expect(rows.map(({ author, articles, last }) => [author.name, articles, last])).toEqual([
        ["ann", 2, "bees"],
        ["bob", 1, "cars"],
      ]);
      const outer = select(Author)
        .outerJoin(count, (author, row) => row.authorId.eq(author.id))
        .where((_, row) => row.articles.isNull())
        .columns((author, row) => [author.name, row.articles]);
      expectTypeOf((await session.execute(outer)).all()).toEqualTypeOf<[string, number | null][]>();
      expect((await session.execute(outer)).all()).toEqual([["cid", null]]);
      const plain = select(Author).join(count, (author, row) => row.authorId.eq(author.id));
      expect((await session.scalars(plain)).all()).toHaveLength(2);
      const twice = select(count)
        .join(count.alias("other"), (row, other) => other.articles.lt(row.articles))
        .columns((row, other) => [row.last, other.last]);
      expect((await session.execute(twice)).all()).toEqual([["bees", "cars"]]);
    });

    test("of instances is read as instances, with what is loaded along and later", async () => {
      const opened = await openNewsroom(db);
      await using session = await fillNewsroom(opened);
      const newest = select(Article)
        .orderBy((article) => article.id.desc())
        .limit(3)
        .subquery("newest");
      const named = select(newest)
        .join("author")
        .orderBy((article) => article.id)
        .options(selectinLoad(Article, "tags"));
      const articles = (await session.scalars(named)).all();
      expectTypeOf(articles).toEqualTypeOf<Article[]>();
      expect(articles.map(({ title, tags }) => [title, tags.length])).toEqual([
        ["bees", 0],
        ["cars", 1],
      ]);
      expect(articles[0]).toBeInstanceOf(Review);
      expect(await load(articles[0] as Article, "section")).toBeInstanceOf(Section);
      const sections = select(Section)
        .join(newest, (section, article) => article.sectionId.eq(section.id))
        .columns((section, article) => ({ section, article, title: article.title }));
      const rows = (await session.execute(sections)).all();
      expectTypeOf(rows).toEqualTypeOf<{ section: Section; article: Article; title: string }[]>();
      expect(
        rows.map(({ section, article, title }) => [section.name, article === articles[title === "bees" ? 0 : 1]]),
      ).toEqual(
        expect.arrayContaining([
          ["france", true],
          ["world", true],
        ]),
      );
    });

    test("of rows that hold instances has their attributes, and gives the instances", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const pairs = select(Author)
        .outerJoin("articles")
        .columns((author, article) => ({ author, article, size: func.length(article.title) }))
        .subquery("pairs");
      const statement = select(pairs)
        .where((pair) => pair.author.name.ne("bob"))
        .orderBy((pair) => [pair.author.id, pair.article.id]);
      const rows = (await session.execute(statement)).all();
      expectTypeOf(rows).toEqualTypeOf<{ author: Author; article: Article | null; size: number | null }[]>();
      expect(rows.map(({ author, article, size }) => [author.name, article?.title, size])).toEqual([
        ["ann", "arts", 4],
        ["ann", "bees", 4],
        ["cid", undefined, null],
      ]);
      session.expungeAll();
      const sections = select(pairs)
        .join(Article, "section")
        .outerJoin(Article, "tags")
        .orderBy((pair, _, tag) => [pair.article.id, tag.id])
        .columns((pair, section) => ({ article: pair.article, section }))
        .options(containsEager(Article, "tags"), selectinLoad(Article, "author"));
      const written = (await session.execute(sections)).all();
      expectTypeOf(written).toEqualTypeOf<{ article: Article | null; section: Section }[]>();
      expect(
        written.map(({ article, section }) => [
          article?.title,
          article?.author?.name,
          section.name,
          article?.tags.map(({ label }) => label),
        ]),
      ).toEqual([
        ["arts", "ann", "france", ["new", "old"]],
        ["bees", "ann", "france", []],
        ["cars", "bob", "world", ["new"]],
      ]);
      expect(() => select(pairs).join(Section, "articles" as never)).toThrow(/starts at Section, which the statement/);
      // @ts-expect-error -- no Section in the rows
      expect(() => select(pairs).join(Section, "parent")).toThrow(/starts at Section, which the statement/);
      const some = statement.columns((pair) => [pair.article, pair.author.name]);
      expectTypeOf((await session.execute(some)).all()).toEqualTypeOf<[Article | null, string][]>();
      expect((await session.execute(some)).first()?.[0]?.title).toBe("arts");
    });

    test("of several instances in a row tells them apart, also where only that is another", async () => {
      const opened = await openNewsroom(db);
      await using session = await fillNewsroom(opened);
      const pairs = select(Section)
        .join("parent")
        .columns((section, parent) => ({ section, parent }))
        .subquery("pairs");
      const named = (await session.execute(select(pairs).where((pair) => pair.section.name.eq("europe")))).one();
      expect([named.section.name, named.parent.name]).toEqual(["europe", "world"]);
      const above = (await session.execute(select(pairs).where((pair) => pair.parent.name.eq("europe")))).one();
      expect([above.section.name, above.parent.name]).toEqual(["france", "europe"]);
      const one = select(pairs).orderBy((pair) => pair.section.id);
      expect((await session.scalars(one.columns((pair) => [pair.section]))).all().map(({ name }) => name)).toEqual([
        "europe",
        "france",
      ]);
      expect((await session.scalars(one.columns((pair) => [pair.parent]))).all().map(({ name }) => name)).toEqual([
        "world",
        "europe",
      ]);
      const written = one.where((pair) => pair.section.articles.any()).columns((pair) => [pair.parent.name]);
      expect((await session.scalars(written)).all()).toEqual(["europe"]);
      const over = one.where((pair) => pair.parent.articles.any()).columns((pair) => [pair.parent.name]);
      expect((await session.scalars(over)).all()).toEqual(["world"]);
    });

    test("of columns is read as a class, whose columns are all among them", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const renamed = select(Section).columns((section) => ({
        above: section.parentId,
        size: func.length(section.name),
        id: section.id,
        name: func.upper(section.name),
      }));
      const section = aliased(Section, renamed.subquery("renamed"));
      const sections = select(section).where({ name: "FRANCE" }).options(selectinLoad(Section, "articles"));
      const france = (await session.scalars(sections)).one();
      expectTypeOf(france).toEqualTypeOf<Section>();
      expect([france.name, france.parentId, france.articles.length]).toEqual(["FRANCE", 3, 2]);
      const articles = select(Article)
        .join(section, (article, here) => here.id.eq(article.sectionId))
        .orderBy((article) => article.id)
        .columns((article, here) => [article.title, here]);
      expect((await session.execute(articles)).all().map(([title, here]) => [title, here.name])).toEqual([
        ["arts", "FRANCE"],
        ["bees", "FRANCE"],
        ["cars", "WORLD"],
      ]);
      const ids = select(Section).columns(({ id }) => ({ id }));
      expect(() => aliased(Section, ids.subquery("ids"))).toThrow(
        /from the subquery "ids", which has no column for Section.name. Select the class itself there, as in .columns\(\(section\) => \(\{ section, … \}\)\)/,
      );
      const whole = select(Section)
        .columns((each) => ({ each, depth: func.length(each.name) }))
        .subquery("whole");
      expect((await session.scalars(select(aliased(Section, select(Section).subquery("all"))))).all()).toHaveLength(4);
      const joined = select(whole).columns((row) => ({ again: row.each, depth: row.depth }));
      expect((await session.execute(joined)).all()).toHaveLength(4);
    });

    test("sees what stands around the statement that reads it, under other names only", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const other = aliased(Article, "other");
      const twice = select(Author).where((author) =>
        select(
          select(other)
            .where((article) => article.authorId.eq(author.id))
            .columns((article) => [article.id])
            .subquery("own"),
        )
          .columns(() => [func.count()])
          .scalarSubquery()
          .gt(1),
      );
      expect((await session.scalars(twice)).one().name).toBe("ann");
      const same = select(Author).where((author) =>
        exists(
          select(
            select(Author)
              .where((inner) => inner.name.ne(author.name))
              .subquery("others"),
          ),
        ),
      );
      await expect(session.scalars(same)).rejects.toThrow(/reads "authors", and so does the statement around it/);
    });

    test("stands in exists and in, in updates, and in others", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const count = counts.subquery("counts");
      const busy = select(count).where((row) => row.articles.gt(1));
      const authors = select(Author).where((author) => author.id.in(busy.columns((row) => [row.authorId])));
      expect((await session.scalars(authors)).all().map(({ name }) => name)).toEqual(["ann"]);
      const lazy = select(Author).where((author) => exists(busy.where((row) => row.authorId.eq(author.id))));
      expect((await session.scalars(lazy)).all().map(({ name }) => name)).toEqual(["ann"]);
      const outer = busy.subquery("busy");
      expect((await session.execute(select(outer))).all()).toEqual([{ authorId: 1, articles: 2, last: "bees" }]);
      await session.execute(
        update(Author)
          .where((author) => author.id.in(busy.columns((row) => [row.authorId])))
          .values({ name: "busy" }),
      );
      expect(await session.scalar(authors.columns((author) => [author.name]))).toBe("busy");
    });

    test("keeps to criteria, inside of it", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const visible = withLoaderCriteria(Article, (article) => article.title.ne("bees"));
      const count = counts.subquery("counts");
      expect(
        (
          await session.execute(
            select(count)
              .orderBy((row) => row.authorId)
              .options(visible),
          )
        ).all(),
      ).toEqual([
        { authorId: 1, articles: 1, last: "arts" },
        { authorId: 2, articles: 1, last: "cars" },
      ]);
      const joined = select(Author)
        .join(count, (author, row) => row.authorId.eq(author.id))
        .columns((author, row) => [author.name, row.articles])
        .options(visible);
      expect((await session.execute(joined)).all()).toEqual(expect.arrayContaining([["ann", 1]]));
      const articles = select(select(Article).subquery("all"));
      expect((await session.scalars(articles.options(visible))).all()).toHaveLength(3);
    });

    test("of a repeated shape is compiled once, and values stay parameters", async () => {
      const opened = await openNewsroom(db);
      await using session = await fillNewsroom(opened);
      const statements = statementsOf(opened.engine);
      for (const title of ["arts", "bees"]) {
        const one = select(Article)
          .where({ title })
          .columns((article) => [article.title, sql<number>`1`])
          .subquery("one");
        expect((await session.execute(select(one).where(([name]) => name.eq(title)))).one()).toEqual([title, 1]);
      }
      expect(new Set(statements).size).toBe(1);
    });

    test("that is given wrong names says the right ones", () => {
      const count = counts.subquery("counts");
      expect(counts.subquery("counts").selected?.names).toEqual(["authorId", "articles", "last"]);
      expect(select(count).columns((row) => [row.last]).columnDescriptions).toMatchObject([
        { name: "last", type: { kind: "text" }, entity: undefined },
      ]);
      // @ts-expect-error -- no such column
      expect(() => select(count).where((row) => row.artcles.eq(1))).toThrow(
        /The subquery "counts" has no column "artcles". Did you mean "articles"\?/,
      );
      expect(() => counts.subquery("")).toThrow(/takes the name under which it stands/);
      expect(() => select(Author).join(count, "articles" as never)).toThrow(
        /takes a function that returns the condition/,
      );
      expect(() => select(count).join("tags" as never)).toThrow(/selects the columns of "counts"/);
      const joined = select(Author).join(count, (author, row) => row.authorId.eq(author.id));
      expect(() => joined.join(count, (author, _, row) => row.authorId.eq(author.id))).toThrow(
        /reads something under the name "counts" already/,
      );
    });
  });
});
