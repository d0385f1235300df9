import type { OperationNode } from "kysely";
import { ArgumentError } from "../event/errors.ts";
import { type ColumnType, describeAccepted, isAccepted } from "../mapping/column-type.ts";
import type { Column } from "../mapping/column.ts";
import { ComparableExpression } from "./comparable-expression.ts";
import type { EvaluationScope, Evaluator } from "./evaluate.ts";
import { BoundValue, describeGiven } from "./expression.ts";
import type { Structure } from "./structure.ts";
import { typeOfValue } from "./value-type.ts";

/** A value in memory where an expression is wanted. */
export class Literal<out TValue> extends ComparableExpression<TValue> {
  readonly #value: BoundValue;

  constructor(value: unknown, type: ColumnType | undefined) {
    super();
    this.#value = new BoundValue(value, type, { isAlone: true });
  }

  get label(): string {
    return "A literal";
  }

  get columnType(): ColumnType | undefined {
    return this.#value.columnType;
  }

  structure(into: Structure): void {
    this.#value.structure(into);
  }

  toOperationNode(keepBinds = false): OperationNode {
    return this.#value.toOperationNode(keepBinds);
  }

  restrictedBy(): this {
    return this;
  }

  override evaluator(scope: EvaluationScope): Evaluator {
    return this.#value.evaluator(scope);
  }
}

/**
 * A value of the program as an expression: to select it, to compare it, or to pass it to a function that takes anything and so cannot know what it is. It is a
 * parameter, as all values are, and the database is told its type: that of the value, or of the column type.
 *
 * SQLAlchemy: Column Elements and Expressions, `literal`.
 *
 * @throws ArgumentError for a value that the column type cannot hold.
 * @example
 * select(User).columns((user) => [user.name, literal("user"), func("json_build_object", literal("id"), user.id)])
 */
export function literal<TValue>(value: TValue, column?: Column<TValue | null, any, any>): Literal<TValue> {
  const type = column?.options.type;
  if (value === undefined || (type !== undefined && value !== null && !isAccepted(type, value))) {
    throw new ArgumentError(
      `literal() was given ${describeGiven(value)}, and its type holds ${type === undefined ? "a value: null, where there is none" : describeAccepted(type)}.`,
    );
  }
  return new Literal(value, type ?? typeOfValue(value));
}
