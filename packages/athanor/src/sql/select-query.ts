import {
  AliasNode,
  IdentifierNode,
  type JoinNode,
  type OperationNode,
  type OrderByItemNode,
  OrderByNode,
  SelectionNode,
  type SelectQueryNode,
} from "kysely";

// What Kysely's nodes of a SELECT are put together with.

/** The name of a column that says what a row is related to. */
export function linkName(index: number): string {
  return `link_${index + 1}`;
}

export function aliased(node: OperationNode, name: string): SelectionNode {
  return SelectionNode.create(AliasNode.create(node, IdentifierNode.create(name)));
}

export function withColumns(node: SelectQueryNode, selections: readonly SelectionNode[]): SelectQueryNode {
  return selections.length === 0 ? node : { ...node, selections: [...(node.selections ?? []), ...selections] };
}

export function withJoins(node: SelectQueryNode, joins: readonly JoinNode[]): SelectQueryNode {
  return { ...node, joins: [...(node.joins ?? []), ...joins] };
}

export function ordered(node: SelectQueryNode, orderings: readonly OrderByItemNode[]): SelectQueryNode {
  return orderings.length === 0 ? node : { ...node, orderBy: OrderByNode.create(orderings) };
}
