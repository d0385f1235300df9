import type { ColumnType } from "../mapping/column-type.ts";

/** How many digits behind the point a column of decimal numbers keeps; undefined where it keeps all. */
export function scaleOfType({ precision, scale }: ColumnType): number | undefined {
  return scale ?? (precision === undefined ? undefined : 0);
}

/** How many digits behind the point a value has; undefined where it does not show: of a parameter that comes with the execution, of exponents. */
export function scaleOfValue(value: unknown): number | undefined {
  if (value === null || typeof value === "bigint") return 0;
  const match = /^[+-]?\d*(?:\.(\d*))?$/.exec(String(value));
  return match === null ? undefined : (match[1] ?? "").length;
}

/** Whether a column of the type may hold another number than the one that it was given. */
export function isRounded(type: ColumnType, value: unknown): boolean {
  const kept = scaleOfType(type);
  return kept !== undefined && (scaleOfValue(value) ?? Infinity) > kept;
}
