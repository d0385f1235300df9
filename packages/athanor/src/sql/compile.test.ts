import { sql } from "kysely";
import { expect, test } from "vitest";
import { sqliteDialect } from "../engine/dialects/sqlite.ts";
import { compileForeign } from "./compile.ts";

test("a value of raw SQL stays what it is, whatever its properties are called", () => {
  const lookalike = { value: 1, name: undefined, type: { kind: "integer" } };
  const { parameters } = compileForeign(sql`select ${lookalike}`.toOperationNode(), sqliteDialect(":memory:"));
  expect(parameters).toEqual([lookalike]);
});
