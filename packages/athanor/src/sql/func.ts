import { type OperationNode, RawNode } from "kysely";
import { ArgumentError } from "../event/errors.ts";
import type { ColumnType } from "../mapping/column-type.ts";
import { commonTypeOf, typeOfSum } from "./decimal-type.ts";
import { BoundValue, Expression, expectExpression, isExpression } from "./expression.ts";
import { FunctionExpression, type FunctionResult } from "./function-expression.ts";
import type { Structure } from "./structure.ts";
import { typeOfValue } from "./value-type.ts";
import type { OverOptions } from "./window.ts";

/** What a function is given: an expression, or a value in memory. */
export type Argument<TValue = unknown> = Expression<TValue> | TValue;

/** A function that means something only over the rows around each row. */
export interface WindowFunction<out TValue> {
  /** Says which rows those are: see {@link FunctionExpression.over}. */
  over(options?: OverOptions): FunctionExpression<TValue>;
}

/** The functions that Athanor knows the results of. */
export interface KnownFunctions {
  /** How many rows there are, or how many have a value. */
  count(expression?: Expression<unknown>): FunctionExpression<number>;
  /** The sum, of the kind that the values are: of `numeric` a string, of `bigint` a bigint. Null where there are no values. */
  sum<TValue extends number | bigint | string | null>(
    expression: Expression<TValue>,
  ): FunctionExpression<TValue | null>;
  /** The mean as a number; null where there are no values. */
  avg(expression: Expression<number | bigint | string | null>): FunctionExpression<number | null>;
  /** The smallest value; null where there is none. */
  min<TValue>(expression: Expression<TValue>): FunctionExpression<TValue | null>;
  /** The largest value; null where there is none. */
  max<TValue>(expression: Expression<TValue>): FunctionExpression<TValue | null>;
  /** The first that is not null. */
  coalesce<TValue>(
    expression: Expression<TValue>,
    ...others: readonly Argument<NonNullable<TValue> | null>[]
  ): FunctionExpression<NonNullable<TValue>>;
  /** The value, or null where it is the other one. */
  nullif<TValue>(
    expression: Expression<TValue>,
    other: Argument<NonNullable<TValue> | null>,
  ): FunctionExpression<TValue | null>;
  /** In lower case. */
  lower<TValue extends string | null>(expression: Expression<TValue>): FunctionExpression<TValue>;
  /** In upper case. */
  upper<TValue extends string | null>(expression: Expression<TValue>): FunctionExpression<TValue>;
  /** The number of characters. */
  length(expression: Expression<string | null>): FunctionExpression<number | null>;
  /** Texts as one, without those that are NULL. */
  concat(...texts: readonly Argument<string | number | bigint | boolean | Date | null>[]): FunctionExpression<string>;
  /** The number of each row in its order, from 1 on. */
  rowNumber(): WindowFunction<number>;
  /** The place of each row; equal ones share theirs, and leave a gap behind them. */
  rank(): WindowFunction<number>;
  /** The place of each row; equal ones share theirs, and leave no gap. */
  denseRank(): WindowFunction<number>;
  /** The place of each row, from 0 to 1. */
  percentRank(): WindowFunction<number>;
  /** The part of the rows that are not behind each row, up to 1. */
  cumeDist(): WindowFunction<number>;
  /** Which of so many parts of nearly the same size each row is in, from 1 on. */
  ntile(parts: number): WindowFunction<number>;
  /** The value in an earlier row: the one before, or so many before; where there is none, the given value, or null. */
  lag<TValue, TOther = null>(
    expression: Expression<TValue>,
    offset?: number,
    otherwise?: Argument<TOther>,
  ): WindowFunction<TValue | TOther>;
  /** The value in a later row: the one behind, or so many behind; where there is none, the given value, or null. */
  lead<TValue, TOther = null>(
    expression: Expression<TValue>,
    offset?: number,
    otherwise?: Argument<TOther>,
  ): WindowFunction<TValue | TOther>;
  /** The value in the first row of the frame. */
  firstValue<TValue>(expression: Expression<TValue>): WindowFunction<TValue>;
  /** The value in the last row of the frame, which without another one ends with the row itself. */
  lastValue<TValue>(expression: Expression<TValue>): WindowFunction<TValue>;
  /** The value in that row of the frame, from 1 on; null where it has fewer. */
  nthValue<TValue>(expression: Expression<TValue>, row: number): WindowFunction<TValue | null>;
}

/** Functions of the database: those whose results are known, and any other by its name. */
export interface Functions extends KnownFunctions {
  /**
   * A call of any function. Its result is what the driver gives; say with `typeCoerce` how it is read. The database reads a text as whatever the function takes there;
   * where that may be anything, as of `json_build_object`, give it as `literal("…")`.
   */
  <TValue = unknown>(name: string, ...given: readonly Argument[]): FunctionExpression<TValue>;
}

const everyRow = new (class extends Expression<unknown> {
  structure(into: Structure): void {
    into.add("*");
  }

  toOperationNode(): OperationNode {
    return RawNode.createWithSql("*");
  }

  restrictedBy(): this {
    return this;
  }
})();

