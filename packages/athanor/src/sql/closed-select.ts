import {
  AliasNode,
  ColumnNode,
  FromNode,
  IdentifierNode,
  OrderByItemNode,
  ReferenceNode,
  SelectionNode,
  type SelectQueryNode,
} from "kysely";
import type { EntityColumns } from "../mapping/entity-columns.ts";
import type { ColumnProperty } from "../mapping/mapper.ts";
import { aliasColumn, type EntityAlias, type NamedSource } from "./entity-alias.ts";
import { selectedNames } from "./entity-node.ts";
import type { Select } from "./select.ts";
import { aliased, linkName, ordered, withColumns, withJoins } from "./select-query.ts";
import { columnName } from "./selected-columns.ts";
import { SelectedEntity } from "./selected-entity.ts";

/** The name of a statement that stands as a subquery of what is joined to it. */
const CLOSED = "limited";

/** A statement with a limit, or with groups, as a subquery, and the related rows joined to what it finds. */
export function joinedToClosed(
  select: Select<unknown, any, any>,
  inner: SelectQueryNode,
  orderings: readonly OrderByItemNode[],
): SelectQueryNode {
  const { joins = [], links = [] } = select.parts;
  // The order of what was found is that of the whole: what it was ordered by goes along as columns.
  const keys = orderings.map((item, index) => ({ item, name: columnNamed(item) ?? `order_${index + 1}` }));
  const found = withColumns(
    inner,
    keys.flatMap(({ item, name }) => (columnNamed(item) === undefined ? aliased(item.orderBy, name) : [])),
  );
  let node: SelectQueryNode = {
    kind: "SelectQueryNode",
    from: FromNode.create([AliasNode.create(found, IdentifierNode.create(CLOSED))]),
    selections: [...ownNames(select), ...links.map((_, index) => linkName(index))].map(closedColumn),
  };
  node = withColumns(
    node,
    joins.flatMap((join) => (join.isGiven ? join.selectedNames().map(closedColumn) : join.selectionNodes())),
  );
  for (const join of joins) node = withJoins(node, join.joinNodes(sourceWithin(select, join.parent), true));
  const eager = joins.flatMap((join) => join.orderNodes()).map((by) => OrderByItemNode.create(by));
  return ordered(node, [...keys.map(({ item, name }) => ({ ...item, orderBy: aliasColumn(CLOSED, name) })), ...eager]);
}

function closedColumn(name: string): SelectionNode {
  return SelectionNode.create(aliasColumn(CLOSED, name) as ColumnNode);
}

/** The column that is ordered by, where it is named as one of those that the statement selects. */
function columnNamed({ orderBy }: OrderByItemNode): string | undefined {
  const isNamed = ReferenceNode.is(orderBy) && orderBy.table === undefined && ColumnNode.is(orderBy.column);
  return isNamed ? (orderBy.column as ColumnNode).column.name : undefined;
}

/** The names of what a statement finds, in its order. */
function ownNames({ properties, parts: { selected } }: Select<unknown, any, any>): readonly string[] {
  return selected === undefined
    ? selectedNames(properties)
    : selected.items.flatMap((item, index) =>
        item instanceof SelectedEntity ? item.names(columnName(index)) : [columnName(index)],
      );
}

/** Where the columns of an entity of such a statement are; what is joined to it keeps its own name. */
function sourceWithin(select: Select<unknown, any, any>, parent: EntityAlias | undefined): NamedSource {
  const { entityColumns, properties, parts } = select;
  const given = (parts.joins ?? []).find(({ isGiven, alias }) => isGiven && alias === parent);
  if (given !== undefined) return within(given.alias.columns, given.properties, given.selectedNames());
  const items = parts.selected?.items ?? [];
  const index = items.findIndex((item) => item instanceof SelectedEntity && item.alias === parent);
  const item = items[index] as SelectedEntity | undefined;
  if (item !== undefined) return within(item.columns, item.properties, item.names(columnName(index)));
  if (parent !== undefined) return parent;
  return within(entityColumns, properties, selectedNames(properties));
}

/** @param properties the columns that the rows have, by these names */
function within(columns: EntityColumns, properties: readonly ColumnProperty[], names: readonly string[]): NamedSource {
  const found = new Map(properties.map((property, index) => [columns.indexOf(property), names[index] as string]));
  return {
    name: CLOSED,
    place: CLOSED,
    column: (property) => aliasColumn(CLOSED, found.get(columns.indexOf(property)) as string),
  };
}
