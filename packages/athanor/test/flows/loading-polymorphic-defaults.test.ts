import { expect, test } from "vitest";
import {
  ArgumentError,
  createAll,
  func,
  inherit,
  inspect,
  type Instance,
  integer,
  joinedLoad,
  listen,
  load,
  many,
  Metadata,
  model,
  one,
  select,
  selectinLoad,
  sessionmaker,
  sql,
  text,
  update,
  withPolymorphic,
} from "../../src/index.ts";
import { type Database, forEachDatabase } from "../databases.ts";

type Load = "inline" | "selectin" | undefined;

/** A zoo whose classes say themselves how they are loaded. Birds and fish have a column of one name, each in a table of its own. */
function declareZoo(loads: { all?: boolean; bird?: Load; parrot?: Load; fish?: Load; snake?: Load }) {
  const metadata = new Metadata();
  class Zoo extends model(
    "zoos",
    {
      id: integer().primaryKey(),
      get animals() {
        return many(Animal, { backPopulates: "zoo", orderBy: "id" });
      },
    },
    { metadata },
  ) {}
  class Animal extends model(
    "animals",
    {
      id: integer().primaryKey(),
      kind: text(),
      zooId: integer().nullable().references("zoos.id"),
      mateId: integer().nullable().references("animals.id"),
      get zoo() {
        return one(Zoo, { backPopulates: "animals" });
      },
      get mate() {
        return one(Animal);
      },
    },
    {
      metadata,
      polymorphicOn: "kind",
      identity: "animal",
      ...(loads.all === true && { withPolymorphic: "*" as const }),
    },
  ) {}
  const along = (way: Load): { readonly polymorphicLoad?: "inline" | "selectin" } =>
    way === undefined ? {} : { polymorphicLoad: way };
  class Bird extends inherit(
    Animal,
    { identity: "bird", table: "birds", ...along(loads.bird) },
    {
      id: integer().primaryKey().references("animals.id"),
      size: integer(),
      nestId: integer().nullable().references("nests.id"),
      get nest() {
        return one(Nest, { lazy: "selectin" });
      },
    },
  ) {}
  class Parrot extends inherit(
    Bird,
    { identity: "parrot", table: "parrots", ...along(loads.parrot) },
    { id: integer().primaryKey().references("birds.id"), says: text() },
  ) {}
  class Fish extends inherit(
    Animal,
    { identity: "fish", table: "fishes", ...along(loads.fish) },
    { id: integer().primaryKey().references("animals.id"), size: integer() },
  ) {}
  class Snake extends inherit(Animal, { identity: "snake", ...along(loads.snake) }, { venom: text().nullable() }) {}
  class Nest extends model("nests", { id: integer().primaryKey() }, { metadata }) {}
  return { metadata, Zoo, Animal, Bird, Parrot, Fish, Snake, Nest };
}

