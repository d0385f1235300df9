import { expect, test } from "vitest";
import {
  type Connection,
  ConnectionLostError,
  createAll,
  type DatabaseError,
  type Engine,
  inspect,
  type Instance,
  load,
  PendingRollbackError,
  type Session,
  sessionmaker,
} from "../../src/index.ts";
import { type Database, forEachDatabase } from "../databases.ts";
import { type Fault, FaultyDriver, InjectedError } from "../faulty-driver.ts";
import { loadWorld, metadata, models, relationships, saveWorld, type World } from "../many-kinds.ts";
import { type Progress, runProgram } from "../random-program.ts";

/** The rows of all tables as they are. */
type Rows = Readonly<Record<string, readonly (readonly unknown[])[]>>;

const tables = ["badges", "owners", "pets", "toys", "owner_badges", "nodes", "vehicles", "cars", "seats"];

/** A database with the same rows at the start of each run, whose driver fails when it is told to. */
class Laboratory {
  readonly engine: Engine;
  readonly driver: FaultyDriver;
  /** The rows at the start of each run. */
  start: Rows = {};
  /** What the instances of those rows are like. */
  described: unknown[] = [];
  #columns: Record<string, readonly string[]> = {};

  constructor(db: Database) {
    this.engine = db.engine();
    this.driver = new FaultyDriver(this.engine);
  }

  async prepare(): Promise<void> {
    await createAll(this.engine, { metadata });
    await sessionmaker(this.engine).begin((session) => saveWorld(session));
    this.start = await this.rows();
    await using session = this.session();
    this.described = await describeWorld(await loadWorld(session));
  }

  session(autoflush = true): Session {
    return sessionmaker(this.engine, { models, autoflush, onWarning: () => {} })();
  }

  async rows(): Promise<Rows> {
    const rows: Record<string, readonly (readonly unknown[])[]> = {};
    await using connection = await this.engine.connect();
    for (const table of tables) {
      const result = await connection.run(`select * from ${table} order by 1, 2`);
      this.#columns[table] ??= [...result.columns];
      rows[table] = result.rows;
    }
    return rows;
  }

  /** The rows without generated keys: what refers to another row has that one's name. */
  named(rows: Rows): Rows {
    const names = new Map<string, unknown>();
    for (const table of tables) {
      const [id, name] = ["id", "name"].map((column) => this.#columns[table]?.indexOf(column) ?? -1) as [
        number,
        number,
      ];
      if (id >= 0 && name >= 0) for (const row of rows[table] ?? []) names.set(`${table} ${row[id]}`, row[name]);
    }
    for (const row of rows["cars"] ?? []) names.set(`cars ${row[0]}`, names.get(`vehicles ${row[0]}`));
    const targets: Readonly<Record<string, string>> = {
      owner_id: "owners",
      favorite_id: "pets",
      pet_id: "pets",
      badge_id: "badges",
      parent_id: "nodes",
      car_id: "cars",
    };
    return Object.fromEntries(
      tables.map((table) => {
        const named = (rows[table] ?? []).map((row) =>
          (this.#columns[table] ?? []).map((column, index) => {
            const target = column === "id" ? table : targets[column];
            return target === undefined || row[index] === null
              ? row[index]
              : names.get(`${target} ${String(row[index])}`);
          }),
        );
        return [table, named.map((row) => JSON.stringify(row)).sort()];
      }),
    ) as unknown as Rows;
  }

  async restore(): Promise<void> {
    await this.engine.begin(async (connection) => {
      await connection.run("update owners set favorite_id = null");
      for (const table of tables.toReversed()) await connection.run(`delete from ${table}`);
      for (const table of tables) await this.#insert(connection, table);
    });
  }

  async #insert(connection: Connection, table: string): Promise<void> {
    const columns = this.#columns[table] ?? [];
    const favorite = columns.indexOf("favorite_id");
    const rows = this.start[table] ?? [];
    const values = rows.map(
      (row) => `(${row.map((value, index) => literal(index === favorite ? null : value)).join(", ")})`,
    );
    await connection.run(`insert into ${table} (${columns.join(", ")}) values ${values.join(", ")}`);
    if (table !== "pets") return;
    const owners = this.#columns["owners"] ?? [];
    for (const row of this.start["owners"] ?? []) {
      const [id, pet] = [row[owners.indexOf("id")], row[owners.indexOf("favorite_id")]];
      if (pet !== null)
        await connection.run(`update owners set favorite_id = ${literal(pet)} where id = ${literal(id)}`);
    }
  }
}

