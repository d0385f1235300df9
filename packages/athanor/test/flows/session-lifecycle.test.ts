import { expect, test } from "vitest";
import {
  inspect,
  InvalidRequestError,
  integer,
  type LifecycleEvent,
  listen,
  load,
  makeTransient,
  makeTransientToDetached,
  Metadata,
  model,
  objectSession,
  type SessionEvents,
  text,
  UnmappedInstanceError,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { openSessions } from "./open-sessions.ts";

const metadata = new Metadata();

class User extends model(
  "users",
  { id: integer().primaryKey(), name: text(), flag: integer().default(7), level: integer().serverDefault(1) },
  { metadata },
) {}

forEachDatabase((db) => {
  test("one object: constructed, added, flushed, committed, loaded again, rolled back, let go", async () => {
    const { SessionLocal, log } = await openSessions(db, metadata, [User], { expireOnCommit: true });
    await using session = SessionLocal();
    log.take();

    const ann = new User({ name: "ann" });
    expect(log.take()).toEqual(["init User", 'set User().name NO_VALUE → "ann"']);

    log.name("ann", ann);
    session.add(ann);
    expect(log.take()).toEqual([
      "afterTransactionCreate root",
      "beforeAttach ann",
      "afterAttach ann",
      "transientToPending ann",
    ]);

    await session.flush();
    expect(log.take()).toEqual([
      "beforeFlush",
      "afterTransactionCreate flush",
      "BEGIN",
      "afterBegin root",
      "beforeInsert ann",
      "INSERT users",
      "refreshFlush ann [flag, level]",
      "afterInsert ann",
      "afterFlush",
      "pendingToPersistent ann",
      "afterFlushPostexec",
      "afterTransactionEnd flush",
    ]);
    expect(ann).toMatchObject({ id: 1, flag: 7, level: 1 });

    await session.commit();
    expect(log.take()).toEqual([
      "beforeCommit",
      "COMMIT",
      "checkin",
      "afterCommit",
      "expire ann",
      "afterTransactionEnd root",
    ]);

    expect(await load(ann, "name")).toBe("ann");
    expect(log.take()).toEqual([
      "doOrmExecute column load",
      "afterTransactionCreate root",
      "BEGIN",
      "afterBegin root",
      "SELECT users",
      "refresh ann [id, name, flag, level]",
    ]);

    await session.rollback();
    expect(log.take()).toEqual([
      "ROLLBACK",
      "afterRollback",
      "expire ann",
      "checkin",
      "afterTransactionEnd root",
      "afterSoftRollback root",
    ]);

    await session.close();
    expect(log.take()).toEqual(["persistentToDetached ann"]);
  });

  test("adding what is in the session already raises no lifecycle event", async () => {
    const { SessionLocal, log } = await openSessions(db, metadata, [User]);
    await using session = SessionLocal();
    const ann = log.name("ann", new User({ name: "ann" }));
    session.add(ann);
    log.take();
    session.add(ann);
    await session.commit();
    log.take();
    session.add(ann);
    expect(log.take()).toEqual(["afterTransactionCreate root"]);
  });

  test("listeners of each transition see the instance where it has arrived", async () => {
    const { SessionLocal } = await openSessions(db, metadata, [User]);
    const seen: string[] = [];
    const note =
      (name: string) =>
      ({ session, target }: LifecycleEvent): void => {
        const user = target as User;
        const { lifecycle } = inspect(user);
        const places = [
          session.has(user) && "has",
          session.identityMap.has(user) && "identityMap",
          session.new.has(user) && "new",
          session.deleted.has(user) && "deleted",
          objectSession(user) === session && "objectSession",
        ];
        seen.push(`${name}: ${[lifecycle, ...places.filter(Boolean)].join(" ")}`);
      };
    const events: (keyof SessionEvents)[] = [
      "beforeAttach",
      "afterAttach",
      "transientToPending",
      "pendingToTransient",
      "pendingToPersistent",
      "persistentToTransient",
      "loadedAsPersistent",
      "persistentToDeleted",
      "deletedToPersistent",
      "deletedToDetached",
      "persistentToDetached",
      "detachedToPersistent",
    ];
    for (const name of events) listen(SessionLocal, name, note(name) as never);
    await using session = SessionLocal();
    const take = (): string[] => seen.splice(0);

    const ann = new User({ name: "ann" });
    session.add(ann);
    session.expunge(ann);
    session.add(ann);
    expect(take()).toEqual([
      "beforeAttach: transient",
      "afterAttach: pending has new objectSession",
      "transientToPending: pending has new objectSession",
      "pendingToTransient: transient",
      "beforeAttach: transient",
      "afterAttach: pending has new objectSession",
      "transientToPending: pending has new objectSession",
    ]);

    await session.flush();
    await session.rollback();
    expect(take()).toEqual([
      "pendingToPersistent: persistent has identityMap new objectSession",
      "persistentToTransient: transient",
    ]);

    session.add(ann);
    await session.commit();
    session.expunge(ann);
    expect(take().slice(3)).toEqual([
      "pendingToPersistent: persistent has identityMap new objectSession",
      "persistentToDetached: detached",
    ]);

    await session.delete(ann);
    expect(take()).toEqual([
      "beforeAttach: detached",
      "afterAttach: persistent has identityMap objectSession",
      "detachedToPersistent: persistent has identityMap objectSession",
    ]);

    await session.flush();
    await session.rollback();
    expect(take()).toEqual([
      "persistentToDeleted: deleted objectSession",
      "deletedToPersistent: persistent has identityMap objectSession",
    ]);

    await session.delete(ann);
    await session.commit();
    expect(take()).toEqual(["persistentToDeleted: deleted objectSession", "deletedToDetached: detached"]);
    expect(inspect(ann).wasDeleted).toBe(true);

    const bob = new User({ name: "bob" });
    session.add(bob);
    await session.commit();
    await session.close();
    take();
    await session.get(User, bob.id);
    expect(take()).toEqual(["loadedAsPersistent: persistent has identityMap objectSession"]);
  });

  test("addAll adds each in its turn, and nothing if one of them is no instance", async () => {
    const { SessionLocal } = await openSessions(db, metadata, [User]);
    await using session = SessionLocal();
    const [ann, bob] = [new User({ name: "ann" }), new User({ name: "bob" })];
    expect(() => session.addAll([ann, { name: "bob" } as never])).toThrow(UnmappedInstanceError);
    expect([...session.new]).toEqual([]);
    session.addAll([bob, ann]);
    expect([...session.new]).toEqual([bob, ann]);
    await session.commit();
    expect([bob.id, ann.id]).toEqual([1, 2]);
  });

  test("what was never saved cannot be deleted, and what is not here cannot be expunged", async () => {
    const { SessionLocal } = await openSessions(db, metadata, [User]);
    await using session = SessionLocal();
    const ann = new User({ name: "ann" });
    await expect(session.delete(ann)).rejects.toThrow("is not persisted");
    expect(() => session.expunge(ann)).toThrow("is not in this session");
    session.add(ann);
    await expect(session.delete(ann)).rejects.toThrow("session.expunge(instance)");
    await session.commit();
    expect(await session.get(User, 1)).toBe(ann);
  });

  test("adding an instance that was marked for deletion takes the mark back", async () => {
    const { SessionLocal, rows } = await openSessions(db, metadata, [User]);
    await using session = SessionLocal();
    const ann = new User({ name: "ann" });
    session.add(ann);
    await session.commit();
    await session.delete(ann);
    expect([...session.deleted]).toEqual([ann]);
    session.add(ann);
    expect([...session.deleted]).toEqual([]);
    await session.commit();
    expect(await rows("select name from users")).toEqual([["ann"]]);
  });

  test("expungeAll lets go of the persistent instances, then of the pending ones, and keeps the transaction", async () => {
    const { SessionLocal, log } = await openSessions(db, metadata, [User]);
    await using session = SessionLocal();
    const [ann, bob] = [log.name("ann", new User({ name: "ann" })), log.name("bob", new User({ name: "bob" }))];
    session.add(ann);
    await session.flush();
    session.add(bob);
    log.take();
    session.expungeAll();
    expect(log.take()).toEqual(["persistentToDetached ann", "pendingToTransient bob"]);
    expect(session.inTransaction()).toBe(true);
    await session.commit();
    expect(await session.get(User, 1)).not.toBe(ann);
  });

  test("close lets go of everything and rolls back, without the events of a rollback", async () => {
    const { SessionLocal, log, rows } = await openSessions(db, metadata, [User]);
    const session = SessionLocal();
    const [ann, bob] = [log.name("ann", new User({ name: "ann" })), log.name("bob", new User({ name: "bob" }))];
    session.add(ann);
    await session.flush();
    session.add(bob);
    log.take();
    await session.close();
    expect(log.take()).toEqual([
      "persistentToDetached ann",
      "pendingToTransient bob",
      "ROLLBACK",
      "checkin",
      "afterTransactionEnd root",
    ]);
    expect(await rows("select * from users")).toEqual([]);

    await session.close();
    session.add(bob);
    await session.commit();
    expect(await rows("select name from users")).toEqual([["bob"]]);
    await session.close();
  });

  test("an instance of another session is refused before anything is raised", async () => {
    const { SessionLocal, log } = await openSessions(db, metadata, [User]);
    await using first = SessionLocal();
    await using second = SessionLocal();
    const ann = log.name("ann", new User({ name: "ann" }));
    first.add(ann);
    log.take();
    expect(() => second.add(ann)).toThrow("belongs to another session already");
    expect(log.take()).toEqual(["afterTransactionCreate root"]);
    expect(objectSession(ann)).toBe(first);
    await first.close();
    second.add(ann);
    expect(objectSession(ann)).toBe(second);
  });

  test("a second instance for a row that the session has is refused, and stays detached", async () => {
    const { SessionLocal, log } = await openSessions(db, metadata, [User]);
    const ann = log.name("ann", new User({ name: "ann" }));
    await SessionLocal.begin((session) => session.add(ann));
    await using session = SessionLocal();
    await session.get(User, 1);
    log.take();
    expect(() => session.add(ann)).toThrow("the session has another instance for the same row");
    expect(log.take()).toEqual(["beforeAttach ann"]);
    expect(inspect(ann).lifecycle).toBe("detached");
  });

  test("a deleted and committed instance is added again only once it was made transient", async () => {
    const { SessionLocal, log, rows } = await openSessions(db, metadata, [User]);
    await using session = SessionLocal();
    const ann = log.name("ann", new User({ name: "ann" }));
    session.add(ann);
    await session.commit();
    await session.delete(ann);
    await session.flush();
    expect(() => session.add(ann)).toThrow(InvalidRequestError);
    await session.commit();
    expect(() => session.add(ann)).toThrow("makeTransient(instance)");
    log.take();
    makeTransient(ann);
    expect(log.take()).toEqual([]);
    expect(inspect(ann)).toMatchObject({ lifecycle: "transient", wasDeleted: false });
    session.add(ann);
    await session.commit();
    expect(await rows("select id, name from users")).toEqual([[1, "ann"]]);
  });

  test("an instance made transient during the transaction that deleted it can be inserted by that transaction", async () => {
    const { SessionLocal, log, rows } = await openSessions(db, metadata, [User]);
    await using session = SessionLocal();
    const ann = log.name("ann", new User({ name: "ann" }));
    session.add(ann);
    await session.commit();
    await session.delete(ann);
    await session.flush();
    log.take();
    makeTransient(ann);
    expect(log.take()).toEqual(["deletedToDetached ann"]);
    session.add(ann);
    await session.commit();
    expect(log.take().filter((line) => line.endsWith("ann"))).toEqual([
      "beforeAttach ann",
      "afterAttach ann",
      "transientToPending ann",
      "beforeInsert ann",
      "afterInsert ann",
      "pendingToPersistent ann",
    ]);
    expect(inspect(ann).lifecycle).toBe("persistent");
    expect(await rows("select id, name from users")).toEqual([[1, "ann"]]);
  });

  test("makeTransient takes a persistent instance out of its session, with its values", async () => {
    const { SessionLocal, log, rows } = await openSessions(db, metadata, [User]);
    await using session = SessionLocal();
    const ann = log.name("ann", new User({ name: "ann" }));
    session.add(ann);
    await session.commit();
    log.take();
    makeTransient(ann);
    expect(log.take()).toEqual(["persistentToDetached ann"]);
    expect(inspect(ann).lifecycle).toBe("transient");
    ann.id = 2;
    session.add(ann);
    await session.commit();
    expect(await rows("select id, name from users order by id")).toEqual([
      [1, "ann"],
      [2, "ann"],
    ]);
  });

  test("makeTransientToDetached stands for a row without asking for it", async () => {
    const { SessionLocal, log } = await openSessions(db, metadata, [User]);
    await SessionLocal.begin((session) => session.add(new User({ name: "ann" })));
    await using session = SessionLocal();
    log.take();
    const ann = log.name("ann", new User({ id: 1 }));
    log.take();
    makeTransientToDetached(ann);
    expect(log.take()).toEqual(["expire ann [name, flag, level]"]);
    session.add(ann);
    expect(log.take()).toEqual([
      "afterTransactionCreate root",
      "beforeAttach ann",
      "afterAttach ann",
      "detachedToPersistent ann",
    ]);
    expect(session.dirty.size).toBe(0);
    expect(await load(ann, "name")).toBe("ann");
    expect(() => makeTransientToDetached(ann)).toThrow("is persistent and not transient");
    expect(() => makeTransientToDetached(new User({ name: "x" }))).toThrow("without its key. Set id first");
  });
});
