import type { ColumnKind, ColumnType } from "../mapping/column-type.ts";

const integer: ColumnType = { kind: "integer" };
const real: ColumnType = { kind: "real" };
const byTypeof: Readonly<Record<string, ColumnType>> = {
  string: { kind: "text" },
  boolean: { kind: "boolean" },
  bigint: { kind: "bigint" },
};
const timestamp: ColumnType = { kind: "timestamp" };
const bytes: ColumnType = { kind: "bytes" };

/** What a value is by itself, where it stands beside no column that would say; undefined for null, and for objects that are no value of one type. */
export function typeOfValue(value: unknown): ColumnType | undefined {
  if (typeof value === "number") return Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? integer : real;
  if (value instanceof Date) return timestamp;
  if (value instanceof Uint8Array) return bytes;
  return byTypeof[typeof value];
}

/** From the narrowest on: what two of them make together is of the wider one. */
const numbers: readonly ColumnKind[] = ["integer", "real", "bigint", "numeric"];

const texts: readonly ColumnKind[] = ["text", "varchar", "enumeration"];

/** Of what type a value is that may come from any of these; undefined where they have nothing in common. */
export function commonType(types: readonly (ColumnType | undefined)[]): ColumnType | undefined {
  const known = types.filter((type) => type !== undefined);
  const [first] = known;
  if (first === undefined || known.every((type) => isSameType(type, first))) return first;
  if (known.some(isCustom)) return undefined;
  const kinds = known.map(({ kind }) => kind);
  if (kinds.every((kind) => numbers.includes(kind))) {
    // A database computes what is no whole number with them.
    if (kinds.includes("real") && !kinds.includes("numeric")) return real;
    return { kind: numbers.findLast((kind) => kinds.includes(kind)) as ColumnKind };
  }
  return kinds.every((kind) => texts.includes(kind)) ? byTypeof["string"] : undefined;
}

/** Whether its values are converted by their author's rules, so that nothing is known of what they are in memory. */
export function isCustom({ toDatabase, fromDatabase }: ColumnType): boolean {
  return toDatabase !== undefined || fromDatabase !== undefined;
}

function isSameType(left: ColumnType, right: ColumnType): boolean {
  return typeKey(left) === typeKey(right) && left.values?.join() === right.values?.join();
}

const serials = new WeakMap<ColumnType, number>();
let lastSerial = 0;

/** The same text for types whose values are stored and converted in the same way. */
export function typeKey(type: ColumnType): string {
  const { kind, length, precision, scale } = type;
  if (!isCustom(type)) return [kind, length, precision, scale].join(":");
  let serial = serials.get(type);
  if (serial === undefined) serials.set(type, (serial = ++lastSerial));
  return `custom:${serial}`;
}
