import { ArgumentError, InvalidRequestError } from "../event/errors.ts";
import { distinct } from "./distinct.ts";
import { FrozenResult } from "./frozen-result.ts";

/** One row was expected, and there was none. SQLAlchemy: `exc.NoResultFound`. */
export class NoResultFound extends InvalidRequestError {
  static {
    this.prototype.name = "NoResultFound";
  }
  override readonly code: string = "ATHANOR_NO_RESULT_FOUND";
}

/** At most one row was expected, and there were several. SQLAlchemy: `exc.MultipleResultsFound`. */
export class MultipleResultsFound extends InvalidRequestError {
  static {
    this.prototype.name = "MultipleResultsFound";
  }
  override readonly code: string = "ATHANOR_MULTIPLE_RESULTS_FOUND";
}

/**
 * What a statement found, one value for each row. It is in memory, and can be read as often as you like.
 *
 * SQLAlchemy: Using Engines and Connections, `ScalarResult`.
 */
export class ScalarResult<out TValue> implements Iterable<TValue>, AsyncIterable<TValue> {
  readonly #values: readonly TValue[];

  constructor(values: readonly TValue[]) {
    this.#values = values;
  }

  /** All of them. */
  all(): TValue[] {
    return this.#values.slice();
  }

  /** The only one. Throws NoResultFound where there is none, MultipleResultsFound where there are several. */
  one(): TValue {
    expectRows(this.#values.length, true);
    return this.#values[0] as TValue;
  }

  /** The only one, or null. Throws MultipleResultsFound where there are several. */
  oneOrNull(): TValue | null {
    expectRows(this.#values.length, false);
    return this.#values[0] ?? null;
  }

  /** The first, or null. */
  first(): TValue | null {
    return this.#values[0] ?? null;
  }

  /**
   * Keeps the first of those that are the same: of instances the same object; of numbers, text, dates and bytes those that are equal.
   *
   * SQLAlchemy: Using Engines and Connections, `ScalarResult.unique()`.
   *
   * @param keyOf what a value is recognised by, instead of itself
   * @example
   * const authors = (await session.scalars(statement)).unique((user) => user.email.toLowerCase());
   */
  unique(keyOf?: (value: TValue) => unknown): ScalarResult<TValue> {
    return new ScalarResult(distinct(this.#values, keyOf));
  }

  /**
   * All of them in lists of that many; the last may be shorter.
   *
   * SQLAlchemy: Using Engines and Connections, `ScalarResult.partitions()`.
   *
   * @example
   * for (const users of (await session.scalars(select(User))).partitions(100)) await sendAll(users);
   */
  partitions(size: number): IterableIterator<TValue[]> {
    return listsOf(this.#values, size);
  }

  [Symbol.iterator](): Iterator<TValue> {
    return this.#values[Symbol.iterator]();
  }

  [Symbol.asyncIterator](): AsyncIterator<TValue> {
    return eachLater(this.#values);
  }
}

/**
 * What a statement found, row by row: of a SELECT of instances each row is `[instance]`, of raw SQL an object by column name. It is in memory, and can be
 * read as often as you like.
 *
 * SQLAlchemy: Using Engines and Connections, `Result`.
 */
export class Result<out TRow> implements Iterable<TRow>, AsyncIterable<TRow> {
  /** How many rows an INSERT, UPDATE or DELETE changed; how many a SELECT found. */
  readonly rowCount: number;
  readonly #rows: readonly TRow[];
  readonly #names: readonly string[] | undefined;

  /** @param names where rows are objects, the names of their values in the order of the columns */
  constructor(rows: readonly TRow[], rowCount: number, names?: readonly string[]) {
    this.#rows = rows;
    this.rowCount = rowCount;
    this.#names = names;
  }

  /** All rows. */
  all(): TRow[] {
    return this.#rows.slice();
  }

  /** The only row. Throws NoResultFound where there is none, MultipleResultsFound where there are several. */
  one(): TRow {
    expectRows(this.#rows.length, true);
    return this.#rows[0] as TRow;
  }

  /** The only row, or null. Throws MultipleResultsFound where there are several. */
  oneOrNull(): TRow | null {
    expectRows(this.#rows.length, false);
    return this.#rows[0] ?? null;
  }

  /** The first row, or null. */
  first(): TRow | null {
    return this.#rows[0] ?? null;
  }

  /** The first value of each row. */
  // What is asked of `this` is not part of what a Result is, so that one of users is one of anything.
  scalars<T>(this: Result<T>): ScalarResult<FirstOf<T>> {
    return new ScalarResult(this.#rows.map((row) => this.#firstValue(row)));
  }

  /** The first value of the first row, or null where there is no row. */
  scalar<T>(this: Result<T>): FirstOf<T> | null {
    return this.#rows.length === 0 ? null : this.#firstValue(this.#rows[0] as T);
  }

  /**
   * The same rows as lists of their values, in the order of the columns: what a SELECT of instances gives anyway, and raw SQL does not. Of columns with the
   * same name there is one value.
   *
   * SQLAlchemy: Using Engines and Connections, `Result.tuples()`.
   */
  tuples<T>(this: Result<T>): Result<TupleOf<T>> {
    const tuples = this.#rows.map((row) => (Array.isArray(row) ? row : this.#valuesOf(row)));
    return new Result(tuples as TupleOf<T>[], this.rowCount);
  }

  /**
   * Keeps the first of the rows that are the same: whose instances are the same objects, and whose numbers, texts, dates and bytes are equal.
   *
   * SQLAlchemy: Using Engines and Connections, `Result.unique()`.
   *
   * @param keyOf what a row is recognised by, instead of all its values
   * @example
   * const rows = (await session.execute(statement)).unique(([user]) => user.team_id).all();
   */
  unique(keyOf: (row: TRow) => unknown = (row) => (Array.isArray(row) ? row : this.#valuesOf(row))): Result<TRow> {
    return new Result(distinct(this.#rows, keyOf), this.rowCount, this.#names);
  }

  /**
   * All rows in lists of that many; the last may be shorter.
   *
   * SQLAlchemy: Using Engines and Connections, `Result.partitions()`.
   *
   * @example
   * for (const rows of (await session.execute(statement)).partitions(100)) await sendAll(rows);
   */
  partitions(size: number): IterableIterator<TRow[]> {
    return listsOf(this.#rows, size);
  }

  /**
   * The rows of this result and, behind them, those of others: of the same statement on several databases, or with several parameters.
   *
   * SQLAlchemy: Using Engines and Connections, `Result.merge()`.
   *
   * @example
   * listen(SessionLocal, "doOrmExecute", async (event) => {
   *   const present = await event.invokeStatement();
   *   return present.merge(await event.invokeStatement({ parameters: { year: 2024 } }));
   * });
   */
  merge<TOther = TRow>(...others: readonly Result<TOther>[]): Result<TRow | TOther> {
    const all: readonly Result<TRow | TOther>[] = [this, ...others];
    return new Result(
      all.flatMap((result) => result.#rows),
      all.reduce((sum, { rowCount }) => sum + rowCount, 0),
      this.#names,
    );
  }

  /**
   * Keeps the rows as they are now, apart from the session: for a cache, which `mergeFrozenResult` answers from later, in whatever session.
   *
   * SQLAlchemy: Using Engines and Connections, `Result.freeze()`.
   *
   * @throws InvalidRequestError for an instance that has no row yet.
   */
  freeze(): FrozenResult<TRow> {
    const [rowCount, names] = [this.rowCount, this.#names];
    return new FrozenResult(this.#rows, names, (rows) => new Result(rows, rowCount, names));
  }

  [Symbol.iterator](): Iterator<TRow> {
    return this.#rows[Symbol.iterator]();
  }

  [Symbol.asyncIterator](): AsyncIterator<TRow> {
    return eachLater(this.#rows);
  }

  #firstValue<T>(row: T): FirstOf<T> {
    return (Array.isArray(row) ? row[0] : this.#valuesOf(row)[0]) as FirstOf<T>;
  }

  #valuesOf(row: unknown): unknown[] {
    // An object tells names that look like numbers before all others.
    return this.#names?.map((name) => (row as Record<string, unknown>)[name]) ?? Object.values(row as object);
  }
}

/** The first value of a row; unknown of raw SQL that does not say what its rows are. */
export type FirstOf<TRow> = TRow extends readonly [infer F, ...unknown[]]
  ? F
  : [keyof TRow] extends [never]
    ? unknown
    : TRow extends object
      ? TRow[keyof TRow]
      : never;

/** A row as the list of its values. */
export type TupleOf<TRow> = TRow extends readonly unknown[]
  ? TRow
  : [keyof TRow] extends [never]
    ? readonly unknown[]
    : readonly TRow[keyof TRow][];

function listsOf<T>(values: readonly T[], size: number): IterableIterator<T[]> {
  if (!Number.isSafeInteger(size) || size < 1)
    throw new ArgumentError(
      `partitions() takes how many rows each list has, a whole number from 1 on, and got ${size}.`,
    );
  return (function* () {
    for (let start = 0; start < values.length; start += size) yield values.slice(start, start + size);
  })();
}

async function* eachLater<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}

function expectRows(count: number, atLeastOne: boolean): void {
  if (count > 1) {
    throw new MultipleResultsFound(
      `The statement found ${count} rows where at most one was expected. Make the condition more precise, or take first() or all().`,
    );
  }
  if (count === 0 && atLeastOne) {
    throw new NoResultFound(
      "The statement found no row where one was expected. Use oneOrNull() where there may be none.",
    );
  }
}
