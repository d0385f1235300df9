import { describe, expect, expectTypeOf, test } from "vitest";
import {
  ArgumentError,
  aliased,
  deleteFrom,
  func,
  insert,
  inspect,
  listen,
  select,
  type Session,
  sql,
  update,
  withLoaderCriteria,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { Archived, Manager, metadata, Person, User } from "./bulk-models.ts";
import { type OpenSessions, openSessions } from "./open-sessions.ts";

forEachDatabase((db) => {
  const open = (): Promise<OpenSessions> => openSessions(db, metadata, [User, Archived, Person, Manager]);

  async function openWithUsers(): Promise<OpenSessions & { readonly session: Session }> {
    const opened = await open();
    await opened.SessionLocal.begin((session) =>
      session.execute(insert(User), [
        { email: "a@x", name: "ann" },
        { email: "b@x", name: "bob", tenant: "them" },
        { email: "c@x" },
      ]),
    );
    return { ...opened, session: opened.SessionLocal() };
  }

  async function stored(session: Session, query: string): Promise<unknown[]> {
    return (await (await session.connection()).run(query)).rows.map((row) => row.join(" "));
  }

  describe("an INSERT that returns", () => {
    test("instances makes persistent ones, in the order of the rows, with what the database made", async () => {
      const { SessionLocal, log } = await open();
      await using session = SessionLocal();
      const rows = Array.from({ length: 25 }, (_, index) => ({ email: `${25 - index}@x` }));
      log.take();
      const users = (await session.scalars(insert(User).returning(), rows)).all();
      expectTypeOf(users).toEqualTypeOf<User[]>();
      expect(users.map(({ email }) => email)).toEqual(rows.map(({ email }) => email));
      expect(users[3]).toMatchObject({ id: 4, state: "new", visits: 1, tenant: "us", name: null });
      expect(users.every((user) => inspect(user).lifecycle === "persistent" && session.has(user))).toBe(true);
      expect(log.take().filter((line) => line.includes("load"))).toHaveLength(50);
      expect(await session.get(User, 4)).toBe(users[3]);
      if (users[0] !== undefined) users[0].name = "first";
      await session.commit();
      expect(await stored(session, "select name from users where id = 1")).toEqual(["first"]);
    });

    test("instances of a class in several tables", async () => {
      const { SessionLocal } = await open();
      await using session = SessionLocal();
      const managers = await session.scalars(insert(Manager).returning(), [{ name: "max", level: 2 }, { name: "mia" }]);
      expectTypeOf(managers.all()).toEqualTypeOf<Manager[]>();
      expect(managers.all().map(({ id, name, level, kind }) => [id, name, level, kind])).toEqual([
        [1, "max", 2, "manager"],
        [2, "mia", null, "manager"],
      ]);
      const [some] = (await session.scalars(insert(Person).returning(), { name: "x", kind: "person" })).all();
      expect(some).toBeInstanceOf(Person);
    });

    test("columns, or what is computed of them", async () => {
      const { SessionLocal } = await open();
      await using session = SessionLocal();
      const ids = insert(User).returning((user) => [user.id, user.state]);
      const rows = await session.execute(ids, [{ email: "a@x" }, { email: "b@x" }]);
      expectTypeOf(rows.all()).toEqualTypeOf<[number, string][]>();
      expect(rows.all()).toEqual([
        [1, "new"],
        [2, "new"],
      ]);
      const named = insert(User).returning((user) => ({
        id: user.id,
        upper: func.upper(user.email),
        price: user.price,
      }));
      const found = await session.execute(named, [{ email: "c@x", price: "2.5" }]);
      expectTypeOf(found.all()).toEqualTypeOf<{ id: number; upper: string; price: string | null }[]>();
      expect(found.all()).toEqual([{ id: 3, upper: "C@X", price: "2.50" }]);
      expect(found.rowCount).toBe(1);
      expect(session.identityMap.size).toBe(0);
    });

    test("has rows of its own, whose values may be expressions", async () => {
      const { SessionLocal } = await open();
      await using session = SessionLocal();
      const statement = insert(User)
        .values([{ email: "a@x" }, { email: func<string>("lower", "B@X"), visits: sql<number>`1 + 1` }])
        .values({ email: "c@x", name: null });
      expect((await session.execute(statement)).rowCount).toBe(3);
      expect(await stored(session, "select email, visits, tenant from users order by id")).toEqual([
        "a@x 1 us",
        "b@x 2 us",
        "c@x 1 us",
      ]);
      const more = insert(User).values({
        email: "d@x",
        visits: select(User)
          .columns(() => [func.count()])
          .scalarSubquery(),
      });
      expect((await session.scalars(more.returning())).one()).toMatchObject({ id: 4, visits: 3, state: "new" });
      await expect(session.execute(statement, [{ email: "z" }])).rejects.toThrow("Give it all of them in one place");
      expect(() => insert(User).values({ emial: "x" } as never)).toThrow('Did you mean "email"');
      expect(() => insert(User).values({ email: 3 as never })).toThrow("User.email was to be set to a number");
    });

    test("has as many rows as one likes, with as many parameters", async () => {
      const { SessionLocal } = await open();
      await using session = SessionLocal();
      const rows = Array.from({ length: 2500 }, (_, index) => ({
        email: func.concat(...Array.from({ length: 40 }, (__, part) => `${index}${part}`)),
        ...(index % 1000 === 7 ? { name: "x" } : {}),
      }));
      expect((await session.execute(insert(User).values(rows))).rowCount).toBe(2500);
      expect(await stored(session, "select count(*) from users where name = 'x'")).toEqual(["3"]);
    });

    test("refuses what no INSERT answers with", async () => {
      const { session } = await openWithUsers();
      expect(() => insert(User).returning((user) => [user] as never)).toThrow(
        /given a whole class beside other columns/,
      );
      const joined = insert(Manager).returning((manager) => [func.upper(manager.name)]);
      await expect(session.execute(joined, { name: "x" })).rejects.toThrow(/Rows of Manager stand in 2 tables/);
      await session.close();
    });
  });

  describe("onConflict", () => {
    test("leaves rows that are there as they are", async () => {
      const { session } = await openWithUsers();
      const rows = [{ email: "a@x", name: "other" }, { email: "d@x" }];
      const added = await session.scalars(insert(User).onConflict("email").doNothing().returning(), rows);
      expect(added.all().map(({ email }) => email)).toEqual(["d@x"]);
      expect((await session.execute(insert(User).onConflict().doNothing(), rows)).rowCount).toBe(0);
      expect(await stored(session, "select name from users where email = 'a@x'")).toEqual(["ann"]);
      await session.close();
    });

    test("updates them with what was to be inserted, and with what is there", async () => {
      const { session } = await openWithUsers();
      const ann = (await session.scalars(select(User).where({ email: "a@x" }))).one();
      const upsert = insert(User)
        .onConflict(["email"])
        .doUpdate((excluded, user) => ({ name: excluded.name, visits: user.visits.plus(excluded.visits) }), {
          where: (_, user) => user.email.ne("c@x"),
        })
        .returning();
      const found = await session.scalars(upsert, [
        { email: "a@x", name: "anna", visits: 5 },
        { email: "c@x", name: "cid" },
        { email: "e@x", name: "eve" },
      ]);
      expect(
        found
          .all()
          .map(({ email }) => email)
          .toSorted(),
      ).toEqual(["a@x", "e@x"]);
      expect([ann.name, ann.visits, ann.changes]).toEqual(["anna", 6, 7]);
      expect(found.all()).toContain(ann);
      expect(await stored(session, "select name, visits, changes from users where email <> 'b@x' order by id")).toEqual(
        ["anna 6 7", " 1 ", "eve 1 "],
      );
      await session.close();
    });

    test("updates with plain values, of rows of the statement too", async () => {
      const { session } = await openWithUsers();
      const statement = insert(User)
        .values({ email: "a@x", visits: sql<number>`2 * 2` })
        .onConflict("email")
        .doUpdate({ name: "again" });
      expect((await session.execute(statement)).rowCount).toBe(1);
      expect(await stored(session, "select name, visits from users where id = 1")).toEqual(["again 1"]);
      await session.close();
    });

    test("never touches a row that criteria hide", async () => {
      const { session } = await openWithUsers();
      listen(session, "doOrmExecute", (event) => {
        const { statement } = event;
        if ("options" in statement)
          event.statement = statement.options(withLoaderCriteria(User, (user) => user.tenant.eq("us")) as never);
      });
      const upsert = insert(User).onConflict("email").doUpdate({ name: "hit" }).returning();
      const found = await session.scalars(upsert, [{ email: "a@x" }, { email: "b@x" }]);
      expect(found.all().map(({ email }) => email)).toEqual(["a@x"]);
      expect(await stored(session, "select name from users where id < 3 order by id")).toEqual(["hit", "bob"]);
      await session.close();
    });

    test("knows a partial index by the rows that it is about", async () => {
      const { session } = await openWithUsers();
      const connection = await session.connection();
      await connection.run("create unique index one_new on users (name) where price is null");
      const taken = { email: "n@x", name: "ann" };
      const upsert = insert(User)
        .onConflict("name", { where: (user) => user.price.isNull() })
        .doUpdate({ visits: 9 })
        .returning();
      expect((await session.scalars(upsert, [taken])).one()).toMatchObject({ id: 1, visits: 9 });
      const skipped = insert(User)
        .onConflict("name", { where: (user) => user.price.isNull() })
        .doNothing();
      expect((await session.execute(skipped, [taken, { ...taken, price: "1" }])).rowCount).toBe(1);
      await session.close();
    });

    test("is refused where it says nothing", () => {
      expect(() => insert(User).onConflict().doUpdate({ name: "x" })).toThrow(/names no column/);
      expect(() => insert(User).onConflict("email").doUpdate({})).toThrow(/was given nothing to set/);
      expect(() => insert(User).onConflict("emial" as never)).toThrow(ArgumentError);
    });
  });

  describe("fromSelect", () => {
    test("inserts what a statement finds, with defaults of the class and of the database", async () => {
      const { session } = await openWithUsers();
      const found = select(User)
        .where((user) => user.id.lt(3))
        .orderBy((user) => user.id)
        .columns((user) => [user.id, func.upper(user.email)]);
      const archive = insert(Archived).fromSelect(["id", "email"], found);
      const result = await session.execute(archive.returning((archived) => [archived.email, archived.reason]));
      expect(result.all()).toEqual([
        ["A@X", "old"],
        ["B@X", "old"],
      ]);
      expect(await stored(session, "select id, email, state from archived order by id")).toEqual([
        "1 A@X new",
        "2 B@X new",
      ]);
      const all = select(User).columns((user) => [user.id, func.upper(user.email)]);
      const rest = insert(Archived).fromSelect(["id", "email"], all).onConflict().doNothing();
      expect((await session.execute(rest)).rowCount).toBe(1);
      await session.close();
    });

    test("takes unions and common tables, whatever conflicts there are", async () => {
      const { session } = await openWithUsers();
      const [ann, bob] = [1, 2].map((id) =>
        select(User)
          .where({ id })
          .columns((user) => ({ email: user.email })),
      );
      if (ann === undefined || bob === undefined) throw new Error("Two statements were made.");
      const both = insert(Archived).fromSelect(["email"], ann.union(bob));
      expect((await session.execute(both)).rowCount).toBe(2);
      expect((await session.execute(both.onConflict("email").doUpdate({ reason: "again" }))).rowCount).toBe(2);
      const found = ann.cte("found");
      const again = insert(Archived).fromSelect(
        ["email"],
        select(found).columns((each) => [each.email]),
      );
      expect((await session.execute(again.onConflict().doNothing())).rowCount).toBe(0);
      expect(await stored(session, "select email, reason from archived order by email")).toEqual([
        "a@x again",
        "b@x again",
      ]);
      await session.close();
    });

    test("sees no rows that criteria hide, nor do its values", async () => {
      const { session } = await openWithUsers();
      const ours = withLoaderCriteria(User, (user) => user.tenant.eq("us"));
      const all = select(User).columns((user) => [user.id, user.email]);
      const archive = insert(Archived).fromSelect(["id", "email"], all).options(ours);
      expect((await session.execute(archive)).rowCount).toBe(2);
      const count = select(aliased(User, "other"))
        .columns(() => [func.count()])
        .scalarSubquery();
      const counted = insert(User).values({ email: "n@x", visits: count }).options(ours);
      expect((await session.scalars(counted.returning((user) => [user.visits]))).all()).toEqual([2]);
      await session.close();
    });

    test("refuses instances, and another number of columns", () => {
      const users = select(User);
      expect(() => insert(Archived).fromSelect(["id"], users as never)).toThrow(/the statement selects instances/);
      const two = users.columns((user) => [user.id, user.email]);
      expect(() => insert(Archived).fromSelect(["id"], two as never)).toThrow(
        /names 1 attributes, and the statement selects 2 columns/,
      );
      expect(() => insert(Archived).fromSelect(["id", "email"], two).values({ email: "x" })).toThrow(
        /Make two statements of it/,
      );
      const numbers = users.columns((user) => [user.id, user.visits]);
      // @ts-expect-error -- a number is no email
      insert(Archived).fromSelect(["id", "email"], numbers);
    });
  });

  describe("an UPDATE that returns", () => {
    test("instances gives those that the session has, and makes the others", async () => {
      const { session } = await openWithUsers();
      const ann = (await session.scalars(select(User).where({ email: "a@x" }))).one();
      const statement = update(User)
        .where((user) => user.id.lt(3))
        .values((user) => ({ visits: user.visits.plus(1) }));
      const users = (await session.scalars(statement.returning())).all();
      expectTypeOf(users).toEqualTypeOf<User[]>();
      expect(users.toSorted((left, right) => left.id - right.id).map(({ name, visits }) => [name, visits])).toEqual([
        ["ann", 2],
        ["bob", 2],
      ]);
      expect(users).toContain(ann);
      expect(session.identityMap.size).toBe(2);
      await session.close();
    });

    test("columns gives their new values, and listeners of afterBulkUpdate their rows", async () => {
      const { session } = await openWithUsers();
      const told: unknown[] = [];
      listen(session, "afterBulkUpdate", ({ rows, result }) => void told.push(rows?.length, result.all().length));
      const statement = update(User).where({ email: "a@x" }).values({ name: "x" });
      const chosen = statement.returning((user) => ({
        id: user.id,
        label: user.name.concat("!"),
        seenAt: user.seenAt,
      }));
      for (const rows of ["after", "before"] as const) {
        const result = await session.execute(chosen, undefined, { executionOptions: { rows } });
        expectTypeOf(result.all()).toEqualTypeOf<{ id: number; label: string | null; seenAt: Date | null }[]>();
        expect(result.all()).toEqual([{ id: 1, label: "x!", seenAt: null }]);
        expect(result.rowCount).toBe(1);
      }
      expect(told).toEqual([1, 1, 1, 1]);
      await session.close();
    });

    test("of a class in several tables", async () => {
      const { SessionLocal } = await open();
      await using session = SessionLocal();
      await session.execute(insert(Manager), [
        { name: "max", level: 1 },
        { name: "mia", level: 2 },
      ]);
      const raise = update(Manager).where({ level: 2 }).values({ level: 3, name: "boss" });
      const [mia] = (await session.scalars(raise.returning())).all();
      expect(mia).toMatchObject({ name: "boss", level: 3 });
      const columns = raise.returning((manager) => [manager.name, manager.level]);
      expect((await session.execute(columns)).all()).toEqual([]);
      const people = await session.scalars(update(Person).values({ name: "all" }).returning());
      expect(people.all().every((person) => person instanceof Manager && person.name === "all")).toBe(true);
      expect(people.all()).toContain(mia);
    });

    test("of a subquery keeps to criteria", async () => {
      const { session } = await openWithUsers();
      const count = select(aliased(User, "other"))
        .columns(() => [func.count()])
        .scalarSubquery();
      const statement = update(User)
        .where({ email: "a@x" })
        .values({ name: "x" })
        .returning(() => [count]);
      const ours = withLoaderCriteria(User, (user) => user.tenant.eq("us"));
      expect((await session.scalars(statement.options(ours))).all()).toEqual([2]);
      await session.close();
    });
  });

  describe("a DELETE that returns", () => {
    test("instances gives deleted ones, which a rollback brings back", async () => {
      const { session } = await openWithUsers();
      const ann = (await session.scalars(select(User).where({ email: "a@x" }))).one();
      const gone = (
        await session.scalars(
          deleteFrom(User)
            .where((user) => user.id.lt(3))
            .returning(),
        )
      ).all();
      expectTypeOf(gone).toEqualTypeOf<User[]>();
      expect(gone).toContain(ann);
      expect(gone.map((user) => inspect(user).lifecycle)).toEqual(["deleted", "deleted"]);
      expect(new Set(gone.map(({ name }) => name))).toEqual(new Set(["ann", "bob"]));
      expect(session.identityMap.size).toBe(0);
      await session.rollback();
      expect(inspect(ann).lifecycle).toBe("persistent");
      await session.close();
    });

    test("columns gives what they held, of a class in several tables too", async () => {
      const { session } = await openWithUsers();
      const ids = await session.execute(deleteFrom(User).returning((user) => [user.id]));
      expectTypeOf(ids.all()).toEqualTypeOf<[number][]>();
      expect(new Set(ids.scalars())).toEqual(new Set([1, 2, 3]));
      await session.execute(insert(Manager), [{ name: "max", level: 1 }]);
      const managers = await session.execute(
        deleteFrom(Manager).returning((manager) => ({ name: manager.name, level: manager.level })),
      );
      expect(managers.all()).toEqual([{ name: "max", level: 1 }]);
      await session.execute(insert(Manager), [{ name: "mia", level: 1 }]);
      const [mia] = (await session.scalars(deleteFrom(Person).returning())).all();
      expect(mia).toBeInstanceOf(Manager);
      expect(inspect(mia as Manager).lifecycle).toBe("deleted");
      await session.close();
    });
  });
});
