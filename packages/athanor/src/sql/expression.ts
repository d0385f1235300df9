import {
  AndNode,
  BinaryOperationNode,
  type Expression as KyselyExpression,
  type OperationNode,
  OperatorNode,
  OrderByItemNode,
  OrNode,
  ParensNode,
  type RawBuilder,
  RawNode,
  UnaryOperationNode,
  ValueListNode,
  ValueNode,
} from "kysely";
import { ArgumentError } from "../event/errors.ts";
import type { Dialect } from "../engine/dialect.ts";
import { type ColumnType, describeAccepted, isAccepted } from "../mapping/column-type.ts";
import type { Mapper } from "../mapping/mapper.ts";
import {
  type EvaluationScope,
  type Evaluator,
  evaluateComparison,
  evaluateJunction,
  evaluateMembership,
  evaluateNegation,
  UNKNOWN,
  UnevaluableError,
} from "./evaluate.ts";
import type { EntityAlias } from "./entity-alias.ts";
import type { Select } from "./select.ts";
import { Bind, bindNode, type StatementPart, type Structure } from "./structure.ts";

/**
 * A piece of SQL with a value: an attribute, a comparison, an ordering. It is a Kysely expression too, so Kysely's `sql` and helpers take it.
 */
export abstract class Expression<out TValue> implements StatementPart, KyselyExpression<TValue> {
  declare readonly "~value": TValue;

  get expressionType(): TValue | undefined {
    return undefined;
  }

  abstract structure(into: Structure): void;
  abstract toOperationNode(keepBinds?: boolean): OperationNode;

  /** The same, where it reads rows of other classes without those that must not be seen. */
  restrictedBy(_restriction: Restriction): Expression<TValue> {
    return this;
  }

  /** How its values are read off rows; undefined where they are what the driver gives. */
  reader(_dialect: Dialect): ((raw: unknown) => unknown) | undefined {
    return undefined;
  }

  /** How its value is found in memory. Throws UnevaluableError where only the database can find it. */
  evaluator(_scope: EvaluationScope): Evaluator {
    throw new UnevaluableError("a part of it");
  }
}

/** What criteria say of a class in a statement, where it stands under its own name or another one; undefined where they say nothing. */
export type Restriction = (mapper: Mapper, alias: EntityAlias | undefined) => Expression<boolean> | undefined;

/** A value that a comparison takes: one in memory, or another expression, ours or of Kysely's `sql`. */
export type Operand<TValue> = TValue | Expression<TValue | null> | RawBuilder<unknown>;

/** What a row must fulfil: a comparison such as `user.name.eq("x")`, or a piece of SQL written with Kysely's `sql`. */
export type Condition = Expression<boolean> | RawBuilder<unknown>;

/** What rows are ordered by: an attribute, its `asc()` or `desc()`, or a piece of SQL written with Kysely's `sql`. */
export type OrderBy = Expression<unknown> | RawBuilder<unknown>;

type Comparison = "=" | "!=" | "<" | "<=" | ">" | ">=" | "like" | "not like";

/** An expression that can be compared: the operators of attributes. */
export abstract class ComparableExpression<out TValue> extends Expression<TValue> {
  /** How values that it is compared with are checked and converted. Throws ArgumentError for what stands in no table. */
  abstract get columnType(): ColumnType | undefined;
  /** What to call it in messages: "User.email". */
  abstract get label(): string;

  override reader(dialect: Dialect): ((raw: unknown) => unknown) | undefined {
    const { columnType } = this;
    return columnType === undefined ? undefined : dialect.codec(columnType).fromDriver;
  }

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

/** An expression that holds or does not. */
export abstract class Predicate extends Expression<boolean> {
  override reader(dialect: Dialect): ((raw: unknown) => unknown) | undefined {
    return dialect.codec({ kind: "boolean" }).fromDriver;
  }
}

/** A value in a statement. */
export class BoundValue extends Expression<unknown> {
  readonly bind: Bind;

  constructor(value: unknown, type: ColumnType | undefined, name?: string) {
    super();
    this.bind = new Bind(value, type, name);
  }

  structure(into: Structure): void {
    into.bind(this.bind);
  }

  toOperationNode(keepBinds = false): OperationNode {
    return bindNode(this.bind, keepBinds);
  }

