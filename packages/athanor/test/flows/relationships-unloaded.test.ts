import { describe, expect, test } from "vitest";
import {
  attributes,
  createAll,
  DetachedInstanceError,
  integer,
  listen,
  load,
  many,
  Metadata,
  model,
  one,
  select,
  sessionmaker,
  text,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";

const metadata = new Metadata();

class Person extends model(
  "people",
  {
    id: integer().primaryKey(),
    name: text(),
    get passport() {
      return one(Passport, { backPopulates: "person", cascade: "all, delete-orphan" });
    },
    get desk() {
      return one(Desk, { backPopulates: "person" });
    },
  },
  { metadata },
) {}
class Passport extends model(
  "passports",
  {
    id: integer().primaryKey(),
    person_id: integer().nullable().references("people.id"),
    get person() {
      return one(Person, { backPopulates: "passport" });
    },
  },
  { metadata },
) {}
class Desk extends model(
  "desks",
  {
    id: integer().primaryKey(),
    person_id: integer().nullable().references("people.id"),
    get person() {
      return one(Person, { backPopulates: "desk" });
    },
  },
  { metadata },
) {}

describe("a reference that is assigned before it is loaded", () => {
  forEachDatabase((database) => {
    const storedPerson = async () => {
      const engine = database.engine();
      await createAll(engine, { metadata });
      const sessions = sessionmaker(engine);
      const session = sessions();
      session.add(new Person({ name: "Ada", passport: new Passport({}), desk: new Desk({}) }));
      await session.commit();
      session.expungeAll();
      return { session, ada: (await session.get(Person, 1)) as Person };
    };

    test("empties the foreign key of what it replaces", async () => {
      const { session, ada } = await storedPerson();
      ada.desk = new Desk({});
      await session.commit();
      const desks = (await session.execute(select(Desk).orderBy((desk) => desk.id))).scalars().all();
      expect(desks.map(({ person_id }) => person_id)).toEqual([null, ada.id]);
      await session.close();
    });

    test("deletes what it replaces where that cannot be without it", async () => {
      const { session, ada } = await storedPerson();
      ada.passport = null;
      await session.commit();
      expect((await session.execute(select(Passport))).scalars().all()).toEqual([]);
      await session.close();
    });

    test("has not changed where it is assigned what the row says", async () => {
      const { session, ada } = await storedPerson();
      const passport = await session.get(Passport, 1);
      ada.passport = passport;
      await session.commit();
      expect((await session.execute(select(Passport))).scalars().all()).toEqual([passport]);
      expect(passport?.person_id).toBe(ada.id);
      await session.close();
    });

    test("finds what it replaces by the key that the row has, also where the instance is expired", async () => {
      const { session, ada } = await storedPerson();
      session.expire(ada);
      ada.passport = null;
      await session.commit();
      expect((await session.execute(select(Passport))).scalars().all()).toEqual([]);
      expect(await load(ada, "name")).toBe("Ada");
      await session.close();
    });

    test("is told by the row what it replaces, whatever was assigned to its foreign key", async () => {
      const { session, ada } = await storedPerson();
      const bob = new Person({ name: "Bob" });
      session.add(bob);
      await session.flush();
      const desk = (await session.get(Desk, 1)) as Desk;
      const replaced: unknown[] = [];
      using _listening = listen(attributes(Desk).person, "set", ({ oldValue }) => replaced.push(oldValue));
      desk.person_id = bob.id;
      desk.person = null;
      expect(replaced).toEqual([ada]);
      await session.close();
    });

    test("deletes what refers to it no longer, although the session has seen them belong together", async () => {
      const { session, ada } = await storedPerson();
      const passport = (await session.get(Passport, 1)) as Passport;
      await load(passport, "person");
      ada.passport = passport;
      await session.flush();
      session.expire(ada, ["passport"]);
      passport.person = null;
      await session.commit();
      expect((await session.execute(select(Passport))).scalars().all()).toEqual([]);
      await session.close();
    });

    test("can be expired without a column that was never set: that is null as before", async () => {
      const { session } = await storedPerson();
      const desk = new Desk({});
      session.add(desk);
      await session.flush();
      session.expire(desk, ["person"]);
      expect(desk.person_id).toBeNull();
      await session.close();
    });
  });
});

class Kit extends model(
  "kits",
  {
    id: integer().primaryKey(),
    get lines() {
      return many(Line, { backPopulates: "kit", orderBy: "number" });
    },
  },
  { metadata },
) {}
class Line extends model(
  "lines",
  {
    kit_id: integer().primaryKey().references("kits.id"),
    number: integer().primaryKey(),
    get kit() {
      return one(Kit, { backPopulates: "lines" });
    },
  },
  { metadata },
) {}

describe("a flush that has to load an instance which has left the session", () => {
  forEachDatabase((database) => {
    test("fails, and says how to bring it back", async () => {
      const engine = database.engine();
      await createAll(engine, { metadata });
      const warnings: string[] = [];
      await using session = sessionmaker(engine, { onWarning: ({ message }) => warnings.push(message) })();
      const line = new Line({ number: 1 });
      session.addAll([new Kit({ lines: [line] }), new Kit({})]);
      await session.commit();
      session.expire(line);
      session.expunge(line);
      const other = (await session.get(Kit, 2)) as Kit;
      await load(other, "lines");
      line.kit = other;
      await expect(session.flush()).rejects.toThrow(DetachedInstanceError);
      expect(warnings).toEqual([expect.stringContaining("is not in the session")]);
      await session.rollback();
      line.kit = other;
      session.add(line);
      await session.commit();
      expect(await load(line, "kit_id", "number")).toEqual([2, 1]);
    });
  });
});
