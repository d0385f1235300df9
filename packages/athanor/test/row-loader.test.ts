import { expect, test } from "vitest";
import { createEngine, inspect, integer, Metadata, model, text } from "../src/index.ts";
import { columnLoader } from "../src/loading/row-loader.ts";

class User extends model(
  "users",
  { id: integer().primaryKey(), name: text(), note: text().nullable() },
  { metadata: new Metadata() },
) {}

test("the loader of a set of columns is made once for each dialect, and not for every load", async () => {
  await using first = createEngine("sqlite::memory:");
  await using second = createEngine("sqlite::memory:");
  const mapper = inspect(User);
  const [id, name, note] = mapper.columnProperties as [never, never, never];
  const loader = columnLoader(mapper, [id, name], first.dialect);
  expect(columnLoader(mapper, [id, name], first.dialect)).toBe(loader);
  expect(columnLoader(mapper, [id, note], first.dialect)).not.toBe(loader);
  expect(columnLoader(mapper, [name, id], first.dialect)).not.toBe(loader);
  if (second.dialect !== first.dialect) expect(columnLoader(mapper, [id, name], second.dialect)).not.toBe(loader);
});
