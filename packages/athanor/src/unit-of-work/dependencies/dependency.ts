import type { MaybePromise } from "../../engine/maybe-promise.ts";
import { nothing } from "../../instance/history.ts";
import { type Instance, stateOf } from "../../instance/instance.ts";
import type { InstanceState } from "../../instance/instance-state.ts";
import type { RelationshipProperty } from "../../mapping/relationship-property.ts";
import type { Entry } from "../entry.ts";
import type { FlushPlan } from "../flush-plan.ts";

/** A step of a flush, told by what it does and for whom. */
export type StepKind = "save" | "delete" | "afterSave" | "beforeDelete" | "postUpdate" | "preUpdate";

/** The steps that a relationship comes between. */
export interface RelatedSteps<TStep> {
  readonly parentSaves: TStep;
  readonly childSaves: TStep;
  readonly parentDeletes: TStep;
  readonly childDeletes: TStep;
  readonly afterSave: TStep;
  readonly beforeDelete: TStep;
  readonly parentPostUpdates: TStep;
  readonly parentPreUpdates: TStep;
  readonly childPostUpdates: TStep;
  readonly childPreUpdates: TStep;
}

/**
 * What a relationship means for a flush: which further instances it touches, in which order rows are written, and what is written for the
 * relationship itself. Each direction implements it.
 *
 * "Parent" is the class that declares the relationship, "child" the other one, wherever the foreign key is.
 */
export interface Dependency {
  readonly property: RelationshipProperty;
  /** Takes up what follows from parents being deleted. */
  collectDeletes(plan: FlushPlan, parents: readonly Entry[]): MaybePromise<void>;
  /** Takes up what follows from parents being saved. */
  collectSaves(plan: FlushPlan, parents: readonly Entry[]): MaybePromise<void>;
  /** Which step comes before which. */
  order<TStep>(steps: RelatedSteps<TStep>): readonly (readonly [TStep, TStep])[];
  /** Writes what saved parents mean for foreign keys, or for a table between. */
  afterSave(plan: FlushPlan, parents: readonly Entry[]): MaybePromise<void>;
  /** The same for parents that are about to be deleted. */
  beforeDelete(plan: FlushPlan, parents: readonly Entry[]): MaybePromise<void>;
}

/** The instances of a history, without references to nothing. */
export function present(instances: readonly (Instance | null)[]): readonly InstanceState[] {
  if (instances.length === 0) return nothing;
  const states: InstanceState[] = [];
  for (let index = 0; index < instances.length; index++) {
    const instance = instances[index];
    if (instance != null) states.push(stateOf(instance));
  }
  return states;
}
