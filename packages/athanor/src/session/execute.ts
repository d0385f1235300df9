import type { Connection } from "../engine/connection.ts";
import { ArgumentError } from "../event/errors.ts";
import { entityLoader, makeRowLoader } from "../loading/row-loader.ts";
import { compileSelect } from "../sql/compile.ts";
import { type ExecutionOptions, Select } from "../sql/select.ts";
import { flushSession } from "./flush-session.ts";
import { ORMExecuteState, type Statement } from "./orm-execute-state.ts";
import { Result } from "../engine/result.ts";
import type { SessionState } from "./session-state.ts";

/** A statement with everything that its execution needs to know. */
export interface Execution {
  readonly statement: Statement;
  readonly parameters: Readonly<Record<string, unknown>> | undefined;
  readonly options: ExecutionOptions;
  /** It loads attributes of an instance that is there already. */
  readonly isColumnLoad?: boolean;
  /** It loads a relationship of an instance. */
  readonly isRelationshipLoad?: boolean;
  /** Names that were asked for, where not the whole instance was. */
  readonly onlyKeys?: readonly string[] | undefined;
}

/** Executes a statement: listeners of `doOrmExecute` first, then autoflush, then the database. */
export function execute(core: SessionState, execution: Execution): Promise<Result<unknown>> {
  expectStatement(execution.statement);
  if (core.dispatch.doOrmExecute === undefined) return runStatement(core, execution);
  return new ORMExecuteState(core, execution, runStatement).execute();
}

/** Executes a statement past all listeners. */
export async function runStatement(core: SessionState, execution: Execution): Promise<Result<unknown>> {
  const { statement, options } = execution;
  const ofStatement = statement instanceof Select ? statement.parts.executionOptions.autoflush : undefined;
  if (mustAutoflush(core) && (options.autoflush ?? ofStatement) !== false) await flushSession(core);
  const connecting = core.autobegin().connect();
  const connection = connecting instanceof Promise ? await connecting : connecting;
  return statement instanceof Select
    ? selectInstances(core, connection, statement, execution)
    : connection.execute(statement);
}

/** Whether pending changes are to be flushed before a statement. */
export function mustAutoflush(core: SessionState): boolean {
  return core.autoflush && core.autoflushSuspended === 0 && !core.isFlushing && !core.isClean;
}

async function selectInstances(
  core: SessionState,
  connection: Connection,
  statement: Select<unknown>,
  execution: Execution,
): Promise<Result<unknown>> {
  const { dialect } = connection.engine;
  const { sql, parameters } = compileSelect(statement, dialect, execution.parameters);
  const running = connection.run(sql, parameters);
  const { rows } = running instanceof Promise ? await running : running;
  const { mapper, parts } = statement;
  const loader =
    parts.columns === undefined ? entityLoader(mapper, dialect) : makeRowLoader(mapper, parts.columns, dialect);
  const populateExisting = execution.options.populateExisting ?? parts.executionOptions.populateExisting ?? false;
  const instances = loader(rows, core.loadContext(populateExisting, execution.onlyKeys));
  return new Result<unknown>(
    instances.map((instance) => [instance]),
    instances.length,
  );
}

function expectStatement(statement: unknown): void {
  if (statement instanceof Select) return;
  if (typeof statement === "object" && statement !== null && "toOperationNode" in statement) return;
  throw new ArgumentError(
    `A statement was expected, such as select(User) or sql\`…\`, and got ${typeof statement === "string" ? "a string. Write it with the sql tag, so that its values become parameters: sql`…`" : `a ${typeof statement}`}.`,
  );
}
