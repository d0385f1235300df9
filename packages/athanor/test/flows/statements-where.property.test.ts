import fc from "fast-check";
import { expect, test } from "vitest";
import {
  and,
  attributes,
  boolean,
  type Condition,
  createAll,
  insert,
  integer,
  Metadata,
  model,
  not,
  or,
  select,
  sessionmaker,
  sql,
  text,
  update,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";

// Random conditions select the same rows as the same conditions worked out in JavaScript, with SQL's logic of three values.

const metadata = new Metadata();
class Row extends model(
  "rows",
  {
    id: integer().primaryKey(),
    count: integer().nullable(),
    limitOf: integer().nullable(),
    name: text().nullable(),
    flag: boolean().nullable(),
  },
  { metadata },
) {}

interface Values {
  readonly id: number;
  readonly count: number | null;
  readonly limitOf: number | null;
  readonly name: string | null;
  readonly flag: boolean | null;
}

const numbers = [null, -1, 0, 1, 2] as const;
const words = [null, "", "a", "ab", "b", "bc"] as const;
const flags = [null, true, false] as const;

const rows: readonly Values[] = numbers.flatMap((count, first) =>
  words.flatMap((name, second) =>
    flags.map((flag, third) => ({
      id: first * 100 + second * 10 + third + 1,
      count,
      limitOf: numbers[(first + second + third) % numbers.length] ?? null,
      name,
      flag,
    })),
  ),
);

/** True, false, or null for unknown. */
type Truth = boolean | null;

interface Tree {
  readonly shown: string;
  readonly condition: Condition;
  readonly test: (row: Values) => Truth;
}

const tree = (shown: string, condition: Condition, test: (row: Values) => Truth): Tree => ({ shown, condition, test });

const row = attributes(Row);

const comparisons = {
  eq: (left: never, right: never) => left === right,
  ne: (left: never, right: never) => left !== right,
  lt: (left: never, right: never) => left < right,
  lte: (left: never, right: never) => left <= right,
  gt: (left: never, right: never) => left > right,
  gte: (left: never, right: never) => left >= right,
} as const;

const compare = (left: unknown, right: unknown, by: (left: never, right: never) => boolean): Truth =>
  left === null || right === null ? null : by(left as never, right as never);

const negate = (truth: Truth): Truth => (truth === null ? null : !truth);

const all = (truths: readonly Truth[]): Truth => (truths.includes(false) ? false : truths.includes(null) ? null : true);

const isLike = (value: string | null, pattern: string): Truth =>
  value === null ? null : new RegExp(`^${pattern.replaceAll("%", ".*").replaceAll("_", ".")}$`, "s").test(value);

const isIn = (value: unknown, list: readonly unknown[]): Truth => {
  if (list.length === 0) return false;
  if (value === null) return null;
  return list.includes(value) ? true : list.includes(null) ? null : false;
};

const number = fc.constantFrom(-2, -1, 0, 1, 2, 3);
const word = fc.constantFrom("", "a", "ab", "b", "bc", "c");
const operator = fc.constantFrom("eq", "ne", "lt", "lte", "gt", "gte");

const leaf: fc.Arbitrary<Tree> = fc.oneof(
  fc
    .tuple(operator, number)
    .map(([by, value]) =>
      tree(`count ${by} ${value}`, row.count[by](value), ({ count }) => compare(count, value, comparisons[by])),
    ),
  fc
    .tuple(operator, word)
    .map(([by, value]) =>
      tree(`name ${by} "${value}"`, row.name[by](value), ({ name }) => compare(name, value, comparisons[by])),
    ),
  operator.map((by) =>
    tree(`count ${by} limitOf`, row.count[by](row.limitOf as never), ({ count, limitOf }) =>
      compare(count, limitOf, comparisons[by]),
    ),
  ),
  fc
    .constantFrom(true, false, null)
    .map((value) =>
      tree(`flag eq ${value}`, row.flag.eq(value), ({ flag }) =>
        value === null ? flag === null : compare(flag, value, comparisons.eq),
      ),
    ),
  fc
    .constantFrom("isNull", "isNotNull")
    .map((by) => tree(`name ${by}`, row.name[by](), ({ name }) => (name === null) === (by === "isNull"))),
  fc
    .tuple(number, number)
    .map(([low, high]) =>
      tree(`count between ${low} and ${high}`, row.count.between(low, high), ({ count }) =>
        count === null ? null : count >= low && count <= high,
      ),
    ),
  fc
    .tuple(fc.boolean(), fc.array(fc.option(number), { maxLength: 4 }))
    .map(([isPositive, list]) =>
      tree(
        `count ${isPositive ? "in" : "not in"} [${list.join()}]`,
        isPositive ? row.count.in(list) : row.count.notIn(list),
        ({ count }) => (isPositive ? isIn(count, list) : negate(isIn(count, list))),
      ),
    ),
  fc
    .tuple(fc.boolean(), fc.constantFrom("%", "a%", "%b%", "_", "a_", ""))
    .map(([isPositive, pattern]) =>
      tree(
        `name ${isPositive ? "like" : "not like"} "${pattern}"`,
        isPositive ? row.name.like(pattern) : row.name.notLike(pattern),
        ({ name }) => (isPositive ? isLike(name, pattern) : negate(isLike(name, pattern))),
      ),
    ),
  number.map((value) =>
    tree(`sql count + 1 > ${value}`, sql<boolean>`${row.count} + 1 > ${value}`, ({ count }) =>
      count === null ? null : count + 1 > value,
    ),
  ),
);

const { condition } = fc.letrec<{ condition: Tree }>((tie) => {
  const several = fc.array(tie("condition"), { maxLength: 3 });
  return {
    condition: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      leaf,
      tie("condition").map((inner) =>
        tree(`not(${inner.shown})`, not(inner.condition), (values) => negate(inner.test(values))),
      ),
      several.map((parts) =>
        tree(
          `and(${parts.map(({ shown }) => shown).join(", ")})`,
          and(...parts.map(({ condition }) => condition)),
          (values) => all(parts.map((part) => part.test(values))),
        ),
      ),
      several.map((parts) =>
        tree(
          `or(${parts.map(({ shown }) => shown).join(", ")})`,
          or(...parts.map(({ condition }) => condition)),
          (values) => negate(all(parts.map((part) => negate(part.test(values))))),
        ),
      ),
    ),
  };
});

