import { AggregateFunctionNode, FunctionNode, type OperationNode, OrderByNode, WhereNode } from "kysely";
import type { Dialect } from "../engine/dialect.ts";
import type { ColumnType } from "../mapping/column-type.ts";
import { ComparableExpression } from "./comparable-expression.ts";
import { conjunction } from "./conditions.ts";
import {
  type Condition,
  conditionNode,
  type Expression,
  expectExpression,
  type OrderBy,
  type Restriction,
} from "./expression.ts";
import { orderItem } from "./ordering.ts";
import type { Structure } from "./structure.ts";
import { type OverOptions, Window } from "./window.ts";

/** How the result of a function is read: as values of a column type are, or as a number or bigint where some databases answer with text. */
export type FunctionResult = ColumnType | "number" | "bigint" | undefined;

interface FunctionParts {
  readonly arguments: readonly Expression<unknown>[];
  readonly result: FunctionResult;
  readonly isDistinct?: boolean;
  readonly orderBy?: readonly Expression<unknown>[];
  readonly filter?: Expression<boolean>;
  readonly window?: Window;
}

/** A call of a function of the database's: `func.count(post.id)`, `func.lower(user.name)`. It can be compared and ordered by. */
export class FunctionExpression<out TValue> extends ComparableExpression<TValue> {
  readonly name: string;
  readonly #parts: FunctionParts;

  constructor(name: string, parts: FunctionParts) {
    super();
    this.name = name;
    this.#parts = parts;
  }

  get label(): string {
    return `${this.name}()`;
  }

  get columnType(): ColumnType | undefined {
    const { result } = this.#parts;
    if (result === "number") return { kind: "real" };
    return result === "bigint" ? { kind: "bigint" } : result;
  }

  /** Of an aggregate: each value counts once. */
  distinct(): FunctionExpression<TValue> {
    return this.#with({ isDistinct: true });
  }

  /** Of an aggregate whose result depends on it, such as `string_agg`: the order in which it takes the values. A further call orders within the first. */
  orderBy(...by: readonly OrderBy[]): FunctionExpression<TValue> {
    return this.#with({ orderBy: [...(this.#parts.orderBy ?? []), ...by.map(expectExpression)] });
  }

  /**
   * Of an aggregate: only the rows for which the condition holds; several are combined by AND. `FILTER (WHERE …)`.
   *
   * SQLAlchemy: Column Elements and Expressions, `FunctionElement.filter`.
   *
   * @example
   * func.count().filter(order.state.eq("open"))
   */
  filter(condition: Condition): FunctionExpression<TValue> {
    return this.#with({ filter: conjunction(this.#parts.filter, expectExpression(condition)) });
  }

  /**
   * Computes the function over rows around each row, which stay as they are: `OVER (PARTITION BY … ORDER BY …)`.
   *
   * SQLAlchemy: Column Elements and Expressions, `FunctionElement.over`.
   *
   * @throws ArgumentError for a frame that is none.
   * @example
   * select(Order).columns((order) => [
   *   order.id,
   *   func.rowNumber().over({ partitionBy: order.customerId, orderBy: order.placedAt.desc() }),
   *   func.sum(order.total).over({ orderBy: order.placedAt, rows: [null, 0] }), // from the first row to this one
   * ])
   */
  over(options: OverOptions = {}): FunctionExpression<TValue> {
    return this.#with({ window: Window.of(options, this.label) });
  }

  structure(into: Structure): void {
    const { arguments: given, isDistinct, orderBy, filter, window } = this.#parts;
    into.add(`${this.name}(${isDistinct === true ? "distinct " : ""}`);
    for (const argument of given) {
      argument.structure(into);
      into.add(",");
    }
    for (const ordering of orderBy ?? []) ordering.structure(into.add(" order by "));
    into.add(")");
    filter?.structure(into.add(" filter "));
    window?.structure(into);
  }

  toOperationNode(keepBinds = false): OperationNode {
    const { arguments: given, isDistinct, orderBy, filter, window } = this.#parts;
    const nodes = given.map((argument) => argument.toOperationNode(keepBinds));
    if (isDistinct === undefined && orderBy === undefined && filter === undefined && window === undefined)
      return FunctionNode.create(this.name, nodes);
    return {
      ...AggregateFunctionNode.create(this.name, nodes),
      ...(isDistinct === true ? { distinct: true } : {}),
      ...(orderBy === undefined ? {} : { orderBy: OrderByNode.create(orderBy.map((by) => orderItem(by, keepBinds))) }),
      ...(filter === undefined ? {} : { filter: WhereNode.create(conditionNode(filter, keepBinds)) }),
      ...(window === undefined ? {} : { over: window.toOperationNode(keepBinds) }),
    } as AggregateFunctionNode;
  }

  restrictedBy(restriction: Restriction): FunctionExpression<TValue> {
    const { arguments: given, orderBy, filter, window } = this.#parts;
    return this.#with({
      arguments: given.map((argument) => argument.restrictedBy(restriction)),
      ...(orderBy === undefined ? {} : { orderBy: orderBy.map((by) => by.restrictedBy(restriction)) }),
      ...(filter === undefined ? {} : { filter: filter.restrictedBy(restriction) }),
      ...(window === undefined ? {} : { window: window.restrictedBy(restriction) }),
    });
  }

  override reader(dialect: Dialect): ((raw: unknown) => unknown) | undefined {
    const { result } = this.#parts;
    if (result === "number") return Number;
    return result === "bigint" ? (raw) => BigInt(raw as string) : super.reader(dialect);
  }

  #with(parts: Partial<FunctionParts>): FunctionExpression<TValue> {
    return new FunctionExpression(this.name, { ...this.#parts, ...parts });
  }
}
