import { describe, expect, test } from "vitest";
import { func, insert, inspect, listen, select, type Session, update, withLoaderCriteria } from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { metadata, User } from "./bulk-models.ts";
import { openSessions } from "./open-sessions.ts";

/** The names of attributes whose values are in memory. */
function isLoaded(user: User, name: string): boolean {
  return !inspect(user).unloaded.has(name);
}

forEachDatabase((db) => {
  /** Two users in the database and in a session that flushes only when it is told to. */
  async function open(): Promise<{ readonly session: Session; readonly ann: User; readonly bob: User }> {
    const { SessionLocal } = await openSessions(db, metadata, [], { autoflush: false });
    await SessionLocal.begin((session) =>
      session.execute(insert(User), [
        { email: "a@x", name: "ann" },
        { email: "b@x", name: "bob", tenant: "them" },
      ]),
    );
    const session = SessionLocal();
    const [ann, bob] = (await session.scalars(select(User).orderBy((user) => user.id))).all() as [User, User];
    return { session, ann, bob };
  }

  describe("instances of rows that an upsert updates", () => {
    test("keep their other changes where it returns them", async () => {
      const { session, ann } = await open();
      ann.tenant = "mine";
      ann.name = "mine";
      const upsert = insert(User).onConflict("email").doUpdate({ name: "v" }).returning();
      const [found] = await session.scalars(upsert, [{ email: "a@x" }]);
      expect(found).toBe(ann);
      expect([ann.name, ann.tenant, ann.changes, session.isModified(ann)]).toEqual(["v", "mine", 7, true]);
      await session.commit();
      const stored = select(User)
        .where({ id: 1 })
        .columns((user) => [user.name, user.tenant]);
      expect((await session.execute(stored)).all()).toEqual([["v", "mine"]]);
      await session.close();
    });

    test("are overwritten as a whole with populateExisting, and left alone without synchronizeSession", async () => {
      const { session, ann } = await open();
      ann.tenant = "mine";
      const upsert = insert(User).onConflict("email").doUpdate({ name: "v" }).returning();
      await session.scalars(upsert.executionOptions({ synchronizeSession: false }), [{ email: "a@x" }]);
      expect([ann.name, ann.tenant]).toEqual(["ann", "mine"]);
      await session.scalars(upsert.executionOptions({ populateExisting: true }), [{ email: "a@x" }]);
      expect([ann.name, ann.tenant]).toEqual(["v", "us"]);
      await session.close();
    });

    test("follow where it returns nothing, or columns", async () => {
      const { session, ann, bob } = await open();
      const upsert = insert(User).onConflict("email").doUpdate({ name: "v" });
      await session.execute(upsert, [{ email: "a@x" }, { email: "n@x" }]);
      expect([ann.name, ann.changes, bob.name, session.isModified(ann)]).toEqual(["v", 7, "bob", false]);
      ann.name = "ann";
      await session.flush();
      await session.execute(
        upsert.returning((user) => [user.id]),
        [{ email: "b@x" }],
      );
      expect([ann.name, bob.name]).toEqual(["ann", "v"]);
      const names = select(User)
        .where((user) => user.id.lt(3))
        .orderBy((user) => user.id)
        .columns((user) => [user.name]);
      expect((await session.scalars(names)).all()).toEqual(["ann", "v"]);
      await session.close();
    });

    test("drop what only the database knows, and keep what else was changed", async () => {
      const { session, ann, bob } = await open();
      ann.tenant = "mine";
      bob.visits = 30;
      const upsert = insert(User)
        .onConflict("email")
        .doUpdate((excluded, user) => ({ visits: user.visits.plus(excluded.visits) }));
      await session.execute(upsert, [{ email: "a@x", visits: 4 }]);
      expect([isLoaded(ann, "visits"), ann.tenant, bob.visits]).toEqual([false, "mine", 30]);
      await session.refresh(ann, ["visits"]);
      expect(ann.visits).toBe(5);
      await session.close();
    });

    test("which may be any, are expired where they have no changes of their own", async () => {
      const { session, ann, bob } = await open();
      bob.name = "mine";
      const upsert = insert(User).onConflict("email").doUpdate({ name: "v" });
      await session.execute(upsert.values({ email: func<string>("lower", "A@X") }));
      expect([isLoaded(ann, "name"), isLoaded(ann, "tenant"), bob.name]).toEqual([false, true, "mine"]);
      await session.refresh(ann);
      expect(ann.name).toBe("v");
      await session.close();
    });

    test("stay as they are where it leaves the row as it is", async () => {
      const { session, ann, bob } = await open();
      const ours = withLoaderCriteria(User, (user) => user.tenant.eq("us"));
      const upsert = insert(User)
        .onConflict("email")
        .doUpdate({ name: "v" }, { where: (_, user) => user.visits.lt(5) })
        .options(ours);
      await session.execute(upsert, [{ email: "a@x" }, { email: "b@x" }]);
      expect([ann.name, bob.name]).toEqual(["v", "bob"]);
      const silent = upsert.executionOptions({ synchronizeSession: false });
      ann.name = "mine";
      await session.execute(silent, [{ email: "a@x" }]);
      expect(ann.name).toBe("mine");
      await session.execute(insert(User).onConflict("email").doNothing(), [{ email: "a@x", name: "x" }]);
      expect(ann.name).toBe("mine");
      await session.close();
    });

    test("are what they were after a rollback", async () => {
      const { session, ann } = await open();
      await session.execute(insert(User).onConflict("email").doUpdate({ name: "v" }), [{ email: "a@x" }]);
      await session.rollback();
      await session.refresh(ann);
      expect(ann.name).toBe("ann");
      await session.close();
    });
  });

  test("An instance that the session has is refreshed once by a statement that returns it", async () => {
    const { session, ann } = await open();
    let count = 0;
    using _listener = listen(User, "refresh", () => void count++);
    const byMemory = update(User).where({ id: 1 }).returning();
    await session.scalars(byMemory.values({ name: "x" }));
    expect([ann.name, count]).toEqual(["x", 1]);
    await session.scalars(byMemory.values({ name: "y" }).executionOptions({ synchronizeSession: "fetch" }));
    expect([ann.name, count]).toEqual(["y", 2]);
    const upsert = insert(User).onConflict("email").doUpdate({ name: "z" }).returning();
    await session.scalars(upsert, [{ email: "a@x" }]);
    expect([ann.name, count]).toEqual(["z", 3]);
    await session.close();
  });
});
