import { AliasNode, ColumnNode, IdentifierNode, type OperationNode, ReferenceNode, TableNode } from "kysely";
import type { ColumnProperty, Mapper } from "../mapping/mapper.ts";
import { entityNode, isPlainEntity, selectedNames } from "./entity-node.ts";
import { columnNode, tableNode } from "./table-node.ts";

/** A class, or a part of one statement, under a name of its own inside of another statement. */
export interface NamedSource {
  readonly name: string;
  /** One of its columns. */
  column(property: ColumnProperty): OperationNode;
}

/** The class that a statement selects: its columns stand under the names of its tables. */
export const statementSource: NamedSource = {
  name: "",
  column: ({ source }) => columnNode(source.table, source.column.name),
};

/** A class that stands in a statement under a name of its own, because another one of its tables may be there already. */
export class EntityAlias implements NamedSource {
  readonly mapper: Mapper;
  readonly name: string;
  /** Its name, where `aliased` gave it one. */
  readonly givenName: string | undefined;
  readonly #columns: readonly string[];

  constructor(mapper: Mapper, name: string, givenName?: string) {
    this.mapper = mapper;
    this.name = name;
    this.givenName = givenName;
    this.#columns = selectedNames(mapper.columnProperties);
  }

  column({ slot, source }: ColumnProperty): OperationNode {
    const index = this.mapper.columnProperties.findIndex((property) => property.slot === slot);
    return aliasColumn(this.name, this.#columns[index] ?? source.column.name);
  }

  /** What tells it from others in the structure of a statement. Classes that are declared later may share its table. */
  get structureKey(): string {
    return `${this.mapper.serial}:${this.mapper.declaration.identities.size} as ${this.name}`;
  }

  /** What is joined: the table, or a subquery where rows of several tables, or only some rows of one, make up the class. */
  sourceNode(): OperationNode {
    const { mapper } = this;
    const rows = isPlainEntity(mapper) ? tableNode(mapper.table) : entityNode(mapper, mapper.columnProperties);
    return AliasNode.create(rows, IdentifierNode.create(this.name));
  }
}

/** Whether a name stands for the table itself, so that columns which only subclasses in it know are there too. */
export function isWholeTable({ mapper }: EntityAlias): boolean {
  return isPlainEntity(mapper);
}

/** Where the columns of the class of a statement stand. */
export function rootSource({ alias }: { readonly alias?: EntityAlias | undefined }): NamedSource {
  return alias ?? statementSource;
}

/** A column of something that has a name in the statement. */
export function aliasColumn(alias: string, column: string): OperationNode {
  return ReferenceNode.create(ColumnNode.create(column), TableNode.create(alias));
}
