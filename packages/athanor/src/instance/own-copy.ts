/** A value that nobody else can change: of dates and bytes a copy; what else a key holds is immutable. */
export function ownCopy(value: unknown): unknown {
  if (value instanceof Date) return new Date(value);
  return value instanceof Uint8Array ? value.slice() : value;
}
