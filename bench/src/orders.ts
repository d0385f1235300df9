import { createHash } from "node:crypto";
import { seededRandom } from "./seeded-random.ts";

/** What a line of an order is made of, before it has a key and its order's. */
export interface LineValues {
  readonly product: string;
  readonly quantity: number;
  readonly price: number;
  readonly note: string;
}

/** What an order is made of, before the database gives it a key. */
export interface OrderValues {
  readonly customer: string;
  readonly address: string;
  readonly paid: boolean;
  readonly placedAt: Date;
  readonly lines: readonly LineValues[];
}

/** A line as every contender must hand it out: six columns. */
export interface Line extends LineValues {
  readonly id: number;
  readonly orderId: number;
}

/** An order as every contender must hand it out: five columns, and its lines. */
export interface Order extends Omit<OrderValues, "lines"> {
  readonly id: number;
  readonly lines: Iterable<Line>;
}

const products = ["Retort", "Alembic", "Crucible", "Tongs", "Mortar", "Pestle", "Funnel", "Bellows"];
const streets = ["Rua das Flores", "Limmatquai", "Avenue Foch", "Harbour Road", "Kirkgate", "Calle Mayor"];

/** So many orders with so many lines each, the same on every run and every machine. */
export function makeOrders(count: number, lineCount: number): OrderValues[] {
  const random = seededRandom(20_260_202);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  return Array.from({ length: count }, (_, index) => ({
    customer: `Customer ${index}`,
    address: `${pick(streets)} ${1 + Math.floor(random() * 200)}`,
    paid: random() < 0.6,
    placedAt: new Date(1_700_000_000_000 + Math.floor(random() * 60_000_000_000)),
    lines: Array.from({ length: lineCount }, () => ({
      product: pick(products),
      quantity: 1 + Math.floor(random() * 20),
      price: Math.round(random() * 1e5) / 100,
      note: `${pick(products)} of ${pick(streets)}`,
    })),
  }));
}

/** A digest of orders and their lines in their order. It refuses a value that is not of its type, and a line that has not the key of its order. */
export function digestOrders(orders: Iterable<Order>): string {
  const hash = createHash("sha256");
  for (const order of orders) {
    const { id, customer, address, paid, placedAt, lines } = order;
    if (!Number.isInteger(id) || typeof paid !== "boolean" || !(placedAt instanceof Date))
      throw new TypeError(`The order ${String(id)} has a value that was not converted.`);
    hash.update(JSON.stringify([id, customer, address, paid, placedAt]));
    for (const line of lines) {
      if (line.orderId !== id) throw new TypeError(`The line ${String(line.id)} is not part of its order.`);
      hash.update(JSON.stringify([line.id, line.product, line.quantity, line.price, line.note]));
    }
  }
  return hash.digest("hex");
}
