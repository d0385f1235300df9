import type { ColumnKind, ColumnType } from "../mapping/column-type.ts";
import type { Codec } from "./dialect.ts";
import { DataError } from "./errors.ts";

/**
 * Builds the codec function of a dialect from one codec for each kind: adds the conversions of custom types, and remembers the result for each type.
 */
export function codecsByKind(
  kinds: Readonly<Record<ColumnKind, (type: ColumnType) => Codec>>,
): (type: ColumnType) => Codec {
  const codecs = new WeakMap<ColumnType, Codec>();
  return (type) => {
    let codec = codecs.get(type);
    if (codec === undefined) codecs.set(type, (codec = withCustomConversions(type, kinds[type.kind](type))));
    return codec;
  };
}

function withCustomConversions(type: ColumnType, codec: Codec): Codec {
  const { toDatabase, fromDatabase } = type;
  if (toDatabase === undefined && fromDatabase === undefined) return codec;
  const toDriver = compose(toDatabase, codec.toDriver);
  const toCompared = codec.toCompared === undefined ? undefined : compose(toDatabase, codec.toCompared);
  const fromDriver = compose(codec.fromDriver, fromDatabase);
  return {
    ddl: codec.ddl,
    ...(toDriver === undefined ? {} : { toDriver }),
    ...(codec.toCast === undefined ? {} : { toCast: codec.toCast }),
    ...(toCompared === undefined ? {} : { toCompared }),
    ...(fromDriver === undefined ? {} : { fromDriver }),
  };
}

type Conversion = (value: unknown) => unknown;

function compose(first: Conversion | undefined, second: Conversion | undefined): Conversion | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return (value) => {
    const between = first(value);
    return between === null || between === undefined ? null : second(between);
  };
}

/** Writes JSON text. Columns refuse what it cannot hold with their names; what a custom type makes of its values is known only here. */
export function toJsonText(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    throw new DataError(
      "A value cannot be written as JSON, because it holds a bigint or contains itself. Convert it first, such as a bigint to a string.",
      { cause },
    );
  }
}
