import type { Connection } from "../engine/connection.ts";
import { Result } from "../engine/result.ts";
import { ArgumentError, InvalidRequestError } from "../event/errors.ts";
import { filteredCondition, restrictionOf } from "../loading/criteria-condition.ts";
import { StatementPlan } from "../loading/statement-plan.ts";
import type { Declaration } from "../mapping/declaration.ts";
import type { ColumnProperty, Mapper } from "../mapping/mapper.ts";
import type { Table, TableColumn } from "../mapping/table.ts";
import { ColumnExpression } from "../sql/column-expression.ts";
import { compileSelect } from "../sql/compile.ts";
import { compileRowChange, type RowChange } from "../sql/compile-bulk.ts";
import type { DeleteFrom } from "../sql/delete-from.ts";
import { type Evaluator, UnevaluableError } from "../sql/evaluate.ts";
import { and, BoundValue, type Expression, or } from "../sql/expression.ts";
import { emptyPlan } from "../sql/loading-plan.ts";
import { Select } from "../sql/select.ts";
import { Update } from "../sql/update.ts";
import { valueOf } from "../unit-of-work/column-defaults.ts";
import type { Execution } from "./execute.ts";
import type { SessionState } from "./session-state.ts";
import { type Match, matchesOfCondition, matchesOfKeys, syncDeleted, syncUpdated } from "./synchronize-bulk.ts";

type Runner = (core: SessionState, execution: Execution) => Promise<Result<unknown>>;

/** Takes an execution through the listeners of `doOrmExecute` to what runs it. */
export type Dispatcher = (core: SessionState, execution: Execution, run: Runner) => Promise<Result<unknown>>;

type ChangeStatement = Update<unknown> | DeleteFrom<unknown>;
type Parameters = Readonly<Record<string, unknown>> | undefined;

/** The key of a row, in the order of the key's columns. */
type Key = readonly unknown[];

/** How the instances whose rows a statement changes are found: by their values, by the keys of the rows, or not at all. */
type Strategy = { readonly condition: Evaluator } | "fetch" | "none";

/**
 * Executes `update(User)` or `deleteFrom(User)`: finds out which instances it concerns, changes the rows, and brings the instances up to date.
 *
 * A class in one table takes one statement. Of a class in several, the keys of its rows are asked for first, because a table by itself cannot tell whether the
 * condition holds, and because the first change may make it hold no longer.
 */
export async function runChange(
  core: SessionState,
  statement: ChangeStatement,
  execution: Execution,
  dispatch: Dispatcher,
): Promise<Result<unknown>> {
  const { mapper } = statement;
  const { dialect } = core.engine;
  const parameters = expectParameters(statement, execution.parameters);
  const where = filteredCondition(statement.parts, mapper);
  const strategy = chooseStrategy(statement, where, execution, parameters);
  const values = statement instanceof Update ? assignments(statement, strategy) : undefined;
  const tables = values === undefined ? tablesOfDeletion(mapper) : [...new Set(values.keys().map(tableOf))];
  const isOneStatement = mapper.tables.length === 1 && tables.length === 1;
  const isTold = isOneStatement && dialect.traits.returning;
  let keys = strategy === "fetch" ? await fetchKeys(core, statement, execution, dispatch, isTold) : undefined;
  const connection = await core.autobegin().connect();
  let rowCount: number;
  if (isOneStatement) {
    const returning = isTold && strategy === "fetch" ? mapper.primaryKey.map(({ source }) => source.column) : [];
    const change = { mapper, table: mapper.table, values: valuesOf(values), where, returning };
    const { rows, rowCount: count } = await runRowChange(connection, change, parameters);
    rowCount = returning.length === 0 ? count : rows.length;
    if (returning.length > 0) keys = convertKeys(mapper, rows, connection);
  } else {
    keys ??= await selectKeys(connection, statement, parameters);
    for (const table of tables) await changeByKeys(connection, mapper, table, values, keys, parameters);
    rowCount = keys.length;
  }
  synchronize(core, statement, values, findMatches(core, mapper, strategy, keys));
  return new Result<unknown>([], rowCount);
}

function findMatches(
  core: SessionState,
  mapper: Mapper,
  strategy: Strategy,
  keys: readonly Key[] = [],
): readonly Match[] {
  if (strategy === "none") return [];
  return strategy === "fetch"
    ? matchesOfKeys(core, mapper, keys)
    : matchesOfCondition(core, mapper, strategy.condition);
}

