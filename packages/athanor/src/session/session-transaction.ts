import type { Connection } from "../engine/connection.ts";
import type { TransactionOptions } from "../engine/dialect.ts";
import type { MaybePromise } from "../engine/maybe-promise.ts";
import { emit, emitAndWait } from "../event/dispatch.ts";
import { InvalidRequestError } from "../event/errors.ts";
import { stateOf } from "../instance/instance.ts";
import { FlushError } from "../unit-of-work/errors.ts";
import { restoreDeleted, removeStates } from "./attachment.ts";
import { consolidate } from "./change-log.ts";
import { AfterCommitError, PendingRollbackError, ResourceClosedError } from "./errors.ts";
import { flushSession } from "./flush-session.ts";
import type { Session } from "./session.ts";
import type { SessionState } from "./session-state.ts";
import { Snapshot } from "./snapshot.ts";

/** How a transaction of a session came into being. */
export type TransactionOrigin = "autobegin" | "begin" | "beginNested" | "subtransaction";

/** How often commit flushes what its own flushes' listeners have left. */
const MAX_FLUSHES = 100;

/**
 * A transaction of a session: the root, which begins and commits in the database; a savepoint inside it; or the one that each flush opens inside
 * another, which has no counterpart in the database.
 *
 * It remembers which instances it touched, so that a rollback finds them as they were. SQLAlchemy: Session API, `SessionTransaction`.
 */
export class SessionTransaction implements AsyncDisposable {
  readonly session: Session;
  /** The transaction that this one is inside of. */
  readonly parent: SessionTransaction | undefined;
  readonly origin: TransactionOrigin;
  /** Whether it is a savepoint. */
  readonly nested: boolean;
  /** What it did to which instances; a flush's own transaction notes it for the one around it. */
  readonly snapshot: Snapshot;
  readonly #core: SessionState;
  readonly #options: TransactionOptions | undefined;
  #phase: "active" | "prepared" | "committed" | "inactive" | "closed" = "active";
  #connection: Connection | undefined;
  #savepoint: string | undefined;
  /** Why it is inactive: the error of the flush that failed inside of it. */
  #rollbackCause: unknown;

  constructor(
    core: SessionState,
    parent: SessionTransaction | undefined,
    origin: TransactionOrigin,
    options?: TransactionOptions,
  ) {
    this.session = core.session;
    this.parent = parent;
    this.origin = origin;
    this.nested = origin === "beginNested";
    this.#core = core;
    this.#options = options;
    this.snapshot = origin === "subtransaction" && parent !== undefined ? parent.snapshot : new Snapshot();
    core.transaction = this;
    const { afterTransactionCreate } = core.dispatch;
    if (afterTransactionCreate !== undefined)
      emit(afterTransactionCreate, { session: core.session, transaction: this });
  }

  /** Whether statements can be run in it. */
  get isActive(): boolean {
    return this.#phase === "active";
  }

  /** Commits it, and everything that was opened inside of it: of a savepoint, its release. */
  async commit(): Promise<void> {
    await this.#core.operations.run(() => this.commitWithin(false));
  }

  /** Rolls it back, and everything that was opened inside of it. */
  async rollback(): Promise<void> {
    await this.#core.operations.run(() => this.rollbackWithin(false));
  }

