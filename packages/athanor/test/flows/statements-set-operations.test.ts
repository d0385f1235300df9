import { describe, expect, expectTypeOf, test } from "vitest";
import { func, joinedLoad, select, selectinLoad, sql, subqueryLoad, withLoaderCriteria } from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import {
  Article,
  Author,
  fillNewsroom,
  Obituary,
  openNewsroom,
  publishedAt,
  Review,
  Section,
  statementsOf,
  Tag,
} from "./newsroom.ts";

const ann = select(Article)
  .join("author")
  .where((_, author) => author.name.eq("ann"));
const inFrance = select(Article)
  .join("section")
  .where((_, section) => section.name.eq("france"));
const titled = (...titles: readonly string[]) => select(Article).where((article) => article.title.in(titles));

forEachDatabase((db) => {
  describe("set operations", () => {
    test("of instances find instances of the class, each the session's own", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const find = async (statement: typeof both): Promise<string[]> =>
        (await session.scalars(statement)).all().map(({ title }) => title);
      const both = ann.union(titled("bees", "cars")).orderBy((article) => article.title.desc());
      expectTypeOf((await session.scalars(both)).all()).toEqualTypeOf<Article[]>();
      expect(await find(both)).toEqual(["cars", "bees", "arts"]);
      expect((await session.scalars(both)).all().map((article) => article.constructor)).toEqual([
        Obituary,
        Review,
        Article,
      ]);
      expect(await find(ann.unionAll(titled("bees")).orderBy((article) => article.id))).toEqual([
        "arts",
        "bees",
        "bees",
      ]);
      expect(await find(ann.intersect(titled("bees", "cars")))).toEqual(["bees"]);
      expect(await find(ann.except(titled("bees", "cars")))).toEqual(["arts"]);
      expect(
        await find(
          ann
            .union(titled("cars"), titled("dogs"))
            .except(titled("arts"), titled("dogs"))
            .orderBy((article) => article.id),
        ),
      ).toEqual(["bees", "cars"]);
      const reviews = select(Review).union(select(Review).where({ stars: 3 }));
      expect((await session.scalars(reviews)).one().stars).toBe(3);
    });

    test("go on as a statement: conditions, joins, limits and columns are about all rows", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const all = ann.union(titled("cars", "dogs"));
      const page = all
        .where((article) => article.title.ne("arts"))
        .orderBy((article) => article.id)
        .limit(1)
        .offset(1);
      expect((await session.scalars(page)).one().title).toBe("cars");
      const named = all
        .join("author")
        .orderBy((article) => article.id)
        .columns((article, author) => [article.title, author.name]);
      expect((await session.execute(named)).all()).toEqual([
        ["arts", "ann"],
        ["bees", "ann"],
        ["cars", "bob"],
      ]);
      const tagged = all.where((article) => article.tags.any({ label: "new" })).orderBy((article) => article.id);
      expect((await session.scalars(tagged)).all().map(({ title }) => title)).toEqual(["arts", "cars"]);
      expect(await session.scalar(all.columns(() => [func.count()]))).toBe(4);
    });

    test("order and limit their members where those say so", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const first = select(Article)
        .orderBy((article) => article.id)
        .limit(1);
      const last = select(Article)
        .orderBy((article) => article.id.desc())
        .limit(2);
      const ends = first.unionAll(last).orderBy((article) => article.id);
      expect((await session.scalars(ends)).all().map(({ title }) => title)).toEqual(["arts", "cars", "dogs"]);
    });

    test("of columns find rows of the same columns, in whatever order they are named, with the values that they hold", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const articles = titled("arts").columns((article) => ({
        name: article.title,
        at: article.publishedAt,
        facts: article.facts,
        views: article.views,
      }));
      const others = titled("dogs").columns((article) => ({
        views: article.views,
        at: article.publishedAt,
        facts: article.facts,
        name: article.title,
      }));
      const both = articles.unionAll(others).orderBy((row) => row.name.desc());
      const rows = (await session.execute(both)).all();
      expectTypeOf(rows).toEqualTypeOf<
        { name: string; at: Date | null; facts: { readonly words: number } | null; views: bigint }[]
      >();
      expect(rows).toEqual([
        { name: "dogs", at: null, facts: null, views: 0n },
        { name: "arts", at: publishedAt, facts: { words: 7 }, views: 2n ** 60n },
      ]);
      const labels = select(Tag)
        .columns((tag) => [tag.label])
        .union(select(Section).columns((section) => [section.name]));
      const counted = labels
        .where(([label]) => label.like("%w%"))
        .columns(([label]) => ({ label, size: func.length(label) }));
      expect((await session.execute(counted.orderBy(([label]) => label))).all()).toEqual([
        { label: "new", size: 3 },
        { label: "world", size: 5 },
      ]);
    });

    test("of rows that hold instances find instances beside values", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const scored = (title: string, score: number) =>
        titled(title)
          .outerJoin("author")
          .columns((article, author) => ({ article, author, score: sql<number>`${sql.lit(score)}` }));
      const rows = await session.execute(
        scored("arts", 1)
          .unionAll(scored("dogs", 2))
          .orderBy((row) => row.score.desc())
          .options(joinedLoad(Article, "tags")),
      );
      expect(
        rows
          .all()
          .map(({ article, author, score }) => [article.title, article.tags.length, author?.name ?? null, score]),
      ).toEqual([
        ["dogs", 0, null, 2],
        ["arts", 2, "ann", 1],
      ]);
    });

    test("load relations along, and are subqueries too", async () => {
      const opened = await openNewsroom(db);
      await using session = await fillNewsroom(opened);
      const both = ann.union(inFrance).orderBy((article) => article.id);
      const statements = statementsOf(opened.engine);
      const joined = both.options(joinedLoad(Article, "author"), selectinLoad(Article, "tags"));
      expect((await session.scalars(joined)).all().map(({ author, tags }) => [author?.name, tags.length])).toEqual([
        ["ann", 2],
        ["ann", 0],
      ]);
      expect(statements).toHaveLength(2);
      session.expungeAll();
      const further = both.limit(1).options(subqueryLoad(Article, "tags"));
      expect((await session.scalars(further)).one().tags.map(({ label }) => label)).toEqual(["new", "old"]);
      const authors = select(Author).where((author) =>
        author.id.in(inFrance.union(titled("cars")).columns((article) => [article.authorId])),
      );
      expect((await session.scalars(authors)).all()).toHaveLength(2);
    });

    test("keep to criteria in every member", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const visible = withLoaderCriteria(Article, (article) => article.title.ne("bees"));
      const both = ann.union(titled("bees", "cars")).options(visible);
      expect((await session.scalars(both.orderBy((article) => article.id))).all().map(({ title }) => title)).toEqual([
        "arts",
        "cars",
      ]);
      const titles = ann
        .columns((article) => [article.title])
        .union(titled("bees", "cars").columns((article) => [article.title]));
      expect((await session.scalars(titles.options(visible))).all().toSorted()).toEqual(["arts", "cars"]);
      // What is taken away is taken from what may be seen, and what takes away sees no more.
      const rest = ann
        .except(titled("bees"))
        .options(withLoaderCriteria(Article, (article) => article.title.ne("arts")));
      expect((await session.scalars(rest)).all()).toEqual([]);
    });

    test("of a repeated shape are compiled once, and values stay parameters", async () => {
      const opened = await openNewsroom(db);
      await using session = await fillNewsroom(opened);
      const statements = statementsOf(opened.engine);
      const find = (...[one, two]: [string, string]) =>
        session.scalars(
          titled(one)
            .union(titled(two))
            .orderBy((article) => article.id),
        );
      expect((await find("arts", "bees")).all().map(({ title }) => title)).toEqual(["arts", "bees"]);
      expect((await find("cars", "dogs")).all().map(({ title }) => title)).toEqual(["cars", "dogs"]);
      expect(new Set(statements).size).toBe(1);
      expect(statements[0]).not.toContain("arts");
    });

    test("with ALL count how often a row is found, where the database has them", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const twice = select(Article).where({ title: "arts" }).unionAll(titled("arts"));
      const statements = [twice.intersectAll(twice), twice.exceptAll(titled("arts"))];
      const counts: number[] = [];
      for (const statement of statements) {
        if (db.traits.setOperationsAll) counts.push((await session.scalars(statement)).all().length);
        else await expect(session.scalars(statement)).rejects.toThrow(/has no such thing/);
      }
      expect(counts).toEqual(db.traits.setOperationsAll ? [2, 1] : []);
    });

    test("of rows of different kinds are refused", () => {
      expect(() => select(Article).union(select(Author) as never)).toThrow(
        /union\(\) takes statements whose rows are of one kind, and one selects Article and another Author/,
      );
      expect(() => select(Article).union(select(Review))).toThrow(/one selects Article and another Review/);
      const names = select(Author).columns((author) => ({ name: author.name }));
      expect(() => names.union(select(Author).columns((author) => ({ nome: author.name })) as never)).toThrow(
        /one has the columns name, and another nome/,
      );
      // @ts-expect-error -- a number
      expect(() => names.except(select(Author).columns((author) => ({ name: author.id })))).toThrow(
        /"name" is a string in one and a number in another/,
      );
      expect(() => names.intersect(select(Author) as never)).toThrow(
        /one selects instances of Author and another columns/,
      );
    });
  });
});
