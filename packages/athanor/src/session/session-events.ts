import type { Connection } from "../engine/connection.ts";
import type { EventFamily } from "../event/event-node.ts";
import type { Async, Sync } from "../event/listener-result.ts";
import type { Instance } from "../mapping/model-types.ts";
import type { AfterBulkDeleteEvent, AfterBulkUpdateEvent } from "./bulk-events.ts";
import type { Change } from "./change-log.ts";
import type { ORMExecuteState } from "./orm-execute-state.ts";
import type { Session } from "./session.ts";
import type { SessionTransaction } from "./session-transaction.ts";

/** Something happened to a session. */
export interface SessionEvent {
  readonly session: Session;
}

/** Something happened to one transaction of a session. */
export interface SessionTransactionEvent extends SessionEvent {
  readonly transaction: SessionTransaction;
}

/** A transaction got its connection. */
export interface AfterBeginEvent extends SessionTransactionEvent {
  readonly connection: Connection;
}

/** The work of a session is committed. */
export interface AfterCommitEvent extends SessionEvent {
  /**
   * What the transaction inserted, updated and deleted. Flushes record it while someone listens: what was flushed before the first listener was there is not
   * in it.
   */
  readonly changes: readonly Change[];
}

/** A transaction of a session was rolled back. */
export interface AfterSoftRollbackEvent extends SessionEvent {
  readonly previousTransaction: SessionTransaction;
}

/** An instance came to a session, left it, or changed its place in it. */
export interface LifecycleEvent extends SessionEvent {
  readonly target: Instance;
}

/**
 * Events of sessions: listen on a sessionmaker for its sessions, on `Session` for all, on one session for that one.
 *
 * SQLAlchemy: ORM Events, Session Events.
 */
