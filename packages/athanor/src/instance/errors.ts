import { InvalidRequestError } from "../event/errors.ts";

/**
 * An attribute was read whose value is not in memory, and reading cannot wait for the database.
 *
 * Load it first: `await load(user, "email")`, `session.refresh(user)`, or select it with the rest.
 */
export class UnloadedAttributeError extends InvalidRequestError {
  static {
    this.prototype.name = "UnloadedAttributeError";
  }
  override readonly code: string = "ATHANOR_UNLOADED_ATTRIBUTE";
}

/** An attribute that is not in memory was asked of an instance that belongs to no session, so nothing can load it. */
export class DetachedInstanceError extends InvalidRequestError {
  static {
    this.prototype.name = "DetachedInstanceError";
  }
  override readonly code: string = "ATHANOR_DETACHED_INSTANCE";
}

/** An object was given to Athanor that is no instance of a model. */
export class UnmappedInstanceError extends InvalidRequestError {
  static {
    this.prototype.name = "UnmappedInstanceError";
  }
  override readonly code: string = "ATHANOR_UNMAPPED_INSTANCE";
}
