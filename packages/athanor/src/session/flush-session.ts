import { eachInTurn, type MaybePromise } from "../engine/maybe-promise.ts";
import { InvalidRequestError } from "../event/errors.ts";
import { type Instance, stateOf } from "../instance/instance.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import { identityKey, takeIdentity } from "../mapping/identity.ts";
import { mapperOfState, type Mapper } from "../mapping/mapper.ts";
import { describeRunning } from "../unit-of-work/emit-row.ts";
import { FlushInProgressError } from "../unit-of-work/errors.ts";
import { executeFlush, type Flushed, type FlushWork, planFlush } from "../unit-of-work/flush.ts";
import { deletedAlong } from "../unit-of-work/cascades.ts";
import { isOrphan } from "../mapping/orphans.ts";
import { removeStates } from "./attachment.ts";
import { changeOf } from "./change-log.ts";
import { ObjectDeletedError, ResourceClosedError } from "./errors.ts";
import { loadOldValues } from "./load-old-values.ts";
import type { SessionState } from "./session-state.ts";
import type { SessionTransaction } from "./session-transaction.ts";
import type { Snapshot } from "./snapshot.ts";

/**
 * Writes what is pending: `beforeFlush`, the rows with their events, `afterFlush`, the new states of the instances, `afterFlushPostexec`.
 *
 * If anything fails the transaction is rolled back, and the session waits for rollback().
 */
export async function flushSession(core: SessionState): Promise<void> {
  if (core.writing !== undefined) {
    throw new FlushInProgressError(
      `flush() was called while a flush writes rows${describeRunning(core.writing)}. ` +
        `What is to be part of a flush must be there in beforeFlush; to write something else execute a statement on the event's connection.`,
    );
  }
  if (core.isFlushing) {
    throw new InvalidRequestError(
      "The session is flushing already, and flush() was called by one of its listeners. What a listener of beforeFlush changes is part of the flush anyway.",
    );
  }
  if (core.isClean) return;
  core.isFlushing = true;
  try {
    await loadOldValues(core);
    if (core.dispatch.beforeFlush !== undefined) {
      await core.emitAndSettle(core.dispatch.beforeFlush, { session: core.session });
      // Listeners may have changed what was clean before.
      if (!core.isClean) await loadOldValues(core);
    }
    dropOrphans(core);
    if (core.isClean) return;
    const transaction = core.autobegin().open("subtransaction");
    try {
      await flushWithin(core, transaction);
    } catch (error) {
      core.writing = undefined;
      if (transaction.isClosed) throw endedByListener(error);
      await transaction.rollbackWithin({ cause: error });
      throw error;
    }
    await transaction.commitWithin(false);
  } finally {
    core.isFlushing = false;
  }
}

/** A part that was cut off from its whole before it had a row never was. */
function dropOrphans(core: SessionState): void {
  const orphans: InstanceState[] = [];
  core.new.forEach((state) => {
    if (state.relations?.isCutOff === true && isOrphan(state)) orphans.push(state);
  });
  for (const state of orphans) removeStates(core, [state], false);
}

async function flushWithin(core: SessionState, transaction: SessionTransaction): Promise<void> {
  core.writing = { event: undefined, target: undefined };
  const connected = transaction.connect();
  const connection = connected instanceof Promise ? await connected : connected;
  const dirty = core.dirtyStates();
  const orphans = dirty.filter(isOrphan);
  const work: FlushWork = {
    inserts: [...core.new],
    updates: orphans.length === 0 ? dirty : dirty.filter((state) => !isOrphan(state)),
    // A part that has lost its whole goes too.
    deletes: [...core.deleted, ...orphans],
    connection,
    running: core.writing,
    emit: core.emitter(),
    warn: (message) => core.warn(message),
    findByKey: (mapper, key) => core.findByKey(mapper, key),
    loadOrForget: (state) => loadOrForget(core, transaction, state),
    contains: (state) => core.contains(state),
    loadColumns: (state) => core.loadColumns(state),
    loadRelated: (state, property) => core.loadRelated(state, property),
    loadReplaced: (state, property) => core.loadReplaced(state, property),
    deletedWith: (state) => deletedAlong(state, (parent, property) => core.loadRelated(parent, property)),
  };
  const flushed = await executeFlush(await planFlush(work));
  core.writing = undefined;
  transaction.expectActive();
  await core.emitAndSettle(core.dispatch.afterFlush, { session: core.session });
  transaction.expectActive();
  settleDeletions(core, transaction, flushed);
  // Their identity is asked for, and where it was expired the instance has to be loaded for it.
  for (const state of stillIn(core, flushed.updated)) if (isKeyUnread(state)) await core.loadColumns(state);
  await lookAtReplaced(core, stillIn(core, flushed.inserted));
  settleSaves(core, transaction, flushed);
  await core.emitAndSettle(core.dispatch.afterFlushPostexec, { session: core.session });
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

/** A row that turns out to be gone takes its instance along. */
async function loadOrForget(
  core: SessionState,
  { snapshot }: SessionTransaction,
  state: InstanceState,
): Promise<boolean> {
  try {
    await core.loadColumns(state);
    return true;
  } catch (error) {
    if (!(error instanceof ObjectDeletedError)) throw error;
    settleDeleted(core, snapshot, [state]);
    core.emitLifecycle("persistentToDeleted", state);
    return false;
  }
}

/** Whatever the flush stumbled over, the reason is that its transaction is gone. */
function endedByListener(cause: unknown): ResourceClosedError {
  return new ResourceClosedError(
    "A listener ended the transaction while a flush was writing in it, so the flush could not be finished. " +
      "Commit and roll back outside of the events of a flush; to refuse a flush throw an error.",
    { cause },
  );
}

/** Takes note of what was written, for `afterCommit` too, and of the rows that are gone. */
function settleDeletions(
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

/** Takes note of the rows that were written: instances change their states, and their values are those of the rows. */
function settleSaves(
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

function settleDeleted(core: SessionState, snapshot: Snapshot, states: readonly InstanceState[]): void {
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
