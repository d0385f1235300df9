import type { Connection } from "../engine/connection.ts";
import type { MaybePromise } from "../engine/maybe-promise.ts";
import type { Registration } from "../event/event-node.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import { orderHierarchies } from "./order.ts";
import { writeDeletes } from "./write-deletes.ts";
import { writeSaves } from "./write-saves.ts";

/** Calls listeners of an awaited event, one after another. */
export type Emitter = (listeners: readonly Registration[], event: object) => MaybePromise<void>;

/** The row event that is being raised, if one is. */
export interface RunningEvent {
  event: string | undefined;
  target: InstanceState | undefined;
}

/** What one flush is to write, and where. */
export interface FlushWork {
  readonly connection: Connection;
  /** New instances, in the order in which they were added. */
  readonly inserts: readonly InstanceState[];
  /** Persistent instances that were changed, or declared changed. */
  readonly updates: readonly InstanceState[];
  /** Persistent instances that are to be deleted. */
  readonly deletes: readonly InstanceState[];
  /** Says which row event is being raised, for whoever must refuse something inside of it. */
  readonly running: RunningEvent;
  /** Calls the listeners of a row event. */
  readonly emit: Emitter;
  /** Gets what is odd and no error, such as a DELETE that found no row. */
  warn(message: string): void;
}

/**
 * Writes one flush: first everything that is saved, parents before children, then everything that is deleted, children before parents.
 *
 * Within a hierarchy: the `before` events of the batch, its SQL, the `after` events. The session opens the transaction before,
 * and afterwards takes note of what was written. SQLAlchemy: Session Basics, Flushing.
 */
export async function executeFlush(work: FlushWork): Promise<void> {
  const hierarchies = orderHierarchies(work);
  for (const { saves } of hierarchies) await writeSaves(saves, work);
  for (const { deletes } of hierarchies.toReversed()) await writeDeletes(deletes, work);
}
