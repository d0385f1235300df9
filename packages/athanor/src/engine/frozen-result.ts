import { Instance } from "../instance/instance.ts";
import { ImageReader, ImageTaker, type InstanceImage } from "../instance/instance-image.ts";
import { ownCopy } from "../instance/own-copy.ts";
import type { Result } from "./result.ts";

/** An instance among the values of a row that is kept. */
class Kept {
  readonly image: InstanceImage;

  constructor(image: InstanceImage) {
    this.image = image;
  }
}

/**
 * The rows of a result, kept apart from the session that found them: for a cache. Of instances it keeps what was known of their rows, with the relationships
 * that were loaded; what happens to them afterwards does not change it. {@link mergeFrozenResult} gives it to a session.
 *
 * SQLAlchemy: Using Engines and Connections, `FrozenResult`.
 */
export class FrozenResult<out TRow> {
  declare readonly "~row": TRow;
  /** Where rows are objects, the names of their values in the order of the columns. */
  readonly names: readonly string[] | undefined;
  readonly #rows: readonly unknown[];
  readonly #resultOf: (rows: readonly unknown[]) => Result<unknown>;

  /** `Result.freeze()` makes it. */
  constructor(
    rows: readonly TRow[],
    names: readonly string[] | undefined,
    resultOf: (rows: readonly unknown[]) => Result<unknown>,
  ) {
    this.names = names;
    const taker = new ImageTaker();
    this.#rows = rows.map((row) =>
      eachValue(row, (value) => (value instanceof Instance ? new Kept(taker.of(value)) : ownCopy(value))),
    );
    this.#resultOf = resultOf;
  }

  /** A result with these rows, each time a new one; its instances are detached, and nobody else has them. */
  result(): Result<TRow> {
    const reader = new ImageReader();
    return this.#result((image) => reader.instanceOf(image));
  }

  /** The same with the instances that a session has for the same rows: it gets detached ones, and answers with its own in the same order. */
  async resultWith(merge: (detached: readonly Instance[]) => Promise<readonly Instance[]>): Promise<Result<TRow>> {
    const images = new Set<InstanceImage>();
    for (const row of this.#rows) eachValue(row, (value) => value instanceof Kept && images.add(value.image));
    const reader = new ImageReader();
    const merged = await merge([...images].map((image) => reader.instanceOf(image)));
    const instances = new Map([...images].map((image, index) => [image, merged[index] as Instance]));
    return this.#result((image) => instances.get(image) as Instance);
  }

  #result(instanceOf: (image: InstanceImage) => Instance): Result<TRow> {
    const rows = this.#rows.map((row) =>
      eachValue(row, (value) => (value instanceof Kept ? instanceOf(value.image) : ownCopy(value))),
    );
    return this.#resultOf(rows) as Result<TRow>;
  }
}

/** The same row with other values. */
function eachValue(row: unknown, change: (value: unknown) => unknown): unknown {
  if (Array.isArray(row)) return row.map((value) => change(value));
  return Object.fromEntries(Object.entries(row as object).map(([name, value]) => [name, change(value)]));
}
