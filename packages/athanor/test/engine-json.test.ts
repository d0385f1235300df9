import { expect, test } from "vitest";
import {
  ArgumentError,
  createAll,
  customType,
  DataError,
  integer,
  json,
  Metadata,
  model,
  sessionmaker,
} from "../src/index.ts";
import { forEachDatabase } from "./databases.ts";

const metadata = new Metadata();

const wrapped = (): ReturnType<typeof json<unknown>> =>
  customType(json<{ readonly value: unknown }>(), {
    toDatabase: (value: unknown) => ({ value }),
    fromDatabase: (stored) => stored.value,
  });

class Setting extends model(
  "settings",
  { id: integer().primaryKey(), value: json().nullable(), wrapped: wrapped().nullable() },
  { metadata },
) {}

const circular: { self?: unknown } = {};
circular.self = { inner: [circular] };

forEachDatabase((db) => {
  test.each([
    ["a bigint at .limits[1]", { name: "a", limits: [1, 2n] }],
    ["NaN at .ratio", { ratio: NaN }],
    ["a number at [0]", [Infinity]],
    ["a function at .run", { run: () => {} }],
    ["an object of Map at .map", { map: new Map() }],
    ["undefined at [1]", [1, undefined]],
    ["a symbol that", Symbol("a")],
    ["NaN that", NaN],
    ["an object of Object that", circular],
  ])("%s in a value for JSON is refused with its column, and with its place", async (what, value) => {
    const engine = db.engine();
    await createAll(engine, { metadata });
    await using session = sessionmaker(engine)();
    session.add(new Setting({ value }));
    const message = new RegExp(
      `^Setting\\.value holds a value that JSON can hold.*has ${what.replace(/[.[\]]/g, "\\$&")}`,
    );
    await expect(session.commit()).rejects.toThrow(message);
    await session.rollback();
    const setting = new Setting({ value: { ratio: 1 } });
    session.add(setting);
    await session.commit();
    setting.value = value;
    expect(session.isModified(setting)).toBe(true);
    await expect(session.commit()).rejects.toThrow(ArgumentError);
  });

  test("what JSON can hold is stored, members that are undefined left out", async () => {
    const engine = db.engine();
    await createAll(engine, { metadata });
    await using session = sessionmaker(engine)();
    const value = { text: "a", list: [1.5, true, null, { none: undefined }], date: new Date(0) };
    const setting = new Setting({ value, wrapped: [1] });
    session.add(setting);
    await session.commit();
    await session.refresh(setting);
    expect(setting.value).toEqual({ text: "a", list: [1.5, true, null, {}], date: "1970-01-01T00:00:00.000Z" });
    expect(setting.wrapped).toEqual([1]);
  });

  test("what a custom type makes of its values is refused by the database's codec", async () => {
    const engine = db.engine();
    await createAll(engine, { metadata });
    await using session = sessionmaker(engine)();
    session.add(new Setting({ wrapped: 1n }));
    await expect(session.commit()).rejects.toThrow(DataError);
  });
});
