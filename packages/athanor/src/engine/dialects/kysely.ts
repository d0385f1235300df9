import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect as KyselyDialect,
  type Driver,
  isAbortedTransactionError,
  PostgresAdapter,
  PostgresQueryCompiler,
  type QueryCompiler,
  type QueryResult,
  SqliteAdapter,
} from "kysely";
import { ArgumentError } from "../../event/errors.ts";
import type { ColumnKind, ColumnType } from "../../mapping/column-type.ts";
import {
  type Codec,
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
import { ConnectionLostError } from "../errors.ts";
import { parseTimestamp } from "../timestamp-text.ts";
import { postgresqlCodec } from "./postgresql-codecs.ts";
import { PostgresqlCompiler } from "./postgresql-compiler.ts";
import { openPostgresqlCursor } from "./postgresql-cursor.ts";
import { translatePostgresqlError, unreachable } from "./postgresql-errors.ts";
import { postgresqlDdl, postgresqlTraits, rolledBackAtCommit, transactionModes } from "./postgresql-family.ts";
import { sqliteCodec } from "./sqlite-codecs.ts";
import { translateSqliteError } from "./sqlite-errors.ts";
import { sqliteDdl, sqliteTraits } from "./sqlite.ts";

/** What a database needs that Kysely's dialects for it leave open. */
interface Family {
  readonly name: string;
  readonly traits: Traits;
  readonly ddl: DdlRules;
  readonly codec: (type: ColumnType) => Codec;
  readonly translateError: Dialect["translateError"];
  /** Whether its cursors are opened by statements, which every driver runs; else the driver streams. */
  readonly declaresCursors: boolean;
  /** Of an error of opening a connection. */
  readonly translateOpenError: (error: unknown) => Error;
  /** Run after BEGIN, because most of Kysely's drivers do not hear about isolation levels and read-only transactions. */
  readonly afterBegin: (options: TransactionOptions) => string | undefined;
  /** Run after the end of a transaction for which `afterBegin` was run. */
  readonly afterEnd: string | undefined;
  /** An error may end the transaction, and what follows would run outside of it. */
  readonly endsByError: boolean;
}

const postgresql: Family = {
  name: "postgresql",
  traits: { ...postgresqlTraits, duplicateColumnNames: false },
  ddl: postgresqlDdl,
  codec: (type) => tolerantCodec(type, postgresqlCodec(type)),
  translateError: translatePostgresqlError,
  translateOpenError: (error) => unreachable(error),
  declaresCursors: true,
  afterBegin: (options) => {
    const modes = transactionModes(options);
    return modes === "" ? undefined : `set transaction${modes}`;
  },
  afterEnd: undefined,
  endsByError: false,
};

const sqlite: Family = {
  name: "sqlite",
  traits: { ...sqliteTraits, insertRows: "together", duplicateColumnNames: false },
  ddl: sqliteDdl,
  codec: sqliteCodec,
  translateError: translateSqliteError,
  translateOpenError: (error) => translateSqliteError(error, {}),
  declaresCursors: false,
  afterBegin: ({ readOnly }) => (readOnly === true ? "pragma query_only = on" : undefined),
  afterEnd: "pragma query_only = off",
  endsByError: true,
};

/** Any dialect of Kysely's for a database that we know, by its adapter. Its driver has its own parsers, so values are converted as they come. */
export function kyselyDialect(kysely: KyselyDialect): Dialect {
  const adapter = kysely.createAdapter();
  const family =
    adapter instanceof PostgresAdapter ? postgresql : adapter instanceof SqliteAdapter ? sqlite : undefined;
  if (family === undefined) {
    throw new ArgumentError(
      `createEngine({ dialect }) takes Kysely dialects for PostgreSQL and SQLite, whose adapter extends Kysely's PostgresAdapter or SqliteAdapter; ` +
        `this one has a ${adapter.constructor.name}. If it should fit, two copies of the package kysely may be installed.`,
    );
  }
  const own = kysely.createQueryCompiler();
  // Ours differs only in what it makes of our own statements; a compiler of somebody else's is left alone.
  const compiler = own.constructor === PostgresQueryCompiler ? new PostgresqlCompiler() : own;
  let driver: Promise<Driver> | undefined;
  const opened = new WeakSet<DatabaseConnection>();
  return {
    name: family.name,
    traits: family.traits,
    ddl: family.ddl,
    codec: family.codec,
    translateError: (error, context) =>
      isAbortedTransactionError(error) ? rolledBackAtCommit(error) : family.translateError(error, context),
    compiler,
    adapter,
    poolSize: adapter.supportsMultipleConnections === false ? 1 : 10,
    isSingleConnection: adapter.supportsMultipleConnections === false,
    createIntrospector: (database) => kysely.createIntrospector(database),
    connect: async () => {
      driver ??= start(kysely.createDriver());
      const connection = new KyselyConnection(await driver, compiler, family, opened);
      await connection.beginUse();
      return connection;
    },
    dispose: async () => {
      await (await driver)?.destroy();
    },
  };
}

async function start(driver: Driver): Promise<Driver> {
  await driver.init();
  return driver;
}

/** Holds a connection of Kysely's only while it is in use: drivers and their pools look after connections that are idle. */
class KyselyConnection implements DriverConnection {
  readonly #driver: Driver;
  readonly #compiler: QueryCompiler;
  readonly #family: Family;
  /** Those that have been held before. */
  readonly #opened: WeakSet<DatabaseConnection>;
  #connection: DatabaseConnection | undefined;
  /** That the last connection is back with its driver. */
  #released: Promise<void> | undefined;
  #isBroken = false;
  #cursorCount = 0;
  #afterEnd: string | undefined;
  #transaction: "none" | "open" | "lost" = "none";

  constructor(driver: Driver, compiler: QueryCompiler, family: Family, opened: WeakSet<DatabaseConnection>) {
    this.#driver = driver;
    this.#compiler = compiler;
    this.#family = family;
    this.#opened = opened;
  }

  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Kysely's drivers do not say, so it is known only that a transaction has been lost. */
  get isInTransaction(): false | undefined {
    return this.#transaction === "lost" ? false : undefined;
  }

  async beginUse(): Promise<boolean> {
    const connection = await this.#acquire();
    const isNew = !this.#opened.has(connection);
    this.#opened.add(connection);
    return isNew;
  }

  endUse(): void {
    this.#released = this.#release().catch(() => {
      this.#isBroken = true;
    });
  }

  async #acquire(): Promise<DatabaseConnection> {
    await this.#released;
    try {
      return (this.#connection ??= await this.#driver.acquireConnection());
    } catch (error) {
      throw this.#family.translateOpenError(error);
    }
  }

  async #release(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection === undefined) return;
    // A driver does not keep a connection on which ROLLBACK has failed.
    if (this.#isBroken) await this.#driver.rollbackTransaction(connection).catch(() => {});
    await this.#driver.releaseConnection(connection);
  }

  async #with<T>(work: (connection: DatabaseConnection) => Promise<T>): Promise<T> {
    const connection = this.#connection ?? (await this.#acquire());
    try {
      return await work(connection);
    } catch (error) {
      if (this.#family.translateError(error, {}) instanceof ConnectionLostError) this.#isBroken = true;
      else if (this.#transaction === "open" && this.#family.endsByError && (await canBegin(connection)))
        this.#transaction = "lost";
      throw error;
    }
  }

  async run(sql: string, parameters: readonly unknown[]): Promise<RawResult> {
    const query = CompiledQuery.raw(sql, [...parameters]);
    const result = await this.#with((connection) => connection.executeQuery<Record<string, unknown>>(query));
    const columns = result.rows[0] === undefined ? [] : Object.keys(result.rows[0]);
    return {
      rows: result.rows.map((row) => Object.values(row)),
      columns,
      rowCount: Number(result.numAffectedRows ?? result.rows.length),
      ...(result.insertId === undefined ? {} : { insertId: safeNumber(result.insertId) }),
    };
  }

  async runEach(sql: string, parameterSets: readonly (readonly unknown[])[]): Promise<EachResult> {
    const results: RawResult[] = [];
    for (const [index, parameters] of parameterSets.entries()) {
      try {
        results.push(await this.run(sql, parameters));
      } catch (error) {
        throw new FailedSet(index, error);
      }
    }
    if (results.some(({ rows }) => rows.length > 0)) return { rows: results.map(({ rows }) => rows[0]) };
    const insertIds = results.map(({ insertId }) => insertId).filter((insertId) => insertId !== undefined);
    return {
      ...(insertIds.length === results.length ? { insertIds } : {}),
      ...(results.every(({ rowCount }) => rowCount === 1)
        ? {}
        : { rowCounts: results.map(({ rowCount }) => rowCount) }),
    };
  }

  async openCursor(sql: string, parameters: readonly unknown[]): Promise<DriverCursor> {
    if (this.#family.declaresCursors) {
      const run = (text: string, values: readonly unknown[]): Promise<RawResult> => this.run(text, values);
      return openPostgresqlCursor(run, `athanor_cursor_${++this.#cursorCount}`, sql, parameters);
    }
    // Kysely's own driver streams nothing but what says that it is a SELECT.
    const query: CompiledQuery = { ...CompiledQuery.raw(sql, [...parameters]), query: { kind: "SelectQueryNode" } };
    const answers = await this.#with(async (connection) => connection.streamQuery<Record<string, unknown>>(query, 1));
    return {
      fetch: (count) => this.#with(() => fetchStreamed(answers, count)),
      close: async () => void (await answers.return?.()),
    };
  }

  async begin(options: TransactionOptions = {}): Promise<void> {
    await this.#with((connection) => this.#driver.beginTransaction(connection, {}));
    this.#transaction = "open";
    const statement = this.#family.afterBegin(options);
    if (statement === undefined) return;
    await this.run(statement, []);
    this.#afterEnd = this.#family.afterEnd;
  }

  async commit(): Promise<void> {
    await this.#with((connection) => this.#driver.commitTransaction(connection));
    this.#transaction = "none";
    await this.#restore();
  }

  async rollback(): Promise<void> {
    const isLost = this.#transaction === "lost";
    this.#transaction = "none";
    try {
      if (!isLost) await this.#with((connection) => this.#driver.rollbackTransaction(connection));
    } catch (error) {
      // Whatever broke the connection has rolled back already.
      if (!this.#isBroken) throw error;
      return;
    }
    await this.#restore();
  }

  async #restore(): Promise<void> {
    const statement = this.#afterEnd;
    this.#afterEnd = undefined;
    if (statement !== undefined) await this.run(statement, []);
  }

  async savepoint(name: string): Promise<void> {
    await this.#with(async (connection) => this.#driver.savepoint?.(connection, name, this.#compileQuery));
  }

  async rollbackToSavepoint(name: string): Promise<void> {
    await this.#with(async (connection) => this.#driver.rollbackToSavepoint?.(connection, name, this.#compileQuery));
  }

  async releaseSavepoint(name: string): Promise<void> {
    await this.#with(async (connection) => this.#driver.releaseSavepoint?.(connection, name, this.#compileQuery));
  }

  readonly #compileQuery: QueryCompiler["compileQuery"] = (node, queryId) => this.#compiler.compileQuery(node, queryId);

  async close(): Promise<void> {
    await this.#released;
    await this.#release();
  }
}

