import type { Connection } from "../engine/connection.ts";
import type { Result } from "../engine/result.ts";
import { ArgumentError, InvalidRequestError } from "../event/errors.ts";
import { criteriaCondition, restrictionOf } from "../loading/criteria-condition.ts";
import type { ColumnProperty, Mapper } from "../mapping/mapper.ts";
import type { Assignments } from "../sql/assigned.ts";
import { compileInsert, type RowsInsert } from "../sql/compile-insert.ts";
import { and, conjunction } from "../sql/conditions.ts";
import { BoundValue, type Expression, type Restriction } from "../sql/expression.ts";
import type { Insert, InsertSource } from "../sql/insert.ts";
import { emptyPlan } from "../sql/loading-plan.ts";
import type { Conflict } from "../sql/on-conflict.ts";
import { Select } from "../sql/select.ts";
import { SelectedColumns } from "../sql/selected-columns.ts";
import { Structure } from "../sql/structure.ts";
import { defaultsOf, valueOf } from "../unit-of-work/column-defaults.ts";
import type { Dispatcher, Execution } from "./execute.ts";
import { ReturnedRows } from "./returned-rows.ts";
import type { SessionState } from "./session-state.ts";
import { syncConflicts, syncReturned } from "./synchronize-upsert.ts";

/** How many rows one statement inserts at most: few sizes, so that few texts are prepared. */
const ROWS_TOGETHER = [1000, 100, 10, 1];

/**
 * Executes an INSERT that the database itself has to work out: its values are expressions or come from a SELECT, some of its rows may be there already, or it answers with
 * what only the database knows.
 */
export async function runInsertStatement(
  core: SessionState,
  connection: Connection,
  statement: Insert<unknown, unknown>,
  execution: Execution,
  given: readonly Assignments[],
  dispatch: Dispatcher,
): Promise<Result<unknown>> {
  const { mapper, parts } = statement;
  const { dialect } = connection.engine;
  expectOneTable(mapper);
  const { criteria } = parts.plan ?? emptyPlan;
  const restriction = restrictionOf(criteria);
  const conflict = conflictOf(parts.conflict, mapper, criteria, restriction);
  const returned = new ReturnedRows(core, statement, execution);
  if ((returned.isWanted && !dialect.traits.returning) || (conflict !== undefined && !dialect.traits.onConflict))
    throw cannot(mapper, dialect.name, conflict !== undefined && !dialect.traits.onConflict);
  const returning = returned.areInstances ? mapper.columnProperties : [];
  const rows = parts.source === undefined ? given.map((row) => completed(mapper, row, restriction)) : undefined;
  const inserts: Iterable<Pick<RowsInsert, "columns" | "rows">> =
    parts.source === undefined
      ? portions(rows ?? [], dialect.traits.maxParameters)
      : [selectedRows(mapper, parts.source, restriction, conflict)];
  let rowCount = 0;
  for (const insert of inserts) {
    const compiled = compileInsert({ ...insert, mapper, conflict, returning, selected: returned.selected }, dialect);
    const answer = await connection.run(compiled.sql, compiled.parameters);
    returned.take(answer.rows, 0);
    rowCount += returned.isWanted ? answer.rows.length : answer.rowCount;
  }
  if (conflict?.values !== undefined && isSynchronized(statement, execution)) {
    const upsert = { mapper, conflict: { ...conflict, values: conflict.values }, given: parts.conflict?.values };
    if (returned.areInstances) syncReturned(core, upsert, returned.matches(connection));
    else syncConflicts(core, upsert, rows);
  }
  return returned.result(connection, rowCount, dispatch);
}

/** Whether the session's instances follow. */
function isSynchronized({ parts }: Insert<unknown, unknown>, { options }: Execution): boolean {
  return (options.synchronizeSession ?? parts.executionOptions.synchronizeSession) !== false;
}

function expectOneTable({ tables, class: { name } }: Mapper): void {
  if (tables.length === 1) return;
  throw new InvalidRequestError(
    `Rows of ${name} stand in ${tables.length} tables, and an INSERT with expressions, a SELECT, onConflict() or computed columns to return writes one. ` +
      `Give insert(${name}) plain values, and returning() no function or attributes only; or add instances, and flush.`,
  );
}

function cannot({ class: { name } }: Mapper, database: string, isConflict: boolean): InvalidRequestError {
  return new InvalidRequestError(
    isConflict
      ? `insert(${name}) says what happens onConflict(), and ${database} has no ON CONFLICT. Ask for the rows first, and insert and update them apart; or write its own form with the sql tag.`
      : `insert(${name}) wants rows returning(), and ${database} has no RETURNING for them. Ask for the rows by their keys afterwards.`,
  );
}

