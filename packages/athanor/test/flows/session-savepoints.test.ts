import { expect, test } from "vitest";
import {
  inspect,
  IntegrityError,
  integer,
  listen,
  load,
  Metadata,
  model,
  PendingRollbackError,
  text,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { openSessions } from "./open-sessions.ts";

const metadata = new Metadata();

class User extends model(
  "users",
  { id: integer().primaryKey(), name: text().unique(), note: text().nullable() },
  { metadata },
) {}

forEachDatabase((db) => {
  const open = (): ReturnType<typeof openSessions> => openSessions(db, metadata, [User]);

  test("a savepoint begins with a flush of what is pending, and reaches the database with its first statement", async () => {
    const { SessionLocal, log, rows } = await open();
    await using session = SessionLocal();
    const [ann, bob] = [log.name("ann", new User({ name: "ann" })), log.name("bob", new User({ name: "bob" }))];
    session.add(ann);
    log.take();
    const savepoint = await session.beginNested();
    expect(log.take()).toEqual([
      "beforeFlush",
      "afterTransactionCreate flush",
      "BEGIN",
      "afterBegin root",
      "beforeInsert ann",
      "INSERT users",
      "afterInsert ann",
      "afterFlush",
      "pendingToPersistent ann",
      "afterFlushPostexec",
      "afterTransactionEnd flush",
      "afterTransactionCreate savepoint",
    ]);
    expect([savepoint.nested, savepoint.parent?.origin]).toEqual([true, "autobegin"]);

    session.add(bob);
    await session.flush();
    expect(log.take()).toEqual([
      "beforeAttach bob",
      "afterAttach bob",
      "transientToPending bob",
      "beforeFlush",
      "afterTransactionCreate flush",
      "SAVEPOINT",
      "afterBegin savepoint",
      "beforeInsert bob",
      "INSERT users",
      "afterInsert bob",
      "afterFlush",
      "pendingToPersistent bob",
      "afterFlushPostexec",
      "afterTransactionEnd flush",
    ]);

    await savepoint.commit();
    expect(log.take()).toEqual([
      "beforeSavepointRelease",
      "RELEASE SAVEPOINT",
      "afterSavepointRelease",
      "afterTransactionEnd savepoint",
    ]);
    expect(session.currentTransaction).toBe(savepoint.parent);
    await session.commit();
    expect(await rows("select name from users order by id")).toEqual([["ann"], ["bob"]]);
  });

  test("without a transaction a savepoint begins one first", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    log.take();
    const savepoint = await session.beginNested();
    expect(savepoint.parent?.origin).toBe("begin");
    expect(log.take()).toEqual(["afterTransactionCreate root", "afterTransactionCreate savepoint"]);
  });

  test("a savepoint without a statement raises its events, and the database hears nothing", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    log.take();
    await (await session.beginNested()).commit();
    await (await session.beginNested()).rollback();
    expect(log.take()).toEqual([
      "afterTransactionCreate root",
      "afterTransactionCreate savepoint",
      "beforeSavepointRelease",
      "afterSavepointRelease",
      "afterTransactionEnd savepoint",
      "afterTransactionCreate savepoint",
      "afterRollback",
      "afterTransactionEnd savepoint",
      "afterSoftRollback savepoint",
    ]);
  });

  test("releasing a savepoint flushes first, expires nothing and detaches nothing", async () => {
    const { SessionLocal, log } = await open();
    await SessionLocal.begin((session) => session.addAll([new User({ name: "ann" }), new User({ name: "bob" })]));
    await using session = SessionLocal({ expireOnCommit: true });
    const ann = log.name("ann", (await session.get(User, 1)) as User);
    const bob = log.name("bob", (await session.get(User, 2)) as User);
    const savepoint = await session.beginNested();
    ann.note = "changed";
    await session.delete(bob);
    log.take();
    await savepoint.commit();
    expect(log.take()).toEqual([
      "beforeSavepointRelease",
      "beforeFlush",
      "afterTransactionCreate flush",
      "SAVEPOINT",
      "afterBegin savepoint",
      "beforeUpdate ann",
      "UPDATE users",
      "afterUpdate ann",
      "beforeDelete bob",
      "DELETE users",
      "afterDelete bob",
      "afterFlush",
      "persistentToDeleted bob",
      "afterFlushPostexec",
      "afterTransactionEnd flush",
      "RELEASE SAVEPOINT",
      "afterSavepointRelease",
      "afterTransactionEnd savepoint",
    ]);
    expect(inspect(bob).lifecycle).toBe("deleted");
    await session.commit();
    expect(log.take()).toEqual([
      "beforeCommit",
      "COMMIT",
      "checkin",
      "afterCommit",
      "expire ann",
      "deletedToDetached bob",
      "afterTransactionEnd root",
    ]);
  });

  test("rolling back a savepoint undoes what was done inside, and expires only what it touched", async () => {
    const { SessionLocal, log, rows } = await open();
    const names = ["ann", "bob", "carol", "dave"];
    await SessionLocal.begin((session) => session.addAll(names.map((name) => new User({ name }))));
    await using session = SessionLocal();
    const users: User[] = [];
    for (const [index, name] of names.entries())
      users.push(log.name(name, (await session.get(User, index + 1)) as User));
    const [ann, bob, carol, dave] = users as [User, User, User, User];
    ann.note = "before";
    const savepoint = await session.beginNested();
    bob.note = "inside, flushed";
    await session.delete(carol);
    const [eve, finn] = [log.name("eve", new User({ name: "eve" })), log.name("finn", new User({ name: "finn" }))];
    session.add(eve);
    await session.flush();
    dave.note = "inside, not flushed";
    session.add(finn);
    log.take();
    await savepoint.rollback();
    expect(log.take()).toEqual([
      "ROLLBACK TO SAVEPOINT",
      "afterRollback",
      "persistentToTransient eve",
      "pendingToTransient finn",
      "deletedToPersistent carol",
      "expire bob",
      "expire dave",
      "afterTransactionEnd savepoint",
      "afterSoftRollback savepoint",
    ]);
    expect([session.isActive, session.inTransaction()]).toEqual([true, true]);
    expect(ann.note).toBe("before");
    await session.commit();
    expect(await rows("select name, note from users order by id")).toEqual([
      ["ann", "before"],
      ["bob", null],
      ["carol", null],
      ["dave", null],
    ]);
  });

  test("session.commit() inside a savepoint releases it and commits the root", async () => {
    const { SessionLocal, log, rows } = await open();
    await using session = SessionLocal();
    await session.beginNested();
    session.add(log.name("ann", new User({ name: "ann" })));
    await session.flush();
    log.take();
    await session.commit();
    expect(log.take()).toEqual([
      "beforeSavepointRelease",
      "RELEASE SAVEPOINT",
      "afterSavepointRelease",
      "afterTransactionEnd savepoint",
      "beforeCommit",
      "COMMIT",
      "checkin",
      "afterCommit",
      "afterTransactionEnd root",
    ]);
    expect(await rows("select name from users")).toEqual([["ann"]]);
  });

  test("session.rollback() inside savepoints rolls back each, and then the root", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    session.add(log.name("ann", new User({ name: "ann" })));
    await session.beginNested();
    session.add(log.name("bob", new User({ name: "bob" })));
    await session.beginNested();
    session.add(log.name("carol", new User({ name: "carol" })));
    await session.flush();
    log.take();
    await session.rollback();
    expect(log.take()).toEqual([
      "ROLLBACK TO SAVEPOINT",
      "afterRollback",
      "persistentToTransient carol",
      "afterTransactionEnd savepoint",
      "afterSoftRollback savepoint",
      "ROLLBACK TO SAVEPOINT",
      "afterRollback",
      "persistentToTransient bob",
      "afterTransactionEnd savepoint",
      "afterSoftRollback savepoint",
      "ROLLBACK",
      "afterRollback",
      "persistentToTransient ann",
      "checkin",
      "afterTransactionEnd root",
      "afterSoftRollback root",
    ]);
  });

  test("ending an outer savepoint ends those inside of it", async () => {
    const { SessionLocal, rows } = await open();
    await using session = SessionLocal();
    const outer = await session.beginNested();
    session.add(new User({ name: "ann" }));
    await session.beginNested();
    session.add(new User({ name: "bob" }));
    await outer.commit();
    expect(session.currentTransaction).toBe(outer.parent);

    const other = await session.beginNested();
    session.add(new User({ name: "carol" }));
    await session.beginNested();
    session.add(new User({ name: "dave" }));
    await session.flush();
    await other.rollback();
    expect(session.currentTransaction).toBe(outer.parent);
    await session.commit();
    expect(await rows("select name from users order by id")).toEqual([["ann"], ["bob"]]);
  });

  test("what a released savepoint deleted comes back with the rollback of the root", async () => {
    const { SessionLocal, log } = await open();
    await SessionLocal.begin((session) => session.add(new User({ name: "ann" })));
    await using session = SessionLocal();
    const ann = log.name("ann", (await session.get(User, 1)) as User);
    const savepoint = await session.beginNested();
    await session.delete(ann);
    await savepoint.commit();
    log.take();
    await session.rollback();
    expect(log.take()).toContain("deletedToPersistent ann");
    expect(await session.get(User, 1)).toBe(ann);
  });

  test("a key that was changed inside a savepoint is put back with it, and what was inserted stays transient", async () => {
    const { SessionLocal } = await open();
    await SessionLocal.begin((session) => session.add(new User({ name: "ann" })));
    await using session = SessionLocal();
    const ann = (await session.get(User, 1)) as User;
    const savepoint = await session.beginNested();
    ann.id = 5;
    await session.flush();
    await savepoint.rollback();
    expect(inspect(ann).identity).toEqual([1]);
    expect(await session.get(User, 1)).toBe(ann);
    ann.note = "found";
    await session.commit();
  });

  test("a flush that fails inside a savepoint rolls back the savepoint alone", async () => {
    const { SessionLocal, log, rows } = await open();
    await SessionLocal.begin((session) => session.add(new User({ name: "ann" })));
    await using session = SessionLocal();
    session.add(new User({ name: "bob" }));
    await session.flush();
    const copy = log.name("copy", new User({ name: "ann" }));
    log.take();
    {
      await using _savepoint = await session.beginNested();
      session.add(copy);
      await expect(session.flush()).rejects.toThrow(IntegrityError);
      expect(log.take()).toEqual([
        "afterTransactionCreate savepoint",
        "beforeAttach copy",
        "afterAttach copy",
        "transientToPending copy",
        "beforeFlush",
        "afterTransactionCreate flush",
        "SAVEPOINT",
        "afterBegin savepoint",
        "beforeInsert copy",
        "INSERT users",
        "ROLLBACK TO SAVEPOINT",
        "afterRollback",
        "pendingToTransient copy",
        "afterTransactionEnd flush",
        "afterSoftRollback flush",
      ]);
      expect(session.isActive).toBe(false);
      await expect(session.get(User, 77)).rejects.toThrow(PendingRollbackError);
    }
    expect(log.take()).toEqual(["doOrmExecute", "afterTransactionEnd savepoint"]);
    expect([session.isActive, session.inTransaction()]).toEqual([true, true]);
    await session.commit();
    expect(await rows("select name from users order by name")).toEqual([["ann"], ["bob"]]);
  });

  test("rolling back a savepoint whose flush has failed only ends it", async () => {
    const { SessionLocal, log } = await open();
    await SessionLocal.begin((session) => session.add(new User({ name: "ann" })));
    await using session = SessionLocal();
    const savepoint = await session.beginNested();
    session.add(new User({ name: "ann" }));
    await expect(session.flush()).rejects.toThrow(IntegrityError);
    log.take();
    await savepoint.rollback();
    expect(log.take()).toEqual(["afterTransactionEnd savepoint", "afterSoftRollback savepoint"]);
    await session.commit();
  });

  test("a listener of afterSavepointRelease that throws leaves the rest of the transaction usable", async () => {
    const { SessionLocal, rows } = await open();
    await using session = SessionLocal();
    listen(session, "afterSavepointRelease", () => {
      throw new TypeError("refused");
    });
    const savepoint = await session.beginNested();
    session.add(new User({ name: "ann" }));
    await expect(savepoint.commit()).rejects.toThrow(TypeError);
    expect(session.currentTransaction).toBe(savepoint.parent);
    await session.commit();
    expect(await rows("select name from users")).toEqual([["ann"]]);
  });

  test("a savepoint that was committed along with what is around it says so to whoever ends it later", async () => {
    const { SessionLocal, rows } = await open();
    await using session = SessionLocal();
    for (const commitOuter of ["savepoint", "session"]) {
      const outer = await session.beginNested();
      session.add(new User({ name: `outer ${commitOuter}` }));
      const inner = await session.beginNested();
      session.add(new User({ name: `inner ${commitOuter}` }));
      await (commitOuter === "savepoint" ? outer.commit() : session.commit());
      await expect(inner.rollback()).rejects.toThrow("what is around it was committed, and its rows along with that");
      await expect(inner.commit()).rejects.toThrow("give each task a session of its own");
      await session.commit();
    }
    expect(await rows("select name from users")).toHaveLength(4);
  });

  test("a savepoint that cannot be rolled back takes everything with it, so that nothing of it is ever committed", async () => {
    const { SessionLocal, engine, rows } = await open();
    await using session = SessionLocal();
    for (const isWhole of [false, true]) {
      const ann = new User({ name: "ann" });
      session.add(ann);
      const savepoint = await session.beginNested();
      session.add(new User({ name: "bob" }));
      await session.flush();
      const reason = new Error("refused");
      listen(
        engine,
        "rollbackSavepoint",
        () => {
          throw reason;
        },
        { once: true },
      );
      await (isWhole ? session.rollback() : savepoint.rollback());
      if (!isWhole) {
        expect(session.isActive).toBe(false);
        await expect(session.commit()).rejects.toMatchObject({ name: "PendingRollbackError", cause: reason });
        await session.rollback();
      }
      expect([session.inTransaction(), inspect(ann).lifecycle]).toEqual([false, "transient"]);
      expect(await rows("select name from users")).toEqual([]);
    }
    session.add(new User({ name: "carol" }));
    await session.commit();
    expect(await rows("select name from users")).toEqual([["carol"]]);
  });

  test("what was changed and then deleted inside of a savepoint is as in the database when that is rolled back", async () => {
    const { SessionLocal } = await open();
    await SessionLocal.begin((session) => session.add(new User({ name: "ann", note: "old" })));
    await using session = SessionLocal();
    const ann = (await session.get(User, 1)) as User;
    const savepoint = await session.beginNested();
    ann.note = "new";
    await session.delete(ann);
    await session.flush();
    await savepoint.rollback();
    expect(inspect(ann).lifecycle).toBe("persistent");
    expect(await load(ann, "note")).toBe("old");
  });

  test("rolling a savepoint back puts back what a savepoint did that is open inside of it", async () => {
    const { SessionLocal, rows } = await open();
    await using session = SessionLocal();
    const [ann, bob, eve] = ["ann", "bob", "eve"].map((name) => new User({ name })) as [User, User, User];
    session.addAll([ann, bob]);
    const outer = await session.beginNested();
    await session.beginNested();
    ann.note = "changed";
    await session.delete(bob);
    session.add(eve);
    await session.flush();
    await outer.rollback();
    expect([ann, bob, eve].map((user) => inspect(user).lifecycle)).toEqual(["persistent", "persistent", "transient"]);
    expect(await load(ann, "note")).toBeNull();
    await session.commit();
    expect(await rows("select name, note from users order by id")).toEqual([
      ["ann", null],
      ["bob", null],
    ]);
  });
});
