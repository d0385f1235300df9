import { inspect as printed } from "node:util";
import { beforeEach, describe, expect, test } from "vitest";
import {
  attributes,
  createAll,
  deserialize,
  type Engine,
  getHistory,
  immediateLoad,
  insert,
  inspect,
  integer,
  listen,
  load,
  many,
  Metadata,
  model,
  one,
  select,
  selectinLoad,
  serialize,
  type SessionMaker,
  sessionmaker,
  table,
  text,
  update,
  withLoaderCriteria,
  WriteOnlyCollection,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";

const metadata = new Metadata();
const id = integer().primaryKey();

class Account extends model(
  "accounts",
  {
    id,
    name: text(),
    get events() {
      return many(Event, { lazy: "writeOnly", backPopulates: "account", orderBy: "id", passiveDeletes: true });
    },
    get logins() {
      return many(Event, { lazy: "writeOnly", viewOnly: true, where: (event) => event["kind"].eq("login") });
    },
    get labels() {
      return many(Label, {
        lazy: "writeOnly",
        secondary: "account_labels",
        backPopulates: "accounts",
        orderBy: "id",
        passiveDeletes: true,
      });
    },
  },
  { metadata },
) {}
class Event extends model(
  "events",
  {
    id,
    kind: text(),
    account_id: integer().nullable().references("accounts.id", { onDelete: "set null" }),
    get account() {
      return one(Account, { backPopulates: "events" });
    },
  },
  { metadata },
) {}
class Label extends model(
  "labels",
  {
    id,
    text: text(),
    get accounts() {
      return many(Account, { secondary: "account_labels", backPopulates: "labels" });
    },
  },
  { metadata },
) {}
table(
  "account_labels",
  {
    account_id: integer().primaryKey().references("accounts.id", { onDelete: "cascade" }),
    label_id: integer().primaryKey().references("labels.id"),
  },
  { metadata },
);
/** Its parts go with it, and the database sees to that. */
class Order extends model(
  "orders",
  {
    id,
    get lines() {
      return many(Line, { lazy: "writeOnly", cascade: "all, delete-orphan", passiveDeletes: true });
    },
    get notes() {
      return many(Note, { lazy: "writeOnly", cascade: "all", passiveDeletes: true });
    },
  },
  { metadata },
) {}
class Line extends model(
  "lines",
  { id, order_id: integer().nullable().references("orders.id", { onDelete: "cascade" }) },
  { metadata },
) {}
class Note extends model(
  "notes",
  { id, order_id: integer().nullable().references("orders.id", { onDelete: "cascade" }) },
  { metadata },
) {}
/** What becomes of its books is left to nobody, and so of a folder's papers. */
class Shelf extends model(
  "shelves",
  {
    id,
    get books() {
      return many(Book, { lazy: "writeOnly", cascade: "all" });
    },
  },
  { metadata },
) {}
class Book extends model("books", { id, shelf_id: integer().nullable().references("shelves.id") }, { metadata }) {}
class Folder extends model(
  "folders",
  {
    id,
    get papers() {
      return many(Paper, { lazy: "writeOnly" });
    },
  },
  { metadata },
) {}
class Paper extends model("papers", { id, folder_id: integer().nullable().references("folders.id") }, { metadata }) {}

const models = [Account, Event, Label, Order, Line, Note, Shelf, Book, Folder, Paper];
const ids = (rows: Iterable<{ id: number }>): number[] => [...rows].map((row) => row.id);

describe("a write-only collection", () => {
  forEachDatabase((database) => {
    let engine: Engine;
    let SessionLocal: SessionMaker;
    let statements: string[];
    const selects = (): string[] => statements.splice(0).filter((statement) => statement.startsWith("select"));

    beforeEach(async () => {
      engine = database.engine();
      await createAll(engine, { metadata });
      SessionLocal = sessionmaker(engine, { models });
      await SessionLocal.begin((session) => {
        const events = [new Event({ id: 1, kind: "login" }), new Event({ id: 2, kind: "logout" })];
        const labels = [new Label({ id: 1, text: "new" }), new Label({ id: 2, text: "paid" })];
        session.add(new Account({ id: 1, name: "ann", events, labels }));
        session.add(new Account({ id: 2, name: "bob", events: [new Event({ id: 3, kind: "login" })] }));
      });
      statements = [];
      listen(engine, "beforeCursorExecute", ({ statement }) => void statements.push(statement));
    });

    test("is asked by statements, in its order, narrowed down like any other", async () => {
      await using session = SessionLocal();
      const ann = (await session.get(Account, 1))!;
      expect(ann.events).toBeInstanceOf(WriteOnlyCollection);
      expect(ids((await session.scalars(ann.events.select())).all())).toEqual([1, 2]);
      expect(ids((await session.scalars(ann.events.select().where({ kind: "logout" }))).all())).toEqual([2]);
      expect(ids((await session.scalars(ann.events.select().limit(1))).all())).toEqual([1]);
      const withAccount = ann.events
        .select()
        .join("account")
        .where((_, account) => account.name.eq("ann"));
      expect(ids((await session.scalars(withAccount)).all())).toEqual([1, 2]);
      expect(ids((await session.scalars(ann.logins.select())).all())).toEqual([1]);
      expect(ids((await session.scalars(ann.labels.select())).all())).toEqual([1, 2]);
      expect(ids((await session.scalars(ann.labels.select().where({ text: "paid" }))).all())).toEqual([2]);
      const hidden = withLoaderCriteria(Event, (event) => event.kind.ne("logout"));
      expect(ids((await session.scalars(ann.events.select().options(hidden))).all())).toEqual([1]);
    });

    test("is flushed before its statement, and sent by a user's own statement, no relationship load", async () => {
      await using session = SessionLocal();
      const loads: boolean[] = [];
      listen(session, "doOrmExecute", ({ isRelationshipLoad }) => void loads.push(isRelationshipLoad));
      const ann = (await session.get(Account, 1))!;
      ann.events.add(new Event({ id: 4, kind: "login" }));
      expect(ids((await session.scalars(ann.events.select())).all())).toEqual([1, 2, 4]);
      expect(loads).toEqual([false, false]);
    });

    test("can be joined, and asked whether any is in it", async () => {
      await using session = SessionLocal();
      const any = select(Account).where((account) => account.events.any((event) => event.kind.eq("logout")));
      expect(ids((await session.scalars(any)).all())).toEqual([1]);
      const joined = select(Account)
        .join("events")
        .where((_, event) => event.id.eq(3));
      expect(ids((await session.scalars(joined)).all())).toEqual([2]);
      const labelled = select(Label).where((label) => label.accounts.any((account) => account.labels.any()));
      expect((await session.scalars(labelled)).all()).toHaveLength(2);
    });

    test("writes the keys of what was added and removed, and loads nothing", async () => {
      await using session = SessionLocal();
      const ann = (await session.get(Account, 1))!;
      const [one_, three] = [(await session.get(Event, 1))!, (await session.get(Event, 3))!];
      statements = [];
      const added = new Event({ id: 4, kind: "login" });
      ann.events.addAll([added, three]);
      ann.events.remove(one_);
      expect([added.account, three.account, one_.account]).toEqual([ann, ann, null]);
      expect(session.new.has(added)).toBe(true);
      expect(getHistory(ann, "events")).toMatchObject({ added: [added, three], unchanged: [], deleted: [one_] });
      await session.commit();
      expect(selects()).toEqual([]);
      expect(getHistory(ann, "events").isEmpty).toBe(true);
      expect(ids((await session.scalars(ann.events.select())).all())).toEqual([2, 3, 4]);
      expect(one_.account_id).toBeNull();
    });

    test("follows the other side", async () => {
      await using session = SessionLocal();
      const [ann, bob] = [(await session.get(Account, 1))!, (await session.get(Account, 2))!];
      const event = new Event({ id: 4, kind: "login" });
      event.account = ann;
      expect(getHistory(ann, "events").added).toEqual([event]);
      event.account = bob;
      expect(getHistory(ann, "events").added).toEqual([]);
      expect(getHistory(bob, "events").added).toEqual([event]);
      session.add(event);
      await session.commit();
      expect(ids((await session.scalars(bob.events.select())).all())).toEqual([3, 4]);
    });

    test("raises the events of collections, with what began it", async () => {
      await using session = SessionLocal();
      const heard: unknown[] = [];
      const { events } = attributes(Account);
      const handles = [
        listen(events, "append", ({ value, initiator }) => {
          heard.push(["append", value.id, initiator.key, initiator.operation]);
        }),
        listen(events, "remove", ({ value, initiator }) => {
          heard.push(["remove", value.id, initiator.key, initiator.operation]);
        }),
        listen(events, "bulkReplace", ({ values, initiator }) => {
          heard.push(["bulkReplace", values.length, initiator.key, initiator.operation]);
        }),
      ];
      const ann = (await session.get(Account, 1))!;
      const event = new Event({ id: 4, kind: "login" });
      ann.events.add(event);
      ann.events.remove(event);
      event.account = ann;
      void new Account({ name: "cy", events: [new Event({ id: 5, kind: "login" })] });
      for (const handle of handles) handle.remove();
      expect(heard).toEqual([
        ["append", 4, "events", "append"],
        ["remove", 4, "events", "remove"],
        ["append", 4, "account", "replace"],
        ["bulkReplace", 1, "events", "bulkReplace"],
        ["append", 5, "events", "bulkReplace"],
      ]);
    });

    test("takes what a listener of its additions gives instead", async () => {
      await using session = SessionLocal();
      const instead = new Event({ id: 9, kind: "instead" });
      const handle = listen(attributes(Account).events, "append", () => instead, { retval: true });
      const ann = (await session.get(Account, 1))!;
      ann.events.add(new Event({ id: 8, kind: "login" }));
      handle.remove();
      expect(getHistory(ann, "events").added).toEqual([instead]);
    });

    test("writes and deletes rows of a table between, from either side once", async () => {
      await using session = SessionLocal();
      const [ann, bob] = [(await session.get(Account, 1))!, (await session.get(Account, 2))!];
      const [fresh, paid] = (await session.scalars(ann.labels.select())).all();
      statements = [];
      bob.labels.add(paid!);
      ann.labels.remove(fresh!);
      await session.commit();
      expect(selects()).toEqual([]);
      const labelsOf = async (account: Account) => ids((await session.scalars(account.labels.select())).all());
      expect([await labelsOf(ann), await labelsOf(bob)]).toEqual([[2], [2]]);
      (await load(paid!, "accounts")).splice(0);
      await session.commit();
      expect([await labelsOf(ann), await labelsOf(bob)]).toEqual([[], []]);
    });

    test("belongs with what was put in to an instance that takes over the row of another", async () => {
      await using session = SessionLocal();
      const ann = (await session.get(Account, 1))!;
      const [paid] = (await session.scalars(ann.labels.select().where({ text: "paid" }))).all();
      ann.labels.remove(paid!);
      await session.delete(ann);
      const anna = new Account({ id: 1, name: "anna", labels: [paid!], events: [new Event({ id: 4, kind: "login" })] });
      session.add(anna);
      await session.commit();
      expect(ids((await session.scalars(anna.labels.select())).all())).toEqual([1, 2]);
      expect(ids((await session.scalars(anna.events.select())).all())).toEqual([1, 2, 4]);
    });

    test("takes what is taken out and put back for unchanged", async () => {
      await using session = SessionLocal();
      const ann = (await session.get(Account, 1))!;
      const [fresh] = (await session.scalars(ann.labels.select())).all();
      statements = [];
      ann.labels.remove(fresh!);
      ann.labels.add(fresh!);
      await session.commit();
      expect(statements.filter((statement) => !/^(begin|commit)/i.test(statement))).toEqual([]);
    });

    test("drops what is pending with an expiry and a rollback", async () => {
      await using session = SessionLocal();
      const ann = (await session.get(Account, 1))!;
      const event = (await session.get(Event, 1))!;
      ann.events.remove(event);
      session.expire(ann, ["events"]);
      expect(getHistory(ann, "events").isEmpty).toBe(true);
      ann.events.add(new Event({ id: 4, kind: "login" }));
      await session.rollback();
      expect(getHistory(ann, "events").isEmpty).toBe(true);
      expect(ids((await session.scalars(ann.events.select())).all())).toEqual([1, 2]);
    });

    test("comes into a session with what was put in and taken out while it was detached", async () => {
      let ann: Account;
      let event: Event;
      {
        await using session = SessionLocal();
        ann = (await session.get(Account, 1))!;
        event = (await session.get(Event, 1))!;
      }
      const added = new Event({ id: 4, kind: "login" });
      ann.events.add(added);
      ann.events.remove(event);
      {
        await using session = SessionLocal();
        const merged = await session.merge(ann);
        expect(ids(getHistory(merged, "events").added as Event[])).toEqual([4]);
        expect(ids(getHistory(merged, "events").deleted as Event[])).toEqual([1]);
        await session.rollback();
      }
      await using session = SessionLocal();
      session.add(ann);
      expect(session.new.has(added)).toBe(true);
      expect(session.has(event)).toBe(true);
      await session.commit();
      expect(ids((await session.scalars(ann.events.select())).all())).toEqual([2, 4]);
    });

    test("inserts, updates and deletes its rows by statements", async () => {
      await using session = SessionLocal();
      const ann = (await session.get(Account, 1))!;
      await session.execute(
        ann.events.insert([
          { id: 4, kind: "login" },
          { id: 5, kind: "login" },
        ]),
      );
      await session.execute(ann.events.update().where({ kind: "login" }).values({ kind: "seen" }));
      const kinds = (await session.scalars(select(Event).orderBy((event) => event.id))).all().map(({ kind }) => kind);
      expect(kinds).toEqual(["seen", "logout", "login", "seen", "seen"]);
      const { rowCount } = await session.execute(ann.events.delete().where({ kind: "seen" }));
      expect(rowCount).toBe(3);
      expect(ids((await session.scalars(select(Event).orderBy((event) => event.id))).all())).toEqual([2, 3]);
      await session.execute(ann.labels.update().values({ text: "old" }));
      expect((await session.scalars(select(Label))).all().map((label) => label.text)).toEqual(["old", "old"]);
      expect((await session.execute(ann.logins.delete())).rowCount).toBe(0);
      expect(() => ann.labels.insert({ text: "x" })).toThrow("does not say what it belongs to");
    });

    test("leaves its rows to the database where its owner is deleted", async () => {
      await SessionLocal.begin((session) => {
        session.add(
          new Order({ id: 1, lines: [new Line({ id: 1 }), new Line({ id: 2 })], notes: [new Note({ id: 1 })] }),
        );
      });
      await using session = SessionLocal();
      const order = (await session.get(Order, 1))!;
      const line = (await session.get(Line, 2))!;
      statements = [];
      order.lines.remove(line);
      await session.flush();
      expect(selects()).toEqual([]);
      expect(ids((await session.scalars(select(Line))).all())).toEqual([1]);
      const note = new Note({ id: 2 });
      order.notes.add(note);
      await session.flush();
      statements = [];
      await session.delete(order);
      await session.commit();
      expect(selects()).toEqual([]);
      expect(statements.filter((statement) => /delete from .(lines|notes)/.test(statement))).toEqual([]);
    });

    test("keeps its owner from being deleted where it would have to be loaded", async () => {
      await SessionLocal.begin((session) => {
        session.add(new Shelf({ id: 1, books: [new Book({ id: 1 })] }));
      });
      await using session = SessionLocal();
      const shelf = (await session.get(Shelf, 1))!;
      statements = [];
      await expect(session.delete(shelf)).rejects.toThrow(
        "cannot be deleted, because Shelf.books is write-only: it is never loaded, and without passiveDeletes all of it would have to be.",
      );
      expect(session.deleted.has(shelf)).toBe(false);
      const folder = new Folder({ id: 1, papers: [new Paper({ id: 1 })] });
      session.add(folder);
      await session.flush();
      statements = [];
      await session.delete(folder);
      await expect(session.flush()).rejects.toThrow("cannot be deleted, because Folder.papers is write-only");
      expect(selects()).toEqual([]);
    });

    test("is not loaded, nor replaced, by whoever tries", async () => {
      await using session = SessionLocal();
      const ann = (await session.get(Account, 1))!;
      const never = "Account.events is write-only, so it is never loaded";
      await expect(load(ann, "events")).rejects.toThrow(never);
      ann.events.add(new Event({ id: 4, kind: "login" }));
      await expect(session.refresh(ann, ["events"])).rejects.toThrow(never);
      expect(getHistory(ann, "events").added).toHaveLength(1);
      expect(() => selectinLoad(Account, "events")).toThrow("Account.events is write-only, so no option can load it");
      expect(() => Object.assign(ann, { events: [] })).toThrow("cannot be replaced or emptied as a whole");
      expect(() => ann.events.add(ann as never)).toThrow('"events" holds instances of Event');
      expect(() => new Account({ name: "x" }).events.select()).toThrow("has no row yet");
      statements = [];
      await session.scalars(select(Account).options(selectinLoad("*"), immediateLoad(Account, "*")));
      expect(selects().filter((statement) => statement.includes("events"))).toEqual([]);
      await session.rollback();
      await session.refresh(ann);
      expect(ids((await session.scalars(ann.events.select())).all())).toEqual([1, 2]);
    });

    test("shows nothing of what it has", async () => {
      await using session = SessionLocal();
      const ann = (await session.get(Account, 1))!;
      expect(JSON.stringify(ann)).toBe('{"id":1,"name":"ann"}');
      expect(printed(ann)).toBe("Account (key 1) { id: 1, name: 'ann' }");
      expect(printed(ann.events)).toContain("WriteOnlyCollection of");
      expect(inspect(ann).unloaded).not.toContain("events");
      const [copy] = deserialize<[Account]>(serialize([ann]), models);
      expect(copy.name).toBe("ann");
      expect(ids((await session.scalars(copy.events.select())).all())).toEqual([1, 2]);
      ann.events.add(new Event({ id: 4, kind: "login" }));
      expect(() => serialize(ann)).toThrow("has changes that are not flushed");
    });

    test("stays out of memory, whatever its size", async () => {
      await using session = SessionLocal();
      await session.execute(
        insert(Event),
        Array.from({ length: 5000 }, (_, index) => ({ id: index + 10, kind: "login", account_id: 1 })),
      );
      const ann = (await session.get(Account, 1))!;
      statements = [];
      for (let index = 0; index < 3; index++) {
        ann.events.add(new Event({ id: 10_000 + index, kind: "login" }));
        await session.flush();
      }
      await session.execute(update(Account).where({ id: 1 }).values({ name: "anna" }));
      await session.delete(ann);
      await session.flush();
      expect(selects().filter((statement) => statement.includes("events"))).toEqual([]);
      expect(session.identityMap.size).toBeLessThan(10);
    });
  });
});

describe("the declaration of a write-only collection", () => {
  test("is refused for a single reference, and for a set", () => {
    class Box extends model(
      "boxes",
      {
        id,
        get items() {
          return many(Item, { lazy: "writeOnly" }).asSet();
        },
      },
      { metadata: new Metadata() },
    ) {}
    class Item extends model("items", { id, box_id: integer().references("boxes.id") }, { metadata: new Metadata() }) {}
    expect(() => new Box()).toThrow(
      'Box.items has lazy: "writeOnly", which is for collections that are never loaded, and asSet() says what it is in memory. Leave out one of the two.',
    );
  });
});
