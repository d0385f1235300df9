import { nothing } from "../instance/history.ts";
import { SmallMap } from "../instance/small-map.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import type { Mapper } from "../mapping/mapper.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import { present } from "./dependencies/dependency.ts";
import type { Entry } from "./entry.ts";
import type { FlushPlan } from "./flush-plan.ts";

/**
 * Lets new rows be inserted without the keys that an UPDATE writes afterwards. An instance whose INSERT was rolled back has them still, and a relationship that nothing has
 * changed since; they would name rows that are not there yet, so the relationship counts as set anew. No listener hears it.
 */
export function leaveToPostUpdates(plan: FlushPlan): void {
  let mapper: Mapper | undefined;
  let properties: readonly RelationshipProperty[] = [];
  for (const entry of plan.entries.values()) {
    if (mapper !== entry.mapper) {
      mapper = entry.mapper;
      properties = mapper.relationships.filter(({ options, isViewOnly }) => options.postUpdate === true && !isViewOnly);
    }
    if (entry.isDelete) continue;
    for (const property of properties) leave(plan, entry, property);
  }
}

function leave(plan: FlushPlan, entry: Entry, property: RelationshipProperty): void {
  const { added, unchanged, deleted } = plan.knownHistory(entry, property);
  const isReference = property.direction === "manyToOne";
  const isKept = (child: InstanceState | null): boolean =>
    child !== null && plan.work.contains(child) && (isReference ? entry.state : child).key === undefined;
  const related = present([...added, ...unchanged]).filter(isKept);
  if (related.length === 0) return;
  for (const state of isReference ? [entry.state] : related) {
    for (const { local, remote } of property.pairs) {
      const { slot } = isReference ? local : remote;
      if (state.values[slot] !== undefined) state.values[slot] = null;
    }
  }
  if (!unchanged.some(isKept)) return;
  (entry.histories ??= new SmallMap()).set(property, {
    added: [...added, ...unchanged.filter(isKept)],
    unchanged: isReference ? nothing : unchanged.filter((child) => !isKept(child)),
    deleted,
    isLoaded: entry.histories?.get(property)?.isLoaded === true,
  });
}
