import { emit, emitAndWait } from "../event/dispatch.ts";
import { EventNode, eventTarget } from "../event/event-node.ts";
import type { Registration } from "../event/registration.ts";
import { Connection } from "./connection.ts";
import type { Dialect, DriverConnection, TransactionOptions } from "./dialect.ts";
import { DatabaseError, lostConnection } from "./errors.ts";
import { engineEventFamily, type EngineEventName, type EngineEvents, type ErrorEvent } from "./events.ts";
import { andThen, type MaybePromise } from "./maybe-promise.ts";
import { Pool } from "./pool.ts";

/** How an engine uses its connections. A URL can say the same: "postgresql://localhost/shop?poolSize=20". */
export interface PoolOptions {
  /** How many connections are open at most. 10 for a database server, 5 for a file of SQLite, 1 where there can be only one. */
  readonly poolSize?: number | undefined;
  /** How many milliseconds to wait for a free connection. 30000 unless it is set, 5000 where there can be only one. */
  readonly acquireTimeout?: number | undefined;
}

/** Where an error of the driver came from. */
interface ErrorContext {
  readonly connection: Connection | undefined;
  readonly sql: string | undefined;
  /** The connection cannot be used any more. */
  readonly isBroken: boolean;
}

/**
 * A database and the pool of connections to it. It connects when it is first used; `createEngine` makes one.
 *
 * ```ts
 * await using engine = createEngine("postgresql://localhost/shop");
 * listen(engine, "beforeCursorExecute", ({ statement }) => console.log(statement));
 * ```
 *
 * SQLAlchemy: Engine Configuration; Working with Engines and Connections, `Engine`.
 */
export class Engine implements AsyncDisposable {
  declare static readonly "~events": EngineEvents;
  declare readonly "~events": EngineEvents;
  /** Reached by listening to the class: what every engine inherits. */
  static readonly [eventTarget]: EventNode = new EventNode(engineEventFamily, "Engine");

  readonly dialect: Dialect;
  readonly pool: Pool;
  /** What the engine was created with, without the password. */
  readonly url: string;
  readonly #node: EventNode<EngineEventName>;
  #hasConnected = false;

  /** For `createEngine`. */
  constructor(dialect: Dialect, url: string, { poolSize, acquireTimeout }: PoolOptions) {
    this.dialect = dialect;
    this.url = url;
    this.#node = new EventNode(engineEventFamily, `the engine ${url}`, { parents: [Engine[eventTarget]], level: 1 });
    const { dispatch } = this.#node;
    const event = (driverConnection: DriverConnection): object => ({ engine: this, driverConnection });
    this.pool = new Pool({
      size: poolSize ?? dialect.poolSize,
      // Who waits for the only connection there can be usually waits for itself.
      acquireTimeout: acquireTimeout ?? (dialect.isSingleConnection ? 5000 : 30_000),
      isSingleConnection: dialect.isSingleConnection,
      open: () => this.#open(),
      observer: {
        opened: (connection) => this.#tellOpened(connection),
        leaving: (connection) =>
          dispatch.checkout === undefined ? undefined : emitAndWait(dispatch.checkout, event(connection)),
        returned: (connection) =>
          dispatch.checkin === undefined ? undefined : emitAndWait(dispatch.checkin, event(connection)),
        broken: (connection) => emitAndWait(dispatch.invalidate, event(connection)),
        closing: (connection) => emitAndWait(dispatch.close, event(connection)),
      },
    });
  }

  get [eventTarget](): EventNode {
    return this.#node;
  }

  /**
   * Takes a connection from the pool. It goes back when it is closed, which `await using` does.
   *
   * ```ts
   * await using connection = await engine.connect();
   * await connection.run("select 1");
   * ```
   */
  async connect(): Promise<Connection> {
    return await this.acquire();
  }

  /**
   * Takes a connection from the pool, without a promise if one is idle. For sessions: they name themselves, and the sessions inside whose operations
   * they work, so that a wait which could never end is refused at once.
   */
  acquire(holder?: object, waitsInside?: readonly object[]): MaybePromise<Connection> {
    const driver = this.pool.acquire(holder, waitsInside);
    return driver instanceof Promise ? driver.then((opened) => this.#connected(opened)) : this.#connected(driver);
  }

  #connected(driver: DriverConnection): MaybePromise<Connection> {
    const connection = new Connection(this, driver, this.#node.dispatch);
    const listeners = this.#node.dispatch.engineConnect;
    if (listeners === undefined) return connection;
    return this.#tellConnected(connection);
  }

  async #tellConnected(connection: Connection): Promise<Connection> {
    try {
      await emitAndWait(this.#node.dispatch.engineConnect, { connection });
      return connection;
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  /**
   * Runs work in a transaction: commits it when it succeeds, rolls it back when it throws, and gives the connection back either way.
   *
   * ```ts
   * await engine.begin((connection) => connection.run("delete from logs"));
   * ```
   */
  async begin<T>(work: (connection: Connection) => MaybePromise<T>, options?: TransactionOptions): Promise<T> {
    const connection = await this.acquire();
    let result: T;
    try {
      await connection.begin(options);
      result = await work(connection);
      await connection.commit();
    } catch (error) {
      // An error of the rollback must not hide the one that led to it; its connection does not go back to the pool.
      await Promise.resolve(connection.close()).catch(() => {});
      throw error;
    }
    await connection.close();
    return result;
  }

  /** Closes the pool: idle connections at once, those in use when they come back. The engine cannot be used any more. */
  async dispose(): Promise<void> {
    await this.pool.dispose(() => this.dialect.dispose());
    await emitAndWait(this.#node.dispatch.engineDisposed, { engine: this });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  /** For connections: turns an error of the driver into one of ours, and lets listeners of `handleError` have their say. */
  translateError(
    error: unknown,
    listeners: readonly Registration[] | undefined,
    { connection, sql, isBroken }: ErrorContext,
  ): Error {
    const known = this.dialect.translateError(error, { sql });
    const translated = isBroken && !(known instanceof DatabaseError) ? lostConnection(known, sql) : known;
    if (listeners === undefined) return translated;
    const event: ErrorEvent = {
      engine: this,
      connection,
      statement: sql,
      originalException: error,
      error: translated,
    };
    emit(listeners, event);
    return event.error;
  }

  async #open(): Promise<DriverConnection> {
    try {
      return await this.dialect.connect();
    } catch (error) {
      throw this.translateError(error, this.#node.dispatch.handleError, {
        connection: undefined,
        sql: undefined,
        isBroken: false,
      });
    }
  }

  #tellOpened(driverConnection: DriverConnection): MaybePromise<void> {
    const { firstConnect, connect } = this.#node.dispatch;
    const event = { engine: this, driverConnection };
    if (this.#hasConnected) return emitAndWait(connect, event);
    this.#hasConnected = true;
    return andThen(emitAndWait(firstConnect, event), () => emitAndWait(connect, event));
  }
}
