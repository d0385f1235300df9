import {
  defineEntity,
  type EntityManager,
  LoadStrategy,
  MikroORM,
  NodeSqliteDialect,
  p,
  SqliteDriver,
} from "@mikro-orm/sql";
import type { OrdersContender, PendingDelete } from "../contender.ts";
import type { Order, OrderValues } from "../orders.ts";

const MikroOrderSchema = defineEntity({
  name: "MikroOrder",
  tableName: "orders",
  properties: {
    id: p.integer().primary(),
    customer: p.text(),
    address: p.text(),
    paid: p.boolean(),
    placedAt: p.datetime(),
    lines: () => p.oneToMany(MikroLine).mappedBy("order").orphanRemoval().orderBy({ id: "asc" }),
  },
});

class MikroOrder extends MikroOrderSchema.class {}
MikroOrderSchema.setClass(MikroOrder);

const MikroLineSchema = defineEntity({
  name: "MikroLine",
  tableName: "order_lines",
  properties: {
    id: p.integer().primary(),
    order: () => p.manyToOne(MikroOrder),
    product: p.text(),
    quantity: p.integer(),
    price: p.float(),
    note: p.text(),
  },
});

class MikroLine extends MikroLineSchema.class {
  get orderId(): number {
    return this.order.id;
  }
}
MikroLineSchema.setClass(MikroLine);

/** MikroORM as its documentation shows it: a fork of the entity manager for each piece of work. */
class MikroOrmOrders implements OrdersContender {
  readonly name = "mikroorm";
  readonly #orm: MikroORM;

  constructor(orm: MikroORM) {
    this.#orm = orm;
  }

  async clear(): Promise<void> {
    const em = this.#fork();
    await em.nativeDelete(MikroLine, {});
    await em.nativeDelete(MikroOrder, {});
    // Its tables are created with AUTOINCREMENT, which goes on counting where the deleted rows ended.
    await this.#orm.em.getConnection().execute("delete from sqlite_sequence");
  }

  async save(orders: readonly OrderValues[]): Promise<readonly Order[]> {
    const em = this.#fork();
    const saved = orders.map(({ customer, address, paid, placedAt, lines }) => {
      const order = em.create(MikroOrder, { customer, address, paid, placedAt });
      // Its types ask for the getter's value too.
      for (const line of lines) order.lines.add(em.create(MikroLine, { ...line, order } as never));
      return order;
    });
    em.persist(saved);
    await em.flush();
    return saved as unknown as readonly Order[];
  }

  loadBySelectin(): Promise<readonly Order[]> {
    return this.#load(LoadStrategy.SELECT_IN);
  }

  loadByJoin(): Promise<readonly Order[]> {
    return this.#load(LoadStrategy.JOINED);
  }

  async #load(strategy: LoadStrategy): Promise<readonly Order[]> {
    const options = { populate: ["lines"], strategy, orderBy: { id: "asc" } } as const;
    return (await this.#fork().find(MikroOrder, {}, options)) as unknown as readonly Order[];
  }

  async openDelete(withLines: boolean): Promise<PendingDelete> {
    const em = this.#fork();
    const orders = await em.find(MikroOrder, {}, withLines ? { populate: ["lines"] } : {});
    return {
      run: async () => {
        if (!withLines) await em.populate(orders, ["lines"]);
        for (const order of orders) em.remove(order);
        await em.flush();
      },
    };
  }

  #fork(): EntityManager {
    return this.#orm.em.fork();
  }
}

/** MikroORM on the driver that the others use. */
export async function openMikroOrmOrders(): Promise<OrdersContender> {
  const orm = await MikroORM.init({
    driver: SqliteDriver,
    dbName: ":memory:",
    driverOptions: new NodeSqliteDialect(":memory:"),
    entities: [MikroOrder, MikroLine],
  });
  await orm.schema.create();
  return new MikroOrmOrders(orm as unknown as MikroORM);
}
