import {
  ColumnNode,
  FromNode,
  GroupByItemNode,
  LimitNode,
  OffsetNode,
  type OperationNode,
  OrderByItemNode,
  QueryNode,
  RawNode,
  ReferenceNode,
  SelectModifierNode,
  SelectQueryNode,
  TableNode,
} from "kysely";
import type { ColumnProperty } from "../mapping/mapper.ts";
import { rootSource } from "./entity-alias.ts";
import { entityNode, selectedNames } from "./entity-node.ts";
import { conditionNode, type Expression } from "./expression.ts";
import { Ordering } from "./ordering.ts";
import type { LockOptions } from "./select-parts.ts";
import type { Select } from "./select.ts";
import type { SelectSource } from "./select-source.ts";
import type { SelectedColumns } from "./selected-columns.ts";
import { aliased, linkName, ordered, withColumns, withJoins } from "./select-query.ts";
import { joinedToClosed } from "./closed-select.ts";
import { bindNode } from "./structure.ts";

/** Some databases take no OFFSET without a LIMIT, and none has more rows. */
const everything = RawNode.createWithSql("9223372036854775807");

/**
 * The node of a SELECT, that Kysely compiles.
 *
 * @param keepBinds values stay where a later execution puts in others; without, as for Kysely, they stand for themselves
 * @param locks whether the database locks rows, and the statement may
 */
export function selectNode(select: Select<unknown, any, any>, keepBinds: boolean, locks = false): SelectQueryNode {
  const { parts } = select;
  const { joins = [], links } = parts;
  const orderings = parts.orderBy.map((ordering) => orderNode(ordering, parts.selected, keepBinds));
  const root = rootSource(parts);
  let node = rootNode(select, parts.selected === undefined ? select.properties : [], keepBinds);
  const { selected, groupBy = [] } = parts;
  if (selected !== undefined) node = withColumns(node, selected.selectionNodes(keepBinds));
  if (parts.isDistinct === true) node = { ...node, frontModifiers: [SelectModifierNode.create("Distinct")] };
  for (const source of parts.sources ?? []) node = withJoins(node, source.joinNodes(keepBinds));
  if (parts.where !== undefined) node = QueryNode.cloneWithWhere(node, conditionNode(parts.where, keepBinds));
  if (groupBy.length > 0) {
    const items = groupBy.map((grouped) => GroupByItemNode.create(byNode(grouped, selected, keepBinds) as never));
    node = SelectQueryNode.cloneWithGroupByItems(node, items);
  }
  if (parts.having !== undefined) node = SelectQueryNode.cloneWithHaving(node, conditionNode(parts.having, keepBinds));
  if (locks && parts.lock !== undefined) node = { ...node, endModifiers: lockNodes(select, parts.lock) };
  // A limit counts what was asked for, and so do groups; joined rows must not come into it.
  const isClosed = parts.limit !== undefined || parts.offset !== undefined || groupBy.length > 0;
  node = withColumns(
    node,
    (links ?? []).map((link, index) => aliased(link.toOperationNode(), linkName(index))),
  );
  if (isClosed && joins.some(({ isGiven }) => !isGiven)) {
    node = withColumns(
      node,
      joins.filter(({ isGiven }) => isGiven).flatMap((join) => join.selectionNodes()),
    );
    return joinedToClosed(select, limited(node, parts, orderings, keepBinds), orderings);
  }
  node = withColumns(
    node,
    joins.flatMap((join) => join.selectionNodes()),
  );
  for (const join of joins) node = withJoins(node, join.joinNodes(join.parent ?? root, keepBinds));
  const eager = joins.flatMap((join) => join.orderNodes()).map((by) => OrderByItemNode.create(by));
  return limited(node, parts, [...orderings, ...eager], keepBinds);
}

/** What rows are grouped or ordered by: the column that is the same, or it itself. */
function byNode(by: Expression<unknown>, selected: SelectedColumns | undefined, keepBinds: boolean): OperationNode {
  const name = selected?.nameOf(by);
  return name === undefined ? by.toOperationNode(keepBinds) : ReferenceNode.create(ColumnNode.create(name));
}

function orderNode(
  ordering: Expression<unknown>,
  selected: SelectedColumns | undefined,
  keepBinds: boolean,
): OrderByItemNode {
  if (ordering instanceof Ordering) return ordering.nodeOf(byNode(ordering.ordered, selected, keepBinds));
  const item = byNode(ordering, selected, keepBinds);
  return OrderByItemNode.is(item) ? item : OrderByItemNode.create(item);
}

/** Of the selected class, and of the others in its rows: rows that an outer join may lack cannot be locked. */
function lockNodes(select: Select<unknown, any, any>, { strength, locked }: LockOptions): SelectModifierNode[] {
  const { sources = [], selected, alias, derived } = select.parts;
  const named = alias ?? derived;
  // The tables of subclasses that are read along are joined by outer joins.
  const root = named === undefined ? select.mapper.tables.map(({ name }) => name) : [named.name];
  const isInRows = ({ parts: { isOuter, rows } }: SelectSource): boolean =>
    !isOuter && selected?.entities.some(({ alias }) => alias?.name === rows.name) === true;
  const own = [...root, ...sources.filter(isInRows).map(({ parts }) => parts.rows.name)];
  const nodes = [
    SelectModifierNode.create(
      strength === "share" ? "ForShare" : "ForUpdate",
      own.map((name) => TableNode.create(name)),
    ),
  ];
  if (locked === "fail") nodes.push(SelectModifierNode.create("NoWait"));
  if (locked === "skip") nodes.push(SelectModifierNode.create("SkipLocked"));
  return nodes;
}

/** The class of a statement, under its own name or another one, or what it reads instead. */
function rootNode(
  { entityColumns, parts }: Select<unknown, any, any>,
  properties: readonly ColumnProperty[],
  keepBinds: boolean,
): SelectQueryNode {
  const { alias, derived } = parts;
  if (derived !== undefined)
    return { kind: "SelectQueryNode", from: FromNode.create([derived.sourceNode(keepBinds)]) } as SelectQueryNode;
  if (alias === undefined) return entityNode(entityColumns, properties, parts.from);
  const names = selectedNames(properties);
  const node: SelectQueryNode = { kind: "SelectQueryNode", from: FromNode.create([alias.sourceNode(keepBinds)]) };
  return withColumns(
    node,
    properties.map((property, index) => aliased(alias.column(property), names[index] as string)),
  );
}

function limited(
  given: SelectQueryNode,
  { limit, offset }: Select<unknown>["parts"],
  orderings: readonly OrderByItemNode[],
  keepBinds: boolean,
): SelectQueryNode {
  let node = ordered(given, orderings);
  if (limit === undefined && offset !== undefined)
    node = SelectQueryNode.cloneWithLimit(node, LimitNode.create(everything));
  if (limit !== undefined) node = SelectQueryNode.cloneWithLimit(node, LimitNode.create(bindNode(limit, keepBinds)));
  if (offset !== undefined)
    node = SelectQueryNode.cloneWithOffset(node, OffsetNode.create(bindNode(offset, keepBinds)));
  return node;
}
