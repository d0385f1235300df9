import { type OperationNode, OrderByItemNode, RawNode } from "kysely";
import { Expression, type Restriction } from "./expression.ts";
import type { Structure } from "./structure.ts";

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

/** The node of an ordering, or of an expression that rows are ordered by from the smallest on. */
export function orderItem(by: Expression<unknown>, keepBinds: boolean): OrderByItemNode {
  const node = by.toOperationNode(keepBinds);
  return OrderByItemNode.is(node) ? node : OrderByItemNode.create(node);
}
