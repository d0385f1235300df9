import { emit, emitReplacing } from "../event/dispatch.ts";
import { ArgumentError, InvalidRequestError } from "../event/errors.ts";
import type { Initiator } from "./attribute-events.ts";
import { History, NO_VALUE, PASSIVE_NO_RESULT, nothing, unknownHistory } from "./history.ts";
import { Instance, stateOf } from "./instance.ts";
import type { AttributeDispatch, RelatedAttribute } from "./instance-attribute.ts";
import { type InstanceState, UNCHANGED } from "./instance-state.ts";
import { noteParent } from "./parentage.ts";
import { refusedError, unloadedError } from "./unloaded-error.ts";
import type { UnloadedAs } from "./unloaded-as.ts";

/** What a relationship tells its attribute. */
export interface RelatedOptions {
  readonly key: string;
  readonly slot: number;
  /** The class of the related instances; known when all classes are. */
  readonly targetClass: () => abstract new (...args: never[]) => Instance;
  /** Throws for an instance of that class whose row the relationship cannot lead to. */
  readonly expectRelated: (value: Instance) => void;
  /**
   * What the reference of an instance with a row is, as far as that is known without asking the database: null, an instance that the session has,
   * NO_VALUE where the foreign key was never set, PASSIVE_NO_RESULT where only the database knows. By the foreign key of now, or by that of the row.
   */
  readonly known: (
    state: InstanceState,
    by: "now" | "row",
  ) => Instance | null | typeof NO_VALUE | typeof PASSIVE_NO_RESULT;
  /** The related instance may have one parent at a time, so its old value counts. */
  readonly activeHistory: () => boolean;
  /** It is read and never written, so that a change of it is no change of the instance. */
  readonly isViewOnly: boolean;
  /** What it is while it is not in memory, where the statement that loaded the instance says nothing of it. */
  readonly unloadedAs: UnloadedAs;
  /** What stands for the relationship where its parts must not be left without a parent. */
  readonly parentage: () => object | undefined;
}

/** An attribute that holds one related instance, or null. */
export class ReferenceAttribute implements RelatedAttribute {
  readonly key: string;
  readonly slot: number;
  readonly isStored = false;
  readonly isTransient = false;
  readonly isPlain = false;
  readonly isCollection = false;
  readonly dispatch: AttributeDispatch;
  readonly appendToken: Initiator;
  readonly removeToken: Initiator;
  readonly bulkReplaceToken = undefined;
  readonly #options: RelatedOptions;

  constructor(options: RelatedOptions, dispatch: AttributeDispatch) {
    this.key = options.key;
    this.slot = options.slot;
    this.#options = options;
    this.dispatch = dispatch;
    this.appendToken = Object.freeze({ key: this.key, operation: "replace" });
    this.removeToken = Object.freeze({ key: this.key, operation: "remove" });
  }

  loadedValue(state: InstanceState): unknown {
    return state.values[this.slot];
  }

  put(state: InstanceState, value: unknown): void {
    state.values[this.slot] = value;
  }

  readMissing(state: InstanceState): Instance | null {
    const unloadedAs = this.unloadedAs(state);
    if (unloadedAs !== "asked" && state.key !== undefined && !state.isChanged(this.slot)) {
      if (unloadedAs === "empty") return null;
      if (unloadedAs === "refused" && !state.inserted) throw refusedError(state, this.key);
    }
    const known = this.#known(state);
    if (known !== undefined) return known;
    throw unloadedAs === "asked" ? unloadedError(state, this.key) : refusedError(state, this.key);
  }

  set(state: InstanceState, value: unknown, initiator: Initiator = this.appendToken): void {
    this.#assign(state, this.#expect(value), initiator);
  }

  replace(state: InstanceState, [value = null]: readonly (Instance | null)[]): void {
    this.#assign(state, value, this.appendToken);
  }

  append(state: InstanceState, value: Instance, initiator: Initiator): void {
    this.#assign(state, value, initiator);
  }

  pop(state: InstanceState, value: Instance, initiator: Initiator): void {
    const old = this.#old(state);
    // Only what it refers to can be taken away: the reference may have moved on already. What it refers to in the database alone is believed.
    if (old !== value && old !== PASSIVE_NO_RESULT) return;
    if (old === PASSIVE_NO_RESULT) this.#noteParent(value, state, false);
    this.#assign(state, null, initiator);
  }

  delete(state: InstanceState): void {
    const old = this.#old(state);
    if (old === NO_VALUE && state.isNew) {
      throw new InvalidRequestError(
        `${state.describe()} has no "${this.key}" that could be deleted. It was never set.`,
      );
    }
    if (old instanceof Instance) this.#noteParent(old, state, false);
    emit(this.dispatch["remove"], { target: state.instance, value: old, initiator: this.removeToken });
    this.#change(state, undefined, old);
  }

