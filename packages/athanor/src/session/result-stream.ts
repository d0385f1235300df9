import type { FirstOf, TupleOf } from "../engine/result.ts";
import type { Stream } from "./stream.ts";

/**
 * What a statement finds, while it is being found: a loop over it holds only so many rows in memory at a time, however many there are. It is read once, by one of its
 * ways. Leaving the loop ends it.
 *
 * SQLAlchemy: ORM Querying Guide, Fetching Large Result Sets with Yield Per; `AsyncResult`.
 */
export class ResultStream<out TItem, TRow = unknown> implements AsyncIterable<TItem> {
  readonly #stream: Stream;
  readonly #itemOf: (row: unknown) => TItem;

  constructor(stream: Stream, itemOf: (row: unknown) => TItem) {
    this.#stream = stream;
    this.#itemOf = itemOf;
  }

  /** The first value of each row. Of a statement of instances it is they anyway. */
  scalars(): ResultStream<FirstOf<TRow>, TRow> {
    return new ResultStream(this.#stream, (row) => valuesOf(row)[0] as FirstOf<TRow>);
  }

  /** The rows as lists of their values: of a statement of instances `[instance]`. */
  tuples(): ResultStream<TupleOf<TRow>, TRow> {
    return new ResultStream(this.#stream, (row) => valuesOf(row) as TupleOf<TRow>);
  }

  /**
   * Lists of so many, the last of which may be shorter; and so many are fetched at a time.
   *
   * @example
   * for await (const users of session.stream(select(User)).partitions(500)) await sendAll(users);
   */
  async *partitions(size: number): AsyncGenerator<TItem[], void, undefined> {
    for await (const rows of this.#stream.portions(size)) yield rows.map(this.#itemOf);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TItem, void, undefined> {
    for await (const rows of this.#stream.portions(this.#stream.portion)) {
      for (const row of rows) yield this.#itemOf(row);
    }
  }
}

function valuesOf(row: unknown): readonly unknown[] {
  return Array.isArray(row) ? row : Object.values(row as object);
}
