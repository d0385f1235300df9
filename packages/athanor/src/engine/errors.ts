import { AthanorError } from "../event/errors.ts";

/** What is known about an error of the database beside its message. */
export interface DatabaseErrorDetails {
  /** The driver's own error. It may hold values of parameters; the message of a DatabaseError never does. */
  readonly cause?: unknown;
  /** The statement that failed, without the values of its parameters. */
  readonly sql?: string | undefined;
  /** Whether the same transaction, run again from its beginning, may succeed. */
  readonly isRetryable?: boolean;
}

/**
 * The database, or the way to it, reported an error. Its subclasses say of which kind.
 *
 * `cause` is the driver's own error, `sql` the statement without the values of its parameters. Where `isRetryable` is true, nothing is wrong with the
 * work itself: run its whole transaction again.
 *
 * SQLAlchemy: Core Exceptions, `DBAPIError`.
 */
export class DatabaseError extends AthanorError {
  static {
    this.prototype.name = "DatabaseError";
  }
  override readonly code: string = "ATHANOR_DATABASE";
  readonly sql: string | undefined;
  readonly isRetryable: boolean;
  /** The index of the parameter set that failed, where one statement was run for many of them. */
  failedSet: number | undefined = undefined;

  constructor(message: string, details: DatabaseErrorDetails = {}) {
    super(message, "cause" in details ? { cause: details.cause } : undefined);
    this.sql = details.sql;
    this.isRetryable = details.isRetryable ?? false;
  }
}

/** Which promise about the data a statement would have broken. */
export type IntegrityErrorKind = "unique" | "foreignKey" | "notNull" | "check" | "exclusion";

/** What is known about a constraint that was violated. Databases differ in how much they tell. */
export interface IntegrityErrorDetails extends DatabaseErrorDetails {
  readonly kind: IntegrityErrorKind;
  readonly constraint?: string | undefined;
  readonly table?: string | undefined;
  readonly columns?: readonly string[] | undefined;
}

/**
 * A constraint of the database refused a row: `kind` says which sort, and `constraint`, `table` and `columns` name it as far as the database does.
 *
 * ```ts
 * catch (error) {
 *   if (error instanceof IntegrityError && error.kind === "unique") return "This address is taken.";
 *   throw error;
 * }
 * ```
 *
 * SQLAlchemy: Core Exceptions, `IntegrityError`.
 */
export class IntegrityError extends DatabaseError {
  static {
    this.prototype.name = "IntegrityError";
  }
  override readonly code: string = "ATHANOR_INTEGRITY";
  readonly kind: IntegrityErrorKind;
  readonly constraint: string | undefined;
  readonly table: string | undefined;
  readonly columns: readonly string[] | undefined;

  constructor(message: string, details: IntegrityErrorDetails) {
    super(message, details);
    this.kind = details.kind;
    this.constraint = details.constraint;
    this.table = details.table;
    this.columns = details.columns;
  }
}

/**
 * The database could not do its work for reasons that lie outside the statement: it cannot be reached, is locked, is full, broke a deadlock.
 *
 * SQLAlchemy: Core Exceptions, `OperationalError`.
 */
export class OperationalError extends DatabaseError {
  static {
    this.prototype.name = "OperationalError";
  }
  override readonly code: string = "ATHANOR_OPERATIONAL";
}

/** No connection to the database could be opened. Nothing was sent to it. */
export class UnreachableDatabaseError extends OperationalError {
  static {
    this.prototype.name = "UnreachableDatabaseError";
  }
  override readonly code: string = "ATHANOR_UNREACHABLE_DATABASE";
}

/** The connection broke while it was in use. Its transaction is rolled back by the database, unless it broke during COMMIT: then nobody knows. */
export class ConnectionLostError extends OperationalError {
  static {
    this.prototype.name = "ConnectionLostError";
  }
  override readonly code: string = "ATHANOR_CONNECTION_LOST";
}

/** The error of a connection that broke: what is known of its transaction depends on the statement that was under way. */
export function lostConnection(
  cause: unknown,
  sql: string | undefined,
  database = "the database",
): ConnectionLostError {
  const isCommit = sql === "commit";
  return new ConnectionLostError(
    `The connection to ${database} broke: the server was stopped or restarted, or something between closed it. ` +
      (isCommit
        ? "It broke during COMMIT, so nobody knows whether the transaction took effect: look at the data before you run it again."
        : "The transaction is rolled back: run it again."),
    { cause, sql, isRetryable: !isCommit },
  );
}

/** No connection of the pool became free in time. */
export class PoolTimeoutError extends OperationalError {
  static {
    this.prototype.name = "PoolTimeoutError";
  }
  override readonly code: string = "ATHANOR_POOL_TIMEOUT";
}

/** Every connection of the pool is held by someone who waits for another one, so none would ever become free. */
export class PoolExhaustedError extends OperationalError {
  static {
    this.prototype.name = "PoolExhaustedError";
  }
  override readonly code: string = "ATHANOR_POOL_EXHAUSTED";
}

/** The driver for a database is not installed. */
export class MissingDriverError extends OperationalError {
  static {
    this.prototype.name = "MissingDriverError";
  }
  override readonly code: string = "ATHANOR_MISSING_DRIVER";
}

/**
 * The statement itself is wrong: a table or column that does not exist, a syntax error, a missing permission.
 *
 * SQLAlchemy: Core Exceptions, `ProgrammingError`.
 */
export class ProgrammingError extends DatabaseError {
  static {
    this.prototype.name = "ProgrammingError";
  }
  override readonly code: string = "ATHANOR_PROGRAMMING";
}

/**
 * A value does not fit its column or its type: too large, too long, malformed.
 *
 * SQLAlchemy: Core Exceptions, `DataError`.
 */
export class DataError extends DatabaseError {
  static {
    this.prototype.name = "DataError";
  }
  override readonly code: string = "ATHANOR_DATA";
}
