import { expect, test } from "vitest";
import { SmallMap } from "./small-map.ts";

test("holds one entry, or several, like a Map", () => {
  const [a, b, c] = [{}, {}, {}];
  const map = new SmallMap<object, string>();
  expect(map.get(a)).toBeUndefined();
  map.set(a, "one");
  map.set(b, "two");
  map.set(a, "three");
  map.set(b, "four");
  expect([map.get(a), map.get(b), map.get(c)]).toEqual(["three", "four", undefined]);
  map.clear();
  expect([map.get(a), map.get(b)]).toEqual([undefined, undefined]);
});
