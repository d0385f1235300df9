import { emit } from "../event/dispatch.ts";
import { InvalidRequestError } from "../event/errors.ts";
import { expectState } from "../instance/instance.ts";
import { takeIdentity } from "../mapping/identity.ts";
import { mapperOfState } from "../mapping/mapper.ts";
import type { Instance } from "../mapping/model-types.ts";
import { removeStates } from "./attachment.ts";
import { ConcurrentOperationError } from "./errors.ts";
import { SessionState } from "./session-state.ts";

/**
 * Makes an instance a new one, as if it had never been saved: it leaves its session and forgets its row, and keeps its loaded values. Added again, it
 * is inserted.
 *
 * SQLAlchemy: Session API, `make_transient`.
 * @throws ConcurrentOperationError while operations of its session are running.
 */
export function makeTransient(instance: Instance): void {
  const state = expectState(instance);
  if (state.owner instanceof SessionState) {
    if (state.owner.isBehind) {
      throw new ConcurrentOperationError(
        `${state.describe()} cannot be made transient, because operations of its session are running that may concern it. Await them first.`,
      );
    }
    removeStates(state.owner, [state], false);
  }
  state.owner = undefined;
  state.key = undefined;
  state.identity = undefined;
  state.deleted = false;
  state.allRead();
}

/**
 * Makes a new instance one that has a row: its key must be set, and what is not set counts as not loaded. Added to a session, it stands for that row.
 *
 * SQLAlchemy: Session API, `make_transient_to_detached`.
 * @throws InvalidRequestError for an instance that has a session or a row already, or no key.
 */
export function makeTransientToDetached(instance: Instance): void {
  const state = expectState(instance);
  if (state.owner !== undefined || state.key !== undefined) {
    throw new InvalidRequestError(
      `${state.describe()} is ${state.lifecycle} and not transient, so it cannot be made detached.`,
    );
  }
  const mapper = mapperOfState(state);
  if (!takeIdentity(mapper, state)) {
    throw new InvalidRequestError(
      `${state.describe()} cannot stand for a row without its key. Set ${mapper.primaryKey.map(({ key }) => key).join(", ")} first.`,
    );
  }
  state.commit();
  state.modified = false;
  state.deleted = false;
  const unloaded = state.unloadedNames();
  const { attributes } = state.instrumentation;
  state.expire(
    attributes.filter(({ slot, isStored }) => isStored && state.values[slot] === undefined),
    "makeTransientToDetached()",
  );
  const { expire } = state.instrumentation.dispatch;
  if (expire !== undefined) emit(expire, { target: instance, attrs: unloaded });
}
