import { parseArgs } from "node:util";
import { createAll, sessionmaker } from "../../src/index.ts";
import type { TestDatabase } from "../announce-databases.ts";
import { databaseServers } from "../database-servers.ts";
import { ask } from "./ask.ts";
import { fill } from "./contents.ts";
import { metadata } from "./models.ts";
import { questions } from "./questions.ts";

const usage = `Asks a shop of 100,000 rows and more what people ask of one, and compares the answers with those of SQL written by hand.

  npm run --silent questions -- [options]

  --database NAME  sqlite (the default), pglite or postgres; the server is the one at ATHANOR_POSTGRES_URL
  --scale N        1 is some two thousand rows; 50 unless you say otherwise`;

const { values: options } = parseArgs({
  options: {
    database: { type: "string", default: "sqlite" },
    scale: { type: "string", default: "50" },
    help: { type: "boolean", default: false },
  },
});

if (options.help) console.log(usage);
else await main();

async function main(): Promise<void> {
  const server = databaseServers[options.database as TestDatabase]();
  await server.start();
  await server.clear();
  const engine = server.open({});
  await createAll(engine, { metadata });
  const SessionLocal = sessionmaker(engine);
  const started = performance.now();
  const rows = await SessionLocal.begin((session) => fill(session, Number(options.scale)));
  console.log(`${rows} rows saved on ${options.database} in ${seconds(performance.now() - started)}`);
  console.log(`${"rows".padStart(6)} ${"Athanor".padStart(10)} ${"by hand".padStart(10)}`);
  let different = 0;
  for (const question of questions) {
    await using session = SessionLocal();
    const answer = await ask(session, question);
    const isSame = JSON.stringify(answer.asked) === JSON.stringify(answer.byHand);
    if (!isSame || answer.asked.length === 0) different++;
    const times = [answer.askedMilliseconds, answer.byHandMilliseconds].map((time) =>
      `${time.toFixed(1)} ms`.padStart(10),
    );
    console.log(
      `${String(answer.asked.length).padStart(6)} ${times.join(" ")}  ${question.text}${isSame ? "" : ": NOT THE SAME"}`,
    );
    if (!isSame) tell(answer.asked, answer.byHand);
  }
  console.log(`${questions.length} questions, ${different === 0 ? "all" : `${different} not`} answered as by hand`);
  if (different > 0) process.exitCode = 1;
  await engine.dispose();
  await server.stop();
}

/** The first row that differs. */
function tell(asked: readonly (readonly string[])[], byHand: readonly (readonly string[])[]): void {
  const index = Array.from({ length: Math.max(asked.length, byHand.length) }, (_, at) => at).find(
    (at) => String(asked[at]) !== String(byHand[at]),
  );
  if (index !== undefined)
    console.log(`       row ${index}: ${String(asked[index])} and by hand ${String(byHand[index])}`);
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
