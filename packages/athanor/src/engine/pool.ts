import { InvalidRequestError } from "../event/errors.ts";
import type { DriverConnection } from "./dialect.ts";
import { PoolExhaustedError, PoolTimeoutError } from "./errors.ts";
import type { MaybePromise } from "./maybe-promise.ts";

/** What a pool tells of a connection's life; each answer is waited for. */
export interface PoolObserver {
  opened(connection: DriverConnection): MaybePromise<void>;
  leaving(connection: DriverConnection): MaybePromise<void>;
  returned(connection: DriverConnection): MaybePromise<void>;
  broken(connection: DriverConnection): MaybePromise<void>;
  closing(connection: DriverConnection): MaybePromise<void>;
}

export interface PoolSettings {
  /** How many connections are open at most. */
  readonly size: number;
  /** How many milliseconds to wait for a free connection. */
  readonly acquireTimeout: number;
  /** The only connection there can be is the database itself, and lives as long as it can. */
  readonly isSingleConnection: boolean;
  open(): Promise<DriverConnection>;
  readonly observer: PoolObserver;
}

interface Waiter {
  readonly holder: object | undefined;
  readonly waitsInside: readonly object[];
  readonly resolve: (connection: DriverConnection) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Keeps connections open between uses. The one that came back last is given out first, so that connections which are not needed stay idle.
 *
 * Whoever takes a connection may name itself, the `holder`, and the holders that cannot go on before it is done. When every connection is held by someone
 * who waits for another one, the pool says so at once: no wait would end.
 */
export class Pool {
  readonly size: number;
  readonly #settings: PoolSettings;
  readonly #idle: DriverConnection[] = [];
  readonly #held = new Map<DriverConnection, object | undefined>();
  /** Those for whom a connection is being opened. */
  readonly #opening = new Set<{ readonly holder: object | undefined }>();
  readonly #waiters = new Set<Waiter>();
  #isDisposed = false;
  #onEmpty: (() => void) | undefined;

  constructor(settings: PoolSettings) {
    this.#settings = settings;
    this.size = settings.size;
  }

  /** The connections that are open, in use or not. */
  get openCount(): number {
    return this.#idle.length + this.#held.size;
  }

  /** The connections in use. */
  get heldCount(): number {
    return this.#held.size;
  }

