import { afterEach, expect, test } from "vitest";
import {
  attributes,
  type EventsOf,
  inspect,
  integer,
  listen,
  type Listening,
  Metadata,
  model,
  PendingRollbackError,
  select,
  type SessionEvents,
  text,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { openSessions } from "./open-sessions.ts";

const metadata = new Metadata();

class User extends model(
  "users",
  { id: integer().primaryKey(), name: text(), color: text().default("red") },
  { metadata },
) {}

/** What the listeners of these tests throw: errors keep their type. */
class Refused extends Error {
  override name = "Refused";
}

function refuse(): never {
  throw new Refused("refused by a listener");
}

type ModelEvent = keyof EventsOf<typeof User> & string;

forEachDatabase((db) => {
  const open = (options = {}): ReturnType<typeof openSessions> => openSessions(db, metadata, [User], options);
  const listenings: Listening[] = [];
  afterEach(() => {
    for (const listening of listenings.splice(0)) listening.remove();
  });
  const refuseIn = (event: ModelEvent): Listening => {
    const listening = listen(User, event, refuse as never);
    listenings.push(listening);
    return listening;
  };

  test("init: the construction fails", async () => {
    const { log } = await open();
    log.take();
    refuseIn("init");
    const failures: unknown[] = [];
    listenings.push(listen(User, "initFailure", () => failures.push("initFailure")));
    expect(() => new User({ name: "ann" })).toThrow(Refused);
    expect(failures).toEqual([]);
  });

  test("set: the value stays as it was, and the instance is not dirty", async () => {
    const { SessionLocal } = await open();
    await SessionLocal.begin((session) => session.add(new User({ name: "ann" })));
    await using session = SessionLocal();
    const ann = (await session.get(User, 1)) as User;
    listenings.push(listen(attributes(User).name, "set", refuse));
    expect(() => {
      ann.name = "anna";
    }).toThrow(Refused);
    expect([ann.name, session.dirty.size]).toEqual(["ann", 0]);
  });

  test("beforeAttach: the instance stays out, and the session goes on", async () => {
    const { SessionLocal, rows } = await open();
    await using session = SessionLocal();
    const listening = listen(session, "beforeAttach", refuse);
    const ann = new User({ name: "ann" });
    expect(() => session.add(ann)).toThrow(Refused);
    expect([inspect(ann).lifecycle, session.new.size, session.inTransaction()]).toEqual(["transient", 0, true]);
    listening.remove();
    session.add(ann);
    await session.commit();
    expect(await rows("select name from users")).toEqual([["ann"]]);
  });

  for (const event of ["afterAttach", "transientToPending"] as const) {
    test(`${event}: the error is raised, and the instance was added all the same`, async () => {
      const { SessionLocal, rows } = await open();
      await using session = SessionLocal();
      listen(session, event, refuse);
      const ann = new User({ name: "ann" });
      expect(() => session.add(ann)).toThrow(Refused);
      expect(inspect(ann).lifecycle).toBe("pending");
      await session.commit();
      expect(await rows("select name from users")).toEqual([["ann"]]);
    });
  }

  test("detachedToPersistent: the error is raised, and the instance came back all the same", async () => {
    const { SessionLocal } = await open();
    const ann = new User({ name: "ann" });
    await SessionLocal.begin((session) => session.add(ann));
    await using session = SessionLocal();
    listen(session, "detachedToPersistent", refuse);
    expect(() => session.add(ann)).toThrow(Refused);
    expect([inspect(ann).lifecycle, session.has(ann)]).toEqual(["persistent", true]);
  });

  test("afterTransactionCreate: the call fails, and the transaction is there and usable", async () => {
    const { SessionLocal, rows } = await open();
    await using session = SessionLocal();
    listen(session, "afterTransactionCreate", refuse, { once: true });
    const ann = new User({ name: "ann" });
    expect(() => session.add(ann)).toThrow(Refused);
    expect([session.inTransaction(), session.isActive, inspect(ann).lifecycle]).toEqual([true, true, "transient"]);
    session.add(ann);
    await session.commit();
    expect(await rows("select name from users")).toEqual([["ann"]]);
  });

  test("beforeFlush: the flush is given up before it began, and what is pending stays", async () => {
    const { SessionLocal, rows } = await open();
    await using session = SessionLocal();
    const ann = new User({ name: "ann" });
    session.add(ann);
    listen(session, "beforeFlush", refuse, { once: true });
    await expect(session.flush()).rejects.toThrow(Refused);
    expect([session.isActive, session.inTransaction(), [...session.new]]).toEqual([true, true, [ann]]);
    await session.commit();
    expect(await rows("select name from users")).toEqual([["ann"]]);
  });

  test("beforeCommit: the commit is given up, and the transaction is open and usable", async () => {
    const { SessionLocal, rows } = await open();
    await using session = SessionLocal();
    session.add(new User({ name: "ann" }));
    await session.flush();
    session.add(new User({ name: "bob" }));
    listen(session, "beforeCommit", refuse, { once: true });
    await expect(session.commit()).rejects.toThrow(Refused);
    expect([session.isActive, session.inTransaction(), session.new.size]).toEqual([true, true, 1]);
    await session.commit();
    expect(await rows("select name from users order by id")).toEqual([["ann"], ["bob"]]);
  });

  const modelEvents = [
    "beforeInsert",
    "refreshFlush",
    "afterInsert",
    "beforeUpdate",
    "afterUpdate",
    "beforeDelete",
    "afterDelete",
  ] as const;
  const sessionEvents = [
    "afterBegin",
    "afterFlush",
    "persistentToDeleted",
    "pendingToPersistent",
    "afterFlushPostexec",
  ] as const;

  for (const event of [...modelEvents, ...sessionEvents]) {
    test(`${event}: the flush fails like a statement that fails, and nothing is saved`, async () => {
      const { SessionLocal, log, rows } = await open();
      await SessionLocal.begin((session) =>
        session.addAll([new User({ name: "changed" }), new User({ name: "deleted" })]),
      );
      await using session = SessionLocal();
      const changed = (await session.get(User, 1)) as User;
      const deleted = (await session.get(User, 2)) as User;
      await session.commit();
      const inserted = log.name("inserted", new User({ name: "inserted" }));
      changed.name = "really changed";
      await session.delete(deleted);
      session.add(inserted);
      const listening = (modelEvents as readonly string[]).includes(event)
        ? refuseIn(event as ModelEvent)
        : listen(session, event as keyof SessionEvents, refuse as never);
      log.take();
      await expect(session.flush()).rejects.toThrow(Refused);
      listening.remove();
      const story = log.take();
      expect(story.slice(story.indexOf("ROLLBACK"))).toEqual([
        "ROLLBACK",
        "afterRollback",
        event === "pendingToPersistent" || event === "afterFlushPostexec"
          ? "persistentToTransient inserted"
          : "pendingToTransient inserted",
        "deletedToPersistent User(2)",
        "expire User(1)",
        "expire User(2)",
        "afterTransactionEnd flush",
        "afterSoftRollback flush",
      ]);
      expect([inserted, changed, deleted].map((user) => inspect(user).lifecycle)).toEqual([
        "transient",
        "persistent",
        "persistent",
      ]);
      expect([session.new.size, session.dirty.size, session.deleted.size, session.isActive]).toEqual([0, 0, 0, false]);
      await expect(session.get(User, 99)).rejects.toThrow(PendingRollbackError);
      await session.rollback();
      expect(await rows("select name from users order by id")).toEqual([["changed"], ["deleted"]]);

      session.add(inserted);
      await session.commit();
      expect(await rows("select name from users order by id")).toEqual([["changed"], ["deleted"], ["inserted"]]);
    });
  }

  test("afterBegin of a statement: the statement fails, and the transaction can be rolled back", async () => {
    const { SessionLocal } = await open();
    await using session = SessionLocal();
    listen(session, "afterBegin", refuse, { once: true });
    await expect(session.get(User, 1)).rejects.toThrow(Refused);
    expect([session.isActive, session.inTransaction()]).toEqual([true, true]);
    await session.rollback();
    expect(await session.get(User, 1)).toBeNull();
  });

  test("afterTransactionEnd of a flush: the error is raised, and what was flushed is", async () => {
    const { SessionLocal, rows } = await open();
    await using session = SessionLocal();
    const ann = new User({ name: "ann" });
    session.add(ann);
    listen(session, "afterTransactionEnd", refuse, { once: true });
    await expect(session.flush()).rejects.toThrow(Refused);
    expect([inspect(ann).lifecycle, session.isActive]).toEqual(["persistent", true]);
    await session.commit();
    expect(await rows("select name from users")).toEqual([["ann"]]);
  });

  const rollbackEvents = [
    "afterRollback",
    "pendingToTransient",
    "persistentToTransient",
    "deletedToPersistent",
    "expire",
    "afterTransactionEnd",
    "afterSoftRollback",
  ] as const;
  for (const event of rollbackEvents) {
    test(`${event} of a rollback: it is carried through, and then the error is raised`, async () => {
      const { SessionLocal, engine, rows } = await open();
      await SessionLocal.begin((session) => session.addAll([new User({ name: "ann" }), new User({ name: "bob" })]));
      await using session = SessionLocal();
      const [ann, bob] = (await session.scalars(select(User).orderBy((user) => user.id))).all() as [User, User];
      const [flushed, other, pending] = ["flushed", "other", "pending"].map((name) => new User({ name })) as [
        User,
        User,
        User,
      ];
      session.addAll([flushed, other]);
      ann.name = "anna";
      await session.delete(bob);
      await session.flush();
      session.add(pending);
      const listening = event === "expire" ? refuseIn(event) : listen(session, event, refuse);
      await expect(session.rollback()).rejects.toThrow(Refused);
      listening.remove();
      expect([session.inTransaction(), session.isActive, engine.pool.heldCount]).toEqual([false, true, 0]);
      expect([ann, bob, flushed, other, pending].map((user) => inspect(user).lifecycle)).toEqual([
        "persistent",
        "persistent",
        "transient",
        "transient",
        "transient",
      ]);
      expect([session.new.size, session.dirty.size, session.deleted.size]).toEqual([0, 0, 0]);
      await session.refresh(ann);
      expect(ann.name).toBe("ann");
      await session.close();
      expect(await rows("select name from users order by id")).toEqual([["ann"], ["bob"]]);
    });
  }

  for (const event of ["persistentToDetached", "pendingToTransient", "afterTransactionEnd"] as const) {
    test(`${event} of close(): everything is let go of, and then the error is raised`, async () => {
      const { SessionLocal, engine } = await open();
      await SessionLocal.begin((session) => session.addAll([new User({ name: "ann" }), new User({ name: "bob" })]));
      const session = SessionLocal();
      await session.scalars(select(User));
      session.addAll([new User({ name: "pending" }), new User({ name: "pending" })]);
      listen(session, event, refuse);
      await expect(session.close()).rejects.toThrow(Refused);
      expect([session.identityMap.size, session.new.size, session.inTransaction(), engine.pool.heldCount]).toEqual([
        0,
        0,
        false,
        0,
      ]);
    });
  }

  for (const event of ["load", "loadedAsPersistent"] as const) {
    test(`${event}: the query fails, and the session goes on without the half-loaded instance`, async () => {
      const { SessionLocal } = await open();
      await SessionLocal.begin((session) => session.addAll([new User({ name: "ann" }), new User({ name: "bob" })]));
      await using session = SessionLocal();
      const listening = event === "load" ? refuseIn(event) : listen(session, event, refuse);
      await expect(session.scalars(select(User))).rejects.toThrow(Refused);
      await expect(session.get(User, 2)).rejects.toThrow(Refused);
      listening.remove();
      expect([session.identityMap.size, session.isActive]).toEqual([0, true]);
      expect((await session.scalars(select(User))).all()).toHaveLength(2);
    });
  }

  test("refresh: the refresh fails, and the session goes on", async () => {
    const { SessionLocal } = await open();
    await SessionLocal.begin((session) => session.add(new User({ name: "ann" })));
    await using session = SessionLocal();
    const ann = (await session.get(User, 1)) as User;
    const listening = refuseIn("refresh");
    await expect(session.refresh(ann)).rejects.toThrow(Refused);
    listening.remove();
    expect(session.isActive).toBe(true);
    await session.refresh(ann);
    expect(ann.name).toBe("ann");
  });

  test("doOrmExecute: the statement is not run, and nothing is begun", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const listening = listen(session, "doOrmExecute", refuse);
    log.take();
    await expect(session.scalars(select(User))).rejects.toThrow(Refused);
    expect([log.take(), session.inTransaction()]).toEqual([["doOrmExecute"], false]);
    listening.remove();
    expect((await session.scalars(select(User))).all()).toEqual([]);
  });
});
