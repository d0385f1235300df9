import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import fc from "fast-check";
import { createAll } from "../../src/index.ts";
import type { TestDatabase } from "../announce-databases.ts";
import { databaseServers } from "../database-servers.ts";
import { metadata } from "./models.ts";
import { routes } from "./operations.ts";
import { walk } from "./walk.ts";

const usage = `Changes random graphs at random, and compares objects and tables with a plain model of them.

  npm run --silent model-test -- [options]

  --runs N         how many routes to take: 100000 unless you say otherwise
  --minutes N      takes no more after so many minutes
  --database NAME  sqlite (the default), pglite or postgres; the server is the one at ATHANOR_POSTGRES_URL
  --workers N      how many at a time: as many as the machine has cores
  --seed N         which routes: random unless you say otherwise
  --path PATH      repeats the one route that failed with this seed`;

/** A worker takes so many routes before it tells. */
const batchSize = 500;

/** Routes for a worker to take. */
interface Batch {
  readonly seed: number;
  readonly runs: number;
  readonly path: string | undefined;
}

/** What has come of them. */
interface Outcome {
  readonly runs: number;
  readonly failure: { readonly seed: number; readonly path: string; readonly report: string } | undefined;
}

const { values: options } = parseArgs({
  options: {
    runs: { type: "string", default: "100000" },
    minutes: { type: "string", default: "Infinity" },
    database: { type: "string", default: "sqlite" },
    workers: { type: "string", default: String(availableParallelism()) },
    seed: { type: "string" },
    path: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

if (!isMainThread) await work();
else if (options.help) console.log(usage);
else await main();

/** Hands out batches until all are done, or one has failed. */
async function main(): Promise<void> {
  const first = Number(options.seed ?? Math.trunc(Math.random() * 2 ** 31));
  const wanted = options.path === undefined ? Number(options.runs) : 1;
  const started = performance.now();
  const deadline = started + Number(options.minutes) * 60_000;
  console.log(`${wanted} routes on ${options.database}, seed ${first}`);
  let given = 0;
  let taken = 0;
  let failure: Outcome["failure"];
  const next = (): Batch | undefined => {
    if (given >= wanted || failure !== undefined || performance.now() > deadline) return undefined;
    const runs = Math.min(batchSize, wanted - given);
    const batch = { seed: first + given / batchSize, runs, path: options.path };
    given += runs;
    return batch;
  };
  const seconds = (): string => `${Math.round((performance.now() - started) / 1000)} s`;
  const progress = setInterval(() => console.log(`${taken} routes, ${seconds()}`), 30_000);
  const hire = async (): Promise<void> => {
    const worker = new Worker(new URL(import.meta.url), { argv: process.argv.slice(2) });
    await new Promise<void>((resolve, reject) => {
      const give = (): void => worker.postMessage(next());
      worker.on("error", reject);
      worker.on("exit", () => resolve());
      worker.on("message", (outcome: Outcome | "ready") => {
        if (outcome !== "ready") {
          taken += outcome.runs;
          failure ??= outcome.failure;
        }
        give();
      });
    });
  };
  await Promise.all(Array.from({ length: wanted === 1 ? 1 : Number(options.workers) }, hire));
  clearInterval(progress);
  if (failure !== undefined) {
    console.log(failure.report);
    console.log(
      `Again: npm run -s model-test -- --database ${options.database} --seed ${failure.seed} --path ${failure.path}`,
    );
    process.exitCode = 1;
  }
  console.log(`${taken} routes in ${seconds()}, ${failure === undefined ? "none" : "one"} failed`);
}

/** Takes the routes that it is given, on a database of its own. */
async function work(): Promise<void> {
  const server = databaseServers[options.database as TestDatabase]();
  await server.start();
  const engine = server.open({});
  await createAll(engine, { metadata });
  parentPort?.postMessage("ready");
  for await (const batch of batches()) {
    const { seed, runs, path } = batch;
    const result = await fc.check(
      fc.asyncProperty(routes, (route) => walk(engine, route)),
      { seed, numRuns: runs, ...(path === undefined ? {} : { path }) },
    );
    const failure = result.failed
      ? {
          seed,
          path: result.counterexamplePath ?? "",
          report: String((result.errorInstance as Error | null)?.message ?? "It was interrupted."),
        }
      : undefined;
    parentPort?.postMessage({ runs: result.numRuns, failure } satisfies Outcome);
  }
  await engine.dispose();
  await server.stop();
}

/** What the main thread gives, until it has nothing more. */
async function* batches(): AsyncGenerator<Batch> {
  while (true) {
    const batch = await new Promise<Batch | undefined>((resolve) => {
      parentPort?.once("message", resolve);
    });
    if (batch === undefined) break;
    yield batch;
  }
}
