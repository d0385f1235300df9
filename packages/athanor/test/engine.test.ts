import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import fc from "fast-check";
import { type Generated, PGliteDialect, PostgresDialect, sql, SqliteDialect } from "kysely";
import pg from "pg";
import { describe, expect, test, vi } from "vitest";
import { listen } from "../src/event/listen.ts";
import type { Connection } from "../src/engine/connection.ts";
import { createEngine } from "../src/engine/create-engine.ts";
import { createAll, dropAll } from "../src/engine/ddl.ts";
import { Engine } from "../src/engine/engine.ts";
import {
  DataError,
  IntegrityError,
  OperationalError,
  PoolExhaustedError,
  PoolTimeoutError,
  ProgrammingError,
  UnreachableDatabaseError,
} from "../src/engine/errors.ts";
import { InvalidRequestError } from "../src/event/errors.ts";
import type { ColumnType } from "../src/mapping/column-type.ts";
import { Metadata } from "../src/mapping/metadata.ts";
import { type ForeignKey, Table, type TableColumn } from "../src/mapping/table.ts";
import { forEachDatabase } from "./databases.ts";
import { postgresUrl, testedDatabases } from "./announce-databases.ts";
import { startPGlite } from "./start-pglite.ts";

function column(
  name: string,
  type: ColumnType | ColumnType["kind"],
  rest: Partial<Omit<TableColumn, "name" | "type">> = {},
): TableColumn {
  return {
    name,
    type: typeof type === "string" ? { kind: type } : type,
    nullable: false,
    primaryKey: false,
    unique: false,
    index: false,
    autoincrement: false,
    ...rest,
  };
}

const id = column("id", "integer", { primaryKey: true, autoincrement: true });

function metadataOf(...tables: Table[]): Metadata {
  const metadata = new Metadata();
  for (const table of tables) metadata.add(table);
  return metadata;
}

const authors = new Table(
  "authors",
  [
    id,
    column("email", "text", { unique: true }),
    column("role", { kind: "enumeration", values: ["writer", "editor's friend"] }, { serverDefault: "writer" }),
    column("favorite_id", "integer", { nullable: true, index: true }),
  ],
  {
    foreignKeys: [
      { columns: ["favorite_id"], referencedTable: "books", referencedColumns: ["id"], onDelete: "set null" },
    ],
  },
);

const books = new Table(
  "books",
  [
    id,
    column("author_id", "integer"),
    column("title", "text"),
    column("shelf", "text", { nullable: true }),
    column("added_at", "timestamp", { serverDefault: sql`current_timestamp` }),
    column("sequel_of", "integer", { nullable: true }),
  ],
  {
    uniques: [["author_id", "title"]],
    foreignKeys: [
      { columns: ["author_id"], referencedTable: "authors", referencedColumns: ["id"], onDelete: "cascade" },
      { columns: ["sequel_of"], referencedTable: "books", referencedColumns: ["id"] },
    ],
  },
);

const library = (): Metadata => metadataOf(authors, books);

/** Runs a statement with question marks, as the database at hand writes placeholders. */
function run(connection: Connection, text: string, parameters: readonly unknown[] = []) {
  let count = 0;
  const isNumbered = connection.engine.dialect.name === "postgresql";
  return connection.run(isNumbered ? text.replaceAll("?", () => `$${++count}`) : text, parameters);
}