  history(state: InstanceState): History<Instance | null> {
    const current = state.values[this.slot] as Instance | null | undefined;
    const original = state.committed === undefined ? UNCHANGED : state.committed[this.slot];
    if (state.isNew && original === UNCHANGED) {
      return current === undefined ? unknownHistory : new History([current], nothing, nothing);
    }
    if (original === UNCHANGED)
      return current === undefined ? unknownHistory : new History(nothing, [current], nothing);
    if (current === original && current !== undefined) return new History(nothing, [current], nothing);
    const deleted = original instanceof Instance ? [original] : nothing;
    return new History([current ?? null], nothing, deleted);
  }

  expire(state: InstanceState): void {
    state.values[this.slot] = undefined;
  }

  loaded(state: InstanceState): readonly Instance[] {
    const value = state.values[this.slot] as Instance | null | undefined;
    return value == null ? [] : [value];
  }

  setLoaded(state: InstanceState, values: readonly Instance[]): void {
    state.values[this.slot] = values[0] ?? null;
  }

  isLoaded(state: InstanceState): boolean {
    return state.values[this.slot] !== undefined || this.#known(state) !== undefined;
  }

  unloadedAs({ relations }: InstanceState): UnloadedAs {
    return relations?.unloadedAs?.get(this.slot) ?? this.#options.unloadedAs;
  }

  isPartial(): boolean {
    return false;
  }

  #assign(state: InstanceState, given: Instance | null, initiator: Initiator): void {
    const old = this.#old(state);
    if (old instanceof Instance && old !== given) this.#noteParent(old, state, false);
    const event = { target: state.instance, value: given, oldValue: old, initiator };
    const value = emitReplacing(this.dispatch["set"], event) as Instance | null;
    if (value !== null) this.#noteParent(value, state, true);
    this.#change(state, value, old);
  }

  #change(state: InstanceState, value: Instance | null | undefined, old: unknown): void {
    if (!this.#options.isViewOnly) {
      const isAddition = this.#isAddition(state, old);
      // Without a value, an old one must say that there was one.
      if (!isAddition || value === undefined)
        state.remember(this.slot, isAddition ? NO_VALUE : old, state.isRelatedLater);
    }
    state.values[this.slot] = value;
    if (!this.#options.isViewOnly) state.markModified();
  }

  /** What it referred to, as far as that is known without asking the database. */
  #old(state: InstanceState): Instance | null | typeof NO_VALUE | typeof PASSIVE_NO_RESULT {
    const value = state.values[this.slot] as Instance | null | undefined;
    if (value !== undefined) return value;
    const known = state.key === undefined || state.isChanged(this.slot) ? NO_VALUE : this.#options.known(state, "row");
    // A single parent must be known, so an unset one counts as none.
    if (known === NO_VALUE && this.#options.activeHistory()) return null;
    // An expired instance may turn out to be gone, so only the database knows.
    return known instanceof Instance && stateOf(known).isExpired ? PASSIVE_NO_RESULT : known;
  }

  /** The same for a reader, who takes nothing for null; undefined where the database must be asked. */
  #known(state: InstanceState): Instance | null | undefined {
    if (state.key === undefined || state.isChanged(this.slot)) return null;
    const known = this.#options.known(state, "now");
    if (known === PASSIVE_NO_RESULT) return state.inserted ? null : undefined;
    if (known === NO_VALUE) return null;
    if (known !== null && state.owner?.mustAskFor(state) === true) return undefined;
    state.values[this.slot] = known;
    return known;
  }

  /** What a new instance is given is an addition, like its other values, and needs no old value; but one that counts as null before it is set. */
  #isAddition(state: InstanceState, old: unknown): boolean {
    return state.isNew && !state.isRelatedLater && (old !== null || state.values[this.slot] !== undefined);
  }

  #noteParent(child: Instance, parent: InstanceState, has: boolean): void {
    const parentage = this.#options.parentage();
    if (parentage !== undefined) noteParent(stateOf(child), parent, parentage, has);
  }

  #expect(value: unknown): Instance | null {
    if (value === null || value === undefined) return null;
    const target = this.#options.targetClass();
    if (value instanceof target) {
      this.#options.expectRelated(value);
      return value;
    }
    const given =
      typeof value === "object" ? `an object of ${value.constructor?.name ?? "no class"}` : `a ${typeof value}`;
    throw new ArgumentError(
      `"${this.key}" refers to one ${target.name}, and was given ${given}. Assign an instance, or null.`,
    );
  }
}
