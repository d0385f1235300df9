import { AliasNode, ColumnNode, IdentifierNode, type OperationNode, ReferenceNode, TableNode } from "kysely";
import type { EntityColumns } from "../mapping/entity-columns.ts";
import type { ColumnProperty, Mapper } from "../mapping/mapper.ts";
import { entityNode, isPlainEntity, selectedNames } from "./entity-node.ts";
import type { PolymorphicEntity } from "./polymorphic-entity.ts";
import type { Restriction } from "./expression.ts";
import type { RowSource } from "./row-source.ts";
import type { Structure } from "./structure.ts";
import { columnNode, tableNode } from "./table-node.ts";

/** A class, or a part of one statement, under a name of its own inside of another statement. */
export interface NamedSource {
  readonly name: string;
  /** What tells its columns from others in the structure of a statement. */
  readonly place: string;
  /** One of its columns. */
  column(property: ColumnProperty): OperationNode;
}

/** The class that a statement selects: its columns stand under the names of its tables. */
export const statementSource: NamedSource = {
  name: "",
  place: "",
  column: ({ source }) => columnNode(source.table, source.column.name),
};

/** The columns of a class among what another statement finds. */
export interface FoundColumns {
  readonly of: RowSource;
  readonly columns: EntityColumns;
  /** Their names there, in their order; undefined: those of the columns. */
  readonly names?: readonly string[];
}

/** A class that stands in a statement under a name of its own, because another one of its tables may be there already. */
export class EntityAlias implements NamedSource, RowSource {
  readonly mapper: Mapper;
  readonly name: string;
  readonly place: string;
  /** Its name, where `aliased` gave it one. */
  readonly givenName: string | undefined;
  /** The subclasses that are read along, where the program named them. */
  readonly polymorphic: PolymorphicEntity | undefined;
  /** Where its rows come from, where that is what another statement finds. */
  readonly rows: RowSource | undefined;
  readonly #found: FoundColumns | undefined;

  /** @param found where its rows come from what another statement finds */
  constructor(mapper: Mapper, name: string, givenName?: string, polymorphic?: PolymorphicEntity, found?: FoundColumns) {
    this.mapper = mapper;
    this.name = name;
    // What another statement finds may hold several instances, under one name.
    this.place = found?.names === undefined ? name : `${name}(${found.names.join()})`;
    this.givenName = givenName;
    this.polymorphic = polymorphic;
    this.rows = found?.of;
    this.#found = found;
  }

  /** What is read of the class. */
  get columns(): EntityColumns {
    return (this.#found ?? this.polymorphic ?? this.mapper).columns;
  }

  column(property: ColumnProperty): OperationNode {
    const { columns } = this;
    const names = this.#found?.names ?? selectedNames(columns.properties);
    return aliasColumn(this.name, names[columns.indexOf(property)] ?? property.source.column.name);
  }

  structure(into: Structure): void {
    into.add(` ${this.columns.structureKey} as ${this.name}`);
    this.rows?.structure(into);
  }

  /** What is joined: the table, or a subquery where rows of several tables, or only some rows of one, make up the class. */
  sourceNode(keepBinds = false): OperationNode {
    const { columns } = this;
    if (this.rows !== undefined) return this.rows.sourceNode(keepBinds);
    const rows = isPlainEntity(columns) ? tableNode(columns.mapper.table) : entityNode(columns);
    return AliasNode.create(rows, IdentifierNode.create(this.name));
  }

  restrictedBy(restriction: Restriction): EntityAlias {
    const found = this.#found;
    if (found === undefined) return this;
    return new EntityAlias(this.mapper, this.name, this.givenName, this.polymorphic, {
      ...found,
      of: found.of.restrictedBy(restriction),
    });
  }
}

/** Whether a name stands for the table itself, so that columns which only subclasses in it know are there too. */
export function isWholeTable({ columns, rows }: EntityAlias): boolean {
  return rows === undefined && isPlainEntity(columns);
}

/** Databases cut names off behind 63 characters, and some of ours go on. */
const MAX_NAME_LENGTH = 54;

/** A name made of another one. Names that would be the same once a database has cut them off stay different. */
export function derivedName(name: string, suffix: string): string {
  const derived = `${name}_${suffix}`;
  if (derived.length <= MAX_NAME_LENGTH) return derived;
  let hash = 0x811c9dc5;
  for (let index = 0; index < derived.length; index++)
    hash = Math.imul(hash ^ derived.charCodeAt(index), 0x01000193) >>> 0;
  return `${derived.slice(0, MAX_NAME_LENGTH - 9)}_${hash.toString(16).padStart(8, "0")}`;
}

/** Where the columns of the class of a statement stand. */
export function rootSource({ alias }: { readonly alias?: EntityAlias | undefined }): NamedSource {
  return alias ?? statementSource;
}

/** A column of something that has a name in the statement. */
export function aliasColumn(alias: string, column: string): OperationNode {
  return ReferenceNode.create(ColumnNode.create(column), TableNode.create(alias));
}
