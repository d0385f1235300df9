import { describe, expect, expectTypeOf, test } from "vitest";
import {
  type Argument,
  attributes,
  bindparam,
  caseOf,
  caseWhen,
  cast,
  date,
  func,
  integer,
  literal,
  type OrderBy,
  real,
  select,
  type Selectable,
  sql,
  text,
  timestamp,
  typeCoerce,
  update,
  varchar,
  withLoaderCriteria,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { type OpenSessions, openSessions } from "./open-sessions.ts";
import { Customer, joinedAt, metadata, Order, story } from "./orders-story.ts";

forEachDatabase((db) => {
  const open = (): Promise<OpenSessions> => openSessions(db, metadata, []);
  const orders = select(Order).orderBy((order) => order.id);

  describe("a CASE", () => {
    test("chooses values by conditions, and is null where none holds and there is no else", async () => {
      await using session = await story(await open());
      const rows = await session.execute(
        orders.columns((order) => ({
          size: caseWhen(order.units.gt(2), "large").when(order.units.gt(1), "middle").else("small"),
          bonus: caseWhen(order.country.eq("DE"), 5),
          part: caseWhen(order.country.eq("DE"), 1).else(0.5),
          price: caseWhen(order.units.eq(1), order.price).else("0"),
          serial: caseWhen(order.units.eq(1), order.serial).else(9n),
          isGerman: caseWhen(order.country.eq("DE"), true).else(false),
          since: caseWhen(order.units.eq(1), joinedAt),
        })),
      );
      expectTypeOf(rows.all()).toEqualTypeOf<
        {
          size: string;
          bonus: number | null;
          part: number;
          price: string;
          serial: bigint | null;
          isGerman: boolean;
          since: Date | null;
        }[]
      >();
      expect(rows.all()).toEqual([
        { size: "small", bonus: 5, part: 1, price: "10.50", serial: 7n, isGerman: true, since: joinedAt },
        { size: "middle", bonus: null, part: 0.5, price: "0.00", serial: 9n, isGerman: false, since: null },
        { size: "large", bonus: 5, part: 1, price: "0.00", serial: 9n, isGerman: true, since: null },
      ]);
    });

    test("chooses by what an expression is, too", async () => {
      await using session = await story(await open());
      const named = caseOf(attributes(Order).country).when("DE", "Germany").when("FR", "France").else("elsewhere");
      expect((await session.scalars(orders.columns(() => [named]))).all()).toEqual(["Germany", "France", "Germany"]);
      expect(() => caseOf(attributes(Order).units).when("one" as never, 1)).toThrow(/Order\.units was compared with/);
      expect(() => caseOf("DE" as never)).toThrow(/caseOf\(\) takes an attribute/);
      expect(() => caseWhen(attributes(Order).units.gt(1), undefined)).toThrow(/was given undefined/);
    });

    test("stands in where, orderBy and groupBy, and inside of other functions", async () => {
      await using session = await story(await open());
      const size = caseWhen(attributes(Order).units.gt(1), "large").else("small");
      expect((await session.scalars(orders.where(() => size.eq("large")))).all()).toHaveLength(2);
      const last = select(Order).orderBy((order) => [caseOf(order.country).when("FR", 1).else(2), order.id.desc()]);
      expect((await session.scalars(last)).all().map(({ units }) => units)).toEqual([2, 3, 1]);
      const grouped = select(Order)
        .groupBy(() => size)
        .orderBy(() => size)
        .columns((order) => [size, func.sum(caseWhen(order.country.eq("DE"), order.units).else(0)), func.count()]);
      expect((await session.execute(grouped)).all()).toEqual([
        ["large", 3, 2],
        ["small", 1, 1],
      ]);
    });

    test("takes a value that is given with the execution", async () => {
      await using session = await story(await open());
      const named = orders.columns((order) => [
        caseWhen(order.country.eq("FR"), order.country).else(bindparam<string>("other")),
      ]);
      expect((await session.scalars(named, { other: "XX" })).all()).toEqual(["XX", "FR", "XX"]);
    });

    test("keeps to criteria", async () => {
      await using session = await story(await open());
      const hasGerman = select(Customer)
        .orderBy((customer) => customer.name)
        .options(withLoaderCriteria(Order, (order) => order.country.ne("DE")))
        .columns((customer) => [
          caseWhen(
            customer.orders.any((order) => order.country.eq("DE")),
            1,
          ).else(0),
        ]);
      expect((await session.scalars(hasGerman)).all()).toEqual([0, 0, 0]);
    });
  });

  test("cast lets the database convert, and is read as a column of that type", async () => {
    await using session = await story(await open());
    const rows = await session.execute(
      orders.limit(1).columns((order) => ({
        units: cast(order.units, text()),
        serial: cast(order.serial, text()),
        number: cast("12", integer()),
        half: cast(order.price, real()),
        sum: cast(cast(order.units, text()).concat("0"), integer()).plus(1),
      })),
    );
    expectTypeOf(rows.all()).toEqualTypeOf<
      { units: string; serial: string | null; number: number; half: number; sum: number }[]
    >();
    expect(rows.all()).toEqual([{ units: "1", serial: "7", number: 12, half: 10.5, sum: 11 }]);
    const compared = orders.where((order) => cast(order.units, text()).eq("2"));
    expect((await session.scalars(compared)).one().country).toBe("FR");
  });

  test("cast makes a day of a moment, a moment of a day and words of truth values", async () => {
    await using session = await story(await open());
    const customers = select(Customer).orderBy((customer) => customer.id);
    const rows = await session.execute(
      customers.columns((customer) => ({
        day: cast(customer.joinedAt, date()),
        active: cast(customer.isActive, text()),
        isAnn: cast(customer.name.eq("ann"), varchar(5)),
        missing: cast(customer.nickname.eq("a"), text()),
        given: cast(true, text()),
        givenDay: cast(joinedAt, date()),
        again: cast(cast(customer.joinedAt, date()), date()),
      })),
    );
    const same = { day: "2026-01-02", given: "true", givenDay: "2026-01-02", again: "2026-01-02" };
    expect(rows.all()).toEqual([
      { ...same, active: "true", isAnn: "true", missing: "true" },
      { ...same, active: "false", isAnn: "false", missing: null },
      { ...same, active: "true", isAnn: "false", missing: null },
    ]);
    const that = customers.where((customer) => cast(customer.joinedAt, date()).eq("2026-01-02"));
    expect((await session.scalars(that)).all()).toHaveLength(3);
    const midnight = cast(cast(attributes(Customer).joinedAt, date()), timestamp());
    const found = await session.scalars(customers.where(midnight.eq(new Date("2026-01-02T00:00:00.000Z"))));
    expect(found.all()).toHaveLength(3);
  });

  test("typeCoerce says what a function of the database's answers with", async () => {
    await using session = await story(await open());
    const latest = typeCoerce(func<Date | null>("max", attributes(Customer).joinedAt), timestamp());
    const found = await session.scalar(select(Customer).columns(() => [latest]));
    expectTypeOf(found).toEqualTypeOf<Date | null>();
    expect(found).toEqual(joinedAt);
  });

  test("a literal is a parameter whose type the database knows", async () => {
    await using session = await story(await open());
    const rows = await session.execute(
      select(Customer)
        .limit(1)
        .columns(() => [literal("x"), literal(5), literal(1.5), literal(7n), literal(true), literal(joinedAt)]),
    );
    expectTypeOf(rows.one()).toEqualTypeOf<[string, number, number, bigint, boolean, Date]>();
    expect(rows.one()).toEqual(["x", 5, 1.5, 7n, true, joinedAt]);
    expect(() => literal(1.5, integer())).toThrow(/its type holds a whole number/);
    expect(() => literal(undefined)).toThrow(/literal\(\) was given undefined/);
  });

  describe("arithmetic", () => {
    test("computes with columns and values, of each kind of number", async () => {
      await using session = await story(await open());
      const rows = await session.execute(
        orders.columns((order) => ({
          more: order.units.plus(1),
          fraction: order.units.plus(0.5),
          less: order.units.minus(order.id),
          half: order.units.dividedBy(2),
          total: order.price.times(order.units),
          dearer: order.price.plus("0.25"),
          serial: order.serial.plus(1n),
          nested: order.units.plus(1).times(order.units.minus(1)),
          mean: func.sum(order.units).over().dividedBy(func.count().over()),
        })),
      );
      expectTypeOf(rows.all()).toEqualTypeOf<
        {
          more: number;
          fraction: number;
          less: number;
          half: number;
          total: string;
          dearer: string;
          serial: bigint | null;
          nested: number;
          mean: number | null;
        }[]
      >();
      const read = rows.all().map((row) => ({ ...row, total: Number(row.total), dearer: Number(row.dearer) }));
      expect(read).toEqual([
        { more: 2, fraction: 1.5, less: 0, half: 0.5, total: 10.5, dearer: 10.75, serial: 8n, nested: 0, mean: 2 },
        { more: 3, fraction: 2.5, less: 0, half: 1, total: 2.5, dearer: 1.5, serial: null, nested: 3, mean: 2 },
        { more: 4, fraction: 3.5, less: 0, half: 1.5, total: 6, dearer: 2.25, serial: null, nested: 8, mean: 2 },
      ]);
    });

    test("stands in conditions and orders, and in what an UPDATE sets, which instances in memory follow", async () => {
      await using session = await story(await open());
      const large = select(Order)
        .where((order) => order.units.times(2).gt(order.id.plus(1)))
        .orderBy((order) => order.units.times(-1));
      const found = (await session.scalars(large)).all();
      expect(found.map(({ units }) => units)).toEqual([3, 2]);
      await session.execute(
        update(Order).values((order) => ({ units: order.units.plus(10), country: order.country.concat("!") })),
        undefined,
        { executionOptions: { synchronizeSession: "evaluate" } },
      );
      expect(found.map(({ units, country }) => [units, country])).toEqual([
        [13, "DE!"],
        [12, "FR!"],
      ]);
      const refreshed = await session.scalars(large.executionOptions({ populateExisting: true }));
      expect(refreshed.all().map(({ units, country }) => [units, country])).toContainEqual([13, "DE!"]);
    });

    test("of a shape is compiled once for values of one type, and apart for those of another", async () => {
      await using session = await story(await open());
      const plus = (value: number) => session.scalar(orders.limit(1).columns((order) => [order.units.plus(value)]));
      expect([await plus(1), await plus(1.5), await plus(2), await plus(2.5)]).toEqual([2, 2.5, 3, 3.5]);
    });

    test("refuses what is no number, and texts that concat would join", () => {
      const { units, country } = attributes(Order);
      expect(() => country.plus(1)).toThrow(
        /Order\.country\.plus\(\) computes with numbers, and Order\.country holds a/,
      );
      expect(() => units.plus("x")).toThrow(/Order\.units\.plus\(\) computes with numbers, and was given/);
      // @ts-expect-error -- a date is no number
      expect(() => units.plus(new Date())).toThrow(/was given an object of Date/);
      // @ts-expect-error -- a number is no text
      expect(() => units.concat("x")).toThrow(/joins texts, and Order\.units holds/);
    });
  });

  test("concat joins texts, with NULL to NULL; func.concat leaves it out", async () => {
    await using session = await story(await open());
    const rows = await session.execute(
      select(Customer)
        .orderBy((customer) => customer.name)
        .limit(2)
        .columns((customer) => [
          customer.name.concat("/").concat(customer.nickname),
          func.concat(customer.name, " ", customer.nickname, 1),
        ]),
    );
    expectTypeOf(rows.all()).toEqualTypeOf<[string | null, string][]>();
    expect(rows.all()).toEqual([
      ["ann/a", "ann a1"],
      [null, "bob 1"],
    ]);
  });

  describe("functions", () => {
    test("of any name take values, and texts stand for whatever they take", async () => {
      await using session = await story(await open());
      const rows = await session.execute(
        orders
          .limit(1)
          .columns((order) => [
            func<string>("substr", order.country, 1, 1),
            func<string>("replace", order.country, "D", "x"),
            func<number>("abs", order.units.minus(5)),
          ]),
      );
      expectTypeOf(rows.one()).toEqualTypeOf<[string, string, number]>();
      expect(rows.one()).toEqual(["D", "xE", 4]);
      expect(() => func("lower", undefined)).toThrow(/lower\(\) was given undefined/);
      expect(() => func(5 as never)).toThrow(/is no name of a function/);
      // @ts-expect-error -- what Athanor does not know is named in the call
      expect(() => func.lowr).not.toThrow();
    });

    test.runIf(db.name !== "sqlite")("that take anything are to be told what a text is", async () => {
      await using session = await story(await open());
      const built = (name: Argument): Promise<unknown> =>
        session.scalar(orders.limit(1).columns((order) => [func("json_build_object", name, order.units)]));
      expect(await built(literal("units"))).toEqual({ units: 1 });
      await expect(built("units")).rejects.toThrow(/Give it as literal\(value\), or as cast\(value, text\(\)\)/);
    });

    test("that are aggregates count distinct values, in an order, and only some rows", async () => {
      await using session = await story(await open());
      const joined = db.name === "sqlite" ? "group_concat" : "string_agg";
      const rows = await session.execute(
        select(Order).columns((order) => ({
          german: func.count().filter(order.country.eq("DE")),
          few: func.sum(order.units).filter(order.country.eq("DE")).filter(order.units.lt(3)),
          countries: func.count(order.country).distinct(),
          list: func<string>(joined, order.country, ",").orderBy(order.units.desc()),
        })),
      );
      expect(rows.one()).toEqual({ german: 2, few: 1, countries: 2, list: "DE,FR,DE" });
    });
  });

  describe("windows", () => {
    test("number, rank and compare rows", async () => {
      await using session = await story(await open());
      const rows = await session.execute(
        orders.columns((order) => ({
          number: func.rowNumber().over({ partitionBy: order.country, orderBy: order.units.desc() }),
          rank: func.rank().over({ orderBy: order.country }),
          dense: func.denseRank().over({ orderBy: order.country }),
          half: func.ntile(2).over({ orderBy: [order.country, order.id] }),
          before: func.lag(order.units).over({ orderBy: order.id }),
          earlier: func.lag(order.units, 1, 0).over({ orderBy: order.id }),
          after: func.lead(order.country, 1, "none").over({ orderBy: order.id }),
          first: func.firstValue(order.price).over({ orderBy: order.id }),
          last: func.lastValue(order.serial).over({ orderBy: order.id, rows: [null, null] }),
          second: func.nthValue(order.units, 2).over({ orderBy: order.id }),
          share: func.percentRank().over({ orderBy: order.id }),
          upTo: func.cumeDist().over({ orderBy: order.id }),
        })),
      );
      expectTypeOf(rows.all()[0]).toEqualTypeOf<
        | {
            number: number;
            rank: number;
            dense: number;
            half: number;
            before: number | null;
            earlier: number;
            after: string;
            first: string;
            last: bigint | null;
            second: number | null;
            share: number;
            upTo: number;
          }
        | undefined
      >();
      expect(rows.all().map((row) => Object.values(row))).toEqual([
        [2, 1, 1, 1, null, 0, "FR", "10.50", null, null, 0, 1 / 3],
        [1, 3, 2, 2, 1, 1, "DE", "10.50", null, 2, 0.5, 2 / 3],
        [1, 1, 1, 1, 2, 2, "none", "10.50", null, 2, 1, 1],
      ]);
    });

    test("of aggregates take frames, and filters", async () => {
      await using session = await story(await open());
      const rows = await session.execute(
        orders.columns((order) => [
          func.sum(order.units).over({ orderBy: order.id, rows: [null, 0] }),
          func.sum(order.units).over({ orderBy: order.id, rows: [-1, 1] }),
          func.sum(order.units).over({ orderBy: order.units, range: [0, 1] }),
          func.sum(order.units).over({ partitionBy: order.country, orderBy: order.id, groups: [1, null] }),
          func.sum(order.units).over({ rows: [null, null] }),
          func.count().filter(order.country.eq("DE")).over(),
        ]),
      );
      expect(rows.all()).toEqual([
        [1, 3, 3, 3, 6, 2],
        [3, 6, 5, null, 6, 2],
        [6, 5, 3, null, 6, 2],
      ]);
    });

    test("stand in an order, and hold values that are parameters", async () => {
      await using session = await story(await open());
      const german = (country: string): OrderBy =>
        func
          .sum(caseOf(attributes(Order).country).when(country, 1).else(0))
          .over({ orderBy: attributes(Order).id })
          .desc();
      const ids = async (by: OrderBy): Promise<unknown[]> =>
        (
          await session.scalars(
            select(Order)
              .orderBy((order) => [by, order.id])
              .columns((order) => [order.units]),
          )
        ).all();
      expect(await ids(german("DE"))).toEqual([3, 1, 2]);
      expect(await ids(german("FR"))).toEqual([2, 3, 1]);
    });

    test("keep to criteria", async () => {
      await using session = await story(await open());
      const rows = await session.execute(
        select(Customer)
          .orderBy((customer) => customer.name)
          .options(withLoaderCriteria(Order, (order) => order.country.ne("DE")))
          .columns((customer) => [
            func.count().filter(customer.orders.any()).over(),
            func.rowNumber().over({ orderBy: [caseWhen(customer.orders.any(), 0).else(1), customer.name.desc()] }),
            func.rank().over({ partitionBy: [caseWhen(customer.orders.any(), 0).else(1)], orderBy: customer.name }),
          ]),
      );
      expect(rows.all()).toEqual([
        [1, 1, 1],
        [1, 3, 1],
        [1, 2, 2],
      ]);
    });

    test("refuse frames that are none", () => {
      const over = (options: object) => (): Selectable => func.count().over(options);
      expect(over({ rows: [1, 0] })).toThrow(/count\(\)\.over\(\) got a frame in rows that ends before it begins/);
      expect(over({ rows: [0, 1], range: [0, 1] })).toThrow(/was given rows and range, and has one frame/);
      expect(over({ rows: [0.5, 1] })).toThrow(/is no whole number/);
      expect(over({ groups: 3 })).toThrow(/got no pair for groups/);
    });
  });

  test("expressions may stand in Kysely's sql, and in queries of its own", async () => {
    const opened = await open();
    await using session = await story(opened);
    const connection = await session.connection();
    const kysely = connection.kysely<{ orders: { units: number; country: string } }>();
    const query = kysely
      .selectFrom("orders")
      .select([
        sql`${cast(attributes(Order).units, text())}`.as("units"),
        sql`${literal(2)}`.as("two"),
        sql`${caseWhen(attributes(Order).units.gt(1), "many").else("one")}`.as("size"),
      ])
      .orderBy("orders.units")
      .limit(1);
    expect(await query.execute()).toEqual([{ units: "1", two: 2, size: "one" }]);
  });
});
