import { expect, test } from "vitest";
import {
  inspect,
  InvalidRequestError,
  integer,
  listen,
  Metadata,
  model,
  ResourceClosedError,
  select,
  type SessionEvent,
  sql,
  text,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { openSessions } from "./open-sessions.ts";

const metadata = new Metadata();

class User extends model("users", { id: integer().primaryKey(), name: text().unique() }, { metadata }) {}

forEachDatabase((db) => {
  const open = (options = {}): ReturnType<typeof openSessions> => openSessions(db, metadata, [User], options);

  test("a transaction begins by itself with the first change, and takes a connection with the first statement", async () => {
    const { SessionLocal, engine } = await open();
    const ann = new User({ name: "ann" });
    await SessionLocal.begin((session) => session.add(ann));
    await using session = SessionLocal();
    expect([session.inTransaction(), session.isActive]).toEqual([false, true]);
    session.add(ann);
    expect(session.currentTransaction?.origin).toBe("autobegin");
    expect(engine.pool.heldCount).toBe(0);
    ann.name = "bob";
    await session.flush();
    expect(engine.pool.heldCount).toBe(1);
    await session.commit();
    expect([session.inTransaction(), engine.pool.heldCount]).toEqual([false, 0]);
    ann.name = "carol";
    expect(session.inTransaction()).toBe(true);
    await session.rollback();
    expect(session.inTransaction()).toBe(false);
  });

  test("begin() opens a transaction by name, and none inside another", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const transaction = await session.begin();
    expect([transaction.origin, transaction.nested, transaction.parent]).toEqual(["begin", false, undefined]);
    await expect(session.begin()).rejects.toThrow("A transaction is begun already");
    session.add(new User({ name: "ann" }));
    log.take();
    await transaction.commit();
    expect(log.take()).toContain("COMMIT");
    await expect(transaction.commit()).rejects.toThrow(ResourceClosedError);
    expect(session.inTransaction()).toBe(false);
  });

  test("a transaction that was not committed is rolled back at the end of its block", async () => {
    const { SessionLocal, rows } = await open();
    await using session = SessionLocal();
    {
      await using _transaction = await session.begin();
      session.add(new User({ name: "ann" }));
      await session.flush();
    }
    expect(session.inTransaction()).toBe(false);
    expect(await rows("select * from users")).toEqual([]);
  });

  test("begin() takes the isolation level, and a read-only transaction refuses to write", async () => {
    const { SessionLocal, rows } = await open();
    await using session = SessionLocal();
    await session.begin({ isolationLevel: "serializable", readOnly: true });
    if (db.traits.schemas) {
      const level = await session.execute(sql<{ transaction_isolation: string }>`show transaction_isolation`);
      expect(level.first()).toEqual({ transaction_isolation: "serializable" });
    }
    expect((await session.scalars(select(User))).all()).toEqual([]);
    session.add(new User({ name: "ann" }));
    await expect(session.flush()).rejects.toThrow(/read-?only/i);
    await session.rollback();

    session.add(new User({ name: "ann" }));
    await session.commit();
    expect(await rows("select name from users")).toEqual([["ann"]]);
  });

  test("committing when nothing was begun begins, and commits nothing", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    log.take();
    await session.commit();
    expect(log.take()).toEqual([
      "afterTransactionCreate root",
      "beforeCommit",
      "afterCommit",
      "afterTransactionEnd root",
    ]);
    await session.rollback();
    expect(log.take()).toEqual([]);
  });

  test("rolling back a transaction without a connection needs no SQL", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const ann = log.name("ann", new User({ name: "ann" }));
    session.add(ann);
    log.take();
    await session.rollback();
    expect(log.take()).toEqual([
      "afterRollback",
      "pendingToTransient ann",
      "afterTransactionEnd root",
      "afterSoftRollback root",
    ]);
    expect(ann.name).toBe("ann");
  });

  test("a rolled back insert leaves a transient instance with all its values", async () => {
    const { SessionLocal, log, rows } = await open();
    await using session = SessionLocal();
    const ann = log.name("ann", new User({ name: "ann" }));
    session.add(ann);
    await session.flush();
    log.take();
    await session.rollback();
    expect(log.take()).toEqual([
      "ROLLBACK",
      "afterRollback",
      "persistentToTransient ann",
      "checkin",
      "afterTransactionEnd root",
      "afterSoftRollback root",
    ]);
    expect(inspect(ann)).toMatchObject({ lifecycle: "transient", identity: undefined, modified: false });
    expect([ann.id, ann.name]).toEqual([1, "ann"]);
    session.add(ann);
    await session.commit();
    expect(await rows("select id, name from users")).toEqual([[1, "ann"]]);
  });

  test("a rolled back update is forgotten, flushed or not", async () => {
    const { SessionLocal, log } = await open();
    await SessionLocal.begin((session) => session.addAll([new User({ name: "ann" }), new User({ name: "bob" })]));
    await using session = SessionLocal();
    const ann = log.name("ann", (await session.get(User, 1)) as User);
    const bob = log.name("bob", (await session.get(User, 2)) as User);
    ann.name = "anna";
    await session.flush();
    bob.name = "bobby";
    log.take();
    await session.rollback();
    expect(log.take().filter((line) => line.startsWith("expire"))).toEqual(["expire ann", "expire bob"]);
    expect(session.dirty.size).toBe(0);
    await session.refresh(ann);
    await session.refresh(bob);
    expect([ann.name, bob.name]).toEqual(["ann", "bob"]);
  });

  test("a rolled back deletion brings the instance back, flushed or not", async () => {
    const { SessionLocal, log, rows } = await open();
    await SessionLocal.begin((session) => session.addAll([new User({ name: "ann" }), new User({ name: "bob" })]));
    await using session = SessionLocal();
    const ann = log.name("ann", (await session.get(User, 1)) as User);
    const bob = log.name("bob", (await session.get(User, 2)) as User);
    await session.delete(ann);
    await session.flush();
    await session.delete(bob);
    log.take();
    await session.rollback();
    expect(log.take().filter((line) => line.startsWith("deletedToPersistent"))).toEqual([
      "deletedToPersistent ann",
      "deletedToPersistent bob",
    ]);
    expect(inspect(ann)).toMatchObject({ lifecycle: "persistent", wasDeleted: false });
    expect(session.deleted.size).toBe(0);
    await session.commit();
    expect(await rows("select name from users order by id")).toEqual([["ann"], ["bob"]]);
  });

  test("what one transaction inserted and deleted is transient after its rollback", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const ann = log.name("ann", new User({ name: "ann" }));
    session.add(ann);
    await session.flush();
    await session.delete(ann);
    await session.flush();
    const seen: string[] = [];
    using _ = listen(session, "deletedToDetached", ({ target }) => seen.push(inspect(target).lifecycle));
    log.take();
    await session.rollback();
    expect(log.take()).toEqual([
      "ROLLBACK",
      "afterRollback",
      "deletedToDetached ann",
      "checkin",
      "afterTransactionEnd root",
      "afterSoftRollback root",
    ]);
    expect(seen).toEqual(["transient"]);
    expect(inspect(ann).lifecycle).toBe("transient");
  });

  test("a changed primary key is put back by a rollback", async () => {
    const { SessionLocal, log } = await open();
    await SessionLocal.begin((session) => session.add(new User({ name: "ann" })));
    await using session = SessionLocal();
    const ann = log.name("ann", (await session.get(User, 1)) as User);
    ann.id = 22;
    await session.flush();
    expect(await session.get(User, 22)).toBe(ann);
    log.take();
    await session.rollback();
    expect(log.take()).toEqual([
      "ROLLBACK",
      "afterRollback",
      "expire ann",
      "checkin",
      "afterTransactionEnd root",
      "afterSoftRollback root",
    ]);
    expect(inspect(ann).identity).toEqual([1]);
    expect(await session.get(User, 1)).toBe(ann);
    expect(await session.get(User, 22)).toBeNull();
  });

  test("an inserted instance that was expunged is transient after the rollback, too", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const ann = log.name("ann", new User({ name: "ann" }));
    session.add(ann);
    await session.flush();
    session.expunge(ann);
    log.take();
    await session.rollback();
    expect(log.take()).toContain("persistentToTransient ann");
    expect(inspect(ann).lifecycle).toBe("transient");
  });

  test("nothing runs in the session while it commits or rolls back", async () => {
    const { SessionLocal } = await open();
    const errors: unknown[] = [];
    for (const name of ["afterCommit", "afterRollback"] as const) {
      listen(SessionLocal, name, async ({ session }: SessionEvent) => {
        errors.push([name, session.isActive, session.inTransaction()]);
        await session.get(User, 99).catch((error: unknown) => errors.push(error));
      });
    }
    await using session = SessionLocal();
    session.add(new User({ name: "ann" }));
    await session.commit();
    await session.get(User, 1, { executionOptions: { populateExisting: true } });
    await session.rollback();
    expect(errors).toEqual([
      ["afterCommit", false, true],
      expect.any(InvalidRequestError),
      ["afterRollback", false, true],
      expect.any(InvalidRequestError),
    ]);
  });

  test("afterSoftRollback of the root may go on with a new transaction", async () => {
    const { SessionLocal, rows } = await open();
    await using session = SessionLocal();
    listen(
      session,
      "afterSoftRollback",
      async () => {
        expect([session.isActive, session.inTransaction()]).toEqual([true, false]);
        session.add(new User({ name: "note" }));
        await session.commit();
      },
      { once: true },
    );
    session.add(new User({ name: "ann" }));
    await session.flush();
    await session.rollback();
    expect(await rows("select name from users")).toEqual([["note"]]);
  });

  for (const ending of ["commit", "rollback", "close"] as const) {
    for (const event of ["beforeCommit", "afterCommit", "afterRollback"] as const) {
      test(`${ending}() is refused in ${event}, which is part of ending the transaction already`, async () => {
        const { SessionLocal, rows } = await open();
        const errors: unknown[] = [];
        const ends: string[] = [];
        await using session = SessionLocal();
        listen(session, event, async () => {
          await session[ending]().catch((error: unknown) => errors.push(error));
        });
        listen(session, "afterTransactionEnd", ({ transaction }) => ends.push(transaction.origin));
        session.add(new User({ name: "ann" }));
        await session.flush();
        ends.length = 0;
        await (event === "afterRollback" ? session.rollback() : session.commit());
        expect(errors).toMatchObject([{ name: "IllegalStateChangeError" }]);
        expect(String(errors[0])).toContain(`${ending}()`);
        expect(ends).toEqual(["autobegin"]);
        expect([session.inTransaction(), session.isActive]).toEqual([false, true]);
        expect(await rows("select name from users")).toEqual(event === "afterRollback" ? [] : [["ann"]]);
      });
    }
  }
});
