import type { RawBuilder } from "kysely";
import { ArgumentError } from "../event/errors.ts";
import type { ColumnType } from "./column-type.ts";
import { isSameJson } from "./json-value.ts";
import type { ReferentialAction } from "./table.ts";

/** What was said about a column, collected by the methods of Column. */
export interface ColumnOptions {
  readonly type: ColumnType;
  readonly name?: string;
  readonly primaryKey?: boolean;
  readonly nullable?: boolean;
  readonly unique?: boolean;
  readonly index?: boolean;
  readonly default?: { readonly value: unknown };
  readonly onupdate?: { readonly value: unknown };
  readonly serverDefault?: RawBuilder<unknown> | string | number | boolean;
  readonly deferred?: Deferral;
  readonly references?: {
    readonly column: string;
    readonly onDelete?: ReferentialAction;
    readonly onUpdate?: ReferentialAction;
  };
}

/** How a column is left out of the rows that instances are read from. */
export interface Deferral {
  /** Columns of one group are loaded together. */
  readonly group?: string | undefined;
  /** `load()` refuses it, so that only a query loads it. False unless you say so. */
  readonly raiseLoad?: boolean | undefined;
}

/**
 * A column of a model or of a `table()`: its type, and what else is said of it by chaining methods.
 *
 * Every method returns a new column, so one may be kept and reused. SQLAlchemy: Table Configuration with Declarative.
 *
 * @example
 * email: text().unique().index()
 */
export class Column<
  out TValue,
  out TGiven extends "required" | "optional" = "required",
  out TKey extends boolean = boolean,
> {
  declare readonly "~kind": "column";
  declare readonly "~value": TValue;
  declare readonly "~given": TGiven;
  declare readonly "~key": TKey;
  readonly options: ColumnOptions;

  constructor(options: ColumnOptions) {
    this.options = options;
  }

  /** The column is (part of) the key of its row. A single integer key is made by the database unless you give one. */
  primaryKey(): Column<TValue, "optional", true> {
    return this.#with({ primaryKey: true });
  }

  /** The column may hold NULL, which reads `null`. */
  nullable(): Column<TValue | null, "optional", TKey> {
    return this.#with({ nullable: true });
  }

  /** The value that an INSERT writes where none, or null, was set: a value, or a function that makes one for each row. Until then it reads undefined. */
  default(value: TValue | (() => TValue)): Column<TValue, "optional", TKey> {
    return this.#with({ default: { value } });
  }

  /** The value that every UPDATE of the row writes where the program did not set one: a value, or a function that makes one. */
  onupdate(value: TValue | (() => TValue)): Column<TValue, TGiven, TKey> {
    return this.#with({ onupdate: { value } });
  }

  /** The value that the database fills in where none was set: a literal, or an expression as in serverDefault(sql`now()`). */
  serverDefault(value: RawBuilder<unknown> | string | number | boolean): Column<TValue, "optional", TKey> {
    return this.#with({ serverDefault: value });
  }

  /** No two rows may have the same value. */
  unique(): Column<TValue, TGiven, TKey> {
    return this.#with({ unique: true });
  }

  /** The database keeps an index over the column. */
  index(): Column<TValue, TGiven, TKey> {
    return this.#with({ index: true });
  }

  /** A foreign key, "table.column" (or "schema.table.column"): a string, so that tables may refer to each other. */
  references(
    column: string,
    actions: { readonly onDelete?: ReferentialAction; readonly onUpdate?: ReferentialAction } = {},
  ): Column<TValue, TGiven, TKey> {
    if (!/^[^.]+\.[^.]+(\.[^.]+)?$/.test(column)) {
      throw new ArgumentError(
        `references("${column}") names no column. Write the table and the column, as in references("users.id").`,
      );
    }
    return this.#with({ references: { column, ...actions } });
  }

  /**
   * The column is left out where instances are loaded: for long texts and documents that few need. `load(post, "body")` loads it, together with the others of its group
   * where you name one, and `undefer(Post, "body")` loads it along. Assigning needs no loading.
   *
   * SQLAlchemy: Column Loading Options, Configuring Column Deferral on Mappings.
   *
   * @throws ArgumentError for a key, a discriminator or a version, which every instance needs; when the class is declared.
   * @example
   * body: text().deferred(), scan: bytes().deferred("files"), preview: bytes().deferred({ group: "files", raiseLoad: true })
   */
  deferred(how: string | Deferral = {}): Column<TValue, TGiven, TKey> {
    return this.#with({ deferred: typeof how === "string" ? { group: how } : how });
  }

  /** The name in the database, where it is not the property's in snake_case. */
  named(name: string): Column<TValue, TGiven, TKey> {
    return this.#with({ name });
  }

  #with<TColumn>(options: Partial<ColumnOptions>): TColumn {
    return new Column<TValue, TGiven, TKey>({ ...this.options, ...options }) as TColumn;
  }
}

/** A whole number, up to 2^53. */
export function integer(): Column<number> {
  return new Column({ type: { kind: "integer" } });
}

