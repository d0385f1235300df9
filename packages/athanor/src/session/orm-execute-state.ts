import type { RawBuilder } from "kysely";
import { emitUntilResult } from "../event/dispatch.ts";
import { InvalidRequestError } from "../event/errors.ts";
import type { Registration } from "../event/event-node.ts";
import type { Instance } from "../instance/instance.ts";
import { mapperOf } from "../mapping/configure-mappers.ts";
import type { Mapper } from "../mapping/mapper.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import { BulkStatement } from "../sql/bulk-statement.ts";
import { DeleteFrom } from "../sql/delete-from.ts";
import { FromStatement } from "../sql/from-statement.ts";
import { Insert } from "../sql/insert.ts";
import type { LoadingPlan } from "../sql/loading-plan.ts";
import type { ExecutionOptions } from "../sql/execution-options.ts";
import { Select } from "../sql/select.ts";
import { Update } from "../sql/update.ts";
import type { UserDefinedOption } from "../sql/user-defined-option.ts";
import type { Execution, ExecutionParameters } from "./execute.ts";
import { Result } from "../engine/result.ts";
import type { Session } from "./session.ts";
import type { SessionState } from "./session-state.ts";

/** A statement about mapped classes: a SELECT, SQL whose rows are instances, or one that writes rows by itself. */
export type OrmStatement = Select<unknown, any, any> | FromStatement<unknown> | BulkStatement<any, any, any>;

/** Any statement that a session executes: one about mapped classes, or raw SQL. */
export type Statement = OrmStatement | RawBuilder<unknown>;

/**
 * Whether a statement is about mapped classes, so that it takes options: `event.isOrmStatement` for the compiler too. Any other is raw SQL.
 *
 * SQLAlchemy: Session API, `ORMExecuteState.is_orm_statement`.
 *
 * @example
 * listen(SessionLocal, "doOrmExecute", (event) => {
 *   if (isOrmStatement(event.statement)) event.statement = event.statement.options(visible);
 * });
 */
export function isOrmStatement(statement: Statement): statement is OrmStatement {
  return statement instanceof Select || statement instanceof FromStatement || statement instanceof BulkStatement;
}

/** How a SELECT treats what is in memory, and for whom it is executed. SQLAlchemy: `QueryContext.default_load_options`. */
export interface LoadOptions {
  /** Whether what is in memory is overwritten. */
  readonly populateExisting: boolean;
  /** Whether pending changes are flushed first, if the session does so. */
  readonly autoflush: boolean;
  /** The instance that is there already, and that is loaded anew or further. */
  readonly refreshed: Instance | undefined;
  /** Whether `refresh()` asked for that, rather than something that expired. */
  readonly isUserRefresh: boolean;
  /** The names that are loaded, where not the whole instance is. */
  readonly onlyLoadProps: readonly string[] | undefined;
  /** The instance whose relationship is loaded, by itself. */
  readonly lazyLoadedFrom: Instance | undefined;
}

/** How an UPDATE or DELETE is executed. SQLAlchemy: `BulkUDCompileState.default_update_options`. */
export interface UpdateDeleteOptions {
  /** How the session's instances learn what was done: see {@link ExecutionOptions.synchronizeSession}. */
  readonly synchronizeSession: "auto" | "evaluate" | "fetch" | false;
  /** Whether pending changes are flushed first, if the session does so. */
  readonly autoflush: boolean;
}

/**
 * One execution on its way through the listeners of `doOrmExecute`: what is executed, why, and how; and the means to change it.
 *
 * SQLAlchemy: Session API, `ORMExecuteState`.
 */
export class ORMExecuteState {
  readonly session: Session;
  /** What will be executed. Assign another to execute that instead; later listeners see it. */
  statement: Statement;
  /** The values of its `bindparam`s; of an INSERT its row, or the list of its rows, as of an UPDATE by keys. */
  parameters: ExecutionParameters;
  /** Whether attributes of an instance that is there already are being loaded: refresh, expired attributes. */
  readonly isColumnLoad: boolean;
  /** Whether a relationship is being loaded. */
  readonly isRelationshipLoad: boolean;
  /** The options of the statement and of this execution together, as they were before any listener; what `updateExecutionOptions` adds is not among them. */
  readonly executionOptions: ExecutionOptions;
  readonly #core: SessionState;
  readonly #execution: Execution;
  readonly #runStatement: (core: SessionState, execution: Execution) => Promise<Result<unknown>>;
  #options: ExecutionOptions;
  #running: Registration | undefined;

