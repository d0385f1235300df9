import type { RawBuilder } from "kysely";
import type { Connection } from "../engine/connection.ts";
import type { Dialect } from "../engine/dialect.ts";
import { executeRaw, type RunQuery } from "../engine/raw-statement.ts";
import { ArgumentError, InvalidRequestError } from "../event/errors.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import { AfterLoads } from "../loading/after-loads.ts";
import { readPlannedRows } from "../loading/planned-rows.ts";
import { columnLoader, entityLoader } from "../loading/row-loader.ts";
import { StatementPlan } from "../loading/statement-plan.ts";
import type { Mapper } from "../mapping/mapper.ts";
import { BulkStatement } from "../sql/bulk-statement.ts";
import { compileSelect } from "../sql/compile.ts";
import { DeleteFrom } from "../sql/delete-from.ts";
import { FromStatement } from "../sql/from-statement.ts";
import { Insert } from "../sql/insert.ts";
import { emptyPlan, type EntityCriteria, isEmptyPlan, type LoadingPlan, withCriteria } from "../sql/loading-plan.ts";
import type { ExecutionOptions } from "../sql/execution-options.ts";
import { Select } from "../sql/select.ts";
import type { SelectedColumns } from "../sql/selected-columns.ts";
import { Update } from "../sql/update.ts";
import { runChange } from "./bulk-change.ts";
import { runInsert } from "./bulk-insert.ts";
import { flushSession } from "./flush-session.ts";
import { isOrmStatement, ORMExecuteState, type Statement } from "./orm-execute-state.ts";
import { populatesExisting } from "./populates-existing.ts";
import { relatedLoads } from "./related-loads.ts";
import { Result } from "../engine/result.ts";
import type { SessionState } from "./session-state.ts";
import { tellOfSkippedEvents } from "./skipped-events.ts";
import { findWrittenRows } from "./written-rows.ts";

/** The values of a statement's `bindparam`s, or the rows of an INSERT. */
export type ExecutionParameters =
  | Readonly<Record<string, unknown>>
  | readonly Readonly<Record<string, unknown>>[]
  | undefined;

/** A statement with everything that its execution needs to know. */
export interface Execution {
  readonly statement: Statement;
  readonly parameters: ExecutionParameters;
  readonly options: ExecutionOptions;
  /** It loads attributes of this instance, which is there already. */
  readonly asking?: InstanceState;
  /** Criteria hide the row of that instance too. */
  readonly hidesAsked?: boolean;
  /** The criteria that what is found carries for its later loads; undefined: those of the statement. A strict session's listeners are asked anew each time. */
  readonly carried?: readonly EntityCriteria[] | undefined;
  /** It was asked for by refresh(), and not for what expired. */
  readonly isUserRefresh?: boolean;
  /** It loads a relationship of an instance. */
  readonly isRelationshipLoad?: boolean;
  /** It loads a relationship of this instance alone. */
  readonly lazyLoadedFrom?: InstanceState;
  /** It finds what is related to the instances of another statement, which it has inside of it: the class of those. */
  readonly parents?: readonly [Mapper] | undefined;
  /** Names that were asked for, where not the whole instance was. */
  readonly onlyKeys?: readonly string[] | undefined;
  /** It loads further columns of instances that another statement has found, which loads along with them what is to be. */
  readonly isCompletion?: boolean;
  /** It is itself a load that follows another statement: what follows it in turn, waits there. */
  readonly afterLoads?: AfterLoads | undefined;
  /** It is streamed: the next portion of its rows, wherever it stands. */
  readonly fetch?: RunQuery;
}

/** What runs a statement that the listeners of `doOrmExecute` have seen. */
export type Runner = (core: SessionState, execution: Execution) => Promise<Result<unknown>>;

/** Takes an execution through the listeners of `doOrmExecute` to what runs it: where nothing else is said, the database. */
export type Dispatcher = (core: SessionState, execution: Execution, run?: Runner) => Promise<Result<unknown>>;

/** Executes a statement: listeners of `doOrmExecute` first, then autoflush, then the database. */
export function execute(core: SessionState, execution: Execution, run = runStatement): Promise<Result<unknown>> {
  expectStatement(execution.statement);
  if (core.dispatch.doOrmExecute === undefined) return run(core, execution);
  const { statement, carried = core.isStrict ? criteriaOf(statement) : undefined } = execution;
  return new ORMExecuteState(core, { ...execution, carried }, run).execute();
}

