import type * as athanor from "../../src/index.ts";

/**
 * Constructs, writes and loads instances in every way that has generated code, and answers with all that was seen on the way: the same, whether or
 * not code may be generated.
 */
export async function tellStory({
  attributes,
  bigint,
  boolean,
  bytes,
  createAll,
  createEngine,
  customType,
  getHistory,
  inherit,
  inspect,
  integer,
  json,
  listen,
  load,
  Metadata,
  mixin,
  model,
  numeric,
  select,
  sessionmaker,
  text,
  timestamp,
  transient,
  validates,
}: typeof athanor): Promise<readonly unknown[]> {
  const seen: unknown[] = [];
  const metadata = new Metadata();
  const HasNote = mixin({ note: text().nullable() });
  class Item extends model(
    "items",
    {
      id: integer().primaryKey(),
      name: text(),
      count: integer().default(1),
      price: numeric(10, 2).nullable(),
      big: bigint().nullable(),
      isOpen: boolean().nullable(),
      at: timestamp().nullable(),
      raw: bytes().nullable(),
      data: json<unknown>().nullable(),
      url: customType(text(), {
        toDatabase: (url: URL) => url.href,
        fromDatabase: (href) => new URL(href),
      }).nullable(),
      secret: transient<string>(),
    },
    { metadata, mixins: [HasNote] },
  ) {}
  class Pair extends model(
    "pairs",
    { left: integer().primaryKey(), right: text().primaryKey(), name: text().nullable() },
    { metadata },
  ) {}
  class Animal extends model(
    "animals",
    { id: integer().primaryKey(), kind: text(), name: text(), hidden: transient<string>() },
    { metadata, polymorphicOn: "kind", identity: "animal" },
  ) {}
  class Dog extends inherit(
    Animal,
    { identity: "dog", table: "dogs" },
    { id: integer().primaryKey().references("animals.id"), breed: text().nullable() },
  ) {}
  class Cat extends inherit(Animal, { identity: "cat" }, { lives: integer().nullable() }) {}

  const errorOf = async (work: () => unknown): Promise<void> => {
    try {
      await work();
      seen.push("no error");
    } catch (error) {
      seen.push(`${(error as Error).name}: ${(error as Error).message}`);
    }
  };
  const values = (instance: object): unknown => JSON.parse(JSON.stringify(instance));

  await using engine = createEngine("sqlite::memory:");
  await createAll(engine, { metadata });
  listen(engine, "beforeCursorExecute", ({ statement, parameters }) => {
    seen.push(statement, values([...parameters].map(String)));
  });
  const SessionLocal = sessionmaker(engine, { models: [Dog, Cat] });

  const plain = new Item({ id: 1, name: "plain", secret: "hidden", note: null });
  validates(Item, "name", ({ value }) => value.trim());
  listen(attributes(Item).count, "set", ({ value, oldValue }) => seen.push(["set count", value, String(oldValue)]));
  const full = new Item({
    id: 2,
    name: " full ",
    count: 5,
    price: "1.50",
    big: 2n ** 60n,
    isOpen: true,
    at: new Date(0),
    raw: new Uint8Array([1, 255]),
    data: { a: [1] },
    url: new URL("https://x/y"),
    secret: "hidden",
    note: "n",
  });
  seen.push(values(plain), values(full), full.secret, getHistory(full, "name"), inspect(full).lifecycle);
  await errorOf(() => new Item({ nme: "x" } as object));
  await errorOf(() => new Item("x" as never));
  seen.push(Object.keys(Item.prototype), new Item().name, Item.prototype.name);

  await SessionLocal.begin((session) => {
    session.addAll([plain, full, new Pair({ left: 1, right: "a,b" }), new Pair({ left: 1, right: "a" })]);
    session.addAll([
      new Animal({ id: 1, name: "cow", hidden: "h" }),
      new Dog({ id: 2, name: "rex", breed: "collie" }),
      new Cat({ id: 3, name: "tom", lives: 9 }),
    ]);
  });
  seen.push(values(plain), values(full));

  await using session = SessionLocal();
  const loads: unknown[] = [];
  const items = (await session.scalars(select(Item).orderBy((item) => item.id))).all();
  seen.push(items.map(values), items[1]?.url?.href, items[1]?.secret, items[1]?.raw?.length);
  seen.push((await session.scalars(select(Item).orderBy((item) => item.id))).all()[0] === items[0]);
  using _ = listen(Animal, "load", ({ target }) => loads.push([target.constructor.name, target.name]));
  const animals = (await session.scalars(select(Animal).orderBy((animal) => animal.id))).all();
  seen.push(animals.map(values), loads);
  await errorOf(() => (animals[1] as Dog).breed);
  seen.push(await load(animals[1] as Dog, "breed"), await load(animals[2] as Cat, "lives"));
  seen.push((await session.scalars(select(Pair).orderBy((pair) => pair.right))).all().map(values));
  seen.push((await session.get(Pair, [1, "a,b"]))?.right, (await session.scalars(select(Dog))).one() === animals[1]);

  const [first, second] = items as [Item, Item];
  first.name = "changed";
  second.count = 6;
  second.url = new URL("https://x/y");
  seen.push([...session.dirty].map(values), getHistory(first, "name"), session.isModified(second));
  await session.flush();
  first.data = [1];
  first.price = "2";
  await session.commit();
  session.expire(first);
  await errorOf(() => first.name);
  await session.refresh(first, ["name"]);
  seen.push(values(first), [...inspect(first).unloaded].toSorted());
  await session.scalars(select(Item).executionOptions({ populateExisting: true }));
  seen.push(values(first));
  session.add(new Item({ id: 3, name: "x", note: 3 as never }));
  await errorOf(() => session.flush());
  return seen;
}
