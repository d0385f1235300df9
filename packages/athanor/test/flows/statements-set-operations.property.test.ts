import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Columns,
  createAll,
  integer,
  Metadata,
  model,
  select,
  type Select,
  sessionmaker,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";

// Statements put together at random find what the same operations find among lists in memory: whichever are inside of which, ordered, limited, read as tables or not.

const metadata = new Metadata();

class Item extends model("items", { id: integer().primaryKey(), size: integer() }, { metadata }) {}

const items = [1, 2, 3, 4, 5, 6].map((id) => ({ id, size: id % 3 }));

interface Row {
  size: number;
}

type Statement = Select<Row, [Columns<Row>], "columns">;

/** A statement, and what it finds: sizes, in no order. */
interface Found {
  readonly statement: Statement;
  readonly sizes: readonly number[];
}

const distinct = (sizes: readonly number[]): number[] => [...new Set(sizes)];

const sorted = (sizes: readonly number[]): number[] => sizes.toSorted((left, right) => left - right);

const operations: Readonly<Record<string, (one: Found, others: readonly Found[]) => Found>> = {
  union: ({ statement, sizes }, others) => ({
    statement: statement.union(...others.map((other) => other.statement)),
    sizes: distinct([sizes, ...others.map((other) => other.sizes)].flat()),
  }),
  unionAll: ({ statement, sizes }, others) => ({
    statement: statement.unionAll(...others.map((other) => other.statement)),
    sizes: [sizes, ...others.map((other) => other.sizes)].flat(),
  }),
  intersect: ({ statement, sizes }, others) => ({
    statement: statement.intersect(...others.map((other) => other.statement)),
    sizes: distinct(sizes).filter((size) => others.every((other) => other.sizes.includes(size))),
  }),
  except: ({ statement, sizes }, others) => ({
    statement: statement.except(...others.map((other) => other.statement)),
    sizes: distinct(sizes).filter((size) => !others.some((other) => other.sizes.includes(size))),
  }),
};

/** What is done to one statement. */
const changes: Readonly<Record<string, (found: Found, count: number) => Found>> = {
  limited: ({ statement, sizes }, count) => ({
    statement: statement.orderBy((row) => row.size).limit(count),
    sizes: sorted(sizes).slice(0, count),
  }),
  subquery: ({ statement, sizes }, count) => ({
    statement: select(statement.subquery("found"))
      .where((row) => row.size.ne(count))
      .columns((row) => ({ size: row.size })),
    sizes: sizes.filter((size) => size !== count),
  }),
  common: ({ statement, sizes }) => ({ statement: select(statement.cte(`found_${++names}`)), sizes }),
  same: (found) => found,
};

let names = 0;

const simple = fc.record({ least: fc.nat(6), most: fc.nat(6) }).map<Found>(({ least, most }) => ({
  statement: select(Item)
    .where((item) => item.id.between(least, most))
    .columns((item) => ({ size: item.size })) as never,
  sizes: items.filter(({ id }) => id >= least && id <= most).map(({ size }) => size),
}));

const { found } = fc.letrec<{ found: Found }>((tie) => ({
  found: fc.oneof(
    { maxDepth: 3, depthIdentifier: "found" },
    simple,
    fc
      .record({
        one: tie("found"),
        others: fc.array(tie("found"), { minLength: 1, maxLength: 2, depthIdentifier: "found" }),
        operation: fc.constantFrom(...Object.values(operations)),
        change: fc.constantFrom(...Object.values(changes)),
        count: fc.nat(4),
      })
      .map(({ one, others, operation, change, count }) => change(operation(one, others), count)),
  ),
}));

forEachDatabase((db) => {
  test("set operations find what they find among lists in memory", { timeout: 60_000 }, async () => {
    const engine = db.engine();
    await createAll(engine, { metadata });
    await using session = sessionmaker(engine)();
    session.addAll(items.map((values) => new Item(values)));
    await session.flush();
    await fc.assert(
      fc.asyncProperty(found, async ({ statement, sizes }) => {
        const rows = (await session.execute(statement)).all();
        expect(sorted(rows.map(({ size }) => size))).toEqual(sorted(sizes));
      }),
      { numRuns: 150 },
    );
  });
});
