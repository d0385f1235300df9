import {
  bigint,
  boolean,
  integer,
  many,
  Metadata,
  model,
  numeric,
  one,
  type Session,
  text,
  timestamp,
} from "../../src/index.ts";
import type { OpenSessions } from "./open-sessions.ts";

export const metadata = new Metadata();

export class Customer extends model(
  "customers",
  {
    id: integer().primaryKey(),
    name: text(),
    nickname: text().nullable(),
    isActive: boolean(),
    joinedAt: timestamp(),
    get orders() {
      return many(Order, { backPopulates: "customer" });
    },
  },
  { metadata },
) {}

export class Order extends model(
  "orders",
  {
    id: integer().primaryKey(),
    country: text(),
    units: integer(),
    price: numeric(10, 2),
    serial: bigint().nullable(),
    customerId: integer().references("customers.id"),
    get customer() {
      return one(Customer, { backPopulates: "orders" });
    },
  },
  { metadata },
) {}

export const joinedAt = new Date("2026-01-02T03:04:05.000Z");

/** A session that has written customers and their orders: ann has two of them, bob one, and cid none. */
export async function story(opened: OpenSessions): Promise<Session> {
  const session = opened.SessionLocal();
  const [ann, bob, cid] = [
    new Customer({ name: "ann", nickname: "a", isActive: true, joinedAt }),
    new Customer({ name: "bob", isActive: false, joinedAt }),
    new Customer({ name: "cid", isActive: true, joinedAt }),
  ];
  session.addAll([ann, bob, cid]);
  session.addAll([
    new Order({ customer: ann, country: "DE", units: 1, price: "10.50", serial: 7n }),
    new Order({ customer: ann, country: "FR", units: 2, price: "1.25" }),
    new Order({ customer: bob, country: "DE", units: 3, price: "2.00" }),
  ]);
  await session.commit();
  return session;
}
