import { Result } from "../engine/result.ts";
import { ArgumentError, InvalidRequestError } from "../event/errors.ts";
import { filteredCondition, restrictionOf } from "../loading/criteria-condition.ts";
import type { Declaration } from "../mapping/declaration.ts";
import type { ColumnProperty, Mapper } from "../mapping/mapper.ts";
import type { Table, TableColumn } from "../mapping/table.ts";
import type { Assignments } from "../sql/assigned.ts";
import type { RowChange } from "../sql/compile-bulk.ts";
import { type Evaluator, UnevaluableError } from "../sql/evaluate.ts";
import { BoundValue, type Expression } from "../sql/expression.ts";
import { emptyPlan } from "../sql/loading-plan.ts";
import { Select } from "../sql/select.ts";
import { Update } from "../sql/update.ts";
import { valueOf } from "../unit-of-work/column-defaults.ts";
import { type ChangeStatement, rowsToTell, tellBulk } from "./bulk-events.ts";
import {
  changeByKeys,
  changeRows,
  keysOf,
  type Parameters,
  type Rows,
  rowsOf,
  selectByKeys,
  selectRows,
} from "./bulk-rows.ts";
import { runUpdateByKeys } from "./bulk-update-by-keys.ts";
import type { Dispatcher, Execution, Runner } from "./execute.ts";
import { ReturnedRows } from "./returned-rows.ts";
import type { SessionState } from "./session-state.ts";
import {
  assignedOf,
  type Match,
  matchesOfCondition,
  matchesOfKeys,
  syncDeleted,
  syncUpdated,
} from "./synchronize-bulk.ts";

/** How the instances whose rows a statement changes are found: by their values, by the keys of the rows, or not at all. */
type Strategy = { readonly condition: Evaluator } | "fetch" | "none";

/**
 * Executes `update(User)` or `deleteFrom(User)`: finds out which instances it concerns, changes the rows, brings the instances up to date, and tells who listens.
 *
 * A class in one table takes one statement. Of a class in several, the keys of its rows are asked for first, because a table by itself cannot tell whether the
 * condition holds, and because the first change may make it hold no longer. So they are where someone wants to know what an UPDATE overwrites.
 */
export async function runChange(
  core: SessionState,
  statement: ChangeStatement,
  execution: Execution,
  dispatch: Dispatcher,
): Promise<Result<unknown>> {
  if (statement instanceof Update && Array.isArray(execution.parameters))
    return runUpdateByKeys(core, statement, execution, execution.parameters);
  const { mapper } = statement;
  const { returning } = core.engine.dialect.traits;
  const parameters = expectParameters(statement, execution.parameters);
  const where = filteredCondition(statement.parts, mapper);
  const strategy = chooseStrategy(statement, where, execution, parameters);
  const told = rowsToTell(core, statement, execution);
  const returned = new ReturnedRows(core, statement, execution);
  const isUpdate = statement instanceof Update;
  const isByKeys =
    isInSeveralTables(statement) ||
    ((told !== undefined || returned.isWanted) && !returning) ||
    (told === "before" && isUpdate);
  const values = isUpdate ? assignments(statement, strategy, isByKeys) : undefined;
  const select = rowSelect(statement, told === "before" ? mapper.columnProperties : mapper.primaryKey);
  const isAsked = isByKeys || !returning;
  let found = strategy === "fetch" ? await fetchRows(core, select, execution, dispatch, isAsked) : undefined;
  const connection = await core.autobegin().connect();
  let rowCount: number;
  if (isByKeys) {
    found ??= await selectRows(connection, select, parameters);
    const keys = keysOf(found, mapper);
    const tables = values === undefined ? tablesOfDeletion(mapper) : new Set(values.keys().map(tableOf));
    if (!isUpdate) await returned.select(connection, keys);
    for (const table of tables)
      await changeByKeys(connection, { mapper, table, values: valuesOf(values, table) }, keys, parameters);
    rowCount = keys.length;
    if (isUpdate) await returned.select(connection, keys);
    if (told === "after")
      found = rowsOf(mapper.columnProperties, await selectByKeys(connection, mapper, keys), connection);
  } else {
    const isWhole = told !== undefined || returned.areInstances;
    const answered = isWhole ? mapper.columnProperties : strategy === "fetch" && returning ? mapper.primaryKey : [];
    const change = { mapper, table: mapper.table, values: valuesOf(values), where, selected: returned.selected };
    const { rows, rowCount: count } = await changeRows(connection, change, answered, parameters);
    rowCount = count;
    returned.take(rows, answered.length);
    if (answered.length > 0) found = rowsOf(answered, rows, connection);
  }
  const gone = isUpdate ? [] : returned.loadDeleted(connection);
  synchronize(core, statement, values, [...findMatches(core, mapper, strategy, found), ...gone], returned.areInstances);
  const result = await returned.result(connection, rowCount, dispatch);
  await tellBulk(core, statement, execution, result, told === undefined ? undefined : found);
  return result;
}

