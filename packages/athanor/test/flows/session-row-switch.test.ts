import { expect, test } from "vitest";
import {
  type AnyModel,
  enumeration,
  FlushError,
  inherit,
  inspect,
  integer,
  load,
  many,
  Metadata,
  model,
  one,
  StaleDataError,
  sql,
  table,
  text,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { openSessions } from "./open-sessions.ts";

const metadata = new Metadata();

class Page extends model(
  "pages",
  {
    id: integer().primaryKey(),
    title: text().nullable(),
    views: integer().default(10),
    state: text()
      .nullable()
      .onupdate(() => "updated"),
    version: integer(),
    get labels() {
      return many(Label, { secondary: "page_labels", orderBy: "id" });
    },
    get notes() {
      return many(Note, { backPopulates: "page", cascade: "all, delete-orphan", orderBy: "id" });
    },
  },
  { metadata, version: "version" },
) {}

class Label extends model("labels", { id: integer().primaryKey() }, { metadata }) {}

table(
  "page_labels",
  { pageId: integer().primaryKey().references("pages.id"), labelId: integer().primaryKey().references("labels.id") },
  { metadata },
);

class Note extends model(
  "notes",
  {
    id: integer().primaryKey(),
    pageId: integer().references("pages.id"),
    get page() {
      return one(Page, { backPopulates: "notes" });
    },
  },
  { metadata },
) {}

class Seat extends model(
  "seats",
  { row: integer().primaryKey(), place: integer().primaryKey(), guest: text().nullable() },
  { metadata },
) {}

class Animal extends model(
  "animals",
  { id: integer().primaryKey(), kind: enumeration("animal", "dog", "bee"), name: text() },
  { metadata, polymorphicOn: "kind", identity: "animal" },
) {}
class Dog extends inherit(
  Animal,
  { identity: "dog", table: "dogs" },
  { id: integer().primaryKey().references("animals.id"), breed: text() },
) {}
class Bee extends inherit(Animal, { identity: "bee" }, { hive: integer().nullable() }) {}

const models: AnyModel[] = [Page, Label, Note, Seat, Animal];

forEachDatabase((db) => {
  const open = (): ReturnType<typeof openSessions> => openSessions(db, metadata, models);
  const written = (lines: readonly string[]): string[] =>
    lines.filter((line) => /^(before|after)(Insert|Update|Delete) |^(INSERT|UPDATE|DELETE) /.test(line));

  test("a row that is deleted and inserted under the same key in one flush is updated, with what the new instance has values for", async () => {
    const { SessionLocal, log, rows } = await open();
    await using session = SessionLocal();
    const old = log.name("old", new Page({ id: 1, title: "old", views: 3, state: "inserted" }));
    session.add(old);
    await session.commit();
    log.take();
    const page = log.name("page", new Page({ id: 1, title: "new" }));
    await session.delete(old);
    session.add(page);
    await session.flush();
    expect(written(log.take())).toEqual(["beforeInsert page", "UPDATE pages", "afterUpdate page"]);
    expect([inspect(old).lifecycle, inspect(page).lifecycle]).toEqual(["deleted", "persistent"]);
    expect(await session.get(Page, 1)).toBe(page);
    // What it was not given is that of the row.
    expect(() => page.views).toThrow(/took over the row of a deleted instance/);
    expect(await load(page, "views")).toBe(3);
    await session.commit();
    expect(await rows("SELECT id, title, views, state, version FROM pages")).toEqual([[1, "new", 3, "updated", 2]]);
    page.title = "newer";
    await session.commit();
    expect(await rows("SELECT title, version FROM pages")).toEqual([["newer", 3]]);
  });

  test("where the row that is to be taken over was changed by another, the flush fails as any UPDATE does", async () => {
    const { SessionLocal, rows } = await open();
    await using session = SessionLocal({ expireOnCommit: false });
    const old = new Page({ id: 1, title: "old" });
    session.add(old);
    await session.commit();
    await session.execute(sql`UPDATE pages SET version = 7`);
    await session.commit();
    const page = new Page({ id: 1, title: "new" });
    await session.delete(old);
    session.add(page);
    await expect(session.flush()).rejects.toThrow(StaleDataError);
    await session.rollback();
    expect([inspect(old).lifecycle, inspect(page).lifecycle]).toEqual(["persistent", "transient"]);
    expect(page).toMatchObject({ id: 1, title: "new" });
    expect(page.version).toBeUndefined();
    expect(await rows("SELECT title, version FROM pages")).toEqual([["old", 7]]);
  });

  test("a rollback after it gives both instances back what they were", async () => {
    const { SessionLocal, rows } = await open();
    await using session = SessionLocal();
    const old = new Page({ id: 1, title: "old" });
    session.add(old);
    await session.commit();
    const page = new Page({ id: 1, title: "new" });
    await session.delete(old);
    session.add(page);
    await session.flush();
    await session.rollback();
    expect([inspect(old).lifecycle, inspect(page).lifecycle]).toEqual(["persistent", "transient"]);
    expect(await session.get(Page, 1)).toBe(old);
    expect(await load(old, "title")).toBe("old");
    await session.delete(old);
    session.add(page);
    await session.commit();
    expect(await rows("SELECT title FROM pages")).toEqual([["new"]]);
  });

  test("what the deleted instance was related to goes, and what the new one is related to comes", async () => {
    const { SessionLocal, rows } = await open();
    await using session = SessionLocal();
    const [red, blue] = [new Label({ id: 1 }), new Label({ id: 2 })];
    const old = new Page({ id: 1, labels: [red], notes: [new Note({ id: 1 })] });
    session.addAll([red, blue, old]);
    await session.commit();
    await session.delete(old);
    session.add(new Page({ id: 1, labels: [blue], notes: [new Note({ id: 2 })] }));
    await session.commit();
    expect(await rows("SELECT label_id FROM page_labels")).toEqual([[2]]);
    expect(await rows("SELECT id, page_id FROM notes")).toEqual([[2, 1]]);
  });

  test("a key of several columns is taken over too, and one that has nothing new to say writes nothing", async () => {
    const { SessionLocal, log, rows } = await open();
    await using session = SessionLocal();
    const old = log.name("old", new Seat({ row: 1, place: 2, guest: "ann" }));
    session.add(old);
    await session.commit();
    log.take();
    const seat = log.name("seat", new Seat({ row: 1, place: 2 }));
    await session.delete(old);
    session.add(seat);
    await session.flush();
    expect(written(log.take())).toEqual(["beforeInsert seat", "afterUpdate seat"]);
    await session.commit();
    expect(await rows("SELECT guest FROM seats")).toEqual([["ann"]]);
    expect(await load(seat, "guest")).toBe("ann");
  });

  test("a namesake whose row turns out to be gone is no hindrance: the new row is inserted", async () => {
    const { SessionLocal, rows } = await open();
    await using session = SessionLocal();
    const old = new Seat({ row: 1, place: 1, guest: "ann" });
    session.add(old);
    await session.commit();
    session.expire(old);
    await session.execute(sql`DELETE FROM seats`);
    const seat = new Seat({ row: 1, place: 1, guest: "bob" });
    session.add(seat);
    await session.commit();
    expect(await session.get(Seat, [1, 1])).toBe(seat);
    expect(await rows("SELECT guest FROM seats")).toEqual([["bob"]]);
  });

  test("a namesake whose row turns out to be gone and that is deleted takes nothing of the new row with it", async () => {
    const { SessionLocal, log, rows } = await open();
    await using session = SessionLocal();
    const old = log.name("old", new Seat({ row: 1, place: 1, guest: "ann" }));
    session.add(old);
    await session.commit();
    session.expire(old);
    await session.execute(sql`DELETE FROM seats`);
    await session.delete(old);
    const seat = log.name("seat", new Seat({ row: 1, place: 1, guest: "bob" }));
    session.add(seat);
    log.take();
    await session.flush();
    expect(log.take().filter((line) => /(old|seat)$/.test(line))).toEqual([
      "beforeInsert seat",
      "persistentToDeleted old",
      "afterInsert seat",
      "pendingToPersistent seat",
    ]);
    await session.commit();
    expect(await rows("SELECT guest FROM seats")).toEqual([["bob"]]);
  });

  test("within one table a row may change its class; between tables it is refused, and nothing is lost", async () => {
    const { SessionLocal, rows } = await open();
    await using session = SessionLocal();
    const [animal, dog] = [new Animal({ id: 1, name: "x" }), new Dog({ id: 2, name: "rex", breed: "pug" })];
    session.addAll([animal, dog]);
    await session.commit();
    await session.delete(animal);
    session.add(new Bee({ id: 1, name: "maja", hive: 4 }));
    await session.commit();
    expect(await rows("SELECT kind, name, hive FROM animals WHERE id = 1")).toEqual([["bee", "maja", 4]]);
    const bee = new Bee({ id: 2, name: "willi" });
    await session.delete(dog);
    session.add(bee);
    await expect(session.flush()).rejects.toThrow(FlushError);
    await session.rollback();
    await session.delete(dog);
    await session.flush();
    session.add(bee);
    await session.commit();
    expect(await rows("SELECT kind, name FROM animals WHERE id = 2")).toEqual([["bee", "willi"]]);
    expect(await rows("SELECT id FROM dogs")).toEqual([]);
  });
});
