import type { Connection } from "../engine/connection.ts";
import { StatementPlan } from "../loading/statement-plan.ts";
import type { ColumnProperty, Mapper } from "../mapping/mapper.ts";
import type { Table } from "../mapping/table.ts";
import { ColumnExpression } from "../sql/column-expression.ts";
import { compileSelect } from "../sql/compile.ts";
import { compileRowChange, type RowChange } from "../sql/compile-bulk.ts";
import { and, or } from "../sql/conditions.ts";
import type { Expression } from "../sql/expression.ts";
import { emptyPlan, type LoadingPlan } from "../sql/loading-plan.ts";
import { Select } from "../sql/select.ts";
import type { SelectedColumns } from "../sql/selected-columns.ts";

/** The values of a statement's `bindparam`s. */
export type Parameters = Readonly<Record<string, unknown>> | undefined;

/** The key of a row, in the order of the key's columns. */
export type Key = readonly unknown[];

/** Rows of a class, with the values that users know. */
export interface Rows {
  readonly columns: readonly ColumnProperty[];
  /** Of each row, in the order of the columns. */
  readonly values: readonly (readonly unknown[])[];
}

/** The keys of rows. */
export function keysOf({ columns, values }: Rows, { primaryKey }: Mapper): readonly Key[] {
  if (columns === primaryKey) return values;
  const places = primaryKey.map((property) => columns.indexOf(property));
  return values.map((row) => places.map((place) => row[place]));
}

/** Rows as objects, with their values by attribute. */
export function namedRows({ columns, values }: Rows): readonly Readonly<Record<string, unknown>>[] {
  return values.map((row) => Object.fromEntries(columns.map(({ key }, index) => [key, row[index]])));
}

/**
 * Finds rows that will be changed by their keys, and keeps others from changing them meanwhile: what follows concerns these rows, whatever the condition that
 * found them would find then.
 */
export async function selectRows(connection: Connection, select: Select<unknown>, given: Parameters): Promise<Rows> {
  const { dialect } = connection.engine;
  const { criteria } = select.parts.plan ?? emptyPlan;
  // Of what listeners said of it only the criteria matter: it loads no instances.
  const { select: filtered } = new StatementPlan(select.forUpdate(), { ...emptyPlan, criteria });
  const { sql, parameters } = compileSelect(filtered, dialect, given);
  return rowsOf(select.properties, (await connection.run(sql, parameters)).rows, connection);
}

/** Finds the keys of those of some rows that criteria do not hide, and keeps others from changing them meanwhile. */
export async function selectRowsAmong(
  connection: Connection,
  mapper: Mapper,
  keys: readonly Key[],
  plan: LoadingPlan,
): Promise<Rows> {
  const keyColumns = mapper.primaryKey.map(({ source }) => new ColumnExpression(source.table, source.column));
  const columns = mapper.primaryKey;
  const values: (readonly unknown[])[] = [];
  for (const some of portions(keys)) {
    const parts = { where: isAmong(keyColumns, some), plan, columns, orderBy: [], executionOptions: {} };
    values.push(...(await selectRows(connection, new Select<unknown>(mapper.class as never, parts), undefined)).values);
  }
  return { columns, values };
}

/** Finds rows by their keys, with all columns or with what was chosen, as the driver gives them. */
export async function selectByKeys(
  connection: Connection,
  mapper: Mapper,
  keys: readonly Key[],
  selected?: SelectedColumns,
): Promise<unknown[][]> {
  const keyColumns = mapper.primaryKey.map(({ source }) => new ColumnExpression(source.table, source.column));
  const parts = selected === undefined ? { columns: mapper.columnProperties } : { selected };
  const found: unknown[][] = [];
  for (const some of portions(keys)) {
    const where = isAmong(keyColumns, some);
    const select = new Select<unknown>(mapper.class as never, { ...parts, where, orderBy: [], executionOptions: {} });
    const { sql, parameters } = compileSelect(select, connection.engine.dialect, undefined);
    found.push(...(await connection.run(sql, parameters)).rows);
  }
  return found;
}

/**
 * Changes rows by one statement. Answers with the rows as the driver gives them, where there is something to answer with.
 *
 * @param returning what it answers with of each row that it changed
 */
export async function changeRows(
  connection: Connection,
  change: Omit<RowChange, "returning">,
  returning: readonly ColumnProperty[],
  given: Parameters,
): Promise<{ readonly rows: unknown[][]; readonly rowCount: number }> {
  const { dialect } = connection.engine;
  const answered = { ...change, returning: returning.map(({ source }) => source.column) };
  const { sql, parameters } = compileRowChange(answered, dialect, given);
  const { rows, rowCount } = await connection.run(sql, parameters);
  const isAnswered = returning.length > 0 || change.selected !== undefined;
  return { rows, rowCount: isAnswered ? rows.length : rowCount };
}

/** Changes the part of the rows that one table holds. */
export async function changeByKeys(
  connection: Connection,
  change: Omit<RowChange, "where" | "returning">,
  keys: readonly Key[],
  parameters: Parameters,
): Promise<void> {
  const columns = keyColumnsIn(change.table, change.mapper);
  for (const some of portions(keys))
    await changeRows(connection, { ...change, where: isAmong(columns, some) }, [], parameters);
}

/** What the driver gives, as users see it. */
export function rowsOf(
  columns: readonly ColumnProperty[],
  values: readonly (readonly unknown[])[],
  { engine }: Connection,
): Rows {
  const conversions = columns.map(({ source }) => engine.dialect.codec(source.column.type).fromDriver);
  if (conversions.every((fromDriver) => fromDriver === undefined)) return { columns, values };
  const convert = (value: unknown, index: number): unknown => {
    const fromDriver = conversions[index];
    return value === null || fromDriver === undefined ? value : fromDriver(value);
  };
  return { columns, values: values.map((row) => row.map(convert)) };
}

/** How many rows one statement finds by their keys: few sizes, so that few texts are prepared. */
const KEYS_TOGETHER = [500, 50, 5, 1];

function* portions(keys: readonly Key[]): Generator<readonly Key[]> {
  let start = 0;
  while (start < keys.length) {
    const size = KEYS_TOGETHER.find((count) => count <= keys.length - start) ?? 1;
    yield keys.slice(start, start + size);
    start += size;
  }
}

/** The key's columns in one table, in the key's order. A subclass's table may call them otherwise. */
export function keyColumnsIn(table: Table, mapper: Mapper): readonly ColumnExpression[] {
  const own = table.primaryKey;
  return mapper.primaryKey.map(({ stored, source }, index) => {
    const column = stored.find((place) => place.table === table)?.column ?? own[index] ?? source.column;
    return new ColumnExpression(table, column);
  });
}

function isAmong(columns: readonly ColumnExpression[], keys: readonly Key[]): Expression<boolean> {
  const [only] = columns;
  if (columns.length === 1 && only !== undefined) return only.in(keys.map(([value]) => value));
  return or(...keys.map((key) => and(...columns.map((column, index) => column.eq(key[index])))));
}
