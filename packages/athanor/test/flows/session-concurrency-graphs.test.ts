import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  integer,
  load,
  many,
  Metadata,
  model,
  one,
  select,
  selectinLoad,
  type Session,
  table,
  text,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { openSessions } from "./open-sessions.ts";

const metadata = new Metadata();

class Order extends model(
  "orders",
  {
    id: integer().primaryKey(),
    name: text(),
    note: text().nullable(),
    get lines() {
      return many(Line, { backPopulates: "order", cascade: "all, delete-orphan", orderBy: "id" });
    },
    get labels() {
      return many(Label, { secondary: "order_labels", orderBy: "id" });
    },
  },
  { metadata },
) {}

class Line extends model(
  "lines",
  {
    id: integer().primaryKey(),
    name: text(),
    order_id: integer().references("orders.id"),
    get order() {
      return one(Order, { backPopulates: "lines" });
    },
  },
  { metadata },
) {}

class Label extends model("labels", { id: integer().primaryKey(), name: text() }, { metadata }) {}

table(
  "order_labels",
  {
    order_id: integer().primaryKey().references("orders.id"),
    label_id: integer().primaryKey().references("labels.id"),
  },
  { metadata },
);

/** Empties the tables, and fills them with three orders of one line and one label each. */
const refill = [
  ...["order_labels", "lines", "orders", "labels"].map((name) => `delete from ${name}`),
  "insert into orders (id, name) values (1, 'kept'), (2, 'doomed'), (3, 'stale')",
  "insert into lines (id, name, order_id) values (10, 'kept line', 1), (20, 'doomed line', 2), (30, 'stale line', 3)",
  "insert into labels (id, name) values (100, 'label'), (101, 'label'), (102, 'label')",
  "insert into order_labels (order_id, label_id) values (1, 100), (2, 101), (3, 102)",
];

/** A session that has something to insert, to update and to load. */
interface Work {
  readonly session: Session;
  /** Changed, its lines loaded. */
  readonly kept: Order;
  /** Nothing of its relationships is loaded. */
  readonly doomed: Order;
  /** All of it is expired. */
  readonly stale: Order;
  readonly line: Line;
  readonly fresh: Order;
  readonly pending: Order;
}

const order = (id: number, name: string): Order =>
  new Order({ id, name, lines: [new Line({ id: 10 * id, name: `${name} line` })] });

const operations: Readonly<Record<string, (work: Work) => unknown>> = {
  get: ({ session }) => session.get(Order, 2),
  "select with lines": ({ session }) => session.scalars(select(Order).options(selectinLoad(Order, "lines"))),
  "get without autoflush": ({ session }) => session.noAutoflush(() => session.get(Order, 9)),
  flush: ({ session }) => session.flush(),
  commit: ({ session }) => session.commit(),
  rollback: ({ session }) => session.rollback(),
  close: ({ session }) => session.close(),
  beginNested: ({ session }) => session.beginNested(),
  "load of a collection": ({ doomed }) => load(doomed, "lines"),
  "load of a table between": ({ kept }) => load(kept, "labels"),
  "load of a reference": ({ line }) => load(line, "order"),
  "load of an expired column": ({ stale }) => load(stale, "name"),
  refresh: ({ session, kept }) => session.refresh(kept),
  "refresh of a collection": ({ session, kept }) => session.refresh(kept, ["lines"]),
  expire: ({ session, kept }) => session.expire(kept),
  expireAll: ({ session }) => session.expireAll(),
  expunge: ({ session, kept }) => session.expunge(kept),
  "expunge of a new one": ({ session, pending }) => session.expunge(pending),
  add: ({ session, fresh }) => session.add(fresh),
  delete: ({ session, doomed }) => session.delete(doomed),
  "delete of what is loaded": ({ session, kept }) => session.delete(kept),
  "delete of a part": ({ session, line }) => session.delete(line),
  merge: ({ session }) => session.merge(order(2, "merged")),
};

