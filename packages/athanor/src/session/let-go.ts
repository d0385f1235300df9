import { type Instance, stateOf } from "../instance/instance.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import { reachedBy } from "../unit-of-work/cascades.ts";
import { removeStates } from "./attachment.ts";
import type { SessionState } from "./session-state.ts";

/** Takes instances out of the session, but for those that the session still has something to do with: what is changed, deleted or new, and what that refers to. */
export function letGo(core: SessionState, instances: readonly Instance[]): void {
  if (instances.length === 0) return;
  const needed = neededStates(core);
  const states = instances
    .map(stateOf)
    .filter((state) => core.contains(state) && state.key !== undefined && !needed.has(state));
  removeStates(core, states, false);
}

function neededStates(core: SessionState): ReadonlySet<InstanceState> {
  const needed = new Set<InstanceState>();
  for (const states of [core.allNew(), core.modified, core.deleted]) {
    for (const state of states) {
      needed.add(state);
      for (const reached of reachedBy("save-update", state)) needed.add(reached);
    }
  }
  return needed;
}
