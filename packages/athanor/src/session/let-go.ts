import { type Instance, stateOf } from "../instance/instance.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import { reachedBy } from "../unit-of-work/cascades.ts";
import { removeStates } from "./attachment.ts";
import type { SessionState } from "./session-state.ts";

/**
 * Takes instances out of the session that a stream has brought into it, with what has come since and only they lead to; but for those that the session still has something
 * to do with: what is changed, deleted or new, and what that refers to.
 *
 * @param since what has come into the session with those instances and after them
 */
export function letGo(core: SessionState, brought: readonly Instance[], since: readonly Instance[]): void {
  if (brought.length === 0) return;
  const needed = neededStates(core);
  const leaving = new Set(brought.map(stateOf));
  if (since.length > brought.length) {
    const later = new Set(since.map(stateOf));
    for (const instance of brought)
      for (const related of reachedBy("save-update", stateOf(instance))) if (later.has(related)) leaving.add(related);
  }
  const states = [...leaving].filter((state) => core.contains(state) && !needed.has(state));
  removeStates(core, states, false);
  // A rollback has nothing to restore of them.
  for (let { transaction } = core; transaction !== undefined; transaction = transaction.parent)
    for (const state of states) transaction.snapshot.dirtyStates.delete(state);
}

function neededStates(core: SessionState): ReadonlySet<InstanceState> {
  const needed = new Set<InstanceState>();
  for (const states of [core.allNew(), core.modified, core.deleted]) {
    for (const state of states) {
      needed.add(state);
      for (const reached of reachedBy("save-update", state)) needed.add(reached);
    }
  }
  // What the program has made itself is not there only because of the stream.
  for (let { transaction } = core; transaction !== undefined; transaction = transaction.parent)
    for (const state of transaction.snapshot.newStates) needed.add(state);
  return needed;
}
