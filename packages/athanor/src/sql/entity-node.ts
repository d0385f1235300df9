import {
  AliasNode,
  BinaryOperationNode,
  type ColumnNode,
  FromNode,
  IdentifierNode,
  JoinNode,
  type OperationNode,
  OperatorNode,
  QueryNode,
  SelectionNode,
  type SelectQueryNode,
  ValueListNode,
  ValueNode,
  WhereNode,
} from "kysely";
import type { EntityColumns } from "../mapping/entity-columns.ts";
import type { ColumnProperty, Mapper } from "../mapping/mapper.ts";
import type { Table } from "../mapping/table.ts";
import { columnNode, tableNode } from "./table-node.ts";

/** Whether every row of one table is of the class, and has all that is read of it, so that the table can stand for it. */
export function isPlainEntity({ mapper, tables }: EntityColumns): boolean {
  return tables.length === 1 && sharedTableIdentities(mapper) === undefined;
}

/**
 * The names of selected columns. Two columns of one name, from two tables of a hierarchy, get different ones: drivers that return objects would lose one.
 */
export function selectedNames(properties: readonly ColumnProperty[]): readonly string[] {
  const names = new Set<string>();
  for (const { source } of properties) {
    let { name } = source.column;
    while (names.has(name)) name = `${source.table.name}_${name}`;
    names.add(name);
  }
  return [...names];
}

/**
 * SELECT … FROM the tables of a class, and only the rows that are of it where it shares a table.
 *
 * @param properties those of its columns that are selected
 */
export function entityNode(
  { mapper, subclassTables, properties: all }: EntityColumns,
  properties: readonly ColumnProperty[] = all,
  beside: readonly Table[] = [],
): SelectQueryNode {
  const names = selectedNames(properties);
  const selections = properties.map(({ source }, index) => {
    const column = columnNode(source.table, source.column.name);
    const name = names[index] as string;
    const selected = name === source.column.name ? column : AliasNode.create(column, IdentifierNode.create(name));
    return SelectionNode.create(selected as ColumnNode);
  });
  const [root, ...joined] = mapper.tables;
  let node: SelectQueryNode = {
    kind: "SelectQueryNode",
    from: FromNode.create([tableNode(root as Table)]),
    selections,
  };
  for (const table of joined)
    node = QueryNode.cloneWithJoin(
      node,
      JoinNode.createWithOn("InnerJoin", tableNode(table), joinCondition(mapper, table)),
    );
  for (const { table, mapper: subclass } of subclassTables)
    node = QueryNode.cloneWithJoin(
      node,
      JoinNode.createWithOn("LeftJoin", tableNode(table), joinCondition(subclass, table)),
    );
  // Not by a comma: what is joined behind that does not see the tables before it.
  for (const table of beside) node = QueryNode.cloneWithJoin(node, JoinNode.create("CrossJoin", tableNode(table)));
  const isOfClass = identityCondition(mapper);
  if (isOfClass !== undefined) node = { ...node, where: WhereNode.create(isOfClass) };
  return node;
}

/** The subclass's key is its parent's. */
function joinCondition(mapper: Mapper, table: Mapper["table"]): OperationNode {
  const conditions = mapper.primaryKey.map(({ source, stored }) => {
    const own = stored.find((place) => place.table === table)?.column.name ?? source.column.name;
    return BinaryOperationNode.create(
      columnNode(table, own),
      OperatorNode.create("="),
      columnNode(source.table, source.column.name),
    );
  });
  return conditions.reduce((left, right) => ({ kind: "AndNode", left, right }) as never);
}

/** What holds for the rows of this class alone, where its table holds rows of others too. */
export function identityCondition(mapper: Mapper): OperationNode | undefined {
  const identities = sharedTableIdentities(mapper);
  if (identities === undefined || mapper.polymorphicOn === undefined) return undefined;
  const { source } = mapper.polymorphicOn;
  const list = ValueListNode.create(identities.map((identity) => ValueNode.createImmediate(identity)));
  return BinaryOperationNode.create(columnNode(source.table, source.column.name), OperatorNode.create("in"), list);
}

/** The identities whose rows are of this class, where its table holds rows of others too. */
function sharedTableIdentities(mapper: Mapper): readonly string[] | undefined {
  if (mapper.declaration.hasOwnTable) return undefined;
  const { declaration } = mapper;
  return [...declaration.identities].filter(([, each]) => each.isA(declaration)).map(([identity]) => identity);
}