  override evaluator({ parameters }: EvaluationScope): Evaluator {
    const { name } = this.bind;
    const value = name === undefined ? this.bind.value : parameters?.[name];
    // Without its value the statement cannot be executed either, which says so.
    if (value === undefined) throw new UnevaluableError(`bindparam("${name ?? ""}") without a value`);
    return () => value;
  }
}

/**
 * A value that is given when the statement is executed: `session.execute(statement, { name: "sandy" })`.
 *
 * SQLAlchemy: Column Elements and Expressions, `bindparam`.
 */
export function bindparam<TValue = never>(name: string): Expression<TValue> {
  return new BoundValue(undefined, undefined, name) as Expression<unknown> as Expression<TValue>;
}

/** Anything with a node of Kysely's: the `sql` tag, an `eb` expression. Its values are part of its text for the statement cache, so it is compiled each time. */
export class ForeignExpression extends Expression<unknown> {
  readonly #expression: { toOperationNode(): OperationNode };

  constructor(expression: { toOperationNode(): OperationNode }) {
    super();
    this.#expression = expression;
  }

  structure(into: Structure): void {
    into.isCacheable = false;
  }

  toOperationNode(): OperationNode {
    return this.#expression.toOperationNode();
  }

  override evaluator(): Evaluator {
    throw new UnevaluableError("SQL of your own");
  }
}

/** All of the conditions. Without any it is true. */
export function and(...conditions: readonly Condition[]): Expression<boolean> {
  return new Junction("and", conditions.map(expectExpression));
}

/** At least one of the conditions. Without any it is false. */
export function or(...conditions: readonly Condition[]): Expression<boolean> {
  return new Junction("or", conditions.map(expectExpression));
}

/** The opposite of a condition. */
export function not(condition: Condition): Expression<boolean> {
  return new Negation(expectExpression(condition));
}

/** Takes what users give where an expression is wanted: one of ours, or of Kysely's. */
export function expectExpression(value: unknown): Expression<never> {
  if (value instanceof Expression) return value as Expression<never>;
  if (typeof value === "object" && value !== null && "toOperationNode" in value) {
    return new ForeignExpression(
      value as { toOperationNode(): OperationNode },
    ) as Expression<unknown> as Expression<never>;
  }
  throw new ArgumentError(
    `A condition was expected, such as user.name.eq("x") or sql\`…\`, and got ${value === undefined ? "nothing: does the function return it?" : `a ${typeof value}`}.`,
  );
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

/** The kind of a value, never the value: it may be secret. */
export function describeGiven(value: unknown): string {
  if (value == null) return String(value);
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return `an object of ${value.constructor?.name ?? "no class"}`;
  return typeof value === "string" ? "a string it cannot hold" : `a ${typeof value}`;
}

class Binary extends Predicate {
  readonly #left: Expression<unknown>;
  readonly #operator: Comparison;
  readonly #right: Expression<unknown>;

  constructor(left: Expression<unknown>, operator: Comparison, right: Expression<unknown>) {
    super();
    this.#left = left;
    this.#operator = operator;
    this.#right = right;
  }

  structure(into: Structure): void {
    this.#left.structure(into);
    into.add(` ${this.#operator} `);
    this.#right.structure(into);
  }

  toOperationNode(keepBinds = false): OperationNode {
    return BinaryOperationNode.create(
      this.#left.toOperationNode(keepBinds),
      OperatorNode.create(this.#operator),
      this.#right.toOperationNode(keepBinds),
    );
  }

  override restrictedBy(restriction: Restriction): Expression<boolean> {
    return new Binary(this.#left.restrictedBy(restriction), this.#operator, this.#right.restrictedBy(restriction));
  }

  override evaluator(scope: EvaluationScope): Evaluator {
    const [left, right] = [this.#left.evaluator(scope), this.#right.evaluator(scope)];
    return evaluateComparison(this.#operator, left, right, typeOf(this.#left));
  }
}

class NullTest extends Predicate {
  readonly #tested: Expression<unknown>;
  readonly #isNull: boolean;

  constructor(tested: Expression<unknown>, isNull: boolean) {
    super();
    this.#tested = tested;
    this.#isNull = isNull;
  }

  structure(into: Structure): void {
    this.#tested.structure(into);
    into.add(this.#isNull ? " is null" : " is not null");
  }

  toOperationNode(keepBinds = false): OperationNode {
    return BinaryOperationNode.create(
      this.#tested.toOperationNode(keepBinds),
      OperatorNode.create(this.#isNull ? "is" : "is not"),
      ValueNode.createImmediate(null),
    );
  }

  override restrictedBy(restriction: Restriction): Expression<boolean> {
    return new NullTest(this.#tested.restrictedBy(restriction), this.#isNull);
  }

  override evaluator(scope: EvaluationScope): Evaluator {
    const tested = this.#tested.evaluator(scope);
    return (state) => {
      const value = tested(state);
      return value === UNKNOWN ? UNKNOWN : (value === null) === this.#isNull;
    };
  }
}

class Membership extends Predicate {
  readonly #tested: Expression<unknown>;
  readonly #isIn: boolean;
  readonly #values: readonly BoundValue[];

  constructor(tested: Expression<unknown>, isIn: boolean, values: readonly BoundValue[]) {
    super();
    this.#tested = tested;
    this.#isIn = isIn;
    this.#values = values;
  }

  structure(into: Structure): void {
    this.#tested.structure(into);
    into.add(this.#isIn ? " in (" : " not in (");
    for (const value of this.#values) value.structure(into);
    into.add(")");
  }

  toOperationNode(keepBinds = false): OperationNode {
    // No database takes an empty list.
    if (this.#values.length === 0) return RawNode.createWithSql(this.#isIn ? "1 = 0" : "1 = 1");
    const values = this.#values.map((value) => value.toOperationNode(keepBinds));
    return BinaryOperationNode.create(
      this.#tested.toOperationNode(keepBinds),
      OperatorNode.create(this.#isIn ? "in" : "not in"),
      ValueListNode.create(values),
    );
  }

  override restrictedBy(restriction: Restriction): Expression<boolean> {
    return new Membership(this.#tested.restrictedBy(restriction), this.#isIn, this.#values);
  }

  override evaluator(scope: EvaluationScope): Evaluator {
    const values = this.#values.map((value) => value.evaluator(scope));
    return evaluateMembership(this.#tested.evaluator(scope), values, this.#isIn, typeOf(this.#tested));
  }
}

/** A statement of one column, for `in`. */
export type ColumnSelect<TValue> = Select<
  readonly [TValue | null] | Readonly<Record<string, TValue | null>>,
  any,
  "columns"
>;

type Subquery = Select<unknown, any, any>;

function isSubquery(value: unknown): value is Subquery {
  return typeof value === "object" && value !== null && "expectOneColumn" in value;
}

class SubqueryMembership extends Predicate {
  readonly #tested: Expression<unknown>;
  readonly #isIn: boolean;
  readonly #subquery: Subquery;

  constructor(tested: Expression<unknown>, isIn: boolean, subquery: Subquery) {
    super();
    subquery.expectOneColumn(isIn ? "in()" : "notIn()");
    this.#tested = tested;
    this.#isIn = isIn;
    this.#subquery = subquery;
  }

  structure(into: Structure): void {
    this.#tested.structure(into);
    this.#subquery.structure(into.add(this.#isIn ? " in (" : " not in ("));
    into.add(")");
  }

  toOperationNode(keepBinds = false): OperationNode {
    return BinaryOperationNode.create(
      this.#tested.toOperationNode(keepBinds),
      OperatorNode.create(this.#isIn ? "in" : "not in"),
      this.#subquery.toOperationNode(keepBinds),
    );
  }

  override restrictedBy(restriction: Restriction): Expression<boolean> {
    return new SubqueryMembership(
      this.#tested.restrictedBy(restriction),
      this.#isIn,
      this.#subquery.restrictedBy(restriction),
    );
  }
}

class Junction extends Predicate {
  readonly #operator: "and" | "or";
  readonly #conditions: readonly Expression<boolean>[];

  constructor(operator: "and" | "or", conditions: readonly Expression<boolean>[]) {
    super();
    this.#operator = operator;
    this.#conditions = conditions;
  }

  structure(into: Structure): void {
    into.add(`(${this.#operator}`);
    for (const condition of this.#conditions) {
      into.add(" ");
      condition.structure(into);
    }
    into.add(")");
  }

  toOperationNode(keepBinds = false): OperationNode {
    const [first, ...rest] = this.#conditions.map((condition) => conditionNode(condition, keepBinds));
    if (first === undefined) return RawNode.createWithSql(this.#operator === "and" ? "1 = 1" : "1 = 0");
    const create = this.#operator === "and" ? AndNode.create : OrNode.create;
    return ParensNode.create(rest.reduce((left, right) => create(left, right), first));
  }

  override restrictedBy(restriction: Restriction): Expression<boolean> {
    return new Junction(
      this.#operator,
      this.#conditions.map((condition) => condition.restrictedBy(restriction)),
    );
  }

  override evaluator(scope: EvaluationScope): Evaluator {
    return evaluateJunction(
      this.#operator,
      this.#conditions.map((condition) => condition.evaluator(scope)),
    );
  }
}

class Negation extends Predicate {
  readonly #condition: Expression<boolean>;

  constructor(condition: Expression<boolean>) {
    super();
    this.#condition = condition;
  }

  structure(into: Structure): void {
    into.add("not (");
    this.#condition.structure(into);
    into.add(")");
  }

  toOperationNode(keepBinds = false): OperationNode {
    return UnaryOperationNode.create(
      OperatorNode.create("not"),
      ParensNode.create(this.#condition.toOperationNode(keepBinds)),
    );
  }

  override restrictedBy(restriction: Restriction): Expression<boolean> {
    return new Negation(this.#condition.restrictedBy(restriction));
  }

  override evaluator(scope: EvaluationScope): Evaluator {
    return evaluateNegation(this.#condition.evaluator(scope));
  }
}

/** What rows are ordered by, with its direction: `user.name.desc()`. */
export class Ordering<out TValue> extends Expression<TValue> {
  /** What it orders by, without the direction. */
  readonly ordered: Expression<TValue>;
  readonly #direction: "asc" | "desc";
  readonly #nulls: "first" | "last" | undefined;

  constructor(ordered: Expression<TValue>, direction: "asc" | "desc", nulls?: "first" | "last") {
    super();
    this.ordered = ordered;
    this.#direction = direction;
    this.#nulls = nulls;
  }

  /** Rows without a value come first; without this, databases differ. */
  nullsFirst(): Ordering<TValue> {
    return new Ordering(this.ordered, this.#direction, "first");
  }

  /** Rows without a value come last; without this, databases differ. */
  nullsLast(): Ordering<TValue> {
    return new Ordering(this.ordered, this.#direction, "last");
  }

  structure(into: Structure): void {
    this.ordered.structure(into);
    into.add(` ${this.#direction}${this.#nulls === undefined ? "" : ` nulls ${this.#nulls}`}`);
  }

  toOperationNode(keepBinds = false): OperationNode {
    return this.nodeOf(this.ordered.toOperationNode(keepBinds));
  }

  /** The same order by another node. */
  nodeOf(by: OperationNode): OrderByItemNode {
    const node = OrderByItemNode.create(by, RawNode.createWithSql(this.#direction));
    return this.#nulls === undefined ? node : OrderByItemNode.cloneWith(node, { nulls: this.#nulls });
  }

  override restrictedBy(restriction: Restriction): Expression<TValue> {
    return new Ordering(this.ordered.restrictedBy(restriction), this.#direction, this.#nulls);
  }
}

/** The type of the values that an expression is compared with, where it has one. */
function typeOf(expression: Expression<unknown>): ColumnType | undefined {
  return expression instanceof ComparableExpression ? expression.columnType : undefined;
}

/** The node of a condition that others may stand beside: SQL of users' own keeps together, whatever operators it has. */
export function conditionNode(condition: Expression<boolean>, keepBinds: boolean): OperationNode {
  const node = condition.toOperationNode(keepBinds);
  return condition instanceof ForeignExpression ? ParensNode.create(node) : node;
}

/** One more condition, or the first. */
export function conjunction(left: Expression<boolean> | undefined, right: Expression<boolean>): Expression<boolean> {
  return left === undefined ? right : and(left, right);
}
