import type { InstanceState } from "./instance-state.ts";

/**
 * Notes that an instance got a parent, or lost it, by a relationship whose parts must not be left without one.
 *
 * @param relationship what stands for the relationship: the same object for all classes of a hierarchy
 */
export function noteParent(child: InstanceState, parent: InstanceState, relationship: object, has: boolean): void {
  const parents = child.expectRelations().parents;
  if (has) parents.set(relationship, parent);
  // Taken away by an earlier parent after a later one got it: it has a parent still.
  else if ((parents.get(relationship) ?? parent) === parent) parents.set(relationship, null);
}

/** Whether an instance has a parent by a relationship; where nothing is known, one that was loaded has, and a new one has not. */
export function hasParent(child: InstanceState, relationship: object): boolean {
  const parent = child.relations?.parents.get(relationship);
  return parent === undefined ? child.key !== undefined : parent !== null;
}

/** Whether an instance is known to have a parent by a relationship: what has just been taken out of one has not, whatever was forgotten by an expire. */
export function hasKnownParent(child: InstanceState, relationship: object): boolean {
  return child.relations?.parents.get(relationship) != null;
}

/**
 * Forgets what was noted of an instance's parents and is no longer so, because changes were dropped: that it has lost one, and what the given ones hold. It
 * has parents again as an instance has that was loaded.
 */
export function forgetParents(child: InstanceState, dropped: ReadonlySet<InstanceState>): void {
  child.relations?.parents.deleteWhere((parent) => parent?.key === undefined || dropped.has(parent));
}