/** Executes a statement past all listeners. */
export async function runStatement(core: SessionState, execution: Execution): Promise<Result<unknown>> {
  const { statement, options } = execution;
  if (statement instanceof BulkStatement) tellOfSkippedEvents(core, statement, options);
  const flushing = flushBefore(core, execution);
  if (flushing !== undefined) await flushing;
  if (statement instanceof Insert) return runInsert(core, statement, execution, execute);
  if (statement instanceof Update || statement instanceof DeleteFrom)
    return runChange(core, statement, execution, execute);
  const connecting = core.autobegin().connect();
  return readStatement(core, connecting instanceof Promise ? await connecting : connecting, execution);
}

/** Flushes what is pending, where the statement is to see it. */
export function flushBefore(core: SessionState, { statement, options }: Execution): Promise<void> | undefined {
  const ofStatement = isOrmStatement(statement) ? statement.parts.executionOptions.autoflush : undefined;
  return mustAutoflush(core) && (options.autoflush ?? ofStatement) !== false ? flushSession(core) : undefined;
}

/** Runs a statement that reads, and makes of its rows what the program asked for. */
export function readStatement(
  core: SessionState,
  connection: Connection,
  execution: Execution,
): Promise<Result<unknown>> {
  const { statement, fetch: run = (sql, parameters) => connection.run(sql, parameters) } = execution;
  const { dialect } = connection.engine;
  if (statement instanceof Select)
    return selectInstances(core, connection, statement, execution, (sent) => runSelect(dialect, sent, execution, run));
  if (!(statement instanceof FromStatement)) return executeRaw(statement as RawBuilder<unknown>, dialect, run);
  return readWritten(core, connection, statement, execution, run);
}

async function readWritten(
  core: SessionState,
  connection: Connection,
  statement: FromStatement<unknown>,
  execution: Execution,
  run: RunQuery,
): Promise<Result<unknown>> {
  const { select, rows } = await findWrittenRows(connection.engine.dialect, statement, run);
  // What follows SQL of users' own keeps to criteria too, which listeners can hardly give to it.
  const criteria = core.isStrict ? await core.criteriaOfListeners(statement.mapper) : [];
  const planned = select.withPlan(withCriteria(statement.parts.plan, criteria));
  return selectInstances(core, connection, planned, execution, () => Promise.resolve(rows));
}

function criteriaOf(statement: Statement): readonly EntityCriteria[] {
  const { plan }: { readonly plan?: LoadingPlan | undefined } = isOrmStatement(statement) ? statement.parts : {};
  return plan?.criteria ?? [];
}

/** Whether pending changes are to be flushed before a statement. */
export function mustAutoflush(core: SessionState): boolean {
  return core.autoflush && !core.isAutoflushSuspended && !core.isFlushing && !core.isClean;
}

/** Finds the rows of a statement as it is sent. */
type FindRows = (sent: Select<unknown>) => Promise<unknown[][]>;

async function selectInstances(
  core: SessionState,
  connection: Connection,
  statement: Select<unknown>,
  execution: Execution,
  find: FindRows,
): Promise<Result<unknown>> {
  const { mapper, parts, entityColumns } = statement;
  if (parts.selected?.entities.length === 0) return selectColumns(connection, statement, parts.selected, find);
  const populateExisting = populatesExisting(statement, execution.options);
  const leavesOut = parts.columns === undefined && entityColumns.deferred.length > 0;
  // What is joined makes several rows of one instance, which is loaded or refreshed once.
  const hasPlan =
    parts.selected !== undefined ||
    parts.sources !== undefined ||
    parts.links !== undefined ||
    mapper.loadsAlong ||
    parts.isWritten === true ||
    (leavesOut && (entityColumns.subclasses.length > 0 || (parts.plan?.path?.length ?? 0) > 0)) ||
    (parts.plan !== undefined && !isEmptyPlan(parts.plan));
  if (hasPlan) return selectAlong(core, connection, statement, execution, populateExisting, find);
  const { dialect } = connection.engine;
  const sent = leavesOut
    ? new Select<unknown>(statement.entity, { ...parts, without: new Set(entityColumns.deferred) })
    : statement;
  const rows = await find(sent);
  const loader =
    parts.columns === undefined && !leavesOut
      ? entityLoader(entityColumns, dialect)
      : columnLoader(mapper, sent.properties, dialect);
  const instances = loader(rows, core.loadContext(populateExisting, execution.onlyKeys, execution.asking));
  return new Result<unknown>(
    instances.map((instance) => [instance]),
    instances.length,
  );
}

