import { expect, test } from "vitest";
import {
  DetachedInstanceError,
  inspect,
  InvalidRequestError,
  integer,
  listen,
  load,
  Metadata,
  model,
  ObjectDeletedError,
  select,
  sql,
  text,
  UnloadedAttributeError,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { openSessions } from "./open-sessions.ts";

const metadata = new Metadata();

class User extends model(
  "users",
  { id: integer().primaryKey(), name: text(), email: text().nullable() },
  { metadata },
) {}

forEachDatabase((db) => {
  const open = (options = {}): ReturnType<typeof openSessions> => openSessions(db, metadata, [User], options);

  test("an expired attribute cannot be read, and the error says why and what to do", async () => {
    const { SessionLocal, log } = await open();
    await SessionLocal.begin((session) => session.add(new User({ name: "ann", email: "a@x" })));
    await using session = SessionLocal();
    const ann = log.name("ann", (await session.get(User, 1)) as User);
    log.take();
    session.expire(ann);
    expect(log.take()).toEqual(["expire ann"]);
    expect(() => ann.name).toThrow(UnloadedAttributeError);
    expect(() => ann.name).toThrow(
      'User.name is not loaded. It was expired by expire(), and reading cannot wait for the database. Use await load(instance, "name"), await session.refresh(instance), or a query that includes it.',
    );
    expect(ann.id).toBe(1);
    expect(inspect(ann).unloaded).toContain("name");
    await session.rollback();
    expect(() => ann.name).toThrow("It was expired by rollback()");
    session.expireAll();
    expect(() => ann.name).toThrow("It was expired by expireAll()");
  });

  test("a detached instance says that no session can load it", async () => {
    const { SessionLocal } = await open();
    await SessionLocal.begin((session) => session.add(new User({ name: "ann" })));
    const session = SessionLocal();
    const ann = (await session.get(User, 1)) as User;
    session.expire(ann, ["name"]);
    await session.close();
    expect(() => ann.name).toThrow(DetachedInstanceError);
    expect(() => ann.name).toThrow('session.add(instance), then await load(instance, "name")');
    await expect(load(ann, "name")).rejects.toThrow(DetachedInstanceError);
    expect(ann.email).toBeNull();
    session.add(ann);
    expect(await load(ann, "name")).toBe("ann");
    await session.close();
  });

  test("what a new row was inserted without is NULL also where something else has expired, until it expires itself", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const ann = log.name("ann", new User({ name: "ann" }));
    session.add(ann);
    await session.flush();
    session.expire(ann, ["name"]);
    log.take();
    expect(ann.email).toBeNull();
    expect([...inspect(ann).unloaded]).toEqual(["name"]);
    expect(await load(ann, "email")).toBeNull();
    expect(log.take()).toEqual([]);
    expect(await load(ann, "name")).toBe("ann");
    await session.execute(sql`UPDATE users SET email = 'a@x'`);
    session.expire(ann, ["email"]);
    expect(() => ann.email).toThrow(UnloadedAttributeError);
    session.expire(ann, ["name"]);
    expect(await load(ann, "email", "name")).toEqual(["a@x", "ann"]);
    session.expireAll();
    expect(await load(ann, "email")).toBe("a@x");
  });

  test("load() brings all that is missing with one statement, and costs nothing where nothing is", async () => {
    const { SessionLocal, log } = await open();
    await SessionLocal.begin((session) => session.add(new User({ name: "ann", email: "a@x" })));
    await using session = SessionLocal();
    const ann = log.name("ann", (await session.get(User, 1)) as User);
    session.expire(ann, ["name", "email"]);
    log.take();
    expect(await Promise.all([load(ann, "name"), load(ann, "email"), load(ann, "id", "name")])).toEqual([
      "ann",
      "a@x",
      [1, "ann"],
    ]);
    expect(log.take()).toEqual(["doOrmExecute column load", "SELECT users", "refresh ann [name, email]"]);
    const fresh = new User({ name: "bob" });
    expect(await load(fresh, "name", "email")).toEqual(["bob", undefined]);
  });

  test("load() keeps what was set, and flushes what is pending first", async () => {
    const { SessionLocal, log } = await open();
    await SessionLocal.begin((session) => session.add(new User({ name: "ann", email: "a@x" })));
    await using session = SessionLocal();
    const ann = log.name("ann", (await session.get(User, 1)) as User);
    session.expire(ann);
    ann.name = "anna";
    log.take();
    expect(await load(ann, "email")).toBe("a@x");
    expect(ann.name).toBe("anna");
    expect(log.take()).toEqual([
      "doOrmExecute column load",
      "beforeFlush",
      "afterTransactionCreate flush",
      "beforeUpdate ann",
      "doOrmExecute column load",
      "SELECT users",
      "refresh ann [id, email]",
      "UPDATE users",
      "afterUpdate ann",
      "afterFlush",
      "afterFlushPostexec",
      "afterTransactionEnd flush",
      "SELECT users",
      "refresh ann [id, email]",
    ]);
    await session.commit();
    expect(session.dirty.size).toBe(0);
  });

  test("expire(names) drops those alone, and what was set on them", async () => {
    const { SessionLocal, log, rows } = await open();
    await SessionLocal.begin((session) => session.add(new User({ name: "ann", email: "a@x" })));
    await using session = SessionLocal();
    const ann = log.name("ann", (await session.get(User, 1)) as User);
    ann.name = "lost";
    ann.email = "kept";
    log.take();
    session.expire(ann, ["name"]);
    expect(log.take()).toEqual(["expire ann [name]"]);
    expect(ann.email).toBe("kept");
    await session.commit();
    expect(await load(ann, "name")).toBe("ann");
    await session.close();
    expect(await rows("select name, email from users")).toEqual([["ann", "kept"]]);
    expect(() => session.expire(ann, ["nmae"])).toThrow(InvalidRequestError);
  });

  test("a column that was never set is null, and is not loaded along when another one is expired", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const ann = log.name("ann", new User({ name: "ann" }));
    session.add(ann);
    await session.commit();
    session.expire(ann, ["name"]);
    log.take();
    expect(await load(ann, "email")).toBeNull();
    expect([ann.email, [...inspect(ann).unloaded], log.take()]).toEqual([null, ["name"], []]);
    const refreshed: unknown[] = [];
    using _listening = listen(User, "refresh", ({ attrs }) => refreshed.push(attrs));
    expect(await load(ann, "name")).toBe("ann");
    session.expire(ann);
    expect(await load(ann, "email")).toBeNull();
    expect(refreshed).toEqual([["name"], ["id", "name", "email"]]);
  });

  test("refresh() drops pending changes first, then flushes the others, then loads", async () => {
    const { SessionLocal, log } = await open();
    await SessionLocal.begin((session) => session.addAll([new User({ name: "ann" }), new User({ name: "bob" })]));
    await using session = SessionLocal();
    const ann = log.name("ann", (await session.get(User, 1)) as User);
    const bob = log.name("bob", (await session.get(User, 2)) as User);
    ann.name = "lost";
    bob.name = "kept";
    log.take();
    await session.refresh(ann);
    expect(log.take()).toEqual([
      "expire ann",
      "beforeFlush",
      "afterTransactionCreate flush",
      "beforeUpdate bob",
      "UPDATE users",
      "afterUpdate bob",
      "afterFlush",
      "afterFlushPostexec",
      "afterTransactionEnd flush",
      "doOrmExecute column load",
      "SELECT users",
      "refresh ann",
    ]);
    expect([ann.name, bob.name]).toEqual(["ann", "kept"]);
  });

  test("refresh(names) loads those alone", async () => {
    const { SessionLocal, engine, log } = await open({ poolSize: 1 });
    await SessionLocal.begin((session) => session.add(new User({ name: "ann", email: "a@x" })));
    await using session = SessionLocal();
    const ann = log.name("ann", (await session.get(User, 1)) as User);
    await session.commit();
    await engine.begin((connection) => connection.run("update users set name = 'anna', email = 'b@x'"));
    log.take();
    await session.refresh(ann, ["email"]);
    expect(log.take().slice(-3)).toEqual(["afterBegin root", "SELECT users", "refresh ann [email]"]);
    expect([ann.name, ann.email]).toEqual(["ann", "b@x"]);
  });

  test("only persistent instances of this session are expired and refreshed", async () => {
    const { SessionLocal } = await open();
    await using session = SessionLocal();
    const ann = new User({ name: "ann" });
    await expect(session.refresh(ann)).rejects.toThrow("cannot be refreshed, because it is transient");
    expect(() => session.expire(ann)).toThrow("cannot be expired, because it is transient");
    session.add(ann);
    await expect(session.refresh(ann)).rejects.toThrow("because it is pending");
    expect(() => session.expire(ann)).toThrow("because it is pending");
    await session.commit();
    await using other = SessionLocal();
    await expect(other.refresh(ann)).rejects.toThrow("because it is in another session");
  });

  test("refresh() has its turn behind what was called before", async () => {
    const { SessionLocal } = await open();
    await using session = SessionLocal();
    const ann = new User({ name: "ann" });
    session.add(ann);
    await Promise.all([session.flush(), session.refresh(ann)]);
    expect(ann.name).toBe("ann");
  });

  test("with expireOnCommit the next transaction loads everything anew", async () => {
    const { SessionLocal, engine, log } = await open({ expireOnCommit: true });
    await using session = SessionLocal();
    const ann = log.name("ann", new User({ name: "ann" }));
    session.add(ann);
    await session.commit();
    expect(() => ann.name).toThrow("It was expired by commit()");
    await engine.begin((connection) => connection.run("update users set name = 'anna'"));
    log.take();
    expect(await session.get(User, 1)).toBe(ann);
    expect(log.take()).toEqual([
      "doOrmExecute column load",
      "afterTransactionCreate root",
      "BEGIN",
      "afterBegin root",
      "SELECT users",
      "refresh ann [id, name, email]",
    ]);
    expect(ann.name).toBe("anna");
  });

  test("without it values stay as they are, and a query does not overwrite them", async () => {
    const { SessionLocal, engine } = await open();
    await using session = SessionLocal();
    const ann = new User({ name: "ann" });
    session.add(ann);
    await session.commit();
    await engine.begin((connection) => connection.run("update users set name = 'anna'"));
    expect(await session.scalar(select(User))).toBe(ann);
    expect(ann.name).toBe("ann");
    await session.get(User, 1, { executionOptions: { populateExisting: true } });
    expect(ann.name).toBe("anna");
  });

  test("get() of an instance that the session has asks nobody", async () => {
    const { SessionLocal, log } = await open();
    await SessionLocal.begin((session) => session.add(new User({ name: "ann" })));
    await using session = SessionLocal();
    const ann = await session.get(User, 1);
    session.add(new User({ name: "pending" }));
    log.take();
    expect(await session.get(User, 1)).toBe(ann);
    expect(log.take()).toEqual([]);
  });

  test("an instance whose row has vanished cannot be loaded or refreshed, and get() says that it is deleted", async () => {
    const { SessionLocal, engine, log } = await open({ expireOnCommit: true });
    await using session = SessionLocal();
    const ann = log.name("ann", new User({ name: "ann" }));
    session.add(ann);
    await session.commit();
    await engine.begin((connection) => connection.run("delete from users"));
    await expect(load(ann, "name")).rejects.toThrow(ObjectDeletedError);
    await expect(load(ann, "name")).rejects.toThrow("session.expunge(instance)");
    await expect(session.refresh(ann)).rejects.toThrow("could not be refreshed, because its row is gone");
    log.take();
    expect(await session.get(User, 1)).toBeNull();
    expect(log.take().filter((line) => line.endsWith("ann"))).toEqual(["persistentToDeleted ann"]);
    expect(inspect(ann).lifecycle).toBe("deleted");
    await session.commit();
    expect(log.take()).toContain("deletedToDetached ann");
    expect(inspect(ann)).toMatchObject({ lifecycle: "detached", wasDeleted: true });
  });

  test("a rollback brings back an instance that get() found deleted", async () => {
    const { SessionLocal, engine } = await open({ expireOnCommit: true });
    await using session = SessionLocal();
    const ann = new User({ name: "ann" });
    session.add(ann);
    await session.commit();
    await engine.begin((connection) => connection.run("delete from users"));
    expect(await session.get(User, 1)).toBeNull();
    await session.rollback();
    expect(inspect(ann).lifecycle).toBe("persistent");
  });

  test("listeners of refresh hear the names that were asked for, and what they set counts as loaded", async () => {
    const { SessionLocal } = await open();
    await SessionLocal.begin((session) => session.add(new User({ name: "ann", email: "a@x" })));
    await using session = SessionLocal();
    const ann = (await session.get(User, 1)) as User;
    using _listening = listen(User, "refresh", ({ target }) => {
      target.email = "masked";
    });
    await session.refresh(ann);
    expect([ann.email, session.dirty.size]).toEqual(["masked", 0]);
  });
});
