import type { Connection } from "../engine/connection.ts";
import type { Dialect } from "../engine/dialect.ts";
import { Result } from "../engine/result.ts";
import { type Instance, stateOf } from "../instance/instance.ts";
import { AfterLoads } from "../loading/after-loads.ts";
import { restrictionOf } from "../loading/criteria-condition.ts";
import { type FoundRow, readPlannedRows } from "../loading/planned-rows.ts";
import { entityLoader } from "../loading/row-loader.ts";
import { StatementPlan } from "../loading/statement-plan.ts";
import type { BulkParts, BulkStatement } from "../sql/bulk-statement.ts";
import { emptyPlan, isEmptyPlan } from "../sql/loading-plan.ts";
import { Select } from "../sql/select.ts";
import type { SelectedColumns } from "../sql/selected-columns.ts";
import { type Key, keysOf, rowsOf, selectByKeys } from "./bulk-rows.ts";
import type { Dispatcher, Execution } from "./execute.ts";
import { populatesExisting } from "./populates-existing.ts";
import { relatedLoads } from "./related-loads.ts";
import type { SessionState } from "./session-state.ts";
import { type Match, matchesOfKeys } from "./synchronize-bulk.ts";

/** What a statement that writes rows answers with, from the rows that the driver gives to what the user sees. */
export class ReturnedRows {
  /** What was chosen of each row; undefined where the statement answers with instances, or with nothing. */
  readonly selected: SelectedColumns | undefined;
  readonly areInstances: boolean;
  readonly #core: SessionState;
  readonly #statement: BulkStatement<unknown, BulkParts, unknown>;
  readonly #execution: Execution;
  readonly #populateExisting: boolean;
  #rows: unknown[][] = [];
  #deleted: readonly FoundRow[] | undefined;

  constructor(core: SessionState, statement: BulkStatement<unknown, BulkParts, unknown>, execution: Execution) {
    const { returning, plan = emptyPlan } = statement.parts;
    this.#core = core;
    this.#statement = statement;
    this.#execution = execution;
    this.#populateExisting = populatesExisting(statement, execution.options);
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

  /** The instances that the session has already of the rows that it answers with. */
  matches(connection: Connection): readonly Match[] {
    const { mapper } = this.#statement;
    if (this.#core.identityMap.of(mapper).size === 0) return [];
    const rows = rowsOf(mapper.columnProperties, this.#rows, connection);
    return matchesOfKeys(this.#core, mapper, keysOf(rows, mapper));
  }

  /** The instances of deleted rows: those that the session had, and those that it has only now, which are deleted too. Nothing is loaded along with them. */
  loadDeleted({ engine }: Connection): readonly Match[] {
    if (!this.areInstances) return [];
    const { found } = this.#read(engine.dialect);
    this.#deleted = found;
    return found.map(([instance]) => ({ state: stateOf(instance as Instance), isCertain: true }));
  }

  /** What the user gets; of instances with what their class says is to be loaded along. */
  async result(connection: Connection, rowCount: number, dispatch: Dispatcher): Promise<Result<unknown>> {
    if (this.areInstances) {
      const found = this.#deleted ?? (await this.#load(connection.engine.dialect, dispatch));
      return new Result<unknown>(found, rowCount);
    }
    const { selected } = this;
    if (selected === undefined) return new Result<unknown>([], rowCount);
    return new Result<unknown>(selected.read(this.#rows, connection.engine.dialect), rowCount, selected.names);
  }

  async #load(dialect: Dialect, dispatch: Dispatcher): Promise<readonly FoundRow[]> {
    const { found, enqueue } = this.#read(dialect);
    const afterLoads = new AfterLoads();
    enqueue?.(afterLoads, relatedLoads(this.#core, dispatch, afterLoads, this.#execution, this.#populateExisting));
    await afterLoads.run();
    return found;
  }

  /** Makes instances of the rows, which carry what the statement says of later loads: as it is with SQL of users' own, where the rows are there already too. */
  #read(dialect: Dialect): {
    readonly found: readonly FoundRow[];
    readonly enqueue?: ReturnType<typeof readPlannedRows>["enqueue"];
  } {
    const { mapper, entity, parts } = this.#statement;
    const { plan = emptyPlan } = parts;
    const context = this.#core.loadContext(this.#populateExisting);
    if (isEmptyPlan(plan) && !mapper.loadsAlong && mapper.columns === mapper.ownColumns)
      return { found: entityLoader(mapper.ownColumns, dialect)(this.#rows, context).map((instance) => [instance]) };
    const columns = mapper.columnProperties;
    const select = new Select<unknown>(entity, { plan, columns, orderBy: [], executionOptions: {}, isWritten: true });
    const { carried } = this.#execution;
    return readPlannedRows(new StatementPlan(select, plan, { carried }), this.#rows, context, dialect);
  }
}
