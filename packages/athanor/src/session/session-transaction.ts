import type { Connection } from "../engine/connection.ts";
import type { TransactionOptions } from "../engine/dialect.ts";
import { andThen, type MaybePromise } from "../engine/maybe-promise.ts";
import { emit } from "../event/dispatch.ts";
import { InvalidRequestError } from "../event/errors.ts";
import { FlushError } from "../unit-of-work/errors.ts";
import { Boundary } from "./boundary.ts";
import { consolidate } from "./change-log.ts";
import {
  AfterCommitError,
  asClause,
  IllegalStateChangeError,
  PendingRollbackError,
  ResourceClosedError,
} from "./errors.ts";
import { flushSession } from "./flush-session.ts";
import { restoreSnapshot } from "./restore-snapshot.ts";
import type { Session } from "./session.ts";
import type { SessionState } from "./session-state.ts";
import { settleSnapshot } from "./settle-snapshot.ts";
import { Snapshot } from "./snapshot.ts";

/** How a transaction of a session came into being. */
export type TransactionOrigin = "autobegin" | "begin" | "beginNested" | "subtransaction";

/** What a rollback is part of. */
interface RollbackOptions {
  /** Rolls back what is around it, too. */
  readonly toRoot?: boolean;
  /** Why: the error of the flush that failed. What is around it then waits for a rollback of its own. */
  readonly cause?: unknown;
}

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
  #phase: "active" | "prepared" | "committed" | "inactive" | "closed" = "active";
  /** The call that is ending it, while its listeners run. */
  #ending: string | undefined;
  /** It is a savepoint that a listener opened while a flush was writing rows: what the flush is about is none of its business. */
  readonly #isWithinWriting: boolean;
  /** What it is in the database. A flush's own transaction is nothing there. */
  readonly #boundary: Boundary | undefined;
  /** What is around it was committed before it had ended, and it along with that. */
  #isCommittedAlong = false;
  /** Why it is inactive: the error of the flush that failed inside of it, or with which the database has ended everything. */
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
    this.#isWithinWriting = this.nested && core.writing !== undefined;
    this.#boundary = origin === "subtransaction" ? undefined : new Boundary(core, this, options);
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

  /** Whether it has ended, in whatever way. */
  get isClosed(): boolean {
    return this.#phase === "closed";
  }

  /** Commits it, and everything that was opened inside of it: of a savepoint, its release. */
  async commit(): Promise<void> {
    const commit = (): Promise<void> => {
      this.expectNotEnding("commit()", false);
      return this.commitWithin(false);
    };
    const isDropping = this.parent === undefined && this.#core.expireOnCommit;
    await (isDropping ? this.#core.runDropping("commit()", "all", commit) : this.#core.run(commit));
  }

  /** Rolls it back, and everything that was opened inside of it. */
  async rollback(): Promise<void> {
    await this.#core.runDropping("rollback()", "all", () => {
      if (this.isClosed) this.expectActive();
      this.expectNotEnding("rollback()", false);
      return this.rollbackWithin();
    });
  }

  /** Rolls back what was not committed, so `await using` may end in any way. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#phase === "inactive") await this.#core.run(() => this.#abandonInactive());
    else if (!this.isClosed) await this.rollback();
  }

  /** A transaction inside this one. */
  open(origin: TransactionOrigin): SessionTransaction {
    this.expectActive();
    return new SessionTransaction(this.#core, this, origin);
  }

  /** The connection on which it runs; the first call begins it in the database. */
  connect(): MaybePromise<Connection> {
    this.expectActive();
    return this.#boundary === undefined ? (this.parent as SessionTransaction).connect() : this.#boundary.connect();
  }

  /** Refuses whatever needs a working transaction. */
  expectActive(): void {
    if (this.#phase === "active" || this.#phase === "prepared") return;
    if (this.#isCommittedAlong) {
      throw new ResourceClosedError(
        "This savepoint has ended: what is around it was committed, and its rows along with that, so it can be neither committed nor rolled back by itself. " +
          "Savepoints that several tasks open on one session are inside of each other; give each task a session of its own.",
      );
    }
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
        `The session's transaction was rolled back because of an error: ${asClause(this.#rollbackCause)}. ` +
          `Nothing of it was saved. Call session.rollback() first, then begin anew.`,
        { cause: this.#rollbackCause },
      );
    }
    throw new InvalidRequestError(
      "The transaction is being rolled back, and runs no statements. Wait until rollback() is through.",
    );
  }

  /**
   * Refuses a call that would end it, or end something inside of it that is ending already: a listener made it.
   *
   * @param toRoot the call would end what is around it, too
   */
  expectNotEnding(call: string, toRoot: boolean): void {
    let current = this.#core.transaction;
    for (; current !== undefined; current = current.parent) {
      if (current.#ending === undefined || !(toRoot || current === this || current.isInside(this))) continue;
      throw new IllegalStateChangeError(
        `${call} was called by a listener while ${current.#ending} of the same transaction is under way, which calls its listeners in between. ` +
          `To refuse a commit throw an error in beforeCommit; for work of its own afterwards open another session in afterCommit.`,
      );
    }
  }

  /** The commit itself, as part of an operation that is running. */
  async commitWithin(toRoot: boolean): Promise<void> {
    this.#ending = "commit()";
    try {
      if (this.#phase !== "prepared") await this.#prepare();
      if (this.parent === undefined) await this.#commitRoot();
      else if (this.nested) await this.#releaseSavepoint();
      else this.#close();
    } finally {
      this.#ending = undefined;
    }
    if (!toRoot || this.parent === undefined) return;
    this.#isCommittedAlong = true;
    await this.parent.commitWithin(true);
  }

  async #commitAlong(): Promise<void> {
    await this.commitWithin(false);
    this.#isCommittedAlong = true;
  }

  /** The rollback itself, as part of an operation that is running. */
  async rollbackWithin(options: RollbackOptions = {}): Promise<void> {
    const { toRoot = false, cause } = options;
    const core = this.#core;
    this.#absorbInner();
    this.#closeInner();
    let boundary: SessionTransaction = this;
    let failure: { readonly error: unknown } | undefined;
    this.#ending = "rollback()";
    if (this.#phase === "active" || this.#phase === "prepared") {
      while (boundary.parent !== undefined && !boundary.nested) {
        boundary.#phase = "inactive";
        boundary = boundary.parent;
      }
      failure = await boundary.#rollbackBoundary();
      const lostBy = boundary.#isWithinWriting ? undefined : boundary.#lostBy;
      if (lostBy !== undefined) {
        const around = await boundary.#rollbackAround(cause ?? lostBy);
        failure ??= around;
      }
    }
    if (failure === undefined && core.isChangedWithin && !boundary.#isWithinWriting) {
      core.warn(
        "The session was changed after its transaction had been rolled back, and those changes are discarded. Call session.rollback() before going on after an error.",
      );
      boundary.#restoreSnapshot();
    }
    const { parent } = this;
    try {
      await this.#boundary?.release();
    } catch (error) {
      failure ??= { error };
    }
    this.#ending = undefined;
    if (parent !== undefined && cause !== undefined) parent.#rollbackCause = cause;
    this.#close();
    if (failure !== undefined) throw failure.error;
    await core.emitAndSettle(core.dispatch.afterSoftRollback, { session: core.session, previousTransaction: this });
    // A listener may have rolled back the rest by itself.
    if (toRoot && parent !== undefined && !parent.isClosed) await parent.rollbackWithin({ toRoot });
  }

  /** Ends it and what is around it, without a word to the database but that the root gives the connection back. */
  abandon(): MaybePromise<void> {
    const released = this.#boundary?.release();
    if (!(released instanceof Promise)) return this.#closeOutwards();
    return released.then(
      () => this.#closeOutwards(),
      (error: unknown) => andThen(this.#closeOutwards(), () => Promise.reject(error as Error)),
    );
  }

  #closeOutwards(): MaybePromise<void> {
    const { parent } = this;
    try {
      this.#close();
    } catch (error) {
      return andThen(parent?.abandon(), () => Promise.reject(error as Error));
    }
    return parent?.abandon();
  }

  #abandonInactive(): void {
    if (this.isClosed) return;
    this.expectNotEnding("The end of the transaction's block", false);
    this.#closeInner();
    this.#close();
  }

  async #prepare(): Promise<void> {
    const core = this.#core;
    this.expectActive();
    if (this.parent === undefined || this.nested) {
      const listeners = this.nested ? core.dispatch.beforeSavepointRelease : core.dispatch.beforeCommit;
      await core.emitAndSettle(listeners, { session: core.session });
    }
    while (core.transaction !== undefined && core.transaction !== this && core.transaction.isInside(this))
      await core.transaction.#commitAlong();
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
    // A flush of a listener's own may have failed, without anybody else having noticed.
    this.expectActive();
    this.#phase = "prepared";
  }

  /** Whether it was opened, directly or not, inside of another. */
  isInside(other: SessionTransaction): boolean {
    return this.parent !== undefined && (this.parent === other || this.parent.isInside(other));
  }

  async #releaseSavepoint(): Promise<void> {
    const core = this.#core;
    await this.#boundary?.commit();
    this.#phase = "committed";
    this.parent?.snapshot.absorb(this.snapshot);
    try {
      await core.emitAndSettle(core.dispatch.afterSavepointRelease, { session: core.session });
    } finally {
      this.#close();
    }
  }

  /** Once the database has committed, the work is saved whatever listeners do: each is called, and what they throw is reported together. */
  async #commitRoot(): Promise<void> {
    const errors: unknown[] = [];
    try {
      await this.#boundary?.commit();
    } catch (error) {
      // A COMMIT that fails has saved nothing, and its transaction is lost. Why it failed matters more than what a listener of the rollback throws.
      await this.rollbackWithin().catch(() => undefined);
      throw error;
    }
    try {
      await this.#boundary?.release();
    } catch (error) {
      errors.push(error);
    }
    this.#phase = "committed";
    await this.#announceCommit(errors);
    settleSnapshot(this.#core, this.snapshot, errors);
    try {
      this.#close();
    } catch (error) {
      errors.push(error);
    }
    if (errors.length > 0) throw new AfterCommitError(errors, this.session);
  }

  async #announceCommit(errors: unknown[]): Promise<void> {
    const core = this.#core;
    const { afterCommit } = core.dispatch;
    if (afterCommit === undefined) return;
    const event = { session: this.session, changes: consolidate(this.snapshot.changes) };
    for (const registration of afterCommit) {
      try {
        await core.emitAndSettle([registration], event);
      } catch (error) {
        errors.push(error);
      }
    }
  }

  async #rollbackBoundary(): Promise<{ readonly error: unknown } | undefined> {
    const core = this.#core;
    let failure: { readonly error: unknown } | undefined;
    try {
      await this.#boundary?.rollback();
      this.#phase = "inactive";
      await core.emitAndSettle(core.dispatch.afterRollback, { session: core.session });
    } catch (error) {
      failure = { error };
    }
    this.#phase = "inactive";
    try {
      this.#restoreSnapshot();
    } catch (error) {
      failure ??= { error };
    }
    return failure;
  }

  /** Why the database has ended the whole transaction by itself, of which a savepoint without a statement knows nothing. */
  get #lostBy(): Error | undefined {
    return this.#boundary?.lostBy ?? (this.parent === undefined ? undefined : this.parent.#lostBy);
  }

  /** Rolls back what is around a savepoint, because the database has: all of it waits for a rollback of its own. */
  async #rollbackAround(cause: unknown): Promise<{ readonly error: unknown } | undefined> {
    let failure: { readonly error: unknown } | undefined;
    for (let outer = this.parent; outer !== undefined; outer = outer.parent) {
      const own = outer.parent === undefined || outer.nested ? await outer.#rollbackBoundary() : undefined;
      failure ??= own;
      outer.#phase = "inactive";
      outer.#rollbackCause = cause;
    }
    return failure;
  }

  #restoreSnapshot(): void {
    if (!this.#isWithinWriting) restoreSnapshot(this.#core, this.snapshot, this.nested);
  }

  /** What savepoints did that are open inside of it is rolled back along with it. */
  #absorbInner(): void {
    const { transaction } = this.#core;
    for (let inner = transaction; inner?.parent !== undefined && inner !== this; inner = inner.parent)
      if (inner.nested && inner.#phase !== "inactive" && inner.isInside(this))
        inner.parent.snapshot.absorb(inner.snapshot);
  }

  /** Ends what was opened inside of it and never ended. */
  #closeInner(): void {
    const core = this.#core;
    while (core.transaction !== undefined && core.transaction !== this && core.transaction.isInside(this))
      core.transaction.#close();
  }

  #close(): void {
    const core = this.#core;
    core.transaction = this.parent;
    this.#phase = "closed";
    const { afterTransactionEnd } = core.dispatch;
    try {
      if (afterTransactionEnd !== undefined) emit(afterTransactionEnd, { session: core.session, transaction: this });
    } finally {
      // What was added or changed while it ended is the next transaction's.
      if (this.parent === undefined && !core.isClean) core.autobegin();
    }
  }
}
