import type { PGlite } from "@electric-sql/pglite";
import { afterAll, afterEach, beforeAll, beforeEach, describe } from "vitest";
import { createEngine, type EngineOptions } from "../src/engine/create-engine.ts";
import type { Traits } from "../src/engine/dialect.ts";
import { sqliteTraits } from "../src/engine/dialects/sqlite.ts";
import { postgresqlTraits } from "../src/engine/dialects/postgresql-family.ts";
import type { Engine } from "../src/engine/engine.ts";
import { postgresUrl, testedDatabases, type TestDatabase } from "./announce-databases.ts";
import { startPGlite } from "./start-pglite.ts";

/** The database that a test runs on. */
export interface Database {
  readonly name: TestDatabase;
  /** What the database can do: tests that depend on it ask this rather than the name. */
  readonly traits: Traits;
  /**
   * Creates an engine on the test's database, which is empty when the test begins. The engine is disposed after the test. Several engines of one test share
   * the database, except on SQLite, where each has its own in memory.
   */
  engine(options?: EngineOptions): Engine;
}

/** How a database is emptied and reached: `start` and `stop` surround a test file, `clear` comes before a test if another one has used the database. */
interface Server {
  readonly traits: Traits;
  start(): Promise<void>;
  clear(): Promise<void>;
  open(options: EngineOptions): Engine;
  stop(): Promise<void>;
}

const recreateSchemas = `do $$
  declare name text;
  begin
    for name in select nspname from pg_namespace where nspname not like 'pg\\_%' and nspname <> 'information_schema' loop
      execute format('drop schema %I cascade', name);
    end loop;
    create schema public;
  end
$$`;

const servers: Readonly<Record<TestDatabase, () => Server>> = {
  sqlite: () => ({
    traits: sqliteTraits,
    start: async () => {},
    clear: async () => {},
    open: (options) => createEngine("sqlite::memory:", options),
    stop: async () => {},
  }),
  pglite: () => {
    let pglite: PGlite;
    return {
      traits: postgresqlTraits,
      start: async () => {
        pglite = await startPGlite();
      },
      clear: async () => {
        await pglite.exec(`rollback; ${recreateSchemas}`);
      },
      open: (options) => createEngine("pglite:", { ...options, pglite }),
      stop: async () => {
        await pglite.close();
      },
    };
  },
  postgres: () => {
    const database = `athanor_test_${crypto.randomUUID().replaceAll("-", "")}`;
    const url = new URL(postgresUrl);
    url.pathname = `/${database}`;
    return {
      traits: postgresqlTraits,
      start: () => runOnServer(`create database ${database}`),
      // A connection that a test forgot to close holds locks, and would make this wait for ever.
      clear: () => runOnServer(`set lock_timeout = '5s'; ${recreateSchemas}`, url.href),
      open: (options) => createEngine(url.href, options),
      stop: () => runOnServer(`drop database ${database} with (force)`),
    };
  },
};

/**
 * Defines the same tests once for every database that this run tests.
 *
 * ```ts
 * forEachDatabase((db) => {
 *   test("an insert gets its key from the database", async () => {
 *     const engine = await db.engine();
 *   });
 * });
 * ```
 */
export function forEachDatabase(define: (db: Database) => void): void {
  for (const name of testedDatabases()) {
    describe(name, () => {
      const server = servers[name]();
      const engines: Engine[] = [];
      let isClean = true;
      beforeAll(() => server.start(), 60_000);
      beforeEach(async () => {
        if (!isClean) await server.clear();
        isClean = true;
      });
      afterEach(async () => {
        for (const engine of engines.splice(0)) await engine.dispose();
      });
      afterAll(() => server.stop(), 60_000);
      define({
        name,
        traits: server.traits,
        engine: (options = {}) => {
          isClean = false;
          const engine = server.open(options);
          engines.push(engine);
          return engine;
        },
      });
    });
  }
}

async function runOnServer(sql: string, url = postgresUrl): Promise<void> {
  const { Client } = await import("pg");
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
