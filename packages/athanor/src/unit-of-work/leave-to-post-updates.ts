import { History, nothing } from "../instance/history.ts";
import { type Instance, stateOf } from "../instance/instance.ts";
import type { Mapper } from "../mapping/mapper.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import { present } from "./dependencies/dependency.ts";
import type { Entry } from "./entry.ts";
import { type FlushPlan, keepHistory } from "./flush-plan.ts";

/**
 * Lets new rows be inserted without the keys that an UPDATE writes afterwards. An instance whose INSERT was rolled back has them still, and a relationship that nothing has
 * changed since; they would name rows that are not there yet, so the relationship counts as set anew. No listener hears it.
 */
export function leaveToPostUpdates(plan: FlushPlan): void {
  const leaving = new Map<Mapper, readonly RelationshipProperty[]>();
  for (const mapper of plan.mappers) {
    const properties = mapper.relationships.filter(
      ({ options, isViewOnly }) => options.postUpdate === true && !isViewOnly,
    );
    if (properties.length > 0) leaving.set(mapper, properties);
  }
  if (leaving.size === 0) return;
  for (const entry of plan.entries.values()) {
    if (entry.isDelete) continue;
    for (const property of leaving.get(entry.mapper) ?? []) leave(plan, entry, property);
  }
}

function leave(plan: FlushPlan, entry: Entry, property: RelationshipProperty): void {
  const { added, unchanged, deleted } = plan.knownHistory(entry, property);
  const isReference = property.direction === "manyToOne";
  const isKept = (child: Instance | null): boolean =>
    child !== null &&
    plan.work.contains(stateOf(child)) &&
    (isReference ? entry.state : stateOf(child)).key === undefined;
  const related = present([...added, ...unchanged].filter(isKept));
  if (related.length === 0) return;
  for (const state of isReference ? [entry.state] : related) {
    for (const { local, remote } of property.pairs) {
      const { slot } = isReference ? local : remote;
      if (state.values[slot] !== undefined) state.values[slot] = null;
    }
  }
  if (!unchanged.some(isKept)) return;
  const history = new History<Instance | null>(
    [...added, ...unchanged.filter(isKept)],
    isReference ? nothing : unchanged.filter((child) => !isKept(child)),
    deleted,
  );
  keepHistory(entry, property, entry.loadedHistories?.get(property) !== undefined, history);
}
