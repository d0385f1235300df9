import { AggregateFunctionNode, FunctionNode, type OperationNode, RawNode } from "kysely";
import type { Dialect } from "../engine/dialect.ts";
import { ArgumentError } from "../event/errors.ts";
import type { ColumnType } from "../mapping/column-type.ts";
import { ComparableExpression } from "./comparable-expression.ts";
import { BoundValue, Expression, expectExpression, type Restriction } from "./expression.ts";
import type { Structure } from "./structure.ts";

/** How the result of a function is read: as values of a column type are, or as a number where some databases answer with text. */
type Result = ColumnType | "number" | "bigint" | undefined;

/** A call of a function of the database's: `func.count(post.id)`, `func.lower(user.name)`. It can be compared and ordered by. */
export class FunctionExpression<out TValue> extends ComparableExpression<TValue> {
  readonly name: string;
  readonly #arguments: readonly Expression<unknown>[];
  readonly #result: Result;
  readonly #isDistinct: boolean;

  constructor(name: string, given: readonly Expression<unknown>[], result: Result, isDistinct = false) {
    super();
    this.name = name;
    this.#arguments = given;
    this.#result = result;
    this.#isDistinct = isDistinct;
  }

  get label(): string {
    return `${this.name}()`;
  }

  get columnType(): ColumnType | undefined {
    if (this.#result === "number") return { kind: "real" };
    return this.#result === "bigint" ? { kind: "bigint" } : this.#result;
  }

  /** Of an aggregate: each value counts once. */
  distinct(): FunctionExpression<TValue> {
    return new FunctionExpression(this.name, this.#arguments, this.#result, true);
  }

  structure(into: Structure): void {
    into.add(`${this.name}(${this.#isDistinct ? "distinct " : ""}`);
    for (const argument of this.#arguments) {
      argument.structure(into);
      into.add(",");
    }
    into.add(")");
  }

  toOperationNode(keepBinds = false): OperationNode {
    const given = this.#arguments.map((argument) => argument.toOperationNode(keepBinds));
    if (this.#isDistinct)
      return AggregateFunctionNode.cloneWithDistinct(AggregateFunctionNode.create(this.name, given));
    return FunctionNode.create(this.name, given);
  }

  override restrictedBy(restriction: Restriction): FunctionExpression<TValue> {
    const given = this.#arguments.map((argument) => argument.restrictedBy(restriction));
    return new FunctionExpression(this.name, given, this.#result, this.#isDistinct);
  }

  override reader(dialect: Dialect): ((raw: unknown) => unknown) | undefined {
    if (this.#result === "number") return Number;
    return this.#result === "bigint" ? (raw) => BigInt(raw as string) : super.reader(dialect);
  }
}

/** What a function is given: an expression, or a value in memory. */
export type Argument<TValue = unknown> = Expression<TValue> | TValue;

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
  /** In lower case. */
  lower<TValue extends string | null>(expression: Expression<TValue>): FunctionExpression<TValue>;
  /** In upper case. */
  upper<TValue extends string | null>(expression: Expression<TValue>): FunctionExpression<TValue>;
  /** The number of characters. */
  length(expression: Expression<string | null>): FunctionExpression<number | null>;
}

/** Any other function of the database's; its result is read as the driver gives it. */
export interface OtherFunctions {
  readonly [name: string]: (...given: readonly Argument[]) => FunctionExpression<unknown>;
}

const everyRow = new (class extends Expression<unknown> {
  structure(into: Structure): void {
    into.add("*");
  }

  toOperationNode(): OperationNode {
    return RawNode.createWithSql("*");
  }
})();

const numbers = new Set(["count", "avg", "length"]);
const likeFirst = new Set(["min", "max", "coalesce", "lower", "upper"]);

/** Databases answer with a sum of another type than that of the values. */
function resultOf(name: string, type: ColumnType | undefined): Result {
  if (numbers.has(name)) return "number";
  if (name === "sum") return type?.kind === "bigint" ? "bigint" : type?.kind === "numeric" ? type : "number";
  return likeFirst.has(name) ? type : undefined;
}

/**
 * Functions of the database: `func.count()`, `func.sum(line.price)`, `func.coalesce(user.nickname, user.name)`, and any other by its name, with values as parameters.
 *
 * SQLAlchemy: SQL and Generic Functions, `func`.
 */
export const func: KnownFunctions & OtherFunctions = new Proxy({} as KnownFunctions & OtherFunctions, {
  get(_, name) {
    // A promise check, or a printer, asks for these and means no function.
    if (typeof name !== "string" || name === "then" || name === "toJSON") return undefined;
    if (!/^[a-z_][\w$]*(\.[a-z_][\w$]*)*$/i.test(name))
      throw new ArgumentError(
        `"${name}" is no name of a function. It stands in the SQL as it is: letters, digits and underscores.`,
      );
    return (...given: readonly unknown[]) => call(name, given);
  },
});

function call(name: string, given: readonly unknown[]): FunctionExpression<unknown> {
  const [first] = given;
  const type = first instanceof Expression ? first.columnType : undefined;
  const expressions = given.map((argument) => argumentOf(argument, likeFirst.has(name) ? type : undefined));
  if (name === "count" && given.length === 0) expressions.push(everyRow);
  return new FunctionExpression(name, expressions, resultOf(name, type));
}

function argumentOf(argument: unknown, type: ColumnType | undefined): Expression<unknown> {
  const isExpression = typeof argument === "object" && argument !== null && "toOperationNode" in argument;
  return isExpression ? expectExpression(argument) : new BoundValue(argument, type);
}
