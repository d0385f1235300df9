import { arch, cpus, loadavg, platform } from "node:os";
import type { ContenderName } from "./contender.ts";
import { compare, type Comparison, measure, type Rounds, type Samples } from "./measure.ts";
import type { Options } from "./options.ts";
import { type WorkloadName, workloads } from "./workloads.ts";

/** Everything that one run found out. */
export interface Report {
  readonly machine: {
    readonly node: string;
    readonly platform: string;
    readonly cpu: string;
    readonly cpuCount: number;
    /** How many threads wanted to run, on average over the last minute of the benchmark; it needs one, and helpers for the garbage now and then. */
    readonly loadAverage: number;
  };
  readonly rounds: Rounds;
  readonly workloads: Partial<Record<WorkloadName, WorkloadReport>>;
  readonly targets: readonly Target[];
}

/** Each contender against the raw driver. */
export type WorkloadReport = Partial<Record<ContenderName, Comparison>>;

export interface Target {
  readonly name: string;
  readonly target: number;
  readonly ratio: number;
  readonly met: boolean;
}

/** How many times our own time without listeners we may take with them. */
const listenersTarget = 1.3;

/** Runs the chosen workloads one after another, and holds the results against the targets. */
export async function runBenchmark({ only, rounds, json }: Pick<Options, "only" | "rounds" | "json">): Promise<Report> {
  const reports: Partial<Record<WorkloadName, WorkloadReport>> = {};
  const targets: Target[] = [];
  for (const name of only) {
    const workload = workloads[name];
    if (!json) console.error(`${workload.title}, ${rounds.timed} rounds …`);
    const samples = await measure(workload, rounds);
    reports[name] = compareWithRaw(samples);
    targets.push(...targetsOf(name, workload.target, samples));
  }
  return { machine: describeMachine(), rounds, workloads: reports, targets };
}

function compareWithRaw(samples: Samples): WorkloadReport {
  const raw = timesOf(samples, "raw");
  const report: WorkloadReport = {};
  for (const [name, times] of samples) report[name] = compare(times, raw);
  return report;
}

function targetsOf(name: WorkloadName, target: number | undefined, samples: Samples): Target[] {
  const athanor = timesOf(samples, "athanor");
  const targets: Target[] = [];
  if (target !== undefined) targets.push(makeTarget(name, target, compare(athanor, timesOf(samples, "raw")).ratio));
  const listening = samples.get("athanorListeners");
  if (listening !== undefined)
    targets.push(
      makeTarget(`${name} with listeners, against without`, listenersTarget, compare(listening, athanor).ratio),
    );
  return targets;
}

function makeTarget(name: string, target: number, ratio: number): Target {
  return { name, target, ratio, met: ratio <= target };
}

function timesOf(samples: Samples, name: ContenderName): readonly number[] {
  const times = samples.get(name);
  if (times === undefined) throw new Error(`The workload does not measure ${name}.`);
  return times;
}

function describeMachine(): Report["machine"] {
  const processors = cpus();
  return {
    node: process.version,
    platform: `${platform()} ${arch()}`,
    cpu: processors[0]?.model ?? "unknown",
    cpuCount: processors.length,
    loadAverage: loadavg()[0] ?? 0,
  };
}