  constructor(
    core: SessionState,
    execution: Execution,
    runStatement: (core: SessionState, execution: Execution) => Promise<Result<unknown>>,
  ) {
    this.session = core.session;
    this.statement = execution.statement;
    this.parameters = execution.parameters;
    this.isColumnLoad = execution.asking !== undefined;
    this.isRelationshipLoad = execution.isRelationshipLoad === true;
    this.#core = core;
    this.#execution = execution;
    this.#options = execution.options;
    this.executionOptions = withOptionsOf(execution.statement, execution.options);
    this.#runStatement = runStatement;
  }

  /** Whether the statement selects or changes mapped classes; raw SQL does not say. */
  get isOrmStatement(): boolean {
    return isOrmStatement(this.statement);
  }

  get isSelect(): boolean {
    return this.statement instanceof Select;
  }

  /** Whether instances are taken from the rows of SQL of the program's own: `select(User).fromStatement(…)`. Criteria do not reach it. */
  get isFromStatement(): boolean {
    return this.statement instanceof FromStatement;
  }

  get isInsert(): boolean {
    return this.statement instanceof Insert;
  }

  get isUpdate(): boolean {
    return this.statement instanceof Update;
  }

  get isDelete(): boolean {
    return this.statement instanceof DeleteFrom;
  }

  /** Whether it was given a list of rows, be it of one. */
  get isExecutemany(): boolean {
    return Array.isArray(this.parameters);
  }

  /** The mapper of the selected or written class; undefined for raw SQL. */
  get bindMapper(): Mapper | undefined {
    return isOrmStatement(this.statement) ? this.statement.mapper : undefined;
  }