async function openZoo(db: Database, zoo: ReturnType<typeof declareZoo>) {
  const { metadata, Zoo, Animal, Bird, Parrot, Fish, Snake, Nest } = zoo;
  const engine = db.engine();
  await createAll(engine, { metadata });
  const SessionLocal = sessionmaker(engine, { models: [Zoo, Animal, Bird, Parrot, Fish, Snake, Nest] });
  await SessionLocal.begin(async (session) => {
    session.addAll([new Zoo({ id: 1 }), new Nest({ id: 9 })]);
    session.addAll([
      new Animal({ id: 1, zooId: 1 }),
      new Bird({ id: 2, zooId: 1, size: 20, nestId: 9 }),
      new Parrot({ id: 3, zooId: 1, size: 30, says: "hi" }),
      new Fish({ id: 4, zooId: 1, size: 40 }),
      new Snake({ id: 5, zooId: 1, venom: "much" }),
    ]);
    await session.flush();
    (await session.get(Snake, 5))!.mateId = 3;
  });
  const statements: string[] = [];
  listen(engine, "beforeCursorExecute", ({ statement }) => {
    if (statement.startsWith("select"))
      statements.push([...new Set(statement.match(/(?<=(?:from|join) ")\w+/g))].join(" "));
  });
  return { session: SessionLocal(), SessionLocal, selects: () => statements.splice(0) };
}

/** What of each animal is not in memory. */
function missing(animals: readonly Instance[]): string[] {
  return animals.map((animal) => [...inspect(animal).unloaded].filter((key) => !["zoo", "mate"].includes(key)).join());
}

forEachDatabase((db) => {
  const whole = ["", "", "", "", ""];

  const inline = { bird: "inline", parrot: "inline", fish: "inline", snake: "inline" } as const;
  test.for([[{ all: true }], [inline]] as const)(
    "subclasses that are declared %o are read with the class above them, by every way that leads to it",
    async ([loads]) => {
      const zoo = declareZoo(loads);
      const { Zoo, Animal, Bird, Parrot } = zoo;
      const { session, selects, SessionLocal } = await openZoo(db, zoo);
      const everything = "animals birds parrots fishes";
      const inOrder = select(Animal).orderBy((animal) => animal.id);
      expect(missing((await session.scalars(inOrder)).all())).toEqual(whole);
      expect(selects()).toEqual([everything, "nests"]);
      session.expungeAll();
      expect(missing([(await session.get(Animal, 3))!])).toEqual([""]);
      expect(selects()).toEqual([everything]);
      for (const along of [selectinLoad, joinedLoad]) {
        session.expungeAll();
        const found = (await session.scalars(select(Zoo).options(along(Zoo, "animals")))).one();
        expect(missing(found.animals)).toEqual(whole);
        expect(selects()).toHaveLength(along === joinedLoad ? 2 : 3);
      }
      session.expungeAll();
      expect(missing(await load((await session.get(Zoo, 1))!, "animals"))).toEqual(whole);
      expect(missing([(await load((await session.get(Animal, 5))!, "mate"))!])).toEqual([""]);
      session.expungeAll();
      const birds = (await session.scalars(select(Bird).orderBy((bird) => bird.id))).all();
      expect(missing(birds)).toEqual(["", ""]);
      session.expire(birds[1]!);
      selects();
      expect(await load(birds[1]!, "id")).toBe(3);
      await session.refresh(birds[1]!);
      expect(selects().filter((tables) => tables !== "nests")).toEqual([
        "animals birds parrots",
        "animals birds parrots",
      ]);
      expect((birds[1] as InstanceType<typeof Parrot>).says).toBe("hi");
      await session.execute(update(Animal).values({ mateId: 1 }).where({ id: 4 }));
      const counted = await session.execute(select(Animal).columns(() => [func.count()]));
      expect(counted.scalar()).toBe(5);
      await session.close();
      await using other = SessionLocal();
      const sorted = select(withPolymorphic(Animal, { Bird, Fish: zoo.Fish }));
      const order = async (statement: typeof sorted): Promise<number[]> =>
        (await other.scalars(statement)).all().map(({ id }) => id);
      expect(await order(sorted.where((animal) => animal.Bird.size.gt(25)))).toEqual([3]);
      expect(await order(sorted.where((animal) => animal.Fish.size.gt(25)))).toEqual([4]);
      const named = select(withPolymorphic(Animal, { Bird, Fish: zoo.Fish }, "sorted"));
      expect(await order(named.where((animal) => animal.Bird.size.gt(25)) as never)).toEqual([3]);
      expect(await order(named.where((animal) => animal.Fish.size.gt(25)) as never)).toEqual([4]);
    },
  );

  test("subclasses that say selectin are completed by a further SELECT each, and relationships of theirs are loaded once", async () => {
    const zoo = declareZoo({ bird: "selectin", parrot: "selectin", snake: "selectin", fish: "inline" });
    const { Zoo, Animal, Bird } = zoo;
    const { session, selects } = await openZoo(db, zoo);
    const inOrder = select(Animal).orderBy((animal) => animal.id);
    const found = (await session.scalars(inOrder)).all();
    expect(missing(found)).toEqual(whole);
    expect((found[1] as InstanceType<typeof Bird>).nest?.id).toBe(9);
    expect(selects()).toEqual(["animals fishes", "animals birds", "animals birds parrots", "animals", "nests"]);
    session.expungeAll();
    expect(missing([(await session.get(Animal, 3))!])).toEqual([""]);
    expect(selects()).toEqual(["animals fishes", "animals birds parrots"]);
    for (const along of [selectinLoad, joinedLoad]) {
      session.expungeAll();
      expect(missing((await session.scalars(select(Zoo).options(along(Zoo, "animals")))).one().animals)).toEqual(whole);
    }
    session.expungeAll();
    expect(missing(await load((await session.get(Zoo, 1))!, "animals"))).toEqual(whole);
    session.expungeAll();
    expect(missing((await session.scalars(select(Bird).orderBy((bird) => bird.id))).all())).toEqual(["", ""]);
    selects();
    await session.refresh((await session.get(Animal, 3))!);
    expect(selects()).toEqual(["animals birds parrots"]);
    session.expungeAll();
    const given = select(withPolymorphic(Animal, [zoo.Snake])).orderBy((animal) => animal.id);
    expect(missing((await session.scalars(given)).all())).toEqual(["", "", "", "size", ""]);
    await session.close();
  });

  test("instances of SQL of one's own are completed by further SELECTs, whatever their classes say", async () => {
    const zoo = declareZoo({ bird: "inline", parrot: "inline", fish: "selectin", snake: "inline" });
    const { session, selects } = await openZoo(db, zoo);
    const written = select(zoo.Animal).fromStatement(sql`select * from animals order by id`);
    expect(missing((await session.scalars(written)).all())).toEqual(whole);
    expect(selects()).toHaveLength(6);
    await session.close();
  });

  test("what a class does not say is loaded for each instance", async () => {
    const zoo = declareZoo({ fish: "inline" });
    const { session, selects } = await openZoo(db, zoo);
    const inOrder = select(zoo.Animal).orderBy((animal) => animal.id);
    const found = (await session.scalars(inOrder)).all();
    expect(missing(found)).toEqual(["", "size,nestId", "size,nestId,says", "", "venom"]);
    expect(selects()).toContain("animals fishes");
    await session.close();
  });

  test("a class that is used later comes in later", async () => {
    const zoo = declareZoo({ all: true });
    const { Animal, Bird } = zoo;
    const engine = db.engine();
    await createAll(engine, { metadata: zoo.metadata });
    const SessionLocal = sessionmaker(engine, { models: [Animal] });
    const inOrder = select(Animal).orderBy((animal) => animal.id);
    await using session = SessionLocal();
    expect((await session.scalars(inOrder)).all()).toEqual([]);
    expect(await session.get(Animal, 1)).toBe(null);
    session.add(new Bird({ id: 1, size: 3 }));
    await session.commit();
    session.expungeAll();
    expect(missing((await session.scalars(inOrder)).all())).toEqual([""]);
    session.expungeAll();
    expect(missing([(await session.get(Animal, 1))!])).toEqual([""]);
  });

  test("other words for it are refused", () => {
    const metadata = new Metadata();
    const columns = { id: integer().primaryKey(), kind: text() };
    expect(() => model("a", columns, { metadata, withPolymorphic: "*" })).toThrow(ArgumentError);
    expect(() => model("a", columns, { metadata, withPolymorphic: "*" })).toThrow(
      "without a discriminator it has none",
    );
    const base = { metadata, polymorphicOn: "kind", identity: "a" };
    expect(() => model("b", columns, { ...base, withPolymorphic: "all" as never })).toThrow('"*" or left out');
    class Base extends model("c", columns, base) {}
    expect(() => inherit(Base, { identity: "d", polymorphicLoad: "joined" as never }, {})).toThrow(
      'is "inline", "selectin" or left out, and not "joined"',
    );
    expect(() => model("e", columns, { ...base, polymorphicLoad: "inline" } as never)).toThrow("polymorphicLoad");
  });
});
