import { hasKnownParent } from "../../instance/parentage.ts";
import type { InstanceState } from "../../instance/instance-state.ts";
import type { RelationshipProperty, SecondaryPair } from "../../mapping/relationship-property.ts";
import { deleteText, insertText } from "../../sql/row-statements.ts";
import { StaleDataError } from "../errors.ts";
import type { Entry } from "../entry.ts";
import type { FlushPlan } from "../flush-plan.ts";
import { loadAbsent } from "../synchronize.ts";
import { type Dependency, present, type RelatedSteps } from "./dependency.ts";

/** A table between holds both keys: its rows come after those of both sides, and go before them. They raise no row events. */
export class ManyToMany implements Dependency {
  readonly property: RelationshipProperty;

  constructor(property: RelationshipProperty) {
    this.property = property;
  }

  async collectDeletes(plan: FlushPlan, parents: readonly Entry[]): Promise<void> {
    if (this.property.options.passiveDeletes === true) return;
    for (const parent of parents) {
      const loading = plan.history(parent, this.property, true);
      if (loading instanceof Promise) await loading;
    }
  }

  async collectSaves(plan: FlushPlan, parents: readonly Entry[]): Promise<void> {
    const { property } = this;
    if (!property.cascade.has("delete-orphan")) return;
    for (const parent of parents) {
      const answer = plan.history(parent, property, false);
      const { deleted } = answer instanceof Promise ? await answer : answer;
      for (const child of present(deleted)) {
        if (hasKnownParent(child, property)) continue;
        plan.register(child, { isDelete: true, along: { property, operation: "delete" } });
        await plan.cascadeDelete(child);
      }
    }
  }

  order<TStep>({
    parentSaves,
    childSaves,
    parentDeletes,
    childDeletes,
    afterSave,
    beforeDelete,
  }: RelatedSteps<TStep>): readonly (readonly [TStep, TStep])[] {
    return [
      [parentSaves, afterSave],
      [childSaves, afterSave],
      [afterSave, childDeletes],
      [beforeDelete, parentSaves],
      [beforeDelete, parentDeletes],
      [beforeDelete, childDeletes],
      [beforeDelete, childSaves],
    ];
  }

  async afterSave(plan: FlushPlan, parents: readonly Entry[]): Promise<void> {
    const removed: (readonly [InstanceState, InstanceState])[] = [];
    const added: (readonly [InstanceState, InstanceState])[] = [];
    for (const entry of parents) {
      const parent = entry.state;
      const answer = plan.history(entry, this.property, false);
      const history = answer instanceof Promise ? await answer : answer;
      for (const child of present(history.added))
        if (this.#claim(plan, parent, child, "add")) added.push([parent, child]);
      for (const child of present(history.deleted))
        if (this.#claim(plan, parent, child, "delete")) removed.push([parent, child]);
    }
    await this.#loadKeys(plan, [...removed, ...added]);
    await this.#delete(plan, removed);
    await this.#insert(plan, added);
  }

  async beforeDelete(plan: FlushPlan, parents: readonly Entry[]): Promise<void> {
    const removed: (readonly [InstanceState, InstanceState])[] = [];
    for (const entry of parents) {
      const parent = entry.state;
      const { unchanged, deleted } = plan.knownHistory(entry, this.property);
      for (const child of present([...unchanged, ...deleted]))
        if (this.#claim(plan, parent, child, "delete")) removed.push([parent, child]);
    }
    await this.#loadKeys(plan, removed);
    await this.#delete(plan, removed);
  }

  async #loadKeys(plan: FlushPlan, rows: readonly (readonly [InstanceState, InstanceState])[]): Promise<void> {
    const [parentPairs, targetPairs] = this.#columns().pairs;
    for (const [parent, child] of rows) {
      await loadAbsent(
        plan,
        parent,
        parentPairs.map(({ property }) => property),
      );
      await loadAbsent(
        plan,
        child,
        targetPairs.map(({ property }) => property),
      );
    }
  }

  /** Both sides see the same change, and one of them writes it; with what is not in the session neither does. */
  #claim(plan: FlushPlan, parent: InstanceState, child: InstanceState, operation: "add" | "delete"): boolean {
    const { inverse } = this.property;
    if (inverse !== undefined && plan.secondaryDone.get(inverse)?.get(child)?.has(parent) === true) return false;
    let done = plan.secondaryDone.get(this.property);
    if (done === undefined) plan.secondaryDone.set(this.property, (done = new Map()));
    let children = done.get(parent);
    if (children === undefined) done.set(parent, (children = new Set()));
    children.add(child);
    if (plan.work.contains(child)) return true;
    if (!child.deleted) {
      plan.work.warn(
        `${child.describe()} is not in the session, so the ${operation} along ${this.property.label} does not proceed. Add it: session.add(instance).`,
      );
    }
    return false;
  }

  async #insert({ connection }: FlushPlan, rows: readonly (readonly [InstanceState, InstanceState])[]): Promise<void> {
    if (rows.length === 0) return;
    const { table, columns } = this.#columns();
    const { dialect } = connection.engine;
    await connection.runEach(
      insertText(dialect, table, columns, 1, []),
      this.#parameters(rows, (pair, state) => state.values[pair.property.slot]),
    );
  }

  async #delete({ connection }: FlushPlan, rows: readonly (readonly [InstanceState, InstanceState])[]): Promise<void> {
    if (rows.length === 0) return;
    const { table, columns } = this.#columns();
    const { dialect } = connection.engine;
    const { rowCounts } = await connection.runEach(
      deleteText(dialect, table, columns),
      this.#parameters(rows, (pair, state) => state.values[pair.property.slot]),
    );
    const missing = rowCounts?.filter((count) => count !== 1).length ?? 0;
    if (missing === 0) return;
    throw new StaleDataError(
      `${missing} of the ${rows.length} rows of "${table.fullName}" that ${this.property.label} was to delete are not there. Somebody has deleted them since they were loaded.`,
    );
  }

  #columns(): {
    readonly table: NonNullable<RelationshipProperty["secondary"]>["table"];
    readonly columns: readonly string[];
    readonly pairs: readonly [readonly SecondaryPair[], readonly SecondaryPair[]];
  } {
    const secondary = this.property.secondary as NonNullable<RelationshipProperty["secondary"]>;
    const columns = [...secondary.parent, ...secondary.target].map(({ column }) => column.name);
    return { table: secondary.table, columns, pairs: [secondary.parent, secondary.target] };
  }

  #parameters(
    rows: readonly (readonly [InstanceState, InstanceState])[],
    valueOf: (pair: SecondaryPair, state: InstanceState) => unknown,
  ): unknown[][] {
    const [parentPairs, targetPairs] = this.#columns().pairs;
    return rows.map(([parent, child]) => [
      ...parentPairs.map((pair) => valueOf(pair, parent)),
      ...targetPairs.map((pair) => valueOf(pair, child)),
    ]);
  }
}
