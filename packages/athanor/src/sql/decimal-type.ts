import { type ColumnType, isAccepted } from "../mapping/column-type.ts";
import { scaleOfType, scaleOfValue } from "./decimal-scale.ts";
import { BoundValue, type Expression } from "./expression.ts";
import { commonType, isCustom, typeOfValue } from "./value-type.ts";

/** Any decimal number, of as many digits as it has. */
export const anyDecimal: ColumnType = { kind: "numeric" };

/**
 * How many digits behind the point the values of an expression have at most; undefined where only the values themselves say. A database that keeps decimal numbers as
 * doubles would show the error of its sums without it, and would cut digits off with that of a column which has fewer.
 */
function scaleOf(expression: Expression<unknown>): number | undefined {
  const { columnType: type } = expression;
  if (expression instanceof BoundValue && (type === undefined || !isCustom(type)))
    return scaleOfValue(expression.bind.value);
  if (type?.kind === "integer" || type?.kind === "bigint") return 0;
  return type?.kind === "numeric" ? scaleOfType(type) : undefined;
}

function largest(scales: readonly (number | undefined)[]): number | undefined {
  return scales.reduce(
    (left, right) => (left === undefined || right === undefined ? undefined : Math.max(left, right)),
    0,
  );
}

const scaledTypes = new WeakMap<ColumnType, Map<number | undefined, ColumnType>>();

/** Decimal numbers of that scale and any size, converted as values of the type are. The same type each time: those with conversions of their own are told apart by identity. */
function decimalOf(given: ColumnType, scale: number | undefined): ColumnType {
  const type = isCustom(given) ? given : anyDecimal;
  if (type.precision === undefined && type.scale === scale) return type;
  let byScale = scaledTypes.get(type);
  if (byScale === undefined) scaledTypes.set(type, (byScale = new Map()));
  let scaled = byScale.get(scale);
  if (scaled === undefined) {
    const { precision: _, scale: __, ...rest } = type;
    byScale.set(scale, (scaled = scale === undefined ? rest : { ...rest, scale }));
  }
  return scaled;
}

/** Of what type a value is that may come from any of the expressions. */
export function commonTypeOf(expressions: readonly Expression<unknown>[]): ColumnType | undefined {
  const type = commonType(expressions.map(({ columnType }) => columnType));
  return type?.kind === "numeric" ? decimalOf(type, largest(expressions.map(scaleOf))) : type;
}

/** Of what type a database's sum, difference, product or quotient is. */
export function typeOfComputation(
  operator: "+" | "-" | "*" | "/",
  left: Expression<unknown>,
  right: Expression<unknown>,
): ColumnType | undefined {
  const type = commonType([left.columnType, right.columnType]);
  if (type?.kind !== "numeric") return type;
  const [first, second] = [scaleOf(left), scaleOf(right)];
  if (operator === "/" || first === undefined || second === undefined) return decimalOf(type, undefined);
  return decimalOf(type, operator === "*" ? first + second : Math.max(first, second));
}

/** A sum of many may be larger than each of them. */
export function typeOfSum(type: ColumnType): ColumnType {
  return decimalOf(type, scaleOfType(type));
}

/** Of what type a value in memory is beside those of a type: of theirs, where it can be. */
export function typeBeside(type: ColumnType | undefined, value: unknown): ColumnType | undefined {
  if (type === undefined || (value !== null && value !== undefined && !isAccepted(type, value)))
    return typeOfValue(value);
  return fits(type, value) ? type : decimalOf(type, undefined);
}

/** Whether a database that is told the type leaves the value as it is. */
function fits(type: ColumnType | undefined, value: unknown): boolean {
  if (value === null || type?.kind !== "numeric" || type.precision === undefined || isCustom(type)) return true;
  const scale = scaleOfValue(value);
  const room = scaleOfType(type) ?? 0;
  if (scale === undefined || scale > room) return false;
  const whole = /^[+-]?0*(\d*)/.exec(String(value))?.[1] ?? "";
  return whole.length <= type.precision - room;
}