async function failure(work: () => unknown): Promise<Error> {
  try {
    await work();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("Nothing failed.");
}

async function failureOf<T extends Error>(kind: new (...args: never[]) => T, work: () => unknown): Promise<T> {
  const error = await failure(work);
  expect(error).toBeInstanceOf(kind);
  return error as T;
}

async function inLibrary(engine: Engine): Promise<Connection> {
  await createAll(engine, { metadata: library() });
  const connection = await engine.connect();
  await run(connection, "insert into authors (email) values (?)", ["ann@example.com"]);
  return connection;
}

forEachDatabase((db) => {
  describe("values", () => {
    const samples: Record<
      string,
      { type: ColumnType; values: fc.Arbitrary<unknown>; stored?: (value: never) => unknown }
    > = {
      integer: { type: { kind: "integer" }, values: fc.integer() },
      bigint: {
        type: { kind: "bigint" },
        values: fc.oneof(
          fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
          fc.constantFrom(0n, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n)),
        ),
      },
      real: {
        type: { kind: "real" },
        values: fc.double({ noNaN: true }),
        // A column that stores 0 has forgotten its sign.
        stored: (value: number) => (value === 0 ? 0 : value),
      },
      "numeric(12, 3)": {
        type: { kind: "numeric", precision: 12, scale: 3 },
        values: fc.integer({ min: -999_999_999_999, max: 999_999_999_999 }).map((thousandths) => {
          const digits = String(Math.abs(thousandths)).padStart(4, "0");
          return `${thousandths < 0 ? "-" : ""}${digits.slice(0, -3)}.${digits.slice(-3)}`;
        }),
      },
      text: {
        type: { kind: "text" },
        values: fc.string({ unit: "binary" }).map((text) => text.replaceAll("\0", "")),
      },
      varchar: {
        type: { kind: "varchar", length: 10 },
        values: fc.string({ unit: fc.constantFrom("a", "é", "中", " ", "'"), maxLength: 10 }),
      },
      boolean: { type: { kind: "boolean" }, values: fc.boolean() },
      timestamp: {
        type: { kind: "timestamp" },
        values: fc.date({
          min: new Date("0000-01-01T00:00:00Z"),
          max: new Date("9999-12-31T23:59:59.999Z"),
          noInvalidDate: true,
        }),
      },
      date: {
        type: { kind: "date" },
        values: fc
          .date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true })
          .map((date) => date.toISOString().slice(0, 10)),
      },
      json: {
        type: { kind: "json" },
        values: fc
          .jsonValue({ maxDepth: 3 })
          .filter((value) => value !== null)
          .map((value) => JSON.parse(JSON.stringify(value).replaceAll("\\u0000", "")) as unknown),
      },
      uuid: { type: { kind: "uuid" }, values: fc.uuid() },
      bytes: { type: { kind: "bytes" }, values: fc.uint8Array() },
      enumeration: {
        type: { kind: "enumeration", values: ["draft", "it's out"] },
        values: fc.constantFrom("draft", "it's out"),
      },
      "custom type": {
        type: {
          kind: "json",
          toDatabase: (value) => [...(value as Set<number>)],
          fromDatabase: (value) => new Set(value as number[]),
        },
        values: fc.array(fc.integer()).map((numbers) => new Set(numbers)),
      },
    };

    for (const [name, { type, values, stored = (value: unknown) => value }] of Object.entries(samples)) {
      test(`a column of ${name} gives back what it was given, and null`, async () => {
        const engine = db.engine();
        const table = new Table("samples", [id, column("value", type, { nullable: true })]);
        await createAll(engine, { metadata: metadataOf(table) });
        const { toDriver = (value: unknown) => value, fromDriver = (value: unknown) => value } =
          engine.dialect.codec(type);
        await using connection = await engine.connect();
        const given = fc.sample(values, db.name === "sqlite" ? 200 : 40);
        const insert = "insert into samples (value) values (?)";
        await run(connection, insert, [null]);
        for (const value of given) await run(connection, insert, [toDriver(value)]);
        const { rows } = await connection.run("select value from samples order by id");
        expect(rows[0]).toEqual([null]);
        expect(rows.slice(1).map(([value]) => fromDriver(value))).toEqual(given.map((value) => stored(value as never)));
      });
    }

    test("timestamps sort like the moments, and compare with the database's own clock", async () => {
      const engine = db.engine();
      await createAll(engine, { metadata: library() });
      await using connection = await inLibrary(engine);
      const codec = engine.dialect.codec({ kind: "timestamp" });
      const before = new Date(Math.floor(Date.now() / 1000) * 1000 - 2000);
      await run(connection, "insert into books (author_id, title) values (1, ?)", ["now"]);
      const { rows } = await run(connection, "select added_at from books where added_at > ? and added_at < ?", [
        codec.toDriver!(before),
        codec.toDriver!(new Date(Date.now() + 60_000)),
      ]);
      const addedAt = codec.fromDriver === undefined ? rows[0]![0] : codec.fromDriver(rows[0]![0]);
      expect(addedAt).toBeInstanceOf(Date);
      expect(Math.abs((addedAt as Date).getTime() - Date.now())).toBeLessThan(60_000);
    });

    test("an integer expression that the database computes as a bigint reads as a number", async () => {
      const engine = db.engine();
      await using connection = await inLibrary(engine);
      const { rows } = await connection.run("select count(*) from authors");
      expect(engine.dialect.codec({ kind: "integer" }).fromDriver!(rows[0]![0])).toBe(1);
    });

    test("numbers are rounded to the scale of their column, halves away from zero", async () => {
      const engine = db.engine();
      const type: ColumnType = { kind: "numeric", precision: 6, scale: 2 };
      await createAll(engine, { metadata: metadataOf(new Table("prices", [id, column("price", type)])) });
      const { toDriver = (value: unknown) => value, fromDriver } = engine.dialect.codec(type);
      await using connection = await engine.connect();
      for (const price of ["1.005", "-1.005", "12", "1e2", "0.001", "-0.004", ".5"]) {
        await run(connection, "insert into prices (price) values (?)", [toDriver(price)]);
      }
      const { rows } = await connection.run("select price from prices order by id");
      const expected = ["1.01", "-1.01", "12.00", "100.00", "0.00", "0.00", "0.50"];
      expect(rows.map(([price]) => fromDriver!(price))).toEqual(expected);
      const tooLarge = await failureOf(DataError, () =>
        run(connection, "insert into prices (price) values (?)", [toDriver("12345.6")]),
      );
      expect(tooLarge.message).toContain("larger precision");
      expect(tooLarge.message).not.toContain("12345.6");
    });

    test("a value that the database cannot store is a DataError, which does not repeat the value", async () => {
      const engine = db.engine();
      await using connection = await inLibrary(engine);
      const values = { sqlite: ["secret", 1n << 70n], postgresql: ["secret", "s\0ecret"] }[engine.dialect.name]!;
      const error = await failureOf(DataError, async () => {
        await run(connection, "insert into books (id, author_id, title) values (?, 1, ?)", values);
      });
      expect(error.message).not.toContain("secret");
    });
  });

  describe("errors", () => {
    test("a duplicate value is an IntegrityError that names the columns and not the value", async () => {
      await using connection = await inLibrary(db.engine());
      const error = await failureOf(IntegrityError, () =>
        run(connection, "insert into authors (email) values (?)", ["ann@example.com"]),
      );
      expect(error).toMatchObject({ kind: "unique", table: "authors", columns: ["email"], isRetryable: false });
      expect(error.message).toContain("authors.email");
      expect(error.message).not.toContain("ann@example.com");
      expect(error.sql).toContain("insert into authors");
      expect(error.cause).toBeInstanceOf(Error);
      if (error.constraint !== undefined) expect(error.constraint).toBe("uq_authors_email");
    });

    test("a duplicate combination names all of its columns, and a duplicate primary key its own", async () => {
      await using connection = await inLibrary(db.engine());
      const insert = "insert into books (author_id, title) values (1, 'Emma')";
      await connection.run(insert);
      const combination = await failureOf(IntegrityError, () => connection.run(insert));
      expect(combination).toMatchObject({ kind: "unique", table: "books", columns: ["author_id", "title"] });
      const key = await failureOf(IntegrityError, () =>
        connection.run("insert into books (id, author_id, title) values (1, 1, 'Persuasion')"),
      );
      expect(key).toMatchObject({ kind: "unique", table: "books", columns: ["id"] });
    });

    test("a missing value, a dangling foreign key and a broken check are IntegrityErrors of their kinds", async () => {
      await using connection = await inLibrary(db.engine());
      const missing = await failureOf(IntegrityError, () =>
        connection.run("insert into authors (email) values (null)"),
      );
      expect(missing).toMatchObject({ kind: "notNull", table: "authors", columns: ["email"] });
      const dangling = await failureOf(IntegrityError, () =>
        connection.run("insert into books (author_id, title) values (99, 'Emma')"),
      );
      expect(dangling).toMatchObject({ kind: "foreignKey" });
      if (dangling.constraint !== undefined) expect(dangling.constraint).toBe("fk_books_author_id");
      const check = await failureOf(IntegrityError, () =>
        connection.run("insert into authors (email, role) values ('bob', 'king')"),
      );
      expect(check).toMatchObject({ kind: "check", constraint: "ck_authors_role" });
    });

    test("a missing table is a ProgrammingError that names it and points to createAll", async () => {
      await using connection = await db.engine().connect();
      const error = await failureOf(ProgrammingError, () => connection.run("select * from ghosts"));
      expect(error.message).toContain('"ghosts"');
      expect(error.message).toContain("createAll");
    });

    test("a missing column, wrong syntax and a second statement are ProgrammingErrors", async () => {
      await using connection = await inLibrary(db.engine());
      expect((await failureOf(ProgrammingError, () => connection.run("select ghost from authors"))).message).toContain(
        "ghost",
      );
      expect((await failureOf(ProgrammingError, () => connection.run("selec"))).message).toContain("selec");
      await failureOf(ProgrammingError, () => connection.run("delete from books; delete from authors"));
      expect((await connection.run("select email from authors")).rows).toHaveLength(1);
    });

    test("a statement with too many parameters says how many there may be, and the connection goes on", async () => {
      await using connection = await inLibrary(db.engine());
      const { maxParameters } = db.traits;
      const values = Array.from({ length: maxParameters + 1 }, (_, index) => index);
      const list = values.map(() => "?").join(", ");
      const error = await failureOf(ProgrammingError, () =>
        run(connection, `select id from authors where id in (${list})`, values),
      );
      expect(error.isRetryable).toBe(false);
      expect(error.message).toContain(String(maxParameters));
      const fewer = run(connection, "select id from authors where id = ? and email = ?", [1]);
      if (db.name !== "sqlite") await expect(fewer).rejects.toThrow(/one parameter for each placeholder/);
      expect((await connection.run("select id from authors")).rows).toEqual([[1]]);
    });

    test.runIf(db.name !== "sqlite")("a number that is too large names the type that would take it", async () => {
      await using connection = await db.engine().connect();
      await connection.run("create table numbers (small integer, large bigint, exact numeric(4, 2))");
      const messageFor = async (name: string, value: unknown): Promise<string> => {
        const insert = `insert into numbers (${name}) values ($1)`;
        return (await failureOf(DataError, () => connection.run(insert, [value]))).message;
      };
      expect(await messageFor("small", 2 ** 40)).toContain("declare the column as bigint()");
      expect(await messageFor("large", 2n ** 70n)).toContain("declare the column as numeric()");
      expect(await messageFor("exact", "123.45")).toContain("larger precision");
    });

    test("the failing one of many parameter sets is known by its index", async () => {
      await using connection = await inLibrary(db.engine());
      await connection.begin();
      const insert =
        db.name === "sqlite" ? "insert into authors (email) values (?)" : "insert into authors (email) values ($1)";
      const error = await failureOf(IntegrityError, () =>
        connection.runEach(insert, [["bob"], ["cid"], ["ann@example.com"], ["dan"]]),
      );
      expect(error.failedSet).toBe(2);
      await connection.rollback();
      expect((await connection.run("select email from authors")).rows).toEqual([["ann@example.com"]]);
    });

    test("a handleError listener sees the driver's error and may replace ours", async () => {
      const engine = db.engine();
      await using connection = await engine.connect();
      listen(engine, "handleError", (event) => {
        expect(event.originalException).toBeInstanceOf(Error);
        event.error = new RangeError(`replaced: ${event.error.name} of ${event.statement}`);
      });
      expect((await failureOf(RangeError, () => connection.run("selec"))).message).toBe(
        "replaced: ProgrammingError of selec",
      );
    });
  });

  describe("statements", () => {
    test("one statement runs for many parameter sets, with and without rows", async () => {
      const engine = db.engine();
      await using connection = await inLibrary(engine);
      const placeholder = db.name === "sqlite" ? "?" : "$1";
      const insert = `insert into authors (email) values (${placeholder})`;
      const sets = Array.from({ length: 2500 }, (_, index) => [`person ${index}`]);
      await connection.begin();
      const { insertIds, rowCounts } = await connection.runEach(
        insert,
        db.name === "pglite" ? sets.slice(0, 50) : sets,
      );
      await connection.rollback();
      expect(rowCounts).toBeUndefined();
      if (engine.dialect.traits.insertId) expect(insertIds?.slice(0, 2)).toEqual([2, 3]);
      const { rows } = await connection.runEach(`${insert} returning email`, [["x"], ["y"]]);
      expect(rows).toEqual([["x"], ["y"]]);
      const update = `update authors set role = 'writer' where email = ${placeholder}`;
      expect((await connection.runEach(update, [["x"], ["nobody"], ["y"]])).rowCounts).toEqual([1, 0, 1]);
      const returning = await connection.runEach(`${update} returning email`, [["x"], ["nobody"]]);
      expect(returning.rows).toEqual([["x"], undefined]);
    });

    test("a statement stays right when its table changes under it", async () => {
      await using connection = await db.engine().connect();
      await connection.run("create table things (a integer)");
      await connection.run("insert into things values (1)");
      const select = "select * from things";
      for (let count = 0; count < 3; count++) await connection.run(select);
      await connection.run("alter table things add column b integer");
      const { rows, columns } = await connection.run(select);
      expect(rows).toEqual([[1, null]]);
      expect(columns).toEqual(["a", "b"]);
    });

    test("more different statements than a connection keeps prepared all run", async () => {
      await using connection = await db.engine().connect();
      for (let number = 0; number < (db.name === "pglite" ? 20 : 1200); number++) {
        const text = `select ${number} as number`;
        await connection.run(text);
        expect((await connection.run(text)).rows).toEqual([[number]]);
      }
      expect((await connection.run("select 0 as number")).rows).toEqual([[0]]);
    });

    test("two columns of the same name keep their own values", async () => {
      await using connection = await db.engine().connect();
      const { rows, columns } = await connection.run("select 1 as a, 2 as a");
      expect(rows).toEqual([[1, 2]]);
      expect(columns).toEqual(["a", "a"]);
    });
  });

  describe("transactions", () => {
    const emails = async (engine: Engine): Promise<unknown[]> => {
      await using connection = await engine.connect();
      return (await connection.run("select email from authors order by id")).rows.map(([email]) => email);
    };
    const insert = "insert into authors (email) values (?)";

    test("committed work stays, and work that was rolled back is gone", async () => {
      const engine = db.engine();
      await (await inLibrary(engine)).close();
      await engine.begin((connection) => run(connection, insert, ["bob"]));
      const refused = new Error("refused");
      const work = engine.begin(async (connection) => {
        await run(connection, insert, ["cid"]);
        throw refused;
      });
      await expect(work).rejects.toBe(refused);
      expect(await emails(engine)).toEqual(["ann@example.com", "bob"]);
    });

    test("a closed connection rolls its transaction back, also one that a statement has begun", async () => {
      const engine = db.engine();
      await (await inLibrary(engine)).close();
      const connection = await engine.connect();
      await connection.begin();
      await run(connection, insert, ["bob"]);
      await connection.close();
      expect(await emails(engine)).toEqual(["ann@example.com"]);
      if (db.name === "pglite") return;
      const other = await engine.connect();
      await other.run("begin");
      await run(other, insert, ["bob"]);
      await other.close();
      expect(await emails(engine)).toEqual(["ann@example.com"]);
    });

    test("rolling back to a savepoint undoes what came after it, and the transaction goes on", async () => {
      const engine = db.engine();
      await using connection = await inLibrary(engine);
      await connection.begin();
      await run(connection, insert, ["bob"]);
      await connection.savepoint('the "first"');
      await run(connection, insert, ["cid"]);
      await failureOf(IntegrityError, () => run(connection, insert, ["ann@example.com"]));
      await connection.rollbackToSavepoint('the "first"');
      await connection.savepoint("second");
      await run(connection, insert, ["dan"]);
      await connection.releaseSavepoint("second");
      await connection.commit();
      await connection.close();
      expect(await emails(engine)).toEqual(["ann@example.com", "bob", "dan"]);
    });

    test("a read-only transaction refuses to write, and the next one writes", async () => {
      await using connection = await inLibrary(db.engine());
      await connection.begin({ readOnly: true });
      expect((await connection.run("select email from authors")).rows).toHaveLength(1);
      const error = await failureOf(OperationalError, () => run(connection, insert, ["bob"]));
      expect(error.message).toContain("read-only");
      await connection.rollback();
      await connection.begin();
      await run(connection, insert, ["bob"]);
      await connection.commit();
    });

    test("every isolation level is accepted", async () => {
      await using connection = await inLibrary(db.engine());
      const levels = ["read uncommitted", "read committed", "repeatable read", "serializable", "snapshot"] as const;
      for (const isolationLevel of levels) {
        await connection.begin({ isolationLevel });
        if (connection.engine.dialect.name === "postgresql") {
          const { rows } = await connection.run("show transaction_isolation");
          expect(rows[0]![0]).toBe(isolationLevel === "snapshot" ? "repeatable read" : isolationLevel);
        }
        await connection.commit();
      }
    });

    test("a second begin is refused, and says what to do", async () => {
      await using connection = await db.engine().connect();
      await connection.begin();
      expect((await failure(() => connection.begin())).message).toContain("savepoint");
    });

    test("COMMIT of a transaction in which a statement failed never passes for a success", async () => {
      const engine = db.engine();
      await using connection = await inLibrary(engine);
      await connection.begin();
      await run(connection, insert, ["bob"]);
      await failureOf(IntegrityError, () => run(connection, insert, ["ann@example.com"]));
      const committed = await Promise.resolve(connection.commit()).then(
        () => true,
        (error: unknown) => {
          expect(error).toBeInstanceOf(OperationalError);
          return false;
        },
      );
      if (!committed) await connection.rollback();
      await connection.close();
      expect(await emails(engine)).toEqual(committed ? ["ann@example.com", "bob"] : ["ann@example.com"]);
    });

    test("a closed connection says that it is closed", async () => {
      const connection = await db.engine().connect();
      await connection.close();
      await connection.close();
      expect(connection.isClosed).toBe(true);
      expect((await failure(() => connection.run("select 1"))).message).toContain("closed");
    });
  });

  describe("the pool", () => {
    test("a connection that comes back is given out again", async () => {
      const engine = db.engine();
      for (let count = 0; count < 5; count++) {
        const connection = await engine.connect();
        await connection.run("select 1");
        await connection.close();
      }
      expect(engine.pool.openCount).toBe(1);
      expect(engine.pool.heldCount).toBe(0);
    });

    test("a connection is there without a promise when one is idle", async () => {
      const engine = db.engine();
      await (await engine.connect()).close();
      const connection = engine.acquire();
      expect(connection).not.toBeInstanceOf(Promise);
      await (connection as Connection).close();
    });

    test("who waits for a connection gets the next one that comes back", async () => {
      const engine = db.engine({ poolSize: 1 });
      const first = await engine.connect();
      const waiting = [engine.connect(), engine.connect()];
      await first.close();
      const second = await waiting[0]!;
      expect((await second.run("select 1")).rows).toEqual([[1]]);
      await second.close();
      await (await waiting[1]!).close();
    });

    test("a wait that nobody can end is refused at once", async () => {
      const engine = db.engine({ poolSize: 1 });
      const outer = { name: "outer session" };
      const inner = { name: "inner session" };
      const held = await engine.acquire(outer);
      const error = await failureOf(PoolExhaustedError, () => engine.acquire(inner, [outer]));
      expect(error.message).toContain("afterCommit");
      await held.close();
      await (await engine.acquire(inner, [outer])).close();
    });

    test.runIf(db.name === "postgres")("a connection that breaks is an error, and the pool replaces it", async () => {
      const engine = db.engine({ poolSize: 2 });
      await using first = await engine.connect();
      const second = await engine.connect();
      await second.begin();
      const { rows } = await second.run("select pg_backend_pid()");
      await first.run("select pg_terminate_backend($1)", rows[0]);
      const error = await failureOf(OperationalError, async () => {
        await second.run("select 1");
        await second.run("select 1");
      });
      expect(error).toMatchObject({ name: "ConnectionLostError", isRetryable: true });
      await second.rollback();
      await second.close();
      await using third = await engine.connect();
      expect((await third.run("select 1")).rows).toEqual([[1]]);
    });

    test.runIf(db.name === "postgres")(
      "a circle of waits over several connections is refused when it closes",
      async () => {
        const engine = db.engine({ poolSize: 2 });
        const [first, second] = [{}, {}];
        const held = [await engine.acquire(first), await engine.acquire(second)];
        const insideFirst = engine.acquire({}, [first]);
        await failureOf(PoolExhaustedError, () => engine.acquire({}, [second]));
        await held[1]!.close();
        await (await insideFirst).close();
        await held[0]!.close();
      },
    );

    test("a wait for someone who is not waiting goes on, and times out with an explanation", async () => {
      const engine = db.engine({ poolSize: 1, acquireTimeout: 50 });
      const held = await engine.acquire({ name: "another session" });
      const error = await failureOf(PoolTimeoutError, () => engine.acquire({}, [{}]));
      expect(error.message).toContain("50 ms");
      await held.close();
      await (await engine.connect()).close();
    });

    test("a wait for the only connection that there can be is short, and says why there is one", async () => {
      const engine = db.engine();
      const held = await engine.connect();
      vi.useFakeTimers();
      try {
        if (!engine.dialect.isSingleConnection) return;
        const waiting = failureOf(PoolTimeoutError, () => engine.acquire({}, [{}]));
        vi.advanceTimersByTime(5000);
        expect((await waiting).message).toMatch(/^No connection became free in 5000 ms.*in memory.*await using/);
      } finally {
        vi.useRealTimers();
        await held.close();
      }
    });

    test("a listener that throws while a connection comes or goes fails its caller, and no data is lost", async () => {
      const engine = db.engine({ poolSize: 1 });
      await (await inLibrary(engine)).close();
      const refusal = new Error("refused");
      const refuse = (): never => {
        throw refusal;
      };
      for (const name of ["checkout", "checkin", "engineConnect", "rollback"] as const) {
        const listening = listen(engine, name, refuse);
        const work = async (): Promise<void> => {
          const connection = await engine.connect();
          await connection.begin();
          await run(connection, "insert into authors (email) values ('bob')");
          await connection.close();
        };
        expect(await failure(work)).toBe(refusal);
        listening.remove();
        await using connection = await engine.connect();
        expect((await connection.run("select email from authors")).rows).toEqual([["ann@example.com"]]);
      }
      expect(engine.pool.heldCount).toBe(0);
    });

    test("a disposed engine refuses those who wait and those who come", async () => {
      const engine = db.engine({ poolSize: 1 });
      const held = await engine.connect();
      const waiting = failure(() => engine.connect());
      await engine.dispose();
      expect((await waiting).message).toContain("disposed");
      await held.close();
      expect((await failure(() => engine.connect())).message).toContain("disposed");
      expect(engine.pool.openCount).toBe(0);
    });
  });

  describe("events", () => {
    test("each step of a connection's life is told, in order", async () => {
      const engine = db.engine();
      const log: string[] = [];
      const names = ["firstConnect", "connect", "checkout", "engineConnect", "begin", "beforeCursorExecute"] as const;
      const later = [
        "afterCursorExecute",
        "savepoint",
        "rollbackSavepoint",
        "releaseSavepoint",
        "commit",
        "rollback",
      ] as const;
      for (const name of [...names, ...later, "checkin", "close", "engineDisposed"]) {
        const listener = (event: { statement?: string; name?: string }) => {
          log.push([name, event.statement ?? event.name].filter(Boolean).join(" "));
        };
        listen(engine, name as never, listener as never);
      }
      const connection = await engine.connect();
      await connection.begin();
      await connection.run("select 1");
      await connection.savepoint("a");
      await connection.rollbackToSavepoint("a");
      await connection.releaseSavepoint("a");
      await connection.commit();
      await connection.begin();
      await connection.close();
      await engine.dispose();
      expect(log).toEqual([
        "firstConnect",
        "connect",
        "checkout",
        "engineConnect",
        "begin",
        "beforeCursorExecute select 1",
        "afterCursorExecute select 1",
        "savepoint a",
        'beforeCursorExecute savepoint "a"',
        'afterCursorExecute savepoint "a"',
        "rollbackSavepoint a",
        'beforeCursorExecute rollback to savepoint "a"',
        'afterCursorExecute rollback to savepoint "a"',
        "releaseSavepoint a",
        'beforeCursorExecute release savepoint "a"',
        'afterCursorExecute release savepoint "a"',
        "commit",
        "begin",
        "rollback",
        "checkin",
        "close",
        "engineDisposed",
      ]);
    });

    test("a listener may change a statement, wait, and hear one connection only", async () => {
      const engine = db.engine();
      await using connection = await engine.connect();
      const heard: unknown[] = [];
      listen(connection, "beforeCursorExecute", async (event) => {
        await Promise.resolve();
        event.statement = event.statement.replace("1", "2");
      });
      listen(connection, "afterCursorExecute", ({ statement, result }) => {
        heard.push(statement, result !== undefined && "columns" in result && result.rows);
      });
      expect((await connection.run("select 1")).rows).toEqual([[2]]);
      expect(heard).toEqual(["select 2", [[2]]]);
      await connection.close();
      await using other = await engine.connect();
      expect((await other.run("select 1")).rows).toEqual([[1]]);
    });

    test("listening to Engine reaches every engine, until the listener is removed", async () => {
      const seen: unknown[] = [];
      const engine = db.engine();
      await using connection = await engine.connect();
      {
        using _listening = listen(Engine, "begin", ({ connection: begun }) => {
          seen.push(begun);
        });
        await connection.begin();
        await connection.rollback();
      }
      await connection.begin();
      expect(seen).toEqual([connection]);
    });
  });

  describe("connection.kysely()", () => {
    interface Tables {
      authors: { id: Generated<number>; email: string; role: Generated<string> };
    }

    test("it sees what its transaction has not committed, and its own writes are rolled back with it", async () => {
      await using connection = await inLibrary(db.engine());
      await connection.begin();
      await run(connection, "insert into authors (email) values (?)", ["bob"]);
      const kysely = connection.kysely<Tables>();
      const found = await kysely.selectFrom("authors").select(["id", "email"]).orderBy("id").execute();
      expect(found).toEqual([
        { id: 1, email: "ann@example.com" },
        { id: 2, email: "bob" },
      ]);
      const inserted = await kysely.insertInto("authors").values({ email: "cid" }).returning("role").executeTakeFirst();
      expect(inserted).toEqual({ role: "writer" });
      const updated = await kysely
        .updateTable("authors")
        .set({ role: "writer" })
        .where("id", ">", 1)
        .executeTakeFirst();
      expect(updated.numUpdatedRows).toBe(2n);
      await connection.rollback();
      expect((await connection.run("select email from authors")).rows).toEqual([["ann@example.com"]]);
      expect(connection.kysely()).toBe(kysely);
    });

    test("it streams what a SELECT finds in portions, inside of a transaction, and lets others run between them", async () => {
      await using connection = await inLibrary(db.engine());
      const emails = connection.kysely<Tables>().selectFrom("authors").select("email").orderBy("id");
      const collected = async (): Promise<string[]> => {
        const found: string[] = [];
        for await (const { email } of emails.stream(1)) {
          found.push(email);
          await connection.run("select 1 as one");
        }
        return found;
      };
      expect(await collected()).toEqual(["ann@example.com"]);
      await connection.begin();
      await run(connection, "insert into authors (email) values (?)", ["bob"]);
      expect(await collected()).toEqual(["ann@example.com", "bob"]);
      for await (const _ of emails.stream(1)) break;
      await connection.rollback();
    });

    test("its errors are ours, and it begins no transaction of its own", async () => {
      await using connection = await inLibrary(db.engine());
      const kysely = connection.kysely<Tables>();
      await failureOf(IntegrityError, () =>
        kysely.insertInto("authors").values({ email: "ann@example.com" }).execute(),
      );
      const refusal = await failure(() => kysely.transaction().execute(async () => {}));
      expect(refusal.message).toContain("cannot begin another one");
    });
  });

  describe("createAll and dropAll", () => {
    test("tables that refer to each other in a circle are created, twice, and dropped, twice", async () => {
      const engine = db.engine();
      await createAll(engine, { metadata: library() });
      await createAll(engine, { metadata: library() });
      await using connection = await engine.connect();
      await run(connection, "insert into authors (email) values (?)", ["ann"]);
      await run(connection, "insert into books (author_id, title) values (1, 'Emma')");
      await run(connection, "update authors set favorite_id = 1");
      await failureOf(IntegrityError, () => run(connection, "update authors set favorite_id = 9"));
      await run(connection, "delete from books");
      expect((await run(connection, "select favorite_id, role from authors")).rows).toEqual([[null, "writer"]]);
      await run(connection, "insert into books (author_id, title) values (1, 'Emma')");
      await run(connection, "update authors set favorite_id = (select id from books)");
      await connection.close();
      await dropAll(engine, { metadata: library() });
      await dropAll(engine, { metadata: library() });
      const error = await failureOf(ProgrammingError, () => engine.begin((work) => work.run("select * from books")));
      expect(error.message).toContain("books");
      await createAll(engine, { metadata: library(), checkFirst: false });
      await failureOf(ProgrammingError, () => createAll(engine, { metadata: library(), checkFirst: false }));
    });

    test.runIf(db.traits.alterForeignKeys)("a table that no model knows stops dropAll, and is named", async () => {
      const engine = db.engine();
      await using connection = await inLibrary(engine);
      await connection.run("create table invoices (author_id integer references authors (id))");
      const error = await failureOf(ProgrammingError, () => dropAll(connection, { metadata: library() }));
      expect(error.message).toMatch(/table invoices depends on table authors.* foreign key first/);
    });

    test("keys of several columns, long names and defaults of every sort come out right", async () => {
      const long = "a_table_with_a_name_that_is_nearly_as_long_as_it_may_be";
      const parent = new Table(long, [
        column("tenant", "text", { primaryKey: true }),
        column("number", "bigint", { primaryKey: true }),
        column("is_open", "boolean", { serverDefault: true }),
        column("amount", { kind: "numeric", precision: 8, scale: 2 }, { serverDefault: 1.5 }),
        column("note", "text", { serverDefault: "it's new", index: true }),
        column("another_note", "text", { serverDefault: sql`upper('x')`, index: true }),
      ]);
      const key: ForeignKey = {
        columns: ["tenant", "number"],
        referencedTable: long,
        referencedColumns: ["tenant", "number"],
        onDelete: "cascade",
        onUpdate: "cascade",
      };
      const child = new Table("children", [id, column("tenant", "text"), column("number", "bigint")], {
        foreignKeys: [key],
      });
      const metadata = metadataOf(child, parent);
      const engine = db.engine();
      await createAll(engine, { metadata });
      await createAll(engine, { metadata });
      await using connection = await engine.connect();
      await run(connection, `insert into ${long} (tenant, number) values ('t', 1)`);
      const { rows } = await run(connection, `select is_open, amount, note, another_note from ${long}`);
      const codec = (kind: ColumnType["kind"], scale?: number) =>
        engine.dialect.codec(scale === undefined ? { kind } : { kind, precision: 8, scale }).fromDriver ??
        ((value: unknown) => value);
      const [isOpen, amount, note, anotherNote] = rows[0]!;
      expect([codec("boolean")(isOpen), codec("numeric", 2)(amount), note, anotherNote]).toEqual([
        true,
        "1.50",
        "it's new",
        "X",
      ]);
      await run(connection, "insert into children (tenant, number) values ('t', 1)");
      await run(connection, `update ${long} set number = 2`);
      expect(
        (await run(connection, "select count(*) from children where number = 2")).rows.map(([count]) => Number(count)),
      ).toEqual([1]);
      await run(connection, `delete from ${long}`);
      expect((await run(connection, "select * from children")).rows).toEqual([]);
      await connection.close();
      await dropAll(engine, { metadata });
    });

    test("tables go into their schema, which is created", async () => {
      const engine = db.engine();
      if (!engine.dialect.traits.schemas) return;
      const invoices = new Table("invoices", [id, column("number", "text", { unique: true, index: true })], {
        schema: "billing",
      });
      const lines = new Table("lines", [id, column("invoice_id", "integer")], {
        foreignKeys: [
          {
            columns: ["invoice_id"],
            referencedTable: "invoices",
            referencedSchema: "billing",
            referencedColumns: ["id"],
          },
        ],
      });
      const metadata = metadataOf(lines, invoices);
      await createAll(engine, { metadata });
      await createAll(engine, { metadata });
      await engine.begin((connection) => connection.run("insert into billing.invoices (number) values ('1')"));
      await dropAll(engine, { metadata });
    });
  });
});

