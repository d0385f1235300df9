import { parseArgs } from "node:util";
import type { Rounds } from "./measure.ts";
import { type WorkloadName, workloadNames } from "./workloads.ts";

export interface Options {
  readonly json: boolean;
  readonly only: readonly WorkloadName[];
  readonly rounds: Rounds;
  /** Profile this workload instead of measuring. */
  readonly profile: WorkloadName | undefined;
}

export const usage = `Usage: npm run -s bench -- [--json] [--only ${workloadNames.join(",")}] [--rounds 21] [--profile ${workloadNames.join("|")}]`;

/** What the command line asks for; undefined where it cannot be understood. */
export function parseOptions(args: string[]): Options | undefined {
  try {
    const { values } = parseArgs({
      args,
      options: {
        json: { type: "boolean", default: false },
        only: { type: "string", default: workloadNames.join(",") },
        rounds: { type: "string", default: "21" },
        profile: { type: "string" },
      },
    });
    const timed = Number(values.rounds);
    const only = values.only.split(",");
    const { profile } = values;
    if (!Number.isInteger(timed) || timed < 1 || !only.every(isWorkloadName)) return undefined;
    if (profile !== undefined && !isWorkloadName(profile)) return undefined;
    return { json: values.json, only, rounds: { warmup: 5, timed }, profile };
  } catch {
    // An option that does not exist, or a missing value: the usage says what there is.
    return undefined;
  }
}

function isWorkloadName(name: string): name is WorkloadName {
  return (workloadNames as readonly string[]).includes(name);
}
