import { InvalidRequestError } from "../event/errors.ts";
import type { Table } from "./table.ts";

/**
 * A collection of tables that belong together, and so can be created together with `createAll`.
 *
 * Every model and every `table()` is added to the default one unless its options name another.
 * SQLAlchemy: Describing Databases with MetaData.
 */
export class Metadata {
  readonly #tables = new Map<string, Table>();

  /** Every table by its full name, in the order of definition. */
  get tables(): ReadonlyMap<string, Table> {
    return this.#tables;
  }

  /** Adds a table. Throws InvalidRequestError for a second one of the same name. */
  add(table: Table): void {
    if (this.#tables.has(table.fullName)) {
      throw new InvalidRequestError(
        `The table "${table.fullName}" is defined twice. Two models, or a model and a table(), have the same name in one ` +
          `Metadata. Rename one, let the second inherit() from the first, or give it a metadata of its own: { metadata: new Metadata() }.`,
      );
    }
    this.#tables.set(table.fullName, table);
  }

  /**
   * The tables in an order in which they can be created: each behind those it refers to. Foreign keys that close a
   * circle between tables are listed apart, because they can only be added once both tables exist.
   */
  sorted(): {
    readonly tables: readonly Table[];
    readonly circular: readonly { table: Table; foreignKeys: Table["foreignKeys"] }[];
  } {
    const sorted: Table[] = [];
    const circular: { table: Table; foreignKeys: Table["foreignKeys"][number][] }[] = [];
    const state = new Map<Table, "open" | "done">();
    const visit = (table: Table): void => {
      state.set(table, "open");
      for (const foreignKey of table.foreignKeys) {
        const schema = foreignKey.referencedSchema;
        const target = this.#tables.get(
          schema === undefined ? foreignKey.referencedTable : `${schema}.${foreignKey.referencedTable}`,
        );
        if (target === undefined || target === table || state.get(target) === "done") continue;
        if (state.get(target) === "open") {
          const entry = circular.find((other) => other.table === table);
          if (entry === undefined) circular.push({ table, foreignKeys: [foreignKey] });
          else entry.foreignKeys.push(foreignKey);
        } else visit(target);
      }
      state.set(table, "done");
      sorted.push(table);
    };
    for (const table of this.#tables.values()) if (!state.has(table)) visit(table);
    return { tables: sorted, circular };
  }
}

/** Where models and tables go that name no other metadata. */
export const defaultMetadata = new Metadata();
