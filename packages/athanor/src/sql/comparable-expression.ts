import { ArgumentError } from "../event/errors.ts";
import { type ColumnType, describeAccepted, isAccepted } from "../mapping/column-type.ts";
import { and, Binary, type Comparison, Membership, NullTest, SubqueryMembership } from "./conditions.ts";
import { BoundValue, describeGiven, Expression, expectExpression, type Operand } from "./expression.ts";
import { Ordering } from "./ordering.ts";
import type { Select } from "./select.ts";

/** An expression that can be compared: the operators of attributes. */
export abstract class ComparableExpression<out TValue> extends Expression<TValue> {
  /** How values that it is compared with are checked and converted. Throws ArgumentError for what stands in no table. */
  abstract override get columnType(): ColumnType | undefined;
  /** What to call it in messages: "User.email". */
  abstract get label(): string;

  /** `=`, or IS NULL for null. */
  eq(value: Operand<TValue>): Expression<boolean> {
    return value === null ? this.isNull() : this.#compare("=", value);
  }

  /** `<>`, or IS NOT NULL for null. */
  ne(value: Operand<TValue>): Expression<boolean> {
    return value === null ? this.isNotNull() : this.#compare("!=", value);
  }

  /** `<` */
  lt(value: Operand<NonNullable<TValue>>): Expression<boolean> {
    return this.#compare("<", value);
  }

  /** `<=` */
  lte(value: Operand<NonNullable<TValue>>): Expression<boolean> {
    return this.#compare("<=", value);
  }

  /** `>` */
  gt(value: Operand<NonNullable<TValue>>): Expression<boolean> {
    return this.#compare(">", value);
  }

  /** `>=` */
  gte(value: Operand<NonNullable<TValue>>): Expression<boolean> {
    return this.#compare(">=", value);
  }

  /** Both ends included. */
  between(low: Operand<NonNullable<TValue>>, high: Operand<NonNullable<TValue>>): Expression<boolean> {
    return and(this.gte(low), this.lte(high));
  }

  /** LIKE, with `%` for any text and `_` for any character. */
  like(pattern: string): Expression<boolean> {
    return new Binary(expectColumn(this), "like", textOperand(this, pattern, "like"));
  }

  /** NOT LIKE. */
  notLike(pattern: string): Expression<boolean> {
    return new Binary(expectColumn(this), "not like", textOperand(this, pattern, "notLike"));
  }

  /** IN a list, or in what a statement of one column finds; no row matches an empty list. */
  in(values: readonly TValue[] | ColumnSelect<TValue>): Expression<boolean> {
    if (isSubquery(values)) return new SubqueryMembership(expectColumn(this), true, values);
    return new Membership(expectColumn(this), true, this.#list(values, "in"));
  }

  /** NOT IN a list, or in what a statement of one column finds; every row matches an empty list, and none a statement that finds a NULL. */
  notIn(values: readonly TValue[] | ColumnSelect<TValue>): Expression<boolean> {
    if (isSubquery(values)) return new SubqueryMembership(expectColumn(this), false, values);
    return new Membership(expectColumn(this), false, this.#list(values, "notIn"));
  }

  /** IS NULL. */
  isNull(): Expression<boolean> {
    return new NullTest(expectColumn(this), true);
  }

  /** IS NOT NULL. */
  isNotNull(): Expression<boolean> {
    return new NullTest(expectColumn(this), false);
  }

  /** For orderBy: smallest first. */
  asc(): Ordering<TValue> {
    return new Ordering(expectColumn(this), "asc");
  }

  /** For orderBy: largest first. */
  desc(): Ordering<TValue> {
    return new Ordering(expectColumn(this), "desc");
  }

  #compare(operator: Comparison, value: unknown): Expression<boolean> {
    return new Binary(expectColumn(this), operator, operandOf(value, this));
  }

  #list(values: readonly TValue[], method: string): readonly BoundValue[] {
    if (!Array.isArray(values)) throw new ArgumentError(`${this.label}.${method}() takes an array of values.`);
    return values.map((value) => boundValue(value, this));
  }
}

/** What is in no table is refused where it is named, not where the statement is executed. */
function expectColumn<TExpression extends ComparableExpression<unknown>>(expression: TExpression): TExpression {
  void expression.columnType;
  return expression;
}

function operandOf(value: unknown, compared: ComparableExpression<unknown>): Expression<unknown> {
  if (value instanceof BoundValue && value.bind.name !== undefined)
    return new BoundValue(undefined, compared.columnType, value.bind.name);
  if (typeof value === "object" && value !== null && "toOperationNode" in value) return expectExpression(value);
  return boundValue(value, compared);
}

function boundValue(value: unknown, compared: ComparableExpression<unknown>): BoundValue {
  const type = compared.columnType;
  if (value === undefined || (type !== undefined && value !== null && !isAccepted(type, value))) {
    throw new ArgumentError(
      `${compared.label} was compared with ${describeGiven(value)}, and holds ${type === undefined ? "a value" : describeAccepted(type)}. ` +
        (value === undefined
          ? `Test for missing values with isNull().`
          : `Convert the value first; it would match no row, or another one.`),
    );
  }
  return new BoundValue(value, type);
}

function textOperand(compared: ComparableExpression<unknown>, pattern: unknown, method: string): BoundValue {
  if (typeof pattern === "string") return new BoundValue(pattern, undefined);
  throw new ArgumentError(`${compared.label}.${method}() takes a string, and got ${describeGiven(pattern)}.`);
}

/** A statement of one column, for `in`. */
export type ColumnSelect<TValue> = Select<
  readonly [TValue | null] | Readonly<Record<string, TValue | null>>,
  any,
  "columns"
>;

function isSubquery(value: unknown): value is Select<unknown, any, any> {
  return typeof value === "object" && value !== null && "expectOneColumn" in value;
}
