import { NO_VALUE } from "./history.ts";
import type { Instance } from "./instance.ts";
import type { InstanceAttribute } from "./instance-attribute.ts";
import type { Instrumentation } from "./instrumentation.ts";
import type { Mapper } from "../mapping/mapper.ts";
import { ownCopy } from "./own-copy.ts";
import { Relations } from "./relations.ts";

/** The session, as far as an instance may know it: somebody who wants to hear that the instance changed. */
export interface StateOwner {
  /** The instance of a row that the session has already. */
  findByKey(mapper: Mapper, key: unknown): Instance | undefined;
  /** Whether it must be asked before the reference of an instance answers with one that it has, because criteria may hide that. */
  mustAskFor(state: InstanceState): boolean;
  /** A relationship of one of its instances is about to change; throws where it is too late for that. */
  relationshipChanging(relationship: { readonly label: string }, state: InstanceState): void;
  /** An instance was put into a relationship that draws it into the session. */
  cascadeAdd(state: InstanceState): void;
  /** An instance has lost its whole: where it was never saved, the session lets go of it. */
  dropPending(state: InstanceState): void;
  /** The instance got its first change since it was loaded or flushed. */
  stateModified(state: InstanceState): void;
  /** Whether something that drops changes is under way, so that it must know which came after it. */
  readonly isDropping: boolean;
  /** A slot was assigned while `isDropping`. */
  slotAssigned(state: InstanceState, slot: number): void;
  /** All changes of the instance were overwritten with what its row says. */
  stateUnmodified(state: InstanceState): void;
}

/** Where an instance stands between the program and the database. SQLAlchemy: Quickie Intro to Object States. */
export type Lifecycle = "transient" | "pending" | "persistent" | "deleted" | "detached";

/** Marks a slot of `committed` whose attribute has not changed. */
export const UNCHANGED: unique symbol = Symbol("UNCHANGED");

/** Stands for an old value that nothing equals: the present one was declared changed. */
export const FLAGGED: unique symbol = Symbol("FLAGGED");

let lastPlace = 0;

/**
 * Everything Athanor knows of one instance: its values, what they were, its key, its session.
 *
 * One slot per attribute. `undefined` in `values` means that no value is in memory: never set on a new instance, not
 * loaded or expired on one that has a row. The values array is shared with the instance for comparisons, and is often the row
 * itself, so it is changed in place and never replaced.
 */
export class InstanceState {
  readonly instance: Instance;
  readonly instrumentation: Instrumentation;
  readonly values: unknown[];
  /**
   * By slot, the values of transient properties. They stand apart from `values`, because tools that print or compare an instance
   * deeply find those, and a transient property is for secrets.
   */
  transientValues: unknown[] | undefined = undefined;
  /** The identity map's key, once a row exists: the primary key itself, or an encoding of it where it has several columns. */
  key: unknown;
  /** The key's values where `key` only encodes them: several columns, or a type that is compared by value. */
  identity: readonly unknown[] | undefined = undefined;
  owner: StateOwner | undefined;
  /** When it came to stand for its row, as a running number: a session tells of its instances in that order, whatever their classes. */
  place: number;
  /** By slot, the value before the first change, NO_VALUE where none was in memory, UNCHANGED or FLAGGED. Undefined: nothing changed. */
  committed: unknown[] | undefined = undefined;
  /** Constructed, and never written or loaded: every value it has is an addition, so none needs an old value. */
  isNew: boolean;
  /** Something was set since it was loaded or flushed, whether or not the value differs. */
  modified = false;
  /** Its DELETE was flushed (and not rolled back). */
  deleted = false;
  /** The SQL of the running flush is built from the values of now; what is set from here on belongs to the next flush. */
  written = false;
  /**
   * The running flush has taken it up, and goes by its relationships as they were then: it would find no row for what is put into one later. What is changed of them
   * from here on belongs to the next flush; its columns do until they are written.
   */
  planned = false;
  /** Like `committed`, for changes that belong to the next flush. */
  committedAfterWrite: unknown[] | undefined = undefined;
  /**
   * The slots of the columns that only the row has: they were expired, or the query left them out. A column that has no value and is not here was never set.
   * Undefined: none. Replaced and not changed, because instances share it.
   */
  unread: ReadonlySet<number> | undefined = undefined;
  /** The slots of relationships that were expired along with the whole instance: its columns' next load names them too. */
  unreadRelated: ReadonlySet<number> | undefined = undefined;
  /** All that was loaded was expired, and nothing was heard of its row since. */
  isExpired = false;
  /** Inserted by its session and not expired since: what it was not related to then, it is not related to. */
  inserted = false;
  /** The last walk along relationships that came by: cheaper than a set of all that a walk has seen. */
  lastWalk = 0;
  /** What only instances with relationships have. */
  relations: Relations | undefined = undefined;
  /** What took the values away, for error messages: "commit()", "expire()". */
  expiredBy: string | undefined = undefined;

