import { arch, cpus, loadavg, platform } from "node:os";
import type { Contender, ContenderName } from "./contender.ts";
import { openAthanor, openAthanorWithListeners } from "./contenders/athanor.ts";
import { openMikroOrm } from "./contenders/mikroorm.ts";
import { RawArraysContender, RawContender } from "./contenders/raw.ts";
import { compare, type Comparison, measure, type Rounds, type Samples } from "./measure.ts";
import type { Options } from "./options.ts";
import { type Workload, type WorkloadName, workloads } from "./workloads.ts";

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

const openers: Readonly<Record<ContenderName, () => Contender | Promise<Contender>>> = {
  raw: () => new RawContender(),
  rawArrays: () => new RawArraysContender(),
  athanor: openAthanor,
  athanorListeners: openAthanorWithListeners,
  mikroorm: openMikroOrm,
};

/** Runs the chosen workloads one after another, and holds the results against the targets. */
export async function runBenchmark({ only, rounds, json }: Pick<Options, "only" | "rounds" | "json">): Promise<Report> {
  const reports: Partial<Record<WorkloadName, WorkloadReport>> = {};
  const targets: Target[] = [];
  for (const name of only) {
    const workload = workloads[name];
    if (!json) console.error(`${workload.title}, ${rounds.timed} rounds …`);
    const samples = await measure(workload, await openContenders(workload), rounds);
    reports[name] = compareWithRaw(samples);
    targets.push(...targetsOf(workload, samples));
  }
  return { machine: describeMachine(), rounds, workloads: reports, targets };
}

async function openContenders({ contenders }: Workload): Promise<Contender[]> {
  const opened: Contender[] = [];
  for (const name of contenders) opened.push(await openers[name]());
  return opened;
}

function compareWithRaw(samples: Samples): WorkloadReport {
  const raw = timesOf(samples, "raw");
  const report: WorkloadReport = {};
  for (const [name, times] of samples) report[name] = compare(times, raw);
  return report;
}

function targetsOf({ name, target }: Workload, samples: Samples): Target[] {
  const athanor = timesOf(samples, "athanor");
  const targets = [makeTarget(name, target, compare(athanor, timesOf(samples, "raw")).ratio)];
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
