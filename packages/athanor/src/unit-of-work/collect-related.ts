import { NO_VALUE, PASSIVE_NO_RESULT } from "../instance/history.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import { dependencyOf } from "./dependencies/dependency-of.ts";
import type { Entry, RelatedHistory } from "./entry.ts";
import type { FlushPlan } from "./flush-plan.ts";
import { loadAbsent } from "./synchronize.ts";

/** What a relationship was asked of an instance: that it is saved, that it is deleted, or first one and then the other. */
const SAVED = 1;
const DELETED = 2;

/** Asks each relationship of each instance what follows from its being saved or deleted, until nothing new follows. */
export async function collectRelated(plan: FlushPlan): Promise<void> {
  // By the place of an instance among those of the relationship, which only become more.
  const asked = new Map<RelationshipProperty, number[]>();
  for (let isNew = true; isNew;) {
    isNew = false;
    const round = Array.from(plan.byRelationship, ([property, entries]) => ({
      property,
      entries,
      count: entries.length,
    }));
    for (const { property, entries, count } of round) {
      let done = asked.get(property);
      if (done === undefined) asked.set(property, (done = []));
      const newDeletes: Entry[] = [];
      const newSaves: Entry[] = [];
      for (let index = 0; index < count; index++) {
        const entry = entries[index] as Entry;
        const { isDelete } = entry;
        const before = done[index] ?? 0;
        const after = before | (isDelete ? DELETED : SAVED);
        if (after === before) continue;
        done[index] = after;
        (isDelete ? newDeletes : newSaves).push(entry);
      }
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
  saves: readonly Entry[],
  deletes: readonly Entry[],
): Promise<boolean> {
  const mustLoad = property.options.passiveDeletes !== true;
  for (const entry of deletes) {
    // What a reference is may be known from the row alone, and the reference itself is not asked for.
    if (property.direction === "manyToOne" && mustLoad) await findReference(plan, entry.state, property);
    const answer = plan.history(entry, property, mustLoad && property.direction !== "manyToOne");
    if (!isEmpty(answer instanceof Promise ? await answer : answer)) return true;
  }
  for (const entry of saves) {
    const answer = plan.history(entry, property, false);
    if (!isEmpty(answer instanceof Promise ? await answer : answer)) return true;
  }
  if (saves.length + deletes.length === 0 || property.target.baseMapper === property.parent.baseMapper) return false;
  for (const { baseMapper } of plan.mappers) if (baseMapper === property.target.baseMapper) return true;
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
  const known = property.findKnown(state, "row");
  if (known !== NO_VALUE && known !== PASSIVE_NO_RESULT) state.values[property.slot] = known;
}

function isEmpty({ added, unchanged, deleted }: RelatedHistory): boolean {
  return added.length + unchanged.length + deleted.length === 0;
}
