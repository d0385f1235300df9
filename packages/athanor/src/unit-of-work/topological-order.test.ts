import { expect, test } from "vitest";
import { layers } from "./topological-order.ts";

const edges = (...pairs: readonly (readonly [string, string])[]): Map<string, Set<string>> => {
  const all = new Map<string, Set<string>>();
  for (const [before, after] of pairs) all.set(before, (all.get(before) ?? new Set()).add(after));
  return all;
};

test("each node comes in a later layer than those before it, and within a layer in the order given", () => {
  expect([...layers(["d", "c", "b", "a"], edges(["a", "b"], ["b", "c"], ["a", "c"]))]).toEqual([
    ["d", "a"],
    ["b"],
    ["c"],
  ]);
});

test("what the edges name beside the nodes puts all before it before all after it, and stands in no layer", () => {
  const through = edges(["a", "-"], ["b", "-"], ["a", "b"], ["-", "c"], ["-", "d"]);
  expect([...layers(["d", "c", "b", "a"], through)]).toEqual([["a"], ["b"], ["d", "c"]]);
});

test("a circle is found when everything before it was taken", () => {
  const ordered = layers(["a", "b", "c"], edges(["a", "b"], ["b", "c"], ["c", "b"]));
  expect(ordered.next().value).toEqual(["a"]);
  expect(() => ordered.next()).toThrow("circle");
});
