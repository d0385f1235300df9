import { InvalidRequestError } from "../event/errors.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import { describeRunning } from "../unit-of-work/emit-row.ts";
import { FlushInProgressError } from "../unit-of-work/errors.ts";
import { flush } from "../unit-of-work/flush.ts";
import type { FlushWork } from "../unit-of-work/flush-work.ts";
import { deletedAlong } from "../unit-of-work/cascades.ts";
import { isOrphan } from "../mapping/orphans.ts";
import { removeStates } from "./attachment.ts";
import { ObjectDeletedError, ResourceClosedError } from "./errors.ts";
import { loadOldValues } from "./load-old-values.ts";
import { loadIdentities, settleDeleted, settleDeletions, settleSaves } from "./settle-flush.ts";
import type { SessionState } from "./session-state.ts";
import type { SessionTransaction } from "./session-transaction.ts";

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
    loadColumns: (state, wanted) => core.loadColumns(state, wanted),
    loadRelated: (state, property) => core.loadRelated(state, property, undefined, "all"),
    loadReplaced: (state, property) => core.loadReplaced(state, property),
    deletedWith: (state) =>
      deletedAlong(state, (parent, property) => core.loadRelated(parent, property, undefined, "all")),
  };
  const flushed = await flush(work);
  core.writing = undefined;
  transaction.expectActive();
  await core.emitAndSettle(core.dispatch.afterFlush, { session: core.session });
  transaction.expectActive();
  settleDeletions(core, transaction, flushed);
  await loadIdentities(core, flushed);
  settleSaves(core, transaction, flushed);
  await core.emitAndSettle(core.dispatch.afterFlushPostexec, { session: core.session });
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
