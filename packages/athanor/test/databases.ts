import { afterAll, afterEach, beforeAll, beforeEach, describe } from "vitest";
import type { EngineOptions } from "../src/engine/create-engine.ts";
import type { Traits } from "../src/engine/dialect.ts";
import type { Engine } from "../src/engine/engine.ts";
import { testedDatabases, type TestDatabase } from "./announce-databases.ts";
import { databaseServers } from "./database-servers.ts";

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
      const server = databaseServers[name]();
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
