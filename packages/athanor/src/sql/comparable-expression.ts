import { BinaryOperationNode, type OperationNode, OperatorNode, ParensNode, RawNode } from "kysely";
import type { Dialect } from "../engine/dialect.ts";
import { ArgumentError } from "../event/errors.ts";
import { type ColumnKind, type ColumnType, describeAccepted, isAccepted } from "../mapping/column-type.ts";
import { and, Binary, type Comparison, Membership, NullTest, SubqueryMembership } from "./conditions.ts";
import { anyDecimal, typeBeside, typeOfComputation } from "./decimal-type.ts";
import { type EvaluationScope, type Evaluator, evaluateComputation } from "./evaluate.ts";
import {
  BoundValue,
  describeGiven,
  Expression,
  expectExpression,
  isExpression,
  type Operand,
  type Restriction,
} from "./expression.ts";
import { Ordering } from "./ordering.ts";
import type { Select } from "./select.ts";
import type { Structure } from "./structure.ts";
import { typeOfValue } from "./value-type.ts";

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

  /** The sum of numbers. SQLAlchemy: Operator Reference, Mathematic Operators. */
  plus<TOther extends Numeric>(
    this: ComparableExpression<Numeric>,
    other: TOther | Expression<TOther>,
  ): ComparableExpression<Computed<TValue, TOther>> {
    return computed(this, "+", other, "plus");
  }

  /** The difference of numbers. */
  minus<TOther extends Numeric>(
    this: ComparableExpression<Numeric>,
    other: TOther | Expression<TOther>,
  ): ComparableExpression<Computed<TValue, TOther>> {
    return computed(this, "-", other, "minus");
  }

  /** The product of numbers. */
  times<TOther extends Numeric>(
    this: ComparableExpression<Numeric>,
    other: TOther | Expression<TOther>,
  ): ComparableExpression<Computed<TValue, TOther>> {
    return computed(this, "*", other, "times");
  }

  /** The quotient of numbers, with what stands behind the point: 7 divided by 2 is 3.5, of columns of whole numbers too. */
  dividedBy<TOther extends Numeric>(
    this: ComparableExpression<Numeric>,
    other: TOther | Expression<TOther>,
  ): ComparableExpression<Quotient<TValue, TOther>> {
    return computed(this, "/", other, "dividedBy");
  }

  /** Two texts as one; NULL where one of them is NULL. SQLAlchemy: `ColumnOperators.concat`. */
  concat<TOther extends string | null>(
    this: ComparableExpression<string | null>,
    other: TOther | Expression<TOther>,
  ): ComparableExpression<string | NullOf<TValue | TOther>> {
    return computed(this, "||", other, "concat");
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

/** What an expression is compared with: another one, or a value that it can have. Throws ArgumentError for a value that it cannot. */
export function operandOf(value: unknown, compared: ComparableExpression<unknown>): Expression<unknown> {
  if (value instanceof BoundValue && value.bind.name !== undefined)
    return new BoundValue(undefined, compared.columnType, { name: value.bind.name, isCompared: true });
  return isExpression(value) ? expectExpression(value) : boundValue(value, compared);
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
  return new BoundValue(value, type, { isCompared: true });
}

function textOperand(compared: ComparableExpression<unknown>, pattern: unknown, method: string): BoundValue {
  if (typeof pattern === "string") return new BoundValue(pattern, undefined);
  throw new ArgumentError(`${compared.label}.${method}() takes a string, and got ${describeGiven(pattern)}.`);
}

/** What can be computed with: `integer` and `real` columns are numbers, `bigint` ones bigints, `numeric` ones strings. */
type Numeric = number | bigint | string | null;

type NullOf<TValue> = Extract<TValue, null>;

type Computed<TLeft, TRight> = NullOf<TLeft | TRight> | NumberOf<NonNullable<TLeft | TRight>>;

type Quotient<TLeft, TRight> =
  | NullOf<TLeft | TRight>
  | (Extract<TLeft | TRight, string> extends never ? number : string);

/** Of several kinds of numbers the one that the database computes with. */
type NumberOf<TValue> =
  Extract<TValue, string> extends never
    ? Extract<TValue, bigint> extends never
      ? number
      : Extract<TValue, number> extends never
        ? bigint
        : bigint | number
    : string;

const text: ColumnType = { kind: "text" };
const real: ColumnType = { kind: "real" };
const computable: readonly (ColumnKind | undefined)[] = ["integer", "bigint", "real", "numeric", undefined];
const joinable: readonly (ColumnKind | undefined)[] = ["text", "varchar", "enumeration", "uuid", undefined];

function computed(
  left: ComparableExpression<unknown>,
  operator: Operator,
  given: unknown,
  method: string,
): ComparableExpression<never> {
  const right = rightOperand(left, operator, given, method);
  const type = operator === "||" ? text : typeOfComputation(operator, left, right);
  const isQuotient = operator === "/" && type?.kind !== "numeric";
  return new Computation(left, operator, right, isQuotient ? real : type);
}

function rightOperand(
  left: ComparableExpression<unknown>,
  operator: Operator,
  given: unknown,
  method: string,
): Expression<unknown> {
  const kinds = operator === "||" ? joinable : computable;
  const refuse = (what: string): never => {
    throw new ArgumentError(
      `${left.label}.${method}() ${operator === "||" ? "joins texts" : "computes with numbers"}, and ${what}. ` +
        `${operator === "||" ? "Convert it with cast(…, text()); add up numbers with plus()" : "Join texts with concat()"}.`,
    );
  };
  if (!kinds.includes(left.columnType?.kind))
    refuse(`${left.label} holds ${describeAccepted(left.columnType as ColumnType)}`);
  if (given instanceof BoundValue && given.bind.name !== undefined)
    return new BoundValue(undefined, operator === "||" ? text : typeBeside(left.columnType, undefined), {
      name: given.bind.name,
      isAlone: true,
      isCompared: true,
    });
  if (isExpression(given)) return expectExpression(given);
  const type = typeof given === "string" && operator !== "||" ? anyDecimal : typeOfValue(given);
  if (given === null) return new BoundValue(null, left.columnType, { isAlone: true });
  if (type === undefined || !kinds.includes(type.kind) || !isAccepted(type, given))
    refuse(`was given ${describeGiven(given)}`);
  return new BoundValue(given, type, { isAlone: true, isCompared: true });
}

type Operator = "+" | "-" | "*" | "/" | "||";

/** What a database computes of two values. */
class Computation<out TValue> extends ComparableExpression<TValue> {
  readonly #left: Expression<unknown>;
  readonly #operator: Operator;
  readonly #right: Expression<unknown>;
  readonly columnType: ColumnType | undefined;

  constructor(left: Expression<unknown>, operator: Operator, right: Expression<unknown>, type: ColumnType | undefined) {
    super();
    this.#left = left;
    this.#operator = operator;
    this.#right = right;
    this.columnType = type;
  }

  get label(): string {
    return "A computed value";
  }

  structure(into: Structure): void {
    this.#left.structure(into.add("("));
    this.#right.structure(into.add(` ${this.#operator} `));
    into.add(")");
  }

  toOperationNode(keepBinds = false): OperationNode {
    let left = this.#left.toOperationNode(keepBinds);
    // Two whole numbers would be divided as whole numbers.
    if (this.#operator === "/")
      left = BinaryOperationNode.create(left, OperatorNode.create("*"), RawNode.createWithSql("1.0"));
    const right = this.#right.toOperationNode(keepBinds);
    return ParensNode.create(BinaryOperationNode.create(left, OperatorNode.create(this.#operator), right));
  }

  restrictedBy(restriction: Restriction): Computation<TValue> {
    const [left, right] = [this.#left.restrictedBy(restriction), this.#right.restrictedBy(restriction)];
    return new Computation(left, this.#operator, right, this.columnType);
  }

  /** Sums are numerics to some databases, and arrive as text. */
  override reader(dialect: Dialect): ((raw: unknown) => unknown) | undefined {
    return this.columnType?.kind === "real" ? Number : super.reader(dialect);
  }

  override evaluator(scope: EvaluationScope): Evaluator {
    const [left, right] = [this.#left.evaluator(scope), this.#right.evaluator(scope)];
    return evaluateComputation(this.#operator, left, right, this.columnType);
  }
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
