import {
  BinaryOperationNode,
  FromNode,
  type OperationNode,
  OperatorNode,
  OrNode,
  ParensNode,
  QueryNode,
  RawNode,
  SelectionNode,
  type SelectQueryNode,
  UnaryOperationNode,
  ValueListNode,
  ValueNode,
} from "kysely";
import { type ColumnProperty, type Mapper, mapperOfState } from "../mapping/mapper.ts";
import { derivedName, EntityAlias, isWholeTable, statementSource } from "./entity-alias.ts";
import type { EvaluationScope, Evaluator } from "./evaluate.ts";
import { Predicate } from "./conditions.ts";
import { conditionNode, type Expression, type Restriction } from "./expression.ts";
import { allOf } from "./related-rows.ts";
import type { Structure } from "./structure.ts";

/** Makes a condition for a class where it stands under its own name or another one. */
export type ConditionMaker = (mapper: Mapper, alias?: EntityAlias) => Expression<boolean>;

/**
 * A condition that the rows of a subclass must fulfil, for a statement that reads a class above it: rows of other classes fulfil it in any case. Where the subclass's
 * columns are in the same rows, it is asked of those; else of the subclass's row with the same key.
 */
export class SubclassCondition extends Predicate {
  readonly #parent: Mapper;
  readonly #from: EntityAlias | undefined;
  readonly #subclass: Mapper;
  /** Of the subclass's row with the same key, where it stands apart. */
  readonly #apart: EntityAlias | undefined;
  readonly #condition: Expression<boolean>;
  readonly #make: ConditionMaker;

  constructor(
    parent: Mapper,
    from: EntityAlias | undefined,
    subclass: Mapper,
    make: ConditionMaker,
    condition?: Expression<boolean>,
  ) {
    super();
    this.#parent = parent;
    this.#from = from;
    this.#subclass = subclass;
    this.#make = make;
    const name = from?.name ?? parent.table.name;
    const isInSameRows =
      subclass.tables.every((table) => parent.tables.includes(table)) && (from === undefined || isWholeTable(from));
    this.#apart = isInSameRows
      ? undefined
      : new EntityAlias(subclass, derivedName(name, `as_${subclass.polymorphicIdentity}`));
    const here = from === undefined ? undefined : new EntityAlias(subclass, from.name);
    this.#condition = condition ?? make(subclass, this.#apart ?? here);
  }

  structure(into: Structure): void {
    const { declaration, serial } = this.#subclass;
    into.add(`(${serial}:${declaration.identities.size} of ${this.#from?.name ?? ""} `);
    this.#condition.structure(into);
    into.add(")");
  }

  toOperationNode(keepBinds = false): OperationNode {
    const condition = conditionNode(this.#condition, keepBinds);
    const holds = this.#apart === undefined ? condition : this.#existsNode(this.#apart, condition);
    return ParensNode.create(OrNode.create(this.#isOtherNode(), holds));
  }

  override restrictedBy(restriction: Restriction): Expression<boolean> {
    const condition = this.#condition.restrictedBy(restriction);
    return new SubclassCondition(this.#parent, this.#from, this.#subclass, this.#make, condition);
  }

  override evaluator(scope: EvaluationScope): Evaluator {
    const holds = this.#make(this.#subclass).evaluator({ ...scope, mapper: this.#subclass });
    return (state) => !mapperOfState(state).isA(this.#subclass) || holds(state);
  }

  /** The discriminator names none of the subclass and of those below it. */
  #isOtherNode(): OperationNode {
    const { declaration } = this.#subclass;
    const identities = [...declaration.identities].filter(([, each]) => each.isA(declaration));
    return BinaryOperationNode.create(
      this.#column(this.#parent.polymorphicOn as ColumnProperty),
      OperatorNode.create("not in"),
      ValueListNode.create(identities.map(([identity]) => ValueNode.createImmediate(identity))),
    );
  }

  #existsNode(row: EntityAlias, condition: OperationNode): OperationNode {
    const isSameKey = allOf(
      this.#parent.primaryKey.map((property, index) =>
        BinaryOperationNode.create(
          row.column(this.#subclass.primaryKey[index] as ColumnProperty),
          OperatorNode.create("="),
          this.#column(property),
        ),
      ),
    );
    const node: SelectQueryNode = {
      kind: "SelectQueryNode",
      from: FromNode.create([row.sourceNode()]),
      selections: [SelectionNode.create(RawNode.createWithSql("1") as never)],
    };
    const found = QueryNode.cloneWithWhere(QueryNode.cloneWithWhere(node, isSameKey), condition);
    return UnaryOperationNode.create(OperatorNode.create("exists"), found);
  }

  #column(property: ColumnProperty): OperationNode {
    return (this.#from ?? statementSource).column(property);
  }
}
