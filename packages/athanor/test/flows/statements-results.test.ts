import { expect, test } from "vitest";
import {
  ArgumentError,
  createAll,
  integer,
  joinedLoad,
  listen,
  many,
  Metadata,
  model,
  one,
  Result,
  ScalarResult,
  select,
  selectinLoad,
  sessionmaker,
  type SessionMaker,
  sql,
  text,
} from "../../src/index.ts";
import { type Database, forEachDatabase } from "../databases.ts";

const metadata = new Metadata();

class User extends model(
  "users",
  {
    id: integer().primaryKey(),
    name: text(),
    get posts() {
      return many(Post, { backPopulates: "author", orderBy: "id" });
    },
  },
  { metadata },
) {}
class Post extends model(
  "posts",
  {
    id: integer().primaryKey(),
    title: text(),
    author_id: integer().references("users.id"),
    get author() {
      return one(User, { backPopulates: "posts" });
    },
  },
  { metadata },
) {}

async function open(db: Database): Promise<SessionMaker> {
  const engine = db.engine();
  await createAll(engine, { metadata });
  const SessionLocal = sessionmaker(engine);
  await SessionLocal.begin((session) => {
    session.addAll(["ann", "bob", "ann", "eve", "bob"].map((name, index) => new User({ id: index + 1, name })));
    session.add(new Post({ id: 1, title: "hello", author_id: 1 }));
  });
  return SessionLocal;
}

const users = select(User).orderBy((user) => user.id);

forEachDatabase((db) => {
  test("a result can be read again, in every way", async () => {
    await using session = (await open(db))();
    const result = await session.execute(users);
    expect(result.all()).toEqual(result.all());
    expect([...result]).toEqual(result.all());
    expect([...result.scalars()]).toEqual(result.scalars().all());
    expect(result.rowCount).toBe(5);
  });

  test("rows and values are told one by one to who waits for each", async () => {
    await using session = (await open(db))();
    const result = await session.execute(users);
    const rows: unknown[] = [];
    for await (const row of result) rows.push(row);
    expect(rows).toEqual(result.all());
    const values: unknown[] = [];
    for await (const value of result.scalars()) values.push(value);
    expect(values).toEqual(result.scalars().all());
  });

  test("partitions() gives lists of so many, the last one what is left", async () => {
    await using session = (await open(db))();
    const result = await session.execute(users);
    expect([...result.partitions(2)].map((rows) => rows.map(([{ id }]) => id))).toEqual([[1, 2], [3, 4], [5]]);
    expect([...result.scalars().partitions(5)].map((values) => values.map(({ id }) => id))).toEqual([[1, 2, 3, 4, 5]]);
    expect([...(await session.scalars(users.limit(0))).partitions(2)]).toEqual([]);
    for (const size of [0, -1, 1.5, Number.NaN]) expect(() => result.partitions(size)).toThrow(ArgumentError);
  });

  test("unique() keeps the first of what is the same: instances by themselves, or what a function says of them", async () => {
    await using session = (await open(db))();
    const found = await session.execute(users);
    const twice = found.merge(found);
    expect(twice.all()).toHaveLength(10);
    expect(twice.rowCount).toBe(10);
    expect(twice.unique().all()).toEqual(found.all());
    expect(twice.scalars().unique().all()).toEqual(found.scalars().all());
    expect(
      found
        .unique(([{ name }]) => name)
        .all()
        .map(([{ id }]) => id),
    ).toEqual([1, 2, 4]);
    expect(
      found
        .scalars()
        .unique(({ name }) => name)
        .all()
        .map(({ id }) => id),
    ).toEqual([1, 2, 4]);
    expect(
      found
        .scalars()
        .unique(({ name, id }) => [name, id > 2])
        .all()
        .map(({ id }) => id),
    ).toEqual([1, 2, 3, 4, 5]);
    expect(
      twice
        .unique()
        .scalars()
        .unique(() => null)
        .one().id,
    ).toBe(1);
  });

  test("unique() of raw SQL compares what the rows hold", async () => {
    await using session = (await open(db))();
    const result = await session.execute(
      sql<{ name: string; one: number }>`select name, 1 as one from users order by id`,
    );
    expect(result.unique().all()).toEqual(["ann", "bob", "eve"].map((name) => ({ name, one: 1 })));
  });

  test("tuples() of raw SQL are in the order of its columns, and so is the first value", async () => {
    await using session = (await open(db))();
    const result = await session.execute(sql`select name, id as "1", 7 as "0" from users where id = 1`);
    expect(result.tuples().all()).toEqual([["ann", 1, 7]]);
    expect(result.scalar()).toBe("ann");
    expect(result.merge(result).unique().scalars().all()).toEqual(["ann"]);
    expect((await session.execute(users)).tuples().all()).toEqual((await session.execute(users)).all());
  });

  test("a listener of doOrmExecute answers with the results of several executions, merged", async () => {
    const SessionLocal = await open(db);
    listen(SessionLocal, "doOrmExecute", async (event) => {
      const all: Result<unknown> = await event.invokeStatement();
      return all.merge(await event.invokeStatement({ statement: users.where({ name: "bob" }) }));
    });
    await using session = SessionLocal();
    const merged = await session.scalars(users.limit(2));
    expect(merged.all().map(({ id }) => id)).toEqual([1, 2, 2, 5]);
    expect(
      merged
        .unique()
        .all()
        .map(({ id }) => id),
    ).toEqual([1, 2, 5]);
  });

  test("what is loaded along is found once, with unique() and without", async () => {
    await using session = (await open(db))();
    for (const option of [joinedLoad(User, "posts"), selectinLoad(User, "posts")]) {
      const found = await session.scalars(users.options(option));
      expect(found.unique().all()).toEqual(found.all());
    }
  });
});

test("values are the same by their content, and objects only by themselves", () => {
  const [date, bytes, object] = [new Date(5), new Uint8Array([1, 2]), {}];
  const values = [1, 1n, "1", 1, "1", null, undefined, null, true, date, new Date(5), bytes, bytes.slice(), object, {}];
  expect(new ScalarResult(values).unique().all()).toEqual([1, 1n, "1", null, undefined, true, date, bytes, object, {}]);
  const rows = [
    ["a,b", "c"],
    ["a", "b,c"],
    ['a","b', "c"],
    ["a,b", "c"],
    [1, object],
    [1, {}],
    [1, object],
    ["1", object],
  ];
  expect(new Result(rows, rows.length).unique().all()).toHaveLength(6);
  expect(new ScalarResult([Number.NaN, Number.NaN, 0, -0]).unique().all()).toEqual([Number.NaN, 0]);
});
