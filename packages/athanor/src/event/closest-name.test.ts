import { describe, expect, test } from "vitest";

import { closestName, didYouMean } from "./closest-name.ts";

const names = ["beforeInsert", "afterInsert", "beforeUpdate", "set", "init"];

describe("closestName", () => {
  test.each([
    ["beforeInsrt", "beforeInsert"],
    ["beforeInesrt", "beforeInsert"],
    ["befroeUpdate", "beforeUpdate"],
    ["before_insert", "beforeInsert"],
    ["AfterInsert", "afterInsert"],
    ["sett", "set"],
  ])("takes %s for %s", (written, meant) => {
    expect(closestName(written, names)).toBe(meant);
  });

  test("suggests nothing that only shares a few letters", () => {
    expect(closestName("commit", names)).toBeUndefined();
    expect(closestName("get", ["add"])).toBeUndefined();
    expect(closestName("", names)).toBeUndefined();
  });

  test("becomes a sentence, or nothing, at the end of an error message", () => {
    expect(didYouMean("beforeInsrt", names)).toBe(' Did you mean "beforeInsert"?');
    expect(didYouMean("commit", names)).toBe("");
  });
});
