import { expect, test } from "vitest";
import type { Change } from "./change-log.ts";
import { Snapshot } from "./snapshot.ts";

test("a released savepoint may have made more changes than a call takes arguments", () => {
  const [outer, released] = [new Snapshot(), new Snapshot()];
  for (let count = 0; count < 150_000; count++) released.changes.push({ operation: "insert" } as Change);
  outer.absorb(released);
  expect(outer.changes.length).toBe(150_000);
});
