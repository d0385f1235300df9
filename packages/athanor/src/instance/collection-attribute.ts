import { emit, emitReplacing } from "../event/dispatch.ts";
import { ArgumentError } from "../event/errors.ts";
import type { Initiator } from "./attribute-events.ts";
import { replaceItems } from "./collections/bulk-replace.ts";
import type { CollectionKind, CollectionOwner } from "./collections/collection.ts";
import { History, NO_VALUE, nothing, unknownHistory } from "./history.ts";
import { type Instance, stateOf } from "./instance.ts";
import type { AttributeDispatch, RelatedAttribute } from "./instance-attribute.ts";
import { type InstanceState, UNCHANGED } from "./instance-state.ts";
import { noteParent } from "./parentage.ts";
import { SmallMap } from "./small-map.ts";
import type { RelatedOptions } from "./reference-attribute.ts";
import type { PendingChanges } from "./relations.ts";
import type { UnloadedAs } from "./unloaded-as.ts";
import { refusedError, unloadedError } from "./unloaded-error.ts";

/** An attribute that holds a collection of related instances. */
export class CollectionAttribute implements RelatedAttribute {
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
  readonly #kind: CollectionKind<any>;

  constructor(options: RelatedOptions, kind: CollectionKind<any>, dispatch: AttributeDispatch) {
    this.key = options.key;
    this.slot = options.slot;
    this.#options = options;
    this.#kind = kind;
    this.dispatch = dispatch;
    this.appendToken = Object.freeze({ key: this.key, operation: "append" });
    this.removeToken = Object.freeze({ key: this.key, operation: "remove" });
    this.bulkReplaceToken = Object.freeze({ key: this.key, operation: "bulkReplace" });
  }

  loadedValue(state: InstanceState): unknown {
    return state.values[this.slot];
  }

  put(state: InstanceState, value: unknown): void {
    state.values[this.slot] = value;
  }

  readMissing(state: InstanceState): object {
    if (!this.isLoaded(state) && !state.inserted) this.#expectReadable(state);
    return this.#container(state) ?? this.#untouched(state);
  }

