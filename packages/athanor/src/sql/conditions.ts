import {
  AndNode,
  BinaryOperationNode,
  type OperationNode,
  OperatorNode,
  OrNode,
  ParensNode,
  RawNode,
  UnaryOperationNode,
  ValueListNode,
  ValueNode,
} from "kysely";
import type { ColumnType } from "../mapping/column-type.ts";
import {
  type EvaluationScope,
  type Evaluator,
  evaluateComparison,
  evaluateJunction,
  evaluateMembership,
  evaluateNegation,
  UNKNOWN,
} from "./evaluate.ts";
import {
  type BoundValue,
  type Condition,
  conditionNode,
  Expression,
  expectExpression,
  type Restriction,
} from "./expression.ts";
import type { Select } from "./select.ts";
import type { Structure } from "./structure.ts";

export type Comparison = "=" | "!=" | "<" | "<=" | ">" | ">=" | "like" | "not like";

const truth: ColumnType = { kind: "boolean" };

/** An expression that holds or does not. */
export abstract class Predicate extends Expression<boolean> {
  override get columnType(): ColumnType {
    return truth;
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

export class Binary extends Predicate {
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
    return evaluateComparison(this.#operator, left, right, this.#left.columnType);
  }
}

export class NullTest extends Predicate {
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

export class Membership extends Predicate {
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
    return evaluateMembership(this.#tested.evaluator(scope), values, this.#isIn, this.#tested.columnType);
  }
}

export class SubqueryMembership extends Predicate {
  readonly #tested: Expression<unknown>;
  readonly #isIn: boolean;
  readonly #subquery: Select<unknown, any, any>;

  constructor(tested: Expression<unknown>, isIn: boolean, subquery: Select<unknown, any, any>) {
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

/** One more condition, or the first. */
export function conjunction(left: Expression<boolean> | undefined, right: Expression<boolean>): Expression<boolean> {
  return left === undefined ? right : and(left, right);
}
