import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import {
  ConcurrentOperationError,
  delAttribute,
  flagModified,
  inspect,
  integer,
  listen,
  makeTransient,
  many,
  Metadata,
  model,
  one,
  select,
  type Session,
  text,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { type OpenSessions, openSessions } from "./open-sessions.ts";

const metadata = new Metadata();

class User extends model(
  "users",
  {
    id: integer().primaryKey(),
    name: text(),
    note: text().nullable(),
    get posts() {
      return many(Post, { backPopulates: "author" });
    },
  },
  { metadata },
) {}

class Post extends model(
  "posts",
  {
    id: integer().primaryKey(),
    authorId: integer().references("users.id").nullable(),
    get author() {
      return one(User, { backPopulates: "posts" });
    },
  },
  { metadata },
) {}

/** What drops values that are in memory, from its call on. */
const dropping: Readonly<Record<string, (session: Session, user: User) => unknown>> = {
  rollback: (session) => session.rollback(),
  "rollback behind others": (session) => Promise.all([session.get(User, 9), session.rollback(), session.get(User, 9)]),
  refresh: (session, user) => session.refresh(user),
  "refresh of one attribute": (session, user) => session.refresh(user, ["name"]),
  "expire behind others": (session, user) => {
    const getting = session.get(User, 9);
    session.expire(user);
    return getting.then(() => session.get(User, 9));
  },
  "expireAll behind others": (session) => {
    const getting = session.get(User, 9);
    session.expireAll();
    return getting.then(() => session.get(User, 9));
  },
  populateExisting: (session) => session.scalars(select(User).executionOptions({ populateExisting: true })),
  "get with populateExisting": (session) =>
    session.get(User, 1, { executionOptions: { populateExisting: true, autoflush: false } }),
  "merge without loading": (session) => session.merge(new User({ id: 1, name: "merged" })),
};

forEachDatabase((db) => {
  const open = (options = {}): ReturnType<typeof openSessions> => openSessions(db, metadata, [User, Post], options);

  /** A session with one user and one post, and whatever its listeners do takes a while. */
  const beBusy = async (opened: OpenSessions) => {
    await opened.engine.begin(async (connection) => {
      await connection.run("delete from posts");
      await connection.run("delete from users");
    });
    await opened.SessionLocal.begin((session) => {
      session.add(new User({ id: 1, name: "ann", note: "old" }));
      session.add(new Post({ id: 1 }));
    });
    const session = opened.SessionLocal();
    const user = (await session.get(User, 1)) as User;
    const post = (await session.get(Post, 1)) as Post;
    const slowly = (): Promise<void> => sleep(4);
    for (const event of ["afterRollback", "doOrmExecute", "afterCommit", "beforeFlush"] as const)
      listen(session, event, slowly);
    return { ...opened, session, user, post };
  };
  const openBusy = async (options = {}) => beBusy(await open(options));

  for (const [name, drop] of Object.entries(dropping)) {
    test(`what another task assigns while ${name} is under way stays, and is saved`, { timeout: 60_000 }, async () => {
      const changes: Readonly<Record<string, (user: User) => unknown>> = {
        assigned: (user) => (user.name = "after"),
        "assigned again": (user) => (user.note = "after"),
        "assigned what it was": (user) => (user.name = "before"),
        deleted: (user) => delAttribute(user, "note"),
      };
      const opened = await open();
      for (const [change, apply] of Object.entries(changes)) {
        const outcomeAfter = async (wait: number): Promise<unknown> => {
          const { session, user, rows } = await beBusy(opened);
          user.name = "before";
          if (name.startsWith("rollback") || name.startsWith("expire")) await session.flush();
          user.note = "before";
          const ending = Promise.resolve(drop(session, user));
          if (wait === Infinity) await ending;
          else if (wait > 0) await sleep(wait);
          let refused: unknown;
          try {
            apply(user);
          } catch (error) {
            // What is expired already cannot be deleted.
            refused = (error as Error).name;
          }
          await ending;
          await session.commit();
          await session.close();
          const outcome = refused ?? (await rows("select name, note from users"));
          return outcome;
        };
        const inTurn = await outcomeAfter(Infinity);
        for (const wait of [0, 1, 6]) {
          const outcome = await outcomeAfter(wait);
          if (typeof outcome === "string" || typeof inTurn === "string") expect(change).toBe("deleted");
          else expect([change, wait, outcome]).toEqual([change, wait, inTurn]);
        }
      }
    });
  }

  test("what expireOnCommit finds assigned after commit() was called is saved by the next one", async () => {
    const { session, user, rows } = await openBusy({ expireOnCommit: true });
    user.name = "first";
    const committing = session.commit();
    // The COMMIT is through, and afterCommit runs.
    while (session.isActive) await sleep(1);
    user.note = "second";
    await committing;
    expect([user.note, session.dirty.has(user)]).toEqual(["second", true]);
    expect(() => user.name).toThrow("commit()");
    await session.commit();
    await session.close();
    expect(await rows("select name, note from users")).toEqual([["first", "second"]]);
  });

  test("what is flagged as modified after rollback() was called stays, and is saved", async () => {
    const { session, user, rows } = await openBusy();
    user.note = "before";
    await session.flush();
    const rollingBack = session.rollback();
    flagModified(user, "note");
    await rollingBack;
    await session.commit();
    await session.close();
    expect(await rows("select name, note from users")).toEqual([["ann", "before"]]);
  });

  test("a second rollback takes back what was assigned after the first was called", async () => {
    const { session, user, rows } = await openBusy();
    user.name = "before";
    const first = session.rollback();
    user.name = "between";
    const second = session.rollback();
    user.note = "after";
    await Promise.all([first, second]);
    await session.commit();
    await session.close();
    expect(await rows("select name, note from users")).toEqual([["ann", "after"]]);
  });

  test("a rolled back savepoint leaves what was assigned after its rollback was called", async () => {
    const warnings: string[] = [];
    const { session, user, rows } = await openBusy({
      onWarning: ({ message }: { message: string }) => warnings.push(message),
    });
    const savepoint = await session.beginNested();
    user.name = "inside";
    await session.flush();
    const rollingBack = savepoint.rollback();
    user.name = "inside";
    await rollingBack;
    await session.commit();
    await session.close();
    expect(await rows("select name, note from users")).toEqual([["inside", "old"]]);
    expect(warnings).toEqual([]);
  });

  test("what listeners of a rollback assign is taken back with it", async () => {
    const { session, user, rows } = await openBusy();
    user.name = "before";
    listen(session, "afterRollback", () => void (user.name = "listener"));
    const rollingBack = session.rollback();
    user.note = "task";
    await rollingBack;
    await session.commit();
    await session.close();
    expect(await rows("select name, note from users")).toEqual([["ann", "task"]]);
  });

  test("relationships are not to be changed while something drops their changes, and nothing has changed then", async () => {
    const { session, user, post } = await openBusy();
    await session.refresh(user, ["posts"]);
    await session.refresh(post, ["author"]);
    const collection = user.posts;
    const changes: (() => unknown)[] = [() => (post.author = user), () => collection.push(post)];
    const savepoint = await session.beginNested();
    for (const drop of [() => savepoint.rollback(), () => session.rollback()]) {
      const ending = drop();
      for (const change of changes) expect(change).toThrow(ConcurrentOperationError);
      expect([post.author, collection.length]).toEqual([null, 0]);
      await ending;
    }
    await session.refresh(user, ["posts"]);
    await session.refresh(post, ["author"]);
    const author = session.refresh(user);
    expect(() => (post.author = user)).toThrow(ConcurrentOperationError);
    await author;
    const refreshing = session.refresh(post);
    const other = new User({ id: 2, name: "bob" });
    session.add(other);
    other.posts.push(new Post({ id: 2 }));
    expect(() => (post.author = other)).toThrow("Await session.refresh() first");
    await refreshing;
    post.author = other;
    await session.commit();
    expect(post.authorId).toBe(2);
    await session.close();
  });

  test("makeTransient is refused while operations run that may concern the instance, but not to their listeners", async () => {
    const { session, user, rows } = await openBusy();
    user.name = "changed";
    const committing = session.commit();
    expect(() => makeTransient(user)).toThrow(ConcurrentOperationError);
    await committing;
    listen(session, "afterCommit", () => makeTransient(user), { once: true });
    await session.commit();
    expect(inspect(user).lifecycle).toBe("transient");
    await session.close();
    expect(await rows("select name from users")).toEqual([["changed"]]);
  });

  test("an instance that a listener takes out while its row is written leaves no trace in the session", async () => {
    const { session, user, post } = await openBusy();
    const fresh = new User({ id: 2, name: "bob" });
    listen(User, "afterInsert", () => session.expunge(fresh), { once: true });
    listen(User, "afterUpdate", () => session.expunge(user), { once: true });
    listen(Post, "afterDelete", () => session.expunge(post), { once: true });
    session.add(fresh);
    user.name = "changed";
    await session.delete(post);
    await session.flush();
    expect([...session]).toEqual([]);
    expect([fresh, user, post].map((instance) => session.has(instance))).toEqual([false, false, false]);
    await session.commit();
    expect((await session.get(User, 2))?.name).toBe("bob");
    await session.close();
  });

  test("a part that loses its whole while its row is written is deleted by the next flush, or never written", async () => {
    const { session, user, rows } = await openBusy();
    await session.refresh(user, ["posts"]);
    const post = new Post({ id: 7 });
    user.posts.push(post);
    const flushing = session.flush();
    await sleep(1);
    user.posts.pop();
    await flushing;
    await session.commit();
    await session.close();
    expect(await rows("select id, author_id from posts order by id")).toEqual([
      [1, null],
      [7, null],
    ]);
  });
});
