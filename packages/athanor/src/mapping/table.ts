import type { RawBuilder } from "kysely";
import type { ColumnType } from "./column-type.ts";

/** What a foreign key does to its rows when the row that it points to is deleted or gets another key. */
export type ReferentialAction = "cascade" | "set null" | "set default" | "restrict" | "no action";

/** One column of a table, as the database knows it. */
export interface TableColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
  readonly primaryKey: boolean;
  readonly unique: boolean;
  readonly index: boolean;
  /** The database makes the key: the only integer column of the primary key that has no default and refers to nothing. */
  readonly autoincrement: boolean;
  /** A default that the database fills in, as an SQL expression or a literal. */
  readonly serverDefault?: RawBuilder<unknown> | string | number | boolean;
}

export interface ForeignKey {
  /** Column names of this table. */
  readonly columns: readonly string[];
  readonly referencedTable: string;
  readonly referencedSchema?: string;
  readonly referencedColumns: readonly string[];
  readonly onDelete?: ReferentialAction;
  readonly onUpdate?: ReferentialAction;
}

/** A table as the database knows it: its columns in order, its keys, its constraints. Models and `table()` make them. */
export class Table {
  readonly name: string;
  readonly schema: string | undefined;
  readonly columns: readonly TableColumn[];
  /** Column names of each unique constraint over several columns. Single ones are told by their column. */
  readonly uniques: readonly (readonly string[])[];
  readonly foreignKeys: readonly ForeignKey[];

  constructor(
    name: string,
    columns: readonly TableColumn[],
    options: {
      schema?: string | undefined;
      uniques?: readonly (readonly string[])[];
      foreignKeys?: readonly ForeignKey[];
    } = {},
  ) {
    this.name = name;
    this.schema = options.schema;
    this.columns = columns;
    this.uniques = options.uniques ?? [];
    this.foreignKeys = options.foreignKeys ?? [];
  }

  get primaryKey(): readonly TableColumn[] {
    return this.columns.filter((column) => column.primaryKey);
  }

  /** Adds what a subclass that shares the table declares. */
  extend(
    columns: readonly TableColumn[],
    foreignKeys: readonly ForeignKey[],
    uniques: readonly (readonly string[])[],
  ): void {
    (this.columns as TableColumn[]).push(...columns);
    (this.foreignKeys as ForeignKey[]).push(...foreignKeys);
    (this.uniques as (readonly string[])[]).push(...uniques);
  }

  /** The name with its schema: "users" or "billing.users". */
  get fullName(): string {
    return this.schema === undefined ? this.name : `${this.schema}.${this.name}`;
  }
}
