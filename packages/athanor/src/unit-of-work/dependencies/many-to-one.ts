import { hasKnownParent } from "../../instance/parentage.ts";
import type { InstanceState } from "../../instance/instance-state.ts";
import type { RelationshipProperty } from "../../mapping/relationship-property.ts";
import type { FlushPlan } from "../flush-plan.ts";
import { clearKey, copyKey, fromTo } from "../synchronize.ts";
import { type Dependency, present, type RelatedSteps } from "./dependency.ts";

/** The foreign key is here: it gets the key of the row that is referred to, which is written before. */
export class ManyToOne implements Dependency {
  readonly property: RelationshipProperty;

  constructor(property: RelationshipProperty) {
    this.property = property;
  }

  async collectDeletes(plan: FlushPlan, parents: readonly InstanceState[]): Promise<void> {
    const { property } = this;
    const { cascade } = property;
    if (!cascade.has("delete") && !cascade.has("delete-orphan")) return;
    for (const parent of parents) {
      const { added, unchanged, deleted } = await plan.history(
        parent,
        property,
        property.options.passiveDeletes !== true,
      );
      const related = cascade.has("delete-orphan") ? [...added, ...unchanged, ...deleted] : [...added, ...unchanged];
      for (const child of present(related)) await this.#delete(plan, child);
    }
  }

  async collectSaves(plan: FlushPlan, parents: readonly InstanceState[]): Promise<void> {
    const { property } = this;
    if (!property.cascade.has("delete-orphan")) return;
    for (const parent of parents) {
      const { deleted } = await plan.history(parent, property, property.options.passiveDeletes !== true);
      for (const child of present(deleted)) if (!hasKnownParent(child, property)) await this.#delete(plan, child);
    }
  }

  order<TStep>(steps: RelatedSteps<TStep>): readonly (readonly [TStep, TStep])[] {
    const { parentSaves, childSaves, parentDeletes, childDeletes, afterSave, beforeDelete } = steps;
    if (this.property.options.postUpdate === true) {
      return [
        [childSaves, afterSave],
        [parentSaves, afterSave],
        [afterSave, steps.parentPostUpdates],
        [afterSave, steps.parentPreUpdates],
        [beforeDelete, steps.parentPreUpdates],
        [steps.parentPreUpdates, childDeletes],
        [steps.parentPreUpdates, parentDeletes],
      ];
    }
    return [
      [childSaves, afterSave],
      [afterSave, parentSaves],
      [parentSaves, childDeletes],
      [parentDeletes, childDeletes],
    ];
  }

  async afterSave(plan: FlushPlan, parents: readonly InstanceState[]): Promise<void> {
    const { property } = this;
    for (const parent of parents) {
      const { added, deleted, unchanged } = await plan.history(parent, property, false);
      const postUpdate = property.options.postUpdate === true;
      if (!postUpdate && plan.isDeleted(parent)) continue;
      if (added.length > 0) for (const child of added) await this.#refer(plan, parent, child);
      else if (deleted.length > 0) await this.#clear(plan, parent);
      if (postUpdate && added.length + deleted.length + unchanged.length > 0) plan.postUpdate(parent, property);
    }
  }

  async beforeDelete(plan: FlushPlan, parents: readonly InstanceState[]): Promise<void> {
    const { property } = this;
    if (property.options.postUpdate !== true || property.cascade.has("delete-orphan")) return;
    for (const parent of parents) {
      const { added, unchanged, deleted } = await plan.history(parent, property, false);
      await this.#clear(plan, parent);
      if ([...added, ...unchanged, ...deleted].some((child) => child !== null)) plan.postUpdate(parent, property);
    }
  }

  async #delete(plan: FlushPlan, child: InstanceState): Promise<void> {
    plan.register(child, { isDelete: true, along: { property: this.property, operation: "delete" } });
    await plan.cascadeDelete(child);
  }

  async #refer(plan: FlushPlan, parent: InstanceState, child: InstanceState | null): Promise<void> {
    if (child === null) return this.#clear(plan, parent);
    if (!plan.work.contains(child)) {
      plan.work.warn(
        `${child.describe()} is not in the session, so ${this.property.label} does not refer to it in the database. Add it: session.add(instance).`,
      );
      return;
    }
    await copyKey(plan, fromTo(this.property.pairs, "remoteToLocal"), child, parent);
  }

  #clear(plan: FlushPlan, parent: InstanceState): Promise<void> {
    return clearKey(
      plan,
      this.property,
      this.property.pairs.map(({ local }) => local),
      parent,
    );
  }
}
