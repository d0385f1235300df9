import { expect, test } from "vitest";
import {
  ArgumentError,
  bigint,
  bytes,
  createAll,
  customType,
  deserialize,
  type FrozenResult,
  inherit,
  inspect,
  integer,
  InvalidRequestError,
  json,
  listen,
  load,
  many,
  mergeFrozenResult,
  Metadata,
  model,
  numeric,
  one,
  real,
  select,
  selectinLoad,
  serialize,
  type SessionMaker,
  sessionmaker,
  sql,
  text,
  timestamp,
  transient,
  UnloadedAttributeError,
} from "../../src/index.ts";
import { type Database, forEachDatabase } from "../databases.ts";

const metadata = new Metadata();

class Money {
  readonly cents: number;
  constructor(cents: number) {
    this.cents = cents;
  }
}
const money = () =>
  customType(integer(), {
    toDatabase: (value: Money) => value.cents,
    fromDatabase: (cents) => new Money(cents),
  });

class Owner extends model(
  "owners",
  {
    id: bigint().primaryKey(),
    name: text(),
    secret: transient<string>(),
    get things() {
      return many(Thing, { backPopulates: "owner", orderBy: "id" });
    },
  },
  { metadata },
) {}
class Thing extends model(
  "things",
  {
    id: integer().primaryKey(),
    kind: text(),
    name: text(),
    price: money().nullable(),
    made: timestamp().nullable(),
    image: bytes().nullable(),
    weight: real().nullable(),
    exact: numeric(12, 2).nullable(),
    extra: json<{ tags: string[] } | { date: number }>().nullable(),
    owner_id: bigint().nullable().references("owners.id"),
    get owner() {
      return one(Owner, { backPopulates: "things" });
    },
  },
  { metadata, polymorphicOn: "kind", identity: "thing" },
) {}
class Book extends inherit(Thing, { identity: "book" }, { pages: integer().nullable() }) {}
class Pair extends model("pairs", { left: integer().primaryKey(), right: text().primaryKey() }, { metadata }) {}

async function open(db: Database): Promise<SessionMaker> {
  const engine = db.engine();
  await createAll(engine, { metadata });
  const SessionLocal = sessionmaker(engine, { models: [Owner, Thing, Book, Pair] });
  await SessionLocal.begin((session) => {
    session.add(new Owner({ id: 1n << 60n, name: "ann" }));
    session.add(
      new Book({
        id: 1,
        name: 'a "book"',
        price: new Money(250),
        made: new Date("2020-02-02T02:02:02.002Z"),
        image: new Uint8Array([0, 255, 128]),
        weight: 1.5,
        exact: "12.50",
        extra: { date: 5 },
        pages: 10,
        owner_id: 1n << 60n,
      }),
    );
    session.add(new Thing({ id: 2, name: "lamp", owner_id: 1n << 60n }));
    session.add(new Pair({ left: 1, right: "a,b" }));
  });
  return SessionLocal;
}

const models = [Owner, Thing, Pair];
const owners = select(Owner).options(selectinLoad(Owner, "things"));