forEachDatabase((db) => {
  const rejections: unknown[] = [];
  const note = (reason: unknown): unknown => rejections.push(reason);
  beforeEach(() => void process.on("unhandledRejection", note));
  afterEach(() => void process.off("unhandledRejection", note));

  describe("of two calls on a graph, the first of which nobody awaits,", () => {
    // However far the first one has come when the second is called.
    const moments = db.name === "sqlite" ? [0, 9] : [0];
    // Where each statement costs a round trip, every third pair is tried.
    const secondsOf = (first: number): string[] =>
      Object.keys(operations).filter((_, second) => db.name === "sqlite" || (first + second) % 3 === 0);

    for (const [index, first] of Object.keys(operations).entries()) {
      test(`${first} and any other do what they do one after the other`, { timeout: 120_000 }, async () => {
        const { SessionLocal, engine, rows } = await openSessions(db, metadata, [Order, Line]);
        const tryBoth = async (second: string, ticks: number): Promise<unknown> => {
          await engine.begin(async (connection) => {
            for (const statement of refill) await connection.run(statement);
          });
          let hasFailedLater = false;
          const session = SessionLocal({
            onWarning: ({ message }) => (hasFailedLater ||= message.includes("It waited for them, and then failed")),
          });
          const [kept, doomed, stale] = [1, 2, 3].map((id) => session.get(Order, id));
          const work: Work = {
            session,
            kept: (await kept) as Order,
            doomed: (await doomed) as Order,
            stale: (await stale) as Order,
            line: (await session.get(Line, 10)) as Line,
            fresh: order(4, "fresh"),
            pending: order(5, "pending"),
          };
          await load(work.kept, "lines");
          session.expire(work.stale);
          work.kept.note = "changed";
          session.add(work.pending);
          const call = (name: string): Promise<unknown> =>
            (async () => operations[name]?.(work))().then(
              () => "done",
              (error: Error) => error.name,
            );
          const start = call(first);
          if (ticks === Infinity) await start;
          else for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
          const end = call(second);
          const called = [await start, await end];
          if (hasFailedLater) called[1] = "InvalidRequestError";
          return [called, await outcome(work, rows)];
        };
        for (const second of secondsOf(index)) {
          const inTurn = await tryBoth(second, Infinity);
          for (const ticks of moments)
            expect([second, ticks, await tryBoth(second, ticks)]).toEqual([second, ticks, inTurn]);
        }
        expect(rejections).toEqual([]);
      });
    }
  });

  test("noAutoflush is for what is called in it, and for nothing that the session does besides", async () => {
    const { SessionLocal } = await openSessions(db, metadata, [Order, Line]);
    await using session = SessionLocal();
    const count = async (): Promise<number> => (await session.scalars(select(Order))).all().length;
    session.add(order(1, "one"));
    const before = count();
    const inside = session.noAutoflush(async () => {
      session.add(order(2, "two"));
      const first = await count();
      session.add(order(3, "three"));
      return [first, await count()];
    });
    const short = session.noAutoflush(() => undefined);
    expect([await before, await inside, await short]).toEqual([1, [1, 1], undefined]);
    const long = session.noAutoflush(async () => [await session.get(Order, 9), await session.get(Order, 9)]);
    const beside = count();
    expect([await beside, await long, session.new.size]).toEqual([3, [null, null], 0]);
  });
});

/** What the session and its database look like when everything that was called is through. */
async function outcome(
  { session, kept, doomed, stale, line, fresh, pending }: Work,
  rows: (query: string) => Promise<unknown[][]>,
): Promise<unknown> {
  const place = (each: Order | Line): string =>
    session.new.has(each) ? "new" : session.deleted.has(each) ? "marked" : session.has(each) ? "here" : "gone";
  const places = [kept, doomed, stale, line, fresh, pending].map(place);
  const before = [...places, session.inTransaction()];
  const ended = await session.commit().then(
    () => "committed",
    (error: Error) => error.name,
  );
  await session.close();
  const stored = await rows(
    "select orders.name, orders.note, lines.name, order_labels.label_id from orders left join lines on lines.order_id = orders.id " +
      "left join order_labels on order_labels.order_id = orders.id order by 1, 3, 4",
  );
  return [before, ended, stored];
}
