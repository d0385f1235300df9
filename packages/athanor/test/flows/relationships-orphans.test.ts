import { describe, expect, test } from "vitest";
import { inspect, integer, many, Metadata, model, one, text } from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { openSessions } from "./open-sessions.ts";

const metadata = new Metadata();

class Order extends model(
  "orders",
  {
    id: integer().primaryKey(),
    get items() {
      return many(Item, { backPopulates: "order", cascade: "all, delete-orphan", orderBy: "id" });
    },
  },
  { metadata },
) {}

class Item extends model(
  "items",
  {
    id: integer().primaryKey(),
    name: text(),
    orderId: integer().nullable().references("orders.id"),
    get order() {
      return one(Order, { backPopulates: "items" });
    },
  },
  { metadata },
) {}

forEachDatabase((db) => {
  describe("a part that loses its whole", () => {
    const open = (): ReturnType<typeof openSessions> => openSessions(db, metadata, [Order, Item]);

    test("is deleted, and its row with it", async () => {
      const { SessionLocal, rows } = await open();
      await using session = SessionLocal();
      const [kept, lost] = [new Item({ name: "kept" }), new Item({ name: "lost" })];
      const order = new Order({ items: [kept, lost] });
      session.add(order);
      await session.commit();
      order.items.splice(1, 1);
      await session.commit();
      expect(inspect(lost).lifecycle).toBe("detached");
      expect(await rows("SELECT name FROM items")).toEqual([["kept"]]);
    });

    test("and gets another in the same flush goes there", async () => {
      const { SessionLocal, rows } = await open();
      await using session = SessionLocal();
      const item = new Item({ name: "moved" });
      const [from, to] = [new Order({ items: [item] }), new Order({})];
      session.addAll([from, to]);
      await session.commit();
      from.items.pop();
      to.items.push(item);
      await session.commit();
      expect(await rows("SELECT name, order_id FROM items")).toEqual([["moved", to.id]]);
    });

    test("before it was saved leaves the session, and is not written", async () => {
      const { SessionLocal, rows } = await open();
      await using session = SessionLocal();
      const item = new Item({ name: "never" });
      const order = new Order({ items: [item] });
      session.add(order);
      expect(inspect(item).lifecycle).toBe("pending");
      order.items.pop();
      expect(inspect(item).lifecycle).toBe("transient");
      await session.commit();
      expect(await rows("SELECT name FROM items")).toEqual([]);
    });

    test("outside of a session is written only if it is added by itself", async () => {
      const { SessionLocal, rows } = await open();
      await using session = SessionLocal();
      const [meant, gone] = [new Item({ name: "meant" }), new Item({ name: "gone" })];
      const order = new Order({ items: [meant, gone] });
      order.items.splice(0, 2);
      session.add(order);
      session.add(meant);
      await session.commit();
      expect([inspect(meant).lifecycle, inspect(gone).lifecycle]).toEqual(["persistent", "transient"]);
      expect(await rows("SELECT name, order_id FROM items")).toEqual([["meant", null]]);
    });
  });
});
