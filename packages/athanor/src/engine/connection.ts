import type { Kysely, RawBuilder } from "kysely";
import { emitAndWait } from "../event/dispatch.ts";
import { InvalidRequestError } from "../event/errors.ts";
import { type Dispatch, EventNode, eventTarget } from "../event/event-node.ts";
import type { Registration } from "../event/registration.ts";
import { createKysely } from "./connection-kysely.ts";
import { Cursor, endCursors } from "./cursor.ts";
import {
  type DriverConnection,
  type EachResult,
  FailedSet,
  type RawResult,
  type TransactionOptions,
} from "./dialect.ts";
import type { Engine } from "./engine.ts";
import { ConnectionLostError, DatabaseError, OperationalError } from "./errors.ts";
import { connectionEventFamily, type ConnectionEventName, type ConnectionEvents, type CursorEvent } from "./events.ts";
import { andThen, type MaybePromise } from "./maybe-promise.ts";
import { quote } from "./quote.ts";
import { executeRaw } from "./raw-statement.ts";
import type { Result } from "./result.ts";

/**
 * One connection to the database, taken from its engine's pool until it is closed. Sessions and listeners run their statements on it.
 *
 * Outside `begin` and `commit`, each statement is a transaction of its own. A database that answers at once, as SQLite does, answers without a promise
 * unless a listener returned one: `await` serves both.
 *
 * SQLAlchemy: Working with Engines and Connections, `Connection`.
 */
export class Connection implements AsyncDisposable {
  declare readonly "~events": ConnectionEvents;
  readonly engine: Engine;
  /** Undefined once the connection is back in its pool. */
  #driver: DriverConnection | undefined;
  /** The engine's, until someone listens to this very connection. */
  #dispatch: Dispatch<ConnectionEventName>;
  #node: EventNode<ConnectionEventName> | undefined;
  #isInTransaction = false;
  #lostBy: Error | undefined;
  // oxlint-disable-next-line typescript/no-explicit-any -- one instance serves whatever tables its users declare
  #kysely: Kysely<any> | undefined;
  /** What is being read portion by portion. */
  readonly #cursors = new Set<Cursor>();
  /** The savepoints that are open, from the outermost on. */
  #savepoints: readonly string[] = [];

  /** For engines: users call `engine.connect()`. */
  constructor(engine: Engine, driver: DriverConnection, dispatch: Dispatch<ConnectionEventName>) {
    this.engine = engine;
    this.#driver = driver;
    this.#dispatch = dispatch;
  }

