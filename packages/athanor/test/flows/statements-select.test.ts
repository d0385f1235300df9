import { describe, expect, test } from "vitest";
import {
  and,
  ArgumentError,
  attributes,
  bigint,
  bindparam,
  boolean,
  bytes,
  createAll,
  createEngine,
  customType,
  date,
  type Engine,
  enumeration,
  inherit,
  integer,
  InvalidRequestError,
  json,
  Metadata,
  mixin,
  model,
  MultipleResultsFound,
  NoResultFound,
  not,
  numeric,
  or,
  real,
  select,
  type Session,
  sessionmaker,
  type SessionMaker,
  sql,
  text,
  timestamp,
  transient,
  uuid,
  varchar,
} from "../../src/index.ts";
import { type Database, forEachDatabase } from "../databases.ts";

const metadata = new Metadata();
const HasSlug = mixin({ slug: text().nullable() });

class User extends model(
  "users",
  {
    id: integer().primaryKey(),
    name: text(),
    nickname: text().nullable(),
    age: integer().nullable(),
    isActive: boolean().default(true),
    password: transient<string>(),
  },
  { metadata, mixins: [HasSlug] },
) {}

class Money {
  readonly cents: number;
  constructor(cents: number) {
    this.cents = cents;
  }
}

class Sample extends model(
  "samples",
  {
    id: integer().primaryKey(),
    big: bigint().nullable(),
    ratio: real().nullable(),
    price: numeric(10, 2).nullable(),
    code: varchar(5).nullable(),
    flag: boolean().nullable(),
    at: timestamp().nullable(),
    day: date().nullable(),
    data: json<unknown>().nullable(),
    token: uuid().nullable(),
    raw: bytes().nullable(),
    size: enumeration("small", "large").nullable(),
    cost: customType(integer(), {
      toDatabase: (value: Money) => value.cents,
      fromDatabase: (cents) => new Money(cents),
    }).nullable(),
  },
  { metadata },
) {}

const names = async (session: Session, statement: Parameters<Session["scalars"]>[0]): Promise<string[]> =>
  (await session.scalars(statement)).all().map((user) => (user as User).name);

async function open(db: Database): Promise<{ engine: Engine; SessionLocal: SessionMaker }> {
  const engine = db.engine();
  await createAll(engine, { metadata });
  const SessionLocal = sessionmaker(engine);
  await SessionLocal.begin((session) =>
    session.addAll([
      new User({ id: 1, name: "ann", nickname: "annie", age: 30 }),
      new User({ id: 2, name: "bob", age: 20, isActive: false }),
      new User({ id: 3, name: "eve", nickname: "bob", age: null }),
      new User({ id: 4, name: "dan", nickname: "dan", age: 20 }),
    ]),
  );
  return { engine, SessionLocal };
}

