import { expect, test, vi } from "vitest";
import {
  DatabaseError,
  FlushError,
  inspect,
  IntegrityError,
  integer,
  listen,
  Metadata,
  model,
  PendingRollbackError,
  select,
  sessionmaker,
  sql,
  text,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { openSessions } from "./open-sessions.ts";

const metadata = new Metadata();

class User extends model(
  "users",
  { id: integer().primaryKey(), name: text().unique(), note: text().nullable(), color: text().default("red") },
  { metadata },
) {}

class Visit extends model("visits", { id: integer().primaryKey(), userId: integer() }, { metadata: new Metadata() }) {}

forEachDatabase((db) => {
  const open = (): ReturnType<typeof openSessions> => openSessions(db, metadata, [User]);

  test("a flush that fails is rolled back, and the session waits for rollback()", async () => {
    const { SessionLocal, log, rows } = await open();
    await SessionLocal.begin((session) => session.add(new User({ name: "ann" })));
    await using session = SessionLocal();
    const [bob, copy] = [log.name("bob", new User({ name: "bob" })), log.name("copy", new User({ name: "ann" }))];
    session.addAll([bob, copy]);
    log.take();
    await expect(session.flush()).rejects.toThrow(IntegrityError);
    expect(log.take()).toEqual([
      "beforeFlush",
      "afterTransactionCreate flush",
      "BEGIN",
      "afterBegin root",
      "beforeInsert bob",
      "beforeInsert copy",
      "INSERT users",
      "ROLLBACK",
      "afterRollback",
      "pendingToTransient bob",
      "pendingToTransient copy",
      "afterTransactionEnd flush",
      "afterSoftRollback flush",
    ]);
    expect([session.isActive, session.inTransaction()]).toEqual([false, true]);

    await expect(session.execute(select(User))).rejects.toThrow(PendingRollbackError);
    await expect(session.commit()).rejects.toThrow("Call session.rollback() first");
    await session.flush();
    expect(log.take()).toEqual(["doOrmExecute"]);

    await session.rollback();
    expect(log.take()).toEqual(["checkin", "afterTransactionEnd root", "afterSoftRollback root"]);
    copy.name = "carol";
    session.addAll([bob, copy]);
    await session.commit();
    expect(await rows("select name from users order by name")).toEqual([["ann"], ["bob"], ["carol"]]);
  });

  test("the flush of a commit fails like any other, after beforeCommit", async () => {
    const { SessionLocal, log } = await open();
    await SessionLocal.begin((session) => session.add(new User({ name: "ann" })));
    await using session = SessionLocal();
    session.add(log.name("copy", new User({ name: "ann" })));
    log.take();
    const failure = await session.commit().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(IntegrityError);
    expect(log.take()).toEqual([
      "beforeCommit",
      "beforeFlush",
      "afterTransactionCreate flush",
      "BEGIN",
      "afterBegin root",
      "beforeInsert copy",
      "INSERT users",
      "ROLLBACK",
      "afterRollback",
      "pendingToTransient copy",
      "afterTransactionEnd flush",
      "afterSoftRollback flush",
    ]);
    await expect(session.commit()).rejects.toMatchObject({ name: "PendingRollbackError", cause: failure });
    expect(log.take()).toEqual([]);
  });

  test("a listener that swallows the failure of its own flush cannot make the commit look successful", async () => {
    const { SessionLocal, log, rows } = await open();
    await SessionLocal.begin((session) => session.add(new User({ name: "ann" })));
    await using session = SessionLocal();
    listen(session, "beforeCommit", async () => {
      session.add(new User({ name: "ann" }));
      await session.flush().catch(() => undefined);
    });
    session.add(new User({ name: "bob" }));
    await session.flush();
    log.take();
    await expect(session.commit()).rejects.toThrow(PendingRollbackError);
    expect(log.take()).not.toContain("afterCommit");
    await session.rollback();
    expect(await rows("select name from users")).toEqual([["ann"]]);
  });

  test("when a flush fails half-way nothing is saved, and every instance is as it was", async () => {
    const { SessionLocal, rows } = await open();
    await SessionLocal.begin((session) =>
      session.addAll(["ann", "bob", "carol"].map((name) => new User({ name, note: "old" }))),
    );
    await using session = SessionLocal();
    const ann = (await session.get(User, 1)) as User;
    const bob = (await session.get(User, 2)) as User;
    await session.delete(bob);
    await session.flush();
    const dave = new User({ name: "dave" });
    session.add(dave);
    await session.flush();

    ann.note = "new";
    const carol = (await session.get(User, 3)) as User;
    await session.delete(carol);
    const eve = new User({ name: "eve", note: "mine" });
    const copy = new User({ name: "ann" });
    session.addAll([eve, copy]);
    await expect(session.flush()).rejects.toThrow(IntegrityError);

    expect([eve, copy, dave].map((user) => inspect(user).lifecycle)).toEqual(["transient", "transient", "transient"]);
    expect([eve.name, eve.note, eve.color]).toEqual(["eve", "mine", undefined]);
    expect([ann, bob, carol].map((user) => inspect(user).lifecycle)).toEqual([
      "persistent",
      "persistent",
      "persistent",
    ]);
    expect([session.new.size, session.dirty.size, session.deleted.size]).toEqual([0, 0, 0]);
    await session.rollback();
    for (const user of [ann, bob, carol]) await session.refresh(user);
    expect([ann.note, bob.note, carol.note]).toEqual(["old", "old", "old"]);
    await session.commit();
    expect(await rows("select name, note from users order by id")).toEqual([
      ["ann", "old"],
      ["bob", "old"],
      ["carol", "old"],
    ]);
  });

  test("what is added between a failed flush and the rollback is discarded, and the session says so", async () => {
    const { engine } = await open();
    const onWarning = vi.fn<(warning: { message: string }) => void>();
    const SessionLocal = sessionmaker(engine, { onWarning });
    await SessionLocal.begin((session) => session.add(new User({ name: "ann" })));
    await using session = SessionLocal();
    session.add(new User({ name: "ann" }));
    await expect(session.flush()).rejects.toThrow(IntegrityError);
    const late = new User({ name: "late" });
    session.add(late);
    await expect(session.flush()).rejects.toThrow(PendingRollbackError);
    await session.rollback();
    expect(onWarning).toHaveBeenCalledExactlyOnceWith({
      message: expect.stringContaining("those changes are discarded") as string,
      session,
    });
    expect(inspect(late).lifecycle).toBe("transient");
  });

  test("a COMMIT that the database refuses saves nothing, and afterCommit is not called", async () => {
    const { SessionLocal, engine, log, rows } = await open();
    await engine.begin((connection) =>
      connection.run(
        "create table visits (id integer primary key, user_id integer not null references users (id) deferrable initially deferred)",
      ),
    );
    await using session = SessionLocal();
    const [ann, visit] = [log.name("ann", new User({ name: "ann" })), new Visit({ id: 1, userId: 99 })];
    log.name("visit", visit);
    session.addAll([ann, visit]);
    await session.flush();
    log.take();
    await expect(session.commit()).rejects.toThrow(DatabaseError);
    expect(log.take()).toEqual([
      "beforeCommit",
      "COMMIT",
      "ROLLBACK",
      "afterRollback",
      "persistentToTransient ann",
      "persistentToTransient visit",
      "checkin",
      "afterTransactionEnd root",
      "afterSoftRollback root",
    ]);
    expect(inspect(ann).lifecycle).toBe("transient");
    expect([session.inTransaction(), session.isActive]).toEqual([false, true]);
    expect(await rows("select * from users")).toEqual([]);

    visit.userId = 1;
    ann.id = 1;
    session.addAll([ann, visit]);
    await session.commit();
    expect(await rows("select user_id from visits")).toEqual([[1]]);
  });

  test("commit gives up after a hundred flushes, and leaves the transaction as it is", async () => {
    const { SessionLocal, rows } = await open();
    await using session = SessionLocal();
    let flushes = 0;
    const listening = listen(session, "afterFlush", () => {
      flushes++;
      session.add(new User({ name: `user ${flushes}` }));
    });
    session.add(new User({ name: "first" }));
    await expect(session.commit()).rejects.toThrow(FlushError);
    expect(flushes).toBe(100);
    expect([session.isActive, session.inTransaction()]).toEqual([true, true]);
    const counted = await session.execute(sql<{ n: number | string }>`select count(*) as n from users`);
    expect(Number(counted.first()?.n)).toBe(101);
    listening.remove();
    await session.commit();
    expect((await rows("select id from users")).length).toBe(102);
  });

  test("what a listener leaves behind while committing is flushed until nothing is left", async () => {
    const { SessionLocal, log, rows } = await open();
    await using session = SessionLocal();
    let left = 2;
    listen(session, "afterFlushPostexec", () => {
      if (left-- > 0) session.add(new User({ name: `left ${left}` }));
    });
    session.add(new User({ name: "ann" }));
    log.take();
    await session.commit();
    expect(log.take().filter((line) => /^(before(Commit|Flush)|COMMIT|afterCommit)/.test(line))).toEqual([
      "beforeCommit",
      "beforeFlush",
      "beforeFlush",
      "beforeFlush",
      "COMMIT",
      "afterCommit",
    ]);
    expect(await rows("select name from users order by id")).toEqual([["ann"], ["left 1"], ["left 0"]]);
  });

  test("what a listener adds after a plain flush stays pending", async () => {
    const { SessionLocal } = await open();
    await using session = SessionLocal();
    const [ann, bob] = [new User({ name: "ann" }), new User({ name: "bob" })];
    listen(session, "afterFlush", () => session.add(bob), { once: true });
    session.add(ann);
    await session.flush();
    expect([...session.new]).toEqual([bob]);
    await session.commit();
    expect(bob.id).toBe(2);
  });
});
