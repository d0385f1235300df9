import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { SqliteDialect } from "kysely";
import { describe, expect, test } from "vitest";
import {
  type Connection,
  ConnectionLostError,
  createAll,
  createEngine,
  type DatabaseError,
  type Engine,
  integer,
  listen,
  Metadata,
  model,
  OperationalError,
  PendingRollbackError,
  sessionmaker,
  sql,
  text,
} from "../src/index.ts";
import { forEachDatabase } from "./databases.ts";

const metadata = new Metadata();

class Note extends model("notes", { id: integer().primaryKey(), text: text() }, { metadata }) {}

async function failure(work: () => unknown): Promise<DatabaseError> {
  try {
    await work();
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    return error as DatabaseError;
  }
  throw new Error("Nothing failed.");
}

async function texts(engine: Engine): Promise<unknown[]> {
  await using connection = await engine.connect();
  return (await connection.run("select text from notes order by id")).rows.map(([value]) => value);
}

/** Creates the table, and lets the database end the transaction of whoever writes "boom". */
async function prepare(engine: Engine): Promise<void> {
  await createAll(engine, { metadata });
  await engine.begin((connection) =>
    connection.run(
      "create trigger refusal before insert on notes when new.text = 'boom' begin select raise(rollback, 'refused'); end",
    ),
  );
}

const insert = "insert into notes (text) values (?)";

function kyselyDialect(): SqliteDialect {
  const database = new DatabaseSync(":memory:");
  return new SqliteDialect({
    database: {
      prepare: (query: string) => {
        const statement = database.prepare(query);
        return {
          reader: statement.columns().length > 0,
          all: (parameters: readonly unknown[]) => statement.all(...(parameters as SQLInputValue[])),
          run: (parameters: readonly unknown[]) => statement.run(...(parameters as SQLInputValue[])),
          iterate: (parameters: readonly unknown[]) =>
            statement.iterate(...(parameters as SQLInputValue[])) as IterableIterator<unknown>,
        };
      },
      close: () => database.close(),
    },
  });
}