/** What is known of a function: what it is called in SQL, what it answers with (its first argument, or any that is of the first one's type), and what its arguments are. */
interface Known {
  readonly sql?: string;
  readonly result: "number" | "sum" | "first" | "any" | ColumnType;
  /** Of each argument, the last for all that follow: a type, or that of the first one. */
  readonly arguments?: readonly (ColumnType | "first" | undefined)[];
}

const integer: ColumnType = { kind: "integer" };
const text: ColumnType = { kind: "text" };

const known: Readonly<Record<string, Known>> = {
  count: { result: "number" },
  sum: { result: "sum" },
  avg: { result: "number" },
  min: { result: "first" },
  max: { result: "first" },
  coalesce: { result: "any", arguments: ["first"] },
  nullif: { result: "first", arguments: ["first"] },
  lower: { result: "first" },
  upper: { result: "first" },
  length: { result: "number" },
  concat: { result: text },
  rowNumber: { sql: "row_number", result: "number" },
  rank: { result: "number" },
  denseRank: { sql: "dense_rank", result: "number" },
  percentRank: { sql: "percent_rank", result: "number" },
  cumeDist: { sql: "cume_dist", result: "number" },
  ntile: { result: "number", arguments: [integer] },
  lag: { result: "any", arguments: [undefined, integer, "first"] },
  lead: { result: "any", arguments: [undefined, integer, "first"] },
  firstValue: { sql: "first_value", result: "first" },
  lastValue: { sql: "last_value", result: "first" },
  nthValue: { sql: "nth_value", result: "first", arguments: [undefined, integer] },
};

/**
 * Functions of the database: `func.count()`, `func.sum(line.price)`, `func.coalesce(user.nickname, user.name)`, and any other by its name, with values as parameters:
 * `func("replace", user.name, "a", "b")`.
 *
 * SQLAlchemy: SQL and Generic Functions, `func`.
 */
export const func: Functions = new Proxy((() => {}) as unknown as Functions, {
  apply: (_, __, [name, ...given]: [unknown, ...unknown[]]) => call(expectName(name), given),
  get(_, name) {
    // A promise check, or a printer, asks for these and means no function.
    if (typeof name !== "string" || name === "then" || name === "toJSON") return undefined;
    const signature = Object.hasOwn(known, name) ? known[name] : undefined;
    const called = signature?.sql ?? expectName(name);
    return (...given: readonly unknown[]) => call(called, given, signature);
  },
});

function expectName(name: unknown): string {
  if (typeof name === "string" && /^[a-z_][\w$]*(\.[a-z_][\w$]*)*$/i.test(name)) return name;
  throw new ArgumentError(
    `${typeof name === "string" ? `"${name}"` : `What func() was given first, a ${typeof name},`} is no name of a function. It stands in the SQL as it is: letters, digits and underscores.`,
  );
}

function call(name: string, given: readonly unknown[], signature?: Known): FunctionExpression<never> {
  const [first] = given;
  const type = first instanceof Expression ? first.columnType : undefined;
  const expressions = given.map((argument, index) => {
    const expected = expectedOf(signature, index);
    return argumentOf(name, argument, expected === "first" ? type : expected, signature !== undefined);
  });
  if (name === "count" && given.length === 0) expressions.push(everyRow);
  const answering = expressions.filter((_, index) => index === 0 || expectedOf(signature, index) === "first");
  return new FunctionExpression(name, { arguments: expressions, result: resultOf(signature, type, answering) });
}

function expectedOf(signature: Known | undefined, index: number): ColumnType | "first" | undefined {
  return signature?.arguments?.[Math.min(index, signature.arguments.length - 1)];
}

/** Databases answer with a sum of another type than that of the values. */
function resultOf(
  signature: Known | undefined,
  type: ColumnType | undefined,
  answering: readonly Expression<unknown>[],
): FunctionResult {
  const result = signature?.result;
  if (result === "sum")
    return type?.kind === "bigint" ? "bigint" : type?.kind === "numeric" ? typeOfSum(type) : "number";
  if (result === "any") return type?.kind === "numeric" ? commonTypeOf(answering) : type;
  return result === "first" ? type : result;
}

/**
 * An argument of known type is told nothing of it: the function's own types say so. Of others a database knows by their type which of several functions is meant;
 * but a text may stand for anything, a day or a language too, so it is left to what the function takes.
 */
function argumentOf(
  name: string,
  argument: unknown,
  type: ColumnType | undefined,
  isKnown: boolean,
): Expression<unknown> {
  if (isExpression(argument)) return expectExpression(argument);
  if (argument === undefined) {
    throw new ArgumentError(`${name}() was given undefined for an argument. Leave it out, or give it null.`);
  }
  if (type !== undefined) return new BoundValue(argument, type, { isCompared: true });
  const own = typeof argument === "string" && !isKnown ? undefined : typeOfValue(argument);
  return new BoundValue(argument, own, { isAlone: true, isCompared: true });
}
