import { describe, expect, test } from "vitest";
import {
  deleteFrom,
  inherit,
  insert,
  inspect,
  integer,
  Metadata,
  model,
  select,
  type Session,
  sql,
  text,
  update,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { type OpenSessions, openSessions } from "./open-sessions.ts";

const metadata = new Metadata();

class Person extends model(
  "people",
  { id: integer().primaryKey(), kind: text(), name: text(), changes: integer().default(0).onupdate(1) },
  { metadata, polymorphicOn: "kind", identity: "person" },
) {}

class Manager extends inherit(
  Person,
  { identity: "manager", table: "managers" },
  { id: integer().primaryKey().references("people.id"), level: integer().nullable() },
) {}

class Director extends inherit(
  Manager,
  { identity: "director", table: "directors" },
  { id: integer().primaryKey().references("managers.id"), seat: text().nullable() },
) {}

class Clerk extends inherit(Person, { identity: "clerk" }, { desk: integer().nullable() }) {}

forEachDatabase((db) => {
  /** A person, two managers, a director and a clerk, in the database and in a session. */
  async function openWithStaff(): Promise<
    OpenSessions & { session: Session; staff: Readonly<Record<string, Person>> }
  > {
    const opened = await openSessions(db, metadata, [Person, Manager, Director, Clerk]);
    await opened.SessionLocal.begin(async (session) => {
      await session.execute(insert(Person), { name: "pat" });
      await session.execute(insert(Manager), [
        { name: "max", level: 1 },
        { name: "mia", level: 2 },
      ]);
      await session.execute(insert(Director), { name: "dora", level: 3, seat: "north" });
      await session.execute(insert(Clerk), { name: "carl", desk: 4 });
    });
    const session = opened.SessionLocal();
    for (const model of [Person, Manager, Director, Clerk]) await session.scalars(select(model as typeof Person));
    const staff: Record<string, Person> = {};
    for (const person of session.identityMap.values() as Person[])
      staff[person.name] = opened.log.name(person.name, person);
    opened.log.take();
    return { ...opened, session, staff };
  }

  async function rows(session: Session, table: string): Promise<unknown[]> {
    const connection = await session.connection();
    return (await connection.run(`select * from ${table} order by id`)).rows.map((row) => row.join(" "));
  }

  describe("insert", () => {
    test("writes each table of a subclass, under one key, and its identity", async () => {
      const { session } = await openWithStaff();
      expect(await rows(session, "people")).toEqual([
        "1 person pat 0 ",
        "2 manager max 0 ",
        "3 manager mia 0 ",
        "4 director dora 0 ",
        "5 clerk carl 0 4",
      ]);
      expect(await rows(session, "managers")).toEqual(["2 1", "3 2", "4 3"]);
      expect(await rows(session, "directors")).toEqual(["4 north"]);
      await session.close();
    });
  });

  describe("update", () => {
    test("of a subclass in the table of its parent leaves the others' rows alone", async () => {
      const { session, staff } = await openWithStaff();
      expect((await session.execute(update(Clerk).values({ name: "clerk" }))).rowCount).toBe(1);
      expect(staff["carl"]?.name).toBe("clerk");
      expect(staff["pat"]?.name).toBe("pat");
      expect((await rows(session, "people"))[0]).toBe("1 person pat 0 ");
      await session.close();
    });

    test("of a class changes the rows and instances of its subclasses too", async () => {
      const { session, staff } = await openWithStaff();
      expect((await session.execute(update(Person).values({ name: "x" }))).rowCount).toBe(5);
      expect(Object.values(staff).map(({ name }) => name)).toEqual(["x", "x", "x", "x", "x"]);
      await session.close();
    });

    test.each(["evaluate", "fetch"] as const)(
      "of a class in several tables may choose by one and set another, by %s",
      async (synchronizeSession) => {
        const { session, staff } = await openWithStaff();
        const statement = update(Manager)
          .where((manager) => manager.level.gte(2))
          .values({ name: "boss", level: 0 })
          .executionOptions({ synchronizeSession });
        expect((await session.execute(statement)).rowCount).toBe(2);
        expect(await rows(session, "people")).toEqual([
          "1 person pat 0 ",
          "2 manager max 0 ",
          "3 manager boss 1 ",
          "4 director boss 1 ",
          "5 clerk carl 0 4",
        ]);
        expect(await rows(session, "managers")).toEqual(["2 1", "3 0", "4 0"]);
        const { mia, dora, max } = staff as Record<string, Manager>;
        expect([mia?.name, mia?.level, mia?.changes]).toEqual(["boss", 0, 1]);
        expect([dora?.name, dora?.level]).toEqual(["boss", 0]);
        expect([max?.name, max?.level]).toEqual(["max", 1]);
        await session.close();
      },
    );

    test("cannot set a key that stands in several tables", async () => {
      const { session } = await openWithStaff();
      const statement = update(Manager).values({ id: 9 }).executionOptions({ synchronizeSession: false });
      await expect(session.execute(statement)).rejects.toThrow(
        "update(Manager) would set Manager.id, which is the key that the session knows its instances by. " +
          "Assign it to the instance, and flush; an instance of a subclass has its key in several tables.",
      );
      await session.close();
    });
  });

  describe("deleteFrom", () => {
    test("takes the rows out of every table, subclasses' first", async () => {
      const { session, staff, log } = await openWithStaff();
      const statement = deleteFrom(Manager).where((manager) => manager.level.gt(1));
      expect((await session.execute(statement)).rowCount).toBe(2);
      expect(log.take().filter((line) => line.startsWith("DELETE"))).toEqual([
        "DELETE directors",
        "DELETE managers",
        "DELETE people",
      ]);
      expect(await rows(session, "people")).toEqual(["1 person pat 0 ", "2 manager max 0 ", "5 clerk carl 0 4"]);
      expect(await rows(session, "managers")).toEqual(["2 1"]);
      expect(await rows(session, "directors")).toEqual([]);
      expect(Object.values(staff).map((person) => inspect(person).deleted)).toEqual([false, false, true, true, false]);
      await session.close();
    });

    test("of a class deletes the rows of its subclasses too", async () => {
      const { session } = await openWithStaff();
      const statement = deleteFrom(Person).where(sql<boolean>`people.id > ${1}`);
      expect((await session.execute(statement)).rowCount).toBe(4);
      expect(await rows(session, "people")).toEqual(["1 person pat 0 "]);
      expect(session.identityMap.size).toBe(1);
      await session.close();
    });

    test("of a subclass in the table of its parent deletes only its own rows", async () => {
      const { session } = await openWithStaff();
      expect((await session.execute(deleteFrom(Clerk))).rowCount).toBe(1);
      expect(await rows(session, "people")).toHaveLength(4);
      await session.close();
    });

    test("finds many rows by their keys", async () => {
      const { session } = await openWithStaff();
      await session.execute(
        insert(Manager),
        Array.from({ length: 1234 }, (_, index) => ({ name: `m${index}`, level: 10 })),
      );
      expect(
        (await session.execute(update(Manager).where({ level: 10 }).values({ level: 11, name: "m" }))).rowCount,
      ).toBe(1234);
      expect((await session.execute(deleteFrom(Manager).where({ level: 11, name: "m" }))).rowCount).toBe(1234);
      expect(await rows(session, "managers")).toHaveLength(3);
      await session.close();
    });
  });
});
