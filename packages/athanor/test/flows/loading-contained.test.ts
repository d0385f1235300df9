import { describe, expect, test } from "vitest";
import {
  aliased,
  containsEager,
  inspect,
  joinedLoad,
  listen,
  load,
  or,
  select,
  selectinLoad,
  withLoaderCriteria,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { Article, Author, fillNewsroom, openNewsroom, Review, Section, statementsOf, Tag } from "./newsroom.ts";

const titles = (articles: Iterable<Article>): string[] => [...articles].map(({ title }) => title);

forEachDatabase((db) => {
  describe("containsEager", () => {
    test("takes a collection from a join of the statement, in its order and only what it finds, and each instance once", async () => {
      const opened = await openNewsroom(db);
      await using session = await fillNewsroom(opened);
      const statements = statementsOf(opened.engine);
      const statement = select(Author)
        .outerJoin("articles")
        .where((_, article) => or(article.id.isNull(), article.title.ne("bees")))
        .orderBy((author, article) => [author.id, article.id.desc()])
        .options(containsEager(Author, "articles"));
      const authors = (await session.scalars(statement)).all();
      expect(authors.map(({ name, articles }) => [name, titles(articles)])).toEqual([
        ["ann", ["arts"]],
        ["bob", ["cars"]],
        ["cid", []],
      ]);
      const all = statement.executionOptions({ populateExisting: true });
      expect(titles((await session.scalars(all)).first()?.articles ?? [])).toEqual(["arts"]);
      expect(statements).toHaveLength(2);
      const backwards = select(Author)
        .join("articles")
        .orderBy((_, article) => article.id.desc())
        .options(containsEager(Author, "articles"))
        .executionOptions({ populateExisting: true });
      expect((await session.scalars(backwards)).all().map(({ articles }) => titles(articles))).toEqual([
        ["cars"],
        ["bees", "arts"],
      ]);
    });

    test("leads on, along joins and by other ways", async () => {
      const opened = await openNewsroom(db);
      await using session = await fillNewsroom(opened);
      const statements = statementsOf(opened.engine);
      const statement = select(Author)
        .join("articles")
        .outerJoin(Article, "section")
        .outerJoin(Article, "tags")
        .orderBy((author, article, _, tag) => [author.id, article.id, tag.id.desc()])
        .options(
          containsEager(Author, "articles").containsEager("section"),
          containsEager(Author, "articles").containsEager("tags"),
          selectinLoad(Author, "articles").selectinLoad("tags"),
          containsEager(Author, "articles"),
        );
      const authors = (await session.scalars(statement)).all();
      expect(statements).toHaveLength(2);
      expect(
        authors.flatMap(({ articles }) => [...articles]).map(({ title, section }) => [title, section?.name]),
      ).toEqual([
        ["arts", "france"],
        ["bees", "france"],
        ["cars", "world"],
      ]);
      const joined = select(Article)
        .join("section")
        .orderBy((article) => article.id)
        .limit(2)
        .options(containsEager(Article, "section").joinedLoad("articles"), joinedLoad(Article, "tags"));
      session.expungeAll();
      const found = (await session.scalars(joined)).all();
      expect(found.map(({ title, section, tags }) => [title, titles(section?.articles ?? []), tags.length])).toEqual([
        ["arts", ["arts", "bees"], 2],
        ["bees", ["arts", "bees"], 0],
      ]);
      expect(statements).toHaveLength(3);
    });

    test("takes the join that is named, of several along one relationship and of one by a condition", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const child = aliased(Section, "child");
      const grandchild = aliased(Section, "grandchild");
      const statement = select(Section)
        .outerJoin(child, (section, below) => below.parentId.eq(section.id))
        .outerJoin(grandchild, (_, below, deeper) => deeper.parentId.eq(below.id))
        .where((section) => section.name.eq("world"))
        .options(containsEager(Section, "children", child).containsEager("children", grandchild));
      const world = (await session.scalars(statement)).one();
      expect(world.children.map(({ name, children }) => [name, children.map((each) => each.name)])).toEqual([
        ["europe", ["france"]],
      ]);
      session.expungeAll();
      const along = select(Section).join("children").options(containsEager(Section, "children"));
      expect((await session.scalars(along)).all().map(({ children }) => children.map(({ name }) => name))).toEqual([
        ["europe"],
        ["france"],
      ]);
      session.expungeAll();
      const stars = select(Author)
        .join(Review, (author, review) => review.authorId.eq(author.id))
        .options(containsEager(Author, "articles"));
      expect((await session.scalars(stars)).one().articles).toEqual([expect.any(Review)]);
    });

    test("fills the instances of any class in the rows, and counts rows of a limit", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const statement = select(Author)
        .join("articles")
        .join(Article, "section")
        .orderBy((_, article) => article.id)
        .columns((author, article) => ({ author, article }))
        .options(containsEager(Article, "section"))
        .limit(2);
      const rows = (await session.execute(statement)).all();
      expect(rows.map(({ author, article }) => [author.name, article.section?.name])).toEqual([
        ["ann", "france"],
        ["ann", "france"],
      ]);
      const limited = select(Author)
        .join("articles")
        .orderBy((_, article) => article.id)
        .limit(1)
        .options(containsEager(Author, "articles"));
      expect(titles((await session.scalars(limited)).one().articles)).toEqual(["arts"]);
    });

    test("says nothing of later loads of the instances, but what follows it does", async () => {
      const opened = await openNewsroom(db);
      await using session = await fillNewsroom(opened);
      const statement = select(Author)
        .join("articles")
        .where((_, article) => article.title.eq("arts"))
        .options(containsEager(Author, "articles").selectinLoad("tags"));
      const ann = (await session.scalars(statement)).one();
      session.expire(ann);
      const paths: (readonly string[] | undefined)[] = [];
      listen(opened.SessionLocal, "doOrmExecute", (event) => {
        paths.push(event.loaderStrategyPath?.map(({ label }) => label));
      });
      expect(titles(await load(ann, "articles"))).toEqual(["arts", "bees"]);
      expect(paths).toEqual([[], ["Author.articles"], ["Author.articles", "Article.tags"]]);
      await session.refresh(ann);
    });

    test("keeps to criteria, as its join does", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const statement = select(Author)
        .outerJoin("articles")
        .orderBy((author) => author.id)
        .options(
          containsEager(Author, "articles"),
          withLoaderCriteria(Article, (article) => article.title.ne("arts")),
        );
      expect((await session.scalars(statement)).all().map(({ articles }) => titles(articles))).toEqual([
        ["bees"],
        ["cars"],
        [],
      ]);
    });

    test("of a join that the statement does not have is refused", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      await expect(session.scalars(select(Author).options(containsEager(Author, "articles")))).rejects.toThrow(
        /leads to Author.articles, and it has none that does. Join it, as in .outerJoin\("articles"\)/,
      );
      const other = aliased(Article, "other");
      const joined = select(Author)
        .join("articles")
        .options(containsEager(Author, "articles", other));
      await expect(session.scalars(joined)).rejects.toThrow(/"other" is none of its joins to Article/);
      const [tag] = (await session.scalars(select(Tag))).all();
      expect(inspect(tag as Tag).lifecycle).toBe("persistent");
    });
  });
});
