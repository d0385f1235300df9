import { InvalidRequestError } from "../event/errors.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import type { MaybePromise } from "../engine/maybe-promise.ts";
import { mapperOfState } from "../mapping/mapper.ts";
import { deletedAlong, reachedBy } from "../unit-of-work/cascades.ts";
import type { SessionState } from "./session-state.ts";

/** Adds an instance, and what it draws along: a new one is to be inserted, a detached one comes back. */
export function addState(core: SessionState, state: InstanceState): void {
  core.expectNoWriting("session.add()", state);
  expectRow(state);
  core.autobegin();
  // Who adds a part by itself means it, even without its whole.
  if (state.relations !== undefined) state.relations.isCutOff = false;
  addOne(core, state);
  for (const related of reachedBy("save-update", state, (reached) => core.contains(reached))) addOne(core, related);
}

function addOne(core: SessionState, state: InstanceState): void {
  expectRow(state);
  if (state.owner !== core) {
    expectNoShadow(state);
    if (state.key === undefined) attachNew(core, state);
    else attachDetached(core, state);
    return;
  }
  // What was called before may take it out yet.
  if (core.isBehind) {
    core.takeTurn("session.add()", [], () => addState(core, state));
    return;
  }
  core.deleted.delete(state);
  core.cascading.delete(state);
  if (state.key !== undefined) expectRowTaken(core, state);
}

/** Another instance may have come to stand for its row; where none has, it does so itself. */
function expectRowTaken(core: SessionState, state: InstanceState): void {
  if (core.identityMap.holds(state)) return;
  expectNoOther(core, state);
  core.takeRow(state);
}

/** Refuses an instance whose row was deleted. */
function expectRow(state: InstanceState): void {
  if (state.deleted && state.key !== undefined) {
    throw new InvalidRequestError(
      `${state.describe()} was deleted, and its row is gone. To insert it again as a new row call makeTransient(instance) first, then add it.`,
    );
  }
}

/** Marks an instance for deletion by the next flush, at once; what goes along with it follows when it is loaded. */
export function deleteState(core: SessionState, state: InstanceState): MaybePromise<void> {
  core.expectNoWriting("session.delete()", state);
  if (state.key === undefined) {
    throw new InvalidRequestError(
      `${state.describe()} cannot be deleted, because it is not persisted: no row of it exists. ` +
        (state.owner === core
          ? "Take it back out of the session with session.expunge(instance)."
          : "It was never added and flushed."),
    );
  }
  if (core.deleted.has(state) || core.cascading.has(state)) return;
  if (!mapperOfState(state).relationships.some(({ cascade }) => cascade.has("delete"))) return deleteOne(core, state);
  if (state.owner !== core) attachDetached(core, state);
  core.autobegin();
  return deleteAlong(core, state);
}

function deleteAlong(core: SessionState, state: InstanceState): MaybePromise<void> {
  // Marked, but not for a flush: loading what goes along may flush, and it must go with that.
  core.cascading.add(state);
  // What belongs to no session cannot be loaded, and what it leads to is not known.
  const along = deletedAlong(state, async (parent, property) => {
    if (parent.owner === core) await core.loadRelated(parent, property, undefined, "all");
  });
  if (along instanceof Promise)
    return along.then((loaded) => deleteWith(core, state, loaded)).finally(() => core.cascading.delete(state));
  try {
    deleteWith(core, state, along);
  } finally {
    core.cascading.delete(state);
  }
}

function deleteWith(core: SessionState, state: InstanceState, along: readonly InstanceState[]): void {
  // It may have been added again meanwhile.
  if (!core.cascading.has(state)) return;
  deleteOne(core, state);
  for (const related of along) if (related.key !== undefined) deleteOne(core, related);
}

function deleteOne(core: SessionState, state: InstanceState): void {
  if (core.deleted.has(state)) return;
  if (state.owner !== core) attachDetached(core, state);
  else expectRowTaken(core, state);
  core.autobegin();
  core.deleted.add(state);
}

function attachNew(core: SessionState, state: InstanceState): void {
  beforeAttach(core, state);
  state.owner = core;
  core.admit(state);
  core.emitLifecycle("afterAttach", state);
  core.emitLifecycle("transientToPending", state);
}

function attachDetached(core: SessionState, state: InstanceState): void {
  beforeAttach(core, state);
  expectNoOther(core, state);
  state.owner = core;
  core.admit(state);
  core.emitLifecycle("afterAttach", state);
  core.emitLifecycle("detachedToPersistent", state);
}

