import { AliasNode, IdentifierNode, JoinNode, type OperationNode, SelectionNode } from "kysely";
import type { ColumnProperty } from "../mapping/mapper.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import type { EntityAlias, NamedSource } from "./entity-alias.ts";
import { selectedNames } from "./entity-node.ts";
import { conditionNode, type Expression } from "./expression.ts";
import { allOf, relatedSources } from "./related-rows.ts";
import type { Structure } from "./structure.ts";
import { structureWithout } from "./structure-without.ts";

/**
 * Related rows that a statement reads beside those of its own class: a LEFT OUTER JOIN under a name of its own, so that it neither hides rows nor
 * collides with what the statement says of the same tables.
 */
export class EagerJoin {
  /** Whether the statement has the join itself. */
  readonly isGiven: boolean = false;
  readonly property: RelationshipProperty;
  /** What the rows are related to; undefined: the class of the statement. */
  readonly parent: EntityAlias | undefined;
  readonly alias: EntityAlias;
  /** What related rows must fulfil. A parent none of whose rows does is found all the same. */
  readonly condition: Expression<boolean> | undefined;
  /** Columns of the related class that the rows are without. */
  without: ReadonlySet<ColumnProperty> | undefined = undefined;

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
    alias.structure(into.add(" eager"));
    into.add(` = ${property.parent.serial}.${property.key} of ${parent?.place ?? ""}`);
    if (this.condition !== undefined) this.condition.structure(into.add(" on "));
    if (this.without !== undefined) structureWithout(this.without, into);
  }

  /** The columns that the rows have of the related class. */
  get properties(): readonly ColumnProperty[] {
    const { without } = this;
    const { properties } = this.alias.columns;
    return without === undefined ? properties : properties.filter((column) => !without.has(column));
  }

  /** All that is read of the related rows. */
  selectionNodes(): readonly SelectionNode[] {
    const names = this.selectedNames();
    return this.properties.map((property, index) =>
      SelectionNode.create(
        AliasNode.create(this.alias.column(property), IdentifierNode.create(names[index] as string)),
      ),
    );
  }

  /** The names of its columns. */
  selectedNames(): readonly string[] {
    return selectedNames(this.properties).map((name) => `${this.alias.name}_${name}`);
  }

  /** @param parent where the columns are of what the rows are related to */
  joinNodes(parent: NamedSource, keepBinds: boolean): readonly JoinNode[] {
    // A row between whose other end is missing, or must not be seen, reads as no related row.
    const sources = relatedSources(this.property, parent, this.alias);
    return sources.map(({ node, on }, index) => {
      const isLast = index === sources.length - 1;
      const own = isLast && this.condition !== undefined ? [conditionNode(this.condition, keepBinds)] : [];
      return JoinNode.createWithOn("LeftJoin", node, allOf([on, ...own]));
    });
  }

  /** By what the related rows of one parent are ordered. */
  orderNodes(): readonly OperationNode[] {
    return this.property.orderBy.map((by) => this.alias.column(by));
  }
}
