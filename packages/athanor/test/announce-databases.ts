/** The databases that tests can run on, in the order in which they are reported. */
const knownDatabases = ["sqlite", "pglite", "postgres"] as const;

export type TestDatabase = (typeof knownDatabases)[number];

const defaultDatabases = "sqlite,pglite";

const howToEnable: Record<TestDatabase, string> = {
  sqlite: "",
  pglite: "",
  postgres: " and ATHANOR_POSTGRES_URL",
};

/** The server that tests use when ATHANOR_DATABASES names postgres. */
export const postgresUrl: string = process.env.ATHANOR_POSTGRES_URL || "postgresql://postgres@127.0.0.1:5432/test";

/** The databases that this run tests: those that ATHANOR_DATABASES names, or the ones that need no server. */
export function testedDatabases(names: string = process.env.ATHANOR_DATABASES || defaultDatabases): TestDatabase[] {
  const wanted = names.split(",").map((name) => name.trim());
  for (const name of wanted) {
    if (!knownDatabases.some((known) => known === name)) {
      throw new Error(`ATHANOR_DATABASES names "${name}", which is not one of ${knownDatabases.join(", ")}.`);
    }
  }
  return knownDatabases.filter((known) => wanted.includes(known));
}

/** Says which databases were tested, which were not, and how to test those too. */
export function describeDatabases(tested: readonly TestDatabase[]): string {
  const skipped = knownDatabases.filter((known) => !tested.includes(known));
  const summary = `databases: ${tested.join(", ")}`;
  if (skipped.length === 0) return summary;
  const variables = skipped.map((name) => howToEnable[name]).join("");
  return `${summary} · skipped: ${skipped.join(", ")} (set ATHANOR_DATABASES=${knownDatabases.join(",")}${variables})`;
}

async function expectPostgres(): Promise<void> {
  const { Client } = await import("pg");
  const client = new Client({ connectionString: postgresUrl, connectionTimeoutMillis: 5_000 });
  try {
    await client.connect();
    await client.query("select 1");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message || String((cause as { code?: unknown }).code) : String(cause);
    throw new Error(
      `ATHANOR_DATABASES names postgres, but no server answers at ATHANOR_POSTGRES_URL (${reason}). ` +
        "Start PostgreSQL, point ATHANOR_POSTGRES_URL at it, or leave postgres out of ATHANOR_DATABASES.",
    );
  } finally {
    await client.end().catch(() => {});
  }
}

let reached: readonly TestDatabase[] | undefined;

/** Fails the run before its first test if a database that it names cannot be reached; Vitest calls this once per run. */
export async function setup(): Promise<void> {
  const tested = testedDatabases();
  if (tested.includes("postgres")) await expectPostgres();
  reached = tested;
}

/** Reports the databases after the summary, on stderr, so that reporters which print JSON stay clean. */
export function teardown(): void {
  if (reached !== undefined) process.stderr.write(`${describeDatabases(reached)}\n`);
}
