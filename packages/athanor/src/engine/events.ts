import type { EventFamily } from "../event/event-node.ts";
import type { Async, Sync } from "../event/listener-result.ts";
import type { Connection } from "./connection.ts";
import type { DriverConnection, EachResult, RawResult } from "./dialect.ts";
import type { Engine } from "./engine.ts";

/** A statement on its way to the database. */
export interface CursorEvent {
  readonly connection: Connection;
  /** The SQL text. Before it runs, a listener may assign another one. */
  statement: string;
  /** The values of its placeholders as the driver gets them; with `executemany`, an array of such arrays. Before it runs, a listener may assign others. */
  parameters: readonly unknown[] | readonly (readonly unknown[])[];
  /** Whether the statement runs once for each of many parameter sets. */
  readonly executemany: boolean;
}

export interface ConnectionEvent {
  readonly connection: Connection;
}

export interface SavepointEvent extends ConnectionEvent {
  readonly name: string;
}

export interface ErrorEvent {
  readonly engine: Engine;
  /** Undefined when opening a connection failed. */
  readonly connection: Connection | undefined;
  readonly statement: string | undefined;
  /** What the driver threw. */
  readonly originalException: unknown;
  /** What will be thrown. A listener may assign another error. */
  error: Error;
}

/**
 * What happens on a connection. The target is `Engine` for all engines, one engine, or one connection.
 *
 * SQLAlchemy: Core Events, `ConnectionEvents`.
 */
export interface ConnectionEvents {
  /**
   * Fires when a connection has been taken from the pool, before its first statement and outside any transaction. It may be awaited. What it runs on
   * the connection holds for the work that follows, such as a setting of the database.
   */
  engineConnect(event: ConnectionEvent): Async;
  /**
   * Fires before a statement goes to the driver, inside the transaction if there is one. It may be awaited. It may assign `statement` and `parameters`,
   * run other statements on the connection, or throw to refuse this one. BEGIN, COMMIT and ROLLBACK have events of their own.
   */
  beforeCursorExecute(event: CursorEvent): Async;
  /**
   * Fires after a statement has succeeded, inside the transaction if there is one. It may be awaited. It changes nothing; `result` is what the driver
   * answered: undefined for a savepoint, and for a SELECT that is streamed, whose rows come later.
   */
  afterCursorExecute(event: Readonly<CursorEvent> & { readonly result: RawResult | EachResult | undefined }): Async;
  /** Fires before BEGIN, so outside the transaction. It may be awaited. Throwing refuses the transaction. */
  begin(event: ConnectionEvent): Async;
  /** Fires before COMMIT, as the last thing inside the transaction. It may be awaited, and may still write. Throwing leaves the transaction open. */
  commit(event: ConnectionEvent): Async;
  /** Fires before ROLLBACK, inside the transaction. It may be awaited. What it writes is rolled back. */
  rollback(event: ConnectionEvent): Async;
  /** Fires before SAVEPOINT, inside the transaction. It may be awaited, and may write. */
  savepoint(event: SavepointEvent): Async;
  /** Fires before ROLLBACK TO SAVEPOINT, inside the transaction. It may be awaited. What it writes is rolled back. */
  rollbackSavepoint(event: SavepointEvent): Async;
  /** Fires before RELEASE SAVEPOINT, inside the transaction. It may be awaited, and may still write. */
  releaseSavepoint(event: SavepointEvent): Async;
  /**
   * Fires when the database, the driver or the way to it has failed, before the transaction is rolled back. It is synchronous. It may assign `error`,
   * which is thrown.
   */
  handleError(event: ErrorEvent): Sync;
}

export interface PoolEvent {
  readonly engine: Engine;
  /** The driver's connection, which is not in use by anyone yet or any more. */
  readonly driverConnection: DriverConnection;
}

/**
 * What happens to the connections of an engine's pool. The target is `Engine` or one engine.
 *
 * SQLAlchemy: Core Events, `PoolEvents`.
 */
export interface PoolEvents {
  /** Fires once, when the engine has opened its first connection; before `connect`. Outside any transaction. It may be awaited, and may run statements. */
  firstConnect(event: PoolEvent): Async;
  /** Fires when a connection has been opened, or Kysely's pool has given one for the first time. Outside any transaction. It may be awaited, and may run statements, such as settings that last. */
  connect(event: PoolEvent): Async;
  /** Fires when a connection leaves the pool. Outside any transaction. It may be awaited. Throwing fails the caller and closes the connection, unless it is the only one there can be. */
  checkout(event: PoolEvent): Async;
  /** Fires when a connection comes back to the pool, its transaction ended. It may be awaited. Throwing closes the connection, unless it is the only one there can be. */
  checkin(event: PoolEvent): Async;
  /** Fires when a connection turned out to be broken and is dropped; `close` follows. It may be awaited. It changes nothing. */
  invalidate(event: PoolEvent): Async;
  /** Fires before a connection is closed. Outside any transaction. It may be awaited. */
  close(event: PoolEvent): Async;
}

export interface EngineEvents extends ConnectionEvents, PoolEvents {
  /** Fires when an engine has been disposed, after its idle connections were closed. It may be awaited. It changes nothing. */
  engineDisposed(event: { readonly engine: Engine }): Async;
}

export type ConnectionEventName = keyof ConnectionEvents;
export type EngineEventName = keyof EngineEvents;

const connectionEvents: Readonly<Record<ConnectionEventName, "sync" | "awaited">> = {
  engineConnect: "awaited",
  beforeCursorExecute: "awaited",
  afterCursorExecute: "awaited",
  begin: "awaited",
  commit: "awaited",
  rollback: "awaited",
  savepoint: "awaited",
  rollbackSavepoint: "awaited",
  releaseSavepoint: "awaited",
  handleError: "sync",
};

/** The events of one connection. */
export const connectionEventFamily: EventFamily<ConnectionEventName> = { name: "connection", events: connectionEvents };

/** The events of an engine: those of its connections, and those of its pool. */
export const engineEventFamily: EventFamily<EngineEventName> = {
  name: "engine",
  events: {
    ...connectionEvents,
    firstConnect: "awaited",
    connect: "awaited",
    checkout: "awaited",
    checkin: "awaited",
    invalidate: "awaited",
    close: "awaited",
    engineDisposed: "awaited",
  },
};
