import type { OperationNode } from "kysely";
import type { ColumnType } from "../mapping/column-type.ts";
import type { Table, TableColumn } from "../mapping/table.ts";
import { columnNode } from "./table-node.ts";
import { ComparableExpression } from "./comparable-expression.ts";
import type { Structure } from "./structure.ts";

/** A column of a table, where no attribute stands for it: of a table between, or of a key. */
export class ColumnExpression extends ComparableExpression<unknown> {
  readonly #table: Table;
  readonly #column: TableColumn;

  constructor(table: Table, column: TableColumn) {
    super();
    this.#table = table;
    this.#column = column;
  }

  get label(): string {
    return `${this.#table.fullName}.${this.#column.name}`;
  }

  get columnType(): ColumnType {
    return this.#column.type;
  }

  structure(into: Structure): void {
    into.add(this.label);
  }

  restrictedBy(): this {
    return this;
  }

  toOperationNode(): OperationNode {
    return columnNode(this.#table, this.#column.name);
  }
}
