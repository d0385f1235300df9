import { expect, test } from "vitest";
import {
  ArgumentError,
  createAll,
  FrozenResult,
  inherit,
  inspect,
  integer,
  InvalidRequestError,
  json,
  listen,
  load,
  makeTransientToDetached,
  many,
  mergeFrozenResult,
  Metadata,
  model,
  objectSession,
  one,
  Result,
  select,
  selectinLoad,
  type SessionMaker,
  sessionmaker,
  setCommittedValue,
  sql,
  text,
  timestamp,
  UnloadedAttributeError,
  UserDefinedOption,
  withLoaderCriteria,
} from "../../src/index.ts";
import { type Database, forEachDatabase } from "../databases.ts";
import { EventLog } from "../event-log.ts";

const metadata = new Metadata();
const id = integer().primaryKey();

class User extends model(
  "users",
  {
    id,
    name: text(),
    settings: json<{ theme: string }>().nullable(),
    born: timestamp().nullable(),
    get posts() {
      return many(Post, { backPopulates: "author", orderBy: "id" });
    },
  },
  { metadata },
) {}
class Post extends model(
  "posts",
  {
    id,
    title: text(),
    author_id: integer().nullable().references("users.id"),
    next_id: integer().nullable().references("posts.id"),
    get author() {
      return one(User, { backPopulates: "posts" });
    },
    get next() {
      return one(Post, { foreignKey: "next_id" });
    },
  },
  { metadata },
) {}

class Shape extends model(
  "shapes",
  { id, kind: text(), note: text().nullable() },
  { metadata, polymorphicOn: "kind", identity: "shape" },
) {}
class Circle extends inherit(
  Shape,
  { identity: "circle", table: "circles" },
  { id: integer().primaryKey().references("shapes.id"), radius: integer() },
) {}

class CacheKey extends UserDefinedOption<string> {}

async function open(db: Database): Promise<SessionMaker> {
  const engine = db.engine();
  await createAll(engine, { metadata });
  const SessionLocal = sessionmaker(engine, { models: [User, Post, Circle] });
  await SessionLocal.begin((session) => {
    session.add(new User({ id: 1, name: "ann", settings: { theme: "dark" }, born: new Date("2000-01-01") }));
    session.add(new User({ id: 2, name: "bob" }));
    session.addAll([1, 2].map((key) => new Post({ id: key, title: `post ${key}`, author_id: 1 })));
  });
  return SessionLocal;
}

/** Answers from memory what has been asked before, by the key that the statement carries. */
function cacheResults(SessionLocal: SessionMaker): Map<string, FrozenResult<unknown>> {
  const cache = new Map<string, FrozenResult<unknown>>();
  listen(SessionLocal, "doOrmExecute", async (event) => {
    const option = event.userDefinedOptions.find((candidate) => candidate instanceof CacheKey);
    if (option === undefined || event.isRelationshipLoad) return undefined;
    const frozen = cache.get(option.payload);
    if (frozen !== undefined) return mergeFrozenResult(event.session, event.statement, frozen, { load: false });
    const result = await event.invokeStatement();
    cache.set(option.payload, result.freeze());
    return result;
  });
  return cache;
}

const users = select(User).orderBy((user) => user.id);
const withPosts = users.options(selectinLoad(User, "posts"));

