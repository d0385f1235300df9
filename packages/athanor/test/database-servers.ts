import type { PGlite } from "@electric-sql/pglite";
import { createEngine, type EngineOptions } from "../src/engine/create-engine.ts";
import type { Traits } from "../src/engine/dialect.ts";
import { sqliteTraits } from "../src/engine/dialects/sqlite.ts";
import { postgresqlTraits } from "../src/engine/dialects/postgresql-family.ts";
import type { Engine } from "../src/engine/engine.ts";
import { postgresUrl, type TestDatabase } from "./announce-databases.ts";
import { startPGlite } from "./start-pglite.ts";

/** How a database is emptied and reached: `start` and `stop` surround a test file, `clear` comes before a test if another one has used the database. */
export interface DatabaseServer {
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

/** The servers of the databases that tests can run on. */
export const databaseServers: Readonly<Record<TestDatabase, () => DatabaseServer>> = {
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
