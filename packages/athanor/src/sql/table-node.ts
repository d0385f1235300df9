import { ColumnNode, type OperationNode, ReferenceNode, SchemableIdentifierNode, TableNode } from "kysely";
import type { Table } from "../mapping/table.ts";

/** A column with its table in front: `"users"."email"`. */
export function columnNode(table: Table, column: string): OperationNode {
  return ReferenceNode.create(ColumnNode.create(column), tableNode(table));
}

/** A table, with its schema where it has one. */
export function tableNode(table: Table): TableNode {
  return table.schema === undefined
    ? TableNode.create(table.name)
    : { kind: "TableNode", table: SchemableIdentifierNode.createWithSchema(table.schema, table.name) };
}
