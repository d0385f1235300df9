import { emit, emitReplacing } from "../event/dispatch.ts";
import { InvalidRequestError } from "../event/errors.ts";
import type { Initiator } from "./attribute-events.ts";
import { History, NO_VALUE, nothing, unknownHistory } from "./history.ts";
import type { AttributeDispatch, InstanceAttribute } from "./instance-attribute.ts";
import { FLAGGED, type InstanceState, UNCHANGED } from "./instance-state.ts";
import type { UnloadedAs } from "./unloaded-as.ts";
import { lostError, refusedColumnError, unloadedError } from "./unloaded-error.ts";

/** What a scalar attribute is told about the column or property behind it. */
export interface ScalarOptions {
  readonly key: string;
  readonly slot: number;
  readonly isStored: boolean;
  /** Whether two values are the same to the database. */
  readonly isEqual: (left: unknown, right: unknown) => boolean;
  /** Of a part of the primary key, its place in the key. */
  readonly keyIndex: number | undefined;
  /** Primary keys and version counters: their old value is always known, so an unset one reads null. */
  readonly activeHistory: boolean;
  /** What it is while it is not in memory, where the statement that loaded the instance says nothing of it. */
  readonly unloadedAs: UnloadedAs;
}

/** An attribute that holds one value, stored in a column or transient. */
export class ScalarAttribute implements InstanceAttribute {
  readonly key: string;
  readonly slot: number;
  readonly isStored: boolean;
  readonly isTransient: boolean;
  readonly isPlain: boolean;
  readonly dispatch: AttributeDispatch;
  readonly #keyIndex: number | undefined;
  readonly isEqual: (left: unknown, right: unknown) => boolean;
  /** Its old value is always known: loaded before a flush where memory has none. Listeners may ask for it. */
  activeHistory: boolean;
  readonly #unloadedAs: UnloadedAs;
  readonly #replace: Initiator;
  readonly #remove: Initiator;

  constructor(options: ScalarOptions, dispatch: AttributeDispatch) {
    this.key = options.key;
    this.slot = options.slot;
    this.isStored = options.isStored;
    this.isTransient = !options.isStored;
    this.isPlain = options.isStored;
    this.isEqual = options.isEqual;
    this.#keyIndex = options.keyIndex;
    this.dispatch = dispatch;
    this.activeHistory = options.activeHistory;
    this.#unloadedAs = options.unloadedAs;
    this.#replace = Object.freeze({ key: this.key, operation: "replace" });
    this.#remove = Object.freeze({ key: this.key, operation: "remove" });
  }

  loadedValue(state: InstanceState): unknown {
    return this.isStored ? state.values[this.slot] : state.transientValues?.[this.slot];
  }

  put(state: InstanceState, value: unknown): void {
    if (this.isStored) state.values[this.slot] = value;
    else (state.transientValues ??= [])[this.slot] = value;
  }

  readMissing(state: InstanceState): unknown {
    if (this.isStored && state.key === undefined && state.isUnread(this.slot)) throw lostError(state, this.key);
    if (this.isStored && state.key !== undefined && !this.#wasDeleted(state)) {
      const known = this.#fromIdentity(state);
      if (known !== undefined) return known;
      if (state.isUnread(this.slot)) {
        throw this.unloadedAs(state) === "asked" ? unloadedError(state, this.key) : refusedColumnError(state, this.key);
      }
      // Nothing is missing, so the column was never set when its row was inserted: it holds NULL.
      return null;
    }
    const listeners = this.dispatch.initScalar;
    if (listeners === undefined) return undefined;
    return emitReplacing(listeners, {
      target: state.instance,
      value: undefined as unknown,
      get dict(): Record<string, unknown> {
        return valuesByKey(state);
      },
    });
  }

  unloadedAs({ relations }: InstanceState): UnloadedAs {
    return relations?.unloadedAs?.get(this.slot) ?? this.#unloadedAs;
  }

