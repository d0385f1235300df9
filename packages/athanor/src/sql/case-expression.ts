import { CaseNode, type OperationNode, WhenNode } from "kysely";
import { ArgumentError } from "../event/errors.ts";
import type { ColumnType } from "../mapping/column-type.ts";
import { ComparableExpression, operandOf } from "./comparable-expression.ts";
import { commonTypeOf, typeBeside } from "./decimal-type.ts";
import {
  BoundValue,
  type Condition,
  conditionNode,
  describeGiven,
  Expression,
  expectExpression,
  isExpression,
  type Restriction,
} from "./expression.ts";
import type { Structure } from "./structure.ts";
import { commonType } from "./value-type.ts";

/** What a branch of a CASE answers with, or what it is compared with: an expression, or a value in memory. */
type Given<TValue> = TValue | Expression<TValue>;

interface Branch {
  readonly when: Expression<unknown>;
  readonly result: unknown;
}

interface CaseParts {
  /** What the branches are compared with, where they are no conditions. */
  readonly compared: ComparableExpression<unknown> | undefined;
  readonly branches: readonly Branch[];
  readonly otherwise: { readonly result: unknown } | undefined;
}

/** A CASE: the value of the first branch that fits. It can be compared and ordered by. */
export class CaseExpression<out TValue> extends ComparableExpression<TValue> {
  protected readonly parts: CaseParts;
  readonly #results: readonly Expression<unknown>[];
  readonly #type: ColumnType | undefined;

  constructor(parts: CaseParts) {
    super();
    this.parts = parts;
    const given = [...parts.branches, ...(parts.otherwise === undefined ? [] : [parts.otherwise])];
    const results = given.map(({ result }) => (isExpression(result) ? expectExpression(result) : result));
    const ofColumns = commonType(
      results.map((result) => (result instanceof Expression ? result.columnType : undefined)),
    );
    // A value beside columns is one of theirs, where it can be.
    this.#results = results.map((result) =>
      result instanceof Expression && !isUntypedParameter(result) ? result : valueBeside(ofColumns, result),
    );
    this.#type = commonTypeOf(this.#results);
  }

  get label(): string {
    return "A CASE";
  }

  get columnType(): ColumnType | undefined {
    return this.#type;
  }

  structure(into: Structure): void {
    const { compared, branches } = this.parts;
    into.add("case ");
    compared?.structure(into);
    branches.forEach(({ when }, index) => {
      when.structure(into.add(" when "));
      this.#results[index]?.structure(into.add(" then "));
    });
    this.#otherwise?.structure(into.add(" else "));
    into.add(" end");
  }

  toOperationNode(keepBinds = false): OperationNode {
    const { compared, branches } = this.parts;
    const node = branches.reduce<CaseNode>(
      (before, { when }, index) =>
        CaseNode.cloneWithWhen(
          before,
          WhenNode.cloneWithResult(
            WhenNode.create(conditionNode(when, keepBinds)),
            (this.#results[index] as Expression<unknown>).toOperationNode(keepBinds),
          ),
        ),
      CaseNode.create(compared?.toOperationNode(keepBinds)),
    );
    const otherwise = this.#otherwise;
    return otherwise === undefined ? node : CaseNode.cloneWith(node, { else: otherwise.toOperationNode(keepBinds) });
  }

  restrictedBy(restriction: Restriction): CaseExpression<TValue> {
    const { compared, branches, otherwise } = this.parts;
    const restricted = (result: unknown): unknown =>
      isExpression(result) ? expectExpression(result).restrictedBy(restriction) : result;
    return new CaseExpression({
      compared: compared?.restrictedBy(restriction) as ComparableExpression<unknown> | undefined,
      branches: branches.map(({ when, result }) => ({
        when: when.restrictedBy(restriction),
        result: restricted(result),
      })),
      otherwise: otherwise === undefined ? undefined : { result: restricted(otherwise.result) },
    });
  }

  get #otherwise(): Expression<unknown> | undefined {
    return this.#results[this.parts.branches.length];
  }
}

/** A CASE that may get more branches; without `else` it is null where none fits. */
export class OpenCase<out TValue, out TWhen = Condition> extends CaseExpression<TValue | null> {
  declare readonly "~when": TWhen;

  /** One more branch, for where none of those before it fits. */
  when<TResult>(when: TWhen, value: Given<TResult>): OpenCase<TValue | TResult, TWhen> {
    const { compared, branches } = this.parts;
    return new OpenCase({
      ...this.parts,
      branches: [...branches, { when: whenOf(compared, when), result: expectResult(value) }],
    });
  }

  /** The value where no branch fits; without it that is null. */
  else<TResult>(value: Given<TResult>): CaseExpression<TValue | TResult> {
    return new CaseExpression({ ...this.parts, otherwise: { result: expectResult(value) } });
  }
}

/** A CASE that has no branch yet. */
export interface EmptyCase<TCompared> {
  /** The first branch. */
  when<TResult>(value: Given<TCompared>, result: Given<TResult>): OpenCase<TResult, Given<TCompared>>;
}

/**
 * Chooses among values by conditions: `CASE WHEN … THEN … ELSE … END`. The value of the first condition that holds counts; where none does, that of `else`, or null.
 *
 * Values in memory become parameters. Of columns and values the result is read as the columns are.
 *
 * SQLAlchemy: Column Elements and Expressions, `case`.
 *
 * @example
 * select(User).columns((user) => [user.name, caseWhen(user.age.lt(18), "minor").when(user.age.lt(65), "adult").else("senior")])
 */
export function caseWhen<TResult>(condition: Condition, value: Given<TResult>): OpenCase<TResult> {
  const branch = { when: whenOf(undefined, condition), result: expectResult(value) };
  return new OpenCase({ compared: undefined, branches: [branch], otherwise: undefined });
}

/**
 * Chooses among values by what an expression is: `CASE country WHEN 'GB' THEN … END`.
 *
 * SQLAlchemy: Column Elements and Expressions, `case` with `value`.
 *
 * @example
 * select(User).orderBy((user) => caseOf(user.role).when("owner", 1).when("admin", 2).else(3))
 */
export function caseOf<TCompared>(compared: ComparableExpression<TCompared>): EmptyCase<NonNullable<TCompared>> {
  if (!(compared instanceof ComparableExpression)) {
    throw new ArgumentError(
      `caseOf() takes an attribute or another expression with a value, and got ${describeGiven(compared)}. Choose by conditions with caseWhen(condition, value).`,
    );
  }
  return {
    when: (value, result) =>
      new OpenCase({
        compared,
        branches: [{ when: whenOf(compared, value), result: expectResult(result) }],
        otherwise: undefined,
      }),
  };
}

function isUntypedParameter(result: Expression<unknown>): result is BoundValue {
  return result instanceof BoundValue && result.bind.name !== undefined;
}

/** A value is of the type of what stands beside it, where it can be. */
function valueBeside(type: ColumnType | undefined, given: unknown): BoundValue {
  const [value, name] = given instanceof BoundValue ? [undefined, given.bind.name] : [given, undefined];
  return new BoundValue(value, typeBeside(type, value), { name, isAlone: true, isCompared: true });
}

function whenOf(compared: ComparableExpression<unknown> | undefined, when: unknown): Expression<unknown> {
  return compared === undefined ? expectExpression(when) : operandOf(when, compared);
}

function expectResult(value: unknown): unknown {
  if (value !== undefined) return value;
  throw new ArgumentError(
    "A branch of a CASE was given undefined for its value. Give it null where it is to be nothing, or leave out else().",
  );
}
