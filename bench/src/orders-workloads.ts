import type { OrdersContender } from "./contender.ts";
import { openAthanorOrders } from "./contenders/athanor-orders.ts";
import { openMikroOrmOrders } from "./contenders/mikroorm-orders.ts";
import { RawOrders } from "./contenders/raw-orders.ts";
import { digestOrders, makeOrders, type Order } from "./orders.ts";
import { defineWorkload, type Openers, type Workload } from "./workload.ts";

const openers: Openers<OrdersContender> = {
  raw: () => new RawOrders(),
  athanor: openAthanorOrders,
  mikroorm: openMikroOrmOrders,
};
const contenders = ["raw", "athanor", "mikroorm"] as const;

const orderCount = 1_000;
const lineCount = 10;
const orders = makeOrders(orderCount, lineCount);
const storedDigest = digestOrders(
  orders.map((order, index) => {
    const lineKey = index * lineCount + 1;
    const lines = order.lines.map((line, at) => ({ ...line, id: lineKey + at, orderId: index + 1 }));
    return { ...order, id: index + 1, lines };
  }),
);

export const saveGraph = defineWorkload({
  title: "save 1,000 with 10 children each",
  target: 2.5,
  contenders,
  openers,
  prepare: async (contender) => {
    await contender.clear();
    return {
      run: () => contender.save(orders),
      check: async (outcome) => {
        expectOrders(outcome as readonly Order[], contender, "saveGraph");
        expectOrders(await contender.loadByJoin(), contender, "saveGraph");
      },
    };
  },
});

export const deleteGraph = deleteWorkload("delete the same by cascade", "deleteGraph", true, 2.5);
export const deleteUnloaded = deleteWorkload("the same, children not loaded", "deleteUnloaded", false, undefined);

function deleteWorkload(title: string, name: string, withLines: boolean, target: number | undefined): Workload {
  return defineWorkload({
    title,
    target,
    contenders,
    openers,
    prepare: async (contender) => {
      await fill(contender);
      const pending = await contender.openDelete(withLines);
      return {
        run: () => pending.run(),
        check: async () => {
          const { length } = await contender.loadByJoin();
          if (length > 0)
            throw new Error(`${contender.name} did not do the ${name} workload: ${length} orders are left.`);
        },
      };
    },
  });
}

export const selectin = loadWorkload("load 1,000 with 10 children each, selectin", "selectin", (contender) =>
  contender.loadBySelectin(),
);
export const joined = loadWorkload("load 1,000 with 10 children each, joined", "joined", (contender) =>
  contender.loadByJoin(),
);

function loadWorkload(title: string, name: string, load: (contender: OrdersContender) => unknown): Workload {
  return defineWorkload({
    title,
    target: 1.7,
    contenders,
    openers,
    setUp: fill,
    prepare: async (contender) => ({
      run: () => load(contender),
      check: async (outcome) => expectOrders(outcome as readonly Order[], contender, name),
    }),
  });
}

async function fill(contender: OrdersContender): Promise<void> {
  await contender.clear();
  await contender.save(orders);
}

function expectOrders(found: readonly Order[], { name }: OrdersContender, workload: string): void {
  if (digestOrders(found) === storedDigest) return;
  throw new Error(`${name} did not do the ${workload} workload: ${found.length} orders with other values.`);
}
