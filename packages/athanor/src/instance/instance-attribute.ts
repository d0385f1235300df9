import type { Registration } from "../event/event-node.ts";
import type { Initiator } from "./attribute-events.ts";
import type { History } from "./history.ts";
import type { InstanceState } from "./instance-state.ts";

/** The listeners of one attribute of one class, by event. */
export type AttributeDispatch = Readonly<Record<string, readonly Registration[] | undefined>>;

/**
 * How one attribute of one class behaves in memory: the contract that each kind of attribute implements.
 *
 * Reading, writing and history go through it, so nothing else asks which kind it has.
 */
export interface InstanceAttribute {
  readonly key: string;
  /** Its place in the values of an instance. */
  readonly slot: number;
  /** Whether a row of the database holds it; a transient property is not stored, and its value stands apart from the others. */
  readonly isStored: boolean;
  /** Assigning without listeners is nothing but storing the value. */
  readonly isPlain: boolean;
  readonly dispatch: AttributeDispatch;
  /** The value in memory; undefined where none is. */
  loadedValue(state: InstanceState): unknown;
  /** Puts a value into memory, past events and history. */
  put(state: InstanceState, value: unknown): void;
  /** The answer to reading the attribute when no value is in memory. Throws where a row has the value. */
  readMissing(state: InstanceState): unknown;
  /** Assigns, with events. */
  set(state: InstanceState, value: unknown, initiator?: Initiator): void;
  /** Takes the value away, with events. */
  delete(state: InstanceState): void;
  history(state: InstanceState): History;
}