describe.each([
  ["SQLite", () => createEngine("sqlite::memory:")],
  ["SQLite by a dialect of Kysely's", () => createEngine({ dialect: kyselyDialect() })],
])("a transaction that %s ends by itself", (_name, open) => {
  test("runs nothing more until it is rolled back", async () => {
    await using engine = open();
    await prepare(engine);
    await using connection = await engine.connect();
    await connection.begin();
    await connection.run(insert, ["before"]);
    await connection.savepoint("a");
    const cause = await failure(() => connection.run(insert, ["boom"]));
    expect(connection.isInTransaction).toBe(true);
    expect(connection.lostBy).toBe(cause);
    const attempts = [
      () => connection.run(insert, ["later"]),
      () => connection.runEach(insert, [["later"]]),
      () => connection.savepoint("b"),
      () => connection.rollbackToSavepoint("a"),
      () => connection.releaseSavepoint("a"),
      () => connection.commit(),
    ];
    for (const attempt of attempts) {
      const refusal = await failure(attempt);
      expect(refusal).toBeInstanceOf(OperationalError);
      expect(refusal.message).toContain("ended the transaction by itself");
      expect(refusal.cause).toBe(cause);
    }
    await connection.rollback();
    expect([connection.isInTransaction, connection.lostBy]).toEqual([false, undefined]);
    await connection.begin();
    await connection.run(insert, ["anew"]);
    await connection.commit();
    await connection.close();
    expect(await texts(engine)).toEqual(["anew"]);
  });

  test("goes on after an error that leaves it open", async () => {
    await using engine = open();
    await prepare(engine);
    await engine.begin(async (connection) => {
      await connection.run(insert, ["before"]);
      await failure(() => connection.run("insert into notes (text) values (null)"));
      expect(connection.lostBy).toBeUndefined();
      await connection.run(insert, ["after"]);
    });
    expect(await texts(engine)).toEqual(["before", "after"]);
  });

  test("waits in its session for a rollback, savepoint or not", async () => {
    await using engine = open();
    await prepare(engine);
    await using session = sessionmaker(engine, { onWarning: () => {} })();
    const rollbacks: unknown[] = [];
    listen(session, "afterRollback", () => void rollbacks.push("rollback"));
    const root = new Note({ text: "root" });
    session.add(root);
    await session.flush();
    const savepoint = await session.beginNested();
    session.add(new Note({ text: "boom" }));
    const cause = await failure(() => session.flush());
    await savepoint.rollback();
    expect(session.isActive).toBe(false);
    expect(rollbacks).toHaveLength(2);
    const later = new Note({ text: "later" });
    session.add(later);
    const refusal = await failure(() => session.commit());
    expect(refusal).toBeInstanceOf(PendingRollbackError);
    expect(refusal.cause).toBe(cause);
    await session.rollback();
    expect(session.isActive).toBe(true);
    expect([...session]).toEqual([]);
    session.add(new Note({ text: "anew" }));
    await session.commit();
    expect(await texts(engine)).toEqual(["anew"]);
  });

  test("refuses the session's statements after an error that was caught", async () => {
    await using engine = open();
    await prepare(engine);
    await using session = sessionmaker(engine)();
    session.add(new Note({ text: "root" }));
    await session.flush();
    const savepoint = await session.beginNested();
    await session.execute(sql`select 1`);
    await failure(() => session.execute(sql`insert into notes (text) values ('boom')`));
    await failure(() => session.execute(sql`insert into notes (text) values ('later')`));
    await savepoint.rollback();
    expect(session.isActive).toBe(false);
    await failure(() => session.execute(sql`insert into notes (text) values ('later')`));
    await session.rollback();
    expect(await texts(engine)).toEqual([]);
  });
});

forEachDatabase((db) => {
  describe.runIf(db.name === "postgres")("a connection that breaks in a transaction", () => {
    async function kill(connection: Connection): Promise<void> {
      const { rows } = await connection.run("select pg_backend_pid()");
      await using killer = await db.engine().connect();
      await killer.run("select pg_terminate_backend($1)", rows[0]);
      await pause(50);
    }

    test("is known to have saved nothing if it broke before COMMIT", async () => {
      const engine = db.engine();
      await createAll(engine, { metadata });
      await using connection = await engine.connect();
      await connection.begin();
      await kill(connection);
      const error = await failure(() => connection.commit());
      expect(error).toBeInstanceOf(ConnectionLostError);
      expect(error.isRetryable).toBe(true);
      expect(error.message).toContain("run it again");
      await connection.rollback();
      await using session = sessionmaker(engine)();
      session.add(new Note({ text: "root" }));
      await session.flush();
      await kill(await session.connection());
      expect(await failure(() => session.commit())).toMatchObject({ name: "ConnectionLostError", isRetryable: true });
      session.add(new Note({ text: "anew" }));
      await session.commit();
      expect(await texts(engine)).toEqual(["anew"]);
    });

    test("makes the session wait for a rollback when a savepoint is rolled back", async () => {
      const engine = db.engine();
      await createAll(engine, { metadata });
      await using session = sessionmaker(engine)();
      session.add(new Note({ text: "root" }));
      const savepoint = await session.beginNested();
      session.add(new Note({ text: "inner" }));
      await session.flush();
      await kill(await session.connection());
      await savepoint.rollback();
      expect(session.isActive).toBe(false);
      const refusal = await failure(() => session.commit());
      expect(refusal).toBeInstanceOf(PendingRollbackError);
      expect(refusal.cause).toBeInstanceOf(ConnectionLostError);
      await session.rollback();
      session.add(new Note({ text: "anew" }));
      await session.commit();
      expect(await texts(engine)).toEqual(["anew"]);
    });
  });
});
