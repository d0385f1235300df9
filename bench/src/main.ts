import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { parseOptions, usage } from "./options.ts";
import { profileWorkload } from "./profile.ts";
import { renderJson, renderTable } from "./report.ts";
import { runBenchmark } from "./run.ts";

/** Measures and reports; it judges nobody, so the exit code says only whether the benchmark itself worked. */
const options = parseOptions(process.argv.slice(2));
if (options === undefined) {
  console.error(usage);
  process.exitCode = 2;
} else {
  exposeGarbageCollector();
  if (options.profile !== undefined) await profileWorkload(options.profile);
  else {
    const report = await runBenchmark(options);
    console.log(options.json ? renderJson(report) : renderTable(report));
  }
}

/** As `node --expose-gc` does; the benchmark is started without it. */
function exposeGarbageCollector(): void {
  if (globalThis.gc !== undefined) return;
  setFlagsFromString("--expose-gc");
  globalThis.gc = runInNewContext("gc") as NodeJS.GCFunction;
}
