import { AthanorError, InvalidRequestError } from "../event/errors.ts";

/**
 * A row that was to be updated or deleted is not there any more, or somebody else has changed it: its version differs.
 *
 * The flush is rolled back. Load the instance again and decide anew. SQLAlchemy: `orm.exc.StaleDataError`.
 */
export class StaleDataError extends AthanorError {
  static {
    this.prototype.name = "StaleDataError";
  }
  override readonly code: string = "ATHANOR_STALE_DATA";
}

/** A flush cannot be carried out. SQLAlchemy: `orm.exc.FlushError`. */
export class FlushError extends AthanorError {
  static {
    this.prototype.name = "FlushError";
  }
  override readonly code: string = "ATHANOR_FLUSH";
}

/**
 * A listener tried, while rows are being written, what this flush could no longer take up. Do it in `beforeFlush`, where everything is still open.
 *
 * SQLAlchemy warns and loses the change (Session API, Warnings about operations within the flush).
 */
export class FlushInProgressError extends InvalidRequestError {
  static {
    this.prototype.name = "FlushInProgressError";
  }
  override readonly code: string = "ATHANOR_FLUSH_IN_PROGRESS";
}

/**
 * The rows of a flush need each other in a circle. `postUpdate: true` on one of the relationships breaks it.
 *
 * SQLAlchemy: `exc.CircularDependencyError`.
 */
export class CircularDependencyError extends AthanorError {
  static {
    this.prototype.name = "CircularDependencyError";
  }
  override readonly code: string = "ATHANOR_CIRCULAR_DEPENDENCY";
}
