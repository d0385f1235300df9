import { isJson } from "./json-value.ts";

/** The families of values that a database column can hold. Each dialect says how it stores every one of them. */
export type ColumnKind =
  | "integer"
  | "bigint"
  | "real"
  | "numeric"
  | "text"
  | "varchar"
  | "boolean"
  | "timestamp"
  | "date"
  | "json"
  | "uuid"
  | "bytes"
  | "enumeration";

/**
 * What a column stores, told without a database: a dialect's codec turns it into DDL and into conversions.
 *
 * `toDatabase` and `fromDatabase` belong to custom types: they stand between the user's value and the value of `kind`.
 */
export interface ColumnType {
  readonly kind: ColumnKind;
  /** In characters, for varchar. */
  readonly length?: number;
  /** In decimal digits, for numeric. */
  readonly precision?: number;
  /** Digits behind the point, for numeric. */
  readonly scale?: number;
  /** The allowed values of an enumeration. */
  readonly values?: readonly string[];
  readonly toDatabase?: (value: unknown) => unknown;
  readonly fromDatabase?: (value: unknown) => unknown;
  /** Whether two values are the same to the database; identity where it is missing. */
  readonly isEqual?: (left: unknown, right: unknown) => boolean;
}

const describe: Record<ColumnKind, { expects: string; accepts: (value: unknown, type: ColumnType) => boolean }> = {
  integer: { expects: "a whole number up to 2^53", accepts: (value) => Number.isSafeInteger(value) },
  bigint: { expects: "a bigint", accepts: (value) => typeof value === "bigint" },
  real: { expects: "a number", accepts: (value) => typeof value === "number" },
  numeric: {
    expects: "a decimal number written as a string, such as '12.50'",
    accepts: (value) => typeof value === "string" && /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value),
  },
  text: { expects: "a string", accepts: (value) => typeof value === "string" },
  varchar: {
    expects: "a string",
    accepts: (value, type) => typeof value === "string" && (type.length === undefined || value.length <= type.length),
  },
  boolean: { expects: "true or false", accepts: (value) => typeof value === "boolean" },
  timestamp: {
    expects: "a valid Date",
    accepts: (value) => value instanceof Date && !Number.isNaN(value.getTime()),
  },
  date: {
    expects: "a day as a string, such as '2026-02-28'",
    accepts: (value) => typeof value === "string" && /^\d{4}-\d{2}-\d{2}$/.test(value),
  },
  json: {
    expects: "a value that JSON can hold: strings, finite numbers, true, false, null, and arrays and objects of them",
    accepts: (value) => isJson(value),
  },
  uuid: {
    expects: "a UUID as a string",
    accepts: (value) => typeof value === "string" && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value),
  },
  bytes: { expects: "a Uint8Array", accepts: (value) => value instanceof Uint8Array },
  enumeration: {
    expects: "one of its values",
    accepts: (value, type) => typeof value === "string" && type.values?.includes(value) === true,
  },
};

/** Whether a column of this type can store the value. Custom types convert, so they take anything. */
export function isAccepted(type: ColumnType, value: unknown): boolean {
  return type.toDatabase !== undefined || describe[type.kind].accepts(value, type);
}

/** What a column of this type wants, for error messages: "a string of at most 20 characters". */
export function describeAccepted(type: ColumnType): string {
  if (type.kind === "varchar" && type.length !== undefined) return `a string of at most ${type.length} characters`;
  if (type.kind === "enumeration" && type.values !== undefined)
    return type.values.map((value) => `"${value}"`).join(" or ");
  return describe[type.kind].expects;
}
