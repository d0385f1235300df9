import { InvalidRequestError } from "../event/errors.ts";
import type { DriverCursor, RawResult } from "./dialect.ts";
import { andThen, type MaybePromise } from "./maybe-promise.ts";

/** How a call of the driver's is made: with its errors translated. */
type Ask = <T>(call: () => MaybePromise<T>) => MaybePromise<T>;

/** The rows of one SELECT while they are fetched, portion by portion. It lives no longer than its transaction, or than the savepoint that it was opened in. */
export class Cursor {
  /** How many savepoints it was opened inside of. */
  readonly depth: number;
  readonly #driver: DriverCursor;
  readonly #ask: Ask;
  readonly #forget: (cursor: Cursor) => void;
  #isClosed = false;
  #endedBy: string | undefined;

  constructor(driver: DriverCursor, depth: number, ask: Ask, forget: (cursor: Cursor) => void) {
    this.#driver = driver;
    this.depth = depth;
    this.#ask = ask;
    this.#forget = forget;
  }

  /**
   * The next rows, at most so many; no rows: there are no more.
   *
   * @throws InvalidRequestError where its transaction has ended
   */
  fetch(count: number): MaybePromise<RawResult> {
    if (this.#endedBy === undefined) return this.#ask(() => this.#driver.fetch(count));
    throw new InvalidRequestError(
      `The stream cannot go on: ${this.#endedBy} has ended the transaction or savepoint that it was reading in, and the database's cursor with it. ` +
        `End the transaction after the loop, and use savepoints inside of it; or read part by part with where(), orderBy() and limit(), each in a transaction of its own.`,
    );
  }

  /** Lets the database forget it. What goes wrong with that ends with its transaction. */
  close(): MaybePromise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#forget(this);
    try {
      const closed = this.#driver.close();
      return closed instanceof Promise ? closed.catch(() => {}) : undefined;
    } catch {
      return undefined;
    }
  }

  /** What it read in is about to end. */
  end(by: string): MaybePromise<void> {
    this.#endedBy = by;
    return this.close();
  }
}

/** Ends cursors one after another. */
export function endCursors(cursors: readonly Cursor[], by: string): MaybePromise<void> {
  return cursors.reduce<MaybePromise<void>>((before, cursor) => andThen(before, () => cursor.end(by)), undefined);
}
