import { describe, expect, expectTypeOf, test } from "vitest";
import {
  ArgumentError,
  bindparam,
  func,
  insert,
  inspect,
  InvalidRequestError,
  joinedLoad,
  listen,
  load,
  Result,
  type ResultStream,
  Select,
  select,
  selectinLoad,
  type Session,
  sql,
  subqueryLoad,
  UnloadedAttributeError,
  update,
  withLoaderCriteria,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { type OpenSessions, openSessions } from "./open-sessions.ts";
import { Customer, joinedAt, metadata, Order } from "./orders-story.ts";

forEachDatabase((db) => {
  /** Ten customers, with an order each and one more for every other. */
  async function openWithRows(): Promise<OpenSessions & { readonly session: Session }> {
    const opened = await openSessions(db, metadata, [Customer, Order]);
    await opened.SessionLocal.begin(async (session) => {
      const customers = Array.from({ length: 10 }, (_, index) => ({ name: `c${index + 1}`, isActive: true, joinedAt }));
      await session.execute(insert(Customer), customers);
      const orders = Array.from({ length: 15 }, (_, index) => ({
        country: index % 3 === 0 ? "DE" : "FR",
        units: index,
        price: "1.5",
        customerId: (index % 10) + 1,
      }));
      await session.execute(insert(Order), orders);
    });
    opened.log.take();
    return { ...opened, session: opened.SessionLocal() };
  }

  const customers = select(Customer)
    .orderBy((customer) => customer.id)
    .executionOptions({ yieldPer: 4 });

  async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
    const found: T[] = [];
    for await (const item of stream) found.push(item);
    return found;
  }

  describe("a stream", () => {
    test("gives instances one by one, and lets go of those of a portion when the next one is asked for", async () => {
      const { session } = await openWithRows();
      const sizes: number[] = [];
      const lifecycles: string[] = [];
      const all: Customer[] = [];
      for await (const customer of session.stream(customers)) {
        expectTypeOf(customer).toEqualTypeOf<Customer>();
        sizes.push(session.identityMap.size);
        lifecycles.push(inspect(customer).lifecycle);
        all.push(customer);
      }
      expect(all.map(({ name }) => name)).toEqual(Array.from({ length: 10 }, (_, index) => `c${index + 1}`));
      expect(Math.max(...sizes)).toBe(4);
      expect(new Set(lifecycles)).toEqual(new Set(["persistent"]));
      expect(session.identityMap.size).toBe(0);
      expect(all.every((customer) => inspect(customer).lifecycle === "persistent")).toBe(true);
      await session.close();
      expect(all.every((customer) => inspect(customer).lifecycle === "detached")).toBe(true);
      expect(all[0]?.joinedAt).toEqual(joinedAt);
    });

    test("comes in lists, as rows, as first values, and of columns and raw SQL", async () => {
      const { session } = await openWithRows();
      const lists = await collect(session.stream(customers).partitions(3));
      expectTypeOf(lists).toEqualTypeOf<Customer[][]>();
      expect(lists.map((list) => list.length)).toEqual([3, 3, 3, 1]);
      const columns = customers.columns((customer) => [customer.name, customer.joinedAt]);
      const rows = await collect(session.stream(columns));
      expectTypeOf(rows).toEqualTypeOf<[string, Date][]>();
      expect(rows.slice(8)).toEqual([
        ["c9", joinedAt],
        ["c10", joinedAt],
      ]);
      const names = await collect(session.stream(columns).scalars());
      expectTypeOf(names).toEqualTypeOf<string[]>();
      expect(names[9]).toBe("c10");
      const tuples = await collect(session.stream(customers).tuples());
      expectTypeOf(tuples).toEqualTypeOf<(readonly [Customer])[]>();
      expect(tuples[9]?.[0]).toBeInstanceOf(Customer);
      const objects = customers.columns((customer) => ({ id: customer.id }));
      expect(await collect(session.stream(objects).scalars())).toHaveLength(10);
      const raw = session.stream(sql<{ id: number }>`select id from customers where id < ${3} order by id`);
      expectTypeOf(raw).toExtend<ResultStream<{ id: number }, { id: number }>>();
      expect(await collect(raw)).toEqual([{ id: 1 }, { id: 2 }]);
      const written = select(Customer).fromStatement(sql`select * from customers order by id desc`);
      expect((await collect(session.stream(written.executionOptions({ yieldPer: 3 }))))[0]?.name).toBe("c10");
      await session.close();
    });

    test("takes values of its parameters, and finds nothing where there is nothing", async () => {
      const { session } = await openWithRows();
      const named = customers.where((customer) => customer.name.eq(bindparam<string>("name")));
      expect(await collect(session.stream(named, { name: "c7" }))).toHaveLength(1);
      expect(await collect(session.stream(named, { name: "nobody" }))).toEqual([]);
      await session.close();
    });

    test("loads along for a portion at a time", async () => {
      const { session, log } = await openWithRows();
      let units = 0;
      for await (const customer of session.stream(customers.options(selectinLoad(Customer, "orders"))))
        for (const order of customer.orders) units += order.units;
      expect(units).toBe(105);
      expect(session.identityMap.size).toBe(0);
      const selects = log.take().filter((line) => line.startsWith("SELECT"));
      expect(selects.filter((line) => line.includes("orders"))).toHaveLength(3);
      const joined = select(Order).options(joinedLoad(Order, "customer")).executionOptions({ yieldPer: 4 });
      expect((await collect(session.stream(joined))).every(({ customer }) => customer?.name.startsWith("c"))).toBe(
        true,
      );
      await session.close();
    });

    test("refuses what would need all rows at once", async () => {
      const { session } = await openWithRows();
      await expect(collect(session.stream(customers.options(joinedLoad(Customer, "orders"))))).rejects.toThrow(
        /Customer\.orders is read from joined rows.*selectinLoad/,
      );
      await expect(collect(session.stream(customers.options(subqueryLoad(Customer, "orders"))))).rejects.toThrow(
        /loaded by subqueryLoad\(\)/,
      );
      // @ts-expect-error it writes
      expect(() => session.stream(insert(Customer))).toThrow(ArgumentError);
      await expect(collect(session.stream(customers).partitions(0))).rejects.toThrow(/from 1 on/);
      const once = session.stream(customers);
      await collect(once);
      await expect(collect(once)).rejects.toThrow(/The stream was read already/);
      await session.close();
    });
  });

  describe("the session of a stream", () => {
    test("has what it has passed for as long as the program has it: one instance for each row, whose changes are saved", async () => {
      const { session, rows } = await openWithRows();
      let before: Customer | undefined;
      const passed: Customer[] = [];
      for await (const customer of session.stream(customers)) {
        if (before !== undefined) before.nickname = `before ${customer.name}`;
        before = customer;
        if (customer.id === 6) passed[0]!.nickname = "again";
        passed.push(customer);
      }
      const [first, second, third] = passed as [Customer, Customer, Customer];
      expect(await session.get(Customer, 2)).toBe(second);
      expect((await session.scalars(customers.where({ id: 3 }))).one()).toBe(third);
      third.nickname = "last";
      await session.commit();
      const names = (await rows("select nickname from customers order by id")).map(([nickname]) => nickname);
      expect(names).toEqual(["again", "before c3", "last", ...[5, 6, 7, 8, 9, 10].map((id) => `before c${id}`), null]);
      await session.execute(update(Customer).where({ id: 1 }).values({ nickname: "by all" }));
      expect(first.nickname).toBe("by all");
      session.expireAll();
      expect(() => first.nickname).toThrow(UnloadedAttributeError);
      await session.close();
    });

    test("undoes with its transaction what it has passed", async () => {
      const { session } = await openWithRows();
      const passed: Customer[] = [];
      for await (const customer of session.stream(customers)) {
        customer.nickname = "new";
        passed.push(customer);
      }
      const [first] = passed as [Customer];
      const savepoint = await session.beginNested();
      for await (const customer of session.stream(customers)) customer.name = "other";
      await savepoint.rollback();
      expect(await load(first, "name")).toBe("c1");
      expect(await load(first, "nickname")).toBe("new");
      await session.rollback();
      expect(await load(first, "nickname")).toBe(null);
      await session.close();
    });

    test("keeps what it had before, and what is changed, new, or referred to by what is", async () => {
      const { session } = await openWithRows();
      const first = await session.get(Customer, 1);
      const kept: unknown[] = [];
      await session.noAutoflush(async () => {
        for await (const customer of session.stream(customers)) {
          if (customer.id === 2) customer.nickname = "changed";
          if (customer.id === 3) {
            const order = new Order({ country: "IT", units: 1, price: "1" });
            order.customer = customer;
            session.add(order);
          }
          if (customer.id === 10) kept.push(...session.identityMap.values());
        }
      });
      expect(kept).toContain(first);
      expect([...session.identityMap].map((each) => (each as Customer).id)).toEqual([1, 2, 3]);
      await session.commit();
      expect(
        await session.scalar(
          select(Order)
            .where({ country: "IT" })
            .columns((order) => [order.customerId]),
        ),
      ).toBe(3);
      expect((await session.get(Customer, 2))?.nickname).toBe("changed");
      await session.close();
    });

    test("writes what the loop changes before the next portion, and lets go of it then", async () => {
      const { session, rows } = await openWithRows();
      for await (const customer of session.stream(customers)) {
        customer.nickname = `n${customer.id}`;
        expect(session.identityMap.size).toBeLessThanOrEqual(4);
      }
      await session.commit();
      expect(await rows("select count(*) from customers where nickname = 'n' || id")).toEqual([[expect.anything()]]);
      const count = await session.scalar(
        select(Customer)
          .where((customer) => customer.nickname.like("n%"))
          .columns(() => [func.count()]),
      );
      expect(count).toBe(10);
      await session.close();
    });

    test("lets what the loop has loaded go with it", async () => {
      const { session } = await openWithRows();
      const added: Order[] = [];
      let most = 0;
      for await (const customer of session.stream(customers.executionOptions({ yieldPer: 2 }))) {
        await load(customer, "orders");
        if (customer.id === 1) await session.get(Order, 15);
        if (customer.id === 2) {
          const order = new Order({ country: "IT", units: 1, price: "1" });
          order.customer = customer;
          added.push(order);
          session.add(order);
        }
        most = Math.max(most, session.identityMap.size);
      }
      expect(most).toBeLessThanOrEqual(9);
      expect(session.identityMap.has(added[0] as Order)).toBe(true);
      expect([...session.identityMap]).toEqual(added);
      await session.close();
    });

    test("can be used in the loop: for queries, loads, savepoints, and other streams", async () => {
      const { session } = await openWithRows();
      const found: number[] = [];
      for await (const customer of session.stream(customers)) {
        await load(customer, "orders");
        const savepoint = await session.beginNested();
        await session.execute(insert(Customer), { name: `x${customer.id}`, isActive: false, joinedAt });
        await savepoint.rollback();
        const inner = select(Order).where({ customerId: customer.id }).executionOptions({ yieldPer: 1 });
        found.push((await collect(session.stream(inner))).length + customer.orders.length);
        void session.get(Customer, 1);
      }
      expect(found).toEqual([4, 4, 4, 4, 4, 2, 2, 2, 2, 2]);
      await session.close();
    });

    test("can be used by others meanwhile", async () => {
      const { session } = await openWithRows();
      const [all, lists, fifth] = await Promise.all([
        collect(session.stream(customers)),
        collect(session.stream(customers).partitions(2)),
        session.get(Customer, 5),
      ]);
      expect([all.length, lists.length, fifth?.id]).toEqual([10, 5, 5]);
      await session.close();
    });

    test("goes on as before when a loop is left, and has what it was left with", async () => {
      const { session } = await openWithRows();
      let found: Customer | undefined;
      for await (const customer of session.stream(customers)) {
        if (customer.id !== 6) continue;
        found = customer;
        break;
      }
      expect(inspect(found as Customer).lifecycle).toBe("persistent");
      expect(session.identityMap.size).toBe(4);
      (found as Customer).nickname = "found";
      await session.commit();
      const failing = async (): Promise<void> => {
        for await (const customer of session.stream(customers)) throw new Error(customer.name);
      };
      await expect(failing()).rejects.toThrow("c1");
      expect((await session.get(Customer, 6, { executionOptions: { populateExisting: true } }))?.nickname).toBe(
        "found",
      );
      await session.close();
    });

    test("ends the stream with an error when its transaction ends", async () => {
      const { session } = await openWithRows();
      for (const end of ["commit", "rollback", "close"] as const) {
        const seen: number[] = [];
        const reading = async (): Promise<void> => {
          for await (const customer of session.stream(customers)) {
            seen.push(customer.id);
            if (seen.length === 4) await session[end]();
          }
        };
        const error: unknown = await reading().catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(InvalidRequestError);
        expect(String(error)).toMatch(/The stream cannot go on: (commit|rollback)\(\) has ended/);
        expect(seen).toEqual([1, 2, 3, 4]);
        expect(await collect(session.stream(customers))).toHaveLength(10);
      }
      await session.close();
    });

    test("ends a stream that was begun in a savepoint with its rollback", async () => {
      const { session } = await openWithRows();
      await session.get(Customer, 1);
      const savepoint = await session.beginNested();
      const stream = session.stream(customers)[Symbol.asyncIterator]();
      expect((await stream.next()).value?.id).toBe(1);
      await savepoint.rollback();
      for (let index = 0; index < 3; index++) await stream.next();
      await expect(stream.next()).rejects.toThrow(/the rollback of a savepoint has ended/);
      expect(await collect(session.stream(customers))).toHaveLength(10);
      await session.close();
    });

    test("ends with the error of a statement that fails", async () => {
      const { session } = await openWithRows();
      await expect(collect(session.stream(sql`select gone from nowhere`))).rejects.toThrow(/nowhere/);
      await session.rollback();
      expect(await collect(session.stream(customers))).toHaveLength(10);
      await session.close();
    });
  });

  describe("listeners of doOrmExecute", () => {
    test("hear of a stream once, and may change its statement", async () => {
      const { session } = await openWithRows();
      const seen: unknown[] = [];
      listen(session, "doOrmExecute", (event) => {
        seen.push(event.executionOptions.yieldPer);
        if (event.statement instanceof Select)
          event.statement = event.statement.options(withLoaderCriteria(Customer, (customer) => customer.id.gt(7)));
      });
      expect((await collect(session.stream(customers.executionOptions({ yieldPer: 2 })))).map(({ id }) => id)).toEqual([
        8, 9, 10,
      ]);
      expect(seen).toEqual([2]);
      await session.close();
    });

    test("may answer it themselves, or return what invokeStatement() gives", async () => {
      const { session } = await openWithRows();
      let answer: ((given: Result<unknown>) => Result<unknown>) | undefined;
      listen(session, "doOrmExecute", async (event) =>
        answer === undefined ? new Result([["cached"], ["too"]], 2) : answer(await event.invokeStatement()),
      );
      const names = customers.columns((customer) => [customer.name]);
      expect(await collect(session.stream(names).scalars())).toEqual(["cached", "too"]);
      answer = (given) => given;
      expect(await collect(session.stream(names))).toHaveLength(10);
      answer = (given) => new Result(given.all(), 1);
      await expect(collect(session.stream(names))).rejects.toThrow(/asked for all of the result of a stream/);
      answer = () => new Result<unknown>([], 0);
      await expect(collect(session.stream(names))).rejects.toThrow(/returned another result/);
      await session.close();
    });
  });
});
