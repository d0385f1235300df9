import { describe, expect, test } from "vitest";
import {
  func,
  insert,
  InvalidRequestError,
  listen,
  type ORMExecuteState,
  select,
  type Session,
  StaleDataError,
  update,
  withLoaderCriteria,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { Document, Manager, metadata, Person, User } from "./bulk-models.ts";
import { type OpenSessions, openSessions } from "./open-sessions.ts";

forEachDatabase((db) => {
  async function openWithRows(): Promise<
    OpenSessions & { readonly session: Session; readonly users: readonly User[] }
  > {
    const opened = await openSessions(db, metadata, [User, Manager, Person, Document]);
    await opened.SessionLocal.begin(async (session) => {
      await session.execute(insert(User), [{ email: "a@x" }, { email: "b@x", tenant: "them" }, { email: "c@x" }]);
      await session.execute(insert(Manager), [
        { name: "max", level: 1 },
        { name: "mia", level: 2 },
      ]);
      await session.execute(insert(Document), [{ title: "one" }, { title: "two" }]);
    });
    const session = opened.SessionLocal();
    const users = (await session.scalars(select(User).orderBy(({ id }) => id))).all();
    for (const user of users) opened.log.name(user.email, user);
    opened.log.take();
    return { ...opened, session, users };
  }

  async function stored(session: Session, query: string): Promise<unknown[]> {
    return (await (await session.connection()).run(query)).rows.map((row) => row.join(" "));
  }

  test("changes each row as it says, with what every UPDATE sets, and takes the values over", async () => {
    const { session, users, log } = await openWithRows();
    const seen: ORMExecuteState[] = [];
    listen(session, "doOrmExecute", (event) => void seen.push(event));
    const { rowCount } = await session.execute(update(User), [
      { id: 1, name: "ann", visits: 5 },
      { id: 3, name: "cid", visits: 6 },
      { id: 2, name: null },
    ]);
    expect(rowCount).toBe(3);
    expect(await stored(session, "select name, visits, changes from users order by id")).toEqual([
      "ann 5 7",
      " 1 7",
      "cid 6 7",
    ]);
    expect(users.map(({ name, visits, changes }) => [name, visits, changes])).toEqual([
      ["ann", 5, 7],
      [null, 1, 7],
      ["cid", 6, 7],
    ]);
    expect(seen.map(({ isUpdate, isExecutemany }) => [isUpdate, isExecutemany])).toEqual([[true, true]]);
    const events = log.take().filter((line) => /^(refresh|expire)/.test(line));
    expect(events.map((line) => line.split(" ")[0])).toEqual(["refresh", "refresh", "refresh"]);
    expect(session.dirty.size).toBe(0);
    await session.close();
  });

  test("takes a list of one, and an empty one, and leaves instances alone where that is wanted", async () => {
    const { session, users } = await openWithRows();
    const options = { executionOptions: { synchronizeSession: false } } as const;
    expect((await session.execute(update(User), [{ id: 1, name: "x" }], options)).rowCount).toBe(1);
    expect(users[0]?.name).toBeNull();
    expect((await session.execute(update(User), [])).rowCount).toBe(0);
    await session.close();
  });

  test("drops what was assigned to an instance and not flushed: the statement came later", async () => {
    const { session, users } = await openWithRows();
    const [ann] = users as [User];
    await session.noAutoflush(async () => {
      ann.name = "pending";
      await session.execute(update(User), [{ id: 1, name: "x", visits: 9 }]);
    });
    await session.refresh(ann);
    expect([ann.name, ann.visits]).toEqual(["x", 9]);
    await session.close();
  });

  test("changes the tables of a hierarchy", async () => {
    const { session } = await openWithRows();
    const [mia] = (await session.scalars(select(Manager).where({ name: "mia" }))).all();
    await session.execute(update(Manager), [
      { id: 1, level: 7 },
      { id: 2, name: "mia!", level: 8 },
    ]);
    expect([mia?.name, mia?.level]).toEqual(["mia!", 8]);
    await session.execute(update(Person), [{ id: 2, name: "boss" }]);
    expect(mia?.name).toBe("boss");
    const joined = "select name, level from people join managers on managers.id = people.id order by people.id";
    expect(await stored(session, joined)).toEqual(["max 7", "boss 8"]);
    await session.close();
  });

  describe("of a versioned class", () => {
    test("finds rows by their version, and raises it", async () => {
      const { session } = await openWithRows();
      const document = (await session.scalars(select(Document).where({ id: 1 }))).one();
      await session.execute(update(Document), [{ id: 1, title: "new", version: 1 }]);
      expect([document.title, document.version]).toEqual(["new", 2]);
      expect(await stored(session, "select title, version from documents order by id")).toEqual(["new 2", "two 1"]);
      document.title = "newer";
      await session.flush();
      await expect(session.execute(update(Document), [{ id: 1, title: "x", version: 2 }])).rejects.toThrow(
        StaleDataError,
      );
      await session.close();
    });

    test("is refused without the version", async () => {
      const { session } = await openWithRows();
      await expect(session.execute(update(Document), [{ id: 1, title: "x" }])).rejects.toThrow(
        "Row 1 of update(Document) lacks version, the version that the row has",
      );
      await session.close();
    });
  });

  test("says so where a row is not there, or hidden by criteria", async () => {
    const { session } = await openWithRows();
    const rows = [
      { id: 1, name: "x" },
      { id: 9, name: "y" },
    ];
    await expect(session.execute(update(User), rows)).rejects.toThrow("Row 2 of update(User) was not found.");
    await session.rollback();
    const ours = update(User).options(withLoaderCriteria(User, (user) => user.tenant.eq("us")));
    expect((await session.execute(ours, [{ id: 1, name: "x" }])).rowCount).toBe(1);
    await expect(
      session.execute(ours, [
        { id: 3, name: "x" },
        { id: 2, name: "hit" },
      ]),
    ).rejects.toThrow("Row 2 of update(User) was not found.");
    expect(await stored(session, "select name from users order by id")).toEqual(["x", "", ""]);
    await session.close();
  });

  test("tells listeners of afterBulkUpdate, with the rows as they were or are", async () => {
    const { session } = await openWithRows();
    const told: unknown[] = [];
    listen(
      session,
      "afterBulkUpdate",
      ({ rows, rowCount, parameters }) => void told.push([rows?.[0]?.["name"], rowCount, parameters]),
    );
    const rows = [{ id: 1, name: "x" }];
    for (const which of ["before", "after", undefined] as const)
      await session.execute(update(User), rows, { executionOptions: which === undefined ? {} : { rows: which } });
    expect(told).toEqual([
      [null, 1, rows],
      ["x", 1, rows],
      [undefined, 1, rows],
    ]);
    await session.close();
  });

  test("is refused with a condition or values too, without a key, with expressions, and to fetch", async () => {
    const { session } = await openWithRows();
    const run = (statement: object, rows: unknown, options = {}): Promise<unknown> =>
      session.execute(statement as never, rows as never, { executionOptions: options });
    const rows = [{ id: 1, name: "x" }];
    await expect(run(update(User).where({ id: 1 }), rows)).rejects.toThrow("has where() too");
    await expect(run(update(User).values({ name: "y" }), rows)).rejects.toThrow("has values() too");
    await expect(run(update(User).returning(), rows)).rejects.toThrow("has returning() too");
    await expect(run(update(User), [{ name: "x" }])).rejects.toThrow("Row 1 of update(User) lacks id");
    await expect(run(update(User), [{ id: 1 }])).rejects.toThrow("has nothing but its key");
    await expect(run(update(User), [{ id: 1, nmae: "x" }])).rejects.toThrow('Did you mean "name"');
    await expect(run(update(User), [{ id: 1, name: 3 }])).rejects.toThrow("User.name was to be set to a number");
    await expect(run(update(User), [{ id: 1, name: func("lower", "X") }])).rejects.toThrow(
      "has an expression for name",
    );
    await expect(run(update(User), rows, { synchronizeSession: "fetch" })).rejects.toThrow(InvalidRequestError);
    // @ts-expect-error -- a name is a string
    const wrong = session.execute(update(User), [{ id: 1, name: 3 }]);
    await expect(wrong).rejects.toThrow("User.name was to be set to a number");
    await session.close();
  });
});
