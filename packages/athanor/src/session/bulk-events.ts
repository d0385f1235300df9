import type { Result } from "../engine/result.ts";
import { ArgumentError } from "../event/errors.ts";
import type { Mapper } from "../mapping/mapper.ts";
import type { DeleteFrom } from "../sql/delete-from.ts";
import type { ExecutionOptions } from "../sql/execution-options.ts";
import { Update } from "../sql/update.ts";
import { namedRows, type Rows } from "./bulk-rows.ts";
import type { Execution, ExecutionParameters } from "./execute.ts";
import type { Session } from "./session.ts";
import type { SessionState } from "./session-state.ts";

/** A statement that changes the rows of a class that it chooses by a condition. */
export type ChangeStatement = Update<unknown, unknown> | DeleteFrom<unknown, unknown>;

/** A statement has changed rows of a class. */
interface AfterBulkEvent {
  readonly session: Session;
  /** The mapper of the statement's class. */
  readonly mapper: Mapper;
  /** The values of the statement's `bindparam`s; of an UPDATE by keys the list of its rows. */
  readonly parameters: ExecutionParameters;
  /** The options of the statement and of this execution together. */
  readonly executionOptions: ExecutionOptions;
  /** What `execute` will answer with. */
  readonly result: Result<unknown>;
  /** How many rows it has changed. */
  readonly rowCount: number;
  /**
   * The rows that it has changed, and no others, by attribute: the columns of the statement's class, as they were or are, as the execution option `rows` says.
   * Undefined where that was not given. They are copies; no instance is made of them.
   */
  readonly rows: readonly Readonly<Record<string, unknown>>[] | undefined;
}

/** An `update(…)` was executed. SQLAlchemy: Session Events, `after_bulk_update`. */
export interface AfterBulkUpdateEvent extends AfterBulkEvent {
  /** The statement as it was executed, with all that listeners of `doOrmExecute` made of it. */
  // oxlint-disable-next-line typescript/no-explicit-any -- of whatever class
  readonly statement: Update<any, any>;
}

/** A `deleteFrom(…)` was executed. SQLAlchemy: Session Events, `after_bulk_delete`. */
export interface AfterBulkDeleteEvent extends AfterBulkEvent {
  /** The statement as it was executed, with all that listeners of `doOrmExecute` made of it. */
  // oxlint-disable-next-line typescript/no-explicit-any -- of whatever class
  readonly statement: DeleteFrom<any, any>;
}

function listenersOf(core: SessionState, statement: ChangeStatement): SessionState["dispatch"]["afterBulkUpdate"] {
  return statement instanceof Update ? core.dispatch.afterBulkUpdate : core.dispatch.afterBulkDelete;
}

/** Which rows listeners want to know: undefined where nobody listens, or has asked for any. */
export function rowsToTell(
  core: SessionState,
  statement: ChangeStatement,
  { options }: Execution,
): "before" | "after" | undefined {
  const wanted = options.rows ?? statement.parts.executionOptions.rows;
  if (wanted === undefined || listenersOf(core, statement) === undefined) return undefined;
  if (wanted !== "before" && wanted !== "after") {
    throw new ArgumentError(
      `The execution option rows is "before" or "after", and was ${JSON.stringify(wanted)}. ` +
        `It says whether listeners of afterBulkUpdate and afterBulkDelete get the affected rows as they were, or as they are.`,
    );
  }
  if (wanted === "after" && !(statement instanceof Update)) {
    throw new ArgumentError(
      `deleteFrom(${statement.entity.name}) was executed with rows: "after", and nothing is left of its rows then. ` +
        `Give statements that delete rows: "before"; a listener of doOrmExecute finds out by event.isDelete.`,
    );
  }
  return wanted;
}

/** Raises afterBulkUpdate or afterBulkDelete. */
export async function tellBulk(
  core: SessionState,
  statement: ChangeStatement,
  { options, parameters }: Execution,
  result: Result<unknown>,
  rows: Rows | undefined,
): Promise<void> {
  const listeners = listenersOf(core, statement);
  if (listeners === undefined) return;
  const event: AfterBulkEvent & { readonly statement: ChangeStatement } = {
    session: core.session,
    statement,
    mapper: statement.mapper,
    parameters,
    executionOptions: { ...statement.parts.executionOptions, ...options },
    result,
    rowCount: result.rowCount,
    rows: rows === undefined ? undefined : namedRows(rows),
  };
  await core.emitAndSettle(listeners, event);
}