forEachDatabase((db) => {
  test("a listener answers from its cache what another session has asked, with instances of this one", async () => {
    const SessionLocal = await open(db);
    cacheResults(SessionLocal);
    const statements: string[] = [];
    listen(SessionLocal().engine, "beforeCursorExecute", ({ statement }) => void statements.push(statement));
    const cached = withPosts.options(new CacheKey("users"));
    await using first = SessionLocal();
    const [ann] = (await first.scalars(cached)).all() as [User, User];
    expect(statements).toHaveLength(2);
    statements.length = 0;
    await using second = SessionLocal();
    const again = (await second.scalars(cached)).all();
    expect(statements).toEqual([]);
    expect(again.map(({ name, posts }) => [name, posts.map(({ title }) => title)])).toEqual([
      ["ann", ["post 1", "post 2"]],
      ["bob", []],
    ]);
    expect(again[0]).not.toBe(ann);
    expect(again.map((user) => objectSession(user))).toEqual([second, second]);
    expect(await second.get(User, 1)).toBe(again[0]);
    expect(await second.get(Post, 2)).toBe(again[0]?.posts[1]);
    expect(again[0]?.posts[0]?.author).toBe(again[0]);
    expect(second.dirty.size).toBe(0);
    expect((await second.scalars(cached)).all()).toEqual(again);
    expect(statements).toEqual([]);
  });

  test("what was frozen does not change with the instances that it came from, nor with those that were made of it", async () => {
    const SessionLocal = await open(db);
    await using session = SessionLocal();
    const result = await session.execute(withPosts);
    const frozen = result.freeze();
    expect(frozen).toBeInstanceOf(FrozenResult);
    const ann = result.scalars().first() as User;
    ann.name = "anna";
    (ann.settings as { theme: string }).theme = "light";
    (ann.born as Date).setFullYear(1900);
    ann.posts.pop();
    session.expireAll();
    for (let count = 0; count < 2; count++) {
      const copy = frozen.result().scalars().first() as User;
      expect(inspect(copy).lifecycle).toBe("detached");
      expect([copy.name, copy.settings, copy.born]).toEqual(["ann", { theme: "dark" }, new Date("2000-01-01")]);
      expect(copy.posts.map(({ title }) => title)).toEqual(["post 1", "post 2"]);
      (copy.settings as { theme: string }).theme = "blue";
      copy.posts.pop();
    }
    await using other = SessionLocal();
    const merged = (await mergeFrozenResult(other, withPosts, frozen, { load: false })).scalars().first() as User;
    (merged.settings as { theme: string }).theme = "green";
    expect(frozen.result().scalar()?.settings).toEqual({ theme: "dark" });
  });

  test("what is not flushed is not frozen, and what has no row cannot be", async () => {
    const SessionLocal = await open(db);
    await using session = SessionLocal({ autoflush: false });
    const result = await session.execute(withPosts);
    const [ann, bob] = result.scalars().all() as [User, User];
    ann.name = "anna";
    bob.posts.push(ann.posts[0] as Post, new Post({ title: "new" }));
    const [first, second] = result.freeze().result().scalars().all() as [User, User];
    expect([first.name, first.posts.map(({ id: key }) => key), second.posts.length]).toEqual(["ann", [1, 2], 0]);
    expect(first.posts[0]?.author).toBe(first);
    expect([first, second, ...first.posts].filter((instance) => inspect(instance).modified)).toEqual([]);
    expect(() => new Result([[new User({ name: "new" })]], 1).freeze()).toThrow(InvalidRequestError);
  });

  test("what the session has changed and not flushed stays, and what it has not loaded is filled in", async () => {
    const SessionLocal = await open(db);
    const frozen = await SessionLocal.begin(async (session) => (await session.execute(withPosts)).freeze());
    await using other = SessionLocal({ autoflush: false });
    const [ann, bob] = (await other.scalars(users)).all() as [User, User];
    ann.name = "anna";
    other.expire(bob);
    const merged = await mergeFrozenResult(other, withPosts, frozen, { load: false });
    expect(merged.scalars().all()).toEqual([ann, bob]);
    expect([ann.name, bob.name, bob.posts.length]).toEqual(["anna", "bob", 0]);
    expect([...other.dirty]).toEqual([ann]);
  });

  test("with a look at the database, what differs is a change; a pending one is flushed first", async () => {
    const SessionLocal = await open(db);
    const frozen = await SessionLocal.begin(async (writing) => {
      const result = await writing.execute(users);
      const before = result.freeze();
      (result.scalar() as User).name = "anna";
      return before;
    });
    await using session = SessionLocal();
    const bob = (await session.get(User, 2)) as User;
    bob.name = "bobby";
    const merged = (await mergeFrozenResult(session, users, frozen)).scalars().all();
    expect(merged.map(({ name }) => name)).toEqual(["ann", "bob"]);
    expect([...session.dirty]).toEqual(
      [merged[0], bob].toSorted((left, right) => Number(left?.id) - Number(right?.id)),
    );
  });

  test("the events of a merge without loading are those of a detached instance that comes back", async () => {
    const SessionLocal = await open(db);
    const frozen = await SessionLocal.begin(async (session) => (await session.execute(users.limit(1))).freeze());
    const log = new EventLog({ engine: SessionLocal().engine, sessions: SessionLocal, models: [User, Post, Circle] });
    await using session = SessionLocal();
    log.take();
    await mergeFrozenResult(session, users, frozen, { load: false });
    expect(log.take()).toEqual([
      "afterTransactionCreate root",
      "beforeAttach User(1)",
      "afterAttach User(1)",
      "detachedToPersistent User(1)",
      "load User(1)",
    ]);
    await mergeFrozenResult(session, users, frozen, { load: false });
    expect(log.take()).toEqual([]);
  });

  test("later loads keep to the options of the statement", async () => {
    const SessionLocal = await open(db);
    const visible = users.options(withLoaderCriteria(Post, (post) => post.title.ne("post 1")));
    const frozen = await SessionLocal.begin(async (session) => (await session.execute(visible)).freeze());
    await using session = SessionLocal();
    const ann = (await mergeFrozenResult(session, visible, frozen, { load: false })).scalars().first() as User;
    expect(() => ann.posts).toThrow(UnloadedAttributeError);
    expect((await load(ann, "posts")).map(({ title }) => title)).toEqual(["post 2"]);
  });

  test("each row of a hierarchy comes back in its class, with what is known of it; the rest is loaded when it is asked for", async () => {
    const SessionLocal = await open(db);
    const shapes = select(Shape).orderBy((shape) => shape.id);
    const inserted = await SessionLocal.begin(async (session) => {
      session.addAll([new Shape({ id: 1 }), new Circle({ id: 2, radius: 7 })]);
      return (await session.execute(shapes)).freeze();
    });
    const queried = await SessionLocal.begin(async (session) => (await session.execute(shapes)).freeze());
    for (const frozen of [inserted, queried]) {
      await using session = SessionLocal();
      const [shape, circle] = (await mergeFrozenResult(session, shapes, frozen, { load: false })).scalars().all();
      expect([shape?.constructor, circle?.constructor]).toEqual([Shape, Circle]);
      expect([shape?.note, circle?.note, shape?.kind, circle?.kind]).toEqual([null, null, "shape", "circle"]);
      expect(await load(circle as Circle, "radius")).toBe(7);
      expect(inspect(circle as Circle).modified).toBe(false);
    }
  });

  test("columns are frozen by value", async () => {
    const SessionLocal = await open(db);
    await using session = SessionLocal();
    const statement = users.columns((user) => [user.name, user.born]);
    const frozen = (await session.execute(statement)).freeze();
    frozen.result().first()?.[1]?.setFullYear(1900);
    const merged = await mergeFrozenResult(session, statement, frozen, { load: false });
    expect(merged.all()).toEqual([
      ["ann", new Date("2000-01-01")],
      ["bob", null],
    ]);
  });

  test("raw SQL is frozen by value, with the order of its columns", async () => {
    const SessionLocal = await open(db);
    await using session = SessionLocal();
    const raw = sql<{ name: string }>`select name, id as "1" from users order by id limit 1`;
    const frozen = (await session.execute(raw)).freeze();
    expect(frozen.result().all()).toEqual([{ name: "ann", 1: 1 }]);
    expect((await mergeFrozenResult(session, raw, frozen)).tuples().all()).toEqual([["ann", 1]]);
    expect(frozen.result().rowCount).toBe((await session.execute(raw)).rowCount);
  });
});

test("a chain of any length is frozen, and one that ends where it begins", () => {
  const posts = Array.from({ length: 20_000 }, (_, index) => new Post({ id: index + 1, title: "link" }));
  posts.forEach((post, index) => setCommittedValue(post, "next", posts[(index + 1) % posts.length] ?? null));
  for (const post of posts) makeTransientToDetached(post);
  const rows: [Post][] = [[posts[0] as Post]];
  const first: Post | null = new Result(rows, 1).freeze().result().scalar();
  const seen = new Set<Post>();
  for (let post: Post | null = first; post !== null && !seen.has(post); post = post.next) seen.add(post);
  expect(seen.size).toBe(posts.length);
});

test("anything else than a frozen result is refused, with what to keep instead", () => {
  const made = sessionmaker({} as never);
  expect(() => mergeFrozenResult(made as never, users, [] as never)).toThrow(ArgumentError);
});
