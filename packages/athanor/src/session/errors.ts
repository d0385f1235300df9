import { AthanorError, InvalidRequestError } from "../event/errors.ts";
import type { Session } from "./session.ts";

/**
 * An earlier flush failed and was rolled back, and the session waits for `session.rollback()` before it does anything else.
 *
 * SQLAlchemy: Session Basics, Handling exceptions; `PendingRollbackError`.
 */
export class PendingRollbackError extends InvalidRequestError {
  static {
    this.prototype.name = "PendingRollbackError";
  }
  override readonly code: string = "ATHANOR_PENDING_ROLLBACK";
}

/** The transaction has ended, and cannot be used any more. */
export class ResourceClosedError extends InvalidRequestError {
  static {
    this.prototype.name = "ResourceClosedError";
  }
  override readonly code: string = "ATHANOR_RESOURCE_CLOSED";
}

/**
 * A listener tried to end a transaction by an event that is part of ending it: `commit` in `beforeCommit`, `rollback` in `afterRollback`.
 *
 * SQLAlchemy: `orm.exc.IllegalStateChangeError`.
 */
export class IllegalStateChangeError extends InvalidRequestError {
  static {
    this.prototype.name = "IllegalStateChangeError";
  }
  override readonly code: string = "ATHANOR_ILLEGAL_STATE_CHANGE";
}

/**
 * An instance was to be loaded, and its row is not there any more; or, in a session with `criteria: "strict"`, it is hidden. SQLAlchemy: `orm.exc.ObjectDeletedError`.
 */
export class ObjectDeletedError extends InvalidRequestError {
  static {
    this.prototype.name = "ObjectDeletedError";
  }
  override readonly code: string = "ATHANOR_OBJECT_DELETED";
  /** The row is there, and criteria hide it. */
  readonly isHidden: boolean;

  constructor(message: string, isHidden = false) {
    super(message);
    this.isHidden = isHidden;
  }
}

/**
 * Where calls from listeners cannot be told from calls of other tasks (a platform without AsyncLocalStorage), a session was used while
 * it was busy.
 */
export class ConcurrentOperationError extends InvalidRequestError {
  static {
    this.prototype.name = "ConcurrentOperationError";
  }
  override readonly code: string = "ATHANOR_CONCURRENT_OPERATION";
}

/**
 * The data IS committed, and then a listener threw: of `afterCommit`, or of another event that follows the COMMIT. The others ran too, and the session is clean.
 *
 * Never repeat the work for it. `errors` holds what each listener threw, `result` what the work passed to `sessionmaker.begin` returned.
 */
export class AfterCommitError extends AthanorError {
  static {
    this.prototype.name = "AfterCommitError";
  }
  override readonly code: string = "ATHANOR_AFTER_COMMIT";
  readonly errors: readonly unknown[];
  readonly result: unknown;
  /** Always false: the work has been done. */
  readonly isRetryable = false;
  /** Private, so that printing the error does not print the session. */
  readonly #session: Session;

  constructor(errors: readonly unknown[], session: Session, result?: unknown) {
    const [first] = errors;
    super(
      `The transaction is committed, and its data is saved; but ${errors.length === 1 ? "a listener" : `${errors.length} listeners`} that ran after the COMMIT threw: ` +
        `${asClause(first)}. Do not repeat the work; mend the listener, or do what it should have done.`,
      { cause: first },
    );
    this.errors = errors;
    this.#session = session;
    this.result = result;
  }

  /** The session whose transaction is committed: that of another one says nothing about your own. */
  get session(): Session {
    return this.#session;
  }
}

/** The message of an error, to stand inside a sentence. */
export function asClause(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\.$/, "");
}
