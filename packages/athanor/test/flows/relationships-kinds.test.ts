import { describe, expect, test } from "vitest";
import {
  inspect,
  integer,
  joinedLoad,
  load,
  many,
  Metadata,
  model,
  one,
  type Relationship,
  select,
  selectinLoad,
  text,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { openSessions } from "./open-sessions.ts";

const metadata = new Metadata();

class Person extends model(
  "people",
  {
    id: integer().primaryKey(),
    name: text(),
    get addresses() {
      return many(Address, { backPopulates: "person", orderBy: "id" });
    },
    /** Only those in one city. */
    get bostonAddresses() {
      return many(Address, { where: (address) => address.city.eq("Boston"), viewOnly: true, orderBy: "id" });
    },
    get sent() {
      return many(Parcel, { foreignKey: "senderId", backPopulates: "sender", orderBy: "id" });
    },
    get received() {
      return many(Parcel, { foreignKey: "receiverId", backPopulates: "receiver", orderBy: "id" });
    },
    /** The database knows nothing of it. */
    get badge(): Relationship<typeof Badge, "one"> {
      return one(Badge, { foreignKey: { holderName: "name" }, backPopulates: "holder" });
    },
  },
  { metadata },
) {}

class Address extends model(
  "addresses",
  {
    id: integer().primaryKey(),
    city: text(),
    personId: integer().nullable().references("people.id"),
    get person() {
      return one(Person, { backPopulates: "addresses" });
    },
    get namedAnn() {
      return one(Person, { where: (person) => person.name.eq("ann"), viewOnly: true });
    },
  },
  { metadata },
) {}

class Parcel extends model(
  "parcels",
  {
    id: integer().primaryKey(),
    senderId: integer().nullable().references("people.id"),
    receiverId: integer().nullable().references("people.id"),
    get sender() {
      return one(Person, { foreignKey: "senderId", backPopulates: "sent" });
    },
    get receiver() {
      return one(Person, { foreignKey: "receiverId", backPopulates: "received" });
    },
  },
  { metadata },
) {}

class Badge extends model(
  "badges",
  {
    id: integer().primaryKey(),
    holderName: text().nullable(),
    get holder(): Relationship<typeof Person, "one"> {
      return one(Person, { foreignKey: { holderName: "name" }, backPopulates: "badge" });
    },
  },
  { metadata },
) {}

const models = [Person, Address, Parcel, Badge];

forEachDatabase((db) => {
  const open = (): ReturnType<typeof openSessions> => openSessions(db, metadata, models, { expireOnCommit: true });

  describe("several foreign keys between two tables", () => {
    test("are told apart by name, and each relationship keeps to its own", async () => {
      const { SessionLocal, rows } = await open();
      await using session = SessionLocal();
      const [ann, bob] = [new Person({ name: "ann" }), new Person({ name: "bob" })];
      const parcel = new Parcel({ sender: ann, receiver: bob });
      session.add(parcel);
      await session.commit();
      expect(await rows("SELECT sender_id, receiver_id FROM parcels")).toEqual([[ann.id, bob.id]]);
      await load(ann, "sent");
      await load(ann, "received");
      expect([ann.sent, ann.received]).toEqual([[parcel], []]);
      (await load(bob, "received")).splice(0);
      await session.commit();
      expect(await rows("SELECT sender_id, receiver_id FROM parcels")).toEqual([[ann.id, null]]);
    });
  });

  describe("a key without a constraint", () => {
    test("is written and read as any other", async () => {
      const { SessionLocal, rows } = await open();
      await using session = SessionLocal();
      const ann = new Person({ name: "ann", badge: new Badge({}) });
      session.add(ann);
      await session.commit();
      expect(await rows("SELECT holder_name FROM badges")).toEqual([["ann"]]);
      const badge = (await load(ann, "badge")) as Badge;
      expect(await load(badge, "holder")).toBe(ann);
      await session.commit();
      await using other = SessionLocal();
      const [found] = (await other.scalars(select(Badge).options(joinedLoad(Badge, "holder")))).all();
      expect(found?.holder?.name).toBe("ann");
      await other.close();
      await load(ann, "badge");
      ann.badge = null;
      await session.commit();
      expect(await rows("SELECT holder_name FROM badges")).toEqual([[null]]);
    });

    test("that names no attribute is refused with the names", async () => {
      const own = new Metadata();
      class House extends model("houses", { id: integer().primaryKey() }, { metadata: own }) {}
      class Door extends model(
        "doors",
        {
          id: integer().primaryKey(),
          get house() {
            return one(House, { foreignKey: { houseId: "id" } });
          },
        },
        { metadata: own },
      ) {}
      expect(() => inspect(Door).relationships).toThrow(/Door\.house names "houseId", which is no column of/);
    });
  });

  describe("a relationship with a condition", () => {
    test("holds only what fulfils it, however it is loaded", async () => {
      const { SessionLocal } = await open();
      await using writing = SessionLocal();
      const [boston, berlin] = [new Address({ city: "Boston" }), new Address({ city: "Berlin" })];
      writing.addAll([
        new Person({ name: "ann", addresses: [boston, berlin] }),
        new Person({ name: "bob", addresses: [new Address({ city: "Bonn" })] }),
      ]);
      await writing.commit();
      const cities = (people: readonly Person[]): string[][] =>
        people.map(({ bostonAddresses }) => bostonAddresses.map(({ city }) => city));
      const byName = select(Person).orderBy((person) => person.name);
      for (const option of [
        selectinLoad(Person, "bostonAddresses"),
        joinedLoad(Person, "bostonAddresses"),
        undefined,
      ]) {
        await using session = SessionLocal();
        const people = (await session.scalars(option === undefined ? byName : byName.options(option))).all();
        if (option === undefined) for (const person of people) await load(person, "bostonAddresses");
        expect(cities(people)).toEqual([["Boston"], []]);
      }
      await using session = SessionLocal();
      const addresses = (await session.scalars(select(Address).orderBy((address) => address.id))).all();
      // The session has bob, and he is not meant all the same.
      await session.scalars(byName);
      const namedAnn: (string | undefined)[] = [];
      for (const address of addresses) namedAnn.push((await load(address, "namedAnn"))?.name);
      expect(namedAnn).toEqual(["ann", "ann", undefined]);
    });

    test("that is only viewed is not written, and a change of it is no change of the instance", async () => {
      const { SessionLocal, rows } = await open();
      await using session = SessionLocal();
      const ann = new Person({ name: "ann" });
      const address = new Address({ city: "Boston" });
      session.addAll([ann, address]);
      await session.commit();
      await load(ann, "bostonAddresses");
      ann.bostonAddresses.push(address);
      const stray = new Address({ city: "Bonn" });
      ann.bostonAddresses.push(stray);
      expect(session.isModified(ann)).toBe(false);
      expect(inspect(stray).lifecycle).toBe("transient");
      await session.commit();
      expect(await rows("SELECT city, person_id FROM addresses")).toEqual([["Boston", null]]);
      expect(await load(ann, "bostonAddresses")).toEqual([]);
    });
  });
});
