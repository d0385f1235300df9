import { describe, expect, expectTypeOf, test } from "vitest";
import {
  exists,
  func,
  insert,
  joinedLoad,
  listen,
  Insert,
  select,
  selectinLoad,
  sql,
  subqueryLoad,
  update,
  withLoaderCriteria,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { Article, Author, fillNewsroom, openNewsroom, Section, statementsOf } from "./newsroom.ts";

const counts = select(Article)
  .where((article) => article.authorId.isNotNull())
  .groupBy((article) => article.authorId)
  .columns((article) => ({ authorId: article.authorId, articles: func.count() }));

const europe = select(Section).where({ name: "europe" });

forEachDatabase((db) => {
  describe("a common table", () => {
    test("is found once before the statement that reads it, however often it does", async () => {
      const opened = await openNewsroom(db);
      await using session = await fillNewsroom(opened);
      const statements = statementsOf(opened.engine);
      const count = counts.cte("counts");
      const top = select(count)
        .columns((row) => [func.max(row.articles)])
        .cte("top");
      const statement = select(Author)
        .join(count, (author, row) => row.authorId.eq(author.id))
        .where((_, row) => row.articles.in(select(top)))
        .columns((author, row) => [author.name, row.articles]);
      expect((await session.execute(statement)).all()).toEqual([["ann", 2]]);
      expect(statements.at(-1)).toMatch(/^with counts as \(select .*\), top as \(select .* from counts\) select/);
      expect(statements.at(-1)?.match(/from articles/g)).toHaveLength(1);
      const twice = select(count)
        .join(count.alias("other"), (row, other) => other.articles.lt(row.articles))
        .columns((row, other) => [row.articles, other.articles]);
      expect((await session.execute(twice)).all()).toEqual([[2, 1]]);
    });

    test("stands in subqueries, in updates and in set operations", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const count = counts.cte("counts");
      const busy = select(count).where((row) => row.articles.gt(1));
      const authors = select(Author).where((author) => exists(busy.where((row) => row.authorId.eq(author.id))));
      expect((await session.scalars(authors)).one().name).toBe("ann");
      const quiet = select(count).where((row) => row.articles.eq(1));
      const both = busy.union(quiet).orderBy((row) => row.articles);
      expect((await session.execute(both)).all().map(({ articles }) => articles)).toEqual([1, 2]);
      await session.execute(
        update(Author)
          .where((author) => author.id.in(busy.columns((row) => [row.authorId])))
          .values({ name: "busy" }),
      );
      expect((await session.scalars(authors)).one().name).toBe("busy");
    });

    test("gives an INSERT its rows, and so does a set operation", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const titles = select(Article)
        .columns((article) => ({ name: article.title, size: func.length(article.title) }))
        .cte("titles");
      const named = select(titles)
        .where((row) => row.size.eq(4))
        .columns((row) => [row.name]);
      const both = named.union(select(Author).columns((author) => [author.name])).orderBy(([name]) => name);
      const visible = withLoaderCriteria(Article, (article) => article.title.ne("bees"));
      listen(session, "doOrmExecute", (event) => {
        if (event.statement instanceof Insert) event.statement = event.statement.options(visible);
      });
      const inserted = await session.execute(
        insert(Section)
          .fromSelect(["name"], both)
          .returning((section) => [section.name]),
      );
      expect(inserted.all().flat().toSorted()).toEqual(["ann", "arts", "bob", "cars", "cid", "dogs"]);
      expect(await session.scalar(select(Section).columns(() => [func.count()]))).toBe(10);
    });

    test("that is recursive finds a tree of instances", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const below = europe.cte("below", {
        unionAll: (found) => select(Section).join(found, (section, parent) => section.parentId.eq(parent.id)),
      });
      const sections = (await session.scalars(select(below).orderBy((section) => section.id))).all();
      expectTypeOf(sections).toEqualTypeOf<Section[]>();
      expect(sections.map(({ name }) => name)).toEqual(["europe", "france"]);
      const articles = select(Article)
        .join(below, (article, section) => article.sectionId.eq(section.id))
        .orderBy((article) => article.id)
        .columns((article, section) => ({ article, section }))
        .options(joinedLoad(Article, "author"));
      expect(
        (await session.execute(articles))
          .all()
          .map(({ article, section }) => [article.author?.name, article.title, section]),
      ).toEqual([
        ["ann", "arts", sections[1]],
        ["ann", "bees", sections[1]],
      ]);
    });

    test("that is recursive has what each step computes, beside instances and by itself", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const rooted = select(Section)
        .where((section) => section.parentId.isNull())
        .columns((section) => ({ section, depth: sql<number>`0`, path: section.name }));
      const tree = rooted.cte("tree", {
        unionAll: (found) =>
          select(Section)
            .join(found, (section, row) => section.parentId.eq(row.section.id))
            .columns((section, row) => ({
              section,
              depth: sql<number>`${row.depth} + 1`,
              path: sql<string>`${row.path} || '/' || ${section.name}`,
            })),
      });
      const rows = (await session.execute(select(tree).orderBy((row) => row.path))).all();
      expectTypeOf(rows).toEqualTypeOf<{ section: Section; depth: number; path: string }[]>();
      expect(rows.map(({ section, depth, path }) => [section.name, depth, path])).toEqual([
        ["sport", 0, "sport"],
        ["world", 0, "world"],
        ["europe", 1, "world/europe"],
        ["france", 2, "world/europe/france"],
      ]);
      const deepest = select(tree).columns((row) => [func.max(row.depth)]);
      expect(Number(await session.scalar(deepest))).toBe(2);
    });

    test("that is recursive ends in a circle with UNION", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const circle = (await session.scalars(select(Section).where({ name: "world" }))).one();
      circle.parentId = (await session.scalars(select(Section).where({ name: "france" }))).one().id;
      await session.flush();
      const around = europe
        .columns((section) => ({ id: section.id, parentId: section.parentId }))
        .cte("around", {
          union: (found) =>
            select(Section)
              .join(found.alias("before"), (section, row) => row.parentId.eq(section.id))
              .columns((section) => ({ parentId: section.parentId, id: section.id })),
        });
      expect((await session.execute(select(around))).all()).toHaveLength(3);
    });

    test("keeps to criteria, in each step, and however often it is read", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const below = select(Section)
        .where({ name: "world" })
        .cte("below", {
          unionAll: (found) => select(Section).join(found, (section, parent) => section.parentId.eq(parent.id)),
        });
      const statement = select(below)
        .orderBy((section) => section.id)
        .where((section) => section.id.in(select(below.alias("again")).columns((again) => [again.id])));
      const names = async (hidden: string): Promise<string[]> =>
        (await session.scalars(statement.options(withLoaderCriteria(Section, (section) => section.name.ne(hidden)))))
          .all()
          .map(({ name }) => name);
      expect(await names("-")).toEqual(["world", "europe", "france"]);
      expect(await names("france")).toEqual(["world", "europe"]);
      expect(await names("europe")).toEqual(["world"]);
      expect(await names("world")).toEqual([]);
    });

    test("stands in criteria, which say the same wherever they reach", async () => {
      const opened = await openNewsroom(db);
      await using session = await fillNewsroom(opened);
      const below = europe.cte("below", {
        unionAll: (found) => select(Section).join(found, (section, parent) => section.parentId.eq(parent.id)),
      });
      const visible = withLoaderCriteria(Article, (article) =>
        article.sectionId.in(select(below).columns((section) => [section.id])),
      );
      const statements = statementsOf(opened.engine);
      const authors = select(Author)
        .where((author) => author.articles.any())
        .orderBy((author) => author.id)
        .limit(5)
        .options(joinedLoad(Author, "articles"), visible);
      expect((await session.scalars(authors)).all().map(({ name, articles }) => [name, articles.length])).toEqual([
        ["ann", 2],
      ]);
      expect(statements.at(-1)?.match(/with recursive below as/g)).toHaveLength(1);
      for (const option of [selectinLoad, subqueryLoad]) {
        session.expungeAll();
        const all = (await session.scalars(select(Author).options(option(Author, "articles"), visible))).all();
        expect(all.flatMap(({ articles }) => articles.map(({ title }) => title)).toSorted()).toEqual(["arts", "bees"]);
      }
      expect(
        await session.scalar(
          select(Article)
            .options(visible)
            .columns(() => [func.count()]),
        ),
      ).toBe(2);
    });

    test("that holds SQL of one's own is one table, however often it is read and whatever must not be seen", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const sized = select(Section)
        .columns((section) => ({ section, size: sql<number>`length(${section.name})` }))
        .cte("sized");
      const twice = select(sized)
        .join(sized.alias("other"), (row, other) => other.size.lt(row.size))
        .orderBy((row, other) => [row.section.id, other.section.id])
        .columns((row, other) => [row.section, other.section]);
      const visible = withLoaderCriteria(Section, (section) => section.name.ne("europe"));
      const rows = (await session.execute(twice.options(visible, subqueryLoad(Section, "articles")))).all();
      expect(rows.map((row) => row.map(({ name, articles }) => [name, articles.length]))).toEqual([
        [
          ["france", 2],
          ["world", 1],
        ],
        [
          ["france", 2],
          ["sport", 0],
        ],
      ]);
    });

    test("of a repeated shape is compiled once, and values stay parameters", async () => {
      const opened = await openNewsroom(db);
      await using session = await fillNewsroom(opened);
      const statements = statementsOf(opened.engine);
      const found: number[] = [];
      for (const name of ["world", "europe", "france"]) {
        const below = select(Section)
          .where({ name })
          .cte("below", {
            unionAll: (above) => select(Section).join(above, (section, parent) => section.parentId.eq(parent.id)),
          });
        found.push((await session.scalars(select(below))).all().length);
      }
      expect(found).toEqual([3, 2, 1]);
      expect(new Set(statements).size).toBe(1);
    });

    test("is found by Kysely too, that a statement of ours stands in", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const count = select(counts.cte("counts")).columns((row) => [func.max(row.articles)]);
      const result = await session.execute(sql<{ most: number }>`select ${count} as most`);
      expect(Number(result.one().most)).toBe(2);
    });

    test("that shares its name with a different one is refused, and so is a recursion that is none", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const one = select(counts.cte("same"));
      const other = counts.where({ title: "arts" }).cte("same");
      const both = one.join(other.alias("other"), (left, right) => left.authorId.eq(right.authorId));
      await expect(session.execute(both)).rejects.toThrow(/reads two different common tables with the name "same"/);
      const inside = select(one.cte("same"));
      await expect(session.execute(inside)).rejects.toThrow(/reads two different common tables with the name "same"/);
      expect(() => counts.cte("articles")).toThrow(
        /has the name of a table, which nothing in the statement could read/,
      );
      expect(() => europe.cte("below", (() => europe) as never)).toThrow(/takes \{ unionAll: \(found\) => … \}/);
      expect(() => europe.cte("below", { union: () => select(Author) as never })).toThrow(
        /one selects Section and another Author/,
      );
    });
  });
});
