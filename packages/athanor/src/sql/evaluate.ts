import type { InstanceState } from "../instance/instance-state.ts";
import type { ColumnKind, ColumnType } from "../mapping/column-type.ts";
import type { ColumnProperty, Mapper } from "../mapping/mapper.ts";
import { isRounded } from "./decimal-scale.ts";

/** Stands for a value that is not in memory, and for whatever would depend on it. */
export const UNKNOWN: unique symbol = Symbol("UNKNOWN");

/** Finds the value of an expression for an instance in memory, as the database would for its row; NULL is null. */
export type Evaluator = (state: InstanceState) => unknown;

/** What an expression is evaluated against. */
export interface EvaluationScope {
  /** The class whose instances are asked. */
  readonly mapper: Mapper;
  /** The values of the statement's `bindparam`s. */
  readonly parameters: Readonly<Record<string, unknown>> | undefined;
}

/** Only the database can find the value of an expression. `reason` says which part of it is to blame: "like()", "raw SQL". */
export class UnevaluableError extends Error {
  readonly reason: string;

  constructor(reason: string) {
    super(`Only the database can evaluate ${reason}.`);
    this.reason = reason;
  }
}

/** Reads a column of an instance: what is in memory, changes too. */
export function readColumn({ slot, source }: ColumnProperty): Evaluator {
  const { type } = source.column;
  const isDecimal = type.kind === "numeric" && type.toDatabase === undefined;
  return (state) => {
    const value = state.values[slot];
    // What was assigned stays in memory as it was, and the row has what its column made of it.
    if (value !== undefined) return isDecimal && value !== null && isRounded(type, value) ? UNKNOWN : value;
    return state.isUnread(slot) ? UNKNOWN : null;
  };
}

/** Kinds whose values have the same order in memory as in every database: text has not, which is sorted by collations. */
const orderedKinds: ReadonlySet<ColumnKind> = new Set(["integer", "bigint", "real", "boolean", "timestamp", "date"]);

/** Documents, which databases compare by rules of their own. */
const incomparableKinds: ReadonlySet<ColumnKind> = new Set(["json"]);

/** Compares the values of two expressions, which are values of this type: unknown where one of them is, NULL where one is NULL. */
export function evaluateComparison(
  operator: string,
  left: Evaluator,
  right: Evaluator,
  type: ColumnType | undefined,
): Evaluator {
  const compare = comparison(operator, type);
  return (state) => {
    const leftValue = left(state);
    const rightValue = right(state);
    if (leftValue === UNKNOWN || rightValue === UNKNOWN) return UNKNOWN;
    return leftValue === null || rightValue === null ? null : compare(leftValue, rightValue);
  };
}

/** Computes with the values of two expressions: unknown where one of them is, NULL where one is NULL. Only where memory and every database come to the same. */
export function evaluateComputation(
  operator: "+" | "-" | "*" | "/" | "||",
  left: Evaluator,
  right: Evaluator,
  type: ColumnType | undefined,
): Evaluator {
  const compute = computation(operator, type);
  return (state) => {
    const leftValue = left(state);
    const rightValue = right(state);
    if (leftValue === UNKNOWN || rightValue === UNKNOWN) return UNKNOWN;
    return leftValue === null || rightValue === null ? null : compute(leftValue as never, rightValue as never);
  };
}

function computation(operator: string, type: ColumnType | undefined): (left: never, right: never) => unknown {
  if (operator === "||") return (left: string, right: string) => left + right;
  if ((type?.kind !== "integer" && type?.kind !== "bigint") || type.fromDatabase !== undefined)
    throw new UnevaluableError("a computation with other than whole numbers");
  // Of a column of bigints a number beside them is one too.
  const read = type.kind === "bigint" ? BigInt : (value: number): number => value;
  const compute = (left: unknown, right: unknown): number => {
    const [first, second] = [read(left as never), read(right as never)] as [number, number];
    return operator === "+" ? first + second : operator === "-" ? first - second : first * second;
  };
  return compute;
}

/** Whether a value is among those of a list: NULL where it is not, and a NULL in the list may be it. */
export function evaluateMembership(
  tested: Evaluator,
  values: readonly Evaluator[],
  isIn: boolean,
  type: ColumnType | undefined,
): Evaluator {
  const isEqual = comparison("=", type);
  return (state) => {
    // Whatever the value is, it is in no empty list.
    if (values.length === 0) return !isIn;
    const value = tested(state);
    if (value === UNKNOWN || value === null) return value;
    const list = values.map((evaluate) => evaluate(state));
    if (list.some((item) => item !== null && isEqual(value, item))) return isIn;
    return list.includes(null) ? null : !isIn;
  };
}

/** AND and OR: one operand may decide, whatever the others are. */
export function evaluateJunction(operator: "and" | "or", operands: readonly Evaluator[]): Evaluator {
  const decisive = operator === "or";
  return (state) => {
    const values = operands.map((evaluate) => evaluate(state));
    if (values.includes(decisive)) return decisive;
    if (values.includes(UNKNOWN)) return UNKNOWN;
    return values.includes(null) ? null : !decisive;
  };
}

/** NOT: of NULL it is NULL. */
export function evaluateNegation(operand: Evaluator): Evaluator {
  return (state) => {
    const value = operand(state);
    return typeof value === "boolean" ? !value : value;
  };
}

function comparison(operator: string, type: ColumnType | undefined): (left: unknown, right: unknown) => boolean {
  if (type === undefined || incomparableKinds.has(type.kind))
    throw new UnevaluableError(type === undefined ? "a comparison of untyped values" : `a comparison of ${type.kind}`);
  if (operator === "=" || operator === "!=") {
    const isEqual = type.isEqual ?? Object.is;
    return operator === "=" ? isEqual : (left, right) => !isEqual(left, right);
  }
  if (operator === "like" || operator === "not like") throw new UnevaluableError("LIKE");
  if (!orderedKinds.has(type.kind)) throw new UnevaluableError(`the order of ${type.kind} values`);
  const stored = (value: unknown): never => (type.toDatabase === undefined ? value : type.toDatabase(value)) as never;
  if (operator === "<") return (left, right) => stored(left) < stored(right);
  if (operator === "<=") return (left, right) => stored(left) <= stored(right);
  if (operator === ">") return (left, right) => stored(left) > stored(right);
  return (left, right) => stored(left) >= stored(right);
}
