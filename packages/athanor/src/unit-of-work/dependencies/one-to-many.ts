import { andThen, eachInTurn, type MaybePromise } from "../../engine/maybe-promise.ts";
import { hasKnownParent } from "../../instance/parentage.ts";
import type { InstanceState } from "../../instance/instance-state.ts";
import type { RelationshipProperty } from "../../mapping/relationship-property.ts";
import type { Entry, RelatedHistory } from "../entry.ts";
import type { FlushPlan, Registration } from "../flush-plan.ts";
import { clearKey, type CopiedColumn, copyKey, fromTo } from "../synchronize.ts";
import { type Dependency, present, type RelatedSteps } from "./dependency.ts";

/** The foreign key is in the children: it gets the parent's key, and is emptied when they are taken out. */
export class OneToMany implements Dependency {
  readonly property: RelationshipProperty;
  readonly #columns: readonly CopiedColumn[];
  readonly #added: Registration;
  readonly #orphaned: Registration;
  readonly #removed: Registration;
  readonly #deletesChildren: boolean;
  readonly #deletesOrphans: boolean;
  readonly #isPassive: boolean;
  readonly #isPostUpdate: boolean;

  constructor(property: RelationshipProperty) {
    this.property = property;
    this.#added = { cancelDelete: true, along: { property, operation: "add" } };
    this.#orphaned = { isDelete: true, along: { property, operation: "delete" } };
    this.#removed = { along: { property, operation: "delete" } };
    this.#columns = fromTo(property.pairs, "localToRemote");
    this.#deletesChildren = property.cascade.has("delete");
    this.#deletesOrphans = property.cascade.has("delete-orphan");
    this.#isPassive = property.options.passiveDeletes === true;
    this.#isPostUpdate = property.options.postUpdate === true;
  }

  collectDeletes(plan: FlushPlan, parents: readonly Entry[]): MaybePromise<void> {
    return eachInTurn(parents, (parent) =>
      andThen(plan.history(parent, this.property, !this.#isPassive), (history) => this.#collectDelete(plan, history)),
    );
  }

  #collectDelete(plan: FlushPlan, { unchanged, deleted }: RelatedHistory): void {
    for (const child of present(deleted))
      if (this.#isOrphan(child)) plan.register(child, { isDelete: this.#deletesOrphans });
    // Those that go along were marked when the parent was, and what was added again since is to stay.
    if (this.#deletesChildren) return;
    for (const child of present(unchanged)) plan.register(child, this.#removed);
  }

  collectSaves(plan: FlushPlan, parents: readonly Entry[]): MaybePromise<void> {
    return eachInTurn(parents, (parent) =>
      andThen(plan.history(parent, this.property, false), (history) => this.#collectSave(plan, parent.state, history)),
    );
  }

  #collectSave(plan: FlushPlan, parent: InstanceState, history: RelatedHistory): MaybePromise<void> {
    const added = present(history.added);
    for (let index = 0; index < added.length; index++) plan.register(added[index] as InstanceState, this.#added);
    const collecting = eachInTurn(present(history.deleted), (child) => this.#collectRemoved(plan, child));
    if (!this.#keyChanged(parent)) return collecting;
    return andThen(collecting, () => {
      for (const child of present(history.unchanged)) plan.register(child);
    });
  }

  #collectRemoved(plan: FlushPlan, child: InstanceState): MaybePromise<void> {
    if (!this.#deletesOrphans) plan.register(child, this.#removed);
    if (!this.#deletesOrphans || !this.#isOrphan(child)) return;
    plan.register(child, this.#orphaned);
    return plan.cascadeDelete(child);
  }

  order<TStep>(steps: RelatedSteps<TStep>): readonly (readonly [TStep, TStep])[] {
    const { parentSaves, childSaves, parentDeletes, childDeletes, afterSave, beforeDelete } = steps;
    if (this.#isPostUpdate) {
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

  afterSave(plan: FlushPlan, parents: readonly Entry[]): MaybePromise<void> {
    return eachInTurn(parents, (parent) =>
      andThen(plan.history(parent, this.property, false), (history) => this.#copyKeys(plan, parent.state, history)),
    );
  }

  #copyKeys(plan: FlushPlan, parent: InstanceState, { added, unchanged, deleted }: RelatedHistory): MaybePromise<void> {
    const copying = eachInTurn(present(added), (child) => {
      // One that is not in the session gets the key too: it may be added later.
      if (!this.#isPostUpdate && plan.isDeleted(child)) return;
      if (this.#isPostUpdate) plan.postUpdate(child, this.property);
      return copyKey(plan, this.#columns, parent, child);
    });
    const isKeyChanged = this.#keyChanged(parent);
    if (deleted.length === 0 && !isKeyChanged) return copying;
    return andThen(copying, async () => {
      for (const child of present(deleted))
        if (!this.#deletesOrphans && this.#isOrphan(child)) await this.#clear(plan, child);
      if (!isKeyChanged) return;
      for (const child of present(unchanged)) await copyKey(plan, this.#columns, parent, child);
    });
  }

  async beforeDelete(plan: FlushPlan, parents: readonly Entry[]): Promise<void> {
    for (const parent of parents) {
      const { unchanged, deleted } = plan.knownHistory(parent, this.property);
      for (const child of present(deleted)) if (this.#isOrphan(child)) await this.#clear(plan, child);
      if (!this.#isPostUpdate && this.#deletesChildren) continue;
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
    if (this.#isPostUpdate) plan.postUpdate(child, this.property);
  }
}
