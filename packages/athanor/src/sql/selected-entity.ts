import { AliasNode, IdentifierNode, SelectionNode } from "kysely";
import type { EntityColumns } from "../mapping/entity-columns.ts";
import type { ColumnProperty, Mapper } from "../mapping/mapper.ts";
import { type EntityAlias, type NamedSource, statementSource } from "./entity-alias.ts";
import { selectedNames } from "./entity-node.ts";
import type { Structure } from "./structure.ts";
import { structureWithout } from "./structure-without.ts";

/** A part of each row that is an instance: all that the statement reads of a class. */
export class SelectedEntity {
  readonly columns: EntityColumns;
  /** Where it stands in the statement; undefined: under the names of its tables. */
  readonly alias: EntityAlias | undefined;
  /** Columns of the class that the rows are without. */
  readonly without: ReadonlySet<ColumnProperty> | undefined;

  constructor(columns: EntityColumns, alias: EntityAlias | undefined, without?: ReadonlySet<ColumnProperty>) {
    this.columns = columns;
    this.alias = alias;
    this.without = without;
  }

  /** The columns that the rows have. */
  get properties(): readonly ColumnProperty[] {
    const { columns, without } = this;
    return without === undefined ? columns.properties : columns.properties.filter((column) => !without.has(column));
  }

  get mapper(): Mapper {
    return this.columns.mapper;
  }

  structure(into: Structure): void {
    into.add(` entity ${this.columns.structureKey} of ${this.alias?.place ?? ""}`);
    if (this.without !== undefined) structureWithout(this.without, into);
  }

  /** Its columns, under names that begin with this one. */
  selectionNodes(name: string): readonly SelectionNode[] {
    const source: NamedSource = this.alias ?? statementSource;
    const names = this.names(name);
    return this.properties.map((property, index) =>
      SelectionNode.create(
        AliasNode.create(source.column(property), IdentifierNode.create(names[index] as string)) as never,
      ),
    );
  }

  /** The names of its columns. */
  names(name: string): readonly string[] {
    return selectedNames(this.properties).map((column) => `${name}_${column}`);
  }
}
