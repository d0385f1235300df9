import { ownCopy } from "../instance/own-copy.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import type { ColumnType } from "./column-type.ts";
import type { Mapper } from "./mapper.ts";

/**
 * The key under which an identity map finds an instance: the primary key itself where it is one column with a value that
 * compares by value, else a string that stands for it.
 */
export function identityKey({ primaryKey }: Mapper, values: readonly unknown[]): unknown {
  return compositeKey(
    primaryKey.map(({ column }) => column.options.type),
    values,
  );
}

/** The same of any columns: equal for values that the database takes for equal. */
export function compositeKey(types: readonly ColumnType[], values: readonly unknown[]): unknown {
  const [only] = types;
  if (only !== undefined && types.length === 1) return keyPart(values[0], only);
  const parts = types.map((type, index) => keyPart(values[index], type));
  return parts.map((part) => String(part).replace(/[\\,]/g, "\\$&")).join(",");
}

/**
 * Gives an instance the identity that its written values say. A part of the key that is not in memory is what it was.
 *
 * @returns false where a part of the key is not set, and there is no earlier one: nothing has changed then
 */
export function takeIdentity(mapper: Mapper, state: InstanceState): boolean {
  const { primaryKey } = mapper;
  const [first] = primaryKey;
  const written = state.writtenValues();
  if (first !== undefined && mapper.hasPlainKey) {
    const value = written[first.slot];
    if (value != null) {
      state.key = value;
      state.identity = undefined;
      return true;
    }
  }
  const before = state.key === undefined ? undefined : state.identityValues;
  const values = primaryKey.map(({ slot }, index) => written[slot] ?? before?.[index]);
  if (values.some((value) => value == null)) return false;
  state.key = identityKey(mapper, values);
  // Only what the key encodes has to be kept beside it.
  state.identity = values.length === 1 && values[0] === state.key ? undefined : values.map(ownCopy);
  return true;
}

/** A value that is equal wherever the database would say so. */
function keyPart(value: unknown, type: ColumnType): unknown {
  if (type.toDatabase !== undefined) return storedPart(type.toDatabase(value));
  return type.kind === "uuid" ? String(value).toLowerCase() : storedPart(value);
}

function storedPart(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return JSON.stringify(value);
}
