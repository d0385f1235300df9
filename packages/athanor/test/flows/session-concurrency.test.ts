import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  createAll,
  IntegrityError,
  integer,
  listen,
  Metadata,
  model,
  PoolExhaustedError,
  select,
  type Session,
  sessionmaker,
  sql,
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

class Note extends model("notes", { id: integer().primaryKey(), text: text() }, { metadata }) {}

/** What a session can be asked to do, each with a trace that it leaves in the order in which it is done. */
interface Work {
  readonly session: Session;
  readonly kept: User;
  readonly doomed: User;
  readonly fresh: User;
  readonly pending: User;
}

const operations: Readonly<Record<string, (work: Work) => unknown>> = {
  get: ({ session }) => session.get(User, 3),
  scalars: ({ session }) => session.scalars(select(User)),
  execute: ({ session }) => session.execute(sql`select 1`),
  flush: ({ session }) => session.flush(),
  commit: ({ session }) => session.commit(),
  rollback: ({ session }) => session.rollback(),
  refresh: ({ session, kept }) => session.refresh(kept),
  merge: ({ session }) => session.merge(new User({ id: 3, name: "other", note: "merged" })),
  delete: ({ session, doomed }) => session.delete(doomed),
  beginNested: ({ session }) => session.beginNested(),
  close: ({ session }) => session.close(),
  add: ({ session, fresh }) => session.add(fresh),
  "add of its own": ({ session, pending }) => session.add(pending),
  expire: ({ session, kept }) => session.expire(kept),
  "expire of one attribute": ({ session, kept }) => session.expire(kept, ["note"]),
  expireAll: ({ session }) => session.expireAll(),
  expunge: ({ session, kept }) => session.expunge(kept),
  "expunge of a new one": ({ session, pending }) => session.expunge(pending),
  expungeAll: ({ session }) => session.expungeAll(),
};

/** What a session and its database look like when everything that was called is through. */
async function outcome(
  { session, kept, doomed, fresh, pending }: Work,
  rows: (query: string) => Promise<unknown[][]>,
): Promise<unknown> {
  const place = (user: User): string =>
    session.new.has(user) ? "new" : session.deleted.has(user) ? "marked" : session.has(user) ? "here" : "gone";
  const before = [place(kept), place(doomed), place(fresh), place(pending), session.inTransaction()];
  await session.commit();
  await session.close();
  return [before, await rows("select name, note from users order by name")];
}

