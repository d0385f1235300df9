import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { firstDifference } from "./compare.ts";
import { readPrograms } from "./program.ts";
import { runProgram } from "./run.ts";

// The list can only become shorter: a program that differs and is not in it fails the test, and so does one that is in it and has come to agree.
test(
  "every recorded program does what SQLAlchemy did, but for those that are known to differ",
  { timeout: 300_000 },
  async () => {
    const known = readFileSync(fileURLToPath(new URL("known-differences.txt", import.meta.url)), "utf8");
    const different: string[] = [];
    for (const program of readPrograms([fileURLToPath(new URL("programs", import.meta.url))])) {
      const run = await runProgram(program);
      if (firstDifference(program.trace, run.trace) !== undefined) different.push(program.id);
    }
    expect(different.toSorted()).toEqual(known.split("\n").filter((line) => line !== ""));
  },
);
