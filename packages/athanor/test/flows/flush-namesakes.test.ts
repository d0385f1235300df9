import { expect, test } from "vitest";
import { createAll, integer, many, Metadata, model, sessionmaker, text } from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";

const id = integer().primaryKey();

/** Two parts of a program that map the same table, each for itself and with what it needs. */
const accounting = (() => {
  const metadata = new Metadata();
  class Invoice extends model(
    "invoices",
    { id, number: text(), user_id: integer().nullable().references("users.id") },
    { metadata },
  ) {}
  class User extends model(
    "users",
    {
      id,
      name: text(),
      get items() {
        return many(Invoice);
      },
    },
    { metadata },
  ) {}
  return { metadata, User, Invoice };
})();

const shop = (() => {
  const metadata = new Metadata();
  class Order extends model("orders", { id, user_id: integer().nullable().references("users.id") }, { metadata }) {}
  class User extends model(
    "users",
    {
      id,
      get items() {
        return many(Order);
      },
      name: text(),
    },
    { metadata },
  ) {}
  return { metadata, User, Order };
})();

forEachDatabase((db) => {
  test("two classes of one name for one table are told apart in a flush", async () => {
    const engine = db.engine();
    await createAll(engine, { metadata: accounting.metadata });
    await createAll(engine, { metadata: shop.metadata });
    await using session = sessionmaker(engine)();
    session.add(new accounting.User({ id: 1, name: "ann", items: [new accounting.Invoice({ id: 1, number: "1" })] }));
    session.add(new shop.User({ id: 2, name: "bob", items: [new shop.Order({ id: 1 })] }));
    await session.commit();
    const connection = await session.connection();
    expect((await connection.run("select user_id from invoices")).rows).toEqual([[1]]);
    expect((await connection.run("select user_id from orders")).rows).toEqual([[2]]);
  });
});
