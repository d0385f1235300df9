import { NO_VALUE, PASSIVE_NO_RESULT } from "../instance/history.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import { dependencyOf } from "./dependencies/dependency-of.ts";
import type { Entry } from "./entry.ts";
import type { FlushPlan, RelatedHistory } from "./flush-plan.ts";
import { loadAbsent } from "./synchronize.ts";

/** Asks each relationship of each instance what follows from its being saved or deleted, until nothing new follows. */
export async function collectRelated(plan: FlushPlan): Promise<void> {
  const asked = new Map<
    RelationshipProperty,
    { readonly saves: Set<InstanceState>; readonly deletes: Set<InstanceState> }
  >();
  for (let isNew = true; isNew;) {
    isNew = false;
    for (const [property, entries] of entriesByRelationship(plan)) {
      let done = asked.get(property);
      if (done === undefined) asked.set(property, (done = { saves: new Set(), deletes: new Set() }));
      const { saves, deletes } = done;
      const newDeletes = entries
        .filter(({ isDelete, state }) => isDelete && !deletes.has(state))
        .map(({ state }) => state);
      const newSaves = entries
        .filter(({ isDelete, state }) => !isDelete && !saves.has(state))
        .map(({ state }) => state);
      for (const state of newDeletes) deletes.add(state);
      for (const state of newSaves) saves.add(state);
      if (newDeletes.length > 0) await dependencyOf(property).collectDeletes(plan, newDeletes);
      if (newSaves.length > 0) await dependencyOf(property).collectSaves(plan, newSaves);
      if (!plan.active.has(property) && (await hasChanges(plan, property, newSaves, newDeletes)))
        plan.active.add(property);
      isNew ||= newDeletes.length + newSaves.length > 0;
    }
  }
}

/** Whether a relationship has anything to do in this flush. Those that have not put nothing in order. */
async function hasChanges(
  plan: FlushPlan,
  property: RelationshipProperty,
  saves: readonly InstanceState[],
  deletes: readonly InstanceState[],
): Promise<boolean> {
  const mustLoad = property.options.passiveDeletes !== true;
  for (const state of deletes) {
    // What a reference is may be known from the row alone, and the reference itself is not asked for.
    if (property.direction === "manyToOne" && mustLoad) await findReference(plan, state, property);
    const history = await plan.history(state, property, mustLoad && property.direction !== "manyToOne");
    if (!isEmpty(history)) return true;
  }
  for (const state of saves) if (!isEmpty(await plan.history(state, property, false))) return true;
  if (saves.length + deletes.length === 0 || property.target.baseMapper === property.parent.baseMapper) return false;
  for (const { mapper } of plan.entries.values()) if (mapper.baseMapper === property.target.baseMapper) return true;
  return false;
}

/** Takes up what a reference is where the foreign key is empty, or the session has the instance. */
async function findReference(plan: FlushPlan, state: InstanceState, property: RelationshipProperty): Promise<void> {
  if (state.key === undefined || state.values[property.slot] !== undefined || state.isChanged(property.slot)) return;
  await loadAbsent(
    plan,
    state,
    property.pairs.map(({ local }) => local),
  );
  const known = property.findKnown(state);
  if (known !== NO_VALUE && known !== PASSIVE_NO_RESULT) state.values[property.slot] = known;
}

function isEmpty({ added, unchanged, deleted }: RelatedHistory): boolean {
  return added.length + unchanged.length + deleted.length === 0;
}

/** The instances of the plan by each relationship that their class has. */
export function entriesByRelationship(plan: FlushPlan): Map<RelationshipProperty, Entry[]> {
  const byRelationship = new Map<RelationshipProperty, Entry[]>();
  for (const entry of plan.entries.values()) {
    if (entry.mapper.relationships.length === 0) continue;
    for (const property of entry.mapper.relationships) {
      if (property.isViewOnly) continue;
      const entries = byRelationship.get(property);
      if (entries === undefined) byRelationship.set(property, [entry]);
      else entries.push(entry);
    }
  }
  return byRelationship;
}
