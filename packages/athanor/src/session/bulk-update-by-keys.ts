import type { Connection } from "../engine/connection.ts";
import { Result } from "../engine/result.ts";
import { ArgumentError, InvalidRequestError } from "../event/errors.ts";
import { identityKey } from "../mapping/identity.ts";
import type { ColumnProperty, Mapper } from "../mapping/mapper.ts";
import type { Table, TableColumn } from "../mapping/table.ts";
import { type Assignments, assignmentsOf } from "../sql/assigned.ts";
import { ColumnExpression } from "../sql/column-expression.ts";
import { compileRowChange } from "../sql/compile-bulk.ts";
import { and } from "../sql/conditions.ts";
import { BoundValue, type Expression } from "../sql/expression.ts";
import { emptyPlan } from "../sql/loading-plan.ts";
import type { Update } from "../sql/update.ts";
import { valueOf } from "../unit-of-work/column-defaults.ts";
import { StaleDataError } from "../unit-of-work/errors.ts";
import { rowsToTell, tellBulk } from "./bulk-events.ts";
import { type Key, keyColumnsIn, keysOf, rowsOf, selectByKeys, selectRowsAmong } from "./bulk-rows.ts";
import type { Execution } from "./execute.ts";
import type { SessionState } from "./session-state.ts";
import { matchesOfKeys, syncUpdated } from "./synchronize-bulk.ts";

/** A row that is to be changed. */
interface ChangedRow {
  readonly key: Key;
  /** The version that it has, as the program knows it. */
  readonly version: unknown;
  /** What was given, and what every UPDATE sets. */
  readonly values: ReadonlyMap<ColumnProperty, unknown>;
  readonly given: Assignments;
}

/**
 * Executes `update(User)` with a list of rows: each says by its key which row it is about, and what of it changes. Instances that the session has of them take the values
 * over.
 */
export async function runUpdateByKeys(
  core: SessionState,
  statement: Update<unknown, unknown>,
  execution: Execution,
  given: readonly unknown[],
): Promise<Result<unknown>> {
  const { mapper } = statement;
  expectPlain(statement);
  const isSynchronized = expectSynchronization(statement, execution);
  const rows = given.map((row, index) => changedRow(mapper, row, index));
  const keys = rows.map(({ key }) => key);
  const told = rowsToTell(core, statement, execution);
  const connection = await core.autobegin().connect();
  await expectSeen(connection, statement, rows);
  const { columnProperties: columns } = mapper;
  const read = async () => rowsOf(columns, await selectByKeys(connection, mapper, keys), connection);
  const before = told === "before" ? await read() : undefined;
  for (const table of mapper.tables) await writeTable(connection, mapper, table, rows);
  if (isSynchronized) for (const row of rows) synchronizeRow(core, mapper, row);
  const result = new Result<unknown>([], rows.length);
  await tellBulk(core, statement, execution, result, told === "after" ? await read() : before);
  return result;
}

function expectPlain({ entity, parts }: Update<unknown, unknown>): void {
  const refused =
    parts.where !== undefined ? "where()" : parts.values.size > 0 ? "values()" : parts.returning && "returning()";
  if (refused === undefined) return;
  throw new ArgumentError(
    `update(${entity.name}) was executed with a list of rows, and has ${refused} too. With a list each row says by its key which one it is, and what it is set to: ` +
      `leave out ${refused}; or, to change many rows in one way, the list.`,
  );
}

/** Whether instances take the values over. */
function expectSynchronization({ entity, parts }: Update<unknown, unknown>, { options }: Execution): boolean {
  const wanted = options.synchronizeSession ?? parts.executionOptions.synchronizeSession ?? "auto";
  if (wanted === "auto" || wanted === "evaluate") return true;
  if (wanted === false) return false;
  throw new InvalidRequestError(
    `update(${entity.name}) with a list of rows knows their keys and values, so there is nothing that synchronizeSession: ${JSON.stringify(wanted)} could ask for. Leave the option out, or set it to false.`,
  );
}

