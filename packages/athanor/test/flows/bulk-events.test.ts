import { describe, expect, test } from "vitest";
import {
  type AfterBulkDeleteEvent,
  type AfterBulkUpdateEvent,
  ArgumentError,
  bindparam,
  boolean,
  customType,
  deleteFrom,
  type Engine,
  inherit,
  insert,
  integer,
  listen,
  Metadata,
  model,
  Result,
  Select,
  select,
  type Session,
  sql,
  text,
  timestamp,
  update,
  withLoaderCriteria,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { openSessions } from "./open-sessions.ts";

const metadata = new Metadata();

const words = customType(text(), {
  toDatabase: (value: readonly string[]) => value.join(","),
  fromDatabase: (value) => value.split(","),
});

class Item extends model(
  "items",
  {
    id: integer().primaryKey(),
    name: text().nullable(),
    price: integer().nullable(),
    isHidden: boolean().nullable(),
    labels: words.nullable(),
    soldAt: timestamp().nullable(),
  },
  { metadata },
) {}

class Person extends model(
  "people",
  { id: integer().primaryKey(), kind: text(), name: text() },
  { metadata, polymorphicOn: "kind", identity: "person" },
) {}
/** In a table of its own beside that of its parent. */
class Manager extends inherit(
  Person,
  { identity: "manager", table: "managers" },
  { id: integer().primaryKey().references("people.id"), level: integer().nullable() },
) {}

class Seat extends model(
  "seats",
  { row: text().primaryKey(), number: integer().primaryKey(), guest: text().nullable() },
  { metadata },
) {}

const sold = new Date("2026-02-28T10:00:00.000Z");

forEachDatabase((db) => {
  /** Three items, a person and two managers, and sessions whose bulk statements ask for rows as they are told. */
  async function open(): Promise<{
    engine: Engine;
    session: Session;
    events: (AfterBulkUpdateEvent | AfterBulkDeleteEvent)[];
    rows(): unknown;
  }> {
    const { engine, SessionLocal } = await openSessions(db, metadata, []);
    await SessionLocal.begin(async (session) => {
      await session.execute(insert(Item), [
        { name: "a", price: 10, isHidden: false, labels: ["x", "y"], soldAt: sold },
        { name: "b", price: 20, isHidden: true },
        { name: "c", price: 30 },
      ]);
      await session.execute(insert(Person), { name: "pat" });
      await session.execute(insert(Manager), [
        { name: "max", level: 1 },
        { name: "mia", level: 2 },
      ]);
      await session.execute(insert(Seat), [
        { row: "A", number: 1 },
        { row: "A", number: 2 },
        { row: "B", number: 1 },
      ]);
    });
    const session = SessionLocal();
    const events: (AfterBulkUpdateEvent | AfterBulkDeleteEvent)[] = [];
    listen(session, "afterBulkUpdate", (event) => void events.push(event));
    listen(session, "afterBulkDelete", (event) => void events.push(event));
    const rows = (): unknown => events.splice(0).map((event) => event.rows?.toSorted(byKey));
    return { engine, session, events, rows };
  }

  const byKey = (left: Readonly<Record<string, unknown>>, right: Readonly<Record<string, unknown>>): number =>
    JSON.stringify(left) < JSON.stringify(right) ? -1 : 1;

  test("say what was executed, in which session, on what class, and how many rows it has changed", async () => {
    const { session, events } = await open();
    const statement = update(Item)
      .where((item) => item.price.gt(bindparam("least")))
      .values({ name: "dear" })
      .executionOptions({ reason: "sale" });
    const result = await session.execute(statement, { least: 10 }, { executionOptions: { who: "ann" } });
    await session.execute(deleteFrom(Item).where({ name: "dear" }));
    expect(events).toHaveLength(2);
    expect(events[0]).toMatchObject({ rowCount: 2, parameters: { least: 10 }, rows: undefined });
    expect(events[0]?.session).toBe(session);
    expect(events[0]?.statement).toBe(statement);
    expect(events[0]?.mapper.class).toBe(Item);
    expect(events[0]?.executionOptions).toEqual({ reason: "sale", who: "ann" });
    expect(events[0]?.result).toBe(result);
    expect(events[1]).toMatchObject({ rowCount: 2, rows: undefined });
    await session.close();
  });

  test("come once for a statement that changes nothing, or several tables, and not for an INSERT", async () => {
    const { session, events } = await open();
    await session.execute(update(Item).where({ id: 9 }).values({ name: "z" }));
    await session.execute(deleteFrom(Person));
    await session.execute(insert(Item), [{ name: "d" }]);
    expect(events.map(({ rowCount }) => rowCount)).toEqual([0, 3]);
    await session.close();
  });

  test("come inside the transaction, when instances are up to date, and what a listener does is part of it", async () => {
    const { session } = await open();
    const [item] = await session.scalars(select(Item).where({ id: 1 }));
    const seen: unknown[] = [];
    listen(session, "afterBulkUpdate", async ({ session: own, rowCount }) => {
      seen.push(item?.name, own.inTransaction());
      item!.price = 11;
      await own.execute(insert(Item), { name: `changed ${rowCount}` });
    });
    await session.execute(update(Item).where({ id: 1 }).values({ name: "new" }));
    expect(seen).toEqual(["new", true]);
    expect((await session.scalars(select(Item).where({ name: "changed 1" }))).all()).toHaveLength(1);
    expect((await session.scalars(select(Item).where({ price: 11 }))).all()).toEqual([item]);
    await session.rollback();
    expect((await session.scalars(select(Item).orderBy(({ id }) => id))).all().map(({ name }) => name)).toEqual([
      "a",
      "b",
      "c",
    ]);
    await session.close();
  });

  test("an error of a listener is that of the execution, and a rollback undoes the statement", async () => {
    const { session } = await open();
    listen(session, "afterBulkDelete", () => Promise.reject(new Error("not these")), { once: true });
    await expect(session.execute(deleteFrom(Item))).rejects.toThrow("not these");
    expect(session.isActive).toBe(true);
    await session.rollback();
    expect((await session.scalars(select(Item))).all()).toHaveLength(3);
    await session.close();
  });

  test("are not raised where a listener of doOrmExecute has answered itself", async () => {
    const { session, events } = await open();
    listen(session, "doOrmExecute", (event) => (event.isDelete ? new Result([], 0) : undefined));
    await session.execute(deleteFrom(Item));
    expect(events).toEqual([]);
    await session.close();
  });

  describe("rows", () => {
    test("before an update are as they were, with the values that users know", async () => {
      const { session, rows } = await open();
      const before = { executionOptions: { rows: "before" } } as const;
      await session.execute(
        update(Item)
          .where((item) => item.price.lt(30))
          .values((item) => ({ price: sql`${item.price} + 100`, name: "new" })),
        undefined,
        before,
      );
      expect(rows()).toEqual([
        [
          { id: 1, name: "a", price: 10, isHidden: false, labels: ["x", "y"], soldAt: sold },
          { id: 2, name: "b", price: 20, isHidden: true, labels: null, soldAt: null },
        ],
      ]);
      const found = (await session.scalars(select(Item).orderBy(({ id }) => id))).all();
      expect(found.map(({ name, price }) => [name, price])).toEqual([
        ["new", 110],
        ["new", 120],
        ["c", 30],
      ]);
      expect(session.identityMap.size).toBe(3);
      await session.close();
    });

    test("after an update are as they are, what only the database knew too", async () => {
      const { session, rows } = await open();
      await session.execute(
        update(Item)
          .where({ id: 1 })
          .values((item) => ({ price: sql`${item.price} + 100`, labels: ["z"] }))
          .executionOptions({ rows: "after" }),
      );
      expect(rows()).toEqual([[{ id: 1, name: "a", price: 110, isHidden: false, labels: ["z"], soldAt: sold }]]);
      expect(session.identityMap.size).toBe(0);
      await session.close();
    });

    test("before a deletion are as they were", async () => {
      const { session, rows } = await open();
      await session.execute(
        deleteFrom(Item)
          .where((item) => item.id.gt(1))
          .executionOptions({ rows: "before" }),
      );
      expect(rows()).toEqual([
        [
          { id: 2, name: "b", price: 20, isHidden: true, labels: null, soldAt: null },
          { id: 3, name: "c", price: 30, isHidden: null, labels: null, soldAt: null },
        ],
      ]);
      expect((await session.scalars(select(Item))).all()).toHaveLength(1);
      await session.close();
    });

    test.each(
      (["auto", "evaluate", "fetch", false] as const).flatMap((by) => [
        ["before", by] as const,
        ["after", by] as const,
      ]),
    )("%s do not disturb how instances learn of the change, by %s", async (which, synchronizeSession) => {
      const { session, rows } = await open();
      const items = (await session.scalars(select(Item).orderBy(({ id }) => id))).all();
      const statement = update(Item)
        .where((item) => item.price.lt(30))
        .values({ price: 1 })
        .executionOptions({ rows: which, synchronizeSession });
      expect((await session.execute(statement)).rowCount).toBe(2);
      expect(items.map(({ price }) => price)).toEqual(synchronizeSession === false ? [10, 20, 30] : [1, 1, 30]);
      expect(rows()).toMatchObject([
        which === "before" ? [{ price: 10 }, { price: 20 }] : [{ price: 1 }, { price: 1 }],
      ]);
      const deletion = deleteFrom(Item).where({ price: 1 }).executionOptions({ rows: "before", synchronizeSession });
      await session.execute(deletion);
      expect(rows()).toMatchObject([[{ id: 1 }, { id: 2 }]]);
      expect(session.identityMap.size).toBe(synchronizeSession === false ? 3 : 1);
      await session.close();
    });

    test.each(["auto", "fetch"] as const)(
      "of a class in several tables have the columns of all of them, by %s",
      async (by) => {
        const { session, rows } = await open();
        const which = (executionRows: "before" | "after") =>
          ({ executionOptions: { rows: executionRows, synchronizeSession: by } }) as const;
        const raise = update(Manager)
          .where((manager) => manager.level.gte(2))
          .values({ level: 0, name: "boss" });
        await session.execute(raise, undefined, which("before"));
        expect(rows()).toEqual([[{ id: 3, kind: "manager", name: "mia", level: 2 }]]);
        await session.execute(update(Manager).values({ level: 5 }), undefined, which("after"));
        expect(rows()).toEqual([
          [
            { id: 2, kind: "manager", name: "max", level: 5 },
            { id: 3, kind: "manager", name: "boss", level: 5 },
          ],
        ]);
        await session.execute(deleteFrom(Person), undefined, which("before"));
        expect(rows()).toEqual([
          [
            { id: 1, kind: "person", name: "pat" },
            { id: 2, kind: "manager", name: "max" },
            { id: 3, kind: "manager", name: "boss" },
          ],
        ]);
        await session.close();
      },
    );

    test("with a key of several columns are found by it", async () => {
      const { session, rows } = await open();
      for (const which of ["before", "after"] as const) {
        await session.execute(
          update(Seat).where({ number: 1 }).values({ guest: which }).executionOptions({ rows: which }),
        );
        const guest = which === "before" ? null : "after";
        expect(rows()).toEqual([
          [
            { row: "A", number: 1, guest },
            { row: "B", number: 1, guest },
          ],
        ]);
      }
      await session.close();
    });

    test("are told of many", async () => {
      const { session, events } = await open();
      await session.execute(
        insert(Item),
        Array.from({ length: 1234 }, () => ({ name: "many", price: 1 })),
      );
      for (const which of ["before", "after"] as const) {
        await session.execute(
          update(Item).where({ name: "many" }).values({ price: 2 }).executionOptions({ rows: which }),
        );
        const told = events.at(-1)?.rows ?? [];
        expect(new Set(told.map(({ id }) => id)).size).toBe(1234);
        expect(new Set(told.map(({ price }) => price))).toEqual(new Set([which === "before" ? 1 : 2]));
      }
      await session.close();
    });

    test("keep to criteria, but those after are told also where the change itself hides them", async () => {
      const { session, rows } = await open();
      const visible = withLoaderCriteria(Item, (item) => item.isHidden.isNull());
      const hide = update(Item).values({ isHidden: true }).options(visible);
      await session.execute(hide.executionOptions({ rows: "after" }));
      expect(rows()).toMatchObject([[{ id: 3, isHidden: true }]]);
      await session.execute(hide.executionOptions({ rows: "before" }));
      expect(rows()).toEqual([[]]);
      await session.close();
    });

    test("are asked for by a listener of doOrmExecute", async () => {
      const { session, rows } = await open();
      listen(session, "doOrmExecute", (event) => {
        if (event.isUpdate || event.isDelete) event.updateExecutionOptions({ rows: "before" });
      });
      await session.execute(update(Item).where({ id: 1 }).values({ name: "z" }));
      await session.execute(deleteFrom(Item).where({ id: 1 }));
      expect(rows()).toMatchObject([[{ id: 1, name: "a" }], [{ id: 1, name: "z" }]]);
      await session.close();
    });

    test("are not read where nobody listens", async () => {
      const { SessionLocal, log } = await openSessions(db, metadata, []);
      await using session = SessionLocal();
      await session.execute(deleteFrom(Item).executionOptions({ rows: "after" }));
      await session.execute(update(Item).values({ name: "z" }).executionOptions({ rows: "before" }));
      expect(log.take().filter((line) => /^(SELECT|UPDATE|DELETE)/.test(line))).toEqual([
        "DELETE items",
        "UPDATE items",
      ]);
    });

    test("before an update are those that it changes, whatever a listener sees of the statement that finds them", async () => {
      const { session, rows } = await open();
      listen(session, "doOrmExecute", (event) => {
        if (event.statement instanceof Select)
          event.statement = event.statement.options(withLoaderCriteria(Item, (item) => item.id.ne(1)));
      });
      const options = { rows: "before", synchronizeSession: "fetch" } as const;
      const { rowCount } = await session.execute(update(Item).values({ name: "z" }).executionOptions(options));
      expect(rows()).toMatchObject([[{ id: 2 }, { id: 3 }]]);
      expect(rowCount).toBe(2);
      const untouched = await (await session.connection()).run("select name from items where id = 1");
      expect(untouched.rows).toEqual([["a"]]);
      await session.close();
    });

    test("of a statement that sets the key are told after it, and refused before it", async () => {
      const { session, rows } = await open();
      const move = update(Item).where({ id: 1 }).values({ id: 9 }).executionOptions({ synchronizeSession: false });
      await session.execute(move.executionOptions({ rows: "after" }));
      expect(rows()).toMatchObject([[{ id: 9, name: "a" }]]);
      await expect(session.execute(move.executionOptions({ rows: "before" }))).rejects.toThrow(
        "or execute the statement without the option rows, which has it find its rows by their keys.",
      );
      await session.close();
    });

    test("cannot be asked for after a deletion, nor at another time", async () => {
      const { session } = await open();
      const refused = async (statement: Parameters<Session["execute"]>[0]): Promise<string> => {
        const error: unknown = await session.execute(statement).catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(ArgumentError);
        return (error as Error).message;
      };
      expect(await refused(deleteFrom(Item).executionOptions({ rows: "after" }))).toBe(
        'deleteFrom(Item) was executed with rows: "after", and nothing is left of its rows then. ' +
          'Give statements that delete rows: "before"; a listener of doOrmExecute finds out by event.isDelete.',
      );
      expect(await refused(deleteFrom(Item).executionOptions({ rows: "none" as never }))).toBe(
        'The execution option rows is "before" or "after", and was "none". ' +
          "It says whether listeners of afterBulkUpdate and afterBulkDelete get the affected rows as they were, or as they are.",
      );
      expect((await session.scalars(select(Item))).all()).toHaveLength(3);
      await session.close();
    });
  });

  test("rows that are changed by their keys are locked from when they are found, where the database can", async () => {
    const { engine, session } = await open();
    const texts: string[] = [];
    listen(engine, "beforeCursorExecute", ({ statement }) => void texts.push(statement));
    await session.execute(update(Manager).where({ level: 2 }).values({ name: "z" }));
    await session.execute(update(Item).values({ name: "z" }).executionOptions({ rows: "before" }));
    const asking = texts.filter((statement) => statement.startsWith("select"));
    expect(asking).toHaveLength(2);
    for (const statement of asking)
      expect(/ for update of "(people", "managers|items)"$/.test(statement)).toBe(engine.dialect.traits.rowLocks);
    await session.close();
  });
});
