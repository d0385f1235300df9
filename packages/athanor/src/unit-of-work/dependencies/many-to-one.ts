import { eachInTurn, type MaybePromise } from "../../engine/maybe-promise.ts";
import { hasKnownParent } from "../../instance/parentage.ts";
import { type Instance, stateOf } from "../../instance/instance.ts";
import type { InstanceState } from "../../instance/instance-state.ts";
import type { RelationshipProperty } from "../../mapping/relationship-property.ts";
import type { Entry, RelatedHistory } from "../entry.ts";
import type { FlushPlan } from "../flush-plan.ts";
import { clearKey, type CopiedColumn, copyKey, fromTo } from "../synchronize.ts";
import { type Dependency, present, type RelatedSteps } from "./dependency.ts";

/** The foreign key is here: it gets the key of the row that is referred to, which is written before. */
export class ManyToOne implements Dependency {
  readonly property: RelationshipProperty;
  readonly #columns: readonly CopiedColumn[];
  readonly #isPassive: boolean;

  constructor(property: RelationshipProperty) {
    this.property = property;
    this.#columns = fromTo(property.pairs, "remoteToLocal");
    this.#isPassive = property.options.passiveDeletes === true;
  }

  async collectDeletes(plan: FlushPlan, parents: readonly Entry[]): Promise<void> {
    const { property } = this;
    const { cascade } = property;
    if (!cascade.has("delete") && !cascade.has("delete-orphan")) return;
    for (const parent of parents) {
      const answer = plan.history(parent, property, !this.#isPassive);
      const { added, unchanged, deleted } = answer instanceof Promise ? await answer : answer;
      const related = cascade.has("delete-orphan") ? [...added, ...unchanged, ...deleted] : [...added, ...unchanged];
      for (const child of present(related)) await this.#delete(plan, child);
    }
  }

  async collectSaves(plan: FlushPlan, parents: readonly Entry[]): Promise<void> {
    const { property } = this;
    if (!property.cascade.has("delete-orphan")) return;
    for (const parent of parents) {
      const answer = plan.history(parent, property, !this.#isPassive);
      const { deleted } = answer instanceof Promise ? await answer : answer;
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

  afterSave(plan: FlushPlan, parents: readonly Entry[]): MaybePromise<void> {
    return eachInTurn(parents, (parent) => {
      const history = plan.history(parent, this.property, false);
      // Without a function for each row, of which there may be many.
      if (!(history instanceof Promise)) return this.#writeReference(plan, parent, history);
      return history.then((loaded) => this.#writeReference(plan, parent, loaded));
    });
  }

  #writeReference(
    plan: FlushPlan,
    { state, isDelete }: Entry,
    { added, deleted, unchanged }: RelatedHistory,
  ): MaybePromise<void> {
    const { property } = this;
    if (property.options.postUpdate === true) {
      if (added.length + deleted.length + unchanged.length > 0) plan.postUpdate(state, property);
    } else if (isDelete) return;
    if (added.length === 1) return this.#refer(plan, state, added[0] as Instance | null);
    if (added.length > 1) return eachInTurn(added, (child) => this.#refer(plan, state, child));
    if (deleted.length > 0) return this.#clear(plan, state);
  }

  async beforeDelete(plan: FlushPlan, parents: readonly Entry[]): Promise<void> {
    const { property } = this;
    if (property.options.postUpdate !== true || property.cascade.has("delete-orphan")) return;
    for (const parent of parents) {
      const answer = plan.history(parent, property, false);
      const { added, unchanged, deleted } = answer instanceof Promise ? await answer : answer;
      await this.#clear(plan, parent.state);
      if ([...added, ...unchanged, ...deleted].some((child) => child !== null)) plan.postUpdate(parent.state, property);
    }
  }

  async #delete(plan: FlushPlan, child: InstanceState): Promise<void> {
    plan.register(child, { isDelete: true, along: { property: this.property, operation: "delete" } });
    await plan.cascadeDelete(child);
  }

  #refer(plan: FlushPlan, parent: InstanceState, referred: Instance | null): MaybePromise<void> {
    if (referred === null) return this.#clear(plan, parent);
    const child = stateOf(referred);
    if (!plan.work.contains(child)) {
      plan.work.warn(
        `${child.describe()} is not in the session, so ${this.property.label} does not refer to it in the database. Add it: session.add(instance).`,
      );
      return;
    }
    return copyKey(plan, this.#columns, child, parent);
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
