import {
  BinaryOperationNode,
  ColumnNode,
  ColumnUpdateNode,
  createQueryId,
  DeleteQueryNode,
  InsertQueryNode,
  type OperationNode,
  OperatorNode,
  PrimitiveValueListNode,
  QueryNode,
  ReturningNode,
  SelectionNode,
  UpdateQueryNode,
  ValueNode,
  ValuesNode,
} from "kysely";
import type { Dialect } from "../engine/dialect.ts";
import type { Table } from "../mapping/table.ts";
import { tableNode } from "./table-node.ts";

/** INSERT of so many rows. Its parameters are the rows' values, row by row, in the order of the columns. */
export function insertText(
  dialect: Dialect,
  table: Table,
  columns: readonly string[],
  rowCount: number,
  returning: readonly string[],
): string {
  const into = InsertQueryNode.create(tableNode(table));
  const row = PrimitiveValueListNode.create(columns.map(() => null));
  const node =
    columns.length === 0
      ? InsertQueryNode.cloneWith(into, { defaultValues: true })
      : InsertQueryNode.cloneWith(into, {
          columns: columns.map((name) => ColumnNode.create(name)),
          values: ValuesNode.create(Array.from({ length: rowCount }, () => row)),
        });
  return text(dialect, withReturning(node, returning));
}

/** UPDATE of one row. Its parameters are the new values, then those that find the row. */
export function updateText(
  dialect: Dialect,
  table: Table,
  columns: readonly string[],
  where: readonly string[],
  returning: readonly string[],
): string {
  const node = UpdateQueryNode.cloneWithUpdates(
    UpdateQueryNode.create([tableNode(table)]),
    columns.map((name) => ColumnUpdateNode.create(ColumnNode.create(name), ValueNode.create(null))),
  );
  return text(dialect, withReturning(withWhere(node, where), returning));
}

/** DELETE of one row. Its parameters find the row. */
export function deleteText(dialect: Dialect, table: Table, where: readonly string[]): string {
  return text(dialect, withWhere(DeleteQueryNode.create([tableNode(table)]), where));
}

/** DELETE of so many rows by one column. Its parameters are the values of that column. */
export function deleteManyText(dialect: Dialect, table: Table, column: string, rowCount: number): string {
  const values = PrimitiveValueListNode.create(Array.from({ length: rowCount }, () => null));
  const isOne = BinaryOperationNode.create(ColumnNode.create(column), OperatorNode.create("in"), values);
  return text(dialect, QueryNode.cloneWithWhere(DeleteQueryNode.create([tableNode(table)]), isOne));
}

function withWhere<TNode extends UpdateQueryNode | DeleteQueryNode>(node: TNode, columns: readonly string[]): TNode {
  return columns.reduce<TNode>(
    (query, name) =>
      QueryNode.cloneWithWhere(
        query,
        BinaryOperationNode.create(ColumnNode.create(name), OperatorNode.create("="), ValueNode.create(null)),
      ) as TNode,
    node,
  );
}

function withReturning<TNode extends InsertQueryNode | UpdateQueryNode>(
  node: TNode,
  columns: readonly string[],
): TNode {
  if (columns.length === 0) return node;
  return {
    ...node,
    returning: ReturningNode.create(columns.map((name) => SelectionNode.create(ColumnNode.create(name)))),
  };
}

function text(dialect: Dialect, node: OperationNode): string {
  return dialect.compiler.compileQuery(node as InsertQueryNode, createQueryId()).sql;
}
