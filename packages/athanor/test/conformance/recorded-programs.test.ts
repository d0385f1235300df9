import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { postgresUrl, testedDatabases } from "../announce-databases.ts";
import { firstDifference } from "./compare.ts";
import { readPrograms } from "./program.ts";
import { runProgram } from "./run.ts";

test("every recorded program does what SQLAlchemy did", { timeout: 300_000 }, async () => {
  expect(await differing("programs")).toEqual([]);
});

test.runIf(testedDatabases().includes("postgres"))(
  "every program of the catalogue does on PostgreSQL what it does on SQLite",
  { timeout: 300_000 },
  async () => {
    expect(await differing("programs/catalogue.jsonl.gz", postgresUrl)).toEqual([]);
  },
);

async function differing(programs: string, database?: string): Promise<string[]> {
  const different: string[] = [];
  for (const program of readPrograms([pathOf(programs)])) {
    const run = await runProgram(program, database);
    if (firstDifference(program.trace, run.trace) !== undefined) different.push(program.id);
  }
  return different.toSorted();
}

function pathOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
