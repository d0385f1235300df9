import type { ColumnType } from "../../mapping/column-type.ts";
import { codecsByKind, toJsonText } from "../codecs.ts";
import type { Codec } from "../dialect.ts";
import { DataError } from "../errors.ts";
import { formatTimestamptz } from "./postgresql-values.ts";

const integer: Codec = {
  ddl: "integer",
  // count() and sum() of integers are bigints to PostgreSQL.
  fromDriver: (value: unknown) => (typeof value === "bigint" ? toSafeInteger(value) : value),
};

function toSafeInteger(value: bigint): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw new DataError(
    "An integer value is beyond 2^53, which a JavaScript number cannot hold. Declare the column or the expression as bigint().",
  );
}

const bigint: Codec = {
  ddl: "bigint",
  fromDriver: (value: unknown) => (typeof value === "number" ? BigInt(value) : value),
};

const real: Codec = { ddl: "double precision" };

/** PostgreSQL computes sums and averages of other types as numeric, so a number may arrive as well. */
function numeric({ precision, scale }: ColumnType): Codec {
  return {
    ddl: precision === undefined ? "numeric" : `numeric(${precision}, ${scale ?? 0})`,
    fromDriver: (value: unknown) => (typeof value === "string" ? value : String(value)),
  };
}

const timestamp: Codec = { ddl: "timestamptz(3)", toDriver: formatTimestamptz };

/** As text, because drivers take arrays for arrays of PostgreSQL. */
const json: Codec = { ddl: "jsonb", toDriver: toJsonText };

const text: Codec = { ddl: "text" };
const boolean: Codec = { ddl: "boolean" };
const date: Codec = { ddl: "date" };
const uuid: Codec = { ddl: "uuid" };
const bytes: Codec = { ddl: "bytea" };

/** How PostgreSQL stores every type, for drivers that read values with our own parsers. */
export const postgresqlCodec: (type: ColumnType) => Codec = codecsByKind({
  integer: () => integer,
  bigint: () => bigint,
  real: () => real,
  numeric,
  text: () => text,
  varchar: ({ length }) => ({ ddl: length === undefined ? "varchar" : `varchar(${length})` }),
  boolean: () => boolean,
  timestamp: () => timestamp,
  date: () => date,
  json: () => json,
  uuid: () => uuid,
  bytes: () => bytes,
  enumeration: () => text,
});
