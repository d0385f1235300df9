import { type Instance, stateOf } from "../instance/instance.ts";
import type { SessionState } from "./session-state.ts";

/**
 * Holds what a stream has passed only weakly, with all that has come into the session since, but for what is to be written. What the program still has stays the instance of
 * its row, and is held again as soon as it is changed; so nothing is lost, and nothing is kept that nobody would miss.
 */
export function letGo(core: SessionState, passed: readonly Instance[]): void {
  const { modified, deleted } = core;
  const clean = passed.filter((instance) => {
    const state = stateOf(instance);
    return !modified.has(state) && !deleted.has(state);
  });
  core.identityMap.weaken(clean);
  let root = core.transaction;
  while (root?.parent !== undefined) root = root.parent;
  // Its rollback drops the values of all instances, whether it knows what was changed or not. A savepoint's drops those that it knows.
  for (const instance of clean) root?.snapshot.dirtyStates.delete(stateOf(instance));
}
