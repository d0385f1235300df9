import {
  boolean,
  createAll,
  createEngine,
  integer,
  joinedLoad,
  type LoaderOption,
  many,
  Metadata,
  model,
  one,
  real,
  select,
  selectinLoad,
  type SessionMaker,
  sessionmaker,
  sql,
  text,
  timestamp,
} from "athanor";
import type { OrdersContender, PendingDelete } from "../contender.ts";
import type { Order, OrderValues } from "../orders.ts";

const metadata = new Metadata();

class AthanorOrder extends model(
  "orders",
  {
    id: integer().primaryKey(),
    customer: text(),
    address: text(),
    paid: boolean(),
    placedAt: timestamp(),
    get lines() {
      return many(AthanorLine, { backPopulates: "order", cascade: "all, delete-orphan", orderBy: "id" });
    },
  },
  { metadata },
) {}

class AthanorLine extends model(
  "order_lines",
  {
    id: integer().primaryKey(),
    orderId: integer().references("orders.id").index(),
    product: text(),
    quantity: integer(),
    price: real(),
    note: text(),
    get order() {
      return one(AthanorOrder, { backPopulates: "lines" });
    },
  },
  { metadata },
) {}

/** Athanor as its users write it: lines are parts of their order, and know it. */
class AthanorOrders implements OrdersContender {
  readonly name = "athanor";
  readonly #sessions: SessionMaker;

  constructor(sessions: SessionMaker) {
    this.#sessions = sessions;
  }

  async clear(): Promise<void> {
    await this.#sessions.engine.begin(async (connection) => {
      await connection.execute(sql`delete from order_lines`);
      await connection.execute(sql`delete from orders`);
    });
  }

  async save(orders: readonly OrderValues[]): Promise<readonly Order[]> {
    await using session = this.#sessions();
    const saved = orders.map(({ customer, address, paid, placedAt, lines }) => {
      const order = new AthanorOrder({ customer, address, paid, placedAt });
      for (const line of lines) order.lines.push(new AthanorLine(line));
      return order;
    });
    session.addAll(saved);
    await session.commit();
    return saved;
  }

  loadBySelectin(): Promise<readonly Order[]> {
    return this.#load(selectinLoad(AthanorOrder, "lines"));
  }

  loadByJoin(): Promise<readonly Order[]> {
    return this.#load(joinedLoad(AthanorOrder, "lines"));
  }

  async #load(option: LoaderOption): Promise<readonly Order[]> {
    await using session = this.#sessions();
    const orders = select(AthanorOrder).orderBy((order) => order.id);
    return (await session.scalars(orders.options(option))).all();
  }

  async openDelete(withLines: boolean): Promise<PendingDelete> {
    const session = this.#sessions();
    const everything = select(AthanorOrder);
    const loaded = withLines ? everything.options(selectinLoad(AthanorOrder, "lines")) : everything;
    const orders = (await session.scalars(loaded)).all();
    return {
      run: async () => {
        for (const order of orders) await session.delete(order);
        await session.commit();
        await session.close();
      },
    };
  }
}

/** Athanor where nobody listens. */
export async function openAthanorOrders(): Promise<OrdersContender> {
  const engine = createEngine("sqlite::memory:");
  await createAll(engine, { metadata });
  return new AthanorOrders(sessionmaker(engine));
}
