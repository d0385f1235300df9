/**
 * The ancestor of every error that Athanor raises itself. Errors thrown by listeners are never wrapped in it: they keep their type.
 *
 * `code` is stable across versions; messages are not.
 *
 * ```ts
 * catch (error) {
 *   if (error instanceof AthanorError) log(error.code, error.message);
 * }
 * ```
 *
 * SQLAlchemy: Core Exceptions, `SQLAlchemyError`.
 */
export class AthanorError extends Error {
  // On the prototype rather than a field: the first line of `stack` is written before fields exist.
  static {
    this.prototype.name = "AthanorError";
  }
  /** Identifies the kind of error, for example `"ATHANOR_INVALID_REQUEST"`. */
  readonly code: string = "ATHANOR_ERROR";
}

/**
 * A function was called with an argument it cannot use, such as an option that does not exist.
 *
 * SQLAlchemy: Core Exceptions, `ArgumentError`.
 */
export class ArgumentError extends AthanorError {
  static {
    this.prototype.name = "ArgumentError";
  }
  override readonly code: string = "ATHANOR_ARGUMENT";
}

/**
 * Something was asked for that does not exist or is not possible in the present state, such as an event that the target does not have.
 *
 * SQLAlchemy: Core Exceptions, `InvalidRequestError`.
 */
export class InvalidRequestError extends AthanorError {
  static {
    this.prototype.name = "InvalidRequestError";
  }
  override readonly code: string = "ATHANOR_INVALID_REQUEST";
}

/**
 * A listener of a synchronous event is an async function, or returned a promise. Nothing could wait for it, so what it does would come too late,
 * and its failure would go unseen.
 */
export class AsyncListenerError extends InvalidRequestError {
  static {
    this.prototype.name = "AsyncListenerError";
  }
  override readonly code: string = "ATHANOR_ASYNC_LISTENER";
}
