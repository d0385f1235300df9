import type { RawBuilder } from "kysely";
import { emitUntilResult } from "../event/dispatch.ts";
import type { Registration } from "../event/event-node.ts";
import type { Mapper } from "../mapping/mapper.ts";
import { type ExecutionOptions, Select } from "../sql/select.ts";
import type { Execution } from "./execute.ts";
import { Result } from "../engine/result.ts";
import type { Session } from "./session.ts";
import type { SessionState } from "./session-state.ts";

/** Any statement that a session executes: a SELECT of instances, or raw SQL. */
export type Statement = Select<unknown, readonly any[]> | RawBuilder<unknown>;

/**
 * One execution on its way through the listeners of `doOrmExecute`: what is executed, why, and how; and the means to change it.
 *
 * SQLAlchemy: Session API, `ORMExecuteState`.
 */
export class ORMExecuteState {
  readonly session: Session;
  /** What will be executed. Assign another to execute that instead; later listeners see it. */
  statement: Statement;
  /** The values of its `bindparam`s. */
  parameters: Readonly<Record<string, unknown>> | undefined;
  /** Whether attributes of an instance that is there already are being loaded: refresh, expired attributes. */
  readonly isColumnLoad: boolean;
  /** Whether a relationship is being loaded. */
  readonly isRelationshipLoad: boolean;
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
    this.isColumnLoad = execution.isColumnLoad === true;
    this.isRelationshipLoad = execution.isRelationshipLoad === true;
    this.#core = core;
    this.#execution = execution;
    this.#options = execution.options;
    this.#runStatement = runStatement;
  }

  /** Whether the statement selects or changes mapped classes; raw SQL does not say. */
  get isOrmStatement(): boolean {
    return this.statement instanceof Select;
  }

  get isSelect(): boolean {
    return this.statement instanceof Select;
  }

  /** The mapper of the selected class; undefined for raw SQL. */
  get bindMapper(): Mapper | undefined {
    return this.statement instanceof Select ? this.statement.mapper : undefined;
  }

  /** The mappers of all selected classes. */
  get allMappers(): readonly Mapper[] {
    return this.bindMapper === undefined ? [] : [this.bindMapper];
  }

  /** The options of the statement and of this execution together. */
  get executionOptions(): ExecutionOptions {
    return { ...(this.statement instanceof Select ? this.statement.parts.executionOptions : {}), ...this.#options };
  }

  /** The options that were given with this execution. */
  get localExecutionOptions(): ExecutionOptions {
    return this.#options;
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
      readonly parameters?: Readonly<Record<string, unknown>>;
      readonly executionOptions?: ExecutionOptions;
    } = {},
  ): Promise<Result<unknown>> {
    const execution: Execution = {
      ...this.#execution,
      statement: changes.statement ?? this.statement,
      parameters: changes.parameters === undefined ? this.parameters : { ...this.parameters, ...changes.parameters },
      options: { ...this.#options, ...changes.executionOptions },
    };
    const inner = new ORMExecuteState(this.#core, execution, this.#runStatement);
    return inner.execute(this.#running);
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