function changedRow(mapper: Mapper, row: unknown, index: number): ChangedRow {
  const { name } = mapper.class;
  const what = `Row ${index + 1} of update(${name})`;
  const given = assignmentsOf(mapper, row, what);
  const values = new Map<ColumnProperty, unknown>();
  for (const [property, value] of given) {
    if (!(value instanceof BoundValue) || value.bind.name !== undefined) {
      throw new ArgumentError(
        `${what} has an expression for ${property.key}, and rows of a list have values. Use update(${name}).where(…).values(…).`,
      );
    }
    values.set(property, value.bind.value);
  }
  const take = (property: ColumnProperty): unknown => {
    const value = values.get(property);
    values.delete(property);
    if (value != null) return value;
    throw new ArgumentError(
      property === mapper.version
        ? `${what} lacks ${property.key}, the version that the row has as far as you know. It is raised by one, and tells whether somebody else has changed the row.`
        : `${what} lacks ${property.key}, and says by its key which row it is about: { ${mapper.primaryKey.map(({ key }) => `${key}: …`).join(", ")}, … }. To change rows that a condition finds, use where() and values().`,
    );
  };
  const key = mapper.primaryKey.map(take);
  const version = mapper.version === undefined ? undefined : take(mapper.version);
  if (values.size === 0)
    throw new ArgumentError(
      `${what} has nothing but its key, so there is nothing to set. Leave it out, or give it values.`,
    );
  for (const property of mapper.columnProperties) {
    const { onupdate } = property.column.options;
    if (onupdate !== undefined && !values.has(property)) values.set(property, valueOf(onupdate));
  }
  if (mapper.version !== undefined) values.set(mapper.version, Number(version) + 1);
  return { key, version, values, given };
}

/** Rows that criteria hide are not there. */
async function expectSeen(
  connection: Connection,
  { mapper, parts }: Update<unknown, unknown>,
  rows: readonly ChangedRow[],
): Promise<void> {
  const { plan = emptyPlan } = parts;
  if (plan.criteria.length === 0 || rows.length === 0) return;
  const keys = rows.map(({ key }) => key);
  const seen = await selectRowsAmong(connection, mapper, keys, plan);
  const identities = new Set(keysOf(seen, mapper).map((key) => identityKey(mapper, key)));
  const missing = rows.findIndex(({ key }) => !identities.has(identityKey(mapper, key)));
  if (missing !== -1) throw stale(mapper, missing);
}

async function writeTable(
  connection: Connection,
  mapper: Mapper,
  table: Table,
  rows: readonly ChangedRow[],
): Promise<void> {
  const keyColumns = keyColumnsIn(table, mapper);
  let text: string | undefined;
  let sets: unknown[][] = [];
  let indexes: number[] = [];
  const flush = async (): Promise<void> => {
    if (text === undefined) return;
    const { rowCounts } = await connection.runEach(text, sets);
    const missing = rowCounts?.findIndex((count) => count === 0) ?? -1;
    if (missing !== -1) throw stale(mapper, indexes[missing] as number);
  };
  for (const [index, row] of rows.entries()) {
    const values = valuesIn(table, row);
    if (values.size === 0) continue;
    const where = whereOf(mapper, table, keyColumns, row);
    const change = { mapper, table, values, where, returning: [] };
    const { sql, parameters } = compileRowChange(change, connection.engine.dialect, undefined);
    if (sql !== text) {
      await flush();
      [text, sets, indexes] = [sql, [], []];
    }
    sets.push(parameters);
    indexes.push(index);
  }
  await flush();
}

function valuesIn(table: Table, { values }: ChangedRow): ReadonlyMap<TableColumn, Expression<unknown>> {
  const own = new Map<TableColumn, Expression<unknown>>();
  // In one order, so that rows with the same columns have the same text.
  const ordered = [...values].toSorted(([left], [right]) => left.slot - right.slot);
  for (const [{ source }, value] of ordered)
    if (source.table === table) own.set(source.column, new BoundValue(value, source.column.type));
  return own;
}

function whereOf(
  { version }: Mapper,
  table: Table,
  keyColumns: readonly ColumnExpression[],
  row: ChangedRow,
): Expression<boolean> {
  const conditions = keyColumns.map((column, index) => column.eq(row.key[index]));
  if (version?.source.table === table)
    conditions.push(new ColumnExpression(table, version.source.column).eq(row.version));
  return and(...conditions);
}

function stale({ class: { name }, version }: Mapper, index: number): StaleDataError {
  return new StaleDataError(
    `Row ${index + 1} of update(${name}) was not found. ${version === undefined ? "Somebody has deleted it" : "Somebody has changed or deleted it"}, or its key is none of the rows that the session may see. ` +
      `Roll back, load the rows again, and decide anew.`,
  );
}

function synchronizeRow(core: SessionState, mapper: Mapper, { key, values, given }: ChangedRow): void {
  const assigned = [...values].map(([property, value]) => ({
    attribute: mapper.instrumentation.expect(property.key),
    slot: property.slot,
    evaluate: () => value,
    isGiven: given.has(property) && property !== mapper.version,
  }));
  syncUpdated(core, matchesOfKeys(core, mapper, [key]), assigned, { isByKeys: true });
}