  /**
   * Takes a connection: at once if one is idle, otherwise a new one, otherwise the next that comes back.
   *
   * @param holder who will hold it, usually a session
   * @param waitsInside the holders whose own work waits for this, such as the session whose listener is running
   */
  acquire(holder?: object, waitsInside: readonly object[] = []): MaybePromise<DriverConnection> {
    if (this.#isDisposed) return Promise.reject(disposedError());
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (idle.isBroken) {
        // Nobody waits for the farewell of a connection that does not answer any more, or could be told that a listener of it failed.
        this.#drop(idle, true).catch(() => {});
        continue;
      }
      this.#held.set(idle, holder);
      const begun = idle.beginUse?.();
      return begun instanceof Promise ? this.#checkOutBegun(idle, begun) : this.#checkOut(idle);
    }
    if (this.#hasRoom()) return this.#open(holder).then((connection) => this.#checkOut(connection));
    return this.#wait(holder, waitsInside);
  }

  /** Gives a connection back, outside any transaction. */
  release(connection: DriverConnection): MaybePromise<void> {
    if (!this.#held.has(connection)) return;
    if (connection.isBroken) return this.#replace(connection, true);
    if (this.#isDisposed) return this.#replace(connection, false);
    let told: MaybePromise<void>;
    try {
      told = this.#settings.observer.returned(connection);
    } catch (error) {
      return this.#replaceAndThrow(connection, error);
    }
    if (told instanceof Promise) {
      return told.then(
        () => this.#reuse(connection),
        (error: unknown) => this.#replaceAndThrow(connection, error),
      );
    }
    return this.#reuse(connection);
  }

  /** Closes a connection instead of taking it back: nobody knows what state it is in. */
  discard(connection: DriverConnection): MaybePromise<void> {
    if (this.#held.has(connection)) return this.#replace(connection, true);
  }

  /**
   * Closes the idle connections, and those in use when they come back. Whoever waits for one gets an error.
   *
   * @param onEmpty called when the last connection is closed, which is now if none is in use
   */
  async dispose(onEmpty: () => MaybePromise<void>): Promise<void> {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    for (const waiter of this.#waiters) waiter.reject(disposedError());
    this.#waiters.clear();
    await Promise.all(this.#idle.splice(0).map((connection) => this.#drop(connection, false)));
    if (this.#held.size + this.#opening.size === 0) await onEmpty();
    else this.#onEmpty = () => void onEmpty();
  }

  #hasRoom(): boolean {
    return this.#idle.length + this.#held.size + this.#opening.size < this.size;
  }

  #checkOut(connection: DriverConnection): MaybePromise<DriverConnection> {
    let told: MaybePromise<void>;
    try {
      told = this.#settings.observer.leaving(connection);
    } catch (error) {
      return this.#replaceAndThrow(connection, error);
    }
    if (!(told instanceof Promise)) return connection;
    return told.then(
      () => connection,
      (error: unknown) => this.#replaceAndThrow(connection, error),
    );
  }

  /** A connection that takes another one from a pool of its own: a new one is announced like every connection. */
  async #checkOutBegun(connection: DriverConnection, begun: Promise<boolean>): Promise<DriverConnection> {
    try {
      if (await begun) await this.#settings.observer.opened(connection);
    } catch (error) {
      return this.#replaceAndThrow(connection, error);
    }
    return this.#checkOut(connection);
  }

  /** Of a listener, usually. Where the connection is the database itself, closing it would delete all data, so it is taken back. */
  async #replaceAndThrow(connection: DriverConnection, error: unknown): Promise<never> {
    if (!this.#settings.isSingleConnection || connection.isBroken || this.#isDisposed)
      await this.#replace(connection, connection.isBroken);
    else this.#reuse(connection);
    throw error;
  }

  #reuse(connection: DriverConnection): void {
    const [waiter] = this.#waiters;
    if (waiter === undefined) {
      this.#held.delete(connection);
      connection.endUse?.();
      this.#idle.push(connection);
      return;
    }
    this.#waiters.delete(waiter);
    this.#held.set(connection, waiter.holder);
    waiter.resolve(connection);
  }

  async #open(holder: object | undefined): Promise<DriverConnection> {
    const opening = { holder };
    this.#opening.add(opening);
    let connection: DriverConnection | undefined;
    try {
      connection = await this.#settings.open();
      await this.#settings.observer.opened(connection);
      if (this.#isDisposed) throw disposedError();
      this.#held.set(connection, holder);
      return connection;
    } catch (error) {
      if (connection !== undefined) await this.#drop(connection, false);
      throw error;
    } finally {
      this.#opening.delete(opening);
      if (connection === undefined || !this.#held.has(connection)) this.#serveNext();
    }
  }

  /** Takes a connection out for good, and lets the next one who waits have a new one. */
  async #replace(connection: DriverConnection, isBroken: boolean): Promise<void> {
    this.#held.delete(connection);
    await this.#drop(connection, isBroken);
    this.#serveNext();
  }

  async #drop(connection: DriverConnection, isBroken: boolean): Promise<void> {
    const { observer } = this.#settings;
    try {
      if (isBroken) await observer.broken(connection);
      await observer.closing(connection);
    } finally {
      try {
        await connection.close();
      } catch {
        // A connection that fails to close is gone all the same.
      }
    }
  }

  #serveNext(): void {
    if (this.#isDisposed) {
      if (this.#held.size + this.#opening.size === 0) this.#onEmpty?.();
      return;
    }
    const [waiter] = this.#waiters;
    if (waiter === undefined || !this.#hasRoom()) return;
    this.#waiters.delete(waiter);
    this.#open(waiter.holder).then(waiter.resolve, waiter.reject);
  }

  #wait(holder: object | undefined, waitsInside: readonly object[]): Promise<DriverConnection> {
    if (this.#wouldNeverEnd(holder, waitsInside)) return Promise.reject(exhaustedError(this.#settings));
    const { promise, resolve, reject } = Promise.withResolvers<DriverConnection>();
    const waiter: Waiter = { holder, waitsInside, resolve, reject };
    this.#waiters.add(waiter);
    const timer = setTimeout(() => {
      if (this.#waiters.delete(waiter)) reject(timeoutError(this.#settings));
    }, this.#settings.acquireTimeout);
    return promise.then(
      (connection) => {
        clearTimeout(timer);
        return this.#checkOut(connection);
      },
      (error: unknown) => {
        clearTimeout(timer);
        throw error;
      },
    );
  }

  /** Whether everyone who holds a connection waits for one, which nobody then gives back. */
  #wouldNeverEnd(holder: object | undefined, waitsInside: readonly object[]): boolean {
    const waiting = new Set<object | undefined>(waitsInside);
    waiting.add(holder);
    for (const waiter of this.#waiters) {
      waiting.add(waiter.holder);
      for (const outer of waiter.waitsInside) waiting.add(outer);
    }
    // Nothing is known about those who do not name themselves.
    waiting.delete(undefined);
    for (const held of this.#held.values()) if (!waiting.has(held)) return false;
    for (const opening of this.#opening) if (!waiting.has(opening.holder)) return false;
    return true;
  }
}

function disposedError(): InvalidRequestError {
  return new InvalidRequestError(
    "The engine is disposed, so it gives out no more connections. Dispose an engine when the program ends, or create a new one.",
  );
}

function connectionCount(size: number): string {
  return size === 1 ? "only connection of the pool is" : `${size} connections of the pool are`;
}

const singleConnection =
  "The pool has one connection, because the database is in memory, where a second one would see another, empty database, or because its driver has just one; " +
  "a server, or a file with a sqlite: URL, takes several";

function exhaustedError({ size, isSingleConnection }: PoolSettings): PoolExhaustedError {
  return new PoolExhaustedError(
    `The ${connectionCount(size)} held by sessions that wait for another one, so none will ever become free. Probably a listener that runs inside a transaction ` +
      `uses a session of its own. Use the event's own session or connection, or do the work in afterCommit, when the connection is back. ` +
      (isSingleConnection ? `${singleConnection}.` : `A larger poolSize of createEngine helps as well.`),
  );
}

function timeoutError({ size, acquireTimeout, isSingleConnection }: PoolSettings): PoolTimeoutError {
  return new PoolTimeoutError(
    `No connection became free in ${acquireTimeout} ms: the ${connectionCount(size)} in use. ` +
      (isSingleConnection
        ? `${singleConnection}. Probably two sessions are open at the same time: commit, roll back or close the first before the second needs the database ` +
          `(\`await using\` and begin(work) do so).`
        : `Probably a session was not closed (use \`await using\` or begin(work)), or a transaction waits for something slow. ` +
          `Close it sooner, or give createEngine a larger poolSize or acquireTimeout.`),
    { isRetryable: true },
  );
}
