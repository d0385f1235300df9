import { emit, emitReplacing } from "../event/dispatch.ts";
import { ArgumentError, InvalidRequestError } from "../event/errors.ts";
import type { Initiator } from "./attribute-events.ts";
import { History, nothing, unknownHistory } from "./history.ts";
import { type Instance, stateOf } from "./instance.ts";
import type { AttributeDispatch, RelatedAttribute } from "./instance-attribute.ts";
import { type InstanceState, UNCHANGED } from "./instance-state.ts";
import { noteParent } from "./parentage.ts";
import type { RelatedOptions } from "./reference-attribute.ts";
import { writeOnlyError } from "./unloaded-error.ts";

/**
 * What was put into a write-only collection and taken out of it. It stands where others keep their old value, and goes when that does: with a flush, an expiry, a
 * rollback.
 */
class Changes {
  readonly added = new Set<Instance>();
  readonly removed = new Set<Instance>();

  /** What is taken out and put back, or the other way round, is as it was. */
  note(item: Instance, isAdded: boolean): void {
    const [into, from] = isAdded ? [this.added, this.removed] : [this.removed, this.added];
    if (!from.delete(item)) into.add(item);
  }
}

type MakeCollection = (attribute: WriteOnlyAttribute, state: InstanceState) => object;

let makeCollection: MakeCollection;

/** What a write-only attribute reads as: it makes statements, so the layer of those says how it is made. */
export function makeWriteOnlyCollectionsBy(make: MakeCollection): void {
  makeCollection = make;
}

/** An attribute that stands for a collection which is never in memory: it takes additions and removals. */
export class WriteOnlyAttribute implements RelatedAttribute {
  readonly key: string;
  readonly slot: number;
  readonly isStored = false;
  readonly isTransient = false;
  readonly isPlain = false;
  readonly isCollection = true;
  readonly dispatch: AttributeDispatch;
  readonly appendToken: Initiator;
  readonly removeToken: Initiator;
  readonly bulkReplaceToken: Initiator;
  readonly #options: RelatedOptions;

  constructor(options: RelatedOptions, dispatch: AttributeDispatch) {
    this.key = options.key;
    this.slot = options.slot;
    this.#options = options;
    this.dispatch = dispatch;
    this.appendToken = Object.freeze({ key: this.key, operation: "append" });
    this.removeToken = Object.freeze({ key: this.key, operation: "remove" });
    this.bulkReplaceToken = Object.freeze({ key: this.key, operation: "bulkReplace" });
  }

  loadedValue(): undefined {
    return undefined;
  }

  put(state: InstanceState): never {
    throw writeOnlyError(state, this.key);
  }

  readMissing(state: InstanceState): object {
    return makeCollection(this, state);
  }

  set(state: InstanceState, value: unknown): void {
    if (!Array.isArray(value)) {
      throw new ArgumentError(
        `"${this.key}" is a write-only collection, and was given ${value === null ? "null" : `a ${typeof value}`}. A new instance takes an array for it; to one that has it, ` +
          `use add(), addAll() and remove().`,
      );
    }
    this.replace(
      state,
      value.map((item) => this.expectElement(item)),
    );
  }

  replace(state: InstanceState, values: readonly Instance[]): void {
    this.#expectKnown(state);
    emit(this.dispatch["bulkReplace"], { target: state.instance, values, initiator: this.bulkReplaceToken });
    const before = new Set(this.loaded(state));
    const after = new Set(values);
    for (const item of after) {
      const event = { target: state.instance, value: item, initiator: this.bulkReplaceToken, key: undefined };
      if (before.has(item)) emit(this.dispatch["appendWithoutMutation"], event);
      else this.append(state, item, this.bulkReplaceToken);
    }
    for (const item of before) if (!after.has(item)) this.pop(state, item, this.bulkReplaceToken);
  }

  append(state: InstanceState, value: Instance, initiator: Initiator): void {
    const event = { target: state.instance, value, initiator, key: undefined };
    const item = emitReplacing(this.dispatch["append"], event) as Instance;
    this.#note(state, item, true);
  }

  pop(state: InstanceState, value: Instance, initiator: Initiator): void {
    this.#noteParent(value, state, false);
    emit(this.dispatch["remove"], { target: state.instance, value, initiator, key: undefined });
    this.#note(state, value, false);
  }

  delete(state: InstanceState): void {
    this.#expectKnown(state);
    for (const item of this.loaded(state)) this.pop(state, item, this.removeToken);
  }

  history(state: InstanceState): History<Instance> {
    const changes = changesIn(state.committed, this.slot);
    return changes === undefined ? unknownHistory : new History([...changes.added], nothing, [...changes.removed]);
  }

  /** What it has in memory goes with the changes of the instance. */
  expire(): void {}

  loaded(state: InstanceState): readonly Instance[] {
    const { slot } = this;
    const [changes, later] = [changesIn(state.committed, slot), changesIn(state.committedAfterWrite, slot)];
    if (changes === undefined && later === undefined) return nothing;
    return [...(changes?.added ?? []), ...(later?.added ?? [])].filter((item) => later?.removed.has(item) !== true);
  }

  setLoaded(state: InstanceState): never {
    throw writeOnlyError(state, this.key);
  }

  isLoaded(state: InstanceState): boolean {
    return state.key === undefined;
  }

  unloadedAs(): "never" {
    return "never";
  }

  isPartial(): boolean {
    return true;
  }

  /** Refuses what is no instance of the class at the other end. */
  expectElement(item: unknown): Instance {
    const target = this.#options.targetClass();
    if (item instanceof target) {
      this.#options.expectRelated(item);
      return item;
    }
    throw new ArgumentError(
      `"${this.key}" holds instances of ${target.name}, and was given ${item === null ? "null" : typeof item === "object" ? `an object of ${item.constructor?.name ?? "no class"}` : `a ${typeof item}`}.`,
    );
  }

  #note(state: InstanceState, item: Instance, isAdded: boolean): void {
    if (!this.#options.isViewOnly) {
      const isLater = state.isRelatedLater;
      state.remember(this.slot, new Changes(), isLater);
      changesIn(isLater ? state.committedAfterWrite : state.committed, this.slot)?.note(item, isAdded);
    }
    if (isAdded) this.#noteParent(item, state, true);
    if (!this.#options.isViewOnly) state.markModified();
  }

  #noteParent(child: Instance, parent: InstanceState, has: boolean): void {
    const parentage = this.#options.parentage();
    if (parentage !== undefined) noteParent(stateOf(child), parent, parentage, has);
  }

  /** Whoever replaces a collection takes out what it has, which nobody knows of a row's. */
  #expectKnown(state: InstanceState): void {
    if (state.key === undefined) return;
    const label = `${state.instrumentation.class.name}.${this.key}`;
    throw new InvalidRequestError(
      `${label} is write-only, so it cannot be replaced or emptied as a whole: what ${state.describe()} has in the database is never loaded. ` +
        `Use instance.${this.key}.add(), addAll() and remove(); session.execute(instance.${this.key}.delete()) deletes its rows by a statement.`,
    );
  }
}

function changesIn(committed: readonly unknown[] | undefined, slot: number): Changes | undefined {
  const changes = committed?.[slot] ?? UNCHANGED;
  return changes === UNCHANGED ? undefined : (changes as Changes);
}
