import type { Registration } from "../event/event-node.ts";
import type { Initiator } from "./attribute-events.ts";
import type { History } from "./history.ts";
import type { Instance } from "./instance.ts";
import type { InstanceState } from "./instance-state.ts";
import type { UnloadedAs } from "./unloaded-as.ts";

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
  /** Whether a column of its own row holds it: not a relationship, and not a transient property, whose value stands apart from the others. */
  readonly isStored: boolean;
  /** Whether its value is never saved, and so stands apart from the others. */
  readonly isTransient: boolean;
  /** Assigning without listeners is nothing but storing the value. */
  readonly isPlain: boolean;
  readonly dispatch: AttributeDispatch;
  /** What it is to those who ask for it while it is not in memory. */
  unloadedAs(state: InstanceState): UnloadedAs;
  /** The value in memory; undefined where none is. */
  loadedValue(state: InstanceState): unknown;
  /** Puts a value into memory, past events and history. */
  put(state: InstanceState, value: unknown): void;
  /** The answer to reading the attribute when no value is in memory. Throws where the database has the value. */
  readMissing(state: InstanceState): unknown;
  /** Assigns, with events. */
  set(state: InstanceState, value: unknown, initiator?: Initiator): void;
  /** Takes the value away, with events. */
  delete(state: InstanceState): void;
  history(state: InstanceState): History;
  /** Drops the value, so that the database is asked next time; a transient value stays. */
  expire(state: InstanceState): void;
}

/** How a relationship's attribute behaves: what the other side of the relationship, cascades and the flush need of it. */
export interface RelatedAttribute extends InstanceAttribute {
  readonly isCollection: boolean;
  /** The token of adding through this very attribute. */
  readonly appendToken: Initiator;
  readonly removeToken: Initiator;
  readonly bulkReplaceToken: Initiator | undefined;
  /** Adds to a collection, or assigns a reference, because the other side was changed. */
  append(state: InstanceState, value: Instance, initiator: Initiator): void;
  /** Takes out of a collection, or unsets a reference that has this value, because the other side was changed. */
  pop(state: InstanceState, value: Instance, initiator: Initiator): void;
  /** Assigns what it is to hold, with events: the members of a collection, one reference or none. What it holds now must be in memory, if it is a collection. */
  replace(state: InstanceState, values: readonly Instance[]): void;
  /** What is in memory, pending changes of an unloaded collection too. Loads nothing. */
  loaded(state: InstanceState): readonly Instance[];
  /** Gives it what was loaded: no event, nothing to flush; pending changes are taken up. */
  setLoaded(state: InstanceState, values: readonly Instance[]): void;
  /** Whether its value is in memory, or known without asking. */
  isLoaded(state: InstanceState): boolean;
  /** Whether what `loaded` tells of was put in through this very attribute, although it is not in memory as a whole. */
  isPartial(state: InstanceState): boolean;
}

export function isRelated(attribute: InstanceAttribute): attribute is RelatedAttribute {
  return "appendToken" in attribute;
}
