import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from "kysely";
import {
  type DdlRules,
  type Dialect,
  type DriverConnection,
  type DriverCursor,
  type EachResult,
  FailedSet,
  type RawResult,
  type Traits,
  type TransactionOptions,
} from "../dialect.ts";
import { DataError, MissingDriverError, ProgrammingError } from "../errors.ts";
import type { MaybePromise } from "../maybe-promise.ts";
import { quote } from "../quote.ts";
import { type CachedStatement, StatementCache } from "../statement-cache.ts";
import { formatTimestamp } from "../timestamp-text.ts";
import { sqliteCodec } from "./sqlite-codecs.ts";
import { isStaleSnapshot, sqliteResultCode, translateSqliteError } from "./sqlite-errors.ts";

export const sqliteTraits: Traits = {
  returning: true,
  onConflict: true,
  insertRows: "each",
  insertId: true,
  maxParameters: 32_766,
  rowLocks: false,
  setOperationsAll: false,
  duplicateColumnNames: true,
  alterForeignKeys: false,
  schemas: false,
};

export const sqliteDdl: DdlRules = {
  // An INTEGER PRIMARY KEY takes the next free number by itself.
  generatedKey: (column) => column,
  beforeDrop: ["pragma defer_foreign_keys = on"],
  maxNameLength: 128,
};

/** How to open a database of SQLite. */
export interface SqliteOptions {
  /** How many milliseconds a statement waits, without blocking the process, while another connection is writing. 5000 unless it is set. */
  readonly busyTimeout?: number | undefined;
}

/** SQLite by the driver that Node brings along. `location` is a file or ":memory:". */
export function sqliteDialect(location: string, { busyTimeout = 5000 }: SqliteOptions = {}): Dialect {
  const isInMemory = location === ":memory:";
  return {
    name: "sqlite",
    traits: sqliteTraits,
    ddl: sqliteDdl,
    compiler: new SqliteQueryCompiler(),
    adapter: new SqliteAdapter(),
    poolSize: isInMemory ? 1 : 5,
    isSingleConnection: isInMemory,
    createIntrospector: (kysely) => new SqliteIntrospector(kysely),
    codec: sqliteCodec,
    connect: async () => new SqliteConnection(await openDatabase(location, isInMemory), busyTimeout),
    translateError: (error, { sql }) => translateSqliteError(error, { sql, location }),
    dispose: () => {},
  };
}

async function openDatabase(location: string, isInMemory: boolean): Promise<DatabaseSync> {
  const { DatabaseSync } = await import("node:sqlite").catch(missingDriver);
  // The wait of SQLite itself blocks the process; it serves only to set a file up.
  const database = new DatabaseSync(location, { enableForeignKeyConstraints: true, timeout: isInMemory ? 0 : 1000 });
  if (isInMemory) return database;
  try {
    database.exec("pragma journal_mode = wal");
  } catch (error) {
    // A file that may only be read keeps the journal that it has.
    if (sqliteResultCode(error) !== 8) {
      database.close();
      throw error;
    }
  }
  database.exec("pragma busy_timeout = 0");
  return database;
}

function missingDriver(cause: unknown): never {
  throw new MissingDriverError("This runtime has no node:sqlite, which sqlite: URLs need. Run on Node 24 or later.", {
    cause,
  });
}

interface PreparedStatement extends CachedStatement {
  readonly statement: StatementSync;
  /** Whether it answers with rows. */
  readonly isReader: boolean;
  /** Reads integers as bigints, so that large ones arrive whole. */
  readsBigInts: boolean;
}

const noRows = Object.freeze<unknown[][]>([]) as unknown[][];

class ReadResult implements RawResult {
  readonly rows: unknown[][];
  readonly #statement: StatementSync;

  constructor(rows: unknown[][], statement: StatementSync) {
    this.rows = rows;
    this.#statement = statement;
  }

  get rowCount(): number {
    return this.rows.length;
  }

  get columns(): readonly string[] {
    return this.#statement.columns().map((column) => column.name);
  }
}

class WriteResult implements RawResult {
  readonly rows = noRows;
  readonly columns: readonly string[] = [];
  readonly rowCount: number;
  readonly insertId: number | bigint;

  constructor(rowCount: number, insertId: number | bigint) {
    this.rowCount = rowCount;
    this.insertId = insertId;
  }
}

/** A statement whose keys and counts read as numbers: the driver rounds large keys, which are then read again. */
interface Changes {
  readonly changes: number | bigint;
  readonly lastInsertRowid: number | bigint;
}

class SqliteConnection implements DriverConnection {
  readonly #database: DatabaseSync;
  readonly #busyTimeout: number;
  readonly #statements = new StatementCache<PreparedStatement>(500);
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #rollback: StatementSync;
  #hasBegun = false;
  #isReadOnly = false;

  constructor(database: DatabaseSync, busyTimeout: number) {
    this.#database = database;
    this.#busyTimeout = busyTimeout;
    this.#begin = database.prepare("begin");
    this.#commit = database.prepare("commit");
    this.#rollback = database.prepare("rollback");
  }

