import { expect, test } from "vitest";
import {
  DetachedInstanceError,
  getHistory,
  inspect,
  InvalidRequestError,
  load,
  makeTransient,
  makeTransientToDetached,
  PendingRollbackError,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { Folder, metadata, Note } from "./folders.ts";
import { openSessions } from "./open-sessions.ts";

forEachDatabase((db) => {
  const open = () => openSessions(db, metadata, [Folder, Note]);

  /** An instance that stands for a row without having been loaded. */
  const standIn = (id: number, values: { name?: string } = {}): Folder => {
    const folder = new Folder({ id });
    makeTransientToDetached(folder);
    return Object.assign(folder, values);
  };

  test("an instance whose deletion is rolled back is again the one of its row, and another that came for the row meanwhile is out", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const first = log.name("first", new Folder({ name: "a" }));
    session.add(first);
    await session.commit();
    await session.delete(first);
    await session.flush();
    const second = log.name("second", standIn(first.id, { name: "b" }));
    session.add(second);
    expect(session.dirty).toEqual(new Set([second]));
    log.take();
    await session.rollback();
    expect(log.take().filter((line) => /(first|second)/.test(line))).toEqual([
      "deletedToPersistent first",
      "expire first",
    ]);
    expect([session.has(first), session.has(second)]).toEqual([true, false]);
    second.name = "c";
    expect(session.dirty.size).toBe(0);
    expect(() => session.add(second)).toThrow("the session has another instance for the same row");
    await expect(session.delete(second)).rejects.toThrow(InvalidRequestError);
    await session.commit();
    expect(await load(first, "name")).toBe("a");
  });

  test("a deleted instance keeps its changes in its history, and loses them with the rollback of the savepoint around it", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const folder = log.name("folder", new Folder({ name: "a" }));
    session.add(folder);
    await session.commit();
    const savepoint = await session.beginNested();
    await session.delete(folder);
    folder.name = "b";
    await session.flush();
    expect(getHistory(folder, "name")).toMatchObject({ added: ["b"], deleted: ["a"] });
    await savepoint.rollback();
    expect(inspect(folder)).toMatchObject({ lifecycle: "persistent", modified: false });
    expect(await load(folder, "name")).toBe("a");
  });

  test("that an instance was deleted stays known when its row is rolled back, until makeTransient", async () => {
    const { SessionLocal, log, rows } = await open();
    await using session = SessionLocal();
    const folder = log.name("folder", new Folder({ name: "a" }));
    session.add(folder);
    await session.flush();
    await session.delete(folder);
    await session.flush();
    await session.rollback();
    expect(inspect(folder)).toMatchObject({ transient: true, wasDeleted: true });
    session.add(folder);
    log.take();
    await session.rollback();
    expect(log.take()).toContain("deletedToDetached folder");
    session.add(folder);
    await session.flush();
    folder.name = "b";
    await session.commit();
    expect(await rows("select name from folders")).toEqual([["b"]]);
    makeTransient(folder);
    expect(inspect(folder).wasDeleted).toBe(false);
    const other = new Folder({ name: "c" });
    session.add(other);
    await session.flush();
    await session.delete(other);
    await session.flush();
    await session.rollback();
    makeTransientToDetached(other);
    expect(inspect(other)).toMatchObject({ detached: true, wasDeleted: false });
  });

  test("what was expired before its insertion was rolled back is not known any more, and is not taken for empty", async () => {
    const { SessionLocal, rows } = await open();
    await using session = SessionLocal();
    const folder = new Folder({ name: "a" });
    session.add(folder);
    await session.flush();
    session.expire(folder);
    await session.rollback();
    expect(inspect(folder).lifecycle).toBe("transient");
    expect(() => folder.name).toThrow(DetachedInstanceError);
    await expect(load(folder, "name")).rejects.toThrow("makeTransient(instance)");
    session.add(folder);
    expect(() => folder.name).toThrow(InvalidRequestError);
    await expect(session.flush()).rejects.toThrow("it was expired");
    await session.rollback();
    makeTransient(folder);
    expect(folder.name).toBeUndefined();
    folder.name = "b";
    session.add(folder);
    await session.commit();
    expect(await rows("select name from folders")).toEqual([["b"]]);
  });

  test("a savepoint in a transaction that waits for its rollback is refused before anything is flushed", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    session.add(new Note({ text: "in no folder" }));
    await expect(session.flush()).rejects.toThrow();
    session.add(log.name("folder", new Folder({ name: "a" })));
    log.take();
    await expect(session.beginNested()).rejects.toThrow(PendingRollbackError);
    expect(log.take()).toEqual([]);
    await session.rollback();
  });
});