function synchronize(
  core: SessionState,
  statement: ChangeStatement,
  values: Assignments | undefined,
  matches: readonly Match[],
): void {
  if (values === undefined) return syncDeleted(core, matches);
  const { mapper } = statement;
  const assigned = [...values].map(([{ key, slot }, value]) => ({
    attribute: mapper.instrumentation.expect(key),
    slot,
    evaluate: evaluatorOf(value, mapper),
    isGiven: (statement as Update<unknown>).parts.values.has(mapper.column(key) as ColumnProperty),
  }));
  syncUpdated(core, matches, assigned);
}

function evaluatorOf(value: Expression<unknown>, mapper: Mapper): Evaluator | undefined {
  try {
    return value.evaluator({ mapper, parameters: undefined });
  } catch (error) {
    if (error instanceof UnevaluableError) return undefined;
    throw error;
  }
}

function expectParameters({ mapper }: ChangeStatement, parameters: Execution["parameters"]): Parameters {
  if (!Array.isArray(parameters)) return parameters as Parameters;
  throw new ArgumentError(
    `update() and deleteFrom() take no list of rows. To change instances of ${mapper.class.name} one by one assign to them, and flush; ` +
      `to change many rows in one way say which with where().`,
  );
}

function chooseStrategy(
  statement: ChangeStatement,
  where: Expression<boolean> | undefined,
  { options }: Execution,
  parameters: Parameters,
): Strategy {
  const wanted = options.synchronizeSession ?? statement.parts.executionOptions.synchronizeSession ?? "auto";
  if (wanted === false) return "none";
  if (wanted === "fetch") return "fetch";
  if (wanted !== "auto" && wanted !== "evaluate") {
    throw new ArgumentError(
      `synchronizeSession is "auto", "evaluate", "fetch" or false, and was ${JSON.stringify(wanted)}. ` +
        `It says how the session's instances learn of the change: by testing the condition on them, or by asking the database which rows it changed.`,
    );
  }
  const { mapper } = statement;
  try {
    return { condition: where?.evaluator({ mapper, parameters }) ?? ((): true => true) };
  } catch (error) {
    if (!(error instanceof UnevaluableError)) throw error;
    if (wanted === "auto") return "fetch";
    throw new InvalidRequestError(
      `synchronizeSession: "evaluate" tests the condition on the instances of ${mapper.class.name} in memory, and only the database can evaluate ${error.reason}. ` +
        `Use "auto" or "fetch", which ask the database for the keys of the rows; or false, and expire the instances yourself.`,
      { cause: error },
    );
  }
}

type Assignments = ReadonlyMap<ColumnProperty, Expression<unknown>>;

/** What is set: the given values, and those that every UPDATE sets. */
function assignments({ mapper, parts: { values, plan } }: Update<unknown>, strategy: Strategy): Assignments {
  const name = mapper.class.name;
  if (values.size === 0) {
    throw new ArgumentError(
      `update(${name}) was executed without anything to set. Say what with update(${name}).values({ … }).`,
    );
  }
  const key = [...values.keys()].find(({ source }) => source.column.primaryKey);
  if (key !== undefined && (strategy !== "none" || mapper.tables.length > 1)) {
    throw new ArgumentError(
      `update(${name}) would set ${name}.${key.key}, which is the key that the session knows its instances by. Assign it to the instance, and flush; ` +
        (mapper.tables.length > 1
          ? `an instance of a subclass has its key in several tables.`
          : `or execute the statement with synchronizeSession: false, where none of the rows is in the session.`),
    );
  }
  const restriction = restrictionOf((plan ?? emptyPlan).criteria);
  const assigned = new Map<ColumnProperty, Expression<unknown>>();
  for (const [property, value] of values) assigned.set(property, value.restrictedBy(restriction));
  for (const property of mapper.columnProperties) {
    const { onupdate } = property.column.options;
    if (onupdate !== undefined && !assigned.has(property))
      assigned.set(property, new BoundValue(valueOf(onupdate), property.source.column.type));
  }
  return assigned;
}

function tableOf({ source }: ColumnProperty): Table {
  return source.table;
}

/** The assignments to columns of one table, or of the only one. */
function valuesOf(values: Assignments | undefined, table?: Table): RowChange["values"] {
  if (values === undefined) return undefined;
  const own = new Map<TableColumn, Expression<unknown>>();
  for (const [{ source }, value] of values)
    if (table === undefined || source.table === table) own.set(source.column, value);
  return own;
}

