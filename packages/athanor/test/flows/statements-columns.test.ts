import { describe, expect, expectTypeOf, test } from "vitest";
import {
  type Expression,
  func,
  listen,
  Select,
  select,
  selectinLoad,
  sql,
  withLoaderCriteria,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { type OpenSessions, openSessions } from "./open-sessions.ts";
import { Customer, joinedAt, metadata, Order, story } from "./orders-story.ts";

forEachDatabase((db) => {
  const open = (): Promise<OpenSessions> => openSessions(db, metadata, []);

  describe("columns", () => {
    test("of a list make tuples, of an object objects, with the values that attributes have", async () => {
      await using session = await story(await open());
      const customers = select(Customer).orderBy((customer) => customer.id);
      const tuples = await session.execute(customers.columns((c) => [c.name, c.nickname, c.isActive, c.joinedAt]));
      expectTypeOf(tuples.all()).toEqualTypeOf<[string, string | null, boolean, Date][]>();
      expect(tuples.all().slice(0, 2)).toEqual([
        ["ann", "a", true, joinedAt],
        ["bob", null, false, joinedAt],
      ]);
      const objects = await session.execute(
        select(Order)
          .orderBy((order) => order.id)
          .columns(({ price, serial, country }) => ({ price, serial, isGerman: country.eq("DE") })),
      );
      expectTypeOf(objects.all()).toEqualTypeOf<{ price: string; serial: bigint | null; isGerman: boolean }[]>();
      expect(objects.all()).toEqual([
        { price: "10.50", serial: 7n, isGerman: true },
        { price: "1.25", serial: null, isGerman: false },
        { price: "2.00", serial: null, isGerman: true },
      ]);
      expect((await session.scalars(customers.columns((c) => [c.name]))).all()).toEqual(["ann", "bob", "cid"]);
    });

    test("of a join may be of every class that it reads", async () => {
      await using session = await story(await open());
      const result = await session.execute(
        select(Order)
          .join("customer")
          .where((order) => order.country.eq("DE"))
          .orderBy((_, customer) => customer.name.desc())
          .columns((order, customer) => ({ who: customer.name, units: order.units })),
      );
      expect(result.all()).toEqual([
        { who: "bob", units: 3 },
        { who: "ann", units: 1 },
      ]);
    });

    test("of functions count and sum up groups, which having chooses", async () => {
      await using session = await story(await open());
      const perCustomer = select(Customer)
        .outerJoin("orders")
        .groupBy((customer) => [customer.id, customer.name])
        .orderBy((customer) => customer.name)
        .columns((customer, order) => ({
          name: customer.name,
          orders: func.count(order.id),
          units: func.sum(order.units),
          mean: func.avg(order.units),
          largest: func.max(order.units),
          countries: func.count(order.country).distinct(),
        }));
      const rows = (await session.execute(perCustomer)).all();
      expectTypeOf(rows[0]?.units).toEqualTypeOf<number | null | undefined>();
      expect(rows).toEqual([
        { name: "ann", orders: 2, units: 3, mean: 1.5, largest: 2, countries: 2 },
        { name: "bob", orders: 1, units: 3, mean: 3, largest: 3, countries: 1 },
        { name: "cid", orders: 0, units: null, mean: null, largest: null, countries: 0 },
      ]);
      const busy = perCustomer.having((_, order) => func.count(order.id).gt(1));
      expect((await session.execute(busy)).all()).toHaveLength(1);
      expect(await session.scalar(select(Order).columns(() => [func.count()]))).toBe(3);
      const priced = select(Order).columns((order) => [func.sum(order.price), func.min(order.country)]);
      expect((await session.execute(priced)).one()).toEqual(["13.75", "DE"]);
      expect(await session.scalar(select(Order).columns((order) => [func.sum(order.serial)]))).toBe(7n);
    });

    test("of groups may be computed of what rows are grouped by, wherever that stands in them", async () => {
      await using session = await story(await open());
      const initialOf = (country: Expression<string>) => func<string>("substr", country, 1, 1);
      const asked = (suffix: string) =>
        select(Order)
          .groupBy((order) => initialOf(order.country))
          .orderBy((order) => func.lower(initialOf(order.country)).desc())
          .columns((order) => [
            func.concat(initialOf(order.country), suffix),
            func.sum(func.sum(order.units)).over({ orderBy: initialOf(order.country) }),
          ]);
      const answer = async (suffix: string) => (await session.execute(asked(suffix))).all();
      expect(await answer("!")).toEqual([
        ["F!", 6],
        ["D!", 4],
      ]);
      expect(await answer("?")).toEqual([
        ["F?", 6],
        ["D?", 4],
      ]);
    });

    test("take any function of the database, and SQL of one's own", async () => {
      await using session = await story(await open());
      const result = await session.execute(
        select(Customer)
          .orderBy((customer) => func.lower(customer.name).desc())
          .limit(1)
          .columns((customer) => [
            func.upper(customer.name),
            func.coalesce(customer.nickname, "none"),
            func("replace", customer.name, "ci", "so"),
            sql<number>`${customer.id} * 2`,
          ]),
      );
      expect(result.one()).toEqual(["CID", "none", "sod", 6]);
    });

    test("keep to criteria", async () => {
      await using session = await story(await open());
      listen(session, "doOrmExecute", (event) => {
        if (event.statement instanceof Select)
          event.statement = event.statement.options(withLoaderCriteria(Order, (order) => order.country.ne("DE")));
      });
      const counted = select(Customer)
        .outerJoin("orders")
        .groupBy((customer) => customer.name)
        .orderBy((customer) => customer.name)
        .columns((customer, order) => [customer.name, func.count(order.id)]);
      expect((await session.execute(counted)).all()).toEqual([
        ["ann", 1],
        ["bob", 0],
        ["cid", 0],
      ]);
      expect(await session.scalar(select(Order).columns(() => [func.count()]))).toBe(1);
      const asked = select(Customer)
        .orderBy((customer) => customer.name)
        .columns((customer) => [customer.orders.any((order) => order.country.eq("DE"))]);
      expect((await session.scalars(asked)).all()).toEqual([false, false, false]);
    });

    test("of a repeated shape are compiled once, and values stay parameters", async () => {
      await using session = await story(await open());
      const named = (name: string): Promise<string | null> =>
        session.scalar(
          select(Customer)
            .where({ name })
            .columns((customer) => [func.coalesce(customer.nickname, `${name}?`)]),
        );
      expect([await named("ann"), await named("bob"), await named("x' or '1'='1")]).toEqual(["a", "bob?", null]);
    });

    test("that are none are refused, and so are options that only instances have", async () => {
      await using session = await story(await open());
      expect(() => select(Customer).columns(() => [])).toThrow(/it returned an empty list/);
      expect(() => select(Customer).columns(() => ["name"] as never)).toThrow(/columns\(\) was given a string/);
      // @ts-expect-error a relationship is no column
      expect(() => select(Customer).columns((customer) => [customer.orders])).toThrow(
        /Customer\.orders is a relationship/,
      );
      expect(() => func("count(*); --")).toThrow(/is no name of a function/);
      const both = select(Customer)
        .options(selectinLoad(Customer, "orders"))
        .columns((customer) => [customer.name]);
      await expect(session.execute(both)).rejects.toThrow(/hold no Customer/);
    });
  });
});