  get isBroken(): boolean {
    return !this.#database.isOpen;
  }

  get isInTransaction(): boolean {
    return this.#database.isTransaction;
  }

  run(sql: string, parameters: readonly unknown[]): MaybePromise<RawResult> {
    try {
      return this.#run(this.#prepared(sql), parameters);
    } catch (error) {
      if (isRefusedValue(error) && parameters.some((value) => value instanceof Date)) {
        return this.run(sql, parameters.map(withoutDate));
      }
      return this.#retryWhileBusy(error, () => this.#run(this.#prepared(sql), parameters));
    }
  }

  #run(prepared: PreparedStatement, parameters: readonly unknown[]): RawResult {
    const values = bindable(parameters);
    if (prepared.isReader) return new ReadResult(readRows(prepared, values), prepared.statement);
    const { changes, lastInsertRowid } = prepared.statement.run(...values);
    return new WriteResult(Number(changes), this.#insertId(lastInsertRowid));
  }

  runEach(sql: string, parameterSets: readonly (readonly unknown[])[]): MaybePromise<EachResult> {
    const progress: EachProgress = { next: 0, rows: [], insertIds: [], rowCounts: undefined };
    const proceed = (): EachResult => this.#runEach(this.#prepared(sql), parameterSets, progress);
    const fail = (error: unknown): never => {
      throw new FailedSet(progress.next, error);
    };
    try {
      return proceed();
    } catch (error) {
      if (!this.#isBusy(error)) return fail(error);
      return this.#retryWhileBusy(error, proceed).catch(fail);
    }
  }

  /** Goes on where it was interrupted: each set that has run is in `progress`. */
  #runEach(
    prepared: PreparedStatement,
    parameterSets: readonly (readonly unknown[])[],
    progress: EachProgress,
  ): EachResult {
    const { statement } = prepared;
    if (prepared.isReader) {
      for (; progress.next < parameterSets.length; progress.next++) {
        progress.rows.push(readRows(prepared, bindable(parameterSets[progress.next]!))[0]);
      }
      return { rows: progress.rows };
    }
    const { insertIds } = progress;
    for (; progress.next < parameterSets.length; progress.next++) {
      const { changes, lastInsertRowid }: Changes = statement.run(...bindable(parameterSets[progress.next]!));
      insertIds.push(this.#insertId(lastInsertRowid));
      if (changes !== 1 && progress.rowCounts === undefined) {
        progress.rowCounts = Array.from({ length: progress.next }, () => 1);
      }
      progress.rowCounts?.push(Number(changes));
    }
    return progress.rowCounts === undefined ? { insertIds } : { insertIds, rowCounts: progress.rowCounts };
  }

  /** Of a statement of its own: one that is being read cannot be run for something else. */
  openCursor(sql: string, parameters: readonly unknown[]): MaybePromise<DriverCursor> {
    const statement = this.#database.prepare(sql);
    expectSingle(statement, sql);
    statement.setReturnArrays(true);
    // Large integers arrive whole: rows cannot be read a second time.
    statement.setReadBigInts(true);
    const columns = statement.columns().map((column) => column.name);
    const values = bindable(parameters.map(withoutDate));
    let rows = statement.iterate(...values) as unknown as Iterator<unknown[]>;
    let isStarted = false;
    const read = (count: number): RawResult => {
      const found: unknown[][] = [];
      while (found.length < count) {
        const { done, value } = rows.next();
        if (done === true) break;
        isStarted = true;
        found.push(withSafeNumbers(value as unknown[]));
      }
      return { rows: found, columns, rowCount: found.length };
    };
    return {
      fetch: (count) => {
        try {
          return read(count);
        } catch (error) {
          if (isStarted) throw error;
          return this.#retryWhileBusy(error, () => {
            rows = statement.iterate(...values) as unknown as Iterator<unknown[]>;
            return read(count);
          });
        }
      },
      close: () => void rows.return?.(),
    };
  }

  #insertId(lastInsertRowid: number | bigint): number | bigint {
    if (Number.isSafeInteger(lastInsertRowid)) return lastInsertRowid;
    const row = this.#run(this.#prepared("select last_insert_rowid()"), []).rows[0];
    return row?.[0] as number | bigint;
  }

  #prepared(sql: string): PreparedStatement {
    const known = this.#statements.get(sql);
    if (known !== undefined) {
      known.used = true;
      return known;
    }
    const statement = this.#database.prepare(sql);
    expectSingle(statement, sql);
    const isReader = statement.columns().length > 0;
    const prepared = { statement, isReader, readsBigInts: false, used: false };
    if (isReader) {
      statement.setReturnArrays(true);
      // What cannot be read is read a second time, as bigints. A statement that writes must not run a second time.
      if (/\breturning\b/i.test(sql)) readBigInts(prepared);
    }
    this.#statements.add(sql, prepared);
    return prepared;
  }

  /** SQLite has serializable transactions only, which give at least as much as every other level: each level is accepted. */
  begin(options?: TransactionOptions): MaybePromise<void> {
    this.#begin.get();
    this.#hasBegun = true;
    if (options?.readOnly === true) {
      this.#database.exec("pragma query_only = on");
      this.#isReadOnly = true;
    }
  }

  commit(): MaybePromise<void> {
    try {
      this.#commit.get();
    } catch (error) {
      return this.#retryWhileBusy(error, () => {
        this.#commit.get();
        this.#ended();
      });
    }
    this.#ended();
  }

  rollback(): MaybePromise<void> {
    // Some errors end the transaction by themselves: a full disk, for one.
    if (this.#database.isTransaction) this.#rollback.get();
    this.#ended();
  }

  #ended(): void {
    this.#hasBegun = false;
    if (!this.#isReadOnly) return;
    this.#isReadOnly = false;
    this.#database.exec("pragma query_only = off");
  }

  savepoint(name: string): MaybePromise<void> {
    this.#runPrepared(`savepoint ${quote(name)}`);
  }

  rollbackToSavepoint(name: string): MaybePromise<void> {
    this.#runPrepared(`rollback to savepoint ${quote(name)}`);
  }

  releaseSavepoint(name: string): MaybePromise<void> {
    this.#runPrepared(`release savepoint ${quote(name)}`);
  }

  #runPrepared(sql: string): void {
    this.#prepared(sql).statement.get();
  }

  close(): void {
    this.#statements.clear();
    if (this.#database.isOpen) this.#database.close();
  }

  /** Whether trying again may help. After an error that has ended the transaction, the statement would run outside of it. */
  #isBusy(error: unknown): boolean {
    if (this.#busyTimeout === 0 || sqliteResultCode(error) !== 5 || isStaleSnapshot(error)) return false;
    return !this.#hasBegun || this.#database.isTransaction;
  }

  /**
   * Tries again until the other connection has finished writing. SQLite's own wait would block the process, and with it the very transaction of this
   * process that it may be waiting for.
   */
  #retryWhileBusy<T>(error: unknown, attempt: () => T): Promise<T> {
    if (!this.#isBusy(error)) throw error;
    const deadline = performance.now() + this.#busyTimeout;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const retry = (pause: number): void => {
      setTimeout(() => {
        try {
          resolve(attempt());
        } catch (repeated) {
          if (this.#isBusy(repeated) && performance.now() < deadline) retry(Math.min(pause * 2, 50));
          else reject(repeated);
        }
      }, pause);
    };
    retry(1);
    return promise;
  }
}

