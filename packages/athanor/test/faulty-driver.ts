import {
  type Dialect,
  type DriverConnection,
  type DriverCursor,
  type EachResult,
  FailedSet,
  type RawResult,
  type TransactionOptions,
} from "../src/engine/dialect.ts";
import type { Engine } from "../src/engine/engine.ts";
import type { MaybePromise } from "../src/engine/maybe-promise.ts";

/**
 * How a statement fails:
 *
 * - `refused`: it does not run, and the connection goes on;
 * - `answerless`: it has run, but fails all the same, and the connection goes on;
 * - `partly`: of the rows that it runs for one after another the first half are written, and the connection goes on;
 * - `lost`: the connection breaks before it runs;
 * - `lostAfter`: it has run, and the connection breaks before its answer arrives;
 * - `twice`: it does not run, and the next statement, which should undo everything, does not either.
 */
export type Fault = "refused" | "answerless" | "partly" | "lost" | "lostAfter" | "twice";

/** Thrown by the driver where the connection goes on. */
export class InjectedError extends Error {}

/**
 * Stands between an engine and its driver, counts the statements, BEGIN and COMMIT included, and lets one of them fail.
 *
 * Where all work shares one connection, breaking it rolls back, as a server would, and the next connection finds the same database.
 */
export class FaultyDriver {
  /** The statements since `watch` or `plan`. */
  readonly statements: string[] = [];
  #fault: { readonly at: number; readonly fault: Fault; readonly onStrike: () => void } | undefined;
  #isWatching = false;
  #kept: DriverConnection | undefined;

  constructor(engine: Engine) {
    const dialect = engine.dialect as { -readonly [K in keyof Dialect]: Dialect[K] };
    const connect = dialect.connect.bind(dialect);
    dialect.connect = async () => {
      if (!dialect.isSingleConnection) return new FaultyConnection(this, await connect(), false);
      return new FaultyConnection(this, (this.#kept ??= await connect()), true);
    };
  }

  /** Counts statements from here on. */
  watch(): void {
    this.statements.length = 0;
    this.#isWatching = true;
  }

  /** Counts statements from here on, and lets one of them fail. */
  plan(at: number, fault: Fault, onStrike: () => void): void {
    this.watch();
    this.#fault = { at, fault, onStrike };
  }

  /** Nothing fails any more. */
  rest(): void {
    this.#isWatching = false;
    this.#fault = undefined;
  }

  async dispose(): Promise<void> {
    await this.#kept?.close();
  }

  run<T>(
    connection: FaultyConnection,
    sql: string,
    execute: () => MaybePromise<T>,
    executePartly: () => MaybePromise<never> = refuse,
  ): MaybePromise<T> {
    if (!this.#isWatching) return execute();
    this.statements.push(sql);
    const planned = this.#fault;
    const index = this.statements.length - 1;
    if (planned === undefined || index < planned.at) return execute();
    const { at, fault, onStrike } = planned;
    if (index > at) {
      if (fault === "twice" && index === at + 1) throw new InjectedError("This fails as well.");
      return execute();
    }
    onStrike();
    if (fault === "partly") return executePartly();
    if (fault === "refused" || fault === "twice") refuse();
    if (fault === "lost") return after(connection.break(), lost);
    return after(execute(), () => {
      if (fault === "lostAfter") return after(connection.break(), lost);
      throw new InjectedError("The answer is no good.");
    });
  }
}

function refuse(): never {
  throw new InjectedError("The statement is refused.");
}

function lost(): never {
  throw Object.assign(new Error("Connection terminated unexpectedly"), { code: "ECONNRESET" });
}

function after<T, R>(value: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}

class FaultyConnection implements DriverConnection {
  readonly #faults: FaultyDriver;
  readonly #driver: DriverConnection;
  /** The driver's connection is the database itself, and outlives this one. */
  readonly #isShared: boolean;
  #isBroken = false;
  #hasBegun = false;

  constructor(faults: FaultyDriver, driver: DriverConnection, isShared: boolean) {
    this.#faults = faults;
    this.#driver = driver;
    this.#isShared = isShared;
  }

  get isBroken(): boolean {
    return this.#isBroken || this.#driver.isBroken;
  }

  get isInTransaction(): boolean | undefined {
    return this.#isBroken ? undefined : this.#driver.isInTransaction;
  }

  break(): MaybePromise<void> {
    this.#isBroken = true;
    if (!this.#isShared) return this.#driver.close();
    if (this.#hasBegun) return this.#driver.rollback();
  }

  openCursor(sql: string, parameters: readonly unknown[]): MaybePromise<DriverCursor> {
    return this.#faults.run(this, sql, () => this.#driver.openCursor(sql, parameters));
  }

  run(sql: string, parameters: readonly unknown[]): MaybePromise<RawResult> {
    return this.#faults.run(this, sql, () => this.#driver.run(sql, parameters));
  }

  runEach(sql: string, parameterSets: readonly (readonly unknown[])[]): MaybePromise<EachResult> {
    const half = parameterSets.slice(0, Math.floor(parameterSets.length / 2));
    return this.#faults.run(
      this,
      sql,
      () => this.#driver.runEach(sql, parameterSets),
      () =>
        after(half.length === 0 ? {} : this.#driver.runEach(sql, half), () => {
          throw new FailedSet(half.length, new InjectedError("The row is refused."));
        }),
    );
  }

  begin(options?: TransactionOptions): MaybePromise<void> {
    return this.#faults.run(this, "begin", () =>
      after(this.#driver.begin(options), () => {
        this.#hasBegun = true;
      }),
    );
  }

  commit(): MaybePromise<void> {
    return this.#faults.run(this, "commit", () => after(this.#driver.commit(), () => this.#ended()));
  }

  rollback(): MaybePromise<void> {
    return this.#faults.run(this, "rollback", () => after(this.#driver.rollback(), () => this.#ended()));
  }

  #ended(): void {
    this.#hasBegun = false;
  }

  savepoint(name: string): MaybePromise<void> {
    return this.#faults.run(this, `savepoint ${name}`, () => this.#driver.savepoint(name));
  }

  rollbackToSavepoint(name: string): MaybePromise<void> {
    return this.#faults.run(this, `rollback to ${name}`, () => this.#driver.rollbackToSavepoint(name));
  }

  releaseSavepoint(name: string): MaybePromise<void> {
    return this.#faults.run(this, `release ${name}`, () => this.#driver.releaseSavepoint(name));
  }

  beginUse(): MaybePromise<boolean> {
    return this.#driver.beginUse?.() ?? false;
  }

  endUse(): void {
    if (!this.#isBroken) this.#driver.endUse?.();
  }

  close(): MaybePromise<void> {
    if (!this.#isShared && !this.#isBroken) return this.#driver.close();
  }
}
