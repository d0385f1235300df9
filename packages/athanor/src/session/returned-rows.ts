import type { Connection } from "../engine/connection.ts";
import { Result } from "../engine/result.ts";
import { type Instance, stateOf } from "../instance/instance.ts";
import { restrictionOf } from "../loading/criteria-condition.ts";
import { entityLoader } from "../loading/row-loader.ts";
import type { BulkParts, BulkStatement } from "../sql/bulk-statement.ts";
import { emptyPlan } from "../sql/loading-plan.ts";
import type { SelectedColumns } from "../sql/selected-columns.ts";
import { type Key, selectByKeys } from "./bulk-rows.ts";
import type { Execution } from "./execute.ts";
import { populatesExisting } from "./populates-existing.ts";
import type { SessionState } from "./session-state.ts";
import type { Match } from "./synchronize-bulk.ts";

/** What a statement that writes rows answers with, from the rows that the driver gives to what the user sees. */
export class ReturnedRows {
  /** What was chosen of each row; undefined where the statement answers with instances, or with nothing. */
  readonly selected: SelectedColumns | undefined;
  readonly areInstances: boolean;
  readonly #core: SessionState;
  readonly #statement: BulkStatement<unknown, BulkParts, unknown>;
  readonly #populateExisting: boolean;
  #rows: unknown[][] = [];
  #instances: readonly Instance[] | undefined;

  constructor(core: SessionState, statement: BulkStatement<unknown, BulkParts, unknown>, { options }: Execution) {
    const { returning, plan = emptyPlan } = statement.parts;
    this.#core = core;
    this.#statement = statement;
    this.#populateExisting = populatesExisting(statement, options);
    this.areInstances = returning === "instances";
    this.selected = returning === "instances" ? undefined : returning?.restrictedBy(restrictionOf(plan.criteria));
  }

  get isWanted(): boolean {
    return this.areInstances || this.selected !== undefined;
  }

  /** Asks for the rows by their keys. */
  async select(connection: Connection, keys: readonly Key[]): Promise<void> {
    if (this.isWanted) this.#rows = await selectByKeys(connection, this.#statement.mapper, keys, this.selected);
  }

  /** Takes rows that the statement itself has answered with: all columns of its class, or what was chosen behind others. */
  take(rows: readonly (readonly unknown[])[], columnsBefore: number): void {
    if (!this.isWanted) return;
    // An instance keeps its row, and others read the same one.
    const start = this.areInstances ? 0 : columnsBefore;
    for (const row of rows) this.#rows.push(row.slice(start));
  }

  /** The instances of deleted rows: those that the session had, and those that it has only now, which are deleted too. */
  loadDeleted(connection: Connection): readonly Match[] {
    if (!this.areInstances) return [];
    return this.#load(connection).map((instance) => ({ state: stateOf(instance), isCertain: true }));
  }

  result(connection: Connection, rowCount: number): Result<unknown> {
    if (this.areInstances) {
      const rows = this.#load(connection).map((instance) => [instance]);
      return new Result<unknown>(rows, rowCount);
    }
    const { selected } = this;
    if (selected === undefined) return new Result<unknown>([], rowCount);
    return new Result<unknown>(selected.read(this.#rows, connection.engine.dialect), rowCount, selected.names);
  }

  #load(connection: Connection): readonly Instance[] {
    const loader = entityLoader(this.#statement.mapper.ownColumns, connection.engine.dialect);
    this.#instances ??= loader(this.#rows, this.#core.loadContext(this.#populateExisting));
    return this.#instances;
  }
}
