import { describe, expect, test } from "vitest";
import {
  attributes,
  createAll,
  createEngine,
  delAttribute,
  flagModified,
  getHistory,
  type History,
  inspect,
  integer,
  listen,
  load,
  Metadata,
  model,
  numeric,
  type Session,
  sessionmaker,
  text,
} from "../../src/index.ts";

const metadata = new Metadata();
class Item extends model(
  "items",
  { id: integer().primaryKey(), x: text().nullable(), price: numeric(10, 2).nullable(), seen: text().nullable() },
  { metadata },
) {}
listen(attributes(Item).seen, "set", () => {}, { activeHistory: true });

const parts = ({ added, unchanged, deleted }: History): unknown[] => [added, unchanged, deleted];

/** A persistent item that was loaded by a session of its own. */
async function withItem(work: (item: Item, session: Session) => Promise<void> | void): Promise<void> {
  await using engine = createEngine("sqlite::memory:");
  await createAll(engine, { metadata });
  const SessionLocal = sessionmaker(engine);
  await SessionLocal.begin((session) => session.add(new Item({ id: 1, x: "x1", price: "1.50", seen: "h1" })));
  await using session = SessionLocal();
  await work((await session.get(Item, 1))!, session);
}

describe("the history of an attribute", () => {
  test("of a new instance is empty until it is set", () => {
    const item = new Item();
    expect(parts(getHistory(item, "x"))).toEqual([[], [], []]);
    expect(item.x).toBeUndefined();
    expect(parts(getHistory(item, "x"))).toEqual([[], [], []]);
    expect(getHistory(item, "x").isEmpty).toBe(true);
  });

  test("of a new instance has what was set, null too, and nothing lost", () => {
    const item = new Item({ x: "1" });
    expect(parts(getHistory(item, "x"))).toEqual([["1"], [], []]);
    item.x = "2";
    expect(parts(getHistory(item, "x"))).toEqual([["2"], [], []]);
    item.x = null;
    expect(parts(getHistory(item, "x"))).toEqual([[null], [], []]);
  });

  test("of a loaded instance is its value, unchanged", () =>
    withItem((item) => {
      expect(parts(getHistory(item, "x"))).toEqual([[], ["x1"], []]);
      expect(getHistory(item, "x").hasChanges()).toBe(false);
    }));

  test("of a change has the new and the old value, whichever way it went", () =>
    withItem((item) => {
      item.x = "2";
      expect(parts(getHistory(item, "x"))).toEqual([["2"], [], ["x1"]]);
      item.x = "3";
      expect(parts(getHistory(item, "x"))).toEqual([["3"], [], ["x1"]]);
      item.x = null;
      expect(parts(getHistory(item, "x"))).toEqual([[null], [], ["x1"]]);
    }));

  test("of a change from null has lost null", () =>
    withItem(async (_, session) => {
      session.add(new Item({ id: 3, x: null }));
      await session.flush();
      session.expireAll();
      const item = (await session.get(Item, 3))!;
      item.x = "1";
      expect(parts(getHistory(item, "x"))).toEqual([["1"], [], [null]]);
    }));

  test("of a value that was set back, or set to an equal one, has no change", () =>
    withItem((item) => {
      item.x = "2";
      item.x = "x1";
      expect(parts(getHistory(item, "x"))).toEqual([[], ["x1"], []]);
      item.price = "1.5";
      expect(getHistory(item, "price").hasChanges()).toBe(false);
    }));

  test("of a deleted value has lost it", () =>
    withItem((item) => {
      delAttribute(item, "x");
      expect(parts(getHistory(item, "x"))).toEqual([[], [], ["x1"]]);
    }));

  test("of a value that was flagged is an addition", () =>
    withItem((item) => {
      flagModified(item, "x");
      expect(parts(getHistory(item, "x"))).toEqual([["x1"], [], []]);
    }));

  test("of an expired value is empty, and asking loads nothing", () =>
    withItem((item, session) => {
      session.expire(item);
      expect(parts(getHistory(item, "x"))).toEqual([[], [], []]);
      expect(inspect(item).unloaded.has("x")).toBe(true);
    }));

  test("of an expired value that was set, or deleted, has lost the old one", () =>
    withItem((item, session) => {
      session.expire(item);
      item.x = "n";
      expect(parts(getHistory(item, "x"))).toEqual([["n"], [], []]);
      session.expire(item);
      delAttribute(item, "x");
      expect(parts(getHistory(item, "x"))).toEqual([[null], [], []]);
    }));

  test("with activeHistory has the old value, which is loaded before the flush", () =>
    withItem(async (item, session) => {
      session.expire(item);
      item.seen = "n";
      const seen: unknown[] = [];
      using _ = listen(Item, "beforeUpdate", ({ target }) => seen.push(parts(getHistory(target, "seen"))));
      await session.flush();
      expect(seen).toEqual([[["n"], [], ["h1"]]]);
    }));

  test("after a flush is the value, unchanged", () =>
    withItem(async (item, session) => {
      item.x = "2";
      await session.flush();
      expect(parts(getHistory(item, "x"))).toEqual([[], ["2"], []]);
    }));

  test("shows the change until the flush is over, and none after it", () =>
    withItem(async (item, session) => {
      const seen: string[] = [];
      const note = (name: string) => (): void => {
        seen.push(`${name} ${getHistory(item, "x").hasChanges()}`);
      };
      listen(session, "beforeFlush", note("beforeFlush"));
      using _before = listen(Item, "beforeUpdate", note("beforeUpdate"));
      using _after = listen(Item, "afterUpdate", note("afterUpdate"));
      listen(session, "afterFlush", note("afterFlush"));
      listen(session, "afterFlushPostexec", note("afterFlushPostexec"));
      item.x = "2";
      await session.flush();
      expect(seen).toEqual([
        "beforeFlush true",
        "beforeUpdate true",
        "afterUpdate true",
        "afterFlush true",
        "afterFlushPostexec false",
      ]);
    }));

  test("of a row whose column was never set is that of null", () =>
    withItem(async (_, session) => {
      const item = new Item({ id: 2 });
      session.add(item);
      await session.flush();
      expect(item.x).toBeNull();
      item.x = "1";
      expect(getHistory(item, "x").added).toEqual(["1"]);
    }));

  test("of a deleted instance stays what it was: nothing of it was written", () =>
    withItem(async (item, session) => {
      item.x = "2";
      await session.delete(item);
      using _listening = listen(Item, "afterDelete", ({ target }) => {
        target.price = "2.00";
      });
      await session.flush();
      expect(parts(getHistory(item, "x"))).toEqual([["2"], [], ["x1"]]);
      expect(parts(getHistory(item, "price"))).toEqual([["2.00"], [], ["1.50"]]);
      await session.rollback();
      expect(await load(item, "x", "price")).toEqual(["x1", "1.50"]);
    }));

  test("of an unknown name is refused", () => {
    expect(() => getHistory(new Item(), "y")).toThrow('Item has no attribute "y".');
  });
});