/** Every table that holds a part of its instances, those of subclasses too; what refers to others comes first. */
function tablesOfDeletion(mapper: Mapper): readonly Table[] {
  const parentsFirst = [...mapper.tables];
  for (const declaration of mapper.declaration.identities.values()) {
    const line: Declaration[] = [];
    let current: Declaration | undefined = declaration;
    while (current !== undefined && current !== mapper.declaration) {
      line.unshift(current);
      current = current.parent;
    }
    if (current === undefined) continue;
    for (const { table } of line) if (!parentsFirst.includes(table)) parentsFirst.push(table);
  }
  return parentsFirst.toReversed();
}

/**
 * Finds the keys of the rows that will be changed. Listeners of `doOrmExecute` see a SELECT of them, which is run only where the change itself cannot tell.
 *
 * @param isTold whether the change will tell the keys
 */
async function fetchKeys(
  core: SessionState,
  statement: ChangeStatement,
  execution: Execution,
  dispatch: Dispatcher,
  isTold: boolean,
): Promise<readonly Key[] | undefined> {
  let wasRun = false;
  const run: Runner = async (_, { statement: found, parameters }) => {
    if (isTold) return new Result<unknown>([], 0);
    wasRun = true;
    const connection = await core.autobegin().connect();
    const rows = await runKeySelect(connection, statement.mapper, found as Select<unknown>, parameters as Parameters);
    return new Result<unknown>(rows, rows.length);
  };
  const result = await dispatch(core, { ...execution, statement: keySelect(statement) }, run);
  return wasRun ? (result.all() as Key[]) : undefined;
}

function keySelect({ mapper, parts }: ChangeStatement): Select<unknown> {
  const columns = mapper.primaryKey;
  const { where, plan } = parts;
  return new Select(mapper.class as never, { where, plan, columns, orderBy: [], executionOptions: {} });
}

function selectKeys(
  connection: Connection,
  statement: ChangeStatement,
  parameters: Parameters,
): Promise<readonly Key[]> {
  return runKeySelect(connection, statement.mapper, keySelect(statement), parameters);
}

async function runKeySelect(
  connection: Connection,
  mapper: Mapper,
  select: Select<unknown>,
  given: Parameters,
): Promise<readonly Key[]> {
  const { criteria } = select.parts.plan ?? emptyPlan;
  const { select: filtered } = new StatementPlan(select, { ...emptyPlan, criteria }, false);
  const { sql, parameters } = compileSelect(filtered, connection.engine.dialect, given);
  return convertKeys(mapper, (await connection.run(sql, parameters)).rows, connection);
}

/** What the driver gives as keys, as users see them. */
function convertKeys({ primaryKey }: Mapper, rows: readonly Key[], { engine }: Connection): readonly Key[] {
  const conversions = primaryKey.map(({ source }) => engine.dialect.codec(source.column.type).fromDriver);
  if (conversions.every((fromDriver) => fromDriver === undefined)) return rows;
  return rows.map((row) => row.map((value, index) => conversions[index]?.(value) ?? value));
}

async function runRowChange(
  connection: Connection,
  change: RowChange,
  given: Parameters,
): Promise<{ readonly rows: readonly Key[]; readonly rowCount: number }> {
  const { sql, parameters } = compileRowChange(change, connection.engine.dialect, given);
  return await connection.run(sql, parameters);
}

/** How many rows one statement finds by their keys: few sizes, so that few texts are prepared. */
const KEYS_TOGETHER = [500, 50, 5, 1];

/** Changes the part of the rows that one table holds. */
async function changeByKeys(
  connection: Connection,
  mapper: Mapper,
  table: Table,
  values: Assignments | undefined,
  keys: readonly Key[],
  parameters: Parameters,
): Promise<void> {
  const columns = keyColumns(mapper, table);
  const change = { mapper, table, values: valuesOf(values, table), returning: [] };
  let start = 0;
  while (start < keys.length) {
    const size = KEYS_TOGETHER.find((count) => count <= keys.length - start) ?? 1;
    const where = isAmong(columns, keys.slice(start, start + size));
    await runRowChange(connection, { ...change, where }, parameters);
    start += size;
  }
}

/** The key's columns in one table, in the key's order. A subclass's table may call them otherwise. */
function keyColumns(mapper: Mapper, table: Table): readonly ColumnExpression[] {
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
