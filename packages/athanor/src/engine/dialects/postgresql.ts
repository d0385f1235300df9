import type { Client, CustomTypesConfig, QueryArrayConfig, QueryArrayResult } from "pg";
import {
  type Dialect,
  type DriverConnection,
  type DriverCursor,
  type EachResult,
  FailedSet,
  type RawResult,
  type TransactionOptions,
} from "../dialect.ts";
import { MissingDriverError } from "../errors.ts";
import { quote } from "../quote.ts";
import { type CachedStatement, StatementCache } from "../statement-cache.ts";
import { openPostgresqlCursor } from "./postgresql-cursor.ts";
import { isConnectionFailure, unreachable } from "./postgresql-errors.ts";
import { expectCommitted, postgresqlFamily, transactionModes } from "./postgresql-family.ts";
import { textParser } from "./postgresql-values.ts";

/** PostgreSQL by the package pg. `url` is what pg takes as a connection string. */
export function postgresqlDialect(url: string, connectTimeout = 10_000): Dialect {
  return {
    ...postgresqlFamily(),
    poolSize: 10,
    isSingleConnection: false,
    connect: async () => {
      const { Client } = await import("pg").catch(missingDriver);
      const client = new Client({
        connectionString: url,
        connectionTimeoutMillis: connectTimeout,
        keepAlive: true,
        // What runEach sends goes out at once, instead of one round trip after another.
        pipeline: true,
      });
      const connection = new PgConnection(client);
      try {
        await client.connect();
      } catch (error) {
        throw unreachable(error, `${client.host}:${client.port}`);
      }
      return connection;
    },
    dispose: () => {},
  };
}

function missingDriver(cause: unknown): never {
  throw new MissingDriverError("postgresql: URLs need the package pg, which is not installed. Run: npm install pg", {
    cause,
  });
}

interface NamedStatement extends CachedStatement {
  /** Undefined until the text is run a second time: what runs once is not worth keeping on the server. */
  name: string | undefined;
}

/** What pg has, and its types do not know about. */
interface UntypedClient {
  ref(): void;
  unref(): void;
  /** Which statements were prepared, by their names. */
  readonly connection?: { readonly parsedStatements?: Record<string, string> };
}

/** The settings of every query. Always the extended protocol, which takes one statement at a time; pg's types do not know about it. */
const querySettings = {
  rowMode: "array",
  queryMode: "extended",
  types: { getTypeParser: textParser } as unknown as CustomTypesConfig,
} as const;

class PgConnection implements DriverConnection {
  readonly #client: Client;
  readonly #statements = new StatementCache<NamedStatement>(500);
  #nameCount = 0;
  #cursorCount = 0;
  #isBroken = false;

  constructor(client: Client) {
    this.#client = client;
    const markBroken = (): void => {
      this.#isBroken = true;
    };
    // Without a listener, an idle connection that breaks would end the process.
    client.on("error", markBroken);
    client.on("end", markBroken);
  }

  get isBroken(): boolean {
    return this.#isBroken;
  }

  get isInTransaction(): boolean {
    return this.#client.getTransactionStatus() !== "I";
  }