  set(state: InstanceState, value: unknown): void {
    const container = this.#create(state);
    const given = this.#kind.itemsOf(value);
    if (given === undefined) {
      throw new ArgumentError(
        `"${this.key}" is a collection (${this.#kind.name}), and was assigned ${value === null ? "null" : `a ${typeof value}`}. Assign ${this.#kind.name === "array" ? "an array" : `a ${this.#kind.name}`}; an empty one takes all out.`,
      );
    }
    const owner = this.#owner(state);
    for (const { item, key } of given) {
      this.expectElement(item);
      this.#kind.expectKey(owner, item as Instance, key);
    }
    const values = given.map(({ item }) => item as Instance);
    this.#replace(state, container, values, value);
  }

  replace(state: InstanceState, values: readonly Instance[]): void {
    this.#replace(state, this.#create(state), values, undefined);
  }

  #replace(state: InstanceState, container: object, values: readonly Instance[], given: unknown): void {
    emit(this.dispatch["bulkReplace"], { target: state.instance, values, initiator: this.bulkReplaceToken });
    const old = this.#container(state);
    // Assigned to itself, as `posts = posts` does.
    if (old !== undefined && old === given) return;
    if (old === undefined && !this.isLoaded(state) && !state.inserted) throw unloadedError(state, this.key);
    const before = old ?? this.#untouched(state);
    this.#remember(state, before);
    state.relations?.untouched?.delete(this.slot);
    state.values[this.slot] = container;
    this.#markModified(state);
    replaceItems(this.#kind, this.#owner(state), container, values, this.#kind.items(before), this.bulkReplaceToken);
    this.#kind.detach(before);
    emit(this.dispatch["disposeCollection"], { target: state.instance, collection: before });
  }

  append(state: InstanceState, value: Instance, initiator: Initiator): void {
    const container = this.#loadedContainer(state);
    if (container !== undefined) return this.#kind.appendWithEvent(container, value, initiator);
    this.#notePending(state, this.#announceAppend(state, value, initiator, undefined), true);
  }

  pop(state: InstanceState, value: Instance, initiator: Initiator): void {
    const container = this.#loadedContainer(state);
    if (container !== undefined) {
      if (this.#kind.has(container, value)) this.#kind.removeWithEvent(container, value, initiator);
      else this.fireRemove(state, value, initiator, undefined);
      return;
    }
    this.#announceRemoval(state, value, initiator, undefined);
    this.#notePending(state, value, false);
  }

  delete(state: InstanceState): void {
    const container = this.#loadedContainer(state);
    if (container === undefined) return;
    for (const item of this.#kind.items(container)) this.#kind.removeWithEvent(container, item, this.removeToken);
    state.values[this.slot] = undefined;
    this.#kind.detach(container);
  }

  history(state: InstanceState): History<Instance> {
    const container = this.#container(state);
    if (container === undefined) return unknownHistory;
    const current = this.#kind.items(container) as Instance[];
    const original = state.committed?.[this.slot] ?? UNCHANGED;
    if (state.isNew && original === UNCHANGED) return new History(current, nothing, nothing);
    if (original === UNCHANGED) return new History(nothing, current, nothing);
    const before = original === NO_VALUE ? [] : (original as readonly Instance[]);
    const now = new Set(current);
    const then = new Set(before);
    return new History(
      current.filter((item) => !then.has(item)),
      current.filter((item) => then.has(item)),
      before.filter((item) => !now.has(item)),
    );
  }

  expire(state: InstanceState): void {
    const container = this.#container(state);
    if (container !== undefined) this.#kind.detach(container);
    state.values[this.slot] = undefined;
    state.relations?.pending?.delete(this.slot);
    state.relations?.settled?.delete(this.slot);
    state.relations?.untouched?.delete(this.slot);
  }

  loaded(state: InstanceState): readonly Instance[] {
    const container = this.#container(state);
    if (container !== undefined) return this.#kind.items(container) as Instance[];
    return [...(state.relations?.pending?.get(this.slot)?.added ?? [])];
  }

  setLoaded(state: InstanceState, values: readonly Instance[]): void {
    const container = this.#create(state);
    for (const value of values) this.#kind.appendWithoutEvent(container, value);
    const pending = state.relations?.pending?.get(this.slot);
    const untouched = state.relations?.untouched?.get(this.slot);
    state.values[this.slot] = container;
    // Whoever holds what it read as before changes nothing with that any more.
    if (untouched !== undefined) this.#kind.detach(untouched);
    state.relations?.untouched?.delete(this.slot);
    if (pending === undefined) return;
    state.relations?.pending?.delete(this.slot);
    // What the other side changed meanwhile is a change of what was loaded.
    const removed = values.filter((value) => pending.removed.has(value));
    // As in SQLAlchemy, what was added and is there already stands in an array twice.
    const added = [...pending.added];
    // A flush that loads it does so to take up these changes.
    if (removed.length + added.length > 0 && !this.#options.isViewOnly && !state.remembers(this.slot))
      state.remember(this.slot, values.slice());
    for (const value of removed) this.#kind.removeWithoutEvent(container, value);
    for (const value of added) this.#kind.appendWithoutEvent(container, value);
  }

  isLoaded(state: InstanceState): boolean {
    return state.values[this.slot] !== undefined || state.key === undefined;
  }

  unloadedAs({ relations }: InstanceState): UnloadedAs {
    return relations?.unloadedAs?.get(this.slot) ?? this.#options.unloadedAs;
  }

  /** It reads as if there were nothing, so what goes in and out is all that is known of it. */
  isPartial(state: InstanceState): boolean {
    return !this.isLoaded(state) && !state.inserted && this.unloadedAs(state) === "empty";
  }

  #expectReadable(state: InstanceState): void {
    const unloadedAs = this.unloadedAs(state);
    if (unloadedAs === "empty") return;
    throw unloadedAs === "asked" ? unloadedError(state, this.key) : refusedError(state, this.key);
  }

  #container(state: InstanceState): object | undefined {
    return state.values[this.slot] as object | undefined;
  }

  #loadedContainer(state: InstanceState): object | undefined {
    if (this.#container(state) !== undefined) return this.#container(state);
    // Once it was read, the program may hold it, and must see what comes in.
    const wasRead = state.relations?.untouched?.get(this.slot) !== undefined;
    return this.isLoaded(state) || wasRead ? this.#untouched(state) : undefined;
  }

  /** The empty collection of an instance that has none: it counts as not set until something goes in. */
  #untouched(state: InstanceState): object {
    const relations = state.expectRelations();
    let container = relations.untouched?.get(this.slot);
    if (container === undefined) {
      (relations.untouched ??= new SmallMap()).set(this.slot, (container = this.#create(state)));
      // What was to be added to a row's collection is nothing to an instance that has lost its row.
      if (state.key !== undefined)
        for (const item of this.#membersOf(state)) this.#kind.appendWithoutEvent(container, item);
    }
    return container;
  }

  /** Members that a collection without a value is known to have, because the other side refers to it. */
  #membersOf({ relations }: InstanceState): Set<Instance> {
    const members = new Set(relations?.settled?.get(this.slot));
    const pending = relations?.pending?.get(this.slot);
    for (const item of pending?.removed ?? []) members.delete(item);
    for (const item of pending?.added ?? []) members.add(item);
    return members;
  }

  #create(state: InstanceState): object {
    const container = this.#kind.create(this.#owner(state));
    emit(this.dispatch["initCollection"], { target: state.instance, collection: container });
    return container;
  }

  #owner(state: InstanceState): CollectionOwner {
    return new StateCollection(this, state);
  }

  /** An element is about to enter, in whatever way. Answers with the one that shall. */
  fireAppend(state: InstanceState, value: Instance, initiator: Initiator, key: unknown): Instance {
    const item = this.#announceAppend(state, value, initiator, key);
    if (this.isPartial(state)) this.#notePending(state, item, true);
    return item;
  }

  /** An element is about to leave, or was just taken out. */
  fireRemove(state: InstanceState, value: Instance, initiator: Initiator, key: unknown): void {
    this.#announceRemoval(state, value, initiator, key);
    if (this.isPartial(state)) this.#notePending(state, value, false);
  }

  #announceAppend(state: InstanceState, value: Instance, initiator: Initiator, key: unknown): Instance {
    this.#adopt(state);
    const item = emitReplacing(this.dispatch["append"], { target: state.instance, value, initiator, key });
    this.#touch(state);
    this.#noteParent(item, state, true);
    return item;
  }

