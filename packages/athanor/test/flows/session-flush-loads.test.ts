import { expect, test } from "vitest";
import { DetachedInstanceError, integer, listen, many, Metadata, model, one, text } from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { openSessions } from "./open-sessions.ts";

const metadata = new Metadata();

class Order extends model(
  "orders",
  {
    id: integer().primaryKey(),
    name: text(),
    get lines() {
      return many(OrderLine, { backPopulates: "order" });
    },
  },
  { metadata },
) {}

class Product extends model(
  "products",
  {
    code: text().primaryKey(),
    edition: integer().primaryKey(),
    get lines() {
      return many(OrderLine, { backPopulates: "product" });
    },
  },
  { metadata },
) {}

class OrderLine extends model(
  "order_lines",
  {
    order_id: integer().primaryKey().references("orders.id"),
    product_code: text().primaryKey(),
    product_edition: integer().primaryKey(),
    amount: integer(),
    get order() {
      return one(Order, { backPopulates: "lines" });
    },
    get product() {
      return one(Product, { backPopulates: "lines" });
    },
  },
  {
    metadata,
    foreignKeys: [{ columns: ["product_code", "product_edition"], references: ["products.code", "products.edition"] }],
  },
) {}

class Account extends model(
  "accounts",
  {
    id: integer().primaryKey(),
    owner: text(),
    version: integer(),
    favorite_id: integer().nullable().references("accounts.id"),
    get favorite() {
      return one(Account, { foreignKey: "favorite_id", postUpdate: true });
    },
  },
  { metadata, version: "version" },
) {}

forEachDatabase((db) => {
  const open = (): ReturnType<typeof openSessions> =>
    openSessions(db, metadata, [Order, Product, OrderLine, Account], { expireOnCommit: true });

  test("an expired part whose key would be emptied is loaded, and the flush refused", async () => {
    const { SessionLocal, rows } = await open();
    await using session = SessionLocal();
    const product = new Product({ code: "A", edition: 1 });
    const line = new OrderLine({ order: new Order({ name: "first" }), product, amount: 2 });
    session.add(line);
    await session.commit();
    line.product = null;
    await expect(session.flush()).rejects.toThrow("OrderLine.product_code, which is part of the key");
    await session.rollback();
    expect(await rows("select product_code, amount from order_lines")).toEqual([["A", 2]]);
  });

  test("an expired part that moves to another whole is loaded first, with the key that it had", async () => {
    const { SessionLocal, rows } = await open();
    await using session = SessionLocal();
    const line = new OrderLine({
      order: new Order({ name: "first" }),
      product: new Product({ code: "A", edition: 1 }),
    });
    line.amount = 2;
    const second = new Order({ name: "second" });
    session.addAll([line, second]);
    await session.commit();
    line.order = second;
    const refreshed: unknown[] = [];
    using _listening = listen(OrderLine, "refresh", ({ attrs }) => refreshed.push(attrs));
    await session.commit();
    expect(refreshed).toEqual([["order_id", "product_code", "product_edition", "amount", "product"]]);
    expect(await rows("select order_id, product_code, amount from order_lines")).toEqual([[2, "A", 2]]);
  });

  test("a flush asks what it has saved for its key, also where nothing of it was written", async () => {
    const { SessionLocal } = await open();
    await using session = SessionLocal();
    const order = new Order({ name: "first" });
    session.add(order);
    await session.flush();
    session.expire(order, ["id"]);
    order.name = "first";
    const refreshed: unknown[] = [];
    using _listening = listen(Order, "refresh", ({ attrs }) => refreshed.push(attrs));
    await session.flush();
    expect(refreshed).toEqual([["id"]]);
  });

  test("the version of an expired instance is asked before its foreign keys are written", async () => {
    const { SessionLocal, rows } = await open();
    await using session = SessionLocal();
    const account = new Account({ owner: "ann" });
    account.favorite = new Account({ owner: "bob" });
    session.add(account);
    await session.commit();
    account.favorite = null;
    const refreshed: unknown[] = [];
    using _listening = listen(Account, "refresh", ({ attrs }) => refreshed.push(attrs));
    await session.commit();
    expect(refreshed).toEqual([["id", "owner", "version", "favorite_id"]]);
    expect(await rows("select favorite_id from accounts where owner = 'ann'")).toEqual([[null]]);
  });

  test("an expired part that is not in the session cannot get a new key: the flush says so, and writes nothing", async () => {
    const { SessionLocal, rows } = await open();
    await using session = SessionLocal();
    const line = new OrderLine({
      order: new Order({ name: "first" }),
      product: new Product({ code: "A", edition: 1 }),
    });
    line.amount = 2;
    session.add(line);
    await session.commit();
    session.expungeAll();
    const second = new Order({ name: "second" });
    session.add(second);
    await session.flush();
    line.order = second;
    await expect(session.flush()).rejects.toThrow(DetachedInstanceError);
    await session.rollback();
    expect(await rows("select order_id from order_lines")).toEqual([[1]]);
  });
});
