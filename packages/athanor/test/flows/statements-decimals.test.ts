import { expect, test } from "vitest";
import {
  attributes,
  bindparam,
  caseWhen,
  deleteFrom,
  type Expression,
  func,
  insert,
  integer,
  literal,
  Metadata,
  model,
  numeric,
  select,
  type Session,
  update,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { openSessions } from "./open-sessions.ts";

const metadata = new Metadata();

class Invoice extends model(
  "invoices",
  { id: integer().primaryKey(), paid: numeric(10, 2), total: numeric(10, 2), rate: numeric().nullable() },
  { metadata },
) {}

forEachDatabase((db) => {
  const invoices = select(Invoice).orderBy((invoice) => invoice.id);
  const { id, paid, total } = attributes(Invoice);

  const open = async (): Promise<Session> => {
    const { SessionLocal } = await openSessions(db, metadata, []);
    const session = SessionLocal();
    await session.execute(insert(Invoice), [
      { id: 1, paid: "1.00", total: "300.00", rate: "0.1" },
      { id: 2, paid: "2.00", total: "300.00", rate: "0.2" },
      { id: 3, paid: "1.01", total: "3.00", rate: null },
    ]);
    return session;
  };

  /** As numbers, since databases write as many zeros as they like. */
  const numbers = async (session: Session, expression: Expression<string | null>): Promise<unknown[]> => {
    const values = (await session.scalars(invoices.columns(() => [expression]))).all();
    expect(values.every((value) => typeof value === "string")).toBe(true);
    return values.map((value) => Number(Number(value).toPrecision(12)));
  };

  test("a quotient and a product of decimal numbers keep the digits that their columns have not", async () => {
    await using session = await open();
    expect(await numbers(session, paid.dividedBy(total))).toEqual([0.00333333333333, 0.00666666666667, 0.336666666667]);
    expect(await numbers(session, paid.dividedBy(total).times(total))).toEqual([1, 2, 1.01]);
    expect((await session.scalars(invoices.columns(() => [paid.times(paid)]))).all()).toEqual([
      "1.0000",
      "4.0000",
      "1.0201",
    ]);
    expect((await session.scalars(invoices.columns(() => [paid.plus("0.001")]))).all()).toEqual([
      "1.001",
      "2.001",
      "1.011",
    ]);
    const added = invoices.columns(() => [paid.plus(bindparam("more"))]);
    expect((await session.scalars(added, { more: "0.001" })).all()).toEqual(["1.001", "2.001", "1.011"]);
    expect((await session.scalars(invoices.columns(() => [paid.minus(total)]))).all()).toEqual([
      "-299.00",
      "-298.00",
      "-1.99",
    ]);
  });

  test("functions of computed decimal numbers keep their digits", async () => {
    await using session = await open();
    const ratio = paid.dividedBy(total);
    const row = select(Invoice).columns(() => [
      func.sum(ratio),
      func.max(ratio),
      func.sum(paid),
      func.sum(paid.times(paid)),
    ]);
    const [sum, max, ...exact] = (await session.execute(row)).one();
    expect([Number(sum), Number(max)]).toEqual([expect.closeTo(0.3466667, 6), expect.closeTo(0.3366667, 6)]);
    expect(exact).toEqual(["4.01", "6.0201"]);
    expect(await numbers(session, func.coalesce(ratio, "0"))).toEqual([
      0.00333333333333, 0.00666666666667, 0.336666666667,
    ]);
    expect(await numbers(session, func.coalesce(attributes(Invoice).rate, paid))).toEqual([0.1, 0.2, 1.01]);
    expect(await numbers(session, func.coalesce(func.nullif(paid, "1.00"), "0.12345"))).toEqual([0.12345, 2, 1.01]);
    expect(await numbers(session, func.lag(paid, 1, "0.125").over({ orderBy: id }))).toEqual([0.125, 1, 2]);
  });

  test("a CASE chooses decimal numbers as they are", async () => {
    await using session = await open();
    expect(await numbers(session, caseWhen(id.eq(1), paid.dividedBy(total)).else("0.12345"))).toEqual([
      0.00333333333333, 0.12345, 0.12345,
    ]);
    expect(await numbers(session, caseWhen(id.eq(2), paid).else("0.12345"))).toEqual([0.12345, 2, 0.12345]);
    expect(await numbers(session, caseWhen(id.eq(2), paid).else("123456789.5"))).toEqual([123456789.5, 2, 123456789.5]);
    expect((await session.scalars(invoices.columns(() => [caseWhen(id.eq(2), paid).else("0")]))).all()).toEqual([
      "0.00",
      "2.00",
      "0.00",
    ]);
    const chosen = invoices.columns(() => [caseWhen(id.eq(2), paid).else(bindparam<string>("other"))]);
    expect((await session.scalars(chosen, { other: "0.125" })).all().map(Number)).toEqual([0.125, 2, 0.125]);
  });

  test("a decimal number is compared as it is given, and not as its column would round it", async () => {
    await using session = await open();
    const found = async (condition: Expression<boolean>, parameters?: Record<string, unknown>) =>
      (
        await session.scalars(
          invoices.where(condition).columns(() => [id]),
          parameters,
        )
      ).all();
    expect(await found(paid.gt("1.005"))).toEqual([2, 3]);
    expect(await found(paid.lt("1.005"))).toEqual([1]);
    expect(await found(paid.eq("1.004"))).toEqual([]);
    expect(await found(paid.ne("1.004"))).toEqual([1, 2, 3]);
    expect(await found(paid.eq("1"))).toEqual([1]);
    expect(await found(paid.in(["1.004", "2.0", "1.0149"]))).toEqual([2]);
    expect(await found(paid.between("1.004", "1.014"))).toEqual([3]);
    expect(await found(paid.gt(bindparam("least")), { least: "1.005" })).toEqual([2, 3]);
    expect(await found(paid.dividedBy(total).gt("0.004"))).toEqual([2, 3]);
    expect(await found(paid.lt("123456789012345678901234567890.5"))).toEqual([1, 2, 3]);
    expect(await found(paid.gt("1.00000000000000000001e-3"))).toEqual([1, 2, 3]);
    // A literal is of the type that it is given.
    expect(await found(paid.eq(literal("1.004", numeric(10, 2))))).toEqual([1]);
  });

  test("what is stored is rounded", async () => {
    await using session = await open();
    await session.execute(update(Invoice).where({ id: 1 }).values({ paid: "1.005" }));
    expect(
      await session.scalar(
        select(Invoice)
          .where({ id: 1 })
          .columns(() => [paid]),
      ),
    ).toBe("1.01");
  });

  test.each(["evaluate", "fetch"] as const)(
    "bulk statements find the same in memory as in the database, by %s",
    async (by) => {
      await using session = await open();
      const [first, second, third] = (await session.scalars(invoices)).all();
      const execute = (condition: Expression<boolean>): Promise<unknown> =>
        session.execute(update(Invoice).where(condition).values({ total: "5.00" }), undefined, {
          executionOptions: { synchronizeSession: by },
        });
      await execute(paid.eq("1.004"));
      expect([first?.total, second?.total, third?.total]).toEqual(["300.00", "300.00", "3.00"]);
      await execute(paid.eq("1"));
      await execute(paid.eq("20e-1"));
      expect([first?.total, second?.total, third?.total]).toEqual(["5.00", "5.00", "3.00"]);
      // What is in memory has been rounded by the column since.
      if (third !== undefined) third.paid = "7.004";
      await session.flush();
      await execute(paid.eq("7.004"));
      if (third !== undefined) await session.refresh(third);
      expect([third?.paid, third?.total]).toEqual(["7.00", "3.00"]);
      await session.execute(deleteFrom(Invoice).where(paid.eq("7.00")), undefined, {
        executionOptions: { synchronizeSession: by },
      });
      expect(await session.get(Invoice, 3)).toBeNull();
    },
  );
});