/** Selects values. Of the options of a statement only criteria mean anything to them. */
async function selectColumns(
  connection: Connection,
  statement: Select<unknown>,
  selected: SelectedColumns,
  find: FindRows,
): Promise<Result<unknown>> {
  const plan = statement.parts.plan ?? emptyPlan;
  const sent = isEmptyPlan(plan) ? statement : new StatementPlan(statement, plan).select;
  const read = sent.parts.selected ?? selected;
  const rows = read.read(await find(sent), connection.engine.dialect);
  return new Result<unknown>(rows, rows.length, read.names);
}

/** Selects instances, and loads what its options say along with them. */
async function selectAlong(
  core: SessionState,
  connection: Connection,
  statement: Select<unknown>,
  execution: Execution,
  populateExisting: boolean,
  find: FindRows,
): Promise<Result<unknown>> {
  const isRefresh = execution.asking !== undefined;
  const plan = new StatementPlan(statement, statement.parts.plan ?? emptyPlan, {
    isRefresh,
    hidesOwn: execution.hidesAsked,
    carried: execution.carried,
    only: execution.isCompletion === true ? [] : execution.onlyKeys,
  });
  if (execution.fetch !== undefined) expectWholeInPortions(plan);
  const rows = await find(plan.select);
  const context = core.loadContext(populateExisting, execution.onlyKeys, execution.asking);
  const { found, enqueue } = readPlannedRows(plan, rows, context, connection.engine.dialect);
  const afterLoads = execution.afterLoads ?? new AfterLoads();
  enqueue(afterLoads, relatedLoads(core, execute, afterLoads, execution, populateExisting && !isRefresh));
  if (execution.afterLoads === undefined) await afterLoads.run();
  const { selected } = statement.parts;
  const results = selected?.names === undefined ? found : found.map((values) => selected.rowOf(values));
  return new Result<unknown>(results, results.length, selected?.names);
}

async function runSelect(
  dialect: Dialect,
  statement: Select<unknown>,
  { parameters: given }: Execution,
  run: RunQuery,
): Promise<unknown[][]> {
  const { sql, parameters } = compileSelect(statement, dialect, expectBindValues(given));
  const running = run(sql, parameters);
  return (running instanceof Promise ? await running : running).rows;
}

/** Rows of one instance may be portions apart. */
function expectWholeInPortions({ joins, select }: StatementPlan): void {
  const joined = joins.find(({ property }) => property.isCollection)?.property;
  if (joined === undefined) return;
  throw new InvalidRequestError(
    `${joined.label} is read from joined rows, so the rows of one ${select.mapper.class.name} may be some portions of the stream apart, and its collection would be cut. ` +
      `Load it with selectinLoad(), which asks once for each portion; a joinedLoad() of references is fine.`,
  );
}

function expectStatement(statement: unknown): void {
  if (isOrmStatement(statement as Statement)) return;
  if (typeof statement === "object" && statement !== null && "toOperationNode" in statement) return;
  throw new ArgumentError(
    `A statement was expected, such as select(User) or sql\`…\`, and got ${typeof statement === "string" ? "a string. Write it with the sql tag, so that its values become parameters: sql`…`" : `a ${typeof statement}`}.`,
  );
}

/** A SELECT takes the values of its `bindparam`s, and no rows. */
function expectBindValues(parameters: ExecutionParameters): Readonly<Record<string, unknown>> | undefined {
  if (!Array.isArray(parameters)) return parameters as Readonly<Record<string, unknown>> | undefined;
  throw new ArgumentError(
    "A SELECT was executed with a list of parameters. It takes one object, with a value for each bindparam() by its name.",
  );
}
