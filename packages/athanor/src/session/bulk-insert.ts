import type { Result } from "../engine/result.ts";
import { ArgumentError } from "../event/errors.ts";
import type { ColumnProperty, Mapper } from "../mapping/mapper.ts";
import { type Assignments, assignmentsOf, expectColumn } from "../sql/assigned.ts";
import { Attribute } from "../sql/attribute.ts";
import { BoundValue, describeGiven, type Expression } from "../sql/expression.ts";
import type { Insert } from "../sql/insert.ts";
import { SelectedColumns } from "../sql/selected-columns.ts";
import { defaultsOf, valueOf } from "../unit-of-work/column-defaults.ts";
import { insertRows, type NewRow } from "../unit-of-work/insert-rows.ts";
import type { Dispatcher, Execution } from "./execute.ts";
import { runInsertStatement } from "./insert-statement.ts";
import { ReturnedRows } from "./returned-rows.ts";
import type { SessionState } from "./session-state.ts";

type GivenRow = Readonly<Record<string, unknown>>;

/** Executes `insert(User)` with the rows that it has or was given. No instance is made of them, unless it answers with instances. */
export async function runInsert(
  core: SessionState,
  statement: Insert<unknown, unknown>,
  execution: Execution,
  dispatch: Dispatcher,
): Promise<Result<unknown>> {
  const { mapper } = statement;
  const { source, conflict, returning, rows: own } = statement.parts;
  const given = source === undefined ? givenRows(statement, execution) : refuseRows(statement, execution);
  const isWorkedOut = own?.some((row) => row.values().some((value) => !isValue(value))) === true;
  const slots = returning instanceof SelectedColumns ? slotsOf(mapper, returning) : [];
  if (source !== undefined || conflict !== undefined || isWorkedOut || slots === undefined) {
    const rows = own ?? given.map((row) => assignmentsOf(mapper, row, "A row"));
    return runInsertStatement(core, await core.autobegin().connect(), statement, execution, rows, dispatch);
  }
  const returned = new ReturnedRows(core, statement, execution);
  const rows = (own?.map(valuesByName) ?? given).map((row) => newRow(mapper, row, returned.isWanted));
  const connection = await core.autobegin().connect();
  for (const table of mapper.tables) {
    for (const row of rows) row.state.written = false;
    await insertRows(rows, table, connection, returned.isWanted);
  }
  if (returned.isWanted) {
    const places = returned.areInstances ? mapper.columnProperties.map(({ slot }) => slot) : slots;
    const told = rows.flatMap((row) => (row.told === undefined || row.told.length === 0 ? [] : [row.told]));
    returned.take(
      told.map((values) => places.map((slot) => values[slot])),
      0,
    );
  }
  return returned.result(connection, rows.length, dispatch);
}

function isValue(value: Expression<unknown>): boolean {
  return value instanceof BoundValue && value.bind.name === undefined;
}

/** Where what is returned stands among the values of a row; undefined where only the database knows it. */
function slotsOf(mapper: Mapper, { items }: SelectedColumns): readonly number[] | undefined {
  const slots = items.map((item) =>
    item instanceof Attribute && item.alias === undefined ? mapper.column(item.key)?.slot : undefined,
  );
  return slots.every((slot) => slot !== undefined) ? slots : undefined;
}

function givenRows(statement: Insert<unknown, unknown>, { parameters }: Execution): readonly GivenRow[] {
  const { mapper, parts } = statement;
  if (parts.rows === undefined) return expectRows(mapper, parameters);
  return refuseRows(statement, { parameters });
}

function refuseRows({ entity }: Insert<unknown, unknown>, { parameters }: Pick<Execution, "parameters">): readonly [] {
  if (parameters === undefined) return [];
  throw new ArgumentError(
    `insert(${entity.name}) has its rows by values() or fromSelect(), and was executed with others. Give it all of them in one place.`,
  );
}

function expectRows(mapper: Mapper, given: unknown): readonly GivenRow[] {
  const rows: readonly unknown[] = Array.isArray(given) ? given : [given];
  for (const row of rows) {
    if (typeof row === "object" && row !== null && !Array.isArray(row)) continue;
    throw new ArgumentError(
      `insert(${mapper.class.name}) was executed with ${given === undefined ? "no rows" : `${describeGiven(row)} for a row`}. ` +
        `Give it one object with values by attribute, or a list of them: session.execute(insert(${mapper.class.name}), [{ … }, { … }]).`,
    );
  }
  return rows as readonly GivenRow[];
}

function valuesByName(row: Assignments): GivenRow {
  return Object.fromEntries(
    [...row].map(([{ key }, value]: readonly [ColumnProperty, Expression<unknown>]) => [
      key,
      (value as BoundValue).bind.value,
    ]),
  );
}

/** The values of a row by slot, with what the program left out: its class's identity, defaults, the first version. */
function newRow(mapper: Mapper, given: GivenRow, isTold: boolean): NewRow {
  const values: unknown[] = mapper.instrumentation.empty.slice();
  for (const key in given) {
    const { slot } = expectColumn(mapper, key);
    values[slot] = given[key];
  }
  const { polymorphicOn, polymorphicIdentity, version } = mapper;
  if (polymorphicOn !== undefined) values[polymorphicOn.slot] ??= polymorphicIdentity;
  // As when instances are written, null counts as not set where there is a default.
  for (const { property, options } of defaultsOf(mapper)) values[property.slot] ??= valueOf(options);
  if (version !== undefined) values[version.slot] ??= 1;
  const told = isTold ? [] : undefined;
  return { mapper, told, state: { values, written: false }, refreshed: undefined, isInserted: false };
}