  constructor(
    instance: Instance,
    instrumentation: Instrumentation,
    values: unknown[],
    key: unknown,
    owner: StateOwner | undefined,
    isNew: boolean,
  ) {
    this.instance = instance;
    this.instrumentation = instrumentation;
    this.values = values;
    this.key = key;
    this.owner = owner;
    this.isNew = isNew;
    this.place = ++lastPlace;
  }

  get lifecycle(): Lifecycle {
    if (this.key === undefined) return this.owner === undefined ? "transient" : "pending";
    if (this.owner === undefined) return "detached";
    return this.deleted ? "deleted" : "persistent";
  }

  /** The values of its key, in the order of the key's columns. */
  get identityValues(): readonly unknown[] {
    // Whoever gets a date of it may change that, and not the identity.
    return this.identity?.map(ownCopy) ?? [this.key];
  }

  /** It comes to stand for its row: after all that have, or in place of another instance of the same row. */
  takePlace(replaced?: InstanceState): void {
    this.place = replaced?.place ?? ++lastPlace;
  }

  expectRelations(): Relations {
    return (this.relations ??= new Relations());
  }

  /** Whether a change of a relationship is too late for the running flush. */
  get isRelatedLater(): boolean {
    return this.planned || this.written;
  }

  /**
   * Keeps the value that a slot has before its first change.
   *
   * @param isLater the change belongs to the next flush
   */
  remember(slot: number, old: unknown, isLater: boolean = this.written): void {
    let committed: unknown[];
    if (isLater) committed = this.committedAfterWrite ??= this.instrumentation.unchanged.slice();
    else committed = this.committed ??= this.instrumentation.unchanged.slice();
    if (committed[slot] === UNCHANGED) committed[slot] = old === undefined ? NO_VALUE : old;
  }

  /** Whether the value that a slot had before its first change is kept already, or need not be: every value of a new instance is an addition. */
  remembers(slot: number, isLater: boolean = this.written): boolean {
    if (isLater) return (this.committedAfterWrite?.[slot] ?? UNCHANGED) !== UNCHANGED;
    return this.isNew || (this.committed?.[slot] ?? UNCHANGED) !== UNCHANGED;
  }

  /** Lets the present value of a slot count as changed, whatever it was before. */
  flag(slot: number): void {
    if (this.written) (this.committedAfterWrite ??= this.instrumentation.unchanged.slice())[slot] = FLAGGED;
    else (this.committed ??= this.instrumentation.unchanged.slice())[slot] = FLAGGED;
  }

  /** Notes that something was set, and tells the session the first time. */
  markModified(slot?: number): void {
    const { owner } = this;
    if (owner?.isDropping === true && slot !== undefined) owner.slotAssigned(this, slot);
    if (this.modified && !this.written) return;
    this.modified = true;
    owner?.stateModified(this);
  }

  /** Whether the slot was set since it was loaded or flushed. */
  isChanged(slot: number): boolean {
    if (this.isNew) return this.values[slot] !== undefined;
    return this.committed !== undefined && this.committed[slot] !== UNCHANGED;
  }

  /** What the row has in a slot, as far as memory tells: null where a value came without the one before it, undefined where none is in memory. */
  committedValue(slot: number): unknown {
    const committed = this.committed?.[slot];
    if (committed === undefined || committed === UNCHANGED) return this.values[slot];
    return committed === NO_VALUE || committed === FLAGGED ? null : committed;
  }

  /** Whether the value of a column is only in the row, and has to be loaded to be known. */
  isUnread(slot: number): boolean {
    return this.unread?.has(slot) === true && this.values[slot] === undefined && !this.isChanged(slot);
  }

  /** The values that the running flush has written: without what was assigned since its SQL was built. */
  writtenValues(): readonly unknown[] {
    const later = this.committedAfterWrite;
    if (later === undefined) return this.values;
    return this.values.map((value, slot) => {
      const written = later[slot];
      return written === UNCHANGED || written === FLAGGED ? value : written === NO_VALUE ? undefined : written;
    });
  }

  /** Takes the values in memory for those of the row: nothing is changed any more. */
  commit(): void {
    this.isNew = false;
    this.isExpired = false;
    this.written = false;
    this.planned = false;
    this.committed = this.committedAfterWrite;
    this.committedAfterWrite = undefined;
    this.modified = this.committed !== undefined;
    this.#settleRead();
    if (this.relations?.pending !== undefined) this.relations.settlePending(this.inserted);
  }

  /** The row was written, or was not in the end, and the changes stay changes: those that came since its SQL was built, too. */
  endWriting(): void {
    this.written = false;
    this.planned = false;
    const later = this.committedAfterWrite;
    if (later === undefined) return;
    this.committedAfterWrite = undefined;
    if (this.isNew) return;
    this.committed = this.committed?.map((old, slot) => (old === UNCHANGED ? later[slot] : old)) ?? later;
  }