/** Refuses a second instance for one row: one that comes from outside, or one that another has replaced since it was loaded. */
function expectNoOther(core: SessionState, state: InstanceState): void {
  const existing = core.identityMap.of(mapperOfState(state)).get(state.key);
  if (existing === undefined || existing === state.instance) return;
  throw new InvalidRequestError(
    `${state.describe()} cannot be added, because the session has another instance for the same row. Use that one, which session.get() returns, and copy your changes to it.`,
  );
}

function beforeAttach(core: SessionState, state: InstanceState): void {
  core.autobegin();
  if (state.owner !== undefined && state.owner !== core) {
    throw new InvalidRequestError(
      `${state.describe()} belongs to another session already. An instance has one session at a time: take it out there with expunge(), or load it here with session.get().`,
    );
  }
  core.emitLifecycle("beforeAttach", state);
}

/** Expires what an expired instance leads to; a part that was never saved goes. */
export function expireRelated(core: SessionState, state: InstanceState, reason: string): void {
  if (state.owner !== core) return;
  if (state.key === undefined) removeStates(core, [state], false);
  else core.drop(state, reason);
}

/** Refuses to take out what is not in the session. */
export function expectOwned(core: SessionState, state: InstanceState): void {
  if (state.owner !== core) {
    throw new InvalidRequestError(`${state.describe()} cannot be expunged, because it is not in this session.`);
  }
}

/** Takes an instance out of the session; the database is not touched. */
export function expungeState(core: SessionState, state: InstanceState): void {
  expectOwned(core, state);
  // As in SQLAlchemy, what is reached and in no session is told once more; what is in another session is none of this one's business.
  const along = reachedBy("expunge", state).filter(({ owner }) => owner === core || owner === undefined);
  removeStates(core, [state, ...along], false);
}

/**
 * Takes instances out of the session, each with the event of what it was. All of them leave, whatever listeners throw.
 *
 * @param toTransient their rows do not exist (any more), so they lose their keys. That they were deleted stays known, as in SQLAlchemy, until makeTransient
 * @throws what the first listener threw
 */
export function removeStates(core: SessionState, states: readonly InstanceState[], toTransient: boolean): void {
  for (let index = 0; index < states.length; index++) {
    const state = states[index] as InstanceState;
    core.dismiss(state);
    if (state.deleted) forgetDeletion(core, state);
  }
  const errors: unknown[] = [];
  for (let index = 0; index < states.length; index++) {
    const state = states[index] as InstanceState;
    const was = state.deleted ? "deleted" : state.key === undefined ? "pending" : "persistent";
    state.owner = undefined;
    state.endWriting();
    if (toTransient) {
      state.key = undefined;
      state.identity = undefined;
    }
    try {
      if (was === "pending") core.emitLifecycle("pendingToTransient", state);
      else if (was === "deleted") core.emitLifecycle("deletedToDetached", state);
      else core.emitLifecycle(toTransient ? "persistentToTransient" : "persistentToDetached", state);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

/** Takes every instance that the running operation knows out of the session. */
export function removeAll(core: SessionState): void {
  const states = core.allStates();
  core.dismissAll();
  removeStates(core, states, false);
}

/** Somebody else has deleted the row of a persistent instance: a statement, or another transaction. */
export function rowIsGone(core: SessionState, state: InstanceState): void {
  state.deleted = true;
  core.identityMap.discard(state);
  core.modified.delete(state);
  core.deleted.delete(state);
  core.transaction?.snapshot.deletedStates.add(state);
  core.emitLifecycle("persistentToDeleted", state);
}

/** What leaves the session is none of its transactions' business any more. */
function forgetDeletion({ transaction }: SessionState, state: InstanceState): void {
  for (let current = transaction; current !== undefined; current = current.parent)
    current.snapshot.deletedStates.delete(state);
}

/** Undoes a deletion, flushed or not; one that has left the session stays out. */
export function restoreDeleted(core: SessionState, state: InstanceState): void {
  core.deleted.delete(state);
  if (state.owner !== core) return;
  state.deleted = false;
  core.takeRow(state);
  core.emitLifecycle("deletedToPersistent", state);
}

const checked = new WeakSet<object>();

/**
 * Refuses an instance whose class has a field with an attribute's name: it hides the attribute, so that nothing would be saved.
 * A class's fields are the same on each instance, so the first good one vouches for the rest.
 */
function expectNoShadow({ instance, instrumentation }: InstanceState): void {
  if (checked.has(instrumentation)) return;
  for (const { key } of instrumentation.attributes) {
    if (!Object.hasOwn(instance, key)) continue;
    const name = instrumentation.class.name;
    throw new InvalidRequestError(
      `The field "${key}" of ${name} hides the attribute of that name, so nothing assigned to it would be saved. ` +
        `Remove the field from the class, or write "declare ${key}: …" if you only meant its type.`,
    );
  }
  checked.add(instrumentation);
}
