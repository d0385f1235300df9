import { stateOf } from "../instance/instance.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import { forgetParents } from "../instance/parentage.ts";
import { removeStates, restoreDeleted } from "./attachment.ts";
import type { SessionState } from "./session-state.ts";
import type { Snapshot } from "./snapshot.ts";

/**
 * Puts every instance back to where it was when a transaction began: all of them, whatever listeners throw. What the transaction did stays known
 * until it is closed, for it may have to be done once more.
 *
 * @param isNested it was a savepoint: what it has not changed stays in memory
 * @throws what the first listener threw
 */
export function restoreSnapshot(core: SessionState, snapshot: Snapshot, isNested: boolean): void {
  const { newStates, deletedStates, dirtyStates, oldKeys } = snapshot;
  const errors: unknown[] = [];
  const attempt = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      errors.push(error);
    }
  };
  // Another session may have got some of them meanwhile.
  const isOurs = ({ owner }: InstanceState): boolean => owner === core || owner === undefined;
  const added = new Set([...newStates, ...core.new].filter(isOurs));
  attempt(() => removeStates(core, [...added], true));
  for (const [state, { key, identity }] of oldKeys) {
    core.identityMap.discard(state);
    if (added.has(state) || !isOurs(state)) continue;
    state.key = key;
    state.identity = identity;
    core.takeRow(state);
  }
  for (const state of new Set([...deletedStates, ...core.deleted]))
    if (!added.has(state)) attempt(() => restoreDeleted(core, state));
  core.deleted.clear();
  const dropped = new Set<InstanceState>();
  for (const instance of core.identityMap.reachable()) {
    const state = stateOf(instance);
    state.written = false;
    state.planned = false;
    if (isNested && !state.modified && !dirtyStates.has(state)) continue;
    dropped.add(state);
    attempt(() => core.drop(state, "rollback()"));
  }
  // A savepoint begins with a flush, after which nothing had lost its parents and was still there.
  if (isNested) for (const instance of core.identityMap.reachable()) forgetParents(stateOf(instance), dropped);
  if (errors.length > 0) throw errors[0];
}