function findMatches(
  core: SessionState,
  mapper: Mapper,
  strategy: Strategy,
  found: Rows | undefined,
): readonly Match[] {
  if (strategy === "none") return [];
  return strategy === "fetch"
    ? matchesOfKeys(core, mapper, found === undefined ? [] : keysOf(found, mapper))
    : matchesOfCondition(core, mapper, strategy.condition);
}

function synchronize(
  core: SessionState,
  statement: ChangeStatement,
  values: Assignments | undefined,
  matches: readonly Match[],
  rowsFollow: boolean,
): void {
  if (values === undefined) return syncDeleted(core, matches);
  const { mapper } = statement;
  const given = (statement as Update<unknown, unknown>).parts.values;
  const assigned = assignedOf(mapper, values, (property) => given.has(property));
  syncUpdated(core, matches, assigned, { rowsFollow });
}

function expectParameters({ entity }: ChangeStatement, parameters: Execution["parameters"]): Parameters {
  if (!Array.isArray(parameters)) return parameters as Parameters;
  throw new ArgumentError(
    `deleteFrom(${entity.name}) takes no list of rows. Say which with where(), as in where((row) => row.id.in(ids)); or load the instances, and delete each.`,
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

/** What is set: the given values, and those that every UPDATE sets. */
function assignments(
  { mapper, parts: { values, plan } }: Update<unknown, unknown>,
  strategy: Strategy,
  isByKeys: boolean,
): Assignments {
  const name = mapper.class.name;
  if (values.size === 0) {
    throw new ArgumentError(
      `update(${name}) was executed without anything to set. Say what with update(${name}).values({ … }).`,
    );
  }
  const key = [...values.keys()].find(({ source }) => source.column.primaryKey);
  if (key !== undefined && (strategy !== "none" || isByKeys)) {
    throw new ArgumentError(
      `update(${name}) would set ${name}.${key.key}, which is the key that the session knows its instances by. Assign it to the instance, and flush; ` +
        (mapper.tables.length > 1
          ? `an instance of a subclass has its key in several tables.`
          : strategy === "none"
            ? `or execute the statement without the option rows, which has it find its rows by their keys.`
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

/** Whether the rows of a statement's class, or what it writes of them, stand in several tables. */
function isInSeveralTables(statement: ChangeStatement): boolean {
  const { mapper } = statement;
  return mapper.tables.length > 1 || (!(statement instanceof Update) && tablesOfDeletion(mapper).length > 1);
}

function rowSelect({ mapper, parts }: ChangeStatement, columns: readonly ColumnProperty[]): Select<unknown> {
  const { where, plan } = parts;
  return new Select(mapper.class as never, { where, plan, columns, orderBy: [], executionOptions: {} });
}

/**
 * Finds the rows that will be changed. Listeners of `doOrmExecute` see a SELECT of them, which is run only where the change itself cannot tell.
 *
 * @param isAsked whether the change will not tell
 */
async function fetchRows(
  core: SessionState,
  select: Select<unknown>,
  execution: Execution,
  dispatch: Dispatcher,
  isAsked: boolean,
): Promise<Rows | undefined> {
  let rows: Rows | undefined;
  const run: Runner = async (_, { statement, parameters }) => {
    if (!isAsked) return new Result<unknown>([], 0);
    const connection = await core.autobegin().connect();
    const { parts } = statement as Select<unknown>;
    // Listeners may have hidden some of them; what is needed of each is the same.
    const asked = new Select<unknown>(select.entity, { ...parts, columns: select.properties });
    rows = await selectRows(connection, asked, parameters as Parameters);
    return new Result<unknown>([...rows.values], rows.values.length);
  };
  await dispatch(core, { ...execution, statement: select }, run);
  return rows;
}