function literal(value: unknown): string {
  return value === null ? "null" : typeof value === "string" ? `'${value}'` : String(value);
}

/** What an instance is like when everything of it is loaded. */
async function describeLoaded(instance: Instance): Promise<unknown> {
  const { mapper } = inspect(instance);
  const names = namesOf(instance);
  const columns = mapper.columnProperties.map(({ key }) => key);
  await load(instance, ...([...columns, ...names] as never[]));
  return [
    mapper.class.name,
    columns.map((key) => valueOf(instance, key)),
    describeRelated(instance, names, (related) => valueOf(related, "name")),
  ];
}

function namesOf(instance: Instance): readonly string[] {
  return relationships[inspect(instance).mapper.class.name] ?? [];
}

function describeRelated(
  instance: Instance,
  names: readonly string[],
  describe: (related: Instance) => unknown,
): unknown {
  return names.map((name) => {
    const value = valueOf(instance, name) as Instance | readonly Instance[] | null;
    return (Array.isArray(value) ? value : [value]).map((each: Instance | null) => each && describe(each));
  });
}

function valueOf(instance: Instance, key: string): unknown {
  return (instance as unknown as Record<string, unknown>)[key];
}

const numbers = new WeakMap<object, number>();
let numbered = 0;

/** Tells an instance from others, whatever is loaded of it. */
function numberOf(instance: Instance): number {
  const known = numbers.get(instance) ?? ++numbered;
  numbers.set(instance, known);
  return known;
}

/** Whether everything of it is in memory: what was saved and then expired, as by a savepoint's rollback, had its values in the database alone. */
function isWhole(instance: Instance): boolean {
  const { unloaded, mapper } = inspect(instance);
  return unloaded.size === 0 && mapper.relationships.every(({ key }) => isReadable(instance, key));
}

function isReadable(instance: Instance, key: string): boolean {
  try {
    valueOf(instance, key);
    return true;
  } catch {
    return false;
  }
}

/** What the program has given a new instance. */
function describeMade(instance: Instance): unknown {
  return [valueOf(instance, "name"), describeRelated(instance, namesOf(instance), numberOf)];
}

async function describeWorld(world: World): Promise<unknown[]> {
  const described: unknown[] = [];
  for (const instance of Object.values(world).flat() as Instance[]) described.push(await describeLoaded(instance));
  return described;
}

/** Programs that repeat a savepoint that has failed. They load without flushing, so that they do the same whatever is loaded. */
const recovers = (seed: number): boolean => seed % 2 === 1;

/** Which faults a statement gets: those that begin and end transactions all, the others one, in turn. */
function faultsOf(statement: string, turn: number): Fault[] {
  const ends: Fault[] = ["refused", "answerless", "lost", "lostAfter", "twice"];
  // The answer of a COMMIT that has taken effect is lost only along with the connection.
  if (statement === "commit") return ends.filter((fault) => fault !== "answerless");
  if (/^(begin|savepoint|release|rollback)/.test(statement)) return ends;
  const all: Fault[] = [...ends, "partly"];
  return [all[turn % all.length] as Fault];
}

forEachDatabase((db) => {
  // A round trip costs too much to try everything where SQLite has.
  const [programs, share] = db.name === "sqlite" ? [50, 1] : [25, 6];

  test(
    `when any statement of any change fails, the database and the objects are as before, and the session goes on`,
    { timeout: 120_000 },
    async () => {
      const laboratory = new Laboratory(db);
      await laboratory.prepare();
      const { driver } = laboratory;
      let turn = 0;
      for (let seed = 0; seed < programs; seed++) {
        // What the program does when nothing fails.
        await laboratory.restore();
        await using session = laboratory.session(!recovers(seed));
        const world = await loadWorld(session);
        await session.commit();
        driver.watch();
        await runProgram(seed, session, world);
        driver.rest();
        const statements = [...driver.statements];
        const end = laboratory.named(await laboratory.rows());
        for (const [at, statement] of statements.entries()) {
          for (const fault of faultsOf(statement, turn++)) {
            if (turn % share === 0) await tryFault(laboratory, { seed, at, fault, statement }, end);
          }
        }
      }
      await driver.dispose();
    },
  );
});

