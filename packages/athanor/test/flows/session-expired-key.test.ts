import { expect, test } from "vitest";
import {
  attributes,
  createAll,
  createEngine,
  integer,
  listen,
  Metadata,
  model,
  sessionmaker,
  text,
} from "../../src/index.ts";

const metadata = new Metadata();

class Reading extends model(
  "readings",
  { station: text().primaryKey(), hour: integer().primaryKey(), note: text() },
  { metadata },
) {}

test("the key of an expired instance can be read: it is known as long as its row is", async () => {
  await using engine = createEngine("sqlite::memory:");
  await createAll(engine, { metadata });
  await using session = sessionmaker(engine)();
  const reading = new Reading({ station: "north", hour: 7, note: "calm" });
  session.add(reading);
  await session.commit();
  const heard: unknown[] = [];
  using _listening = listen(attributes(Reading).hour, "set", ({ oldValue }) => heard.push(oldValue));

  session.expire(reading);

  expect([reading.station, reading.hour]).toEqual(["north", 7]);
  expect(() => reading.note).toThrow("Reading.note is not loaded");
  reading.hour = 8;
  await session.commit();
  expect(heard).toEqual([7]);
  expect(await session.get(Reading, ["north", 8])).toBe(reading);
});
