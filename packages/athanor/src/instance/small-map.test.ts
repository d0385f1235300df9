import { expect, test } from "vitest";
import { SmallMap } from "./small-map.ts";

test("holds one entry, or several, like a Map", () => {
  const [a, b, c] = [{}, {}, {}];
  const map = new SmallMap<object, string>();
  const all = () => [a, b, c].map((key) => map.get(key));
  expect(all()).toEqual([undefined, undefined, undefined]);
  map.set(a, "one");
  map.set(b, "two");
  map.set(a, "three");
  expect(all()).toEqual(["three", "two", undefined]);
  map.delete(a);
  map.set(b, "four");
  map.set(c, "five");
  expect(all()).toEqual([undefined, "four", "five"]);
  map.delete(b);
  map.delete(c);
  map.delete(a);
  expect(all()).toEqual([undefined, undefined, undefined]);
  map.set(a, "six");
  map.set(b, "seven");
  map.clear();
  expect(all()).toEqual([undefined, undefined, undefined]);
});