  /** Forgets changes of these slots without touching their values. */
  commitSlots(slots: Iterable<number>): void {
    this.isExpired = false;
    for (const slot of slots) {
      if (this.committed !== undefined) this.committed[slot] = UNCHANGED;
      if (this.committedAfterWrite !== undefined) this.committedAfterWrite[slot] = UNCHANGED;
    }
    if (this.committedAfterWrite?.every((old) => old === UNCHANGED) === true) this.committedAfterWrite = undefined;
    this.#settleRead();
  }

  /** Drops the values of the given attributes, or of all that a row can bring back, so that the row is asked next time. */
  expire(attributes: Iterable<InstanceAttribute>, reason: string): void {
    this.#settleRead();
    const unread = new Set(this.unread);
    for (const attribute of attributes) {
      // A relationship has a load of its own.
      if (attribute.isStored) unread.add(attribute.slot);
      attribute.expire(this);
      if (this.committed !== undefined) this.committed[attribute.slot] = UNCHANGED;
      if (this.committedAfterWrite !== undefined) this.committedAfterWrite[attribute.slot] = UNCHANGED;
    }
    this.unread = unread.size === 0 ? undefined : unread;
    this.inserted = false;
    this.expiredBy = reason;
  }

  /** Drops every stored value and every change. */
  expireAll(reason: string): void {
    for (const attribute of this.instrumentation.attributes) attribute.expire(this);
    this.unread = this.instrumentation.columnSlots;
    this.unreadRelated = this.instrumentation.relatedSlots;
    this.inserted = false;
    this.expiredBy = reason;
    this.isExpired = true;
    this.committed = undefined;
    this.committedAfterWrite = undefined;
    this.modified = false;
    // Who its parent is may have changed in the database, like everything else of it.
    this.relations?.parents.clear();
  }

  /** The names of the columns that have to be loaded to be known. */
  unreadNames(): string[] {
    return this.instrumentation.attributes.filter(({ slot }) => this.isUnread(slot)).map(({ key }) => key);
  }

  /** The names of the relationships that were expired along with all columns, and are neither loaded nor changed since. */
  unreadRelatedNames(): string[] {
    const { unreadRelated } = this;
    return unreadRelated === undefined
      ? []
      : this.#unloaded()
          .filter(({ slot }) => unreadRelated.has(slot))
          .map(({ key }) => key);
  }

  /** The names of everything that is not in memory, has not changed and could be loaded, relationships included. */
  unloadedNames(): string[] {
    return this.#unloaded().map(({ key }) => key);
  }

  #unloaded(): InstanceAttribute[] {
    const { values, relations } = this;
    return this.instrumentation.attributes
      .filter(({ isTransient, slot }) => !isTransient && values[slot] === undefined)
      .filter((attribute) => attribute.unloadedAs(this) !== "never")
      .filter(({ slot }) => !this.isChanged(slot) && relations?.pending?.has(slot) !== true);
  }

  /** Of these columns, those that have no value are only in the row. */
  addUnread(slots: ReadonlySet<number>): void {
    const absent = [...slots].filter((slot) => this.values[slot] === undefined && !this.isChanged(slot));
    if (absent.length > 0) this.unread = new Set([...(this.unread ?? []), ...absent]);
  }

  /** Nothing is unread any more: the row was read, and relationships have loads of their own. */
  allRead(): void {
    this.unread = undefined;
    this.unreadRelated = undefined;
    this.expiredBy = undefined;
  }

  /**
   * These columns were read from the row; what is left out of the others' loads is not.
   *
   * @param isWhole the others are left out
   */
  read(slots: Iterable<number>, isWhole: boolean): void {
    const unread = new Set(this.unread);
    for (const slot of slots) unread.delete(slot);
    this.unread = unread.size === 0 ? undefined : unread;
    if (!isWhole) return;
    this.unreadRelated = undefined;
    this.expiredBy = undefined;
  }

  /** What has its value again, and not by an assignment, is read. */
  #settleRead(): void {
    if (this.unread !== undefined) {
      this.unread = this.#withoutRead(this.unread);
      if (this.unread === undefined) this.expiredBy = undefined;
    }
    if (this.unreadRelated !== undefined) this.unreadRelated = this.#withoutRead(this.unreadRelated);
  }

  #withoutRead(unread: ReadonlySet<number>): ReadonlySet<number> | undefined {
    const isRead = (slot: number): boolean => this.values[slot] !== undefined && !this.isChanged(slot);
    let count = 0;
    for (const slot of unread) if (isRead(slot)) count++;
    if (count === 0) return unread;
    return count === unread.size ? undefined : new Set([...unread].filter((slot) => !isRead(slot)));
  }

  /** "User (id 7)", or "a new User": how messages name the instance. Keys are names, not secrets; other values never appear. */
  describe(): string {
    const name = this.instrumentation.class.name;
    return this.key === undefined ? `a new ${name}` : `${name} (key ${String(this.key)})`;
  }
}
