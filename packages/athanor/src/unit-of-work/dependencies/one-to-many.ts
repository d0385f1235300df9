import { hasKnownParent } from "../../instance/parentage.ts";
import type { InstanceState } from "../../instance/instance-state.ts";
import type { RelationshipProperty } from "../../mapping/relationship-property.ts";
import type { FlushPlan, Registration } from "../flush-plan.ts";
import { clearKey, type CopiedColumn, copyKey, fromTo } from "../synchronize.ts";
import { type Dependency, present, type RelatedSteps } from "./dependency.ts";

/** The foreign key is in the children: it gets the parent's key, and is emptied when they are taken out. */
export class OneToMany implements Dependency {
  readonly property: RelationshipProperty;
  readonly #columns: readonly CopiedColumn[];
  readonly #added: Registration;
  readonly #removed: Registration;
  readonly #deletesChildren: boolean;
  readonly #deletesOrphans: boolean;
  readonly #isPassive: boolean;

  constructor(property: RelationshipProperty) {
    this.property = property;
    this.#added = { cancelDelete: true, along: { property, operation: "add" } };
    this.#removed = { along: { property, operation: "delete" } };
    this.#columns = fromTo(property.pairs, "localToRemote");
    this.#deletesChildren = property.cascade.has("delete");
    this.#deletesOrphans = property.cascade.has("delete-orphan");
    this.#isPassive = property.options.passiveDeletes === true;
  }

  async collectDeletes(plan: FlushPlan, parents: readonly InstanceState[]): Promise<void> {
    const { property } = this;
    for (const parent of parents) {
      const answer = plan.history(parent, property, !this.#isPassive);
      const { unchanged, deleted } = answer instanceof Promise ? await answer : answer;
      for (const child of present(deleted)) {
        if (!this.#isOrphan(child)) continue;
        plan.register(child, { isDelete: this.#deletesOrphans });
      }
      // Those that go along were marked when the parent was, and what was added again since is to stay.
      if (this.#deletesChildren) continue;
      for (const child of present(unchanged)) plan.register(child, this.#removed);
    }
  }

  async collectSaves(plan: FlushPlan, parents: readonly InstanceState[]): Promise<void> {
    const { property } = this;
    for (const parent of parents) {
      const answer = plan.history(parent, property, false);
      const { added, unchanged, deleted } = answer instanceof Promise ? await answer : answer;
      for (const child of present(added)) plan.register(child, this.#added);
      for (const child of present(deleted)) {
        if (!this.#deletesOrphans) plan.register(child, this.#removed);
        else if (this.#isOrphan(child)) {
          plan.register(child, { isDelete: true, along: { property, operation: "delete" } });
          await plan.cascadeDelete(child);
        }
      }
      if (this.#keyChanged(parent)) for (const child of present(unchanged)) plan.register(child);
    }
  }

  order<TStep>(steps: RelatedSteps<TStep>): readonly (readonly [TStep, TStep])[] {
    const { parentSaves, childSaves, parentDeletes, childDeletes, afterSave, beforeDelete } = steps;
    if (this.property.options.postUpdate === true) {
      return [
        [childSaves, afterSave],
        [parentSaves, afterSave],
        [afterSave, steps.childPostUpdates],
        [beforeDelete, steps.childPreUpdates],
        [steps.childPreUpdates, parentDeletes],
        [steps.childPreUpdates, childDeletes],
      ];
    }
    return [
      [parentSaves, afterSave],
      [afterSave, childSaves],
      [afterSave, childDeletes],
      [childSaves, parentDeletes],
      [childDeletes, parentDeletes],
      [beforeDelete, childSaves],
      [beforeDelete, childDeletes],
    ];
  }

  async afterSave(plan: FlushPlan, parents: readonly InstanceState[]): Promise<void> {
    for (const parent of parents) {
      const answer = plan.history(parent, this.property, false);
      const { added, unchanged, deleted } = answer instanceof Promise ? await answer : answer;
      for (const child of present(added)) {
        // One that is not in the session gets the key too: it may be added later.
        if (this.property.options.postUpdate !== true && plan.isDeleted(child)) continue;
        const copying = copyKey(plan, this.#columns, parent, child);
        if (copying instanceof Promise) await copying;
        if (this.property.options.postUpdate === true) plan.postUpdate(child, this.property);
      }
      for (const child of present(deleted)) {
        if (!this.#deletesOrphans && this.#isOrphan(child)) await this.#clear(plan, child);
      }
      if (!this.#keyChanged(parent)) continue;
      for (const child of present(unchanged)) await copyKey(plan, this.#columns, parent, child);
    }
  }

  async beforeDelete(plan: FlushPlan, parents: readonly InstanceState[]): Promise<void> {
    for (const parent of parents) {
      const { unchanged, deleted } = plan.knownHistory(parent, this.property);
      for (const child of present(deleted)) if (this.#isOrphan(child)) await this.#clear(plan, child);
      if (this.property.options.postUpdate !== true && this.#deletesChildren) continue;
      for (const child of present(unchanged)) await this.#clear(plan, child);
    }
  }

  #isOrphan(child: InstanceState): boolean {
    return !hasKnownParent(child, this.property);
  }

  #keyChanged(parent: InstanceState): boolean {
    if (parent.key === undefined) return false;
    const { attributes } = parent.instrumentation;
    // Assigned the same value it has not changed.
    return this.property.pairs.some(
      ({ local: { slot } }) => parent.isChanged(slot) && (attributes[slot]?.history(parent).deleted.length ?? 0) > 0,
    );
  }

  /** A child that is deleted itself keeps its foreign key: nobody will read it. */
  async #clear(plan: FlushPlan, child: InstanceState): Promise<void> {
    if (plan.isDeleted(child)) return;
    await clearKey(
      plan,
      this.property,
      this.property.pairs.map(({ remote }) => remote),
      child,
    );
    if (this.property.options.postUpdate === true) plan.postUpdate(child, this.property);
  }
}