forEachDatabase((db) => {
  describe("where", () => {
    const { name, nickname, age, id, isActive } = attributes(User);
    test.each([
      ["an object", { name: "ann" }, ["ann"]],
      ["an object with several names", { age: 20, isActive: true }, ["dan"]],
      ["null in an object", { nickname: null }, ["bob"]],
      ["an expression", name.eq("bob"), ["bob"]],
      ["eq", age.eq(20), ["bob", "dan"]],
      ["eq null", age.eq(null), ["eve"]],
      ["ne", age.ne(20), ["ann"]],
      ["ne null", age.ne(null), ["ann", "bob", "dan"]],
      ["lt", age.lt(30), ["bob", "dan"]],
      ["lte", age.lte(30), ["ann", "bob", "dan"]],
      ["gt", age.gt(20), ["ann"]],
      ["gte", age.gte(20), ["ann", "bob", "dan"]],
      ["between", id.between(2, 3), ["bob", "eve"]],
      ["like", name.like("%n"), ["ann", "dan"]],
      ["like with one character", name.like("_ob"), ["bob"]],
      ["notLike", name.notLike("%n"), ["bob", "eve"]],
      ["in", id.in([1, 4, 9]), ["ann", "dan"]],
      ["in nothing", id.in([]), []],
      ["notIn", id.notIn([1, 4]), ["bob", "eve"]],
      ["notIn nothing", id.notIn([]), ["ann", "bob", "eve", "dan"]],
      ["isNull", nickname.isNull(), ["bob"]],
      ["isNotNull", nickname.isNotNull(), ["ann", "eve", "dan"]],
      ["a boolean", isActive.eq(false), ["bob"]],
      ["another attribute", name.eq(nickname), ["dan"]],
      ["and", and(age.eq(20), isActive.eq(true)), ["dan"]],
      ["or", or(name.eq("ann"), name.eq("eve")), ["ann", "eve"]],
      ["not", not(name.eq("ann")), ["bob", "eve", "dan"]],
      ["not of or", not(or(name.eq("ann"), age.eq(20))), []],
      ["not of a test for null", not(age.isNull()), ["ann", "bob", "dan"]],
      ["or within and", and(or(name.eq("ann"), name.eq("bob")), age.lt(25)), ["bob"]],
      ["and of nothing", and(), ["ann", "bob", "eve", "dan"]],
      ["or of nothing", or(), []],
      ["Kysely's sql", sql<boolean>`length(${nickname}) > ${3}`, ["ann"]],
      ["Kysely's sql beside others", and(sql`lower(${name}) = ${"dan"}`, age.eq(20)), ["dan"]],
      ["an operand of Kysely's sql", name.eq(sql`lower(${"ANN"})`), ["ann"]],
      ["one of ours within Kysely's sql", sql`not (${name.eq("ann")})`, ["bob", "eve", "dan"]],
    ])("takes %s", async (_, condition, expected) => {
      const { SessionLocal } = await open(db);
      await using session = SessionLocal();
      expect(
        await names(
          session,
          select(User)
            .where(condition)
            .orderBy((user) => user.id),
        ),
      ).toEqual(expected);
      if (!("toOperationNode" in condition)) return;
      const byCallback = select(User).where(() => condition);
      expect((await names(session, byCallback)).toSorted()).toEqual(expected.toSorted());
    });

    test("combines several calls by and", async () => {
      const { SessionLocal } = await open(db);
      await using session = SessionLocal();
      const statement = select(User)
        .where({ age: 20 })
        .where((user) => or(user.name.eq("ann"), user.name.eq("dan")));
      expect(await names(session, statement)).toEqual(["dan"]);
    });

    test("takes values of every kind of column", async () => {
      const { SessionLocal } = await open(db);
      const values = {
        big: 2n ** 60n,
        ratio: 0.5,
        price: "12.50",
        code: "abc",
        flag: false,
        at: new Date(1234567890123),
        day: "2026-02-28",
        token: "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        raw: new Uint8Array([0, 1, 255]),
        size: "large",
      } as const;
      await SessionLocal.begin((session) =>
        session.addAll([
          new Sample({ id: 1, ...values, data: { a: [1, null, "x"] }, cost: new Money(500) }),
          new Sample({ id: 2 }),
        ]),
      );
      await using session = SessionLocal();
      const found = async (statement: ReturnType<typeof select<typeof Sample>>): Promise<number[]> =>
        (await session.scalars(statement)).all().map((sample) => sample.id);
      for (const [key, value] of Object.entries(values)) {
        expect([key, await found(select(Sample).where({ [key]: value }))]).toEqual([key, [1]]);
        const attribute = attributes(Sample)[key as "code"];
        expect([key, await found(select(Sample).where(attribute.in([value as string])))]).toEqual([key, [1]]);
        expect([key, await found(select(Sample).where(attribute.eq(null)))]).toEqual([key, [2]]);
        const byParameter = await session.scalars(select(Sample).where(attribute.eq(bindparam("value"))), { value });
        expect([key, byParameter.one().id]).toEqual([key, 1]);
      }
      expect(await found(select(Sample).where((sample) => sample.cost.eq(new Money(500))))).toEqual([1]);
      expect(await found(select(Sample).where((sample) => sample.cost.gt(new Money(400))))).toEqual([1]);
      expect(await found(select(Sample).where({ data: { a: [1, null, "x"] } }))).toEqual([1]);
      expect(await found(select(Sample).where((sample) => sample.at.lt(new Date(1234567890124))))).toEqual([1]);
      expect(await found(select(Sample).where((sample) => sample.token.eq(values.token.toUpperCase())))).toEqual([1]);
    }, 20_000);
  });

  describe("bindparam", () => {
    test("stands for a value that is given with the execution", async () => {
      const { SessionLocal } = await open(db);
      await using session = SessionLocal();
      const statement = select(User)
        .where((user) => and(user.age.eq(bindparam("age")), user.isActive.eq(bindparam("active"))))
        .orderBy((user) => user.id);
      expect((await session.scalars(statement, { age: 20, active: true })).one().name).toBe("dan");
      expect((await session.scalars(statement, { age: 20, active: false })).one().name).toBe("bob");
    });

    test("is converted as its column says", async () => {
      const { SessionLocal } = await open(db);
      const at = new Date(1234567890123);
      await SessionLocal.begin((session) => session.add(new Sample({ id: 1, at, cost: new Money(5) })));
      await using session = SessionLocal();
      const byDate = select(Sample).where((sample) => sample.at.eq(bindparam("at")));
      expect((await session.scalars(byDate, { at })).one().id).toBe(1);
      const byCost = select(Sample).where((sample) => sample.cost.eq(bindparam("cost")));
      expect((await session.scalars(byCost, { cost: new Money(5) })).one().id).toBe(1);
    });

    test("without a value, or with one that its column cannot hold, is refused by name", async () => {
      const { SessionLocal } = await open(db);
      await using session = SessionLocal();
      const statement = select(User).where((user) => user.age.eq(bindparam("age")));
      await expect(session.scalars(statement)).rejects.toThrow(ArgumentError);
      await expect(session.scalars(statement)).rejects.toThrow(
        'The statement needs a value for bindparam("age"). Give it with the execution',
      );
      const wrong = session.scalars(statement, { age: "hunter2" });
      await expect(wrong).rejects.toThrow(ArgumentError);
      await expect(wrong).rejects.toThrow(/age/);
      await expect(wrong).rejects.not.toThrow(/hunter2/);
    });
  });

  describe("orderBy, limit and offset", () => {
    test("order by attributes, up and down, one within the other", async () => {
      const { SessionLocal } = await open(db);
      await using session = SessionLocal();
      const active = select(User).where((user) => user.age.isNotNull());
      expect(
        await names(
          session,
          active.orderBy((user) => user.name),
        ),
      ).toEqual(["ann", "bob", "dan"]);
      expect(
        await names(
          session,
          active.orderBy((user) => user.name.desc()),
        ),
      ).toEqual(["dan", "bob", "ann"]);
      expect(
        await names(
          session,
          active.orderBy((user) => [user.age.asc(), user.name.desc()]),
        ),
      ).toEqual(["dan", "bob", "ann"]);
      expect(
        await names(
          session,
          active.orderBy((user) => user.age.desc()).orderBy((user) => user.id.desc()),
        ),
      ).toEqual(["ann", "dan", "bob"]);
      expect(
        await names(
          session,
          select(User).orderBy((user) => [sql`length(coalesce(${user.nickname}, ''))`, user.id.desc()]),
        ),
      ).toEqual(["bob", "dan", "eve", "ann"]);
    });

    test("take a part of the rows", async () => {
      const { SessionLocal } = await open(db);
      await using session = SessionLocal();
      const all = select(User).orderBy((user) => user.id);
      expect(await names(session, all.limit(2))).toEqual(["ann", "bob"]);
      expect(await names(session, all.limit(2).offset(1))).toEqual(["bob", "eve"]);
      expect(await names(session, all.limit(0))).toEqual([]);
      expect(await names(session, all.offset(3))).toEqual(["dan"]);
      expect(await names(session, all.offset(9))).toEqual([]);
    });
  });

  describe("a statement that was executed before", () => {
    test("does not lend its text to one whose values are other ones where its own was one", async () => {
      const { SessionLocal } = await open(db);
      await using session = SessionLocal();
      const isAnn = attributes(User).name.eq("ann");
      expect(await names(session, select(User).where(or(isAnn, isAnn)))).toEqual(["ann"]);
      const annOrEve = or(attributes(User).name.eq("ann"), attributes(User).name.eq("eve"));
      expect(await names(session, select(User).where(annOrEve))).toEqual(["ann", "eve"]);
    });

    test("is compiled once for all values, and gives each execution its own rows", async () => {
      const { SessionLocal } = await open(db);
      await using session = SessionLocal();
      const { compiler } = session.engine.dialect;
      let compilations = 0;
      const compileQuery = compiler.compileQuery.bind(compiler);
      compiler.compileQuery = (...given) => {
        compilations++;
        return compileQuery(...given);
      };
      try {
        for (const wanted of ["ann", "bob", "eve", "ann"])
          expect(await names(session, select(User).where({ name: wanted }).limit(wanted.length))).toEqual([wanted]);
        expect(compilations).toBe(1);
        for (const ids of [[1], [2], [3, 4]])
          expect(
            await names(
              session,
              select(User).where((user) => user.id.in(ids)),
            ),
          ).toHaveLength(ids.length);
        expect(compilations).toBe(3);
        await names(
          session,
          select(User).where((user) => user.nickname.eq(null)),
        );
        await names(
          session,
          select(User).where((user) => user.nickname.eq("bob")),
        );
        expect(compilations).toBe(5);
      } finally {
        compiler.compileQuery = compileQuery;
      }
    });

    test("finds the rows of a subclass that was declared since", async () => {
      const ownMetadata = new Metadata();
      class Animal extends model(
        "animals",
        { id: integer().primaryKey(), kind: text() },
        { metadata: ownMetadata, polymorphicOn: "kind", identity: "animal" },
      ) {}
      class Dog extends inherit(Animal, { identity: "dog" }, {}) {}
      const engine = db.engine();
      await createAll(engine, { metadata: ownMetadata });
      const SessionLocal = sessionmaker(engine);
      await using session = SessionLocal();
      session.add(new Dog());
      expect((await session.scalars(select(Dog))).all()).toHaveLength(1);
      class Puppy extends inherit(Dog, { identity: "puppy" }, {}) {}
      session.add(new Puppy());
      expect((await session.scalars(select(Dog))).all()).toHaveLength(2);
    });

    test("of another model with a table of the same name has columns of its own", async () => {
      const { SessionLocal } = await open(db);
      class Guest extends model(
        "users",
        { id: integer().primaryKey(), nickname: text().nullable() },
        { metadata: new Metadata() },
      ) {}
      await using session = SessionLocal();
      expect(
        await names(
          session,
          select(User).orderBy((user) => user.id),
        ),
      ).toEqual(["ann", "bob", "eve", "dan"]);
      const guests = (await session.scalars(select(Guest).orderBy((guest) => guest.id))).all();
      expect(guests.map(({ nickname }) => nickname)).toEqual(["annie", null, "bob", "dan"]);
    });
  });

  describe("a result", () => {
    test("gives all, the one, one or null, the first", async () => {
      const { SessionLocal } = await open(db);
      await using session = SessionLocal();
      const ann = select(User).where({ name: "ann" });
      const nobody = select(User).where({ name: "nobody" });
      const all = select(User).orderBy((user) => user.id);
      expect((await session.scalars(ann)).one().name).toBe("ann");
      expect((await session.scalars(ann)).oneOrNull()?.name).toBe("ann");
      expect((await session.scalars(all)).first()?.name).toBe("ann");
      expect((await session.scalars(nobody)).all()).toEqual([]);
      expect((await session.scalars(nobody)).first()).toBeNull();
      expect((await session.scalars(nobody)).oneOrNull()).toBeNull();
      expect([...(await session.scalars(all))]).toHaveLength(4);
      expect((await session.scalar(all))?.name).toBe("ann");
      expect(await session.scalar(nobody)).toBeNull();
      const result = await session.execute(all);
      expect(result.all()[0]?.[0]).toBeInstanceOf(User);
      expect(result.rowCount).toBe(4);
      expect(result.scalars().all()).toHaveLength(4);
    });

    test("of another number of rows than was expected is an error that says what to do", async () => {
      const { SessionLocal } = await open(db);
      await using session = SessionLocal();
      const none = await session.scalars(select(User).where({ name: "nobody" }));
      const several = await session.scalars(select(User));
      expect(() => none.one()).toThrow(NoResultFound);
      expect(() => none.one()).toThrow(/oneOrNull/);
      expect(() => several.one()).toThrow(MultipleResultsFound);
      expect(() => several.oneOrNull()).toThrow(/4 rows/);
      const rows = await session.execute(sql`select id from users`);
      expect(() => rows.one()).toThrow(MultipleResultsFound);
    });
  });

  describe("raw SQL", () => {
    test("gives rows as objects by name, and takes values as parameters", async () => {
      const { SessionLocal } = await open(db);
      await using session = SessionLocal();
      const rows = await session.execute(
        sql<{ id: number; name: string }>`select id, name from users where name = ${"o'neil"} or id = ${2}`,
      );
      expect(rows.all()).toEqual([{ id: 2, name: "bob" }]);
      expect(await session.scalar(sql<{ name: string }>`select name from users where id = 1`)).toBe("ann");
      const connection = await session.connection();
      const counted = await connection.execute(sql<{ total: number }>`select count(*) as total from users`);
      expect(Number(counted.one().total)).toBe(4);
      expect((await connection.execute(sql`update users set name = 'x' where id < 3`)).rowCount).toBe(2);
    });

    test("sees what is pending, as other statements do", async () => {
      const { SessionLocal } = await open(db);
      await using session = SessionLocal();
      session.add(new User({ id: 5, name: "new" }));
      expect(await session.scalar(sql`select count(*) from users where id = 5`)).toSatisfy(
        (count) => Number(count) === 1,
      );
    });

    test("takes values of every type as parameters", async () => {
      const { SessionLocal } = await open(db);
      const at = new Date(1234567890123);
      const raw = new Uint8Array([1, 2]);
      await SessionLocal.begin((session) => session.add(new Sample({ id: 1, at, raw, flag: true, big: 2n ** 60n })));
      await using session = SessionLocal();
      const found = sql`select id from samples where at = ${at} and raw = ${raw} and flag = ${true} and big = ${2n ** 60n}`;
      expect((await session.execute(found)).all()).toEqual([{ id: 1 }]);
    });
  });

  describe("populateExisting", () => {
    test("overwrites what is in memory, changes too, where a query normally leaves it", async () => {
      const { SessionLocal } = await open(db);
      await using session = SessionLocal();
      const ann = (await session.get(User, 1))!;
      await session.execute(sql`update users set name = 'changed' where id = 1`);
      ann.age = 99;
      const query = select(User).where({ id: 1 }).executionOptions({ autoflush: false });
      await session.scalars(query);
      expect([ann.name, ann.age]).toEqual(["ann", 99]);
      await session.scalars(query.executionOptions({ populateExisting: true }));
      expect([ann.name, ann.age]).toEqual(["changed", 30]);
      expect(session.dirty.has(ann)).toBe(false);
      expect(session.isModified(ann)).toBe(false);
    });
  });
});

