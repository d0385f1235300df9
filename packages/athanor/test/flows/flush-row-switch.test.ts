import { expect, test } from "vitest";
import {
  createAll,
  inherit,
  inspect,
  integer,
  load,
  many,
  Metadata,
  model,
  one,
  sessionmaker,
  text,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { StatementLog } from "../statement-log.ts";

const metadata = new Metadata();
const id = integer().primaryKey();

class User extends model(
  "users",
  {
    id,
    name: text(),
    note: text().nullable(),
    get addresses() {
      return many(Address, { backPopulates: "user", cascade: "all, delete-orphan", orderBy: "id" });
    },
    get posts() {
      return many(Post, { backPopulates: "author", orderBy: "id" });
    },
  },
  { metadata },
) {}

class Address extends model(
  "addresses",
  {
    id,
    user_id: integer().nullable().references("users.id"),
    street: text(),
    get user() {
      return one(User, { backPopulates: "addresses" });
    },
  },
  { metadata },
) {}

class Post extends model(
  "posts",
  {
    id,
    author_id: integer().nullable().references("users.id"),
    title: text(),
    get author() {
      return one(User, { backPopulates: "posts" });
    },
  },
  { metadata },
) {}

class Doc extends model("docs", { id, version: integer(), title: text() }, { metadata, version: "version" }) {}

class Vehicle extends model(
  "vehicles",
  { id, kind: text(), name: text() },
  { metadata, polymorphicOn: "kind", identity: "vehicle" },
) {}
class Car extends inherit(
  Vehicle,
  { identity: "car", table: "cars" },
  { id: integer().primaryKey().references("vehicles.id"), doors: integer() },
) {}

class Kit extends model(
  "kits",
  {
    id,
    name: text(),
    get lines() {
      return many(Line, { backPopulates: "kit", cascade: "all, delete-orphan", orderBy: "place" });
    },
  },
  { metadata },
) {}

class Line extends model(
  "lines",
  {
    kit_id: integer().primaryKey().references("kits.id"),
    place: integer().primaryKey(),
    text: text(),
    get kit() {
      return one(Kit, { backPopulates: "lines" });
    },
  },
  { metadata },
) {}

forEachDatabase((db) => {
  const open = async (): Promise<{ SessionLocal: ReturnType<typeof sessionmaker>; log: StatementLog }> => {
    const engine = db.engine();
    await createAll(engine, { metadata });
    const SessionLocal = sessionmaker(engine, { autoflush: false, models: [User, Doc, Vehicle, Car, Kit] });
    await SessionLocal.begin((session) =>
      session.addAll([
        new User({
          id: 1,
          name: "a",
          note: "n",
          addresses: [new Address({ street: "1" })],
          posts: [new Post({ title: "p" })],
        }),
        new User({ id: 2, name: "b", note: "m" }),
        new Doc({ id: 1, title: "d" }),
        new Car({ id: 1, name: "c", doors: 4 }),
        new Kit({ id: 1, name: "k", lines: [new Line({ place: 1, text: "x" }), new Line({ place: 2, text: "y" })] }),
      ]),
    );
    return { SessionLocal, log: new StatementLog(engine, [User, Address, Post, Doc, Vehicle, Kit, Line]) };
  };

  test("a row that is deleted and inserted in one flush is updated with what the new instance was given", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const old = (await session.get(User, 2)) as User;
    await session.delete(old);
    const next = log.name("new", new User({ id: 2, name: "N" }));
    session.add(next);
    log.take();
    await session.flush();
    expect(log.take()).toEqual([
      "SELECT posts [2]",
      "beforeInsert new",
      'UPDATE users SET name WHERE id ["N",2]',
      "afterUpdate new",
    ]);
    expect([old, next].map((user) => inspect(user).lifecycle)).toEqual(["deleted", "persistent"]);
    await session.commit();
    await session.refresh(next);
    expect(next.note).toBe("m");
  });

  test("parts of the old instance are deleted, others let go of it, and parts of the new one inserted", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const old = (await session.get(User, 1)) as User;
    await session.delete(old);
    for (const post of await load(old, "posts")) log.name("old", post);
    log.take();
    session.add(
      log.name("new", new User({ id: 1, name: "N", addresses: [log.name("a", new Address({ street: "2" }))] })),
    );
    await session.flush();
    expect(log.take()).toEqual([
      "beforeInsert new",
      'UPDATE users SET name WHERE id ["N",1]',
      "afterUpdate new",
      "beforeInsert a",
      'INSERT addresses (user_id, street) [1,"2"]',
      "afterInsert a",
      "beforeUpdate old",
      "UPDATE posts SET author_id WHERE id [null,1]",
      "afterUpdate old",
      "beforeDelete Address(1)",
      "DELETE addresses WHERE id [1]",
      "afterDelete Address(1)",
    ]);
  });

  test("the version goes on from the old one's, and finds the row", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    await session.delete((await session.get(Doc, 1)) as Doc);
    log.take();
    session.add(log.name("new", new Doc({ id: 1, title: "N" })));
    await session.flush();
    expect(log.take()).toEqual([
      "beforeInsert new",
      'UPDATE docs SET version, title WHERE id, version [2,"N",1,1]',
      "afterUpdate new",
    ]);
  });

  test("in a hierarchy every table has its row updated, the parent's first", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    await session.delete((await session.get(Vehicle, 1)) as Vehicle);
    log.take();
    session.add(log.name("new", new Car({ id: 1, name: "N", doors: 2 })));
    await session.flush();
    expect(log.take()).toEqual([
      "beforeInsert new",
      'UPDATE vehicles SET kind, name WHERE id ["car","N",1]',
      "UPDATE cars SET doors WHERE id [2,1]",
      "afterUpdate new",
    ]);
  });

  test("parts with keys of their whole's are updated where a new part takes the place of an old one", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const kit = log.name("old", (await session.get(Kit, 1)) as Kit);
    const [, second] = await load(kit, "lines");
    log.name("Line(2)", second as Line);
    log.take();
    kit.lines = [log.name("l1", new Line({ place: 1, text: "X" })), log.name("l3", new Line({ place: 3, text: "Z" }))];
    await session.flush();
    expect(log.take()).toEqual([
      "beforeUpdate old",
      "afterUpdate old",
      "beforeInsert l1",
      "beforeInsert l3",
      'UPDATE lines SET text WHERE kit_id, place ["X",1,1]',
      'INSERT lines (kit_id, place, text) [1,3,"Z"]',
      "afterInsert l3",
      "afterUpdate l1",
      "beforeDelete Line(2)",
      "DELETE lines WHERE kit_id, place [1,2]",
      "afterDelete Line(2)",
    ]);
  });
});
