import fc from "fast-check";
import { expect, test } from "vitest";
import {
  attributes,
  caseWhen,
  createAll,
  func,
  insert,
  integer,
  type Expression,
  Metadata,
  model,
  numeric,
  select,
  sessionmaker,
} from "../../src/index.ts";
import type { ComparableExpression } from "../../src/sql/comparable-expression.ts";
import { forEachDatabase } from "../databases.ts";

// Random computations with decimal numbers come, on every database, to what they come to in JavaScript, as far as a double goes.

const metadata = new Metadata();
class Row extends model(
  "rows",
  {
    id: integer().primaryKey(),
    cents: numeric(10, 2),
    mills: numeric(9, 3).nullable(),
    any: numeric(),
    whole: numeric(5),
  },
  { metadata },
) {}

const columns = ["cents", "mills", "any", "whole"] as const;
const rows = [
  { id: 1, cents: "1.00", mills: "300.125", any: "0.1", whole: "3" },
  { id: 2, cents: "2.01", mills: null, any: "0.2", whole: "7" },
  { id: 3, cents: "-0.07", mills: "0.001", any: "12.34567", whole: "11" },
  { id: 4, cents: "999.99", mills: "-3.5", any: "1", whole: "1" },
];
type Values = (typeof rows)[number];

/** A value, and the largest that it was made of: what is rounded of that is missing in the value. */
interface Found {
  readonly value: number;
  readonly size: number;
}

interface Computation {
  readonly text: string;
  readonly expression: ComparableExpression<string | null>;
  readonly find: (row: Values) => Found | null;
}

const row = attributes(Row);
const literals = ["0", "0.1", "-2.5", "0.12345", "1.005", "40"] as const;

const column: fc.Arbitrary<Computation> = fc.constantFrom(...columns).map((name) => ({
  text: name,
  expression: row[name],
  find: (values: Values) => {
    const value = values[name];
    return value === null ? null : { value: Number(value), size: Math.abs(Number(value)) };
  },
}));
const literal = fc.constantFrom(...literals);
const found = (value: number, size: number): Found => ({ value, size: Math.max(size, Math.abs(value)) });

const { computation } = fc.letrec<{ computation: Computation }>((tie) => ({
  computation: fc.oneof(
    { maxDepth: 3, depthSize: "large" },
    column,
    fc
      .tuple(tie("computation"), fc.constantFrom("plus", "minus", "times"), tie("computation"))
      .map(([left, method, right]) => ({
        text: `(${left.text} ${method} ${right.text})`,
        expression: left.expression[method](right.expression),
        find: (values: Values) => {
          const [one, other] = [left.find(values), right.find(values)];
          if (one === null || other === null) return null;
          if (method === "times") return found(one.value * other.value, one.size * other.size);
          const value = method === "plus" ? one.value + other.value : one.value - other.value;
          return found(value, Math.max(one.size, other.size));
        },
      })),
    fc.tuple(tie("computation"), fc.constantFrom("plus", "minus", "times"), literal).map(([left, method, given]) => ({
      text: `(${left.text} ${method} "${given}")`,
      expression: left.expression[method](given),
      find: (values: Values) => {
        const one = left.find(values);
        if (one === null) return null;
        if (method === "times") return found(one.value * Number(given), one.size * Math.abs(Number(given)));
        return found(
          method === "plus" ? one.value + Number(given) : one.value - Number(given),
          Math.max(one.size, Number(given)),
        );
      },
    })),
    fc.tuple(tie("computation"), fc.constantFrom("cents", "any", "whole")).map(([left, name]) => ({
      text: `(${left.text} / ${name})`,
      expression: left.expression.dividedBy(row[name]),
      find: (values: Values) => {
        const one = left.find(values);
        const by = Number(values[name]);
        return one === null ? null : found(one.value / by, one.size / Math.abs(by));
      },
    })),
    fc.tuple(tie("computation"), fc.oneof(tie("computation"), literal)).map(([left, other]) => ({
      text: `coalesce(${left.text}, ${typeof other === "string" ? other : other.text})`,
      expression: func.coalesce(left.expression, typeof other === "string" ? other : other.expression),
      find: (values: Values) => left.find(values) ?? findGiven(other, values),
    })),
    fc
      .tuple(column, literal, tie("computation"), fc.oneof(tie("computation"), literal))
      .map(([tested, least, left, other]) => ({
        text: `case when ${tested.text} > ${least} then ${left.text} else ${typeof other === "string" ? other : other.text}`,
        expression: caseWhen(tested.expression.gt(least), left.expression).else<string | null>(
          typeof other === "string" ? other : other.expression,
        ),
        find: (values: Values) => {
          const value = tested.find(values);
          return value !== null && value.value > Number(least) ? left.find(values) : findGiven(other, values);
        },
      })),
  ),
}));

function findGiven(given: string | Computation, values: Values): Found | null {
  return typeof given === "string" ? found(Number(given), 0) : given.find(values);
}

/** @param text the computation, which a failure shows */
function expectNear(value: string | null, expected: Found | null, text: string): void {
  const isNear =
    value === null || expected === null
      ? value === expected
      : typeof value === "string" && Math.abs(Number(value) - expected.value) <= 1e-10 * Math.max(1, expected.size);
  expect({ text, value, expected, isNear }).toEqual({ text, value, expected, isNear: true });
}

forEachDatabase((db) => {
  test("computations come to what JavaScript comes to", { timeout: 60_000 }, async () => {
    const engine = db.engine();
    await createAll(engine, { metadata });
    const SessionLocal = sessionmaker(engine);
    await SessionLocal.begin((session) => session.execute(insert(Row), rows));
    await using session = SessionLocal();
    const one = async (of: Expression<string | null>): Promise<(string | null)[]> =>
      (
        await session.scalars(
          select(Row)
            .orderBy(() => row.id)
            .columns(() => [of]),
        )
      ).all();
    await fc.assert(
      fc.asyncProperty(computation, async ({ text, expression, find }) => {
        const values = await one(expression);
        const expected = rows.map(find);
        for (const [index, value] of values.entries()) expectNear(value, expected[index] ?? null, text);
        const summed = expected.filter((each) => each !== null);
        const sum = await session.scalar(select(Row).columns(() => [func.sum(expression)]));
        const total = summed.reduce(
          (before, { value, size }) => found(before.value + value, Math.max(before.size, size)),
          found(0, 0),
        );
        expectNear(sum, summed.length === 0 ? null : total, `sum(${text})`);
      }),
      { numRuns: 100 },
    );
  });
});
