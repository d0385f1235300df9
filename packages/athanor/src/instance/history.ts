/** Stands for the old value of an attribute that was never loaded or set. SQLAlchemy: `NO_VALUE` and `NEVER_SET`. */
export const NO_VALUE: unique symbol = Symbol("NO_VALUE");

/**
 * Stands for the old value of a reference that is not loaded, and that the session does not have either.
 *
 * SQLAlchemy: `PASSIVE_NO_RESULT`.
 */
export const PASSIVE_NO_RESULT: unique symbol = Symbol("PASSIVE_NO_RESULT");

/**
 * What a flush would write for one attribute: the values it gained, kept and lost since it was loaded or last flushed.
 *
 * A part that is unknown is empty. SQLAlchemy: Session API, `attributes.History`.
 *
 * @example
 * user.email = "new@x";
 * inspect(user).attributes.email.history; // added ["new@x"], unchanged [], deleted ["old@x"]
 */
export class History<TValue = unknown> {
  readonly added: readonly TValue[];
  readonly unchanged: readonly TValue[];
  readonly deleted: readonly TValue[];

  constructor(added: readonly TValue[], unchanged: readonly TValue[], deleted: readonly TValue[]) {
    this.added = added;
    this.unchanged = unchanged;
    this.deleted = deleted;
  }

  /** Whether anything was added or deleted. */
  hasChanges(): boolean {
    return this.added.length > 0 || this.deleted.length > 0;
  }

  /** Whether nothing is known of the attribute: it is neither loaded nor set. */
  get isEmpty(): boolean {
    return !this.hasChanges() && this.unchanged.length === 0;
  }
}

/** A part of a history that is empty: most are, and none is ever changed. */
export const nothing: readonly never[] = Object.freeze([]);

/** The history of an attribute of which nothing is known. */
export const unknownHistory: History<never> = new History<never>(nothing, nothing, nothing);
