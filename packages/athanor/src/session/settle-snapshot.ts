import { stateOf } from "../instance/instance.ts";
import type { SessionState } from "./session-state.ts";
import type { Snapshot } from "./snapshot.ts";

/**
 * A transaction is committed, so nothing goes back to how it was: what it deleted is detached, and values are dropped where the session expires on commit.
 *
 * @param errors gets what listeners throw, none of whom keeps the others from hearing
 */
export function settleSnapshot(core: SessionState, snapshot: Snapshot, errors: unknown[]): void {
  const { deletedStates } = snapshot;
  snapshot.clear();
  const attempt = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      errors.push(error);
    }
  };
  if (core.expireOnCommit)
    for (const instance of core.identityMap.reachable()) attempt(() => core.dropCommitted(stateOf(instance)));
  for (const state of deletedStates) {
    state.owner = undefined;
    attempt(() => core.emitLifecycle("deletedToDetached", state));
  }
}
