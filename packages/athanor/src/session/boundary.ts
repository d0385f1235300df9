import type { Connection } from "../engine/connection.ts";
import type { TransactionOptions } from "../engine/dialect.ts";
import type { MaybePromise } from "../engine/maybe-promise.ts";
import type { SessionState } from "./session-state.ts";
import type { SessionTransaction } from "./session-transaction.ts";

/**
 * What a transaction of a session is in the database: the root has a connection to itself and begins on it, a savepoint is set on the connection of what is around
 * it. Both come with the first statement, so a transaction that sends none is nothing there.
 */
export class Boundary {
  readonly #core: SessionState;
  readonly #transaction: SessionTransaction;
  readonly #options: TransactionOptions | undefined;
  #connection: Connection | undefined;
  #savepoint: string | undefined;

  constructor(core: SessionState, transaction: SessionTransaction, options: TransactionOptions | undefined) {
    this.#core = core;
    this.#transaction = transaction;
    this.#options = options;
  }

  /** The connection, with the transaction begun on it. */
  connect(): MaybePromise<Connection> {
    if (this.#connection !== undefined) return this.#connection;
    const { parent } = this.#transaction;
    return parent === undefined ? this.#beginRoot() : this.#beginSavepoint(parent);
  }

  /** Why the database has ended the transaction by itself, savepoints and all. */
  get lostBy(): Error | undefined {
    return this.#connection?.lostBy;
  }

  /** COMMIT, or the release of the savepoint. */
  commit(): MaybePromise<void> {
    const savepoint = this.#savepoint;
    return savepoint === undefined ? this.#connection?.commit() : this.#connection?.releaseSavepoint(savepoint);
  }

  /** ROLLBACK, of the savepoint where it is one. */
  rollback(): MaybePromise<void> {
    const connection = this.#connection;
    if (connection === undefined || this.#savepoint === undefined) return connection?.rollback();
    return rollbackToSavepoint(connection, this.#savepoint);
  }

  /** Gives the connection back that the root has to itself. */
  release(): MaybePromise<void> {
    const connection = this.#connection;
    if (this.#transaction.parent !== undefined || connection === undefined) return;
    this.#connection = undefined;
    return connection.close();
  }

  #beginRoot(): MaybePromise<Connection> {
    const { engine, session, operations } = this.#core;
    const acquired = engine.acquire(session, operations.enclosingOwners);
    if (acquired instanceof Promise) return acquired.then((connection) => this.#beginOn(connection));
    return this.#beginOn(acquired);
  }

  #beginOn(connection: Connection): MaybePromise<Connection> {
    try {
      const begun = connection.begin(this.#options);
      if (begun instanceof Promise) {
        return begun.then(
          () => this.#began(connection),
          (error: unknown) => refuse(connection, error),
        );
      }
    } catch (error) {
      return refuse(connection, error);
    }
    return this.#began(connection);
  }

  async #beginSavepoint(parent: SessionTransaction): Promise<Connection> {
    const connection = await parent.connect();
    const name = `athanor_${depthOf(this.#transaction)}`;
    await connection.savepoint(name);
    this.#savepoint = name;
    return this.#began(connection);
  }

  #began(connection: Connection): MaybePromise<Connection> {
    this.#connection = connection;
    const { session, dispatch } = this.#core;
    if (dispatch.afterBegin === undefined) return connection;
    const event = { session, transaction: this.#transaction, connection };
    const waiting = this.#core.emitAndSettle(dispatch.afterBegin, event);
    return waiting instanceof Promise ? waiting.then(() => connection) : connection;
  }
}

async function refuse(connection: Connection, error: unknown): Promise<never> {
  await connection.close();
  throw error;
}

function depthOf({ parent }: SessionTransaction): number {
  return parent === undefined ? 0 : depthOf(parent) + 1;
}

/** Of a transaction that the database has ended, the savepoint's part is undone as well. */
async function rollbackToSavepoint(connection: Connection, name: string): Promise<void> {
  if (connection.lostBy !== undefined) return;
  try {
    await connection.rollbackToSavepoint(name);
  } catch (error) {
    if (connection.lostBy === undefined) throw error;
  }
}