  get [eventTarget](): EventNode {
    if (this.#node === undefined) {
      this.#node = new EventNode(connectionEventFamily, "this connection", {
        parents: [this.engine[eventTarget]],
        level: 1,
      });
      this.#dispatch = this.#node.dispatch;
    }
    return this.#node;
  }

  /** Whether a transaction was begun and neither committed nor rolled back. */
  get isInTransaction(): boolean {
    return this.#isInTransaction;
  }

  /** The error with which the database has ended the transaction by itself, or could not go back to a savepoint. Nothing else runs before `rollback`. */
  get lostBy(): Error | undefined {
    return this.#lostBy;
  }

  /** Whether the connection is back in its pool and cannot be used any more. */
  get isClosed(): boolean {
    return this.#driver === undefined;
  }

  /**
   * Runs one statement. Its parameters go to the driver as they are.
   *
   * ```ts
   * const { rows } = await connection.run("select id from users where name = ?", ["Ann"]);
   * ```
   */
  run(sql: string, parameters: readonly unknown[] = []): MaybePromise<RawResult> {
    const { beforeCursorExecute, afterCursorExecute } = this.#dispatch;
    if (beforeCursorExecute === undefined && afterCursorExecute === undefined)
      return this.#ask(sql, (driver) => driver.run(sql, parameters));
    return this.#observe({ connection: this, statement: sql, parameters, executemany: false }, (event) =>
      this.#ask(event.statement, (driver) => driver.run(event.statement, event.parameters)),
    );
  }

  /**
   * Runs one statement once for each parameter set, in their order. If one fails, the error's `failedSet` is its index; outside a transaction, those
   * before it have taken effect.
   */
  runEach(sql: string, parameterSets: readonly (readonly unknown[])[]): MaybePromise<EachResult> {
    const { beforeCursorExecute, afterCursorExecute } = this.#dispatch;
    if (beforeCursorExecute === undefined && afterCursorExecute === undefined)
      return this.#ask(sql, (driver) => driver.runEach(sql, parameterSets));
    return this.#observe({ connection: this, statement: sql, parameters: parameterSets, executemany: true }, (event) =>
      this.#ask(event.statement, (driver) =>
        driver.runEach(event.statement, event.parameters as readonly (readonly unknown[])[]),
      ),
    );
  }

  /**
   * Opens a SELECT inside of the transaction, whose rows are then fetched portion by portion. Other statements may run meanwhile. Close it; the end of the transaction
   * does so too.
   */
  openCursor(sql: string, parameters: readonly unknown[]): MaybePromise<Cursor> {
    const open = (event: CursorEvent): MaybePromise<Cursor> =>
      andThen(
        this.#ask(event.statement, (driver) => driver.openCursor(event.statement, event.parameters)),
        (opened) => {
          const ask = <T>(call: () => MaybePromise<T>): MaybePromise<T> => this.#ask(event.statement, call);
          const cursor = new Cursor(opened, this.#savepoints.length, ask, (closed) => this.#cursors.delete(closed));
          this.#cursors.add(cursor);
          return cursor;
        },
      );
    const event = { connection: this, statement: sql, parameters, executemany: false };
    const { beforeCursorExecute, afterCursorExecute } = this.#dispatch;
    if (beforeCursorExecute === undefined && afterCursorExecute === undefined) return open(event);
    return andThen(emitAndWait(beforeCursorExecute, event), () =>
      andThen(open(event), (cursor) =>
        // Nothing is fetched yet.
        andThen(emitAndWait(afterCursorExecute, { ...event, result: undefined }), () => cursor),
      ),
    );
  }

  /**
   * Executes a statement and answers with its rows, as objects by name. Values that stand in it become parameters.
   *
   * The rows of raw SQL are as the driver has them; it bypasses `withLoaderCriteria`, and sessions do not notice its changes.
   *
   * @example
   * await connection.execute(sql`insert into greetings (text) values (${text})`);
   */
  async execute<TRow>(statement: RawBuilder<TRow>): Promise<Result<TRow>> {
    return executeRaw(statement, this.engine.dialect, (sql, parameters) => this.run(sql, parameters));
  }

  /** Begins a transaction. Throws InvalidRequestError inside one: `savepoint` is for those. */
  begin(options?: TransactionOptions): MaybePromise<void> {
    if (this.#isInTransaction) {
      throw new InvalidRequestError(
        "A transaction is in progress on this connection already. Commit it or roll it back first, or use savepoint() inside it.",
      );
    }
    const waiting = emitAndWait(this.#dispatch.begin, { connection: this });
    if (waiting instanceof Promise) return waiting.then(() => this.#begin(options));
    return this.#begin(options);
  }

  #begin(options: TransactionOptions | undefined): MaybePromise<void> {
    const begun = this.#ask("begin", (driver) => driver.begin(options));
    if (!(begun instanceof Promise)) {
      this.#isInTransaction = true;
      return;
    }
    return begun.then(() => {
      this.#isInTransaction = true;
    });
  }

  /** Makes the transaction's work permanent. If the database refuses, the transaction is lost, and `rollback` has to follow. */
  commit(): MaybePromise<void> {
    const waiting = emitAndWait(this.#dispatch.commit, { connection: this });
    if (waiting instanceof Promise) return waiting.then(() => this.#end("commit"));
    return this.#end("commit");
  }

  /** Undoes the transaction's work. */
  rollback(): MaybePromise<void> {
    const waiting = emitAndWait(this.#dispatch.rollback, { connection: this });
    if (waiting instanceof Promise) return waiting.then(() => this.#end("rollback"));
    return this.#end("rollback");
  }

  #end(by: "commit" | "rollback"): MaybePromise<void> {
    if (this.#cursors.size > 0) return andThen(endCursors([...this.#cursors], `${by}()`), () => this.#end(by));
    if (this.#isInTransaction && this.#driver?.isBroken === true) {
      // Nothing is sent: the database has rolled back when the connection broke.
      if (by === "commit") this.#throw(brokenBeforeCommit(this.#lostBy), by);
      this.#ended();
      return;
    }
    const ended = this.#ask(by, (driver) => driver[by](), by === "rollback");
    if (!(ended instanceof Promise)) {
      this.#ended();
      return;
    }
    return ended.then(() => this.#ended());
  }

  #ended(): void {
    this.#savepoints = [];
    this.#isInTransaction = false;
    this.#lostBy = undefined;
  }

  /** Marks a place in the transaction that it can be rolled back to. */
  savepoint(name: string): MaybePromise<void> {
    const set = this.#atSavepoint(this.#dispatch.savepoint, name, "savepoint", (driver) => driver.savepoint(name));
    return andThen(set, () => {
      this.#savepoints = [...this.#savepoints, name];
    });
  }

  /** Undoes what the transaction did since the savepoint, which stays. If that fails, only `rollback` can undo it, and nothing else runs before. */
  rollbackToSavepoint(name: string): MaybePromise<void> {
    const depth = this.#savepoints.lastIndexOf(name) + 1;
    const lost = [...this.#cursors].filter((cursor) => cursor.depth >= depth);
    if (lost.length > 0)
      return andThen(endCursors(lost, "the rollback of a savepoint"), () => this.rollbackToSavepoint(name));
    this.#savepoints = this.#savepoints.slice(0, depth);
    try {
      const undone = this.#atSavepoint(this.#dispatch.rollbackSavepoint, name, "rollback to savepoint", (driver) =>
        driver.rollbackToSavepoint(name),
      );
      return undone instanceof Promise ? undone.catch((error: unknown) => this.#failToUndo(error)) : undone;
    } catch (error) {
      return this.#failToUndo(error);
    }
  }

  /** What was to be undone must not be committed with the rest, whoever ignores the error. */
  #failToUndo(error: unknown): never {
    if (this.#isInTransaction) this.#lostBy ??= error as Error;
    throw error;
  }

  /** Forgets the savepoint; what was done since belongs to the transaction. */
  releaseSavepoint(name: string): MaybePromise<void> {
    const released = this.#atSavepoint(this.#dispatch.releaseSavepoint, name, "release savepoint", (driver) =>
      driver.releaseSavepoint(name),
    );
    return andThen(released, () => {
      this.#savepoints = this.#savepoints.slice(0, Math.max(0, this.#savepoints.lastIndexOf(name)));
    });
  }

  #atSavepoint(
    listeners: readonly Registration[] | undefined,
    name: string,
    command: string,
    run: (driver: DriverConnection) => MaybePromise<void>,
  ): MaybePromise<void> {
    return andThen(emitAndWait(listeners, { connection: this, name }), () => {
      const { beforeCursorExecute, afterCursorExecute } = this.#dispatch;
      if (beforeCursorExecute === undefined && afterCursorExecute === undefined) return this.#ask(command, run);
      // The driver writes the statement, so what a listener assigns has no effect.
      const statement = `${command} ${quote(name)}`;
      return this.#observe({ connection: this, statement, parameters: [], executemany: false }, () =>
        this.#ask(command, run),
      );
    });
  }

  /**
   * A Kysely instance whose every query runs on this very connection, inside its transaction.
   *
   * ```ts
   * const kysely = connection.kysely<{ users: { id: Generated<number>; name: string } }>();
   * await kysely.selectFrom("users").selectAll().where("name", "=", "Ann").execute();
   * ```
   *
   * It knows tables, not models: it bypasses `withLoaderCriteria`, so rows of other tenants and deleted ones are seen and written; values come and go
   * as the driver has them; and sessions do not notice its changes. Begin and end transactions on the connection or its session, not here.
   */
  kysely<TDatabase>(): Kysely<TDatabase> {
    this.#kysely ??= createKysely<TDatabase>(this);
    return this.#kysely as Kysely<TDatabase>;
  }

  /** Rolls an open transaction back and returns the connection to its pool. Closing it twice is harmless. */
  close(): MaybePromise<void> {
    const driver = this.#driver;
    if (driver === undefined) return;
    if (this.#isInTransaction || driver.isInTransaction === true) return this.#rollbackAndClose(driver);
    this.#driver = undefined;
    return this.engine.pool.release(driver);
  }

  async #rollbackAndClose(driver: DriverConnection): Promise<void> {
    try {
      this.#isInTransaction = true;
      await this.rollback();
    } catch (error) {
      // A listener may have thrown before anything was sent.
      if (this.#isInTransaction && !driver.isBroken) await this.#rollbackSilently(driver);
      throw error;
    } finally {
      this.#driver = undefined;
      await (this.#isInTransaction ? this.engine.pool.discard(driver) : this.engine.pool.release(driver));
    }
  }

  async #rollbackSilently(driver: DriverConnection): Promise<void> {
    try {
      await driver.rollback();
      this.#ended();
    } catch {
      // Then nobody knows what state the connection is in.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Asks the driver, at once if it answers at once, and translates its errors. */
  #ask<T>(sql: string, ask: (driver: DriverConnection) => MaybePromise<T>, isRollback = false): MaybePromise<T> {
    const driver = this.#driver ?? refuseClosed();
    // It would run outside of any transaction, and stay.
    if (this.#lostBy !== undefined && !isRollback && !driver.isBroken) refuseLost(this.#lostBy, sql);
    try {
      const answer = ask(driver);
      return answer instanceof Promise ? answer.catch((error: unknown) => this.#throw(error, sql)) : answer;
    } catch (error) {
      return this.#throw(error, sql);
    }
  }

  #observe<T extends RawResult | EachResult | void>(
    event: CursorEvent,
    run: (event: CursorEvent) => MaybePromise<T>,
  ): MaybePromise<T> {
    return andThen(emitAndWait(this.#dispatch.beforeCursorExecute, event), () =>
      andThen(run(event), (result) =>
        andThen(emitAndWait(this.#dispatch.afterCursorExecute, { ...event, result }), () => result),
      ),
    );
  }

  #throw(error: unknown, sql: string): never {
    const original = error instanceof FailedSet ? error.cause : error;
    const driver = this.#driver;
    const context = { connection: this, sql, isBroken: driver?.isBroken === true };
    const translated = this.engine.translateError(original, this.#dispatch.handleError, context);
    if (error instanceof FailedSet && translated instanceof DatabaseError) translated.failedSet = error.index;
    if (this.#isInTransaction && (driver?.isBroken === true || driver?.isInTransaction === false))
      this.#lostBy ??= translated;
    throw translated;
  }
}

function refuseClosed(): never {
  throw new InvalidRequestError(
    "This connection is closed: it went back to its pool, and may be in use by someone else. It was probably kept from a session or an event that has ended. " +
      "Take a new one with engine.connect(), or use the session.",
  );
}

function refuseLost(cause: Error, sql: string): never {
  throw new OperationalError(
    "The database has ended the transaction by itself after an error, or could not go back to a savepoint, and nothing of it is saved. " +
      "It runs no more statements: roll back, and begin anew. The error's cause says why.",
    { cause, sql, isRetryable: cause instanceof DatabaseError && cause.isRetryable },
  );
}

function brokenBeforeCommit(cause: Error | undefined): ConnectionLostError {
  return new ConnectionLostError(
    "The connection to the database had broken before COMMIT: the server was stopped or restarted, or something between closed it. " +
      "The transaction is rolled back: run it again.",
    { sql: "commit", isRetryable: true, ...(cause === undefined ? {} : { cause }) },
  );
}
