import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { postgresUrl, testedDatabases } from "../announce-databases.ts";

const program = fileURLToPath(new URL("../stream-many-rows.ts", import.meta.url));
const urls = { sqlite: "sqlite::memory:", pglite: "pglite:", postgres: postgresUrl };
/** What would not fit into the memory of the program, where it was kept. */
const counts = { sqlite: 1_000_000, pglite: 300_000, postgres: 300_000 };

test.each(testedDatabases())(
  "a stream of very many rows of %s needs memory for a portion of them",
  { timeout: 120_000 },
  async (name) => {
    const command = ["--max-old-space-size=64", program, urls[name], String(counts[name])];
    const { stdout } = await promisify(execFile)(process.execPath, command);
    const { seen, kept, megabytes } = JSON.parse(stdout) as Readonly<Record<string, number>>;
    expect({ seen, kept }).toEqual({ seen: counts[name], kept: 0 });
    expect(megabytes).toBeLessThan(64);
  },
);