  #announceRemoval(state: InstanceState, value: Instance, initiator: Initiator, key: unknown): void {
    this.#adopt(state);
    this.#noteParent(value, state, false);
    emit(this.dispatch["remove"], { target: state.instance, value, initiator, key });
    this.#touch(state);
  }

  /** An element is about to leave that is not known yet: the change counts from here on. */
  startRemoval(state: InstanceState): void {
    this.#adopt(state);
    this.#touch(state);
  }

  /** A collection that was only read becomes the instance's with the first change, whatever comes of that. */
  #adopt(state: InstanceState): void {
    const untouched = state.relations?.untouched?.get(this.slot);
    if (untouched === undefined || state.values[this.slot] !== undefined || this.isPartial(state)) return;
    state.values[this.slot] = untouched;
    state.relations?.untouched?.delete(this.slot);
  }

  /** Keeps what the collection was before its first change. */
  #touch(state: InstanceState): void {
    this.rememberContainer(state);
    this.#markModified(state);
  }

  #markModified(state: InstanceState): void {
    if (!this.#options.isViewOnly) state.markModified();
  }

  /** Keeps what the collection is, before it changes for the first time. */
  rememberContainer(state: InstanceState): void {
    const container = this.#container(state);
    if (container !== undefined) this.#remember(state, container);
  }

  #remember(state: InstanceState, container: object): void {
    const { isRelatedLater } = state;
    if (!this.#options.isViewOnly && !state.remembers(this.slot, isRelatedLater))
      state.remember(this.slot, this.#kind.items(container) as Instance[], isRelatedLater);
  }

  /** A change of a collection whose rows are not known. What is taken out and put back, or the other way round, is as it was. */
  #notePending(state: InstanceState, item: Instance, isAdded: boolean): void {
    const { added, removed } = this.#pending(state);
    const [into, from] = isAdded ? [added, removed] : [removed, added];
    if (!from.delete(item)) into.add(item);
  }

  #pending(state: InstanceState): PendingChanges {
    const relations = state.expectRelations();
    let changes = relations.pending?.get(this.slot);
    if (changes === undefined)
      (relations.pending ??= new Map()).set(this.slot, (changes = { added: new Set(), removed: new Set() }));
    return changes;
  }

  #noteParent(child: Instance, parent: InstanceState, has: boolean): void {
    const parentage = this.#options.parentage();
    if (parentage !== undefined) noteParent(stateOf(child), parent, parentage, has);
  }

  /** Refuses what is no instance of the class at the other end. */
  expectElement(item: unknown): void {
    const target = this.#options.targetClass();
    if (item instanceof target) return this.#options.expectRelated(item);
    throw new ArgumentError(
      `"${this.key}" holds instances of ${target.name}, and was given ${item === null ? "null" : typeof item === "object" ? `an object of ${item.constructor?.name ?? "no class"}` : `a ${typeof item}`}.`,
    );
  }
}

/** Where the collection of one instance announces its mutations. A class, because there are many: closures would each be made anew. */
class StateCollection implements CollectionOwner {
  readonly #attribute: CollectionAttribute;
  readonly #state: InstanceState;

  constructor(attribute: CollectionAttribute, state: InstanceState) {
    this.#attribute = attribute;
    this.#state = state;
  }

  get name(): string {
    return `${this.#state.instrumentation.class.name}.${this.#attribute.key}`;
  }

  expect(item: unknown): void {
    this.#attribute.expectElement(item);
  }

  append(item: object, token: unknown, key: unknown): object {
    const attribute = this.#attribute;
    return attribute.fireAppend(this.#state, item as Instance, (token ?? attribute.appendToken) as Initiator, key);
  }

  appendWithoutMutation(item: object, token: unknown, key: unknown): void {
    const { dispatch, appendToken } = this.#attribute;
    const target = this.#state.instance;
    emit(dispatch["appendWithoutMutation"], { target, value: item, initiator: token ?? appendToken, key });
  }

  remove(item: object, token: unknown, key: unknown): void {
    const attribute = this.#attribute;
    attribute.fireRemove(this.#state, item as Instance, (token ?? attribute.removeToken) as Initiator, key);
  }

  touched(): void {
    this.#attribute.rememberContainer(this.#state);
  }

  popping(): void {
    this.#attribute.startRemoval(this.#state);
  }
}
