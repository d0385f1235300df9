import { describe, expect, expectTypeOf, test } from "vitest";
import {
  containsEager,
  inspect,
  joinedLoad,
  listen,
  load,
  mergeFrozenResult,
  type ORMExecuteState,
  select,
  selectinLoad,
  sql,
  subqueryLoad,
  UnloadedAttributeError,
  UserDefinedOption,
  withLoaderCriteria,
} from "../../src/index.ts";
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
} from "./newsroom.ts";

class Note extends UserDefinedOption<string> {}

forEachDatabase((db) => {
  describe("fromStatement", () => {
    test("takes instances from the rows of SQL of one's own, with the values that their columns hold", async () => {
      const opened = await openNewsroom(db);
      await using session = await fillNewsroom(opened);
      const title = "d";
      const statement = sql`select 1 as other, articles.* from articles where title < ${title} order by id desc`;
      const result = await session.scalars(select(Article).fromStatement(statement));
      expectTypeOf(result.all()).toEqualTypeOf<Article[]>();
      const [cars, bees, arts] = result.all();
      expect([cars, bees, arts].map((article) => [article?.constructor, article?.title])).toEqual([
        [Obituary, "cars"],
        [Review, "bees"],
        [Article, "arts"],
      ]);
      expect([arts?.views, arts?.publishedAt, arts?.facts]).toEqual([2n ** 60n, publishedAt, { words: 7 }]);
      expect(await session.get(Article, 1)).toBe(arts);
      expect(await load(bees as Review, "stars")).toBe(3);
      const typed = await session.execute(select(Author).fromStatement(sql`select * from authors order by id`));
      expect(typed.all().map(([author]) => [author.name, author.isStaff])).toEqual([
        ["ann", true],
        ["bob", false],
        ["cid", true],
      ]);
    });

    test("leaves what the rows do not have to a load of its own, and finds columns by the names of attributes too", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const some = sql`select id, is_staff as "isStaff" from authors where name = 'bob'`;
      const bob = (await session.scalars(select(Author).fromStatement(some))).one();
      expect(bob.isStaff).toBe(false);
      expect([...inspect(bob).unloaded]).toEqual(["name"]);
      expect(() => bob.name).toThrow(UnloadedAttributeError);
      expect(await load(bob, "name")).toBe("bob");
    });

    test("takes a query of Kysely's builders", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const kysely = (await session.connection()).kysely<{ authors: { id: number; name: string } }>();
      const query = kysely.selectFrom("authors").selectAll().where("name", ">", "ann").orderBy("id");
      const authors = (await session.scalars(select(Author).fromStatement(query))).all();
      expect(authors.map(({ name, isStaff }) => [name, isStaff])).toEqual([
        ["bob", false],
        ["cid", true],
      ]);
    });

    test("keeps what is in memory, unless populateExisting says otherwise", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const author = (await session.scalars(select(Author).where({ name: "ann" }))).one();
      author.name = "changed";
      const statement = select(Author).fromStatement(sql`select * from authors where id = ${author.id}`);
      expect((await session.noAutoflush(() => session.scalars(statement))).one()).toBe(author);
      expect(author.name).toBe("changed");
      await session.noAutoflush(() => session.scalars(statement.executionOptions({ populateExisting: true })));
      expect(author.name).toBe("ann");
    });

    test("loads relations along, by further statements, whichever way is asked for", async () => {
      const opened = await openNewsroom(db);
      await using session = await fillNewsroom(opened);
      const written = sql`select * from articles where author_id is not null order by id`;
      const statements = statementsOf(opened.engine);
      for (const option of [selectinLoad, joinedLoad, subqueryLoad]) {
        session.expungeAll();
        const statement = select(Article)
          .fromStatement(written)
          .options(option(Article, "tags"), option(Article, "author"));
        const articles = (await session.scalars(statement)).all();
        expect(articles.map(({ author, tags }) => [author?.name, tags.map(({ label }) => label)])).toEqual([
          ["ann", ["new", "old"]],
          ["ann", []],
          ["bob", ["new"]],
        ]);
        expect(statements.splice(0)).toHaveLength(3);
      }
    });

    test("is heard by listeners as what it is, and carries its options on", async () => {
      const opened = await openNewsroom(db);
      await using session = await fillNewsroom(opened);
      const seen: ORMExecuteState[] = [];
      listen(opened.SessionLocal, "doOrmExecute", (event) => void seen.push(event));
      const note = new Note("mine");
      const statement = select(Author)
        .options(note)
        .fromStatement(sql`select * from authors`)
        .executionOptions({ reason: "test" });
      await session.execute(statement);
      const [event] = seen as [ORMExecuteState];
      expect([event.isOrmStatement, event.isFromStatement, event.isSelect]).toEqual([true, true, false]);
      expect([event.bindMapper, ...event.allMappers].map((mapper) => mapper?.class)).toEqual([Author, Author]);
      expect([event.userDefinedOptions, event.executionOptions]).toEqual([[note], { reason: "test" }]);
      expect(event.loaderStrategyPath).toBe(undefined);
      expect(() => event.lazyLoadedFrom).toThrow(/not a SELECT/);
      await session.execute(select(Author));
      expect(seen[1]?.isFromStatement).toBe(false);
    });

    test("is not reached by criteria, which hold for what is loaded along and later", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const statement = select(Author)
        .fromStatement(sql`select * from authors order by id`)
        .options(
          withLoaderCriteria(Author, (author) => author.name.ne("ann")),
          withLoaderCriteria(Article, (article) => article.title.ne("arts")),
        );
      const [ann] = (await session.scalars(statement)).all();
      expect(ann?.name).toBe("ann");
      expect((await load(ann as Author, "articles")).map(({ title }) => title)).toEqual(["bees"]);
    });

    test("gives a result that is frozen like others, and takes what INSERT and UPDATE return", async () => {
      const opened = await openNewsroom(db);
      await using session = await fillNewsroom(opened);
      const statement = select(Section).fromStatement(
        sql`update sections set name = upper(name) where parent_id is null returning id, name, parent_id`,
      );
      const result = await session.execute(statement);
      expect(
        result
          .all()
          .map(([section]) => section.name)
          .toSorted(),
      ).toEqual(["SPORT", "WORLD"]);
      const frozen = result.freeze();
      session.expungeAll();
      const merged = await mergeFrozenResult(session, statement, frozen, { load: false });
      expectTypeOf(merged.scalars().all()).toEqualTypeOf<Section[]>();
      expect(merged.scalars().all()).toHaveLength(2);
    });

    test("refuses rows that do not say whose they are, and what its SQL would lose", async () => {
      await using session = await fillNewsroom(await openNewsroom(db));
      const find = (written: ReturnType<typeof sql>) => session.scalars(select(Article).fromStatement(written));
      await expect(find(sql`select title, kind from articles`)).rejects.toThrow(
        /found no column "id" in the rows, which is a part of Article's key.* They have title, kind/,
      );
      await expect(find(sql`select id, title from articles`)).rejects.toThrow(
        /no column "kind" in the rows, which says what class each of them is of/,
      );
      await expect(
        find(sql`select articles.*, authors.id from articles join authors on author_id = authors.id`),
      ).rejects.toThrow(/found several columns "id" in the rows/);
      expect(() =>
        select(Author)
          .where({ name: "ann" })
          .fromStatement(sql`select 1`),
      ).toThrow(/what where\(\) says would be lost/);
      expect(() => select(Author).fromStatement("select 1" as never)).toThrow(/takes SQL of your own/);
      expect(() => select(Author).fromStatement(select(Author))).toThrow(/read by select\(statement.subquery/);
      const joined = select(Author)
        .fromStatement(sql`select * from authors`)
        .options(containsEager(Author, "articles"));
      await expect(session.scalars(joined)).rejects.toThrow(/leads to Author.articles, and it has none/);
    });
  });
});
