import { describe, expect, test } from "vitest";
import {
  ArgumentError,
  attributes,
  bindparam,
  customType,
  deleteFrom,
  insert,
  inspect,
  IntegrityError,
  InvalidRequestError,
  integer,
  listen,
  load,
  many,
  Metadata,
  model,
  one,
  or,
  type ORMExecuteState,
  select,
  type Session,
  sql,
  text,
  timestamp,
  transient,
  UnloadedAttributeError,
  update,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { type OpenSessions, openSessions } from "./open-sessions.ts";

const metadata = new Metadata();

const tags = customType(text(), {
  toDatabase: (value: readonly string[]) => value.join(","),
  fromDatabase: (value) => value.split(","),
});

class User extends model(
  "users",
  {
    id: integer().primaryKey(),
    name: text().unique(),
    email: text().nullable(),
    age: integer().nullable().default(18),
    labels: tags.nullable(),
    joinedAt: timestamp().nullable(),
    revision: integer().nullable().onupdate(7),
    password: transient<string>(),
    get posts() {
      return many(Post, { backPopulates: "author" });
    },
  },
  { metadata },
) {}

class Post extends model(
  "posts",
  {
    id: integer().primaryKey(),
    authorId: integer().nullable().references("users.id"),
    title: text(),
    get author() {
      return one(User, { backPopulates: "posts" });
    },
  },
  { metadata },
) {}

class Seat extends model(
  "seats",
  { row: text().primaryKey(), number: integer().primaryKey(), guest: text().nullable() },
  { metadata },
) {}

forEachDatabase((db) => {
  const open = (options = {}): Promise<OpenSessions> => openSessions(db, metadata, [User, Post, Seat], options);

  /** Three users, aged 20, 30 and none, in the database and in a session that is otherwise unused. */
  async function openWithUsers(options = {}): Promise<OpenSessions & { session: Session; users: readonly User[] }> {
    const opened = await open(options);
    await opened.SessionLocal.begin((session) =>
      session.execute(insert(User), [
        { name: "ann", email: "a@x", age: 20 },
        { name: "bob", email: "b@x", age: 30 },
        { name: "cid", email: null },
      ]),
    );
    await opened.SessionLocal.begin((session) =>
      session.execute(update(User).where({ name: "cid" }).values({ age: null, revision: null })),
    );
    const session = opened.SessionLocal();
    const users = (await session.scalars(select(User).orderBy(({ id }) => id))).all();
    for (const user of users) opened.log.name(user.name, user);
    opened.log.take();
    return { ...opened, session, users };
  }

  /** Names and ages of all users, as the database has them. */
  async function ages(session: Session): Promise<unknown[]> {
    const connection = await session.connection();
    return (await connection.run("select name, age from users order by id")).rows.map((row) => row.join(" "));
  }

  describe("insert", () => {
    test("writes many rows at once, with defaults and converted values, and makes no instance", async () => {
      const { SessionLocal, log } = await open();
      await using session = SessionLocal();
      const joinedAt = new Date("2026-02-28T10:00:00.000Z");
      const { rowCount } = await session.execute(insert(User), [
        { name: "ann", labels: ["x", "y"], joinedAt },
        { name: "bob", age: 40 },
      ]);
      expect(rowCount).toBe(2);
      expect(session.identityMap.size).toBe(0);
      expect(log.take().filter((line) => !line.startsWith("after"))).toEqual(["doOrmExecute", "BEGIN", "INSERT users"]);
      const found = (await session.scalars(select(User).orderBy(({ id }) => id))).all();
      expect(found.map(({ name, age, labels }) => ({ name, age, labels }))).toEqual([
        { name: "ann", age: 18, labels: ["x", "y"] },
        { name: "bob", age: 40, labels: null },
      ]);
      expect(found[0]?.joinedAt).toEqual(joinedAt);
    });

    test("takes one row without a list, and does nothing for an empty list", async () => {
      const { SessionLocal } = await open();
      await using session = SessionLocal();
      expect((await session.execute(insert(User), { name: "ann" })).rowCount).toBe(1);
      expect((await session.execute(insert(User), [])).rowCount).toBe(0);
      expect(await ages(session)).toEqual(["ann 18"]);
    });

    test("flushes what is pending before, and is rolled back with everything else", async () => {
      const { SessionLocal, rows } = await open();
      const session = SessionLocal();
      session.add(new User({ name: "ann" }));
      await expect(session.execute(insert(User), [{ name: "ann" }])).rejects.toThrow(IntegrityError);
      await session.rollback();
      await session.execute(insert(User), [{ name: "bob" }]);
      await session.close();
      expect(await rows("select * from users")).toEqual([]);
    });

    test("is refused without rows, for names that are no columns, and for values that a column cannot hold", async () => {
      const { SessionLocal } = await open();
      await using session = SessionLocal();
      const refused = async (rows: unknown): Promise<string> => {
        const error: unknown = await session.execute(insert(User), rows as never).catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(ArgumentError);
        return (error as Error).message;
      };
      expect(await refused(undefined)).toBe(
        "insert(User) was executed with no rows. Give it one object with values by attribute, or a list of them: session.execute(insert(User), [{ … }, { … }]).",
      );
      expect(await refused([{ name: "ann" }, 3])).toContain("a number for a row");
      expect(await refused([{ nmae: "ann" }])).toBe('User has no attribute "nmae". Did you mean "name"?');
      expect(await refused([{ posts: [] }])).toContain("User.posts is a relationship, and insert() and update() write");
      expect(await refused([{ password: "x" }])).toContain("User.password is transient");
      expect(await refused([{ name: "ann", age: "old" }])).toContain("User.age holds a whole number");
      expect(await ages(session)).toEqual([]);
    });
  });

  describe("update", () => {
    test("sets values in the rows, and in the instances for which the condition holds in memory", async () => {
      const { session, users, log } = await openWithUsers();
      const [ann, bob, cid] = users as [User, User, User];
      const statement = update(User)
        .where((user) => user.age.gt(25))
        .values({ email: "old@x" });
      expect((await session.execute(statement)).rowCount).toBe(1);
      expect(log.take()).toEqual(["doOrmExecute", "UPDATE users", "expire bob []", "refresh bob [email]"]);
      expect([ann.email, bob.email, cid.email]).toEqual(["a@x", "old@x", null]);
      expect(bob.revision).toBe(7);
      expect(session.dirty.size).toBe(0);
      await session.close();
    });

    test("asks the database which rows it changed where the condition cannot be tested in memory", async () => {
      const { session, users, log } = await openWithUsers();
      const [, bob] = users as [User, User];
      const statement = update(User)
        .where((user) => user.name.like("b%"))
        .values({ email: "b@y" });
      expect((await session.execute(statement)).rowCount).toBe(1);
      expect(log.take().filter((line) => !line.startsWith("UPDATE"))).toEqual([
        "doOrmExecute",
        "doOrmExecute",
        "expire bob []",
        "refresh bob [email]",
      ]);
      expect(bob.email).toBe("b@y");
      await session.close();
    });

    test.each(["evaluate", "fetch"] as const)("changes the same instances by %s", async (synchronizeSession) => {
      const { session, users } = await openWithUsers();
      await session.execute(
        update(User)
          .where((user) => or(user.age.isNull(), user.name.in(["ann", "dan"])))
          .values({ age: 50 }),
        undefined,
        { executionOptions: { synchronizeSession } },
      );
      expect(users.map(({ age }) => age)).toEqual([50, 30, 50]);
      expect(await ages(session)).toEqual(["ann 50", "bob 30", "cid 50"]);
      await session.close();
    });

    test("leaves instances as they are when told so", async () => {
      const { session, users, log } = await openWithUsers();
      const statement = update(User).values({ age: 1 }).executionOptions({ synchronizeSession: false });
      expect((await session.execute(statement)).rowCount).toBe(3);
      expect(log.take()).toEqual(["doOrmExecute", "UPDATE users"]);
      expect(users[0]?.age).toBe(20);
      await session.refresh(users[0] as User);
      expect(users[0]?.age).toBe(1);
      await session.close();
    });

    test("takes values from other columns, from SQL, which is loaded when it is needed, and from the execution", async () => {
      const { session, users } = await openWithUsers();
      const [ann, bob] = users as [User, User];
      await session.execute(
        update(User)
          .where({ name: "ann" })
          .values((user) => ({ age: sql`${user.age} + 1`, email: user.name })),
      );
      expect(ann.email).toBe("ann");
      expect(() => ann.age).toThrow(UnloadedAttributeError);
      expect(() => ann.age).toThrow("It was expired by update()");
      await session.refresh(ann);
      expect(ann.age).toBe(21);
      const rename = update(User)
        .where((user) => user.name.eq(bindparam("from")))
        .values({ name: bindparam("to") });
      expect((await session.execute(rename, { from: "bob", to: "rob" })).rowCount).toBe(1);
      await session.refresh(bob);
      expect(bob.name).toBe("rob");
      await session.close();
    });

    test("exchanges the values of two columns in memory as in the row", async () => {
      const { session, users } = await openWithUsers();
      const [ann] = users as [User];
      await session.execute(
        update(User)
          .where({ name: "ann" })
          .values((user) => ({ email: user.name, name: user.email as never })),
      );
      expect([ann.name, ann.email]).toEqual(["a@x", "ann"]);
      const [row] = (await (await session.connection()).run("select name, email from users where id = 1")).rows;
      expect(row).toEqual(["a@x", "ann"]);
      await session.close();
    });

    test("drops what was assigned and not flushed, because the statement came later", async () => {
      const { session, users, log } = await openWithUsers({ autoflush: false });
      const [ann] = users as [User];
      ann.age = 21;
      log.take();
      await session.execute(update(User).where({ id: 1 }).values({ age: 22 }));
      expect(log.take()).toEqual([
        "doOrmExecute",
        "UPDATE users",
        "expire ann []",
        "refresh ann []",
        "expire ann [age]",
      ]);
      await session.commit();
      expect(await ages(session)).toContain("ann 22");
      await session.close();
    });

    test("knows the new value of a column that was never set", async () => {
      const { SessionLocal } = await open();
      await using session = SessionLocal();
      const ann = new User({ name: "ann" });
      session.add(ann);
      await session.flush();
      expect(ann.email).toBeNull();
      await session.execute(update(User).values({ email: "a@x" }));
      expect(ann.email).toBe("a@x");
    });

    test("lets go of a reference whose foreign key it has set", async () => {
      const { session, users } = await openWithUsers();
      const [ann, bob] = users as [User, User];
      const post = new Post({ title: "one", author: ann });
      session.add(post);
      await session.flush();
      await session.execute(update(Post).values({ authorId: bob.id }));
      expect(post.authorId).toBe(bob.id);
      await session.refresh(post, ["author"]);
      expect(post.author).toBe(bob);
      await session.close();
    });

    test("is undone in memory too by the rollback of its savepoint, and of its transaction", async () => {
      const { session, users } = await openWithUsers();
      const [ann, bob] = users as [User, User];
      const savepoint = await session.beginNested();
      await session.execute(update(User).where({ name: "ann" }).values({ age: 99 }));
      await savepoint.rollback();
      expect(() => ann.age).toThrow("It was expired by rollback()");
      expect(bob.age).toBe(30);
      await session.refresh(ann);
      expect(ann.age).toBe(20);
      await session.close();
    });

    test("is refused without values, for unknown names, values of the wrong type and keys", async () => {
      const { session } = await openWithUsers();
      await expect(session.execute(update(User))).rejects.toThrow(
        "update(User) was executed without anything to set. Say what with update(User).values({ … }).",
      );
      await expect(session.execute(update(User).values({ age: undefined as never }))).rejects.toThrow(ArgumentError);
      const values = (given: unknown) => (): unknown => update(User).values(given as never);
      expect(values({ nmae: "x" })).toThrow('User has no attribute "nmae". Did you mean "name"?');
      expect(values({ posts: [] })).toThrow("User.posts is a relationship");
      expect(values({ age: "old" })).toThrow(
        "User.age was to be set to a string it cannot hold, and holds a whole number up to 2^53. Convert the value first.",
      );
      expect(values(3)).toThrow("values() takes an object with values by attribute of User, and got a number.");
      expect(() => update(User).where({})).toThrow("where({}) says nothing");
      await expect(session.execute(update(User).values({ id: 9 }))).rejects.toThrow(
        "update(User) would set User.id, which is the key that the session knows its instances by.",
      );
      await expect(session.execute(deleteFrom(User), [{ id: 1 }] as never)).rejects.toThrow(
        "deleteFrom(User) takes no list of rows.",
      );
      await session.close();
    });

    test("says which part of a condition cannot be tested in memory", async () => {
      const { session, log } = await openWithUsers();
      const evaluate = { executionOptions: { synchronizeSession: "evaluate" } } as const;
      const by = (statement: Parameters<Session["execute"]>[0]): Promise<unknown> =>
        session.execute(statement, undefined, evaluate);
      const error: unknown = await by(
        update(User)
          .where(({ name }) => name.like("a%"))
          .values({ age: 1 }),
      ).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(InvalidRequestError);
      expect((error as Error).message).toBe(
        `synchronizeSession: "evaluate" tests the condition on the instances of User in memory, and only the database can evaluate LIKE. ` +
          `Use "auto" or "fetch", which ask the database for the keys of the rows; or false, and expire the instances yourself.`,
      );
      await expect(by(deleteFrom(User).where(sql<boolean>`1 = 1`))).rejects.toThrow("can evaluate SQL of your own");
      await expect(by(deleteFrom(User).where(({ name }) => name.lt("b")))).rejects.toThrow("the order of text values");
      await expect(by(deleteFrom(User).where(attributes(Post).title.eq("x")))).rejects.toThrow(
        "Post.title, which is not of User",
      );
      expect(log.take().filter((line) => /^(UPDATE|DELETE|SELECT)/.test(line))).toEqual([]);
      await expect(
        session.execute(deleteFrom(User), undefined, {
          executionOptions: { synchronizeSession: "sometimes" as never },
        }),
      ).rejects.toThrow('synchronizeSession is "auto", "evaluate", "fetch" or false, and was "sometimes".');
      await session.close();
    });
  });

  describe("deleteFrom", () => {
    test.each(["evaluate", "fetch", "auto"] as const)("deletes rows, and their instances, by %s", async (by) => {
      const { session, users, log } = await openWithUsers();
      const [ann, bob] = users as [User, User];
      const statement = deleteFrom(User)
        .where((user) => user.age.lte(20))
        .executionOptions({ synchronizeSession: by });
      expect((await session.execute(statement)).rowCount).toBe(1);
      expect(log.take().filter((line) => line.startsWith("persistent"))).toEqual(["persistentToDeleted ann"]);
      expect(inspect(ann).deleted).toBe(true);
      expect(session.has(ann)).toBe(false);
      expect(inspect(bob).persistent).toBe(true);
      await session.commit();
      expect(log.take()).toContain("deletedToDetached ann");
      expect(await ages(session)).toEqual(["bob 30", "cid "]);
      await session.close();
    });

    test("is undone by a rollback, which brings the instances back", async () => {
      const { session, users, log } = await openWithUsers();
      expect((await session.execute(deleteFrom(User))).rowCount).toBe(3);
      expect(session.identityMap.size).toBe(0);
      log.take();
      await session.rollback();
      expect(log.take().filter((line) => line.startsWith("deletedTo"))).toEqual([
        "deletedToPersistent ann",
        "deletedToPersistent bob",
        "deletedToPersistent cid",
      ]);
      expect(await session.get(User, 1)).toBe(users[0]);
      await session.close();
    });

    test("does not guess about instances that are expired", async () => {
      const { session, users } = await openWithUsers();
      const [ann] = users as [User];
      session.expire(ann);
      await session.execute(deleteFrom(User).where({ id: 1 }));
      expect(inspect(ann).persistent).toBe(true);
      expect(await session.get(User, 1)).toBeNull();
      expect(inspect(ann).deleted).toBe(true);
      await session.close();
    });

    test("that the session is not told of is noticed when the key comes back", async () => {
      const warnings: string[] = [];
      const { session, users } = await openWithUsers({
        onWarning: ({ message }: { message: string }) => warnings.push(message),
      });
      const [ann] = users as [User];
      const silently = { executionOptions: { synchronizeSession: false } } as const;
      await session.execute(deleteFrom(User).where({ id: 1 }), undefined, silently);
      session.expire(ann, ["name"]);
      const eve = new User({ id: 1, name: "eve" });
      session.add(eve);
      await session.flush();
      expect(warnings).toEqual([
        expect.stringContaining("The new row of User got the key 1, of which the session has"),
      ]);
      expect(await session.get(User, 1)).toBe(eve);
      // What was replaced is read from the row of its key, is not written any more, and does not come back.
      expect(await load(ann, "name")).toBe("eve");
      ann.name = "anna";
      await session.flush();
      expect(() => session.add(ann)).toThrow("the session has another instance for the same row");
      expect(() => session.expire(ann)).toThrow("the session has another instance for the same row");
      await session.refresh(eve);
      expect(eve.name).toBe("eve");
      // Once the new row is gone, its key is free for it.
      await session.rollback();
      session.add(ann);
      expect(await session.get(User, 1)).toBe(ann);
      await session.close();
    });

    test("finds rows with a key of several columns", async () => {
      const { SessionLocal } = await open();
      await using session = SessionLocal();
      await session.execute(insert(Seat), [
        { row: "A", number: 1 },
        { row: "A", number: 2 },
        { row: "B", number: 1 },
      ]);
      const seats = (await session.scalars(select(Seat))).all();
      const fetch = { executionOptions: { synchronizeSession: "fetch" } } as const;
      await session.execute(update(Seat).where({ number: 1 }).values({ guest: "ann" }), undefined, fetch);
      expect(seats.map(({ row, number, guest }) => `${row}${number} ${guest}`).toSorted()).toEqual([
        "A1 ann",
        "A2 null",
        "B1 ann",
      ]);
      await session.execute(deleteFrom(Seat).where({ row: "A" }), undefined, fetch);
      expect(session.identityMap.size).toBe(1);
    });
  });

  describe("conditions", () => {
    test("of users' own SQL keep together beside others", async () => {
      const { session } = await openWithUsers();
      const found = await session.scalars(
        select(User)
          .where(sql<boolean>`name = 'ann' or name = 'bob'`)
          .where({ age: 30 }),
      );
      expect(found.all().map(({ name }) => name)).toEqual(["bob"]);
      const statement = deleteFrom(User)
        .where({ name: "nobody" })
        .where(sql<boolean>`1 = 1 or 1 = 1`);
      expect((await session.execute(statement)).rowCount).toBe(0);
      await session.close();
    });
  });

  describe("listeners of doOrmExecute", () => {
    test("see what is written, and can change it", async () => {
      const { SessionLocal, session } = await openWithUsers();
      const seen: unknown[] = [];
      listen(SessionLocal, "doOrmExecute", (event: ORMExecuteState) => {
        const { isInsert, isUpdate, isDelete, isSelect, isExecutemany, bindMapper, isOrmStatement } = event;
        const kind = { isInsert, isUpdate, isDelete, isSelect };
        seen.push([
          Object.entries(kind)
            .flatMap(([name, is]) => (is ? [name] : []))
            .join(),
          isOrmStatement,
          isExecutemany,
          bindMapper?.class,
          event.executionOptions.synchronizeSession,
        ]);
        if (isDelete) event.statement = deleteFrom(User).where({ name: "ann" });
        if (isInsert)
          event.parameters = (event.parameters as { name: string }[]).map(({ name }) => ({ name: `${name}!` }));
      });
      await session.execute(insert(User), [{ name: "dan" }]);
      await session.execute(insert(User), [{ name: "eve" }]);
      await session.execute(
        update(User).where({ age: 30 }).values({ age: 31 }).executionOptions({ synchronizeSession: "fetch" }),
      );
      await session.execute(deleteFrom(User));
      expect(seen).toEqual([
        ["isInsert", true, true, User, undefined],
        ["isInsert", true, true, User, undefined],
        ["isUpdate", true, false, User, "fetch"],
        ["isSelect", true, false, User, undefined],
        ["isDelete", true, false, User, undefined],
      ]);
      expect(await ages(session)).toEqual(["bob 31", "cid ", "dan! 18", "eve! 18"]);
      await session.close();
    });

    test("can run a statement with other parameters", async () => {
      const { SessionLocal, session } = await openWithUsers();
      listen(SessionLocal, "doOrmExecute", (event: ORMExecuteState) =>
        event.isInsert ? event.invokeStatement({ parameters: [{ age: 1 }, { age: 2 }] }) : undefined,
      );
      await session.execute(insert(User), [{ name: "dan" }, { name: "eve" }]);
      expect((await ages(session)).slice(3)).toEqual(["dan 1", "eve 2"]);
      await expect(session.execute(insert(User), [{ name: "fay" }])).rejects.toThrow(
        "invokeStatement() was given a list of 2 for parameters, and the statement has a list of 1.",
      );
      await session.close();
    });
  });
});
