import type { Dialect as KyselyDialect } from "kysely";
import { didYouMean } from "../event/closest-name.ts";
import { ArgumentError } from "../event/errors.ts";
import type { Dialect } from "./dialect.ts";
import { kyselyDialect } from "./dialects/kysely.ts";
import { pgliteDialect, type PgliteOptions } from "./dialects/pglite.ts";
import { postgresqlDialect } from "./dialects/postgresql.ts";
import { sqliteDialect, type SqliteOptions } from "./dialects/sqlite.ts";
import { Engine, type PoolOptions } from "./engine.ts";
import { type DatabaseUrl, parseUrl, takeNumber } from "./url.ts";

/** How an engine connects. */
export interface EngineOptions extends PoolOptions, SqliteOptions, PgliteOptions {
  /** How many milliseconds to wait for a server to accept a connection. 10000 unless it is set. */
  readonly connectTimeout?: number | undefined;
}

const dialects: Readonly<Record<string, (url: DatabaseUrl, options: EngineOptions) => Dialect>> = {
  sqlite: (url, { busyTimeout = takeNumber(url, "busyTimeout") }) =>
    sqliteDialect(sqliteLocation(url), { busyTimeout }),
  postgresql: createPostgresql,
  postgres: createPostgresql,
  pglite: ({ location }, options) => pgliteDialect(location, options),
};

function createPostgresql(
  url: DatabaseUrl,
  { connectTimeout = takeNumber(url, "connectTimeout") }: EngineOptions,
): Dialect {
  const options = url.options.toString();
  return postgresqlDialect(`${url.scheme}:${url.location}${options === "" ? "" : `?${options}`}`, connectTimeout);
}

/**
 * Creates an engine for a database. It connects when it is first used.
 *
 * ```ts
 * createEngine("sqlite::memory:");
 * createEngine("sqlite:shop.db");
 * createEngine("postgresql://user:password@localhost/shop?poolSize=20");
 * createEngine("pglite:./data");
 * createEngine({ dialect: new PostgresDialect({ pool }) }); // any dialect of Kysely's
 * ```
 *
 * Throws ArgumentError for a URL that it does not understand. The driver's package is loaded with the first connection.
 *
 * With a dialect of Kysely's, idle connections stay in the pool that the dialect was given, and that pool hears when the server closes them. A pool of
 * the package pg ends the process if nobody listens; `postgresql:` URLs need none of this:
 *
 * ```ts
 * pool.on("error", (error) => console.error(error)); // of an idle connection
 * pool.on("connect", (client) => client.on("error", () => {})); // of one in use, whose session gets a ConnectionLostError
 * ```
 *
 * SQLAlchemy: Engine Configuration, `create_engine`.
 */
export function createEngine(
  database: string | { readonly dialect: KyselyDialect },
  options: EngineOptions = {},
): Engine {
  if (typeof database !== "string") {
    const dialect = kyselyDialect(database.dialect);
    expectPoolSize(dialect, options.poolSize);
    return new Engine(dialect, `with ${database.dialect.constructor.name}`, options);
  }
  const url = parseUrl(database);
  const createDialect = Object.hasOwn(dialects, url.scheme) ? dialects[url.scheme] : undefined;
  if (createDialect === undefined) {
    const known = Object.keys(dialects);
    throw new ArgumentError(
      `"${url.scheme}:" is no database that createEngine knows.${didYouMean(url.scheme, known)} It knows ${known.map((scheme) => `${scheme}:`).join(", ")}, ` +
        `and takes any Kysely dialect as createEngine({ dialect }).`,
    );
  }
  const { poolSize = takeNumber(url, "poolSize"), acquireTimeout = takeNumber(url, "acquireTimeout") } = options;
  const dialect = createDialect(url, options);
  expectPoolSize(dialect, poolSize);
  return new Engine(dialect, url.safe, { poolSize, acquireTimeout });
}

function expectPoolSize(dialect: Dialect, poolSize: number | undefined): void {
  if (poolSize === undefined) return;
  if (!Number.isSafeInteger(poolSize) || poolSize < 1) {
    throw new ArgumentError(
      `poolSize is the largest number of open connections, so it must be a whole number from 1, not ${poolSize}.`,
    );
  }
  if (dialect.isSingleConnection && poolSize > 1) {
    throw new ArgumentError(
      `This database has one connection only, because another one would see another, empty database: poolSize cannot be ${poolSize}. ` +
        `Leave it out, or use a database in a file.`,
    );
  }
}

function sqliteLocation({ location, safe }: DatabaseUrl): string {
  if (location === "" || location.startsWith("//")) {
    throw new ArgumentError(
      `"${safe}" names no file. Write the path behind the colon: "sqlite:shop.db" in the working directory, "sqlite:/var/lib/shop.db", or "sqlite::memory:".`,
    );
  }
  return location;
}
