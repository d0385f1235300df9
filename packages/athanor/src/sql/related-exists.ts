import {
  FromNode,
  type OperationNode,
  QueryNode,
  RawNode,
  SelectionNode,
  type SelectQueryNode,
  UnaryOperationNode,
  OperatorNode,
  JoinNode,
} from "kysely";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import { type EntityAlias, type NamedSource, statementSource } from "./entity-alias.ts";
import { conjunction, Predicate } from "./conditions.ts";
import { conditionNode, type Expression, type Restriction } from "./expression.ts";
import { relatedSources } from "./related-rows.ts";
import type { Structure } from "./structure.ts";

/** Whether there is a related row that fulfils a condition: what `any` and `has` of a relationship's attribute make. */
export class RelatedExists extends Predicate {
  readonly #property: RelationshipProperty;
  readonly #from: NamedSource;
  readonly #to: EntityAlias;
  readonly #condition: Expression<boolean> | undefined;

  constructor(
    property: RelationshipProperty,
    from: NamedSource,
    to: EntityAlias,
    condition: Expression<boolean> | undefined,
  ) {
    super();
    this.#property = property;
    this.#from = from;
    this.#to = to;
    this.#condition = condition;
  }

  structure(into: Structure): void {
    into.add(`exists(${this.#property.parent.serial}.${this.#property.key} of ${this.#from.place} is`);
    this.#to.structure(into);
    if (this.#condition !== undefined) this.#condition.structure(into.add(" where "));
    into.add(")");
  }

  toOperationNode(keepBinds = false): OperationNode {
    const [first, ...joined] = relatedSources(this.#property, this.#from, this.#to).toReversed();
    // From the related class back to where it is asked from: the condition that leads out of the subquery is the last one's.
    let node: SelectQueryNode = {
      kind: "SelectQueryNode",
      from: FromNode.create([first?.node as OperationNode]),
      selections: [SelectionNode.create(RawNode.createWithSql("1") as never)],
    };
    let on = first?.on as OperationNode;
    for (const source of joined) {
      node = QueryNode.cloneWithJoin(node, JoinNode.createWithOn("InnerJoin", source.node, on));
      ({ on } = source);
    }
    node = QueryNode.cloneWithWhere(node, on);
    if (this.#condition !== undefined) node = QueryNode.cloneWithWhere(node, conditionNode(this.#condition, keepBinds));
    return UnaryOperationNode.create(OperatorNode.create("exists"), node);
  }

  override restrictedBy(restriction: Restriction): Expression<boolean> {
    const own = this.#condition?.restrictedBy(restriction);
    const hidden = restriction(this.#to.mapper, this.#to);
    const condition = hidden === undefined ? own : conjunction(own, hidden);
    const { moved } = restriction;
    const isMoved = this.#from === statementSource && moved?.mapper?.isA(this.#property.parent) === true;
    const from = (isMoved ? moved.alias : undefined) ?? this.#from;
    return new RelatedExists(this.#property, from, this.#to, condition);
  }
}