forEachDatabase((db) => {
  test("random conditions find the rows that they hold for", async () => {
    const engine = db.engine();
    await createAll(engine, { metadata });
    const SessionLocal = sessionmaker(engine);
    await SessionLocal.begin((session) => session.addAll(rows.map((values) => new Row(values))));
    await using session = SessionLocal();
    await fc.assert(
      fc.asyncProperty(fc.array(condition, { minLength: 1, maxLength: 2 }), async (trees) => {
        const statement = trees.reduce((query, { condition }) => query.where(condition), select(Row));
        const found = (await session.scalars(statement.orderBy(({ id }) => id))).all().map(({ id }) => id);
        const expected = rows.filter((values) => trees.every((part) => part.test(values) === true)).map(({ id }) => id);
        const shown = trees.map((part) => part.shown).join(" and ");
        expect({ shown, found }).toEqual({ shown, found: expected });
      }),
      { numRuns: db.name === "sqlite" ? 300 : 100 },
    );
  }, 60_000);

  test("an UPDATE with a random condition changes the instances whose rows it changes", async () => {
    const engine = db.engine();
    await createAll(engine, { metadata });
    const SessionLocal = sessionmaker(engine);
    await SessionLocal.begin((session) => session.execute(insert(Row), rows));
    await using session = SessionLocal();
    await fc.assert(
      fc.asyncProperty(condition, async ({ shown, condition, test }) => {
        const instances = (await session.scalars(select(Row).orderBy(({ id }) => id))).all();
        const { rowCount } = await session.execute(update(Row).where(condition).values({ limitOf: 77 }));
        const changed = instances.filter(({ limitOf }) => limitOf === 77).map(({ id }) => id);
        await session.rollback();
        const expected = rows.filter((values) => test(values) === true).map(({ id }) => id);
        expect({ shown, changed, rowCount }).toEqual({ shown, changed: expected, rowCount: expected.length });
      }),
      { numRuns: db.name === "sqlite" ? 200 : 50 },
    );
  }, 60_000);
});
