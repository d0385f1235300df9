import {
  AliasNode,
  AndNode,
  BinaryOperationNode,
  IdentifierNode,
  type OperationNode,
  OperatorNode,
  QueryNode,
  SelectionNode,
} from "kysely";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import { aliasColumn, type EntityAlias, type NamedSource } from "./entity-alias.ts";
import { entityNode } from "./entity-node.ts";
import { columnNode, tableNode } from "./table-node.ts";

/** What has to be read to get from the rows of a class to related ones, and what ties each part to those before it. */
export interface RelatedSource {
  readonly node: OperationNode;
  readonly on: OperationNode;
}

/** The sources of related rows: the class at the other end, and before it the table between where there is one. */
export function relatedSources(
  property: RelationshipProperty,
  from: NamedSource,
  to: EntityAlias,
): readonly RelatedSource[] {
  const { secondary } = property;
  if (secondary === undefined) {
    const pairs = property.pairs.map(({ local, remote }) => equal(from.column(local), to.column(remote)));
    return [{ node: to.sourceNode(), on: allOf(pairs) }];
  }
  const between = `${to.name}_between`;
  return [
    {
      node: AliasNode.create(tableNode(secondary.table), IdentifierNode.create(between)),
      on: allOf(
        secondary.parent.map(({ column, property: local }) =>
          equal(from.column(local), aliasColumn(between, column.name)),
        ),
      ),
    },
    {
      node: to.sourceNode(),
      on: allOf(
        secondary.target.map(({ column, property: remote }) =>
          equal(to.column(remote), aliasColumn(between, column.name)),
        ),
      ),
    },
  ];
}

/**
 * The rows behind a table between as one source, for an outer join: with two, a row between whose other end must not be seen would still be there.
 */
export function outerRelatedSource(property: RelationshipProperty, from: NamedSource, to: EntityAlias): RelatedSource {
  const secondary = property.secondary as NonNullable<RelationshipProperty["secondary"]>;
  const linked = secondary.target.map(({ column, property: remote }) =>
    equal(columnNode(remote.source.table, remote.source.column.name), columnNode(secondary.table, column.name)),
  );
  const links = secondary.parent.map(({ column }, index) =>
    SelectionNode.create(
      AliasNode.create(columnNode(secondary.table, column.name), IdentifierNode.create(`between_${index + 1}`)),
    ),
  );
  const rows = entityNode(to.columns, to.columns.properties, [secondary.table]);
  const node = QueryNode.cloneWithWhere({ ...rows, selections: [...(rows.selections ?? []), ...links] }, allOf(linked));
  const pairs = secondary.parent.map(({ property: local }, index) =>
    equal(from.column(local), aliasColumn(to.name, `between_${index + 1}`)),
  );
  return { node: AliasNode.create(node, IdentifierNode.create(to.name)), on: allOf(pairs) };
}

/** All of these; there is at least one. */
export function allOf(conditions: readonly OperationNode[]): OperationNode {
  return conditions.reduce((left, right) => AndNode.create(left, right));
}

function equal(left: OperationNode, right: OperationNode): OperationNode {
  return BinaryOperationNode.create(left, OperatorNode.create("="), right);
}
