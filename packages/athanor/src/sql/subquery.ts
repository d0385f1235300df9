import { type OperationNode, OperatorNode, UnaryOperationNode } from "kysely";
import type { Dialect } from "../engine/dialect.ts";
import type { ColumnType } from "../mapping/column-type.ts";
import { ComparableExpression } from "./comparable-expression.ts";
import { Predicate } from "./conditions.ts";
import type { Expression, Restriction } from "./expression.ts";
import type { Select } from "./select.ts";
import type { Structure } from "./structure.ts";

/** What a statement of one column finds in its only row, as a value inside of another statement. */
export class ScalarSubquery<out TValue> extends ComparableExpression<TValue> {
  readonly #select: Select<unknown, any, any>;

  constructor(select: Select<unknown, any, any>) {
    super();
    this.#select = select;
  }

  get label(): string {
    return `A subquery of ${this.#select.mapper.class.name}`;
  }

  get columnType(): ColumnType | undefined {
    return this.#value?.columnType;
  }

  structure(into: Structure): void {
    this.#select.structure(into.add("("));
    into.add(")");
  }

  toOperationNode(keepBinds = false): OperationNode {
    return this.#select.toOperationNode(keepBinds);
  }

  override restrictedBy(restriction: Restriction): ScalarSubquery<TValue> {
    return new ScalarSubquery(this.#select.restrictedBy(restriction));
  }

  override reader(dialect: Dialect): ((raw: unknown) => unknown) | undefined {
    return this.#value?.reader(dialect);
  }

  get #value(): Expression<unknown> | undefined {
    return this.#select.parts.selected?.items[0] as Expression<unknown> | undefined;
  }
}

/** Whether a statement finds anything. */
export class Exists extends Predicate {
  readonly #select: Select<unknown, any, any>;

  constructor(select: Select<unknown, any, any>) {
    super();
    this.#select = select;
  }

  structure(into: Structure): void {
    this.#select.structure(into.add("exists ("));
    into.add(")");
  }

  toOperationNode(keepBinds = false): OperationNode {
    return UnaryOperationNode.create(OperatorNode.create("exists"), this.#select.toOperationNode(keepBinds));
  }

  override restrictedBy(restriction: Restriction): Exists {
    return new Exists(this.#select.restrictedBy(restriction));
  }
}

/**
 * Whether a statement finds any row, for the condition of another one around it.
 *
 * SQLAlchemy: ORM Querying Guide, EXISTS forms. For related rows `any` and `has` are shorter.
 *
 * @example
 * select(User).where((user) => exists(select(Ban).where((ban) => ban.email.eq(user.email))))
 */
export function exists(select: Select<unknown, any, any>): Expression<boolean> {
  return new Exists(select);
}
