import { eachInTurn, type MaybePromise } from "../engine/maybe-promise.ts";
import { type Instance, stateOf } from "../instance/instance.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import { identityKey, takeIdentity } from "../mapping/identity.ts";
import { mapperOfState, type Mapper } from "../mapping/mapper.ts";
import type { Flushed } from "../unit-of-work/flush-work.ts";
import { changeOf } from "./change-log.ts";
import type { SessionState } from "./session-state.ts";
import type { SessionTransaction } from "./session-transaction.ts";
import type { Snapshot } from "./snapshot.ts";

/** Takes note of what was written, for `afterCommit` too, and of the rows that are gone. */
export function settleDeletions(
  core: SessionState,
  { snapshot }: SessionTransaction,
  { inserted: inserts, updated: updates, deleted: deletes }: Flushed,
): void {
  if (core.dispatch.afterCommit !== undefined) {
    for (const state of inserts) snapshot.changes.push(changeOf(state, "insert"));
    for (const state of updates) snapshot.changes.push(changeOf(state, "update"));
    for (const state of deletes) snapshot.changes.push(changeOf(state, "delete"));
  }
  const deletedHere = stillIn(core, deletes);
  if (deletedHere.length === 0) return;
  settleDeleted(core, snapshot, deletedHere);
  if (core.dispatch.persistentToDeleted === undefined) return;
  for (const state of deletedHere) core.emitLifecycle("persistentToDeleted", state);
}

/** Finds out the keys of what was written, as far as they are not in memory: the identity map goes by them. */
export async function loadIdentities(core: SessionState, { inserted, updated }: Flushed): Promise<void> {
  for (const state of stillIn(core, updated)) if (isKeyUnread(state)) await core.loadColumns(state);
  await lookAtReplaced(core, stillIn(core, inserted));
}

/**
 * The database has given a new row the key of one that the session still has an instance of: that row was deleted behind its back, and its instance is replaced. It
 * is asked for its identity, as SQLAlchemy does, for which it is loaded where it was expired.
 */
function lookAtReplaced(core: SessionState, inserted: readonly InstanceState[]): MaybePromise<void> {
  let last: Mapper | undefined;
  let known = new Map<unknown, Instance>();
  return eachInTurn(inserted, (state) => {
    const mapper = mapperOfState(state);
    if (mapper !== last) known = core.identityMap.of((last = mapper));
    if (known.size === 0) return undefined;
    const written = state.writtenValues();
    const key = mapper.primaryKey.map(({ slot }) => written[slot]);
    const replaced = known.get(identityKey(mapper, key));
    return replaced === undefined || replaced === state.instance
      ? undefined
      : warnOfReplaced(core, mapper, key, replaced);
  });
}

async function warnOfReplaced(
  core: SessionState,
  mapper: Mapper,
  key: readonly unknown[],
  replaced: Instance,
): Promise<void> {
  if (isKeyUnread(stateOf(replaced))) await core.loadColumns(stateOf(replaced));
  core.modified.delete(stateOf(replaced));
  core.warn(
    `The new row of ${mapper.class.name} got the key ${key.map(String).join(", ")}, of which the session has another instance. That one's row was deleted without the session's ` +
      `knowledge, by SQL of your own or with synchronizeSession: false; it is replaced. Expunge instances whose rows you delete so.`,
  );
}

function isKeyUnread(state: InstanceState): boolean {
  return state.unread !== undefined && mapperOfState(state).primaryKey.some(({ slot }) => state.isUnread(slot));
}

/** Takes note of the rows that were written: instances change their states, and their values are those of the rows. */
export function settleSaves(
  core: SessionState,
  { snapshot }: SessionTransaction,
  { inserted, takenOver, updated }: Flushed,
): void {
  const inserts = stillIn(core, inserted);
  const updates = stillIn(core, updated);
  settleInserted(core, inserts);
  for (const state of takenOver) settleTakenOver(state);
  for (const state of updates) settleUpdated(core, snapshot, state);
  if (core.dispatch.pendingToPersistent !== undefined)
    for (const state of inserts) core.emitLifecycle("pendingToPersistent", state);
  snapshot.addNew(core.takeNew(inserts));
}

/** What a listener of the flush has taken out of the session is none of its business any more. */
function stillIn(core: SessionState, states: readonly InstanceState[]): readonly InstanceState[] {
  return states.every(({ owner }) => owner === core) ? states : states.filter(({ owner }) => owner === core);
}

/** Their rows are gone. */
export function settleDeleted(core: SessionState, snapshot: Snapshot, states: readonly InstanceState[]): void {
  for (let index = 0; index < states.length; index++) {
    const state = states[index] as InstanceState;
    // Its row was deleted as it was before, so what was changed stays a change.
    state.endWriting();
    state.deleted = true;
    core.stateUnmodified(state);
    core.identityMap.discard(state);
  }
  snapshot.addDeleted(core.takeDeleted(states));
}

function settleInserted(core: SessionState, states: readonly InstanceState[]): void {
  let last: Mapper | undefined;
  let identities = new Map<unknown, Instance>();
  for (let index = 0; index < states.length; index++) {
    const state = states[index] as InstanceState;
    const mapper = mapperOfState(state);
    if (mapper !== last) identities = core.identityMap.of((last = mapper));
    takeIdentity(mapper, state);
    state.commit();
    state.inserted = true;
    if (state.relations !== undefined) state.relations.isCutOff = false;
    const replaced = identities.get(state.key);
    identities.set(state.key, state.instance);
    state.takePlace(replaced === undefined ? undefined : stateOf(replaced));
    if (state.modified) core.modified.add(state);
  }
}

/** What it was not given, its row has from the instance before. */
function settleTakenOver(state: InstanceState): void {
  state.inserted = false;
  state.addUnread(state.instrumentation.columnSlots);
  state.expiredBy = "a flush in which it took over the row of a deleted instance";
}

function settleUpdated(core: SessionState, snapshot: Snapshot, state: InstanceState): void {
  const mapper = mapperOfState(state);
  if (mapper.primaryKey.some(({ slot }) => state.isChanged(slot))) {
    const { key, identity } = state;
    core.identityMap.discard(state);
    takeIdentity(mapper, state);
    core.takeRow(state);
    // Assigned the same value, it has not changed.
    if (state.key !== key && !snapshot.oldKeys.has(state)) snapshot.oldKeys.set(state, { key, identity });
  }
  state.commit();
  snapshot.dirtyStates.add(state);
  if (!state.modified) core.modified.delete(state);
}
