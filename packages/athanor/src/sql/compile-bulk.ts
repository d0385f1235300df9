import {
  ColumnNode,
  ColumnUpdateNode,
  DeleteQueryNode,
  QueryNode,
  ReturningNode,
  SelectionNode,
  UpdateQueryNode,
} from "kysely";
import type { Dialect } from "../engine/dialect.ts";
import type { Mapper } from "../mapping/mapper.ts";
import type { Table, TableColumn } from "../mapping/table.ts";
import { tableNode } from "./table-node.ts";
import { compileCached } from "./compile.ts";
import { identityCondition } from "./entity-node.ts";
import { conditionNode, type Expression } from "./expression.ts";
import type { SelectedColumns } from "./selected-columns.ts";
import { Structure } from "./structure.ts";

/** What an UPDATE or DELETE does to one table of a class. */
export interface RowChange {
  readonly mapper: Mapper;
  readonly table: Table;
  /** The new values of an UPDATE; a DELETE has none. */
  readonly values: ReadonlyMap<TableColumn, Expression<unknown>> | undefined;
  readonly where: Expression<boolean> | undefined;
  /** The columns that it answers with, for each row that it touched. */
  readonly returning: readonly TableColumn[];
  /** What it answers with behind them. */
  readonly selected?: SelectedColumns | undefined;
}

/** The text of an UPDATE or DELETE, kept by its structure, and the parameters for this very one. */
export function compileRowChange(
  change: RowChange,
  dialect: Dialect,
  given: Readonly<Record<string, unknown>> | undefined,
): { readonly sql: string; readonly parameters: unknown[] } {
  return compileCached(structureOf(change), () => rowChangeNode(change), dialect, given);
}

function structureOf({ mapper, table, values, where, returning, selected }: RowChange): Structure {
  const into = new Structure();
  // Nothing is around it, and a subquery of the same class would compare with itself, here too.
  into.enter({ sourceNames: mapper.tables.map(({ name }) => name), expectOtherNames: () => {} });
  // Classes that are declared later may share the table, and the condition names all of them.
  into.add(`${values === undefined ? "delete" : "update"} ${mapper.serial}:${mapper.declaration.identities.size} `);
  into.add(table.fullName);
  for (const [column, value] of values ?? []) value.structure(into.add(` set ${column.name} = `));
  if (where !== undefined) where.structure(into.add(" where "));
  into.add(` returning ${returning.map(({ name }) => name).join(",")}`);
  selected?.structure(into);
  return into;
}

function rowChangeNode({
  mapper,
  table,
  values,
  where,
  returning,
  selected,
}: RowChange): UpdateQueryNode | DeleteQueryNode {
  const updates = [...(values ?? [])].map(([column, value]) =>
    ColumnUpdateNode.create(ColumnNode.create(column.name), value.toOperationNode(true)),
  );
  let node: UpdateQueryNode | DeleteQueryNode =
    values === undefined
      ? DeleteQueryNode.create([tableNode(table)])
      : UpdateQueryNode.cloneWithUpdates(UpdateQueryNode.create([tableNode(table)]), updates);
  // Of a class in several tables the rows are chosen by their keys.
  const isOfClass = table === mapper.table && mapper.tables.length === 1 ? identityCondition(mapper) : undefined;
  if (isOfClass !== undefined) node = QueryNode.cloneWithWhere(node, isOfClass);
  if (where !== undefined) node = QueryNode.cloneWithWhere(node, conditionNode(where, true));
  const returned = [
    ...returning.map(({ name }) => SelectionNode.create(ColumnNode.create(name))),
    ...(selected?.selectionNodes(true) ?? []),
  ];
  return returned.length === 0 ? node : { ...node, returning: ReturningNode.create(returned) };
}
