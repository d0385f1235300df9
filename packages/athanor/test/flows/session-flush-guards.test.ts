import { afterEach, expect, test } from "vitest";
import {
  FlushInProgressError,
  inspect,
  InvalidRequestError,
  integer,
  listen,
  type Listening,
  Metadata,
  model,
  ResourceClosedError,
  select,
  type Session,
  sql,
  text,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { openSessions } from "./open-sessions.ts";

const metadata = new Metadata();

class User extends model("users", { id: integer().primaryKey(), name: text() }, { metadata }) {}
class Note extends model("notes", { id: integer().primaryKey(), text: text() }, { metadata }) {}

const rowEvents = [
  "beforeInsert",
  "afterInsert",
  "beforeUpdate",
  "afterUpdate",
  "beforeDelete",
  "afterDelete",
] as const;

forEachDatabase((db) => {
  const open = (options = {}): ReturnType<typeof openSessions> => openSessions(db, metadata, [User, Note], options);
  const listenings: Listening[] = [];
  afterEach(() => {
    for (const listening of listenings.splice(0)) listening.remove();
  });

  /** Opens a session in which a flush raises all row events of Users, and calls back inside of one of them. */
  async function during(
    event: (typeof rowEvents)[number],
    act: (session: Session, kept: Note) => unknown,
  ): Promise<{ readonly session: Session; readonly rows: (query: string) => Promise<unknown[][]> }> {
    const { SessionLocal, rows } = await open();
    await SessionLocal.begin((session) =>
      session.addAll([new User({ name: "changed" }), new User({ name: "deleted" }), new Note({ text: "kept" })]),
    );
    const session = SessionLocal();
    const changed = (await session.get(User, 1)) as User;
    const deleted = (await session.get(User, 2)) as User;
    const kept = (await session.get(Note, 1)) as Note;
    changed.name = "really changed";
    await session.delete(deleted);
    session.add(new User({ name: "inserted" }));
    listenings.push(listen(User, event, () => act(session, kept) as Promise<void>, { once: true }));
    return { session, rows };
  }

  for (const event of rowEvents) {
    test(`add, delete and flush are refused in ${event}, by an error that names it and the instance`, async () => {
      const errors: unknown[] = [];
      const { session, rows } = await during(event, async (inside, kept) => {
        const attempts = [
          () => inside.add(new Note({ text: "too late" })),
          () => inside.addAll([new Note({ text: "too late" })]),
          () => inside.delete(kept),
          () => inside.flush(),
        ];
        for (const attempt of attempts) {
          await Promise.resolve()
            .then(attempt)
            .catch((error: unknown) => errors.push(error));
        }
      });
      await session.commit();
      await session.close();
      const target =
        event === "beforeInsert" || event === "afterInsert"
          ? "a new User"
          : `User (key ${event.endsWith("Delete") ? 2 : 1})`;
      expect(errors.map(String)).toEqual(
        [
          "session.add() was called for a new Note",
          "session.add()",
          "session.delete() was called for Note (key 1)",
          "flush() was called",
        ].map(
          (start) =>
            expect.stringMatching(new RegExp(`^FlushInProgressError: ${start.replace(/[()]/g, "\\$&")}`)) as unknown,
        ),
      );
      for (const error of errors) {
        expect(error).toBeInstanceOf(FlushInProgressError);
        expect(String(error)).toContain(`(in a listener of ${event} of ${target})`);
        expect(String(error)).toContain("beforeFlush");
      }
      expect(await rows("select text from notes")).toEqual([["kept"]]);
      expect(await rows("select name from users order by id")).toEqual([["really changed"], ["inserted"]]);
    });

    test(`an error of add() that ${event} does not catch fails the flush, and nothing is saved`, async () => {
      const { session, rows } = await during(event, (inside) => inside.add(new Note({ text: "too late" })));
      await expect(session.commit()).rejects.toThrow(FlushInProgressError);
      await session.rollback();
      await session.close();
      expect(await rows("select name from users order by id")).toEqual([["changed"], ["deleted"]]);
    });

    for (const ending of ["rollback", "commit", "close"] as const) {
      test(`${ending}() in ${event} ends the transaction, and the flush says so`, async () => {
        const { session } = await during(event, (inside) => inside[ending]());
        await expect(session.flush()).rejects.toThrow(ResourceClosedError);
        expect([session.isActive, session.currentTransaction?.origin === "subtransaction"]).toEqual([true, false]);
        await session.rollback();
        expect([session.new.size, session.deleted.size, session.inTransaction()]).toEqual([0, 0, false]);
        session.add(new Note({ text: "goes on" }));
        await session.commit();
        expect((await session.scalars(select(Note))).all()).toHaveLength(2);
        await session.close();
      });
    }
  }

  test("queries, statements, expunge, expire, refresh and savepoints are allowed while rows are written", async () => {
    const seen: unknown[] = [];
    const { session, rows } = await during("beforeInsert", async (inside, kept) => {
      seen.push((await inside.scalars(select(Note))).all().length, await inside.get(Note, 9));
      await inside.execute(sql`update notes set text = 'by statement'`);
      await inside.refresh(kept);
      seen.push(kept.text);
      inside.expire(kept);
      inside.expunge(kept);
      const savepoint = await inside.beginNested();
      await inside.execute(sql`update notes set text = 'undone'`);
      await savepoint.rollback();
    });
    await session.commit();
    await session.close();
    expect(seen).toEqual([1, null, "by statement"]);
    expect(await rows("select text from notes")).toEqual([["by statement"]]);
    expect(await rows("select name from users order by id")).toEqual([["really changed"], ["inserted"]]);
  });

  for (const event of ["beforeFlush", "afterFlush", "afterFlushPostexec"] as const) {
    test(`flush() in ${event} is refused: the session is flushing already`, async () => {
      const { SessionLocal, rows } = await open();
      await using session = SessionLocal();
      const errors: unknown[] = [];
      listen(session, event, async () => {
        await session.flush().catch((error: unknown) => errors.push(error));
      });
      session.add(new User({ name: "ann" }));
      await session.commit();
      expect(errors).toEqual([expect.any(InvalidRequestError)]);
      expect(String(errors[0])).toContain("is flushing already");
      expect(await rows("select name from users")).toEqual([["ann"]]);
    });
  }

  for (const event of ["afterFlush", "afterFlushPostexec"] as const) {
    test(`what ${event} adds and deletes waits for the next flush`, async () => {
      const { SessionLocal, rows } = await open();
      await SessionLocal.begin((session) => session.add(new Note({ text: "old" })));
      await using session = SessionLocal();
      const old = (await session.get(Note, 1)) as Note;
      listen(
        session,
        event,
        async () => {
          session.add(new Note({ text: "new" }));
          await session.delete(old);
        },
        { once: true },
      );
      session.add(new User({ name: "ann" }));
      await session.flush();
      expect([session.new.size, session.deleted.size]).toEqual([1, 1]);
      await session.commit();
      expect(await rows("select text from notes")).toEqual([["new"]]);
    });
  }

  test("a rollback in beforeFlush leaves nothing to flush", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const ann = log.name("ann", new User({ name: "ann" }));
    listen(session, "beforeFlush", () => session.rollback(), { once: true });
    session.add(ann);
    log.take();
    await session.flush();
    expect(log.take()).toEqual([
      "beforeFlush",
      "afterRollback",
      "pendingToTransient ann",
      "afterTransactionEnd root",
      "afterSoftRollback root",
    ]);
    expect(inspect(ann).lifecycle).toBe("transient");
  });

  test("a commit in beforeFlush commits what was written, and the flush goes on in a new transaction", async () => {
    const { SessionLocal, log, rows } = await open();
    await using session = SessionLocal();
    session.add(log.name("ann", new User({ name: "ann" })));
    await session.flush();
    listen(session, "beforeFlush", () => session.commit(), { once: true });
    session.add(log.name("bob", new User({ name: "bob" })));
    log.take();
    await session.flush();
    expect(log.take()).toEqual([
      "beforeFlush",
      "beforeCommit",
      "COMMIT",
      "checkin",
      "afterCommit",
      "afterTransactionEnd root",
      "afterTransactionCreate root",
      "afterTransactionCreate flush",
      "BEGIN",
      "afterBegin root",
      "beforeInsert bob",
      "INSERT users",
      "afterInsert bob",
      "afterFlush",
      "pendingToPersistent bob",
      "afterFlushPostexec",
      "afterTransactionEnd flush",
    ]);
    await session.rollback();
    expect(await rows("select name from users")).toEqual([["ann"]]);
  });

  test("add from outside while a flush writes is no listener's doing, and waits", async () => {
    const { SessionLocal, rows } = await open();
    await using session = SessionLocal();
    const inside = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    listenings.push(
      listen(
        User,
        "beforeInsert",
        async () => {
          inside.resolve();
          await goOn.promise;
        },
        { once: true },
      ),
    );
    session.add(new User({ name: "ann" }));
    const flushing = session.flush();
    await inside.promise;
    session.add(new Note({ text: "meanwhile" }));
    goOn.resolve();
    await flushing;
    expect(session.new.size).toBe(1);
    await session.commit();
    expect(await rows("select text from notes")).toEqual([["meanwhile"]]);
  });
});