async function fetchStreamed(
  answers: AsyncIterator<QueryResult<Record<string, unknown>>>,
  count: number,
): Promise<RawResult> {
  const found: Record<string, unknown>[] = [];
  while (found.length < count) {
    const { done, value } = await answers.next();
    if (done === true) break;
    found.push(...value.rows);
  }
  const columns = found[0] === undefined ? [] : Object.keys(found[0]);
  return { rows: found.map((row) => Object.values(row)), columns, rowCount: found.length };
}

/** Whether no transaction is open any more: one cannot be begun inside another. */
async function canBegin(connection: DatabaseConnection): Promise<boolean> {
  try {
    await connection.executeQuery(CompiledQuery.raw("begin"));
  } catch {
    return false;
  }
  await connection.executeQuery(CompiledQuery.raw("rollback"));
  return true;
}

function safeNumber(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

type Conversion = (value: unknown) => unknown;

/** What drivers with parsers of their own make of a value, turned into what our codecs expect. */
const normalize: Partial<Readonly<Record<ColumnKind, Conversion>>> = {
  integer: (value) => (typeof value === "string" ? BigInt(value) : value),
  bigint: (value) => (typeof value === "string" ? BigInt(value) : value),
  timestamp: (value) => (typeof value === "string" ? parseTimestamp(value) : value),
  date: (value) => (value instanceof Date ? dayOf(value) : value),
  bytes: (value) =>
    value instanceof Uint8Array && value.constructor !== Uint8Array
      ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
      : value,
};

/** Some drivers make midnight in UTC of a day, others midnight here. */
function dayOf(date: Date): string {
  if (date.getTime() % 86_400_000 === 0) return date.toISOString().slice(0, 10);
  const here = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return here.toISOString().slice(0, 10);
}

const tolerantCodecs = new WeakMap<Codec, Codec>();

function tolerantCodec(type: ColumnType, codec: Codec): Codec {
  const convert = normalize[type.kind];
  if (convert === undefined) return codec;
  let tolerant = tolerantCodecs.get(codec);
  if (tolerant === undefined) {
    const { fromDriver } = codec;
    tolerant = {
      ...codec,
      fromDriver: fromDriver === undefined ? convert : (value: unknown) => fromDriver(convert(value)) as unknown,
    };
    tolerantCodecs.set(codec, tolerant);
  }
  return tolerant;
}