interface EachProgress {
  next: number;
  readonly rows: (unknown[] | undefined)[];
  readonly insertIds: (number | bigint)[];
  rowCounts: number[] | undefined;
}

/** The driver takes a first object for named parameters, and then binds NULL without a word. */
function bindable(parameters: readonly unknown[]): SQLInputValue[] {
  const first = parameters[0];
  if (typeof first !== "object" || first === null || ArrayBuffer.isView(first)) return parameters as SQLInputValue[];
  if (!(first instanceof Date)) {
    throw new DataError(
      "SQLite cannot store the value of parameter 1, which is an object: it takes strings, numbers, bigints, null and Uint8Array. " +
        "Convert the value, or let a column type do it.",
    );
  }
  return parameters.map(withoutDate) as SQLInputValue[];
}

function withoutDate(value: unknown): unknown {
  return value instanceof Date ? formatTimestamp(value) : value;
}

/** The driver refuses a value before it runs anything. */
function isRefusedValue(error: unknown): boolean {
  return error instanceof Error && (error as { code?: unknown }).code === "ERR_INVALID_ARG_TYPE";
}

function readRows(prepared: PreparedStatement, parameters: SQLInputValue[]): unknown[][] {
  const { statement } = prepared;
  // Rows are arrays, which the driver's types do not know about.
  if (!prepared.readsBigInts) {
    try {
      return statement.all(...parameters) as unknown as unknown[][];
    } catch (error) {
      if (!(error instanceof Error) || (error as { code?: unknown }).code !== "ERR_OUT_OF_RANGE") throw error;
      readBigInts(prepared);
    }
  }
  const rows = statement.all(...parameters) as unknown as unknown[][];
  for (const row of rows) withSafeNumbers(row);
  return rows;
}

/** Makes numbers of the integers that are safe as such, in place. */
function withSafeNumbers(row: unknown[]): unknown[] {
  for (let index = 0; index < row.length; index++) {
    const value = row[index];
    if (typeof value === "bigint" && value >= smallestSafe && value <= largestSafe) row[index] = Number(value);
  }
  return row;
}

const largestSafe = BigInt(Number.MAX_SAFE_INTEGER);
const smallestSafe = -largestSafe;

function readBigInts(prepared: PreparedStatement): void {
  prepared.statement.setReadBigInts(true);
  prepared.readsBigInts = true;
}

/** The driver leaves what follows the first statement out, without a word. */
function expectSingle(statement: StatementSync, sql: string): void {
  if (/^[\s;]*$/.test(sql.slice(statement.sourceSQL.length))) return;
  throw new ProgrammingError(
    "The text holds more than one statement, and only one can be run at a time. Run each of them by itself.",
    { sql },
  );
}
