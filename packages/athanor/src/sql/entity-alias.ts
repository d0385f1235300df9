import {
  AliasNode,
  ColumnNode,
  IdentifierNode,
  type OperationNode,
  OperationNodeTransformer,
  ParensNode,
  QueryNode,
  ReferenceNode,
  TableNode,
} from "kysely";
import type { ColumnProperty, Mapper } from "../mapping/mapper.ts";
import type { Table } from "../mapping/table.ts";
import { tableNode } from "./attribute.ts";
import { entityNode, isPlainEntity, selectedNames } from "./entity-node.ts";
import type { Expression } from "./expression.ts";

/** A class, or a part of one statement, under a name of its own inside of another statement. */
export interface NamedSource {
  readonly name: string;
  /** One of its columns. */
  column(property: ColumnProperty): OperationNode;
}

/** A class that stands in a statement under a name of its own, because another one of its tables may be there already. */
export class EntityAlias implements NamedSource {
  readonly mapper: Mapper;
  readonly name: string;
  readonly #columns: readonly string[];

  constructor(mapper: Mapper, name: string) {
    this.mapper = mapper;
    this.name = name;
    this.#columns = selectedNames(mapper.columnProperties);
  }

  column({ slot, source }: ColumnProperty): OperationNode {
    const index = this.mapper.columnProperties.findIndex((property) => property.slot === slot);
    return aliasColumn(this.name, this.#columns[index] ?? source.column.name);
  }

  /** What is joined: the table, or a subquery where rows of several tables, or only some rows of one, make up the class. */
  sourceNode(condition: Expression<boolean> | undefined, keepBinds: boolean): OperationNode {
    const name = IdentifierNode.create(this.name);
    if (isPlainEntity(this.mapper)) return AliasNode.create(tableNode(this.mapper.table), name);
    const rows = entityNode(this.mapper, this.mapper.columnProperties);
    const kept =
      condition === undefined
        ? rows
        : QueryNode.cloneWithWhere(rows, ParensNode.create(condition.toOperationNode(keepBinds)));
    return AliasNode.create(kept, name);
  }

  /** A condition on the class, as one on what was joined; undefined where what is joined fulfils it already. */
  conditionNode(condition: Expression<boolean> | undefined, keepBinds: boolean): OperationNode | undefined {
    if (condition === undefined || !isPlainEntity(this.mapper)) return undefined;
    const node = ParensNode.create(condition.toOperationNode(keepBinds));
    return new Renaming(this.mapper.table, this.name).transformNode(node);
  }
}

/** A column of something that has a name in the statement. */
export function aliasColumn(alias: string, column: string): OperationNode {
  return ReferenceNode.create(ColumnNode.create(column), TableNode.create(alias));
}

/** Lets what names a table name an alias of it. */
class Renaming extends OperationNodeTransformer {
  readonly #table: Table;
  readonly #alias: string;

  constructor(table: Table, alias: string) {
    super();
    this.#table = table;
    this.#alias = alias;
  }

  protected override transformReference(node: ReferenceNode): ReferenceNode {
    const { column, table } = node;
    const named = table?.table;
    const isOwn = named?.identifier.name === this.#table.name && named.schema?.name === this.#table.schema;
    return isOwn && ColumnNode.is(column)
      ? ReferenceNode.create(column, TableNode.create(this.#alias))
      : super.transformReference(node);
  }
}