  set(state: InstanceState, value: unknown, initiator: Initiator = this.#replace): void {
    const listeners = this.dispatch.set;
    if (listeners !== undefined) {
      const old = this.#knownValue(state);
      const isKnown = this.activeHistory && state.key !== undefined && !state.isUnread(this.slot);
      const oldValue = old !== undefined ? old : isKnown ? null : NO_VALUE;
      value = emitReplacing(listeners, { target: state.instance, value, oldValue, initiator });
    }
    this.store(state, value);
  }

  /** Assigns without events, keeping the old value for the history. */
  store(state: InstanceState, value: unknown): void {
    const { slot } = this;
    if (!state.isNew || state.written) {
      // A row has no `undefined`: left as it is, it would read as "not loaded".
      if (value === undefined && this.isStored) value = null;
      state.remember(slot, this.#knownValue(state));
    }
    this.put(state, value);
    state.markModified(this.slot);
  }

  delete(state: InstanceState): void {
    const old = this.loadedValue(state);
    const listeners = this.dispatch.remove;
    if (listeners !== undefined) {
      emit(listeners, { target: state.instance, value: old === undefined ? NO_VALUE : old, initiator: this.#remove });
    }
    if (old === undefined && (state.isNew || this.#wasDeleted(state))) {
      throw new InvalidRequestError(
        `${state.describe()} has no value for "${this.key}" that could be deleted. It was never set. Check with inspect(…).attributes first.`,
      );
    }
    if (!state.isNew || state.written) state.remember(this.slot, old);
    this.put(state, undefined);
    state.markModified(this.slot);
  }

  expire(state: InstanceState): void {
    if (this.isStored) state.values[this.slot] = undefined;
  }

  history(state: InstanceState): History {
    const current = this.loadedValue(state);
    if (state.isNew) return current === undefined ? unknownHistory : new History([current], nothing, nothing);
    const original = state.committed === undefined ? UNCHANGED : state.committed[this.slot];
    if (original === UNCHANGED)
      return current === undefined ? unknownHistory : new History(nothing, [current], nothing);
    if (original === NO_VALUE || original === FLAGGED)
      return new History([current === undefined ? null : current], nothing, nothing);
    if (current === undefined) return new History(nothing, nothing, [original]);
    if (this.isEqual(current, original)) return new History(nothing, [current], nothing);
    return new History([current], nothing, [original]);
  }

  #knownValue(state: InstanceState): unknown {
    const loaded = this.loadedValue(state);
    return loaded === undefined && this.#keyIndex !== undefined ? this.#fromIdentity(state) : loaded;
  }

  /** A part of the key is known as long as the row is, also when the values were expired. */
  #fromIdentity(state: InstanceState): unknown {
    if (this.#keyIndex === undefined || state.key === undefined || this.#wasDeleted(state)) return undefined;
    return state.identityValues[this.#keyIndex];
  }

  /** Deleted in memory, so that its row has a value which no longer counts: reading it must not load. */
  #wasDeleted(state: InstanceState): boolean {
    return (
      state.committed !== undefined && state.committed[this.slot] !== UNCHANGED && this.loadedValue(state) === undefined
    );
  }
}

/** The values of an instance as a plain object: reads and writes pass events and history by. */
function valuesByKey(state: InstanceState): Record<string, unknown> {
  const { instrumentation } = state;
  const attributeOf = (key: string | symbol): InstanceAttribute | undefined =>
    typeof key === "string" ? instrumentation.find(key) : undefined;
  return new Proxy({} as Record<string, unknown>, {
    get: (_, key) => attributeOf(key)?.loadedValue(state),
    has: (_, key) => attributeOf(key)?.loadedValue(state) !== undefined,
    set: (_, key, value) => {
      if (typeof key !== "string") return false;
      instrumentation.expect(key).put(state, value);
      return true;
    },
    ownKeys: () =>
      instrumentation.attributes
        .filter((attribute) => attribute.loadedValue(state) !== undefined)
        .map(({ key }) => key),
    getOwnPropertyDescriptor: (_, key) => {
      const value = attributeOf(key)?.loadedValue(state);
      return value === undefined ? undefined : { value, writable: true, enumerable: true, configurable: true };
    },
  });
}
