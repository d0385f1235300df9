import { expect, test } from "vitest";
import { bigint, createAll, createEngine, integer, Metadata, model, sessionmaker } from "../src/index.ts";

const metadata = new Metadata();

class Item extends model("items", { id: integer().primaryKey() }, { metadata }) {}
class Event extends model("events", { id: bigint().primaryKey() }, { metadata }) {}

test.each([
  [Item, "1", /a key with a string .* Convert it first: Number\(id\)\.$/],
  [Item, 1n, /a key with a bigint .* Number\(id\)\.$/],
  [Event, 1, /a key with a number .* Convert it first: BigInt\(id\)\.$/],
  [Item, null, /a key with null .* check for a missing value before\.$/],
  [Item, undefined, /a key with undefined .* check for a missing value before\.$/],
  [Item, NaN, /a key with NaN .* text that is no number/],
  [Item, 1.5, /a key with a number that is none was asked for\. Check where it comes from\.$/],
])("a key of %o with %o is refused, with what helps", async (entity, key, message) => {
  await using engine = createEngine("sqlite::memory:");
  await createAll(engine, { metadata });
  await using session = sessionmaker(engine)();
  await expect((async () => session.get<typeof Item | typeof Event>(entity, key as never))()).rejects.toThrow(message);
});