forEachDatabase((db) => {
  test("a frozen result comes back from text, with every kind of value, and another session answers from it", async () => {
    const SessionLocal = await open(db);
    const written = await SessionLocal.begin(async (session) => {
      const result = await session.execute(owners);
      await load(result.scalars().one().things[0] as Book, "pages");
      return serialize(result.freeze());
    });
    const statements: string[] = [];
    listen(SessionLocal().engine, "beforeCursorExecute", ({ statement }) => void statements.push(statement));
    const frozen = deserialize<FrozenResult<readonly [Owner]>>(written, models);
    await using session = SessionLocal();
    const ann = (await mergeFrozenResult(session, owners, frozen, { load: false })).scalars().one();
    const [book, lamp] = ann.things as [Book, Thing];
    expect(statements).toEqual([]);
    expect([ann.id, ann.name, book.constructor, lamp.constructor]).toEqual([1n << 60n, "ann", Book, Thing]);
    const { name, price, made, image, weight, exact, extra, pages } = book;
    expect({ name, price, made, image: [...(image ?? [])], weight, exact, extra, pages }).toEqual({
      name: 'a "book"',
      price: new Money(250),
      made: new Date("2020-02-02T02:02:02.002Z"),
      image: [0, 255, 128],
      weight: 1.5,
      exact: "12.50",
      extra: { date: 5 },
      pages: 10,
    });
    expect([lamp.price, lamp.extra, lamp.image]).toEqual([null, null, null]);
    expect(book.owner).toBe(ann);
    expect(await session.get(Owner, 1n << 60n)).toBe(ann);
    expect(await session.get(Thing, 2)).toBe(lamp);
    expect(session.dirty.size).toBe(0);
    book.name = "novel";
    await session.commit();
    expect(statements.map((statement) => statement.slice(0, 6).toLowerCase())).toEqual(["update"]);
  });

  test("instances come back detached, one for each row, and can be added to a session", async () => {
    const SessionLocal = await open(db);
    const [one, list] = await SessionLocal.begin(async (session) => {
      const things = (await session.scalars(select(Thing).orderBy((thing) => thing.id))).all();
      const pair = (await session.scalars(select(Pair))).one();
      return [serialize(pair), serialize([...things, ...things])];
    });
    const pair = deserialize<Pair>(one as string, models);
    expect([inspect(pair).lifecycle, pair.left, pair.right]).toEqual(["detached", 1, "a,b"]);
    const [first, second, again] = deserialize<Thing[]>(list as string, models) as [Book, Thing, Book];
    expect([again, first.constructor, second.constructor]).toEqual([first, Book, Thing]);
    expect(again).toBe(first);
    expect(() => first.owner).toThrow("belongs to no session");
    await using session = SessionLocal();
    session.addAll([pair, first]);
    expect((await load(first, "owner"))?.name).toBe("ann");
    expect(await session.get(Pair, [1, "a,b"])).toBe(pair);
  });

  test("what was not loaded is not loaded afterwards either; transient values are left out", async () => {
    const SessionLocal = await open(db);
    const written = await SessionLocal.begin(async (session) => {
      const ann = (await session.scalars(select(Owner))).one();
      ann.secret = "password";
      session.expire(ann, ["name"]);
      return serialize(ann);
    });
    expect(written).not.toContain("password");
    const ann = deserialize<Owner>(written, models);
    await using session = SessionLocal();
    session.add(ann);
    expect(() => ann.name).toThrow(UnloadedAttributeError);
    expect(await load(ann, "name")).toBe("ann");
    expect((await load(ann, "things")).length).toBe(2);
  });

  test("listeners send something of their own along", async () => {
    const SessionLocal = await open(db);
    const seen: unknown[] = [];
    const listening = [
      listen(Thing, "serialize", ({ target, data }) => {
        data["from"] = `${target.name} here`;
        data["at"] = new Date(7);
      }),
      listen(Thing, "deserialize", ({ target, data }) => void seen.push([target.constructor, target.id, data])),
    ];
    await SessionLocal.begin(async (session) => {
      const things = (await session.scalars(select(Thing).orderBy((thing) => thing.id))).all();
      deserialize(serialize(things), models);
    });
    for (const each of listening) each.remove();
    expect(seen).toEqual([
      [Book, 1, { from: 'a "book" here', at: new Date(7) }],
      [Thing, 2, { from: "lamp here", at: new Date(7) }],
    ]);
  });

  test("rows of values and of raw SQL come back too", async () => {
    const SessionLocal = await open(db);
    await using session = SessionLocal();
    const raw = await session.execute(
      sql<{ name: string }>`select name, id as "1", null as "0" from things order by id`,
    );
    const rawAgain = deserialize<FrozenResult<object>>(serialize(raw.freeze()), []).result();
    expect(rawAgain.all()).toEqual(raw.all());
    expect(rawAgain.tuples().all()).toEqual(raw.tuples().all());
    const columns = await session.execute(
      select(Thing)
        .columns((thing) => ({ name: thing.name, made: thing.made, owner: thing.owner_id }))
        .orderBy((thing) => thing.id),
    );
    expect(deserialize<FrozenResult<object>>(serialize(columns.freeze()), []).result().all()).toEqual(columns.all());
  });

  test("what cannot be written, and what was not, is refused with what to do", async () => {
    const SessionLocal = await open(db);
    await using session = SessionLocal();
    const ann = (await session.scalars(select(Owner))).one();
    const written = serialize(ann);
    expect(() => deserialize(written, [Pair])).toThrow(
      'The text holds an instance of the table "owners", and none of the given models is stored there (given are Pair).',
    );
    expect(() => deserialize("{}", models)).toThrow(ArgumentError);
    expect(() => deserialize("no JSON", models)).toThrow(ArgumentError);
    expect(() => deserialize(written.replace('"athanor":1', '"athanor":99'), models)).toThrow("in format 99");
    ann.name = "anna";
    expect(() => serialize(ann)).toThrow(InvalidRequestError);
    expect(() => serialize(new Owner())).toThrow(InvalidRequestError);
    const prices = await session.execute(select(Thing).columns((thing) => [thing.price]));
    expect(() => serialize(prices.freeze())).toThrow(/holds an object of Money/);
  });
});
