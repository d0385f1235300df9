import { expect, test } from "vitest";
import { attributes, inspect, listen, load } from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { Folder, Mark, metadata, Note } from "./folders.ts";
import { openSessions } from "./open-sessions.ts";

forEachDatabase((db) => {
  const open = () => openSessions(db, metadata, [Folder, Note, Mark]);

  test("an instance of a deleted row that is to be deleted once more is in the session, and is left alone when something leads to it", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const folder = log.name("folder", new Folder({ name: "a" }));
    session.add(folder);
    await session.commit();
    await session.delete(folder);
    await session.commit();
    await session.delete(folder);
    expect([inspect(folder).lifecycle, session.has(folder), session.deleted.has(folder)]).toEqual([
      "deleted",
      true,
      true,
    ]);
    const child = log.name("child", new Folder({ name: "b", parent: folder }));
    session.add(child);
    expect(session.new).toEqual(new Set([child]));
  });

  test("taking an instance out of the session reaches it once more where its parts lead back to it", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const first = log.name("first", new Folder({ name: "a" }));
    const second = log.name("second", new Folder({ name: "b", parent: first }));
    session.add(first);
    await session.commit();
    await load(first, "children");
    await load(second, "children");
    second.children.push(first);
    log.take();
    session.expunge(first);
    expect(log.take()).toEqual([
      "persistentToDetached first",
      "persistentToDetached second",
      "persistentToDetached first",
    ]);
  });

  test("pop begins the transaction before its listeners are told", async () => {
    const { SessionLocal } = await open();
    await using session = SessionLocal();
    const folder = new Folder({ name: "a", notes: [new Note({ text: "n" })] });
    session.add(folder);
    await session.commit();
    const seen: boolean[] = [];
    using _ = listen(attributes(Folder).notes, "remove", () => seen.push(session.inTransaction()));
    folder.notes.pop();
    expect(seen).toEqual([true]);
    await session.commit();
    expect(folder.notes).toEqual([]);
  });

  test("a part that lost its whole while both were new and in no session is left out of the flush that it came into with that", async () => {
    const { SessionLocal, log, rows } = await open();
    await using session = SessionLocal();
    const note = log.name("note", new Note({ text: "n" }));
    const folder = new Folder({ name: "a", notes: [note] });
    session.add(folder);
    await session.flush();
    await session.rollback();
    folder.notes.pop();
    session.add(folder);
    expect(session.new.has(note)).toBe(true);
    log.take();
    await session.commit();
    expect(log.take().filter((line) => line.endsWith("note"))).toEqual(["pendingToTransient note"]);
    expect(await rows("select id from notes")).toEqual([]);
  });

  test("a session tells of its instances in the order in which they came, whatever their classes", async () => {
    const { SessionLocal } = await open();
    await using session = SessionLocal();
    const first = new Folder({ name: "a", notes: [new Note({ text: "n" })] });
    const second = new Folder({ name: "b" });
    session.add(first);
    await session.flush();
    session.add(second);
    await session.flush();
    const [note] = first.notes;
    expect([...session.identityMap]).toEqual([first, note, second]);
    session.expunge(first);
    expect([...session.identityMap]).toEqual([second]);
    session.add(first);
    expect([...session.identityMap]).toEqual([second, first, note]);
  });

  test("a part that is taken from its whole before it was saved leaves the session along with its own parts", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const mark = log.name("mark", new Mark());
    const note = log.name("note", new Note({ text: "n", marks: [mark] }));
    const folder = new Folder({ name: "a", notes: [note] });
    session.add(folder);
    expect(session.new).toEqual(new Set([folder, note, mark]));
    log.take();
    folder.notes.pop();
    expect(log.take().filter((line) => line.startsWith("pending"))).toEqual([
      "pendingToTransient note",
      "pendingToTransient mark",
    ]);
    expect(session.new).toEqual(new Set([folder]));
  });
});
