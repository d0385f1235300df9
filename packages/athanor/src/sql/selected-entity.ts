import { AliasNode, IdentifierNode, SelectionNode } from "kysely";
import type { Mapper } from "../mapping/mapper.ts";
import { type EntityAlias, type NamedSource, statementSource } from "./entity-alias.ts";
import { selectedNames } from "./entity-node.ts";
import type { Structure } from "./structure.ts";

/** A part of each row that is an instance: all columns of a class that the statement reads. */
export class SelectedEntity {
  readonly mapper: Mapper;
  /** Where it stands in the statement; undefined: under the names of its tables. */
  readonly alias: EntityAlias | undefined;

  constructor(mapper: Mapper, alias: EntityAlias | undefined) {
    this.mapper = mapper;
    this.alias = alias;
  }

  structure(into: Structure): void {
    into.add(` entity ${this.mapper.serial}:${this.mapper.declaration.identities.size} of ${this.alias?.name ?? ""}`);
  }

  /** Its columns, in the order of the attributes, under names that begin with this one. */
  selectionNodes(name: string): readonly SelectionNode[] {
    const source: NamedSource = this.alias ?? statementSource;
    const { columnProperties } = this.mapper;
    const names = this.names(name);
    return columnProperties.map((property, index) =>
      SelectionNode.create(
        AliasNode.create(source.column(property), IdentifierNode.create(names[index] as string)) as never,
      ),
    );
  }

  /** The names of its columns. */
  names(name: string): readonly string[] {
    return selectedNames(this.mapper.columnProperties).map((column) => `${name}_${column}`);
  }
}
