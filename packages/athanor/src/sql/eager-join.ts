import {
  AliasNode,
  AndNode,
  BinaryOperationNode,
  IdentifierNode,
  JoinNode,
  type OperationNode,
  OperatorNode,
  SelectionNode,
} from "kysely";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import { tableNode } from "./attribute.ts";
import { aliasColumn, type EntityAlias, type NamedSource } from "./entity-alias.ts";
import { selectedNames } from "./entity-node.ts";
import type { Expression } from "./expression.ts";
import type { Structure } from "./structure.ts";

/**
 * Related rows that a statement reads beside those of its own class: a LEFT OUTER JOIN under a name of its own, so that it neither hides rows nor
 * collides with what the statement says of the same tables.
 */
export class EagerJoin {
  readonly property: RelationshipProperty;
  /** What the rows are related to; undefined: the class of the statement. */
  readonly parent: EntityAlias | undefined;
  readonly alias: EntityAlias;
  /** What related rows must fulfil. A parent none of whose rows does is found all the same. */
  readonly condition: Expression<boolean> | undefined;

  constructor(
    property: RelationshipProperty,
    parent: EntityAlias | undefined,
    alias: EntityAlias,
    condition: Expression<boolean> | undefined,
  ) {
    this.property = property;
    this.parent = parent;
    this.alias = alias;
    this.condition = condition;
  }

  structure(into: Structure): void {
    const { property, parent, alias } = this;
    into.add(` join ${alias.name} ${alias.mapper.serial}:${alias.mapper.declaration.identities.size}`);
    into.add(` as ${property.parent.serial}.${property.key} of ${parent?.name ?? ""}`);
    if (this.condition !== undefined) this.condition.structure(into.add(" on "));
  }

  /** Its columns, in the order of the attributes. */
  selectionNodes(): readonly SelectionNode[] {
    const { columnProperties } = this.alias.mapper;
    const names = selectedNames(columnProperties);
    return columnProperties.map((property, index) =>
      SelectionNode.create(
        AliasNode.create(this.alias.column(property), IdentifierNode.create(`${this.alias.name}_${names[index]}`)),
      ),
    );
  }

  /** @param root the class of the statement */
  joinNodes(root: NamedSource, keepBinds: boolean): readonly JoinNode[] {
    const { property, alias, condition } = this;
    const parent = this.parent ?? root;
    const source = alias.sourceNode(condition, keepBinds);
    const own = alias.conditionNode(condition, keepBinds);
    const { secondary } = property;
    if (secondary === undefined) {
      const pairs = property.pairs.map(({ local, remote }) => equal(parent.column(local), alias.column(remote)));
      return [JoinNode.createWithOn("LeftJoin", source, conjunctionNode(own === undefined ? pairs : [...pairs, own]))];
    }
    // A row between whose other end is missing, or must not be seen, reads as no related row.
    const between = `${alias.name}_between`;
    const toParent = secondary.parent.map(({ column, property: local }) =>
      equal(parent.column(local), aliasColumn(between, column.name)),
    );
    const toTarget = secondary.target.map(({ column, property: remote }) =>
      equal(alias.column(remote), aliasColumn(between, column.name)),
    );
    return [
      JoinNode.createWithOn(
        "LeftJoin",
        AliasNode.create(tableNode(secondary.table), IdentifierNode.create(between)),
        conjunctionNode(toParent),
      ),
      JoinNode.createWithOn("LeftJoin", source, conjunctionNode(own === undefined ? toTarget : [...toTarget, own])),
    ];
  }

  /** By what the related rows of one parent are ordered. */
  orderNodes(): readonly OperationNode[] {
    return this.property.orderBy.map((by) => this.alias.column(by));
  }
}

function equal(left: OperationNode, right: OperationNode): OperationNode {
  return BinaryOperationNode.create(left, OperatorNode.create("="), right);
}

function conjunctionNode(conditions: readonly OperationNode[]): OperationNode {
  return conditions.reduce((left, right) => AndNode.create(left, right));
}
