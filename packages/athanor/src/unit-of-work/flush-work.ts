import type { Connection } from "../engine/connection.ts";
import type { MaybePromise } from "../engine/maybe-promise.ts";
import type { Registration } from "../event/event-node.ts";
import type { Instance } from "../instance/instance.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import type { ColumnProperty, Mapper } from "../mapping/mapper.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";

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
  /** The instance of a row that the session has. */
  findByKey(mapper: Mapper, key: unknown): Instance | undefined;
  /** Loads an expired instance. Where its row is gone it is taken for deleted. @returns whether the row is there */
  loadOrForget(state: InstanceState): Promise<boolean>;
  /** Whether an instance is in the session. */
  contains(state: InstanceState): boolean;
  /** Loads what is not in memory of an instance that the flush must know. */
  loadColumns(state: InstanceState, wanted?: readonly ColumnProperty[]): Promise<void>;
  /** Loads a relationship that the flush must know. */
  loadRelated(state: InstanceState, property: RelationshipProperty): Promise<void>;
  /** Finds what a reference referred to that was assigned before it was loaded. */
  loadReplaced(state: InstanceState, property: RelationshipProperty): Promise<Instance | null>;
  /** What is deleted along with an instance, by cascades. */
  deletedWith(state: InstanceState): MaybePromise<readonly InstanceState[]>;
}

/** What a flush did, for the session to take note of. */
export interface Flushed {
  readonly inserted: readonly InstanceState[];
  /** Those of the inserted that took over the row of a deleted instance. */
  readonly takenOver: readonly InstanceState[];
  readonly updated: readonly InstanceState[];
  readonly deleted: readonly InstanceState[];
}