  /** Rolls back what was not committed, so `await using` may end in any way. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#phase !== "closed") await this.rollback();
  }

  /** A transaction inside this one. */
  open(origin: TransactionOrigin): SessionTransaction {
    this.expectActive();
    return new SessionTransaction(this.#core, this, origin);
  }

  /** The connection on which it runs; the first call begins it in the database. */
  connect(): MaybePromise<Connection> {
    this.expectActive();
    if (this.#connection !== undefined) return this.#connection;
    if (this.parent === undefined) return this.#beginRoot();
    return this.nested ? this.#beginSavepoint(this.parent) : this.parent.connect();
  }

  /** Refuses whatever needs a working transaction. */
  expectActive(): void {
    if (this.#phase === "active" || this.#phase === "prepared") return;
    if (this.#phase === "closed") {
      throw new ResourceClosedError(
        "This transaction has ended. Begin another one; a session does so by itself with its next operation.",
      );
    }
    if (this.#phase === "committed") {
      throw new InvalidRequestError(
        "The transaction is committed, and its session runs no statements until commit() is through. In a listener of afterCommit open a session of your own.",
      );
    }
    if (this.#rollbackCause !== undefined) {
      throw new PendingRollbackError(
        `The session's transaction was rolled back, because a flush failed: ${this.#rollbackCause instanceof Error ? this.#rollbackCause.message : "see the cause"} ` +
          `Nothing of it was saved. Call session.rollback() first, then begin anew.`,
        { cause: this.#rollbackCause },
      );
    }
    throw new InvalidRequestError(
      "The transaction is being rolled back, and runs no statements. Wait until rollback() is through.",
    );
  }

  /** The commit itself, as part of an operation that is running. */
  async commitWithin(toRoot: boolean): Promise<void> {
    if (this.#phase !== "prepared") await this.#prepare();
    const isBoundary = this.parent === undefined || this.nested;
    const errors = isBoundary ? await this.#commitBoundary() : [];
    this.#close();
    if (errors.length > 0) throw new AfterCommitError(errors);
    if (toRoot && this.parent !== undefined) await this.parent.commitWithin(true);
  }

  /** The rollback itself, as part of an operation that is running. */
  async rollbackWithin(toRoot: boolean, cause?: unknown): Promise<void> {
    const core = this.#core;
    this.#closeInner();
    let boundary: SessionTransaction = this;
    let failure: { readonly error: unknown } | undefined;
    if (this.#phase === "active" || this.#phase === "prepared") {
      while (boundary.parent !== undefined && !boundary.nested) {
        boundary.#phase = "inactive";
        boundary = boundary.parent;
      }
      failure = await boundary.#rollbackBoundary();
    }
    if (failure === undefined && !core.isClean) {
      core.warn(
        "The session was changed after its transaction had been rolled back, and those changes are discarded. Call session.rollback() before going on after an error.",
      );
      boundary.#restoreSnapshot();
    }
    const { parent } = this;
    await this.#release();
    this.#close();
    if (parent !== undefined && cause !== undefined) parent.#rollbackCause = cause;
    if (failure !== undefined) throw failure.error;
    const { afterSoftRollback } = core.dispatch;
    if (afterSoftRollback !== undefined)
      await emitAndWait(afterSoftRollback, { session: core.session, previousTransaction: this });
    if (toRoot && parent !== undefined) await parent.rollbackWithin(true);
  }

  /** Ends it without a word to the database but, for the root, giving the connection back. */
  abandon(): MaybePromise<void> {
    const released = this.#release();
    if (released instanceof Promise) return released.finally(() => this.#close());
    this.#close();
  }

  #beginRoot(): MaybePromise<Connection> {
    const core = this.#core;
    const acquired = core.engine.acquire(core.session, core.operations.enclosingOwners);
    if (acquired instanceof Promise) return acquired.then((connection) => this.#beginOn(connection));
    return this.#beginOn(acquired);
  }

  #beginOn(connection: Connection): MaybePromise<Connection> {
    try {
      const begun = connection.begin(this.#options);
      if (begun instanceof Promise) {
        return begun.then(
          () => this.#began(connection),
          (error: unknown) => this.#refuseConnection(connection, error),
        );
      }
    } catch (error) {
      return this.#refuseConnection(connection, error);
    }
    return this.#began(connection);
  }

  async #refuseConnection(connection: Connection, error: unknown): Promise<never> {
    await connection.close();
    throw error;
  }

  #began(connection: Connection): MaybePromise<Connection> {
    this.#connection = connection;
    const { afterBegin } = this.#core.dispatch;
    if (afterBegin === undefined) return connection;
    const waiting = emitAndWait(afterBegin, { session: this.session, transaction: this, connection });
    return waiting instanceof Promise ? waiting.then(() => connection) : connection;
  }

  async #beginSavepoint(parent: SessionTransaction): Promise<Connection> {
    const connection = await parent.connect();
    this.#savepoint = `athanor_${(this.#depth() + 1).toString()}`;
    await connection.savepoint(this.#savepoint);
    return this.#began(connection);
  }

  #depth(): number {
    return this.parent === undefined ? 0 : this.parent.#depth() + 1;
  }

  async #prepare(): Promise<void> {
    const core = this.#core;
    this.expectActive();
    if (this.parent === undefined || this.nested) {
      const listeners = this.nested ? core.dispatch.beforeSavepointRelease : core.dispatch.beforeCommit;
      if (listeners !== undefined) await emitAndWait(listeners, { session: core.session });
    }
    while (core.transaction !== undefined && core.transaction !== this && core.transaction.isInside(this))
      await core.transaction.commitWithin(false);
    if (!core.isFlushing) {
      for (let flushes = 0; !core.isClean; flushes++) {
        if (flushes === MAX_FLUSHES) {
          throw new FlushError(
            `commit() flushed ${MAX_FLUSHES} times, and there was always more to flush. A listener of afterFlush, or of a row event, makes a new change each time; ` +
              `let it check whether there is anything to change. The transaction is still open.`,
          );
        }
        await flushSession(core);
      }
    }
    this.#phase = "prepared";
  }

  /** Whether it was opened, directly or not, inside of another. */
  isInside(other: SessionTransaction): boolean {
    return this.parent !== undefined && (this.parent === other || this.parent.isInside(other));
  }

  async #commitBoundary(): Promise<readonly unknown[]> {
    const core = this.#core;
    if (this.nested) {
      if (this.#savepoint !== undefined) await this.#connection?.releaseSavepoint(this.#savepoint);
      this.#phase = "committed";
      if (core.dispatch.afterSavepointRelease !== undefined)
        await emitAndWait(core.dispatch.afterSavepointRelease, { session: core.session });
      this.parent?.snapshot.absorb(this.snapshot);
      return [];
    }
    if (this.#connection !== undefined) {
      try {
        await this.#connection.commit();
      } catch (error) {
        // A COMMIT that fails has saved nothing, and its transaction is lost.
        await this.rollbackWithin(false);
        throw error;
      }
      await this.#release();
    }
    this.#phase = "committed";
    const errors = await this.#announceCommit();
    this.#settleSnapshot();
    return errors;
  }

  /** The work is saved whatever a listener does, so each is called, and what they throw is collected. */
  async #announceCommit(): Promise<readonly unknown[]> {
    const { afterCommit } = this.#core.dispatch;
    const errors: unknown[] = [];
    if (afterCommit === undefined) return errors;
    const event = { session: this.session, changes: consolidate(this.snapshot.changes) };
    for (const registration of afterCommit) {
      try {
        await emitAndWait([registration], event);
      } catch (error) {
        errors.push(error);
      }
    }
    return errors;
  }

  async #rollbackBoundary(): Promise<{ readonly error: unknown } | undefined> {
    const core = this.#core;
    let failure: { readonly error: unknown } | undefined;
    try {
      if (this.#connection !== undefined) {
        if (this.#savepoint === undefined) await this.#connection.rollback();
        else await this.#connection.rollbackToSavepoint(this.#savepoint);
      }
      this.#phase = "inactive";
      if (core.dispatch.afterRollback !== undefined)
        await emitAndWait(core.dispatch.afterRollback, { session: core.session });
    } catch (error) {
      failure = { error };
    }
    this.#phase = "inactive";
    this.#restoreSnapshot();
    return failure;
  }

  /** Puts every instance back to where it was when this transaction began. */
  #restoreSnapshot(): void {
    const core = this.#core;
    const { newStates, deletedStates, dirtyStates, oldKeys } = this.snapshot;
    const added = new Set([...newStates, ...core.new]);
    removeStates(core, added, true);
    for (const [state, { key, identity }] of oldKeys) {
      core.identityMap.discard(state);
      if (added.has(state)) continue;
      state.key = key;
      state.identity = identity;
      core.identityMap.add(state);
    }
    for (const state of new Set([...deletedStates, ...core.deleted]))
      if (!added.has(state)) restoreDeleted(core, state);
    core.deleted.clear();
    for (const instance of core.identityMap.values()) {
      const state = stateOf(instance);
      state.written = false;
      if (!this.nested || state.modified || dirtyStates.has(state)) core.expire(state, "rollback()");
    }
    this.snapshot.clear();
  }

  /** The transaction is committed: nothing goes back to how it was. */
  #settleSnapshot(): void {
    const core = this.#core;
    if (core.expireOnCommit)
      for (const instance of core.identityMap.values()) core.expire(stateOf(instance), "commit()");
    for (const state of this.snapshot.deletedStates) {
      state.owner = undefined;
      core.emitLifecycle("deletedToDetached", state);
    }
    this.snapshot.clear();
  }

  /** Ends what was opened inside of it and never ended. */
  #closeInner(): void {
    const core = this.#core;
    while (core.transaction !== undefined && core.transaction !== this && core.transaction.isInside(this))
      core.transaction.#close();
  }

  #release(): MaybePromise<void> {
    if (this.parent !== undefined || this.#connection === undefined) return;
    const connection = this.#connection;
    this.#connection = undefined;
    return connection.close();
  }

  #close(): void {
    const core = this.#core;
    core.transaction = this.parent;
    this.#phase = "closed";
    const { afterTransactionEnd } = core.dispatch;
    if (afterTransactionEnd !== undefined) emit(afterTransactionEnd, { session: core.session, transaction: this });
  }
}
