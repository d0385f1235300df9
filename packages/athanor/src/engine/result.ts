import { InvalidRequestError } from "../event/errors.ts";

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
 * What a statement found, one value for each row.
 *
 * SQLAlchemy: Using Engines and Connections, `ScalarResult`.
 */
export class ScalarResult<out TValue> implements Iterable<TValue> {
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

  [Symbol.iterator](): Iterator<TValue> {
    return this.#values[Symbol.iterator]();
  }
}

/**
 * What a statement found, row by row: of a SELECT of instances each row is `[instance]`, of raw SQL an object by column name.
 *
 * SQLAlchemy: Using Engines and Connections, `Result`.
 */
export class Result<TRow> implements Iterable<TRow> {
  /** How many rows an INSERT, UPDATE or DELETE changed; how many a SELECT found. */
  readonly rowCount: number;
  readonly #rows: readonly TRow[];

  constructor(rows: readonly TRow[], rowCount: number) {
    this.#rows = rows;
    this.rowCount = rowCount;
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
  scalars(): ScalarResult<FirstOf<TRow>> {
    return new ScalarResult(this.#rows.map(firstValue) as FirstOf<TRow>[]);
  }

  /** The first value of the first row, or null where there is no row. */
  scalar(): FirstOf<TRow> | null {
    const [row] = this.#rows;
    return row === undefined ? null : (firstValue(row) as FirstOf<TRow>);
  }

  [Symbol.iterator](): Iterator<TRow> {
    return this.#rows[Symbol.iterator]();
  }
}

/** The first value of a row. */
export type FirstOf<TRow> = TRow extends readonly [infer F, ...unknown[]]
  ? F
  : unknown extends TRow
    ? unknown
    : TRow extends object
      ? TRow[keyof TRow]
      : never;

function firstValue(row: unknown): unknown {
  return Array.isArray(row) ? row[0] : Object.values(row as object)[0];
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
