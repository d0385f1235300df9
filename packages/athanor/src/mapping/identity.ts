import type { Mapper } from "./mapper.ts";

/**
 * The key under which an identity map finds an instance: the primary key itself where it is one column with a value that
 * compares by value, else a string that stands for it.
 */
export function identityKey(values: readonly unknown[]): unknown {
  return values.length === 1
    ? keyPart(values[0])
    : values.map((value) => String(keyPart(value)).replace(/[\\,]/g, "\\$&")).join(",");
}

/** The identity key that an instance would have with its present values; undefined where a part of the key is not set. */
export function identityKeyOf(mapper: Mapper, values: readonly unknown[]): unknown {
  const { primaryKey } = mapper;
  const [first] = primaryKey;
  if (primaryKey.length === 1 && first !== undefined) {
    const value = values[first.slot];
    return value == null ? undefined : keyPart(value);
  }
  const key = primaryKey.map(({ slot }) => values[slot]);
  return key.some((value) => value == null) ? undefined : identityKey(key);
}

function keyPart(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return JSON.stringify(value);
}
