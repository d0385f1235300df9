import type { OperationNode } from "kysely";
import type { Dialect } from "../engine/dialect.ts";
import type { ColumnType } from "../mapping/column-type.ts";
import { ComparableExpression } from "./comparable-expression.ts";
import { aliasColumn } from "./entity-alias.ts";
import type { Expression } from "./expression.ts";
import type { Structure } from "./structure.ts";

/** A column of what another statement finds: `ranked.place` of a subquery. It holds what the expression in there does, and is read and compared like that. */
export class DerivedColumn<out TValue> extends ComparableExpression<TValue> {
  /** The name of the subquery. */
  readonly source: string;
  /** What it is called in the rows of the subquery. */
  readonly key: string;
  /** What it is in there. */
  readonly of: Expression<unknown>;
  readonly #column: string;

  constructor(source: string, key: string, column: string, of: Expression<unknown>) {
    super();
    this.source = source;
    this.key = key;
    this.of = of;
    this.#column = column;
  }

  get label(): string {
    return `${this.source}.${this.key}`;
  }

  get columnType(): ColumnType | undefined {
    return this.of.columnType;
  }

  structure(into: Structure): void {
    into.add(`${this.source}.${this.#column}`);
  }

  toOperationNode(): OperationNode {
    return aliasColumn(this.source, this.#column);
  }

  /** Criteria have reached into the subquery. */
  restrictedBy(): this {
    return this;
  }

  override reader(dialect: Dialect): ((raw: unknown) => unknown) | undefined {
    return this.of.reader(dialect);
  }
}