forEachDatabase((db) => {
  const open = (options = {}): ReturnType<typeof openSessions> => openSessions(db, metadata, [User], options);

  describe("of two calls, the first of which nobody awaits,", () => {
    const rejections: unknown[] = [];
    const note = (reason: unknown): unknown => rejections.push(reason);
    beforeEach(() => void process.on("unhandledRejection", note));
    afterEach(() => void process.off("unhandledRejection", note));

    for (const first of Object.keys(operations)) {
      test(`${first} and any other do what they do one after the other`, { timeout: 60_000 }, async () => {
        const { SessionLocal, engine, rows } = await open();
        // However far the first one has come when the second is called.
        const tryBoth = async (second: string, ticks: number): Promise<unknown> => {
          await engine.begin((connection) => connection.run("delete from users"));
          await SessionLocal.begin((session) =>
            session.addAll(["kept", "doomed", "other"].map((name, index) => new User({ id: index + 1, name }))),
          );
          let hasWaitedInVain = false;
          const session = SessionLocal({
            onWarning: ({ message }) => (hasWaitedInVain ||= message.includes("It waited for them, and then failed")),
          });
          const kept = (await session.get(User, 1)) as User;
          const doomed = (await session.get(User, 2)) as User;
          kept.note = "changed";
          const pending = new User({ id: 5, name: "pending" });
          session.add(pending);
          const work: Work = { session, kept, doomed, fresh: new User({ id: 4, name: "fresh" }), pending };
          const call = (name: string): Promise<unknown> =>
            (async () => operations[name]?.(work))().then(
              () => "done",
              (error: Error) => error.name,
            );
          const start = call(first);
          if (ticks === Infinity) await start;
          else for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
          const end = call(second);
          // What is refused when its turn has come is told as a warning: its call is long over.
          const called = [await start, await end];
          const found = await outcome(work, rows);
          if (hasWaitedInVain) called[1] = "InvalidRequestError";
          return [called, found];
        };
        for (const second of Object.keys(operations)) {
          const inTurn = await tryBoth(second, Infinity);
          for (const ticks of [0, 4, 16])
            expect([second, ticks, await tryBoth(second, ticks)]).toEqual([second, ticks, inTurn]);
        }
        expect(rejections).toEqual([]);
      });
    }
  });

  test("what was added while an operation ran is none of its business, and is not lost", async () => {
    const { SessionLocal, rows } = await open();
    await using session = SessionLocal();
    const [ann, bob, carol] = ["ann", "bob", "carol"].map((name) => new User({ name })) as [User, User, User];
    session.add(ann);
    const committing = session.commit();
    session.add(bob);
    const rollingBack = session.rollback();
    session.add(carol);
    await Promise.all([committing, rollingBack]);
    expect([session.new, session.inTransaction()]).toEqual([new Set([carol]), true]);
    expect(await rows("select name from users")).toEqual([["ann"]]);
    await session.commit();
    expect(await rows("select name from users order by id")).toEqual([["ann"], ["carol"]]);
  });

  test("a failed operation does not stop the ones behind it", async () => {
    const { SessionLocal, rows } = await open();
    await SessionLocal.begin((session) => session.add(new User({ name: "ann" })));
    await using session = SessionLocal();
    session.add(new User({ name: "ann" }));
    const results = await Promise.allSettled([session.flush(), session.rollback(), session.get(User, 1)]);
    expect(results).toMatchObject([
      { status: "rejected", reason: expect.any(IntegrityError) as unknown },
      { status: "fulfilled" },
      { status: "fulfilled", value: { name: "ann" } },
    ]);
    await session.close();
    expect(await rows("select name from users")).toEqual([["ann"]]);
  });

  test("a listener's own calls are part of the operation, however deep, and several at once take turns", async () => {
    const { SessionLocal, rows } = await open();
    await SessionLocal.begin((session) => session.addAll([new User({ name: "ann" }), new User({ name: "bob" })]));
    await using session = SessionLocal();
    const heard: unknown[] = [];
    using _listening = listen(User, "beforeInsert", async ({ target }) => {
      heard.push(await Promise.all([session.get(User, 1), session.scalar(select(User)), session.get(User, 2)]));
      target.note = "checked";
    });
    let depth = 0;
    listen(session, "doOrmExecute", async () => {
      if (depth++ < 3) heard.push(await session.get(User, 90 + depth));
    });
    session.add(new User({ name: "carol" }));
    await session.scalars(select(User));
    await session.commit();
    expect(heard).toHaveLength(4);
    expect(await rows("select name, note from users order by id")).toEqual([
      ["ann", null],
      ["bob", null],
      ["carol", "checked"],
    ]);
  });

  test("get() may flush first, and the listeners of that flush may use the session", async () => {
    const engine = db.engine();
    await createAll(engine, { metadata });
    const Quiet = sessionmaker(engine);
    await using session = Quiet();
    using _listening = listen(
      Note,
      "beforeInsert",
      async () => {
        expect(await session.get(User, 99)).toBeNull();
      },
      { once: true },
    );
    session.add(new Note({ text: "hello" }));
    expect(await session.get(User, 1)).toBeNull();
    expect(session.new.size).toBe(0);
  });

  test("what a listener does not await is finished before the operation ends", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    listen(session, "beforeCommit", () => {
      void session.execute(sql`select 1`).then(async () => {
        await session.execute(sql`select 2`);
        log.write("through");
      });
    });
    session.add(new User({ name: "ann" }));
    await session.commit();
    log.write("committed");
    const story = log.take();
    expect(story.filter((line) => /^(SELECT|COMMIT|through|committed)/.test(line))).toEqual([
      "SELECT 1",
      "SELECT 2",
      "through",
      "COMMIT",
      "committed",
    ]);
  });

  test("however late a forgotten call goes on, it never runs beside the next operation", async () => {
    const { SessionLocal } = await open();
    await using session = SessionLocal();
    let running = 0;
    const overlaps: number[] = [];
    listen(session, "doOrmExecute", async () => {
      overlaps.push(++running);
      await sleep(1);
      running--;
    });
    for (let delay = 0; delay < 12; delay++) {
      const chain = Promise.withResolvers<void>();
      listen(
        session,
        "beforeCommit",
        () => {
          const goOn = async (): Promise<void> => {
            await session.execute(sql`select 1`);
            for (let index = 0; index < delay; index++) await Promise.resolve();
            // Between COMMIT and the end of commit() it is refused, as any statement is.
            await session.execute(sql`select 2`).catch(() => undefined);
            chain.resolve();
          };
          void goOn();
        },
        { once: true },
      );
      await Promise.all([session.commit(), session.execute(sql`select 3`), session.rollback()]);
      await chain.promise;
      await session.rollback();
    }
    expect(new Set(overlaps)).toEqual(new Set([1]));
  });

  test("a call that a listener's timer makes when the operation is over queues like any other", async () => {
    const { SessionLocal } = await open();
    await using session = SessionLocal();
    const order: string[] = [];
    const late = Promise.withResolvers<void>();
    listen(
      session,
      "afterFlush",
      () => {
        setTimeout(() => {
          const slow = session.get(User, 1).then(() => order.push("timer"));
          void slow.then(() => late.resolve());
        }, 30);
      },
      { once: true },
    );
    listen(session, "doOrmExecute", async () => {
      await sleep(5);
    });
    session.add(new User({ name: "ann" }));
    await session.flush();
    await sleep(25);
    const busy = session.execute(sql`select 1`).then(() => order.push("program"));
    await Promise.all([busy, late.promise]);
    expect(new Set(order)).toEqual(new Set(["program", "timer"]));
    await session.commit();
  });

  test("a listener that needs a second connection, where its own session holds the only one, gets an error at once", async () => {
    const { SessionLocal, engine, rows } = await open({ poolSize: 1 });
    const Own = sessionmaker(engine);
    const errors: unknown[] = [];
    using _listening = listen(User, "afterInsert", async () => {
      await using own = Own();
      await own.get(User, 1).catch((error: unknown) => errors.push(error));
    });
    const started = Date.now();
    await SessionLocal.begin((session) => session.add(new User({ name: "ann" })));
    expect(errors).toEqual([expect.any(PoolExhaustedError)]);
    expect(Date.now() - started).toBeLessThan(5_000);
    expect(await rows("select name from users")).toEqual([["ann"]]);
  });

  test("independent tasks with a session each wait for the only connection, one after the other", async () => {
    const { SessionLocal, rows } = await open({ poolSize: 1 });
    const names = ["ann", "bob", "carol", "dave"];
    await Promise.all(
      names.map((name) =>
        SessionLocal.begin(async (session) => {
          session.add(new User({ name }));
          await session.flush();
          await sleep(2);
          await session.get(User, 1);
        }),
      ),
    );
    expect((await rows("select name from users order by name")).flat()).toEqual(names);
  });

  test("a session that is shared by many tasks keeps one instance for each row", async () => {
    const { SessionLocal } = await open();
    await SessionLocal.begin((session) => session.addAll([new User({ name: "ann" }), new User({ name: "bob" })]));
    await using session = SessionLocal();
    const found = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        index % 2 === 0 ? session.get(User, 1) : session.scalar(select(User).where({ name: "ann" })),
      ),
    );
    expect(new Set(found).size).toBe(1);
    expect(session.identityMap.size).toBe(1);
  });
});
