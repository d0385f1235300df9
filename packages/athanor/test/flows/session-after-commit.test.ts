import { expect, test } from "vitest";
import {
  AfterCommitError,
  type Change,
  createAll,
  inspect,
  integer,
  listen,
  makeTransient,
  Metadata,
  model,
  NO_VALUE,
  numeric,
  select,
  sessionmaker,
  text,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { openSessions } from "./open-sessions.ts";

const metadata = new Metadata();

class User extends model(
  "users",
  { id: integer().primaryKey(), name: text(), note: text().nullable(), balance: numeric(10, 2).nullable() },
  { metadata },
) {}

/** What a listener is told of each change, without the instance itself. */
function told(changes: readonly Change[]): unknown[] {
  return changes.map(({ target, operation, values }) => [operation, inspect(target).identity?.[0], values]);
}

forEachDatabase((db) => {
  const open = (options = {}): ReturnType<typeof openSessions> => openSessions(db, metadata, [User], options);

  test("afterCommit follows the COMMIT of the root alone, when the connection is back in its pool", async () => {
    const { SessionLocal, engine, log } = await open();
    const held: number[] = [];
    listen(SessionLocal, "afterCommit", () => held.push(engine.pool.heldCount));
    await using session = SessionLocal();
    session.add(new User({ name: "ann" }));
    await (await session.beginNested()).commit();
    await session.flush();
    await session.commit();
    expect(held).toEqual([0]);
    const story = log.take();
    expect(story.slice(story.indexOf("COMMIT"))).toEqual([
      "COMMIT",
      "checkin",
      "afterCommit",
      "afterTransactionEnd root",
    ]);
  });

  test("a listener may use a session of its own, though the pool has one connection", async () => {
    const { SessionLocal, engine, rows } = await open({ poolSize: 1 });
    const Own = sessionmaker(engine);
    listen(SessionLocal, "afterCommit", async ({ changes }) => {
      await using own = Own();
      const names = (await own.scalars(select(User))).all().map(({ name }) => name);
      own.add(new User({ name: `mail about ${changes.length}, of ${names.join()}` }));
      await own.commit();
    });
    await SessionLocal.begin((session) => session.addAll([new User({ name: "ann" }), new User({ name: "bob" })]));
    expect(await rows("select name from users order by id")).toEqual([["ann"], ["bob"], ["mail about 2, of ann,bob"]]);
  });

  test("changes tell what all flushes of the transaction did", async () => {
    const { SessionLocal } = await open();
    await SessionLocal.begin((session) =>
      session.addAll([new User({ name: "ann" }), new User({ name: "bob", note: "old" })]),
    );
    const seen: unknown[] = [];
    listen(SessionLocal, "afterCommit", ({ changes }) => seen.push(...told(changes)));
    await using session = SessionLocal();
    const ann = (await session.get(User, 1)) as User;
    const bob = (await session.get(User, 2)) as User;
    ann.note = "new";
    await session.flush();
    session.add(new User({ name: "carol" }));
    await session.flush();
    await session.delete(bob);
    await session.commit();
    expect(seen).toEqual([
      ["update", 1, { note: { old: null, new: "new" } }],
      [
        "insert",
        3,
        {
          id: { old: undefined, new: 3 },
          name: { old: undefined, new: "carol" },
          note: { old: undefined, new: null },
          balance: { old: undefined, new: null },
        },
      ],
      [
        "delete",
        2,
        {
          id: { old: 2, new: undefined },
          name: { old: "bob", new: undefined },
          note: { old: "old", new: undefined },
          balance: { old: null, new: undefined },
        },
      ],
    ]);
    seen.length = 0;
    await session.commit();
    expect(seen).toEqual([]);
  });

  test("several flushes of one instance are told as one change", async () => {
    const { SessionLocal } = await open();
    await SessionLocal.begin((session) =>
      session.addAll(["ann", "bob", "carol"].map((name) => new User({ name, note: "old", balance: "1.50" }))),
    );
    const seen: unknown[] = [];
    listen(SessionLocal, "afterCommit", ({ changes }) => seen.push(...told(changes)));
    await using session = SessionLocal();
    const [ann, bob, carol] = (await session.scalars(select(User).orderBy((user) => user.id))).all() as [
      User,
      User,
      User,
    ];
    const [dave, eve] = [new User({ name: "dave" }), new User({ name: "eve" })];
    session.addAll([dave, eve]);
    ann.note = "first";
    bob.note = "changed";
    carol.note = "for a while";
    carol.balance = "2.00";
    await session.flush();
    ann.note = "last";
    ann.name = "anna";
    dave.name = "david";
    carol.note = "old";
    carol.balance = "1.5";
    await session.delete(bob);
    await session.delete(eve);
    await session.commit();
    expect(seen).toMatchObject([
      ["insert", 4, { name: { old: undefined, new: "david" } }],
      ["update", 1, { note: { old: "old", new: "last" }, name: { old: "ann", new: "anna" } }],
      ["delete", 2, { note: { old: "old", new: undefined } }],
    ]);
    expect(seen.length).toBe(3);
  });

  test("a value that was never loaded is told as such", async () => {
    const { SessionLocal } = await open();
    await SessionLocal.begin((session) => session.add(new User({ name: "ann" })));
    const seen: unknown[] = [];
    listen(SessionLocal, "afterCommit", ({ changes }) => seen.push(...told(changes)));
    await using session = SessionLocal();
    const ann = (await session.get(User, 1)) as User;
    session.expire(ann);
    ann.name = "anna";
    ann.note = null;
    await session.commit();
    expect(seen).toEqual([["update", 1, { name: { old: NO_VALUE, new: "anna" }, note: { old: NO_VALUE, new: null } }]]);
  });

  test("changes leave out what a rolled back savepoint undid, and keep what a released one did", async () => {
    const { SessionLocal } = await open();
    const seen: unknown[] = [];
    listen(SessionLocal, "afterCommit", ({ changes }) =>
      seen.push(...changes.map(({ target }) => (target as User).name)),
    );
    await using session = SessionLocal();
    session.add(new User({ name: "before" }));
    const outer = await session.beginNested();
    session.add(new User({ name: "released" }));
    const inner = await session.beginNested();
    session.add(new User({ name: "rolled back" }));
    await session.flush();
    await inner.rollback();
    await outer.commit();
    await session.commit();
    expect(seen).toEqual(["before", "released"]);
  });

  test("nothing is told of a transaction that was rolled back", async () => {
    const { SessionLocal } = await open();
    const seen: unknown[] = [];
    listen(SessionLocal, "afterCommit", ({ changes }) => seen.push(changes));
    await using session = SessionLocal();
    session.add(new User({ name: "ann" }));
    await session.flush();
    await session.rollback();
    await session.commit();
    expect(seen).toEqual([[]]);
  });

  test("nothing is recorded while nobody listens", async () => {
    const engine = db.engine();
    await createAll(engine, { metadata });
    const Quiet = sessionmaker(engine);
    await using session = Quiet();
    session.add(new User({ name: "ann" }));
    await session.flush();
    expect(session.currentTransaction?.snapshot.changes).toEqual([]);
    const seen: unknown[] = [];
    listen(session, "afterCommit", ({ changes }) => seen.push(told(changes)));
    await session.commit();
    expect(seen).toEqual([[]]);
  });

  test("listeners that throw hinder neither the others nor the session, and the error says what happened", async () => {
    const { SessionLocal, rows } = await open();
    const heard: string[] = [];
    const [first, second] = [new TypeError("no mail server"), new RangeError("no queue")];
    listen(SessionLocal, "afterCommit", () => {
      throw first;
    });
    listen(SessionLocal, "afterCommit", () => heard.push("in between"));
    listen(SessionLocal, "afterCommit", async () => {
      await Promise.resolve();
      throw second;
    });
    listen(SessionLocal, "afterCommit", () => heard.push("last"));
    await using session = SessionLocal();
    session.add(new User({ name: "ann" }));
    const error = await session.commit().catch((thrown: unknown) => thrown as AfterCommitError);
    expect(error).toBeInstanceOf(AfterCommitError);
    expect(error).toMatchObject({
      code: "ATHANOR_AFTER_COMMIT",
      errors: [first, second],
      result: undefined,
      cause: first,
      isRetryable: false,
    });
    expect(String(error)).toContain("The transaction is committed");
    expect(heard).toEqual(["in between", "last"]);
    expect([session.isActive, session.inTransaction()]).toEqual([true, false]);
    expect(await rows("select name from users")).toEqual([["ann"]]);
    expect((await session.get(User, 1))?.name).toBe("ann");
  });

  test("begin(work) hands out the result of the work even then", async () => {
    const { SessionLocal } = await open();
    listen(SessionLocal, "afterCommit", () => {
      throw new TypeError("no mail server");
    });
    const work = SessionLocal.begin(async (session) => {
      const ann = new User({ name: "ann" });
      session.add(ann);
      await session.flush();
      return ann.id;
    });
    await expect(work).rejects.toMatchObject({ name: "AfterCommitError", result: 1 });
  });

  for (const event of ["expire", "deletedToDetached", "afterTransactionEnd", "checkin"] as const) {
    test(`a listener of ${event} cannot make a commit look failed either`, async () => {
      const { SessionLocal, engine, rows } = await open({ expireOnCommit: true });
      await using session = SessionLocal();
      const [ann, bob, carol] = ["ann", "bob", "carol"].map((name) => new User({ name })) as [User, User, User];
      session.addAll([ann, bob, carol]);
      await session.commit();
      await session.delete(bob);
      await session.delete(carol);
      await session.flush();
      const refuse = (): never => {
        throw new TypeError(`refused by ${event}`);
      };
      using _ =
        event === "expire"
          ? listen(User, event, refuse)
          : event === "checkin"
            ? listen(engine, event, refuse)
            : listen(SessionLocal, event, refuse);
      await expect(session.commit()).rejects.toThrow(AfterCommitError);
      _.remove();
      expect([session.isActive, session.inTransaction()]).toEqual([true, false]);
      if (db.name !== "sqlite" || event !== "checkin") expect(await rows("select name from users")).toEqual([["ann"]]);
      expect(session.identityMap.size).toBe(1);
    });
  }

  test("what a listener adds to its own session waits for the next commit", async () => {
    const { SessionLocal, rows } = await open();
    await using session = SessionLocal();
    listen(session, "afterCommit", () => session.add(new User({ name: "later" })), { once: true });
    session.add(new User({ name: "ann" }));
    await session.commit();
    expect([session.new.size, session.inTransaction()]).toEqual([1, true]);
    expect(await rows("select name from users")).toEqual([["ann"]]);
    await session.commit();
    expect(await rows("select name from users order by id")).toEqual([["ann"], ["later"]]);
  });

  test("another session's AfterCommitError is an ordinary error to the work around it", async () => {
    const { SessionLocal, rows } = await open();
    const Mailing = sessionmaker(SessionLocal.engine);
    listen(Mailing, "afterCommit", () => {
      throw new Error("mail server is down");
    });
    const afterMail = async (): Promise<unknown> => {
      await using session = Mailing();
      return await session.commit().catch((error: unknown) => error);
    };
    const mailError = await afterMail();
    const heard: string[] = [];
    listen(SessionLocal, "afterRollback", () => heard.push("afterRollback"));

    const fromWork = SessionLocal.begin(async (session) => {
      session.add(new User({ name: "ann" }));
      await session.flush();
      throw mailError;
    });
    await expect(fromWork).rejects.toBe(mailError);
    expect(mailError).toMatchObject({ result: undefined });
    expect(heard).toEqual(["afterRollback"]);

    listen(
      SessionLocal,
      "beforeCommit",
      () => {
        throw mailError;
      },
      { once: true },
    );
    const fromListener = SessionLocal.begin((session) => session.add(new User({ name: "bob" })));
    await expect(fromListener).rejects.toBe(mailError);
    expect(await rows("select name from users")).toEqual([]);
  });

  test("work that commits by itself is told what it committed, and the rest is rolled back", async () => {
    const { SessionLocal, rows } = await open();
    listen(SessionLocal, "afterCommit", () => {
      throw new Error("mail server is down");
    });
    const thrown: unknown[] = [];
    const working = SessionLocal.begin(async (session) => {
      session.add(new User({ name: "ann" }));
      try {
        await session.commit();
      } catch (error) {
        thrown.push(error, (error as AfterCommitError).session === session);
        session.add(new User({ name: "bob" }));
        await session.flush();
        throw error;
      }
    });
    await expect(working).rejects.toBeInstanceOf(AfterCommitError);
    await expect(working).rejects.toBe(thrown[0]);
    expect(thrown[1]).toBe(true);
    expect(await rows("select name from users")).toEqual([["ann"]]);
  });

  test("an instance that is deleted, made transient and inserted again in one transaction is told as both, without an old value of the new row", async () => {
    const { SessionLocal } = await open();
    await SessionLocal.begin((session) => session.add(new User({ name: "ann" })));
    const seen: unknown[] = [];
    listen(SessionLocal, "afterCommit", ({ changes }) =>
      seen.push(...changes.map(({ operation, values }) => [operation, values["name"]])),
    );
    await SessionLocal.begin(async (session) => {
      const ann = (await session.get(User, 1)) as User;
      await session.delete(ann);
      await session.flush();
      makeTransient(ann);
      ann.name = "anna";
      session.add(ann);
    });
    expect(seen).toEqual([
      ["delete", { old: "ann", new: undefined }],
      ["insert", { old: undefined, new: "anna" }],
    ]);
  });
});
