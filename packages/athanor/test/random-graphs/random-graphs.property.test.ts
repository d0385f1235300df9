import fc from "fast-check";
import { test } from "vitest";
import { createAll } from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { metadata } from "./models.ts";
import { routes } from "./operations.ts";
import { walk } from "./walk.ts";

/** In memory a route takes five milliseconds; elsewhere each statement is a message. */
const numRuns = { sqlite: 1000, pglite: 40, postgres: 40 };

forEachDatabase((database) => {
  test(
    "after every commit the database and the objects are what they were told, and after every rollback what they were",
    { timeout: 300_000 },
    async () => {
      const engine = database.engine();
      await createAll(engine, { metadata });
      // Always the same routes, so that a failure comes of a change. `npm run model-test` takes others.
      await fc.assert(
        fc.asyncProperty(routes, (route) => walk(engine, route)),
        { numRuns: numRuns[database.name], seed: 1 },
      );
    },
  );
});
