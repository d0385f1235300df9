import { createAll, createEngine, type Engine, type EventsOf, listen, type Table } from "../../src/index.ts";
import type { Family } from "./models.ts";
import type { Json } from "./program.ts";

type DriverConnection = Parameters<EventsOf<Engine>["connect"]>[0]["driverConnection"];

/** A fresh database for one program, with the only connection to it. */
export interface Database {
  readonly engine: Engine;
  /** Every row of every table that has any, read on that connection behind the back of engine and session. */
  rows(): Promise<Record<string, Json>>;
  close(): Promise<void>;
}

/** Opens fresh databases for the programs of a run: in memory, or each in a schema of its own on a server of PostgreSQL. */
export async function openDatabase(family: Family, url: string | undefined): Promise<Database> {
  return url === undefined ? openInMemory(family) : openOnServer(family, url);
}

async function openInMemory(family: Family): Promise<Database> {
  const engine = createEngine("sqlite::memory:");
  const connected = connectionOf(engine);
  await createAll(engine, { metadata: family.metadata });
  return { engine, rows: () => readRows(connected(), family), close: () => engine.dispose() };
}

let schemas = 0;

async function openOnServer(family: Family, url: string): Promise<Database> {
  const schema = `conformance_${process.pid}_${++schemas}`;
  const engine = createEngine(url, { poolSize: 1 });
  const connected = connectionOf(engine);
  await engine.begin(async (connection) => {
    await connection.run(`create schema ${schema}`);
    await connection.run(`set search_path to ${schema}`);
    await createAll(connection, { metadata: family.metadata });
    for (const table of family.metadata.tables.values()) {
      // A rollback gives used numbers back in SQLite, and so in the records. A sequence would not.
      for (const statement of countingKeys(table)) await connection.run(statement);
    }
  });
  return {
    engine,
    async rows() {
      // The engine lets the process end while nobody uses the connection, and does not know of this use.
      const alive = setInterval(() => {}, 1000);
      try {
        return await readRows(connected(), family);
      } finally {
        clearInterval(alive);
      }
    },
    async close() {
      await engine.begin((connection) => connection.run(`drop schema ${schema} cascade`));
      await engine.dispose();
    },
  };
}

function countingKeys({ name, primaryKey }: Table): string[] {
  const key = primaryKey.find(({ autoincrement }) => autoincrement)?.name;
  if (key === undefined) return [];
  return [
    `create function next_of_${name}() returns bigint language sql volatile as 'select coalesce(max(${key}), 0) + 1 from ${name}'`,
    `alter table ${name} alter column ${key} drop identity if exists`,
    `alter table ${name} alter column ${key} set default next_of_${name}()`,
  ];
}

/** The one connection that an engine opens. */
function connectionOf(engine: Engine): () => DriverConnection {
  let connection: DriverConnection | undefined;
  listen(engine, "connect", ({ driverConnection }) => {
    connection = driverConnection;
  });
  return () => {
    if (connection === undefined) throw new Error("The engine has opened no connection yet.");
    return connection;
  };
}

async function readRows(connection: DriverConnection, { metadata }: Family): Promise<Record<string, Json>> {
  const tables: Record<string, Json> = {};
  for (const table of metadata.tables.values()) {
    const columns = table.columns.map(({ name }) => `"${name}"`).join(", ");
    const keys = table.primaryKey.map(({ name }) => `"${name}"`).join(", ");
    const reading = connection.run(`select ${columns} from "${table.name}" order by ${keys}`, []);
    const { rows } = reading instanceof Promise ? await reading : reading;
    if (rows.length > 0) tables[table.name] = rows as Json[];
  }
  return tables;
}
