import { CaseNode, FunctionNode, type OperationNode, ValueNode, WhenNode } from "kysely";
import type { ColumnType } from "../../mapping/column-type.ts";
import { codecsByKind, toJsonText } from "../codecs.ts";
import { decimalToNearest, decimalToNumber, numberToDecimal } from "../decimal.ts";
import type { Codec } from "../dialect.ts";
import { DataError } from "../errors.ts";
import { formatTimestamp, parseTimestamp } from "../timestamp-text.ts";

/** Booleans are numbers to SQLite, and words where they become text. */
function toCastText(expression: OperationNode, from: ColumnType | undefined): OperationNode {
  if (from?.kind !== "boolean") return expression;
  const branch = (stored: number, word: string): WhenNode =>
    WhenNode.cloneWithResult(WhenNode.create(ValueNode.createImmediate(stored)), ValueNode.createImmediate(word));
  return CaseNode.cloneWithWhen(
    CaseNode.cloneWithWhen(CaseNode.create(expression), branch(1, "true")),
    branch(0, "false"),
  );
}

const text: Codec = { ddl: "text", toCast: toCastText };

/** A moment's text begins with its day, and would stay as it is. */
const date: Codec = { ddl: "text", toCast: (expression) => FunctionNode.create("date", [expression]) };

/** Numbers are bound as REAL, and columns turn whole ones into integers only below this. */
const largestWholeReal = 2 ** 51;

const integer: Codec = {
  ddl: "integer",
  toDriver: (value: number) => (value >= largestWholeReal || value <= -largestWholeReal ? BigInt(value) : value),
  fromDriver: (value: unknown) => (typeof value === "bigint" ? refuseUnsafeInteger() : value),
};

function refuseUnsafeInteger(): never {
  throw new DataError(
    "An integer() column holds a number beyond 2^53, which a JavaScript number cannot. Declare the column as bigint().",
  );
}

const bigint: Codec = {
  // "integer" rather than "bigint": only a primary key of this very type gets its values from SQLite.
  ddl: "integer",
  fromDriver: (value: number | bigint) => (typeof value === "bigint" ? value : BigInt(value)),
};

const real: Codec = {
  ddl: "real",
  toDriver: (value: number) => (Number.isNaN(value) ? refuseNaN() : value),
};

function refuseNaN(): never {
  throw new DataError("NaN cannot be stored: SQLite would silently store NULL. Store null, or leave the value out.");
}

const boolean: Codec = {
  ddl: "integer",
  toDriver: (value: boolean) => (value ? 1 : 0),
  fromDriver: (value: unknown) => Boolean(value),
};

const timestamp: Codec = {
  ddl: "text",
  toDriver: formatTimestamp,
  fromDriver: parseTimestamp,
  // A day's text would be another one than that of its first moment.
  toCast: (expression) => FunctionNode.create("strftime", [ValueNode.createImmediate("%Y-%m-%d %H:%M:%f"), expression]),
};

const json: Codec = {
  ddl: "text",
  toDriver: toJsonText,
  fromDriver: (value: string) => JSON.parse(value) as unknown,
};

const uuid: Codec = { ddl: "text", toDriver: (value: string) => value.toLowerCase() };

const bytes: Codec = { ddl: "blob" };

function numeric({ precision, scale = precision === undefined ? undefined : 0 }: ColumnType): Codec {
  return {
    ddl: precision === undefined ? "numeric" : `numeric(${precision}, ${scale ?? 0})`,
    toDriver: (value: string) => decimalToNumber(value, precision, scale),
    toCompared: decimalToNearest,
    fromDriver: (value: number | bigint | string) => numberToDecimal(value, scale),
  };
}

/** How SQLite stores every type. It has five classes of values, so most types are text or integers with a convention. */
export const sqliteCodec: (type: ColumnType) => Codec = codecsByKind({
  integer: () => integer,
  bigint: () => bigint,
  real: () => real,
  numeric,
  text: () => text,
  varchar: ({ length }) => (length === undefined ? text : { ...text, ddl: `varchar(${length})` }),
  boolean: () => boolean,
  timestamp: () => timestamp,
  date: () => date,
  json: () => json,
  uuid: () => uuid,
  bytes: () => bytes,
  enumeration: () => text,
});