  /**
   * The mappers of all classes that the rows of the statement consist of, whole or by single attributes, or that it writes; what is only joined to them is not among them,
   * and `func.count()` belongs to no class. A load by `subqueryLoad` is about the class of the parents too, because it has the statement for those inside of it.
   */
  get allMappers(): readonly Mapper[] {
    if (!(this.statement instanceof Select)) return this.bindMapper === undefined ? [] : [this.bindMapper];
    const entities = this.statement.columnDescriptions.flatMap(({ entity }) => entity ?? []);
    return [...new Set([...entities.map((entity) => mapperOf(entity)), ...(this.#execution.parents ?? [])])];
  }

  /** The options that were given with this execution, and what listeners added. */
  get localExecutionOptions(): ExecutionOptions {
    return this.#options;
  }

  /**
   * The relationships that lead to what is loaded, from the instances that the program asked for: `[User.posts]` of a load of posts, `[User.posts, Post.tags]`
   * of what is loaded along with those. Empty for `get` and for loads of attributes; undefined for the program's own statements.
   */
  get loaderStrategyPath(): readonly RelationshipProperty[] | undefined {
    return this.statement instanceof Select ? this.statement.parts.plan?.path : undefined;
  }

  /**
   * The instance whose relationship is loaded, where it is loaded for that one alone; undefined for other statements.
   *
   * @throws InvalidRequestError where the statement is no SELECT.
   */
  get lazyLoadedFrom(): Instance | undefined {
    return this.loadOptions.lazyLoadedFrom;
  }

  /**
   * How the SELECT treats what is in memory, and for whom it is executed.
   *
   * @throws InvalidRequestError where the statement is no SELECT.
   */
  get loadOptions(): LoadOptions {
    if (!this.isSelect) throw this.#hasNone("a SELECT", "loadOptions", "isSelect");
    const { populateExisting = false, autoflush } = withOptionsOf(this.statement, this.#options);
    const { asking, isUserRefresh = false, onlyKeys, lazyLoadedFrom } = this.#execution;
    return {
      populateExisting,
      autoflush: autoflush !== false,
      refreshed: asking?.instance,
      isUserRefresh,
      onlyLoadProps: onlyKeys,
      lazyLoadedFrom: lazyLoadedFrom?.instance,
    };
  }

  /**
   * How the UPDATE or DELETE is executed.
   *
   * @throws InvalidRequestError where the statement is neither.
   */
  get updateDeleteOptions(): UpdateDeleteOptions {
    if (!this.isUpdate && !this.isDelete)
      throw this.#hasNone("an UPDATE or DELETE", "updateDeleteOptions", "isUpdate and isDelete");
    const { synchronizeSession = "auto", autoflush } = withOptionsOf(this.statement, this.#options);
    return { synchronizeSession, autoflush: autoflush !== false };
  }

  /** The options of the program's own that the statement has, or has taken over from the one that loaded its instances. */
  get userDefinedOptions(): readonly UserDefinedOption[] {
    const parts: { readonly plan?: LoadingPlan | undefined } = isOrmStatement(this.statement)
      ? this.statement.parts
      : {};
    return parts.plan?.userDefined ?? [];
  }

  /** Adds options to this execution. */
  updateExecutionOptions(options: ExecutionOptions): void {
    this.#options = { ...this.#options, ...options };
  }

  /**
   * Executes the statement, or the given one, past the listeners that come after this one. Return its result to end the execution with it.
   */
  async invokeStatement(
    changes: {
      readonly statement?: Statement;
      readonly parameters?: ExecutionParameters;
      readonly executionOptions?: ExecutionOptions;
    } = {},
  ): Promise<Result<unknown>> {
    const execution: Execution = {
      ...this.#execution,
      statement: changes.statement ?? this.statement,
      parameters: mergeParameters(this.parameters, changes.parameters),
      options: { ...this.#options, ...changes.executionOptions },
    };
    const inner = new ORMExecuteState(this.#core, execution, this.#runStatement);
    return inner.execute(this.#running);
  }

  #hasNone(kind: string, member: string, check: string): InvalidRequestError {
    return new InvalidRequestError(
      `This statement is not ${kind}, so it has no ${member}. A listener of doOrmExecute hears every statement of the session: ask event.${check} first.`,
    );
  }

  /** Calls the listeners, those behind `after`, and then the database, unless one of them returned a result. */
  async execute(after?: Registration): Promise<Result<unknown>> {
    const note = (registration: Registration): void => {
      this.#running = registration;
    };
    const result = await emitUntilResult(
      this.#core.dispatch.doOrmExecute,
      this,
      after,
      note,
      (value) => value instanceof Result,
    );
    if (result !== undefined) return result as Result<unknown>;
    await this.#core.operations.settler()();
    return this.#runStatement(this.#core, {
      ...this.#execution,
      statement: this.statement,
      parameters: this.parameters,
      options: this.#options,
    });
  }
}

function withOptionsOf(statement: Statement, options: ExecutionOptions): ExecutionOptions {
  return { ...(isOrmStatement(statement) ? statement.parts.executionOptions : {}), ...options };
}

/** Adds parameters to those that there are, by name; of lists of rows, row by row. */
function mergeParameters(present: ExecutionParameters, added: ExecutionParameters): ExecutionParameters {
  if (added === undefined || present === undefined) return added ?? present;
  const [rows, addedRows] = [rowsOf(present), rowsOf(added)];
  if (rows === undefined && addedRows === undefined)
    return Object.assign({}, present, added) as Record<string, unknown>;
  if (rows !== undefined && addedRows?.length === rows.length)
    return rows.map((row, index) => ({ ...row, ...addedRows[index] }));
  const describe = (list: readonly unknown[] | undefined): string =>
    list === undefined ? "one object" : `a list of ${list.length}`;
  throw new InvalidRequestError(
    `invokeStatement() was given ${describe(addedRows)} for parameters, and the statement has ${describe(rows)}. ` +
      `They are merged by name, and lists row by row; to replace all of them assign event.parameters instead.`,
  );
}

function rowsOf(parameters: ExecutionParameters): readonly Readonly<Record<string, unknown>>[] | undefined {
  return Array.isArray(parameters) ? parameters : undefined;
}