export interface SessionEvents {
  /**
   * Fires when a transaction of the session came into being: with the first add, change or statement, by `begin`, for a savepoint, and for each
   * flush inside another. No connection is taken yet. Synchronous. Changes nothing.
   */
  afterTransactionCreate(event: SessionTransactionEvent): Sync;
  /**
   * Fires inside the transaction when its connection has begun it, and again for each savepoint. Awaited. May run
   * statements on `connection`.
   */
  afterBegin(event: AfterBeginEvent): Async;
  /**
   * Fires inside the transaction before the last flush of a commit. Awaited. May change anything, and run statements; throwing
   * leaves the transaction open and usable.
   */
  beforeCommit(event: SessionEvent): Async;
  /**
   * Fires after the COMMIT of the root transaction, never for a savepoint and never when COMMIT failed. Outside any transaction: the
   * connection is back in its pool, so a session of your own may be opened. Awaited. The work cannot be undone: an error is reported as
   * AfterCommitError when all listeners have run. `changes` is what the transaction inserted, updated and deleted.
   */
  afterCommit(event: AfterCommitEvent): Async;
  /** Fires inside the transaction before the last flush of a savepoint's release. Awaited. May change anything. */
  beforeSavepointRelease(event: SessionEvent): Async;
  /** Fires inside the transaction after a savepoint was released. Its work can still be rolled back with the rest. Awaited. */
  afterSavepointRelease(event: SessionEvent): Async;
  /**
   * Fires after the database's ROLLBACK, of the root or of a savepoint, by `rollback` or by a flush that failed. Awaited. The session refuses
   * statements here.
   */
  afterRollback(event: SessionEvent): Async;
  /**
   * Fires after any transaction of the session was rolled back, a flush's own too. Awaited. Where `session.isActive`, statements may be run, and
   * begin a new transaction.
   */
  afterSoftRollback(event: AfterSoftRollbackEvent): Async;
  /** Fires when a transaction of the session ended, in whatever way. Synchronous. Changes nothing. */
  afterTransactionEnd(event: SessionTransactionEvent): Sync;
  /**
   * Fires before a flush, inside the transaction (its connection may not have been taken yet), if there is anything to flush. Awaited. The place to change, add and
   * delete: everything is part of this flush. Throwing abandons it before it began.
   */
  beforeFlush(event: SessionEvent): Async;
  /**
   * Fires inside the transaction when a flush has written everything, and `session.new`, `dirty`, `deleted` and histories still show what. Awaited. What
   * it changes is flushed next time.
   */
  afterFlush(event: SessionEvent): Async;
  /** Fires inside the transaction when a flush is done and the session shows the result. Awaited. What it changes is flushed next time. */
  afterFlushPostexec(event: SessionEvent): Async;
  /** Fires before an instance comes to the session. In or out of a transaction; synchronous. Throwing keeps it out. */
  beforeAttach(event: LifecycleEvent): Sync;
  /** Fires when an instance came to the session. In or out of a transaction; synchronous. */
  afterAttach(event: LifecycleEvent): Sync;
  /** Fires when a new instance was added. In or out of a transaction; synchronous. */
  transientToPending(event: LifecycleEvent): Sync;
  /** Fires when a pending instance was expunged or rolled back. Synchronous. */
  pendingToTransient(event: LifecycleEvent): Sync;
  /** Fires inside the transaction, at the end of a flush that inserted the instance. Synchronous. */
  pendingToPersistent(event: LifecycleEvent): Sync;
  /** Fires when the insertion of an instance was rolled back. Synchronous. */
  persistentToTransient(event: LifecycleEvent): Sync;
  /** Fires inside the transaction, after `load`, when an instance was made from a row. Synchronous. */
  loadedAsPersistent(event: LifecycleEvent): Sync;
  /** Fires inside the transaction, at the end of a flush that deleted the instance. Synchronous. */
  persistentToDeleted(event: LifecycleEvent): Sync;
  /** Fires when the deletion of an instance was rolled back. Synchronous. */
  deletedToPersistent(event: LifecycleEvent): Sync;
  /** Fires when the deletion of an instance was committed, or it was expunged. Synchronous. */
  deletedToDetached(event: LifecycleEvent): Sync;
  /** Fires when a persistent instance left the session: expunge, close. Synchronous. */
  persistentToDetached(event: LifecycleEvent): Sync;
  /** Fires when a detached instance came back to a session. Synchronous. */
  detachedToPersistent(event: LifecycleEvent): Sync;
  /**
   * Fires before each statement that the session runs for the program, before autoflush and before any connection is taken. Awaited. May replace `statement`, `parameters` and options, run
   * the statement itself with `invokeStatement`, or return a Result to be used instead.
   */
  doOrmExecute(event: ORMExecuteState): Async;
  /**
   * Fires inside the transaction after an `update(…)` was executed, once for the statement, when the session's instances are up to date. Not where a listener of
   * `doOrmExecute` answered instead of the database. Awaited. `rows` are there where the execution option `rows` asks for them, which a listener of `doOrmExecute`
   * can give: `event.updateExecutionOptions({ rows: "before" })`. May run statements, and add and change instances, which the next flush writes; what it is
   * told is not to be changed. Throwing rejects `execute`; the rows stay changed until the transaction is rolled back.
   */
  afterBulkUpdate(event: AfterBulkUpdateEvent): Async;
  /**
   * Fires inside the transaction after a `deleteFrom(…)` was executed, in the same way as `afterBulkUpdate`; its rows are those of `rows: "before"`. Rows that the
   * database deletes by its own cascades are not among them. Awaited. May do what a listener of `afterBulkUpdate` may.
   */
  afterBulkDelete(event: AfterBulkDeleteEvent): Async;
}

/** The events of every session. */
export const sessionEvents = {
  name: "session",
  events: {
    afterTransactionCreate: "sync",
    afterBegin: "awaited",
    beforeCommit: "awaited",
    afterCommit: "awaited",
    beforeSavepointRelease: "awaited",
    afterSavepointRelease: "awaited",
    afterRollback: "awaited",
    afterSoftRollback: "awaited",
    afterTransactionEnd: "sync",
    beforeFlush: "awaited",
    afterFlush: "awaited",
    afterFlushPostexec: "awaited",
    beforeAttach: "sync",
    afterAttach: "sync",
    transientToPending: "sync",
    pendingToTransient: "sync",
    pendingToPersistent: "sync",
    persistentToTransient: "sync",
    loadedAsPersistent: "sync",
    persistentToDeleted: "sync",
    deletedToPersistent: "sync",
    deletedToDetached: "sync",
    persistentToDetached: "sync",
    detachedToPersistent: "sync",
    doOrmExecute: "awaited",
    afterBulkUpdate: "awaited",
    afterBulkDelete: "awaited",
  },
} as const satisfies EventFamily<keyof SessionEvents>;
