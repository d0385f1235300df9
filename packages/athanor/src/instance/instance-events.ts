import type { Sync } from "../event/listener-result.ts";

/** Something happened to an instance. */
export interface InstanceEvent<TInstance> {
  readonly target: TInstance;
}

/** An instance is being constructed. */
export interface InitEvent<TInstance> extends InstanceEvent<TInstance> {
  /** What the constructor was called with, by attribute. */
  readonly values: Record<string, unknown>;
}

/** Attributes of an instance got values, or lost them. */
export interface AttributesEvent<TInstance> extends InstanceEvent<TInstance> {
  /** The names of the attributes; undefined for all. */
  readonly attrs: readonly string[] | undefined;
}

/** A flush gave attributes of an instance their values. */
export interface RefreshFlushEvent<TInstance> extends InstanceEvent<TInstance> {
  readonly attrs: readonly string[];
}

/** An instance is written as text, or was read from it. */
export interface SerializeEvent<TInstance> extends InstanceEvent<TInstance> {
  /** What is written beside its attributes: values that JSON can hold, bigints, dates and bytes. */
  readonly data: Record<string, unknown>;
}

/**
 * Events of one instance in memory: `listen(User, "load", …)`. They reach subclasses unless `propagate: false`.
 *
 * SQLAlchemy: ORM Events, Instance Events.
 */
export interface InstanceEvents<TInstance> {
  /**
   * Fires when an instance is constructed, before its values are assigned; never for one that is loaded. In or out of a
   * transaction; synchronous. `values` may be changed and is what gets assigned.
   */
  init(event: InitEvent<TInstance>): Sync;
  /** Fires when assigning the constructor's values failed, before the error goes on. Synchronous. Changes nothing. */
  initFailure(event: InitEvent<TInstance>): Sync;
  /**
   * Fires when an instance was made from a row, once as long as its session knows it. Inside the transaction; synchronous.
   * Attributes that it sets count as loaded, not as changed. Fires also for each instance that `session.merge` has made, in or out of a transaction, and
   * then what it sets is a change.
   */
  load(event: InstanceEvent<TInstance>): Sync;
  /**
   * Fires when an instance that was there already got values from a row: `refresh`, expired attributes, `populateExisting`.
   * `attrs` are the names that were asked for, undefined for all. Inside the transaction; synchronous. What it sets among
   * them counts as loaded.
   */
  refresh(event: AttributesEvent<TInstance>): Sync;
  /**
   * Fires during a flush, inside the transaction, after the INSERT or UPDATE of the instance and before `afterInsert` or
   * `afterUpdate`: `attrs` got their value from a default, from `onupdate`, from the version counter or from the database. Synchronous.
   */
  refreshFlush(event: RefreshFlushEvent<TInstance>): Sync;
  /** Fires after values were dropped from memory; `attrs` are their names, undefined for all. In or out of a transaction; synchronous. */
  expire(event: AttributesEvent<TInstance>): Sync;
  /**
   * Fires for each instance that `serialize` writes, of a frozen result for a detached copy. In or out of a transaction; synchronous. What it puts into
   * `data` is written along. SQLAlchemy: `InstanceEvents.pickle`.
   */
  serialize(event: SerializeEvent<TInstance>): Sync;
  /**
   * Fires for each instance that `deserialize` has made, when all are there. In or out of a transaction; synchronous. `data` is what listeners of `serialize`
   * put there. SQLAlchemy: `InstanceEvents.unpickle`.
   */
  deserialize(event: SerializeEvent<TInstance>): Sync;
}
