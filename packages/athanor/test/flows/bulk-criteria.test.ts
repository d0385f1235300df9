import { describe, expect, test } from "vitest";
import {
  ArgumentError,
  boolean,
  DeleteFrom,
  deleteFrom,
  exists,
  func,
  inherit,
  insert,
  inspect,
  integer,
  InvalidRequestError,
  joinedLoad,
  listen,
  many,
  Metadata,
  model,
  one,
  Select,
  select,
  selectinLoad,
  type Session,
  sql,
  text,
  Update,
  update,
  withLoaderCriteria,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { openSessions } from "./open-sessions.ts";

const metadata = new Metadata();

class Author extends model(
  "authors",
  {
    id: integer().primaryKey(),
    isPublished: boolean().nullable(),
    postCount: integer().nullable(),
    get posts() {
      return many(Post, { backPopulates: "author" });
    },
  },
  { metadata },
) {}

class Post extends model(
  "posts",
  {
    id: integer().primaryKey(),
    kind: text(),
    tenant: text(),
    title: text().nullable(),
    authorId: integer().nullable().references("authors.id"),
    get author() {
      return one(Author, { backPopulates: "posts" });
    },
  },
  { metadata, polymorphicOn: "kind", identity: "post" },
) {}
/** In a table of its own beside that of its parent. */
class Review extends inherit(
  Post,
  { identity: "review", table: "reviews" },
  { id: integer().primaryKey().references("posts.id"), stars: integer().nullable() },
) {}
/** In the table of its parent. */
class Note extends inherit(Post, { identity: "note" }, { colour: text().nullable() }) {}

/** In one table, without subclasses. */
class Item extends model(
  "items",
  { id: integer().primaryKey(), tenant: text(), name: text().nullable() },
  { metadata },
) {}

const ours = withLoaderCriteria(Post, (post) => post.tenant.eq("us"));
const ourItems = withLoaderCriteria(Item, (item) => item.tenant.eq("us"));
/** The same, as only the database can tell. */
const ourItemsInSql = withLoaderCriteria(Item, () => sql<boolean>`tenant = 'us' or 1 = 0`);

forEachDatabase((db) => {
  /** A row of ours and one of theirs of each class, in the database and, by id, in a session. */
  async function openWithRows(): Promise<{
    session: Session;
    posts: ReadonlyMap<number, Post>;
    items: readonly Item[];
  }> {
    const { SessionLocal } = await openSessions(db, metadata, []);
    await SessionLocal.begin(async (session) => {
      await session.execute(insert(Item), [
        { id: 1, tenant: "us", name: "a" },
        { id: 2, tenant: "them", name: "a" },
      ]);
      await session.execute(insert(Post), [
        { id: 1, tenant: "us", title: "a" },
        { id: 2, tenant: "them", title: "a" },
      ]);
      await session.execute(insert(Review), [
        { id: 3, tenant: "us", title: "a", stars: 1 },
        { id: 4, tenant: "them", title: "a", stars: 1 },
      ]);
      await session.execute(insert(Note), [
        { id: 5, tenant: "us", title: "a", colour: "red" },
        { id: 6, tenant: "them", title: "a", colour: "red" },
      ]);
    });
    const session = SessionLocal();
    const posts = new Map<number, Post>();
    for (const each of [Post, Review, Note])
      for (const post of await session.scalars(select(each as typeof Post))) posts.set(post.id, post);
    const items = (await session.scalars(select(Item).orderBy((item) => item.id))).all();
    return { session, posts, items };
  }

  async function stored(session: Session, query: string): Promise<string[]> {
    return (await (await session.connection()).run(query)).rows.map((row) => row.join(" "));
  }

  describe("criteria of an update", () => {
    test.each(["auto", "evaluate", "fetch", false] as const)(
      "leave hidden rows alone, and their instances, by %s",
      async (synchronizeSession) => {
        const { session, items } = await openWithRows();
        const statement = update(Item)
          .where({ name: "a" })
          .values({ name: "b" })
          .options(ourItems)
          .executionOptions({ synchronizeSession });
        expect((await session.execute(statement)).rowCount).toBe(1);
        expect(await stored(session, "select id, name from items order by id")).toEqual(["1 b", "2 a"]);
        expect(items.map(({ name }) => name)).toEqual(synchronizeSession === false ? ["a", "a"] : ["b", "a"]);
        await session.close();
      },
    );

    test("that only the database can tell have it asked which rows they let through", async () => {
      const { session, items } = await openWithRows();
      const statement = update(Item).values({ name: "b" }).options(ourItemsInSql);
      expect((await session.execute(statement)).rowCount).toBe(1);
      expect(items.map(({ name }) => name)).toEqual(["b", "a"]);
      const evaluated = statement.executionOptions({ synchronizeSession: "evaluate" });
      await expect(session.execute(evaluated)).rejects.toThrow(InvalidRequestError);
      await session.close();
    });

    test("add up, with each other and with its own conditions", async () => {
      const { session } = await openWithRows();
      const first = withLoaderCriteria(Item, (item) => item.id.eq(2));
      expect((await session.execute(update(Item).values({ name: "b" }).options(ourItems, first))).rowCount).toBe(0);
      const wide = update(Item)
        .where(sql<boolean>`1 = 1 or 1 = 1`)
        .values({ name: "b" });
      expect((await session.execute(wide.options(ourItems).options(first))).rowCount).toBe(0);
      expect((await session.execute(wide.options(ourItems))).rowCount).toBe(1);
      await session.close();
    });

    test.each(["auto", "fetch"] as const)("hold for its subclasses, whatever tables those have, by %s", async (by) => {
      const { session, posts } = await openWithRows();
      const run = async (statement: Update<any>): Promise<void> => {
        await session.execute(statement.options(ours).executionOptions({ synchronizeSession: by }));
      };
      await run(update(Review).values({ stars: 5, title: "review" }));
      await run(update(Note).values({ colour: "blue" }));
      expect(await stored(session, "select id, title, colour from posts where id > 2 order by id")).toEqual([
        "3 review ",
        "4 a ",
        "5 a blue",
        "6 a red",
      ]);
      expect(await stored(session, "select id, stars from reviews order by id")).toEqual(["3 5", "4 1"]);
      await run(update(Post).values({ title: "all" }));
      expect(await stored(session, "select id from posts where title = 'all' order by id")).toEqual(["1", "3", "5"]);
      expect([...posts.values()].filter(({ title }) => title === "all").map(({ id }) => id)).toEqual([1, 3, 5]);
      expect((posts.get(4) as Review).stars).toBe(1);
      expect((posts.get(6) as Note).colour).toBe("red");
      await session.close();
    });

    test("hold for related rows that it asks for, in its condition and in what it sets", async () => {
      const { session } = await openWithRows();
      const none = { executionOptions: { synchronizeSession: false } } as const;
      await session.execute(insert(Author), [{ id: 1 }, { id: 2 }]);
      await session.execute(update(Post).where({ id: 1 }).values({ authorId: 1 }), undefined, none);
      await session.execute(update(Post).where({ id: 2 }).values({ authorId: 2 }), undefined, none);
      const published = update(Author)
        .values((author) => ({ isPublished: author.posts.any() }))
        .options(ours);
      await session.execute(published);
      expect((await session.scalars(select(Author).where({ isPublished: true }))).all()).toHaveLength(1);
      const busy = deleteFrom(Author)
        .where((author) => author.posts.any())
        .options(ours);
      await session.execute(update(Post).values({ authorId: null }).where({ id: 1 }));
      expect((await session.execute(busy)).rowCount).toBe(0);
      await session.close();
    });

    test("hold inside of subqueries, in its condition and in what it sets", async () => {
      const { session } = await openWithRows();
      await session.execute(insert(Author), [{ id: 1 }, { id: 2 }]);
      await session.execute(update(Post).where({ id: 1 }).values({ authorId: 1 }));
      await session.execute(update(Post).where({ id: 2 }).values({ authorId: 2 }));
      const counted = update(Author)
        .values((author) => ({
          postCount: select(Post)
            .where((post) => post.authorId.eq(author.id))
            .columns(() => [func.count()])
            .scalarSubquery(),
        }))
        .options(ours);
      await session.execute(counted);
      expect(await stored(session, "select id, post_count from authors order by id")).toEqual(["1 1", "2 0"]);
      const written = update(Author).where((author) =>
        exists(select(Post).where((post) => post.authorId.eq(author.id))),
      );
      expect((await session.execute(written.values({ postCount: 5 }).options(ours))).rowCount).toBe(1);
      await session.close();
    });

    test("say nothing of other classes", async () => {
      const { session } = await openWithRows();
      expect((await session.execute(update(Item).values({ name: "b" }).options(ours))).rowCount).toBe(2);
      await session.close();
    });
  });

  describe("criteria of a deleteFrom", () => {
    test.each(["auto", "evaluate", "fetch", false] as const)(
      "leave hidden rows alone, and their instances, by %s",
      async (synchronizeSession) => {
        const { session, items } = await openWithRows();
        const statement = deleteFrom(Item).options(ourItems).executionOptions({ synchronizeSession });
        expect((await session.execute(statement)).rowCount).toBe(1);
        expect(await stored(session, "select id from items")).toEqual(["2"]);
        expect(items.map((item) => inspect(item).deleted)).toEqual([synchronizeSession !== false, false]);
        await session.close();
      },
    );

    test.each(["auto", "fetch"] as const)("hold for its subclasses, whatever tables those have, by %s", async (by) => {
      const { session, posts } = await openWithRows();
      const statement = deleteFrom(Post).options(ours).executionOptions({ synchronizeSession: by });
      expect((await session.execute(statement)).rowCount).toBe(3);
      expect(await stored(session, "select id from posts order by id")).toEqual(["2", "4", "6"]);
      expect(await stored(session, "select id from reviews order by id")).toEqual(["4"]);
      const deleted = posts.values().filter((post) => inspect(post).deleted);
      expect(new Set(deleted.map(({ id }) => id))).toEqual(new Set([1, 3, 5]));
      await session.close();
    });

    test.each([Review, Note])("of %s leave hidden rows alone", async (subclass) => {
      const { session } = await openWithRows();
      const statement = deleteFrom(subclass as typeof Post).options(ours);
      expect((await session.execute(statement)).rowCount).toBe(1);
      expect(await stored(session, "select id from posts where tenant = 'them' order by id")).toEqual(["2", "4", "6"]);
      await session.close();
    });
  });

  test("a listener gives them to every statement of a session", async () => {
    const { session, items, posts } = await openWithRows();
    listen(session, "doOrmExecute", (event) => {
      const { statement } = event;
      if (event.isColumnLoad || event.isRelationshipLoad) return;
      if (statement instanceof Select || statement instanceof Update || statement instanceof DeleteFrom)
        event.statement = statement.options(ours, ourItems);
    });
    const fetch = { executionOptions: { synchronizeSession: "fetch" } } as const;
    await session.execute(update(Item).values({ name: "b" }), undefined, fetch);
    await session.execute(update(Review).values({ stars: 2 }), undefined, fetch);
    await session.execute(deleteFrom(Post).where((post) => post.id.lt(3)));
    expect(items.map(({ name }) => name)).toEqual(["b", "a"]);
    expect([3, 4].map((id) => (posts.get(id) as Review).stars)).toEqual([2, 1]);
    expect([1, 2].map((id) => inspect(posts.get(id)!).deleted)).toEqual([true, false]);
    expect(await stored(session, "select id from posts order by id")).toEqual(["2", "3", "4", "5", "6"]);
    await session.close();
  });

  test("a row that was hidden from the keys that a statement asks for is not changed by it", async () => {
    const { session, posts } = await openWithRows();
    listen(session, "doOrmExecute", (event) => {
      if (event.statement instanceof Select) event.statement = event.statement.options(ours);
    });
    const fetch = { executionOptions: { synchronizeSession: "fetch" } } as const;
    expect((await session.execute(update(Review).values({ stars: 2 }), undefined, fetch)).rowCount).toBe(1);
    expect([3, 4].map((id) => (posts.get(id) as Review).stars)).toEqual([2, 1]);
    await session.close();
  });
});

test("statements that write rows take no options that say how something is loaded", () => {
  const refused = (options: () => unknown): string => {
    expect(options).toThrow(ArgumentError);
    try {
      return String(options());
    } catch (error) {
      return (error as Error).message;
    }
  };
  const message =
    "options() of a statement that writes rows of Author takes what withLoaderCriteria() returns, or a UserDefinedOption, and got an option that says how a SELECT loads what it finds. " +
    "A statement that writes rows loads nothing, so there is nothing for it to say: leave it out; or, to load the instances first, give it to select(Author).";
  for (const along of [selectinLoad, joinedLoad]) {
    expect(refused(() => update(Author).options(along(Author, "posts") as never))).toBe(message);
    expect(refused(() => deleteFrom(Author).options(along(Author, "posts") as never))).toBe(message);
    expect(refused(() => insert(Author).options(along(Author, "posts") as never))).toBe(message);
  }
  expect(refused(() => update(Author).options("posts" as never))).toContain("and got a string");
});