interface Trial {
  readonly seed: number;
  readonly at: number;
  readonly fault: Fault;
  readonly statement: string;
}

async function tryFault(laboratory: Laboratory, { seed, at, fault, statement }: Trial, end: Rows): Promise<void> {
  const trial = `program ${seed}, statement ${at} (${statement}) ${fault}`;
  const { driver } = laboratory;
  await laboratory.restore();
  await using session = laboratory.session(!recovers(seed));
  const world = await loadWorld(session);
  await session.commit();
  const progress: Progress = { made: [], hasRecovered: false };
  let made: (readonly [Instance, unknown])[] = [];
  driver.plan(at, fault, () => {
    made = progress.made.filter(isWhole).map((instance) => [instance, describeMade(instance)]);
  });
  const failure: unknown = await runProgram(seed, session, world, { recovers: recovers(seed), progress }).catch(
    (error: unknown) => error,
  );
  driver.rest();
  if (progress.hasRecovered && failure === undefined) {
    expect([trial, laboratory.named(await laboratory.rows())]).toEqual([trial, end]);
    return;
  }
  const isLost = fault === "lost" || fault === "lostAfter";
  // A savepoint that cannot be rolled back takes everything with it, which whatever comes next is told.
  const reason: unknown = failure instanceof PendingRollbackError ? failure.cause : failure;
  expect([trial, reason]).toEqual([trial, expect.any(isLost ? ConnectionLostError : InjectedError)]);
  if (statement === "commit" && fault === "lostAfter") {
    await expectUnknown(laboratory, trial, session, failure, end);
    return;
  }
  await session.rollback();
  expect([trial, await laboratory.rows()]).toEqual([trial, laboratory.start]);
  expect([trial, session.new.size, session.dirty.size, session.deleted.size]).toEqual([trial, 0, 0, 0]);
  expect([trial, session.isActive, session.inTransaction()]).toEqual([trial, true, false]);
  for (const [instance, described] of made) {
    expect([trial, inspect(instance).lifecycle]).toEqual([trial, "transient"]);
    if (isWhole(instance)) expect([trial, describeMade(instance)]).toEqual([trial, described]);
  }
  const known = Object.values(world).flat() as Instance[];
  expect([trial, known.map((instance) => inspect(instance).lifecycle)]).toEqual([trial, known.map(() => "persistent")]);
  expect([trial, session.identityMap.size]).toEqual([trial, known.length]);
  expect([trial, await describeWorld(world)]).toEqual([trial, laboratory.described]);
  await session.commit();
  // The same again, in the same session: of new graphs the very instances, otherwise the program.
  if (seed % 8 === 0) {
    session.addAll(progress.made);
    await session.commit();
  } else {
    session.expireAll();
    const again = await loadWorld(session);
    await session.commit();
    await runProgram(seed, session, again);
  }
  expect([trial, laboratory.named(await laboratory.rows())]).toEqual([trial, end]);
}

/** The answer of COMMIT was lost: the work is saved, and the error says that nobody knows. */
async function expectUnknown(
  laboratory: Laboratory,
  trial: string,
  session: Session,
  failure: unknown,
  end: Rows,
): Promise<void> {
  expect([trial, failure]).toEqual([trial, expect.any(ConnectionLostError)]);
  expect((failure as DatabaseError).message).toContain("nobody knows");
  expect((failure as DatabaseError).isRetryable).toBe(false);
  expect([trial, laboratory.named(await laboratory.rows())]).toEqual([trial, end]);
  session.expungeAll();
  await loadWorld(session);
  await session.commit();
}
