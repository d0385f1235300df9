import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { describeDifference, type Difference, firstDifference, summarizeDifference } from "./compare.ts";
import { type Program, readPrograms } from "./program.ts";
import { type Run, runProgram } from "./run.ts";

const usage = `Runs conformance programs, and compares what Athanor does with what SQLAlchemy did.

  npm run --silent conformance -- [options] [file or folder …]

  --only TEXT       only programs whose id contains the text
  --summary         groups the failures by what differs first
  --trace           prints each program's own records as a line of JSON, and compares nothing
  --database URL    runs on that PostgreSQL server, each program in a schema of its own

Without a path it runs the programs beside it.`;

interface Failure {
  readonly program: Program;
  readonly difference: Difference;
  readonly error: unknown;
}

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: "string" },
    summary: { type: "boolean", default: false },
    trace: { type: "boolean", default: false },
    database: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

let running = "";
// What the library rejects with nobody waiting is a fault of its own, and must not end the run of all the others.
process.on("unhandledRejection", (error) => console.error(`${running}: nobody waited for`, error));

if (options.help) console.log(usage);
else await main();

async function main(): Promise<void> {
  const paths = positionals.length > 0 ? positionals : [fileURLToPath(new URL("programs", import.meta.url))];
  const programs = readPrograms(paths).filter(({ id }) => id.includes(options.only ?? ""));
  const failures: Failure[] = [];
  for (const program of programs) {
    running = program.id;
    const run = await runProgram(program, options.database);
    if (options.trace) console.log(JSON.stringify({ id: program.id, trace: run.trace }));
    else failures.push(...failureOf(program, run));
  }
  if (options.trace) return;
  if (options.summary) printSummary(failures);
  else for (const failure of failures) console.log(describeFailure(failure));
  console.log(`${programs.length - failures.length} passed, ${failures.length} failed`);
  if (failures.length > 0) process.exitCode = 1;
}

function failureOf(program: Program, { trace, errors }: Run): Failure[] {
  const difference = firstDifference(program.trace, trace);
  return difference === undefined ? [] : [{ program, difference, error: errors.get(difference.index) }];
}

function describeFailure({ program, difference, error }: Failure): string {
  const described = `${program.id}\n${describeDifference(difference)}`;
  if (error === undefined || difference.actual?.error === difference.expected?.error) return `${described}\n`;
  return `${described}\n    threw ${(error instanceof Error && error.stack) || String(error)}\n`;
}

/** The commonest differences first, each with some of the programs that show it. */
function printSummary(failures: readonly Failure[]): void {
  const groups = Object.entries(Object.groupBy(failures, ({ difference }) => summarizeDifference(difference)));
  for (const [what, group = []] of groups.sort(([, left = []], [, right = []]) => right.length - left.length)) {
    const examples = group.slice(0, 3).map(({ program, difference }) => `${program.id} (${difference.index + 1})`);
    console.log(`${String(group.length).padStart(5)}  ${what}    ${examples.join(", ")}`);
  }
}