/** A whole number of 64 bits. */
export function bigint(): Column<bigint> {
  return new Column({ type: { kind: "bigint" } });
}

/** A floating-point number of 64 bits. */
export function real(): Column<number> {
  return new Column({ type: { kind: "real" } });
}

/** An exact decimal number, as a string ("12.50"), because JavaScript's numbers would round it. */
export function numeric(precision?: number, scale?: number): Column<string> {
  return new Column({
    type: {
      kind: "numeric",
      ...(precision !== undefined && { precision }),
      ...(scale !== undefined && { scale }),
      isEqual: (left, right) =>
        left === right ||
        (left != null && right != null && canonicalDecimal(String(left)) === canonicalDecimal(String(right))),
    },
  });
}

/** Text of any length. */
export function text(): Column<string> {
  return new Column({ type: { kind: "text" } });
}

/** Text of at most `length` characters. */
export function varchar(length: number): Column<string> {
  return new Column({ type: { kind: "varchar", length } });
}

/** True or false. */
export function boolean(): Column<boolean> {
  return new Column({ type: { kind: "boolean" } });
}

/** A point in time, to the millisecond. */
export function timestamp(): Column<Date> {
  return new Column({
    type: {
      kind: "timestamp",
      isEqual: (left, right) =>
        left === right || (left instanceof Date && right instanceof Date && left.getTime() === right.getTime()),
    },
  });
}

/** A day without a time, as a string: "2026-02-28". */
export function date(): Column<string> {
  return new Column({ type: { kind: "date" } });
}

/**
 * A value that JSON can hold. Changing it in place is not seen: assign a new value, or say `flagModified(instance, "key")`.
 */
export function json<TValue = unknown>(): Column<TValue> {
  return new Column({ type: { kind: "json", isEqual: isSameJson } });
}

/** A UUID as a string. */
export function uuid(): Column<string> {
  return new Column({ type: { kind: "uuid" } });
}

/** Binary data. */
export function bytes(): Column<Uint8Array> {
  return new Column({
    type: {
      kind: "bytes",
      isEqual: (left, right) =>
        left === right ||
        (left instanceof Uint8Array &&
          right instanceof Uint8Array &&
          left.length === right.length &&
          left.every((byte, index) => byte === right[index])),
    },
  });
}

/** One of the given strings; the database checks it too. */
export function enumeration<const TValues extends readonly string[]>(...values: TValues): Column<TValues[number]> {
  return new Column({ type: { kind: "enumeration", values } });
}

/**
 * A column type of your own over one of these: how its values become those of `base`, and back. NULL passes both by.
 *
 * SQLAlchemy: Custom Types, `TypeDecorator`.
 *
 * @example
 * const money = () => customType(integer(), { toDatabase: (value: Money) => value.cents, fromDatabase: (cents) => new Money(cents) });
 */
export function customType<TValue, TStored>(
  base: Column<TStored, "required">,
  conversion: {
    toDatabase(value: TValue): TStored;
    fromDatabase(value: TStored): TValue;
    /** Whether two values are the same to the database. Without it they are compared as stored. */
    isEqual?(left: TValue, right: TValue): boolean;
  },
): Column<TValue> {
  const { type } = base.options;
  const inner = type.isEqual ?? Object.is;
  const isEqual =
    conversion.isEqual ??
    ((left: TValue, right: TValue): boolean => inner(conversion.toDatabase(left), conversion.toDatabase(right)));
  // Beside values there are NULL and the marks of values that are not known, which the conversion knows nothing of.
  const isValue = (value: unknown): value is TValue => value != null && typeof value !== "symbol";
  return new Column({
    ...base.options,
    type: {
      ...type,
      toDatabase: (value) => conversion.toDatabase(value as TValue),
      fromDatabase: (value) => conversion.fromDatabase(value as TStored),
      isEqual: (left, right) => left === right || (isValue(left) && isValue(right) && isEqual(left, right)),
    },
  });
}

/** A property that is not stored: accepted by the constructor, seen by listeners, never written and never printed (a plain-text password). */
export class Transient<out TValue> {
  declare readonly "~transient": TValue;
}

/** A property that is not stored, such as a password before it is hashed. */
export function transient<TValue>(): Transient<TValue | undefined> {
  return new Transient();
}

/** "1.50", "1.5" and "15e-1" are one number. */
function canonicalDecimal(decimal: string): string {
  const match = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d{1,4}))?$/i.exec(decimal.trim());
  if (match === null) return decimal;
  const [, sign, whole = "", fraction = "", exponent = "0"] = match;
  const point = whole.length + Number(exponent);
  const digits = "0".repeat(Math.max(-point, 0)) + (whole + fraction).padEnd(point, "0");
  const before = digits.slice(0, Math.max(point, 0)).replace(/^0+/, "");
  const behind = digits.slice(Math.max(point, 0)).replace(/0+$/, "");
  const number = `${before === "" ? "0" : before}${behind === "" ? "" : `.${behind}`}`;
  return sign === "-" && number !== "0" ? `-${number}` : number;
}