describe("SQLite", () => {
  async function withFile<T>(work: (file: string) => Promise<T>): Promise<T> {
    const folder = await mkdtemp(join(tmpdir(), "athanor-"));
    try {
      return await work(join(folder, "test.db"));
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  test("statements answer without a promise", async () => {
    await using engine = createEngine("sqlite::memory:");
    await using connection = await engine.connect();
    expect(connection.begin()).toBeUndefined();
    expect(connection.run("select 1")).toMatchObject({ rows: [[1]], rowCount: 1 });
    expect(connection.savepoint("a")).toBeUndefined();
    expect(connection.commit()).toBeUndefined();
    expect(connection.close()).toBeUndefined();
  });

  test("integers beyond 2^53 arrive whole, as keys too, and those that fit as numbers", async () => {
    await using engine = createEngine("sqlite::memory:");
    await using connection = await engine.connect();
    const large = 2n ** 60n + 1n;
    await connection.run("create table numbers (id integer primary key, value integer)");
    expect(connection.run("insert into numbers values (?, 5)", [large])).toMatchObject({ insertId: large });
    expect(connection.runEach("insert into numbers (value) values (?)", [[6]])).toEqual({ insertIds: [large + 1n] });
    const returned = await connection.run("insert into numbers (value) values (?) returning id, value", [large]);
    expect(returned.rows).toEqual([[large + 2n, large]]);
    const { rows } = await connection.run("select * from numbers order by id");
    expect(rows).toEqual([
      [large, 5],
      [large + 1n, 6],
      [large + 2n, large],
    ]);
    const { fromDriver } = engine.dialect.codec({ kind: "integer" });
    expect(() => fromDriver!(rows[0]![0])).toThrow(DataError);
  });

  test("whole numbers up to 2^53 are stored as integers", async () => {
    await using engine = createEngine("sqlite::memory:");
    await using connection = await engine.connect();
    await connection.run("create table numbers (id integer primary key)");
    const { toDriver } = engine.dialect.codec({ kind: "integer" });
    for (const value of [Number.MAX_SAFE_INTEGER, 2 ** 51, -(2 ** 51), Number.MIN_SAFE_INTEGER, 7]) {
      await connection.run("insert into numbers values (?)", [toDriver!(value)]);
      expect(connection.run("select id, typeof(id) from numbers where id = ?", [toDriver!(value)])).toMatchObject({
        rows: [[value, "integer"]],
      });
    }
  });

  test("decimals that a double cannot keep are refused, with the reason", async () => {
    await using engine = createEngine("sqlite::memory:");
    const { toDriver } = engine.dialect.codec({ kind: "numeric" });
    expect(toDriver!("123456789012345000")).toBe(123456789012345000);
    expect(() => toDriver!("1234567890.123456")).toThrow(/15 significant digits/);
    expect(() => engine.dialect.codec({ kind: "real" }).toDriver!(NaN)).toThrow(/NaN/);
    expect(() => engine.dialect.codec({ kind: "timestamp" }).toDriver!(new Date(NaN))).toThrow(DataError);
  });

  test("timestamps of other programs are read as UTC unless they name an offset", async () => {
    await using engine = createEngine("sqlite::memory:");
    const { fromDriver } = engine.dialect.codec({ kind: "timestamp" });
    const texts = [
      "2026-02-28 09:30:00",
      "2026-02-28T09:30:00Z",
      "2026-02-28 09:30",
      "2026-02-28T11:30:00.000+02:00",
      "2026-02-28 09:30:00.000000",
    ];
    for (const text of texts) expect(fromDriver!(text)).toEqual(new Date("2026-02-28T09:30:00Z"));
    expect(fromDriver!("2026-02-28")).toEqual(new Date("2026-02-28T00:00:00Z"));
    for (const wrong of ["yesterday", "2026-02-28 09:3x:00", "2026/02/28 09:30:00", 1772271000]) {
      expect(() => fromDriver!(wrong)).toThrow(DataError);
    }
  });

  test("a Date goes in as a timestamp wherever it stands, and another object is refused", async () => {
    await using engine = createEngine("sqlite::memory:");
    await using connection = await engine.connect();
    const moment = new Date("2026-02-28T09:30:00Z");
    const stored = "2026-02-28 09:30:00.000";
    expect(connection.run("select ?", [moment])).toMatchObject({ rows: [[stored]] });
    expect(connection.run("select ?, ?", [1, moment])).toMatchObject({ rows: [[1, stored]] });
    expect(() => connection.run("select ?", [{ a: 1 }])).toThrow(DataError);
    expect(() => connection.run("select ?, ?", [1, { a: 1 }])).toThrow(DataError);
  });

  test("a file keeps its data, and another connection waits for the one that writes without blocking it", async () => {
    await withFile(async (file) => {
      await using engine = createEngine(`sqlite:${file}`);
      await using first = await engine.connect();
      await using second = await engine.connect();
      await first.run("create table notes (id integer primary key, text text)");
      await first.begin();
      await first.run("insert into notes (text) values ('first')");
      const waiting = second.run("insert into notes (text) values ('second')");
      expect(waiting).toBeInstanceOf(Promise);
      const waitingEach = second.runEach("insert into notes (text) values (?)", [["third"], ["fourth"]]);
      await first.commit();
      expect((await waiting).rowCount).toBe(1);
      expect((await waitingEach).insertIds).toHaveLength(2);
      expect((await first.run("select count(*) from notes")).rows).toEqual([[4]]);
      expect((await first.run("pragma journal_mode")).rows).toEqual([["wal"]]);
    });
  });

  test("a writer that comes too late gets an error that can be retried", async () => {
    await withFile(async (file) => {
      await using engine = createEngine(`sqlite:${file}?busyTimeout=30`);
      await using first = await engine.connect();
      await using second = await engine.connect();
      await first.run("create table notes (id integer primary key)");
      await second.begin();
      await second.run("select * from notes");
      await first.begin();
      await first.run("insert into notes values (1)");
      const locked = await failureOf(OperationalError, () => second.run("insert into notes values (2)"));
      expect(locked.isRetryable).toBe(true);
      await first.commit();
      const stale = await failureOf(OperationalError, () => second.run("insert into notes values (2)"));
      expect(stale.isRetryable).toBe(true);
      expect(stale.message).toContain("Run the whole transaction again");
    });
  });

  test("a file that cannot be opened is named in the error", async () => {
    await using engine = createEngine("sqlite:/no/such/folder/shop.db");
    const error = await failureOf(UnreachableDatabaseError, () => engine.connect());
    expect(error.message).toContain("/no/such/folder/shop.db");
  });

  test("a circle of tables with rows is dropped", async () => {
    await using engine = createEngine("sqlite::memory:");
    await (await inLibrary(engine)).close();
    await engine.begin(async (connection) => {
      await connection.run("insert into books (author_id, title) values (1, 'Emma')");
      await connection.run("update authors set favorite_id = 1");
    });
    await dropAll(engine, { metadata: library() });
  });
});

describe("createEngine", () => {
  test("a URL that it does not understand is refused with what it knows", () => {
    expect(() => createEngine("postgrsql://localhost")).toThrow(/Did you mean "postgresql"\?/);
    expect(() => createEngine("oracle://localhost")).toThrow(/sqlite:, postgresql:/);
    expect(() => createEngine("shop.db")).toThrow(/begins with a scheme/);
    expect(() => createEngine("sqlite:///shop.db")).toThrow(/sqlite:shop\.db/);
    expect(() => createEngine("sqlite::memory:?poolSize=2")).toThrow(/one connection only/);
    expect(() => createEngine("sqlite:shop.db?poolSize=many")).toThrow(/whole number/);
    expect(() => createEngine("sqlite:shop.db", { poolSize: 0 })).toThrow(/whole number/);
  });

  test("its options come from the URL or from the second argument", async () => {
    await using engine = createEngine("postgresql://ann:secret@localhost/shop?poolSize=3");
    expect(engine.pool.size).toBe(3);
    expect(createEngine("postgresql://localhost/shop?poolSize=3", { poolSize: 4 }).pool.size).toBe(4);
  });

  test("an unreachable server is named with its reason, and its password is not", async () => {
    await using engine = createEngine("postgresql://ann:secret@127.0.0.1:1/shop");
    expect(engine.url).not.toContain("secret");
    const error = await failureOf(UnreachableDatabaseError, () => engine.connect());
    expect(error.message).toContain("127.0.0.1:1 (ECONNREFUSED)");
    expect(error.message).not.toContain("secret");
  });
});

describe("createEngine({ dialect })", () => {
  /** node:sqlite as Kysely's SqliteDialect wants its database. */
  function sqliteDialect(): SqliteDialect {
    const database = new DatabaseSync(":memory:");
    database.exec("pragma foreign_keys = on");
    return new SqliteDialect({
      database: {
        prepare: (text: string) => {
          const statement = database.prepare(text);
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

  async function expectWorkingEngine(engine: Engine, placeholder: string): Promise<void> {
    await createAll(engine, { metadata: library() });
    await createAll(engine, { metadata: library() });
    const insert = `insert into authors (email) values (${placeholder})`;
    await engine.begin((connection) => connection.run(insert, ["ann"]));
    const error = await failureOf(IntegrityError, () => engine.begin((connection) => connection.run(insert, ["ann"])));
    expect(error).toMatchObject({ kind: "unique", table: "authors", columns: ["email"] });
    const readOnly = { readOnly: true, isolationLevel: "serializable" } as const;
    await failureOf(OperationalError, () => engine.begin((connection) => connection.run(insert, ["bob"]), readOnly));
    await using connection = await engine.connect();
    await connection.begin();
    await connection.savepoint("a");
    const { rows } = await connection.runEach(`${insert} returning email`, [["bob"], ["cid"]]);
    expect(rows).toEqual([["bob"], ["cid"]]);
    await connection.rollbackToSavepoint("a");
    expect(
      await connection.kysely<{ authors: { email: string } }>().selectFrom("authors").select("email").execute(),
    ).toEqual([{ email: "ann" }]);
    await connection.runEach(insert, [["dan"]]);
    await connection.commit();
    const selected = await connection.run("select id, email from authors order by email");
    expect(selected.rows.map(([, email]) => email)).toEqual(["ann", "dan"]);
    expect(selected.columns).toEqual(["id", "email"]);
    await connection.begin();
    const cursor = await connection.openCursor(
      `select email from authors where email < ${placeholder} order by email`,
      ["x"],
    );
    expect((await cursor.fetch(1)).rows).toEqual([["ann"]]);
    await connection.run("select 1 as one");
    expect(await cursor.fetch(5)).toMatchObject({ rows: [["dan"]], columns: ["email"] });
    expect((await cursor.fetch(5)).rows).toEqual([]);
    await cursor.close();
    const left = await connection.openCursor("select id from authors", []);
    await connection.commit();
    await failureOf(InvalidRequestError, async () => left.fetch(1));
    await connection.close();
    await dropAll(engine, { metadata: library() });
  }

  test("Kysely's SqliteDialect works", async () => {
    await using engine = createEngine({ dialect: sqliteDialect() });
    await expectWorkingEngine(engine, "?");
  });

  test.runIf(testedDatabases().includes("pglite"))("Kysely's PGliteDialect works, with its own parsers", async () => {
    const pglite = await startPGlite();
    await using engine = createEngine({ dialect: new PGliteDialect({ pglite }) });
    await expectWorkingEngine(engine, "$1");
    await using connection = await engine.connect();
    const { rows } = await connection.run(
      "select 5::int8 as a, 2.50::numeric as b, date '2026-02-28' as c, now() as d, '\\x01'::bytea as e",
    );
    const kinds = ["bigint", "numeric", "date", "timestamp", "bytes"] as const;
    const values = kinds.map((kind, index) => {
      const { fromDriver = (value: unknown) => value } = engine.dialect.codec({ kind });
      return fromDriver(rows[0]![index]);
    });
    expect(values).toEqual([5n, "2.50", "2026-02-28", expect.any(Date), new Uint8Array([1])]);
  });

  describe.runIf(testedDatabases().includes("postgres"))("Kysely's PostgresDialect", () => {
    /** Ends the server's process behind a connection, and gives the news the time to arrive. */
    async function killServerProcess(of: unknown): Promise<void> {
      await using killer = createEngine(postgresUrl);
      await killer.begin((connection) => connection.run("select pg_terminate_backend($1)", [of]));
      await pause(50);
    }

    const processId = async (connection: Connection): Promise<unknown> =>
      (await connection.run("select pg_backend_pid()")).rows[0]![0];

    function startPool(): pg.Pool {
      const pool = new pg.Pool({ connectionString: postgresUrl });
      pool.on("error", () => {});
      pool.on("connect", (client) => void client.on("error", () => {}));
      return pool;
    }

    test("a connection that nobody uses is with Kysely's pool, which survives its end", async () => {
      const pool = startPool();
      await using engine = createEngine({ dialect: new PostgresDialect({ pool }) });
      const log: string[] = [];
      for (const name of ["connect", "checkout", "checkin", "invalidate", "close"] as const)
        listen(engine, name, () => void log.push(name));
      const first = await engine.connect();
      const id = await processId(first);
      expect(pool.idleCount).toBe(0);
      await first.close();
      expect(pool.idleCount).toBe(1);
      const second = await engine.connect();
      expect(await processId(second)).toBe(id);
      await second.close();
      await killServerProcess(id);
      expect(pool.totalCount).toBe(0);
      const third = await engine.connect();
      expect(await processId(third)).not.toBe(id);
      await third.close();
      expect(engine.pool.openCount).toBe(1);
      const uses = ["checkout", "checkin"];
      expect(log).toEqual(["connect", ...uses, ...uses, "connect", ...uses]);
    });

    test("a connection that breaks in a transaction is an error, and is replaced", async () => {
      const pool = startPool();
      await using engine = createEngine({ dialect: new PostgresDialect({ pool }) }, { poolSize: 1 });
      const connection = await engine.connect();
      await connection.begin();
      await killServerProcess(await processId(connection));
      const error = await failureOf(OperationalError, () => connection.run("select 1"));
      expect(error).toMatchObject({ name: "ConnectionLostError", isRetryable: true });
      await connection.rollback();
      await connection.close();
      expect(pool.totalCount).toBe(0);
      await using other = await engine.connect();
      expect((await other.run("select 1 as one")).rows).toEqual([[1]]);
    });

    test("a server that cannot be reached is named as such", async () => {
      const pool = new pg.Pool({ connectionString: "postgresql://127.0.0.1:1/none" });
      await using engine = createEngine({ dialect: new PostgresDialect({ pool }) });
      const error = await failureOf(UnreachableDatabaseError, () => engine.connect());
      expect(error.message).toContain("(ECONNREFUSED)");
    });
  });
});
