import { expect, test, vi } from "vitest";
import {
  type AnyModel,
  enumeration,
  flagDirty,
  flagModified,
  inherit,
  integer,
  listen,
  Metadata,
  model,
  sessionmaker,
  table,
  text,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { openSessions } from "./open-sessions.ts";

const metadata = new Metadata();

class User extends model("users", { id: integer().primaryKey(), name: text() }, { metadata }) {}

/** Its name comes first, and its rows belong to a Zone's and a User's. */
class Account extends model(
  "accounts",
  {
    id: integer().primaryKey(),
    userId: integer().references("users.id"),
    zoneId: integer().nullable().references("zones.id"),
  },
  { metadata },
) {}

class Zone extends model("zones", { id: integer().primaryKey(), name: text() }, { metadata }) {}

class Step extends model("steps", { id: integer().primaryKey(), name: text() }, { metadata, batch: false }) {}

class Seat extends model(
  "seats",
  { row: integer().primaryKey(), place: integer().primaryKey(), guest: text().nullable() },
  { metadata },
) {}

class Vehicle extends model(
  "vehicles",
  { id: integer().primaryKey(), kind: enumeration("vehicle", "car", "van"), name: text() },
  { metadata, polymorphicOn: "kind", identity: "vehicle" },
) {}
class Car extends inherit(
  Vehicle,
  { identity: "car", table: "cars" },
  { id: integer().primaryKey().references("vehicles.id"), doors: integer() },
) {}
class Van extends inherit(Vehicle, { identity: "van" }, { load: integer().nullable() }) {}

const models: AnyModel[] = [User, Account, Zone, Step, Seat, Vehicle];

table("tags", { id: integer().primaryKey() }, { metadata });

forEachDatabase((db) => {
  const open = (options = {}): ReturnType<typeof openSessions> => openSessions(db, metadata, models, options);
  const rowEvents = (lines: readonly string[]): string[] =>
    lines.filter((line) => /^(before|after)(Insert|Update|Delete) |^(INSERT|UPDATE|DELETE) /.test(line));

  test("the rows of a class are written together: all before events, the SQL, all after events", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const [bob, ann] = [log.name("bob", new User({ name: "bob" })), log.name("ann", new User({ name: "ann" }))];
    session.addAll([bob, ann]);
    await session.flush();
    expect(rowEvents(log.take())).toEqual([
      "beforeInsert bob",
      "beforeInsert ann",
      "INSERT users",
      "afterInsert bob",
      "afterInsert ann",
    ]);
    expect([bob.id, ann.id]).toEqual([1, 2]);
    const carol = log.name("carol", new User({ name: "carol" }));
    ann.name = "anna";
    bob.name = "bobby";
    session.add(carol);
    await session.flush();
    expect(rowEvents(log.take())).toEqual([
      "beforeInsert carol",
      "beforeUpdate bob",
      "beforeUpdate ann",
      "UPDATE users",
      "INSERT users",
      "afterInsert carol",
      "afterUpdate bob",
      "afterUpdate ann",
    ]);
    for (const user of [carol, ann, bob]) await session.delete(user);
    await session.commit();
    expect(rowEvents(log.take())).toEqual([
      "beforeDelete bob",
      "beforeDelete ann",
      "beforeDelete carol",
      "DELETE users",
      "afterDelete bob",
      "afterDelete ann",
      "afterDelete carol",
    ]);
  });

  test("with batch: false each row is written between its own events", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const [one, two] = [log.name("one", new Step({ name: "one" })), log.name("two", new Step({ name: "two" }))];
    session.addAll([one, two]);
    await session.flush();
    expect(rowEvents(log.take())).toEqual([
      "beforeInsert one",
      "INSERT steps",
      "afterInsert one",
      "beforeInsert two",
      "INSERT steps",
      "afterInsert two",
    ]);
    await session.delete(two);
    await session.delete(one);
    await session.commit();
    expect(rowEvents(log.take())).toEqual([
      "beforeDelete one",
      "DELETE steps",
      "afterDelete one",
      "beforeDelete two",
      "DELETE steps",
      "afterDelete two",
    ]);
  });

  test("classes that have nothing to do with each other are written by name", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    session.addAll([
      log.name("zone", new Zone({ name: "z" })),
      log.name("user", new User({ name: "u" })),
      log.name("step", new Step({ name: "s" })),
    ]);
    await session.flush();
    expect(log.take().filter((line) => line.startsWith("beforeInsert"))).toEqual([
      "beforeInsert step",
      "beforeInsert user",
      "beforeInsert zone",
    ]);
  });

  test("rows that others refer to are written first and deleted last", async () => {
    const { SessionLocal, log, rows } = await open();
    await using session = SessionLocal();
    const account = log.name("account", new Account({ userId: 1, zoneId: 1 }));
    const user = log.name("user", new User({ id: 1, name: "u" }));
    const zone = log.name("zone", new Zone({ id: 1, name: "z" }));
    session.addAll([account, zone, user]);
    await session.commit();
    expect(rowEvents(log.take())).toEqual([
      "beforeInsert user",
      "INSERT users",
      "afterInsert user",
      "beforeInsert zone",
      "INSERT zones",
      "afterInsert zone",
      "beforeInsert account",
      "INSERT accounts",
      "afterInsert account",
    ]);
    for (const instance of [user, zone, account]) await session.delete(instance);
    await session.commit();
    expect(rowEvents(log.take()).filter((line) => line.startsWith("DELETE"))).toEqual([
      "DELETE accounts",
      "DELETE users",
      "DELETE zones",
    ]);
    expect(await rows("select * from accounts")).toEqual([]);
  });

  test("everything is saved before anything is deleted", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const [user, zone] = [new User({ name: "u" }), new Zone({ name: "z" })];
    session.addAll([user, zone]);
    await session.flush();
    log.take();
    await session.delete(user);
    zone.name = "changed";
    await session.flush();
    expect(rowEvents(log.take()).filter((line) => /^[A-Z]/.test(line))).toEqual(["UPDATE zones", "DELETE users"]);
  });

  test("changed and deleted rows go by key, also where it has several columns", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const places = [
      [10, 1],
      [2, 10],
      [2, 9],
      [1, 1],
    ] as const;
    const seats = places.map(([row, place]) => new Seat({ row, place }));
    session.addAll(seats);
    await session.flush();
    log.take();
    for (const seat of seats) seat.guest = "someone";
    await session.flush();
    expect(log.take().filter((line) => line.startsWith("beforeUpdate"))).toEqual([
      "beforeUpdate Seat(1,1)",
      "beforeUpdate Seat(2,9)",
      "beforeUpdate Seat(2,10)",
      "beforeUpdate Seat(10,1)",
    ]);
  });

  test("a class with a table of its own is written to its parent's first, and deleted from there last", async () => {
    const { SessionLocal, log, rows } = await open();
    await using session = SessionLocal();
    const car = log.name("car", new Car({ name: "c", doors: 4 }));
    const plain = log.name("plain", new Vehicle({ name: "p" }));
    const van = log.name("van", new Van({ name: "v", load: 900 }));
    session.addAll([car, plain, van]);
    await session.flush();
    expect(rowEvents(log.take())).toEqual([
      "beforeInsert car",
      "beforeInsert plain",
      "beforeInsert van",
      "INSERT vehicles",
      "INSERT cars",
      "afterInsert car",
      "afterInsert plain",
      "afterInsert van",
    ]);
    car.doors = 2;
    await session.flush();
    expect(rowEvents(log.take())).toEqual(["beforeUpdate car", "UPDATE cars", "afterUpdate car"]);
    car.doors = 5;
    car.name = "changed";
    van.load = 1000;
    await session.flush();
    expect(rowEvents(log.take())).toEqual([
      "beforeUpdate car",
      "beforeUpdate van",
      "UPDATE vehicles",
      "UPDATE cars",
      "afterUpdate car",
      "afterUpdate van",
    ]);
    await session.delete(car);
    await session.delete(plain);
    await session.flush();
    expect(rowEvents(log.take())).toEqual([
      "beforeDelete car",
      "beforeDelete plain",
      "DELETE cars",
      "DELETE vehicles",
      "afterDelete car",
      "afterDelete plain",
    ]);
    await session.commit();
    expect(await rows("select kind, name, load from vehicles")).toEqual([["van", "v", 1000]]);
    expect(await rows("select * from cars")).toEqual([]);
  });

  test("classes that share a table are inserted into it together, and their keys find the right instances", async () => {
    const { SessionLocal, log, rows } = await open();
    await using session = SessionLocal();
    const vehicles = [
      new Vehicle({ name: "cart" }),
      new Car({ name: "beetle", doors: 3 }),
      new Vehicle({ name: "sledge" }),
      new Car({ name: "duck", doors: 5 }),
    ];
    session.addAll(vehicles);
    await session.commit();
    expect(log.take().filter((line) => line.startsWith("INSERT"))).toEqual(["INSERT vehicles", "INSERT cars"]);
    expect(await rows("SELECT name FROM vehicles ORDER BY id")).toEqual([["cart"], ["beetle"], ["sledge"], ["duck"]]);
    expect(vehicles.map(({ id }) => id)).toEqual([1, 2, 3, 4]);
    expect(await rows("SELECT id, doors FROM cars ORDER BY id")).toEqual([
      [2, 3],
      [4, 5],
    ]);
  });

  test("a flush without any net change raises its events and writes nothing", async () => {
    const { SessionLocal, log } = await open();
    await SessionLocal.begin((session) => session.add(new User({ name: "ann" })));
    await using session = SessionLocal();
    const ann = log.name("ann", (await session.get(User, 1)) as User);
    const nothing = [
      "beforeFlush",
      "afterTransactionCreate flush",
      "beforeUpdate ann",
      "afterUpdate ann",
      "afterFlush",
      "afterFlushPostexec",
      "afterTransactionEnd flush",
    ];
    log.take();
    ann.name = "ann";
    expect(log.take()).toEqual(['set ann.name "ann" → "ann"']);
    expect([session.dirty.has(ann), session.isModified(ann)]).toEqual([true, false]);
    await session.flush();
    expect(log.take()).toEqual(nothing);

    ann.name = "other";
    ann.name = "ann";
    log.take();
    await session.flush();
    expect(log.take()).toEqual(nothing);

    flagDirty(ann);
    await session.flush();
    expect(log.take()).toEqual(nothing);

    flagModified(ann, "name");
    await session.flush();
    expect(rowEvents(log.take())).toEqual(["beforeUpdate ann", "UPDATE users", "afterUpdate ann"]);

    await session.flush();
    expect(log.take()).toEqual([]);
  });

  test("an expired attribute that is set is written, even if it equals the row", async () => {
    const { SessionLocal, log } = await open();
    await SessionLocal.begin((session) => session.add(new User({ name: "ann" })));
    await using session = SessionLocal();
    const ann = log.name("ann", (await session.get(User, 1)) as User);
    session.expire(ann);
    log.take();
    ann.name = "ann";
    expect(log.take()).toEqual(['set ann.name NO_VALUE → "ann"']);
    await session.flush();
    expect(rowEvents(log.take())).toEqual(["beforeUpdate ann", "UPDATE users", "afterUpdate ann"]);
  });

  test("when beforeFlush takes everything back there is no flush", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    listen(session, "beforeFlush", () => session.expungeAll(), { once: true });
    session.add(log.name("ann", new User({ name: "ann" })));
    log.take();
    await session.flush();
    expect(log.take()).toEqual(["beforeFlush", "pendingToTransient ann"]);
  });

  test("what beforeFlush adds, changes and deletes is part of the flush, which is not announced again", async () => {
    const { SessionLocal, log, rows } = await open();
    await SessionLocal.begin((session) => session.addAll([new User({ name: "ann" }), new User({ name: "bob" })]));
    await using session = SessionLocal();
    const ann = (await session.get(User, 1)) as User;
    const bob = (await session.get(User, 2)) as User;
    listen(session, "beforeFlush", async () => {
      expect(await session.get(User, 3)).toBeNull();
      session.add(new User({ name: "carol" }));
      ann.name = "anna";
      await session.delete(bob);
    });
    session.add(new User({ name: "dave" }));
    log.take();
    await session.flush();
    expect(log.take().filter((line) => line === "beforeFlush")).toEqual(["beforeFlush"]);
    expect([session.new.size, session.dirty.size, session.deleted.size]).toEqual([0, 0, 0]);
    await session.commit();
    expect((await rows("select name from users order by id")).flat()).toEqual(["anna", "dave", "carol"]);
  });

  test("deleting a row that is gone already is a warning; deleting an instance twice asks again", async () => {
    const { engine } = await open();
    const onWarning = vi.fn<(warning: { message: string }) => void>();
    const SessionLocal = sessionmaker(engine, { onWarning });
    await SessionLocal.begin((session) => session.add(new User({ name: "ann" })));
    await using session = SessionLocal();
    const ann = (await session.get(User, 1)) as User;
    await session.delete(ann);
    await session.delete(ann);
    await session.flush();
    expect(onWarning).not.toHaveBeenCalled();
    await session.delete(ann);
    expect([...session.deleted]).toEqual([ann]);
    await session.commit();
    expect(onWarning).toHaveBeenCalledOnce();
    expect(onWarning.mock.calls[0]?.[0].message).toContain("found no row");
  });

  test("many rows with a key of one column are deleted together, and how many of them were gone already is a warning", async () => {
    const { engine, rows } = await open();
    const onWarning = vi.fn<(warning: { message: string }) => void>();
    const SessionLocal = sessionmaker(engine, { onWarning });
    await using session = SessionLocal();
    const users = Array.from({ length: 123 }, (_, index) => new User({ name: `user ${index}` }));
    const seats = Array.from({ length: 12 }, (_, place) => new Seat({ row: 1, place }));
    session.addAll([...users, ...seats]);
    await session.commit();
    await engine.begin(async (connection) => {
      await connection.run("delete from users where id in (7, 8, 123)");
      await connection.run("delete from seats where place = 3");
    });
    const sizes: number[] = [];
    listen(engine, "beforeCursorExecute", ({ statement, parameters, executemany }) => {
      if (statement.startsWith('delete from "users"')) sizes.push(executemany ? -parameters.length : parameters.length);
    });
    for (const instance of [...users.slice(0, 122), ...seats]) await session.delete(instance);
    await session.commit();
    expect(sizes).toEqual([100, 10, 10, -2]);
    expect(onWarning.mock.calls.map(([{ message }]) => message).toSorted()).toEqual([
      'The DELETE of 100 rows from "users", User (key 1) to User (key 100), found 98 of them. Somebody has deleted the others already.',
      'The DELETE of Seat (key 1,3) found no row in "seats". Somebody has deleted it already.',
    ]);
    expect(await rows("select id from users")).toEqual([]);
    expect(await rows("select place from seats")).toEqual([]);
  });
});
