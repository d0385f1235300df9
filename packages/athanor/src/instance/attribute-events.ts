import type { EventFamily } from "../event/event-node.ts";
import type { Sync } from "../event/listener-result.ts";
import type { NO_VALUE } from "./history.ts";

/** Which attribute the program touched first, and how. Listeners that set other attributes can stop endless rounds by it. */
export interface Initiator {
  /** The name of the attribute that the program touched. */
  readonly key: string;
  readonly operation: "replace" | "append" | "remove" | "bulkReplace" | "modified";
}

/** One value of one instance is about to be replaced. */
export interface SetEvent<TOwner, TValue> {
  readonly target: TOwner;
  readonly value: TValue;
  /**
   * NO_VALUE where nothing was in memory: never set, expired, not loaded. Listening with `activeHistory: true` has it loaded before the flush, so
   * that histories know it from `beforeFlush` on; an assignment cannot wait for it.
   */
  readonly oldValue: TValue | typeof NO_VALUE;
  readonly initiator: Initiator;
}

/** One value of one instance is about to be taken away. */
export interface RemoveEvent<TOwner, TValue> {
  readonly target: TOwner;
  readonly value: TValue | typeof NO_VALUE;
  readonly initiator: Initiator;
}

/** An attribute without a value was read. */
export interface InitScalarEvent<TOwner, TValue> {
  readonly target: TOwner;
  readonly value: TValue | undefined;
  /** The values of the instance by attribute: what is written here is kept, without a `set` event. */
  readonly dict: Record<string, unknown>;
}

/** An attribute was declared changed with `flagModified`. */
export interface ModifiedEvent<TOwner> {
  readonly target: TOwner;
  readonly initiator: Initiator;
}

/**
 * Events of an attribute that holds one value: `listen(attributes(User).email, "set", …)`.
 *
 * With `retval: true` the listener's result replaces the value; `undefined` keeps it. SQLAlchemy: Attribute Events.
 */
export interface ScalarEvents<TOwner, TValue, TRetval = false> {
  /**
   * Fires when the attribute is assigned, before it changes, also to an equal value; by the constructor too. Not for what
   * the database loads or a flush writes back. In or out of a transaction; synchronous. May replace the value with `retval`,
   * set other attributes, or throw to refuse it: then nothing has changed.
   */
  set(event: SetEvent<TOwner, TValue>): TRetval extends true ? TValue | undefined | void : Sync;
  /**
   * Fires when the value is deleted with `delAttribute`, before it goes; not when it is replaced. In or out of a transaction;
   * synchronous. May throw to refuse.
   */
  remove(event: RemoveEvent<TOwner, TValue>): Sync;
  /**
   * Fires when an attribute is read that has no value, on an instance that has no row to load it from. In or out of a
   * transaction; synchronous. With `retval` the result is what the reader gets; it is kept only if written into `dict`.
   */
  initScalar(event: InitScalarEvent<TOwner, TValue>): TRetval extends true ? TValue | undefined | void : Sync;
  /** Fires for `flagModified(user, "email")` only. In or out of a transaction; synchronous. Changes nothing. */
  modified(event: ModifiedEvent<TOwner>): Sync;
}

/** One element is about to enter a collection, or to leave it. */
export interface CollectionEvent<TOwner, TElement> {
  readonly target: TOwner;
  readonly value: TElement;
  readonly initiator: Initiator;
  /** The place in an array, where the program named one; the key in a map. */
  readonly key?: unknown;
}

/** A whole collection is about to be replaced. */
export interface BulkReplaceEvent<TOwner, TElement> {
  readonly target: TOwner;
  /** The elements of the new collection: may be changed in place. */
  readonly values: TElement[];
  readonly initiator: Initiator;
}

/** A collection was made, or is let go of. */
export interface CollectionContainerEvent<TOwner> {
  readonly target: TOwner;
  readonly collection: object;
}

/**
 * Events of an attribute that holds a collection: `listen(attributes(User).posts, "append", …)`. SQLAlchemy: Attribute Events.
 */
export interface CollectionEvents<TOwner, TElement, TRetval = false> {
  /**
   * Fires when an element is about to enter, in whatever way, from the other side of the relationship too; not when the collection is loaded. In or out of a transaction;
   * synchronous. May replace the element with `retval`, or throw to refuse it.
   */
  append(event: CollectionEvent<TOwner, TElement>): TRetval extends true ? TElement | undefined | void : Sync;
  /** Fires when an element is added that is in already, or stays in when the collection is replaced. Synchronous. Changes nothing. */
  appendWithoutMutation(event: CollectionEvent<TOwner, TElement>): Sync;
  /** Fires when an element is about to leave; of pop, when it has just left. In or out of a transaction; synchronous. May throw to refuse. */
  remove(event: CollectionEvent<TOwner, TElement>): Sync;
  /** Fires when the collection is about to be replaced, before its elements. Synchronous. May change `values`. */
  bulkReplace(event: BulkReplaceEvent<TOwner, TElement>): Sync;
  /** Fires when an empty collection was made: first read, replacement, load. Synchronous. */
  initCollection(event: CollectionContainerEvent<TOwner>): Sync;
  /** Fires when a collection was replaced; it still holds its elements. Synchronous. */
  disposeCollection(event: CollectionContainerEvent<TOwner>): Sync;
}

/** The events of every attribute that holds one value. */
export const scalarEvents: EventFamily = {
  name: "attribute",
  events: {
    set: "sync",
    remove: "sync",
    initScalar: "sync",
    modified: "sync",
  } satisfies Record<keyof ScalarEvents<unknown, unknown>, "sync">,
  modifiers: ["activeHistory"],
};

/**
 * The events of a relationship's attribute. Whether it holds one instance or a collection is not known before all classes are, so both kinds are
 * here; the compiler offers the right ones.
 */
export const relatedEvents: EventFamily = {
  name: "attribute",
  events: {
    set: "sync",
    remove: "sync",
    initScalar: "sync",
    modified: "sync",
    append: "sync",
    appendWithoutMutation: "sync",
    bulkReplace: "sync",
    initCollection: "sync",
    disposeCollection: "sync",
  } satisfies Record<keyof ScalarEvents<unknown, unknown> | keyof CollectionEvents<unknown, unknown>, "sync">,
  modifiers: ["activeHistory"],
};
