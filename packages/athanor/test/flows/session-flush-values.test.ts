import { expect, test } from "vitest";
import {
  attributes,
  inspect,
  integer,
  listen,
  load,
  Metadata,
  model,
  sql,
  ObjectDeletedError,
  StaleDataError,
  text,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { openSessions } from "./open-sessions.ts";

const metadata = new Metadata();

class User extends model(
  "users",
  {
    id: integer().primaryKey(),
    name: text(),
    email: text().nullable(),
    color: text().default("red"),
    touched: integer().default(0).onupdate(7),
    level: integer().serverDefault(3),
  },
  { metadata },
) {}

class Account extends model(
  "accounts",
  { id: integer().primaryKey(), owner: text(), version: integer() },
  { metadata, version: "version" },
) {}

forEachDatabase((db) => {
  const open = (options = {}): ReturnType<typeof openSessions> => openSessions(db, metadata, [User, Account], options);

  test("defaults, the database's own and those of an update are there after the flush, and refreshFlush names them", async () => {
    const { SessionLocal, log, rows } = await open();
    await using session = SessionLocal();
    const ann = log.name("ann", new User({ name: "ann" }));
    session.add(ann);
    expect([ann.color, ann.level]).toEqual([undefined, undefined]);
    await session.flush();
    expect(ann).toMatchObject({ id: 1, color: "red", touched: 0, level: 3, email: null });
    expect(log.take()).toContain("refreshFlush ann [color, touched, level]");
    ann.name = "anna";
    await session.flush();
    expect(log.take().slice(-7)).toEqual([
      "beforeUpdate ann",
      "UPDATE users",
      "refreshFlush ann [touched]",
      "afterUpdate ann",
      "afterFlush",
      "afterFlushPostexec",
      "afterTransactionEnd flush",
    ]);
    ann.touched = 1;
    ann.name = "annie";
    await session.commit();
    expect(await rows("select name, color, touched, level from users")).toEqual([["annie", "red", 1, 3]]);
  });

  test("an update that changes nothing leaves its onupdate columns alone", async () => {
    const { SessionLocal, rows } = await open();
    await using session = SessionLocal();
    const ann = new User({ name: "ann" });
    session.add(ann);
    await session.commit();
    ann.name = "ann";
    await session.commit();
    expect(await rows("select touched from users")).toEqual([[0]]);
  });

  test("columns that beforeInsert and beforeUpdate set are part of the statement", async () => {
    const { SessionLocal, engine, rows } = await open();
    using _insert = listen(User, "beforeInsert", ({ target }) => {
      target.email = `${target.name}@x`;
    });
    using _update = listen(User, "beforeUpdate", async ({ target }) => {
      await Promise.resolve();
      target.color = "blue";
    });
    await using session = SessionLocal();
    const ann = new User({ name: "ann" });
    session.add(ann);
    await session.commit();
    const statements: string[] = [];
    listen(engine, "beforeCursorExecute", ({ statement }) => statements.push(statement));
    ann.name = "anna";
    await session.commit();
    expect(statements).toHaveLength(1);
    expect(statements[0]).toContain('"color" =');
    expect(session.dirty.size).toBe(0);
    expect(await rows("select name, email, color from users")).toEqual([["anna", "ann@x", "blue"]]);
  });

  for (const event of ["afterInsert", "afterUpdate"] as const) {
    test(`a column that ${event} sets stays dirty, and commit writes it too`, async () => {
      const { SessionLocal, rows } = await open();
      await using session = SessionLocal();
      const ann = new User({ name: "ann" });
      session.add(ann);
      if (event === "afterUpdate") {
        await session.commit();
        ann.name = "changed";
      }
      using _listening = listen(User, event, ({ target }) => {
        target.email ??= `set in ${event}`;
      });
      await session.flush();
      expect([ann.email, session.dirty.has(ann), session.isModified(ann)]).toEqual([`set in ${event}`, true, true]);
      expect(inspect(ann).attributes.email.history).toMatchObject({ added: [`set in ${event}`] });
      await session.commit();
      expect(session.dirty.size).toBe(0);
      expect(await rows("select email from users")).toEqual([[`set in ${event}`]]);
    });
  }

  test("columns that afterFlush and afterFlushPostexec set stay dirty, and commit writes them too", async () => {
    const { SessionLocal, rows } = await open();
    await using session = SessionLocal();
    const [ann, bob] = [new User({ name: "ann" }), new User({ name: "bob" })];
    listen(session, "afterFlush", () => void (ann.email = "after"), { once: true });
    listen(session, "afterFlushPostexec", () => void (bob.email = "postexec"), { once: true });
    session.addAll([ann, bob]);
    await session.flush();
    expect(session.dirty).toEqual(new Set([ann, bob]));
    await session.commit();
    expect(await rows("select email from users order by id")).toEqual([["after"], ["postexec"]]);
  });

  test("a clean instance that a row event changes is written by the next flush", async () => {
    const { SessionLocal, rows } = await open();
    await SessionLocal.begin((session) => session.add(new User({ name: "counter" })));
    await using session = SessionLocal();
    const counter = (await session.get(User, 1)) as User;
    using _listening = listen(User, "afterInsert", () => {
      counter.touched += 1;
    });
    session.addAll([new User({ name: "ann" }), new User({ name: "bob" })]);
    await session.commit();
    expect(await rows("select touched from users where id = 1")).toEqual([[2]]);
  });

  test("history is complete during the flush, and gone when it is done", async () => {
    const { SessionLocal } = await open();
    await SessionLocal.begin((session) => session.add(new User({ name: "ann" })));
    await using session = SessionLocal();
    const ann = (await session.get(User, 1)) as User;
    const seen: unknown[] = [];
    const note = (event: string): void => {
      const { added, unchanged, deleted } = inspect(ann).attributes.name.history;
      seen.push([event, added, unchanged, deleted]);
    };
    listen(session, "beforeFlush", () => note("beforeFlush"));
    using _before = listen(User, "beforeUpdate", () => note("beforeUpdate"));
    using _after = listen(User, "afterUpdate", () => note("afterUpdate"));
    listen(session, "afterFlush", () => note("afterFlush"));
    listen(session, "afterFlushPostexec", () => note("afterFlushPostexec"));
    ann.name = "anna";
    await session.flush();
    expect(seen).toEqual([
      ["beforeFlush", ["anna"], [], ["ann"]],
      ["beforeUpdate", ["anna"], [], ["ann"]],
      ["afterUpdate", ["anna"], [], ["ann"]],
      ["afterFlush", ["anna"], [], ["ann"]],
      ["afterFlushPostexec", [], ["anna"], []],
    ]);
  });

  test("the old value of an expired attribute with activeHistory is known in beforeFlush", async () => {
    const { SessionLocal, log } = await open();
    await SessionLocal.begin((session) => session.add(new User({ name: "ann", email: "old" })));
    await using session = SessionLocal();
    using _listening = listen(attributes(User).email, "set", () => {}, { activeHistory: true });
    const ann = log.name("ann", (await session.get(User, 1)) as User);
    session.expire(ann);
    const seen: unknown[] = [];
    listen(session, "beforeFlush", () => seen.push(inspect(ann).attributes.email.history.deleted));
    ann.email = "new";
    ann.name = "anna";
    expect(inspect(ann).attributes.email.history.deleted).toEqual([]);
    log.take();
    await session.flush();
    expect(seen).toEqual([["old"]]);
    expect(log.take().slice(0, 2)).toEqual(["SELECT users", "beforeFlush"]);
  });

  test("a changed primary key finds the row by the old one", async () => {
    const { SessionLocal, log, rows } = await open();
    await SessionLocal.begin((session) => session.add(new User({ name: "ann" })));
    await using session = SessionLocal();
    const ann = log.name("ann", (await session.get(User, 1)) as User);
    log.take();
    const seen: unknown[] = [];
    listen(session, "afterFlush", () => seen.push(inspect(ann).identity));
    listen(session, "afterFlushPostexec", () => seen.push(inspect(ann).identity));
    ann.id = 22;
    expect(log.take()).toEqual(["set ann.id 1 → 22"]);
    await session.flush();
    expect(log.take()).toEqual([
      "beforeFlush",
      "afterTransactionCreate flush",
      "beforeUpdate ann",
      "UPDATE users",
      "refreshFlush ann [touched]",
      "afterUpdate ann",
      "afterFlush",
      "afterFlushPostexec",
      "afterTransactionEnd flush",
    ]);
    expect(seen).toEqual([[1], [22]]);
    ann.name = "anna";
    await session.commit();
    expect(await session.get(User, 22)).toBe(ann);
    await session.close();
    expect(await rows("select id, name from users")).toEqual([[22, "anna"]]);
  });

  test("a version counts the updates of a row, and is no part of one that changes nothing", async () => {
    const { SessionLocal, log, rows } = await open();
    await using session = SessionLocal();
    const account = log.name("account", new Account({ owner: "ann" }));
    session.add(account);
    await session.flush();
    expect(log.take()).toContain("refreshFlush account [version]");
    expect(account.version).toBe(1);
    account.owner = "bob";
    await session.flush();
    expect(log.take()).toContain("refreshFlush account [version]");
    account.owner = "bob";
    await session.commit();
    expect(account.version).toBe(2);
    expect(await rows("select owner, version from accounts")).toEqual([["bob", 2]]);
  });

  for (const change of ["update", "delete"] as const) {
    test(`the ${change} of a row that somebody else has changed fails, and is rolled back`, async () => {
      const { SessionLocal, engine, log, rows } = await open();
      await SessionLocal.begin((session) => session.add(new Account({ owner: "ann" })));
      await using session = SessionLocal();
      const account = log.name("account", (await session.get(Account, 1)) as Account);
      await session.commit();
      await engine.begin((connection) => connection.run("update accounts set version = 9"));
      log.take();
      if (change === "update") account.owner = "bob";
      else await session.delete(account);
      log.take();
      await expect(session.flush()).rejects.toThrow(StaleDataError);
      const verb = change === "update" ? "Update" : "Delete";
      expect(log.take().slice(2)).toEqual([
        "BEGIN",
        "afterBegin root",
        `before${verb} account`,
        `${change.toUpperCase()} accounts`,
        "ROLLBACK",
        "afterRollback",
        ...(change === "delete" ? ["deletedToPersistent account"] : []),
        "expire account",
        "afterTransactionEnd flush",
        "afterSoftRollback flush",
      ]);
      expect([session.deleted.size, session.dirty.size]).toEqual([0, 0]);
      await session.rollback();
      await session.refresh(account);
      expect(account).toMatchObject({ owner: "ann", version: 9 });
      await session.close();
      expect(await rows("select owner, version from accounts")).toEqual([["ann", 9]]);
    });
  }

  test("the version of an expired instance is loaded before its row is changed or deleted", async () => {
    const { SessionLocal, rows } = await open({ expireOnCommit: true });
    await using session = SessionLocal();
    const [one, two, three] = ["ann", "bob", "carol"].map((owner) => new Account({ owner })) as [
      Account,
      Account,
      Account,
    ];
    session.addAll([one, two, three]);
    await session.commit();
    one.owner = "changed";
    await session.delete(two);
    listen(session, "beforeFlush", () => void (three.owner = "changed in beforeFlush"), { once: true });
    await session.commit();
    expect(await rows("select owner, version from accounts order by id")).toEqual([
      ["changed", 2],
      ["changed in beforeFlush", 2],
    ]);
  });

  test("an expired instance is loaded before its row is written, and that finds a row that is gone", async () => {
    const { SessionLocal, engine } = await open({ expireOnCommit: true });
    await using session = SessionLocal();
    const account = new Account({ owner: "ann" });
    session.add(account);
    await session.commit();
    await engine.begin((connection) => connection.run("delete from accounts"));
    account.owner = "bob";
    await expect(session.flush()).rejects.toThrow(ObjectDeletedError);
    await session.rollback();
    await session.delete(account);
    await expect(session.flush()).rejects.toThrow(ObjectDeletedError);
  });

  test("the update of a row that is gone fails without a version, too", async () => {
    const { SessionLocal, engine } = await open();
    await SessionLocal.begin((session) => session.add(new User({ name: "ann" })));
    await using session = SessionLocal();
    const ann = (await session.get(User, 1)) as User;
    await session.commit();
    await engine.begin((connection) => connection.run("delete from users"));
    ann.name = "anna";
    await expect(session.flush()).rejects.toThrow("Somebody has deleted it since it was loaded");
  });

  test("what a listener writes on the connection is part of the transaction", async () => {
    const { SessionLocal, rows } = await open();
    using _listening = listen(User, "beforeDelete", async ({ target, connection }) => {
      const name = await load(target, "name");
      await connection.execute(sql`insert into accounts (id, owner, version) values (${target.id}, ${name}, 1)`);
    });
    await SessionLocal.begin((session) => session.add(new User({ name: "ann" })));
    await using session = SessionLocal();
    const ann = (await session.get(User, 1)) as User;
    await session.delete(ann);
    await session.flush();
    await session.rollback();
    expect(await rows("select * from accounts")).toEqual([]);
    await session.delete(ann);
    await session.commit();
    expect(await rows("select owner from accounts")).toEqual([["ann"]]);
  });
});
