import {
  type Dialect,
  type DriverConnection,
  type DriverCursor,
  type EachResult,
  FailedSet,
  type RawResult,
  type TransactionOptions,
} from "../dialect.ts";
import { MissingDriverError, UnreachableDatabaseError } from "../errors.ts";
import { quote } from "../quote.ts";
import { openPostgresqlCursor } from "./postgresql-cursor.ts";
import { expectCommitted, postgresqlFamily, transactionModes } from "./postgresql-family.ts";
import { textParsers } from "./postgresql-values.ts";

/** What a statement of PGlite answers, with rows as arrays. */
interface PgliteResults {
  readonly rows: any[];
  readonly fields: readonly { readonly name: string }[];
  readonly affectedRows?: number;
  readonly command?: string;
}

/** What the engine uses of a PGlite instance. Written out here, so that users without the package need not have its types. */
export interface PgliteInstance {
  readonly closed: boolean;
  query(sql: string, parameters?: any[], options?: object): Promise<PgliteResults>;
  exec(sql: string, options?: object): Promise<PgliteResults[]>;
  close(): Promise<void>;
}

/** An instance that its owner made, with extensions for example. The engine uses it and leaves it open. */
export interface PgliteOptions {
  readonly pglite?: PgliteInstance | undefined;
}

/** PostgreSQL inside the process, by the package @electric-sql/pglite. `location` is a folder, or "" for memory. */
export function pgliteDialect(location: string, { pglite }: PgliteOptions = {}): Dialect {
  let instance: PgliteInstance | undefined;
  return {
    ...postgresqlFamily(),
    poolSize: 1,
    isSingleConnection: true,
    connect: async () => {
      if (pglite !== undefined) return new PgliteConnection(pglite);
      instance ??= await open(location);
      return new PgliteConnection(instance);
    },
    dispose: async () => {
      await instance?.close();
    },
  };
}

async function open(location: string): Promise<PgliteInstance> {
  const { PGlite } = await import("@electric-sql/pglite").catch(missingDriver);
  try {
    return await (location === "" ? PGlite.create() : PGlite.create(location));
  } catch (cause) {
    throw new UnreachableDatabaseError(
      `The PGlite database ${location === "" ? "in memory" : `in "${location}"`} cannot be opened. Another process probably has it open, or the folder may not be ` +
        `written to. A relative path starts at the working directory of the process.`,
      { cause },
    );
  }
}

function missingDriver(cause: unknown): never {
  throw new MissingDriverError(
    "pglite: URLs need the package @electric-sql/pglite, which is not installed. Run: npm install @electric-sql/pglite",
    { cause },
  );
}

const queryOptions = { rowMode: "array", parsers: textParsers } as const;

class PgliteConnection implements DriverConnection {
  readonly #pglite: PgliteInstance;
  #cursorCount = 0;

  constructor(pglite: PgliteInstance) {
    this.#pglite = pglite;
  }

  get isBroken(): boolean {
    return this.#pglite.closed;
  }

  async run(sql: string, parameters: readonly unknown[]): Promise<RawResult> {
    const result = await this.#query(sql, parameters);
    const { rows, fields, affectedRows } = result;
    return { rows, columns: fields.map((field) => field.name), rowCount: affectedRows || rows.length };
  }

  async runEach(sql: string, parameterSets: readonly (readonly unknown[])[]): Promise<EachResult> {
    const rows: (unknown[] | undefined)[] = [];
    const rowCounts: number[] = [];
    let hasRows = false;
    for (const [index, parameters] of parameterSets.entries()) {
      try {
        const result = await this.#query(sql, parameters);
        hasRows ||= result.fields.length > 0;
        rows.push(result.rows[0]);
        rowCounts.push(result.affectedRows ?? 0);
      } catch (error) {
        throw new FailedSet(index, error);
      }
    }
    if (hasRows) return { rows };
    return rowCounts.every((count) => count === 1) ? {} : { rowCounts };
  }

  openCursor(sql: string, parameters: readonly unknown[]): Promise<DriverCursor> {
    const run = (text: string, values: readonly unknown[]): Promise<RawResult> => this.run(text, values);
    return openPostgresqlCursor(run, `athanor_cursor_${++this.#cursorCount}`, sql, parameters);
  }

  async #query(sql: string, parameters: readonly unknown[]): Promise<PgliteResults> {
    try {
      return await this.#pglite.query(sql, parameters as unknown[], queryOptions);
    } catch (error) {
      // The driver adds what it was called with, and so the values of the parameters, which would end up in logs.
      if (error instanceof Error && "params" in error) {
        delete error.params;
        delete (error as { queryOptions?: unknown }).queryOptions;
      }
      throw error;
    }
  }

  async begin(options?: TransactionOptions): Promise<void> {
    await this.#pglite.exec(`begin${transactionModes(options)}`);
  }

  async commit(): Promise<void> {
    const [result] = await this.#pglite.exec("commit");
    expectCommitted(result?.command);
  }

  async rollback(): Promise<void> {
    await this.#pglite.exec("rollback");
  }

  async savepoint(name: string): Promise<void> {
    await this.#pglite.exec(`savepoint ${quote(name)}`);
  }

  async rollbackToSavepoint(name: string): Promise<void> {
    await this.#pglite.exec(`rollback to savepoint ${quote(name)}`);
  }

  async releaseSavepoint(name: string): Promise<void> {
    await this.#pglite.exec(`release savepoint ${quote(name)}`);
  }

  /** The database belongs to the engine, or to whoever made it. */
  close(): void {}
}
