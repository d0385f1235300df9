import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { OrdersContender, PendingDelete } from "../contender.ts";
import type { Line, Order, OrderValues } from "../orders.ts";

/** A row as the driver has it: SQLite knows neither booleans nor dates. */
interface OrderRow extends Omit<RawOrder, "paid" | "placedAt"> {
  paid: boolean | number;
  placedAt: Date | string;
}

interface RawOrder extends Order {
  lines: Line[];
}

interface JoinedRow extends Omit<Line, "id" | "orderId">, Omit<OrderRow, "lines"> {
  readonly lineId: number | null;
}

const orderColumns = `id, customer, address, paid, placed_at as "placedAt"`;
const lineColumns = `id, order_id as "orderId", product, quantity, price, note`;

/** How many orders one statement finds the lines of, as Athanor does it. */
const chunkSize = 500;

/** What someone writes by hand: prepared statements that are kept, plain objects, one transaction for what is written. */
export class RawOrders implements OrdersContender {
  readonly name = "raw";
  readonly #database = new DatabaseSync(":memory:");
  readonly #insertOrder: StatementSync;
  readonly #insertLine: StatementSync;
  readonly #selectOrders: StatementSync;
  readonly #selectLines: StatementSync;
  readonly #selectJoined: StatementSync;
  readonly #deleteLines: StatementSync;
  readonly #deleteOrder: StatementSync;

  constructor() {
    this.#database.exec(
      `create table orders (id integer primary key, customer text not null, address text not null, paid integer not null, placed_at text not null);
       create table order_lines (id integer primary key, order_id integer not null references orders (id), product text not null,
         quantity integer not null, price real not null, note text not null);
       create index order_lines_order_id on order_lines (order_id)`,
    );
    const prepare = (sql: string): StatementSync => this.#database.prepare(sql);
    this.#insertOrder = prepare("insert into orders (customer, address, paid, placed_at) values (?, ?, ?, ?)");
    this.#insertLine = prepare(
      "insert into order_lines (order_id, product, quantity, price, note) values (?, ?, ?, ?, ?)",
    );
    this.#selectOrders = prepare(`select ${orderColumns} from orders order by id`);
    const keys = Array.from({ length: chunkSize }, () => "?").join(", ");
    this.#selectLines = prepare(`select ${lineColumns} from order_lines where order_id in (${keys}) order by id`);
    this.#selectJoined = prepare(
      `select orders.id, customer, address, paid, placed_at as "placedAt", order_lines.id as "lineId", product, quantity, price, note
       from orders left join order_lines on order_lines.order_id = orders.id order by orders.id, order_lines.id`,
    );
    this.#deleteLines = prepare("delete from order_lines where order_id = ?");
    this.#deleteOrder = prepare("delete from orders where id = ?");
  }

  async clear(): Promise<void> {
    this.#database.exec("delete from order_lines; delete from orders");
  }

  save(orders: readonly OrderValues[]): readonly Order[] {
    const saved: Order[] = [];
    this.#inTransaction(() => {
      for (const { customer, address, paid, placedAt, lines } of orders) {
        const { lastInsertRowid } = this.#insertOrder.run(customer, address, paid ? 1 : 0, placedAt.toISOString());
        const id = Number(lastInsertRowid);
        const savedLines: Line[] = [];
        for (const { product, quantity, price, note } of lines) {
          const line = this.#insertLine.run(id, product, quantity, price, note);
          savedLines.push({ id: Number(line.lastInsertRowid), orderId: id, product, quantity, price, note });
        }
        saved.push({ id, customer, address, paid, placedAt, lines: savedLines });
      }
    });
    return saved;
  }

  loadBySelectin(): readonly Order[] {
    const orders = this.#loadOrders();
    const byId = new Map(orders.map((order) => [order.id, order]));
    for (let start = 0; start < orders.length; start += chunkSize) {
      const ids = orders.slice(start, start + chunkSize).map(({ id }) => id);
      for (const row of this.#selectLines.all(...ids)) {
        const line = row as unknown as Line;
        byId.get(line.orderId)?.lines.push(line);
      }
    }
    return orders;
  }

  loadByJoin(): readonly Order[] {
    const orders: RawOrder[] = [];
    let last: RawOrder | undefined;
    for (const row of this.#selectJoined.all()) {
      const { id, customer, address, paid, placedAt, lineId, product, quantity, price, note } =
        row as unknown as JoinedRow;
      if (last?.id !== id) {
        last = { id, customer, address, paid: paid === 1, placedAt: new Date(placedAt), lines: [] };
        orders.push(last);
      }
      if (lineId !== null) last.lines.push({ id: lineId, orderId: id, product, quantity, price, note });
    }
    return orders;
  }

  async openDelete(): Promise<PendingDelete> {
    const ids = this.#loadOrders().map(({ id }) => id);
    return {
      run: () =>
        this.#inTransaction(() => {
          for (const id of ids) {
            this.#deleteLines.run(id);
            this.#deleteOrder.run(id);
          }
        }),
    };
  }

  #loadOrders(): RawOrder[] {
    return this.#selectOrders.all().map((row) => orderOf(row as unknown as OrderRow));
  }

  #inTransaction(work: () => void): void {
    this.#database.exec("begin");
    work();
    this.#database.exec("commit");
  }
}

/** The row itself, its two values converted in place: quicker than a copy. */
function orderOf(row: OrderRow): RawOrder {
  row.paid = row.paid === 1;
  row.placedAt = new Date(row.placedAt);
  row.lines = [];
  return row as RawOrder;
}