describe("a statement is a value:", () => {
  test("each method makes a new one and leaves the old one as it was", async () => {
    await using engine = createEngine("sqlite::memory:");
    await createAll(engine, { metadata });
    const SessionLocal = sessionmaker(engine);
    await using session = SessionLocal();
    session.addAll([
      new User({ name: "ann", age: 1 }),
      new User({ name: "bob", age: 2 }),
      new User({ name: "eve", age: 3 }),
    ]);
    const all = select(User).orderBy((user) => user.id);
    const old = all.where((user) => user.age.gt(1));
    const one = old.limit(1);
    const rest = old.offset(1).limit(5);
    const tagged = old.executionOptions({ tag: "x" });
    expect(await names(session, one)).toEqual(["bob"]);
    expect(await names(session, rest)).toEqual(["eve"]);
    expect(await names(session, old)).toEqual(["bob", "eve"]);
    expect(await names(session, tagged)).toEqual(["bob", "eve"]);
    expect(await names(session, all)).toEqual(["ann", "bob", "eve"]);
    expect(old.parts.executionOptions).toEqual({});
  });
});

describe("a mistake in a statement", () => {
  const secret = "hunter2";
  const messageOf = (work: () => unknown): string => {
    try {
      work();
    } catch (error) {
      expect(error).toBeInstanceOf(ArgumentError);
      const { message } = error as Error;
      expect(message).not.toContain(secret);
      return message;
    }
    throw new Error("nothing was thrown");
  };
  const user = attributes(User);
  const sample = attributes(Sample);
  const any = (value: unknown): never => value as never;

  test.each([
    [
      "an unknown name in an object",
      () => select(User).where(any({ nme: secret })),
      'User has no attribute "nme". Did you mean "name"?',
    ],
    [
      "an unknown name in a callback",
      () => select(User).where((u) => Reflect.get(u, "emial") as never),
      'User has no attribute "emial".',
    ],
    ["a number for text", () => user.name.eq(any(3)), "User.name was compared with a number, and holds a string."],
    [
      "text for a number",
      () => user.id.eq(any(secret)),
      "User.id was compared with a string it cannot hold, and holds a whole number",
    ],
    ["a fraction for a whole number", () => user.id.eq(1.5), "User.id was compared with a number"],
    ["text for a boolean", () => user.isActive.eq(any(secret)), "and holds true or false."],
    ["text for a date", () => sample.at.gte(any(secret)), "and holds a valid Date."],
    ["an invalid date", () => sample.at.eq(new Date(Number.NaN)), "Sample.at was compared with an object of Date"],
    ["a number for a bigint", () => sample.big.eq(any(1)), "and holds a bigint."],
    ["text for bytes", () => sample.raw.eq(any(secret)), "and holds a Uint8Array."],
    ["text for a uuid", () => sample.token.eq(secret), "and holds a UUID as a string."],
    ["an unknown value of an enumeration", () => sample.size.eq(any(secret)), 'and holds "small" or "large".'],
    ["too long a text", () => sample.code.eq("abcdef"), "a string of at most 5 characters"],
    ["no decimal number", () => sample.price.eq(secret), "a decimal number written as a string"],
    ["no day", () => sample.day.eq(secret), "a day as a string"],
    [
      "undefined",
      () => user.name.eq(any(undefined)),
      "User.name was compared with undefined, and holds a string. Test for missing values with isNull().",
    ],
    [
      "undefined in an object",
      () => select(User).where(any({ name: undefined })),
      "User.name was compared with undefined",
    ],
    ["an object without names", () => select(User).where({}), "where({}) says nothing, so every row would match."],
    [
      "one wrong value in a list",
      () => user.id.in([1, any(secret)]),
      "User.id was compared with a string it cannot hold",
    ],
    ["no list for in", () => user.id.in(any(1)), "User.id.in() takes an array of values."],
    ["no text for like", () => user.name.like(any(3)), "User.name.like() takes a string, and got a number."],
    [
      "a callback that returns nothing",
      () => select(User).where(any(() => {})),
      "got nothing: does the function return it?",
    ],
    [
      "a callback that compares in JavaScript",
      () => select(User).where(any((u: typeof user) => (u.name as unknown) === secret)),
      'A condition was expected, such as user.name.eq("x") or sql`…`, and got a boolean.',
    ],
    ["text as condition", () => select(User).where(any(`name = '${secret}'`)), "A condition was expected"],
    ["text in and()", () => and(any(secret)), "A condition was expected"],
    ["text as ordering", () => select(User).orderBy(any(() => secret)), "was expected"],
    ["a negative limit", () => select(User).limit(-1), "limit() takes a whole number from 0 on, and got -1."],
    ["a fraction as offset", () => select(User).offset(0.5), "offset() takes a whole number"],
    [
      "a transient property in an object",
      () => select(User).where(any({ password: secret })),
      "User.password is transient, so it is in no table and in no statement.",
    ],
    [
      "a transient property",
      () => select(User).where((u) => u.password.eq(secret)),
      "User.password is transient, so it is in no table and in no statement.",
    ],
  ])("%s is refused at once, and the message has no values", (_, work, expected) => {
    expect(messageOf(work)).toContain(expected);
  });

  test("an attribute of a mixin is refused when it is executed, because it is in no table", async () => {
    await using engine = createEngine("sqlite::memory:");
    await using session = sessionmaker(engine)();
    const statement = select(User).where(() => attributes(HasSlug).slug.eq("x"));
    await expect(session.scalars(statement)).rejects.toThrow(ArgumentError);
    await expect(session.scalars(statement)).rejects.toThrow("as in attributes(User).slug");
  });

  test("a class that is no model cannot be selected", () => {
    expect(() => select(any(Date))).toThrow(InvalidRequestError);
    expect(() => select(any(Date))).toThrow("Date is not a model.");
    expect(() => attributes(any(Date))).toThrow("attributes() takes a model class or a mixin, and got Date.");
  });

  test("text is no statement", async () => {
    await using engine = createEngine("sqlite::memory:");
    await using session = sessionmaker(engine)();
    await expect(session.execute(any(`select '${secret}'`))).rejects.toThrow(ArgumentError);
    await expect(session.execute(any(`select '${secret}'`))).rejects.toThrow(/sql tag/);
    await expect(session.execute(any(`select '${secret}'`))).rejects.not.toThrow(secret);
    const connection = await session.connection();
    await expect(connection.execute(any(`select '${secret}'`))).rejects.toThrow(/sql tag/);
    await expect(session.execute(any(undefined))).rejects.toThrow(ArgumentError);
  });
});
