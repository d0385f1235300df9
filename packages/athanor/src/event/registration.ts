import type { EventNode } from "./event-node.ts";

/** A listener as the event layer sees it; the public functions give it its real type. */
// oxlint-disable-next-line typescript/no-explicit-any -- every listener must be assignable to it, and it must be callable
export type Listener = (event: any) => unknown;

/**
 * How a listener is registered.
 *
 * SQLAlchemy: Core Events, "Modifiers".
 */
export interface ListenOptions<TRetval extends boolean = boolean> {
  /** Whether what inherits from the target (subclasses, their attributes) is listened to as well. True unless it is set to false. */
  propagate?: boolean;
  /** Calls the listener for the first event only. A listener that throws has been called. */
  once?: boolean;
  /** Puts the listener before all others of the target, the built-in ones included. The last one inserted runs first. */
  insert?: boolean;
  /** Lets the listener's result replace the value, where the event has one to replace. Returning `undefined` keeps it. */
  retval?: TRetval;
  /**
   * Attribute events: an old value that is not in memory is loaded before the flush, so that histories know it from `beforeFlush` on. The listener itself does not
   * get it: an assignment cannot wait.
   */
  activeHistory?: boolean;
  /** Removes the listener when the signal is aborted. */
  signal?: AbortSignal;
}

/** Within one level, inserted listeners run before built-in ones, and those before ordinary ones. */
const RANK = { inserted: 0, builtin: 1, ordinary: 2 } as const;

let registrationCount = 0;

/** One listener of one event of one target: what a list of listeners holds. */
export class Registration {
  readonly node: EventNode;
  readonly name: string;
  readonly listener: Listener;
  readonly options: Readonly<ListenOptions>;
  readonly propagate: boolean;
  readonly once: boolean;
  readonly retval: boolean;
  /** Rank and position are for {@link byOrder}. No two registrations have one position, so their order is never open. */
  readonly rank: number;
  readonly position: number;
  #fired = false;
  #removed = false;
  #forgetSignal: (() => void) | undefined;

  constructor(node: EventNode, name: string, listener: Listener, options: ListenOptions, builtin: boolean) {
    this.node = node;
    this.name = name;
    this.listener = listener;
    this.options = Object.freeze({ ...options });
    this.propagate = options.propagate !== false;
    this.once = options.once === true;
    this.retval = options.retval === true;
    this.rank = options.insert === true ? RANK.inserted : builtin ? RANK.builtin : RANK.ordinary;
    this.position = options.insert === true ? -++registrationCount : ++registrationCount;
    if (options.signal !== undefined) this.#forgetSignal = removeOnAbort(this, options.signal);
  }

  /** Whether this is a `once` listener that has been called. */
  get fired(): boolean {
    return this.#fired;
  }

  /**
   * Whether the listener may be called now. Asking is taking: of a `once` listener, only the first caller gets a yes, however many dispatches are
   * under way. It leaves the lists before it runs, so that events it causes itself do not reach it.
   */
  claim(): boolean {
    if (!this.once) return true;
    if (this.#fired) return false;
    this.#fired = true;
    this.node.refresh(this.name);
    return true;
  }

  /** Takes the listener off its target. Without effect if it is removed already, also if the same function was registered anew since. */
  remove(): void {
    if (!this.#removed) this.node.remove(this.name, this.listener);
  }

  /** For the node: this registration has ended. */
  markRemoved(): void {
    this.#removed = true;
    this.#forgetSignal?.();
  }
}

/** Negative when `a` runs before `b`, wherever the two were registered. */
export function byOrder(a: Registration, b: Registration): number {
  return a.node.level - b.node.level || a.rank - b.rank || a.position - b.position;
}

/** Takes the abort listeners of targets that were collected off signals that live on. */
const collectedRegistrations = new FinalizationRegistry<() => void>((forgetSignal) => forgetSignal());

function removeOnAbort(registration: Registration, signal: AbortSignal): () => void {
  // A signal may outlive the target, so what it holds must not hold the registration.
  const reference = new WeakRef(registration);
  const abort = () => reference.deref()?.remove();
  const forgetSignal = () => signal.removeEventListener("abort", abort);
  signal.addEventListener("abort", abort, { once: true });
  collectedRegistrations.register(registration, forgetSignal, reference);
  return () => {
    forgetSignal();
    collectedRegistrations.unregister(reference);
  };
}
