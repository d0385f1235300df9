import type { Async } from "../event/listener-result.ts";
import type { Connection } from "../engine/connection.ts";
import type { Mapper } from "../mapping/mapper.ts";

/** One row is about to be written, or was. */
export interface FlushRowEvent<TInstance> {
  /** The mapper of the instance's own class, also where the listener is on a parent class. */
  readonly mapper: Mapper;
  /** The flush's own connection: what it executes is part of the same transaction. */
  readonly connection: Connection;
  readonly target: TInstance;
}

/**
 * Events of the rows that a flush writes: `listen(User, "beforeInsert", …)`. They reach subclasses unless `propagate: false`.
 *
 * All `before` events of a batch come first, then its SQL, then all `after` events. Bulk statements raise none of them, and a session warns of that: see its
 * option `onSkippedEvents`.
 * To add or delete other instances use the session's `beforeFlush`. SQLAlchemy: ORM Events, Mapper Events.
 */
export interface MapperFlushEvents<TInstance> {
  /**
   * Fires during a flush, inside the transaction, before the INSERT of the instance is built. Awaited. May set columns of its
   * own target and execute statements on `connection`.
   */
  beforeInsert(event: FlushRowEvent<TInstance>): Async;
  /**
   * Fires during a flush, inside the transaction, after the row exists: the generated key is there. Awaited. May execute
   * statements on `connection`; a column that it sets is written by the next flush, which commit runs.
   */
  afterInsert(event: FlushRowEvent<TInstance>): Async;
  /**
   * Fires during a flush, inside the transaction, before the UPDATE of the instance is built, also when nothing has changed after
   * all and no UPDATE follows. Awaited. May set columns of its own target and execute statements on `connection`.
   */
  beforeUpdate(event: FlushRowEvent<TInstance>): Async;
  /**
   * Fires during a flush, inside the transaction, after the UPDATE; the history of the instance is still there. Awaited. May
   * execute statements on `connection`; a column that it sets is written by the next flush.
   */
  afterUpdate(event: FlushRowEvent<TInstance>): Async;
  /** Fires during a flush, inside the transaction, before the DELETE. Awaited. May execute statements on `connection`. */
  beforeDelete(event: FlushRowEvent<TInstance>): Async;
  /** Fires during a flush, inside the transaction, after the DELETE. Awaited. May execute statements on `connection`. */
  afterDelete(event: FlushRowEvent<TInstance>): Async;
}