  async run(sql: string, parameters: readonly unknown[]): Promise<RawResult> {
    const name = this.#nameFor(sql, false);
    try {
      return toRawResult(await this.#query(sql, parameters, name));
    } catch (error) {
      if (name === undefined || !isStaleStatement(error)) throw error;
      this.#forget(sql, name);
      // In a transaction, PostgreSQL runs nothing more after any error.
      if (this.isInTransaction) throw error;
      return toRawResult(await this.#query(sql, parameters, this.#nameFor(sql, false)));
    }
  }

  async runEach(sql: string, parameterSets: readonly (readonly unknown[])[]): Promise<EachResult> {
    const name = this.#nameFor(sql, true);
    // In no transaction, what follows a failing set would still run.
    const chunkSize = this.#client.getTransactionStatus() === "T" ? 1000 : 1;
    const results: QueryArrayResult[] = [];
    while (results.length < parameterSets.length) {
      const chunk = parameterSets.slice(results.length, results.length + chunkSize);
      const answers = await Promise.allSettled(chunk.map((parameters) => this.#query(sql, parameters, name)));
      for (const answer of answers) {
        if (answer.status === "rejected") {
          if (isStaleStatement(answer.reason)) this.#forget(sql, name);
          throw new FailedSet(results.length, answer.reason);
        }
        results.push(answer.value);
      }
    }
    if (results[0] !== undefined && results[0].fields.length > 0) return { rows: results.map(({ rows }) => rows[0]) };
    const changedOne = results.every(({ rowCount }) => rowCount === 1);
    return changedOne ? {} : { rowCounts: results.map(({ rowCount }) => rowCount ?? 0) };
  }

  openCursor(sql: string, parameters: readonly unknown[]): Promise<DriverCursor> {
    // Never as prepared statements: what a cursor of one name answers with differs.
    const run = async (text: string, values: readonly unknown[]): Promise<RawResult> =>
      toRawResult(await this.#query(text, values, undefined));
    return openPostgresqlCursor(run, `athanor_cursor_${++this.#cursorCount}`, sql, parameters);
  }

  async #query(sql: string, parameters: readonly unknown[], name: string | undefined): Promise<QueryArrayResult> {
    const query: QueryArrayConfig = { ...querySettings, text: sql, values: parameters as unknown[] };
    if (name !== undefined) query.name = name;
    return this.#watch(this.#client.query(query));
  }

  async #command(text: string): Promise<string> {
    return (await this.#watch(this.#client.query(text))).command;
  }

  async #watch<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      // The socket may take a moment longer to say so itself.
      if (isConnectionFailure(error)) this.#isBroken = true;
      throw error;
    }
  }

  #nameFor(sql: string, isRepeated: boolean): string | undefined {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = { name: undefined, used: false };
      const evicted = this.#statements.add(sql, statement);
      if (evicted?.name !== undefined) this.#deallocate(evicted.name);
      if (!isRepeated) return undefined;
    }
    statement.used = true;
    return (statement.name ??= `athanor_${++this.#nameCount}`);
  }

  #forget(sql: string, name: string | undefined): void {
    const statement = this.#statements.get(sql);
    if (statement !== undefined) statement.name = undefined;
    if (name !== undefined && !this.isInTransaction) this.#deallocate(name);
  }

  /** Goes out before whatever comes next, and fails at most because the statement is gone already. */
  #deallocate(name: string): void {
    delete (this.#client as unknown as UntypedClient).connection?.parsedStatements?.[name];
    this.#client.query(`deallocate ${quote(name)}`).catch(() => {});
  }

  async begin(options?: TransactionOptions): Promise<void> {
    await this.#command(`begin${transactionModes(options)}`);
  }

  async commit(): Promise<void> {
    expectCommitted(await this.#command("commit"));
  }

  async rollback(): Promise<void> {
    try {
      await this.#command("rollback");
    } catch (error) {
      // Whatever broke the connection has rolled back already.
      if (!this.#isBroken) throw error;
    }
  }

  async savepoint(name: string): Promise<void> {
    await this.#command(`savepoint ${quote(name)}`);
  }

  async rollbackToSavepoint(name: string): Promise<void> {
    await this.#command(`rollback to savepoint ${quote(name)}`);
  }

  async releaseSavepoint(name: string): Promise<void> {
    await this.#command(`release savepoint ${quote(name)}`);
  }

  beginUse(): boolean {
    (this.#client as unknown as UntypedClient).ref();
    return false;
  }

  endUse(): void {
    (this.#client as unknown as UntypedClient).unref();
  }

  async close(): Promise<void> {
    // Otherwise the process may end in the middle of it.
    this.beginUse();
    await this.#client.end();
  }
}

/** The statement's table has changed, or the server does not know the statement any more. */
function isStaleStatement(error: unknown): boolean {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  return code === "26000" || (code === "0A000" && message === "cached plan must not change result type");
}

function toRawResult({ rows, fields, rowCount }: QueryArrayResult): RawResult {
  return { rows, columns: fields.map((field) => field.name), rowCount: rowCount ?? rows.length };
}
