import { describe, expect, test } from "vitest";
import {
  bigint,
  boolean,
  bytes,
  createAll,
  customType,
  date,
  DataError,
  enumeration,
  getHistory,
  inspect,
  IntegrityError,
  integer,
  json,
  listen,
  load,
  Metadata,
  model,
  numeric,
  real,
  select,
  sessionmaker,
  type SessionMaker,
  sql,
  table,
  text,
  timestamp,
  transient,
  uuid,
  varchar,
} from "../../src/index.ts";
import { type Database, forEachDatabase } from "../databases.ts";

async function open(db: Database, metadata: Metadata): Promise<SessionMaker> {
  const engine = db.engine();
  await createAll(engine, { metadata });
  return sessionmaker(engine);
}

class Money {
  readonly cents: number;
  constructor(cents: number) {
    this.cents = cents;
  }
}

forEachDatabase((db) => {
  test("values of every kind come back as they were written, and null too", async () => {
    const metadata = new Metadata();
    class Sample extends model(
      "samples",
      {
        id: integer().primaryKey(),
        whole: integer().nullable(),
        big: bigint().nullable(),
        ratio: real().nullable(),
        price: numeric(10, 2).nullable(),
        name: text().nullable(),
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
    const values = {
      whole: -(2 ** 31),
      big: -(2n ** 63n),
      ratio: 0.1,
      price: "12.50",
      name: 'o\'neil "x" ☃ 😀\n\\',
      code: "abcde",
      flag: false,
      at: new Date("1969-12-31T23:59:59.999Z"),
      day: "2024-02-29",
      data: { a: [1, null, "x", { b: true }], empty: {} },
      token: "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
      raw: new Uint8Array([0, 127, 128, 255]),
      size: "large" as const,
      cost: new Money(1250),
    };
    const SessionLocal = await open(db, metadata);
    await SessionLocal.begin((session) => session.addAll([new Sample({ id: 1, ...values }), new Sample({ id: 2 })]));
    await using session = SessionLocal();
    const [full, empty] = (await session.scalars(select(Sample).orderBy((sample) => sample.id))).all();
    for (const [key, value] of Object.entries(values)) {
      expect([key, full![key as "name"]]).toEqual([key, value]);
      expect([key, empty![key as "name"]]).toEqual([key, null]);
      expect(getHistory(full!, key).hasChanges()).toBe(false);
    }
    expect(full!.raw).toBeInstanceOf(Uint8Array);
    expect(full!.cost).toBeInstanceOf(Money);
    expect(session.dirty.size).toBe(0);
  });

  test.each([
    [
      "a text where a number belongs",
      { count: "1" },
      "Checked.count holds a whole number up to 2^53, and has a string that is none.",
    ],
    ["a fraction where a whole number belongs", { count: 1.5 }, "Checked.count holds a whole number"],
    ["too long a text", { code: "secret" }, "Checked.code holds a string of at most 5 characters"],
    ["a value that an enumeration does not have", { size: "secret" }, 'Checked.size holds "small" or "large"'],
    [
      "an invalid date",
      { at: new Date(Number.NaN) },
      "Checked.at holds a valid Date, and has an object of Date that is none.",
    ],
    [
      "an object where a text belongs",
      { name: { secret: 1 } },
      "Checked.name holds a string, and has an object of Object that is none.",
    ],
  ])("%s is refused by the flush, and its value is not in the message", async (_, values, message) => {
    const metadata = new Metadata();
    class Checked extends model(
      "checked",
      {
        id: integer().primaryKey(),
        count: integer().nullable(),
        code: varchar(5).nullable(),
        size: enumeration("small", "large").nullable(),
        at: timestamp().nullable(),
        name: text().nullable(),
      },
      { metadata },
    ) {}
    const SessionLocal = await open(db, metadata);
    await using session = SessionLocal();
    session.add(new Checked(values as object));
    const flushing = session.flush();
    await expect(flushing).rejects.toThrow(message);
    await expect(flushing).rejects.not.toThrow(/secret/);
    await session.rollback();
    expect((await session.scalars(select(Checked))).all()).toEqual([]);
  });

  describe("a default", () => {
    test("of the program is written where nothing, or null, was set, made anew for each row, and told by refreshFlush", async () => {
      const metadata = new Metadata();
      let made = 0;
      class Item extends model(
        "items",
        {
          id: integer().primaryKey(),
          status: text().default("new"),
          serial: integer().default(() => ++made),
          note: text().nullable().default("none"),
        },
        { metadata },
      ) {}
      const SessionLocal = await open(db, metadata);
      const refreshed: unknown[] = [];
      listen(Item, "refreshFlush", ({ attrs }) => refreshed.push([...attrs].toSorted()));
      await using session = SessionLocal();
      const [first, second] = [new Item(), new Item({ status: "set", serial: 99, note: null })];
      expect([first.status, first.serial]).toEqual([undefined, undefined]);
      session.addAll([first, second]);
      await session.commit();
      expect([first.status, first.serial, first.note]).toEqual(["new", 1, "none"]);
      expect([second.status, second.serial, second.note]).toEqual(["set", 99, "none"]);
      expect(refreshed).toEqual([["note", "serial", "status"], ["note"]]);
      session.expireAll();
      expect(await load(second, "note")).toBe("none");
    });

    test("of the database is read back, whether it is a literal or an expression", async () => {
      const metadata = new Metadata();
      class Item extends model(
        "items",
        {
          id: integer().primaryKey(),
          name: text(),
          status: text().serverDefault("it's new"),
          count: integer().serverDefault(7),
          flag: boolean().serverDefault(true),
          sum: integer().serverDefault(sql`(1 + 2)`),
          note: text().nullable().serverDefault("none"),
        },
        { metadata },
      ) {}
      const SessionLocal = await open(db, metadata);
      await using session = SessionLocal();
      const item = new Item({ name: "a" });
      const own = new Item({ name: "b", status: "set", note: null });
      session.addAll([item, own]);
      await session.commit();
      await session.refresh(item);
      expect([item.status, item.count, item.flag, item.sum, item.note]).toEqual(["it's new", 7, true, 3, "none"]);
      await session.refresh(own);
      expect([own.status, own.count, own.note]).toEqual(["set", 7, "none"]);
      expect(await load(own, "sum")).toBe(3);
    });

    test("may be of the key", async () => {
      const metadata = new Metadata();
      class Item extends model(
        "items",
        {
          id: uuid()
            .primaryKey()
            .default(() => crypto.randomUUID()),
          name: text(),
        },
        { metadata },
      ) {}
      const SessionLocal = await open(db, metadata);
      await using session = SessionLocal();
      const item = new Item({ name: "a" });
      session.add(item);
      await session.commit();
      expect(item.id).toMatch(/^[0-9a-f-]{36}$/);
      expect(await session.get(Item, item.id)).toBe(item);
    });
  });

  test("onupdate is written by every UPDATE that the program did not set it in, and by no other", async () => {
    const metadata = new Metadata();
    let revision = 0;
    class Item extends model(
      "items",
      {
        id: integer().primaryKey(),
        name: text(),
        revision: integer()
          .default(0)
          .onupdate(() => ++revision),
      },
      { metadata },
    ) {}
    const SessionLocal = await open(db, metadata);
    await using session = SessionLocal();
    const item = new Item({ name: "a" });
    session.add(item);
    await session.commit();
    expect(item.revision).toBe(0);
    item.name = "b";
    await session.commit();
    expect(item.revision).toBe(1);
    item.name = "b";
    await session.commit();
    expect(item.revision).toBe(1);
    item.name = "c";
    item.revision = 50;
    await session.commit();
    expect(item.revision).toBe(50);
    await session.refresh(item);
    expect([item.name, item.revision]).toEqual(["c", 50]);
  });

  test("unique columns, and unique combinations, are kept by the database", async () => {
    const metadata = new Metadata();
    class Seat extends model(
      "seats",
      { id: integer().primaryKey(), code: text().unique(), row: integer(), column: integer() },
      { metadata, unique: [["row", "column"]] },
    ) {}
    const SessionLocal = await open(db, metadata);
    await SessionLocal.begin((session) => session.add(new Seat({ code: "a", row: 1, column: 1 })));
    await SessionLocal.begin((session) => session.add(new Seat({ code: "b", row: 1, column: 2 })));
    await expect(
      SessionLocal.begin((session) => session.add(new Seat({ code: "a", row: 2, column: 2 }))),
    ).rejects.toThrow(IntegrityError);
    await expect(
      SessionLocal.begin((session) => session.add(new Seat({ code: "c", row: 1, column: 2 }))),
    ).rejects.toThrow(IntegrityError);
  });

  test("foreign keys, of several columns too, are kept by the database and do what they say", async () => {
    const metadata = new Metadata();
    class Part extends model("parts", { code: text().primaryKey(), revision: integer().primaryKey() }, { metadata }) {}
    class Line extends model(
      "lines",
      { id: integer().primaryKey(), partCode: text(), partRevision: integer() },
      {
        metadata,
        foreignKeys: [{ columns: ["partCode", "partRevision"], references: ["parts.code", "parts.revision"] }],
      },
    ) {}
    class Note extends model(
      "notes",
      { id: integer().primaryKey(), lineId: integer().nullable().references("lines.id", { onDelete: "set null" }) },
      { metadata },
    ) {}
    const SessionLocal = await open(db, metadata);
    await SessionLocal.begin(async (session) => {
      session.add(new Part({ code: "a", revision: 1 }));
      await session.flush();
      session.add(new Line({ id: 1, partCode: "a", partRevision: 1 }));
      await session.flush();
      session.add(new Note({ id: 1, lineId: 1 }));
    });
    await expect(
      SessionLocal.begin((session) => session.add(new Line({ partCode: "a", partRevision: 2 }))),
    ).rejects.toThrow(IntegrityError);
    await SessionLocal.begin(async (session) => session.delete((await session.get(Line, 1))!));
    await using session = SessionLocal();
    expect((await session.get(Note, 1))?.lineId).toBeNull();
  });

  test("a transient property is in no statement, whatever is done with it", async () => {
    const metadata = new Metadata();
    class User extends model(
      "users",
      { id: integer().primaryKey(), name: text(), password: transient<string>() },
      { metadata },
    ) {}
    const engine = db.engine();
    await createAll(engine, { metadata });
    const SessionLocal = sessionmaker(engine);
    const sent: string[] = [];
    listen(engine, "beforeCursorExecute", ({ statement, parameters }) =>
      sent.push(statement, JSON.stringify(parameters)),
    );
    await using session = SessionLocal();
    const user = new User({ name: "ann", password: "hunter2" });
    session.add(user);
    await session.flush();
    expect(user.password).toBe("hunter2");
    user.password = "hunter3";
    await session.flush();
    user.name = "bob";
    await session.commit();
    session.expire(user);
    expect(user.password).toBe("hunter3");
    expect(await load(user, "name")).toBe("bob");
    expect(inspect(user).unloaded.size).toBe(0);
    await session.delete(user);
    await session.commit();
    expect(sent.length).toBeGreaterThan(0);
    expect(sent.join("\n")).not.toMatch(/hunter|password/);
    expect(sent.filter((statement) => statement.startsWith("update"))).toHaveLength(1);
  });

  test("columns and tables may be called what SQL calls its own, or have capitals and spaces", async () => {
    const metadata = new Metadata();
    class Order extends model(
      "order",
      {
        id: integer().primaryKey(),
        select: text(),
        from: text().named("From Where"),
        group: integer().unique().index(),
      },
      { metadata },
    ) {}
    const SessionLocal = await open(db, metadata);
    await using session = SessionLocal();
    session.add(new Order({ select: "a", from: "b", group: 1 }));
    await session.commit();
    session.expunge((await session.scalars(select(Order))).one());
    const order = (
      await session.scalars(
        select(Order)
          .where({ from: "b" })
          .orderBy((o) => o.group.desc()),
      )
    ).one();
    expect([order.select, order.from, order.group]).toEqual(["a", "b", 1]);
  });

  test("a table without a class is created with the others, and used by SQL", async () => {
    const metadata = new Metadata();
    table(
      "tags",
      { postId: integer().primaryKey(), tag: text().primaryKey(), weight: integer().serverDefault(1) },
      { metadata },
    );
    const SessionLocal = await open(db, metadata);
    await using session = SessionLocal();
    await session.execute(sql`insert into tags (post_id, tag) values (${1}, ${"x"})`);
    expect((await session.execute(sql`select * from tags`)).all()).toEqual([{ post_id: 1, tag: "x", weight: 1 }]);
    await expect(session.execute(sql`insert into tags (post_id, tag) values (1, 'x')`)).rejects.toThrow(IntegrityError);
  });

  test("a value that the database holds and its column cannot is an error that says so", async () => {
    const metadata = new Metadata();
    class Item extends model("items", { id: integer().primaryKey(), count: bigint() }, { metadata }) {}
    class Narrow extends model(
      "items",
      { id: integer().primaryKey(), count: integer() },
      { metadata: new Metadata() },
    ) {}
    const SessionLocal = await open(db, metadata);
    await using session = SessionLocal();
    session.add(new Item({ id: 1, count: 2n ** 60n }));
    await session.flush();
    await expect(session.get(Narrow, 1)).rejects.toThrow(DataError);
  });
});