/** What criteria hide is no row that could be updated. */
function conflictOf(
  conflict: Conflict | undefined,
  mapper: Mapper,
  criteria: Parameters<typeof criteriaCondition>[0],
  restriction: Restriction,
): Conflict | undefined {
  if (conflict?.values === undefined) return conflict;
  const values = new Map([...conflict.values].map(([property, value]) => [property, value.restrictedBy(restriction)]));
  for (const property of mapper.columnProperties) {
    const { onupdate } = property.column.options;
    if (onupdate !== undefined && !values.has(property))
      values.set(property, new BoundValue(valueOf(onupdate), property.source.column.type));
  }
  const hidden = criteriaCondition(criteria, mapper);
  const where = conflict.where?.restrictedBy(restriction);
  return { ...conflict, values, where: hidden === undefined ? where : conjunction(where, hidden) };
}

/** What a program leaves out and the class fills in: by column, one value for all rows or one for each. */
function* filledIn(mapper: Mapper): Generator<readonly [ColumnProperty, unknown]> {
  const { polymorphicOn, polymorphicIdentity, version } = mapper;
  if (polymorphicOn !== undefined) yield [polymorphicOn, polymorphicIdentity];
  for (const { property, options } of defaultsOf(mapper)) yield [property, valueOf(options)];
  if (version !== undefined) yield [version, 1];
}

/** The values of a row, with what the program left out. */
function completed(mapper: Mapper, given: Assignments, restriction: Restriction): Assignments {
  const row = new Map<ColumnProperty, Expression<unknown>>();
  for (const [property, value] of given) {
    const { autoincrement, serverDefault } = property.source.column;
    // Null counts as not set where the database has something of its own, as it does when instances are written.
    if ((autoincrement || serverDefault !== undefined) && isNull(value)) continue;
    row.set(property, value.restrictedBy(restriction));
  }
  for (const [property, value] of filledIn(mapper)) {
    const present = row.get(property);
    if (present === undefined || isNull(present)) row.set(property, new BoundValue(value, property.source.column.type));
  }
  return row;
}

function isNull(value: Expression<unknown>): boolean {
  return value instanceof BoundValue && value.bind.name === undefined && value.bind.value === null;
}

/** Neighbours that set the same columns, as many as one statement takes. */
function* portions(
  rows: readonly Assignments[],
  maxParameters: number,
): Generator<{
  readonly columns: readonly ColumnProperty[];
  readonly rows: readonly (readonly Expression<unknown>[])[];
}> {
  let start = 0;
  while (start < rows.length) {
    const columns = [...(rows[start] as Assignments).keys()].toSorted((left, right) => left.slot - right.slot);
    const limit = ROWS_TOGETHER[0] as number;
    let end = start + 1;
    while (end < rows.length && end - start < limit && isOfColumns(rows[end] as Assignments, columns)) end++;
    const most =
      columns.length === 0 ? 1 : Math.min(end - start, Math.floor(maxParameters / bindsOf(rows.slice(start, end))));
    const size = ROWS_TOGETHER.find((count) => count <= most) ?? 1;
    const some = rows.slice(start, start + size);
    yield { columns, rows: some.map((row) => columns.map((column) => row.get(column) as Expression<unknown>)) };
    start += size;
  }
}

/** How many parameters one of the rows has at most. */
function bindsOf(rows: readonly Assignments[]): number {
  return Math.max(
    ...rows.map((row) => {
      const structure = new Structure();
      for (const value of row.values()) value.structure(structure);
      return structure.binds.length;
    }),
    1,
  );
}

function isOfColumns(row: Assignments, columns: readonly ColumnProperty[]): boolean {
  return row.size === columns.length && columns.every((column) => row.has(column));
}

/** What a SELECT finds, with what it leaves out behind it. */
function selectedRows(
  mapper: Mapper,
  { columns, select }: InsertSource,
  restriction: Restriction,
  conflict: Conflict | undefined,
): Pick<RowsInsert, "columns" | "rows"> {
  const { selected } = select.parts;
  if (selected === undefined) throw new ArgumentError(`insert(${mapper.class.name}) selects no columns.`);
  const missing = [...filledIn(mapper)].filter(([property]) => !columns.includes(property));
  const items = [
    ...selected.items,
    ...missing.map(([{ source }, value]) => new BoundValue(value, source.column.type, { isAlone: true })),
  ];
  const where = select.parts.where;
  const statement = new Select<unknown>(select.entity, {
    ...select.parts,
    // SQLite would take ON CONFLICT for the condition of a join.
    where: where === undefined && conflict !== undefined ? and() : where,
    selected: new SelectedColumns(items, undefined),
  });
  return { columns: [...columns, ...missing.map(([property]) => property)], rows: statement.restrictedBy(restriction) };
}
