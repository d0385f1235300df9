import { setup } from "../packages/athanor/test/announce-databases.ts";

/** Fails with the remedy when ATHANOR_DATABASES names PostgreSQL and no server answers. */
try {
  await setup();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
