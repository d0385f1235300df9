import { expect, test } from "vitest";
import { commonType, typeKey, typeOfValue } from "./value-type.ts";

test("a value says what it is, unless it is null or any object", () => {
  const values = [1, 2 ** 31, 0.5, 1n, "x", true, new Date(), new Uint8Array(), null, {}, []];
  expect(values.map((value) => typeOfValue(value)?.kind)).toEqual([
    "integer",
    "real",
    "real",
    "bigint",
    "text",
    "boolean",
    "timestamp",
    "bytes",
    undefined,
    undefined,
    undefined,
  ]);
});

test("what may come from several types is of the wider one, where they have something in common", () => {
  const kind = (...types: Parameters<typeof commonType>[0]): string | undefined => commonType(types)?.kind;
  expect(kind()).toBeUndefined();
  expect(kind(undefined, { kind: "date" })).toBe("date");
  expect(kind({ kind: "integer" }, { kind: "real" })).toBe("real");
  expect(kind({ kind: "integer" }, { kind: "bigint" })).toBe("bigint");
  expect(kind({ kind: "bigint" }, { kind: "real" })).toBe("real");
  expect(kind({ kind: "numeric", scale: 2 }, { kind: "integer" })).toBe("numeric");
  expect(kind({ kind: "varchar", length: 2 }, { kind: "text" })).toBe("text");
  expect(kind({ kind: "enumeration", values: ["a"] }, { kind: "enumeration", values: ["b"] })).toBe("text");
  expect(kind({ kind: "text" }, { kind: "integer" })).toBeUndefined();
  const custom = { kind: "integer", toDatabase: (value: unknown) => value } as const;
  expect(kind(custom, custom)).toBe("integer");
  expect(kind(custom, { kind: "integer" })).toBeUndefined();
  expect(typeKey(custom)).not.toBe(typeKey({ ...custom }));
});
