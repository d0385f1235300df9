import { mkdir, writeFile } from "node:fs/promises";
import type { Profiler } from "node:inspector";
import { Session } from "node:inspector/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type WorkloadName, workloads } from "./workloads.ts";

const profileSeconds = 5;
const warmupSeconds = 1;
const shownFunctions = 25;

interface Interval {
  readonly start: number;
  readonly end: number;
}

/**
 * Runs Athanor's side of a workload again and again under the CPU profiler, writes the profile for Chrome's or VS Code's viewer, and prints where the time went. Only
 * what the benchmark times is counted.
 */
export async function profileWorkload(name: WorkloadName): Promise<void> {
  const entrant = await workloads[name].enter("athanor");
  let round = 0;
  const runOnce = async (): Promise<Interval> => {
    const trial = await entrant.prepare(round++);
    const start = microseconds();
    const running = trial.run();
    const outcome = running instanceof Promise ? await running : running;
    const end = microseconds();
    await trial.check(outcome);
    return { start, end };
  };
  await repeat(runOnce, warmupSeconds);

  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: 100 });
  await session.post("Profiler.start");
  const intervals = await repeat(runOnce, profileSeconds);
  const { profile } = await session.post("Profiler.stop");
  session.disconnect();

  const timed = onlyWithin(profile, intervals);
  const directory = join(import.meta.dirname, "../profiles");
  await mkdir(directory, { recursive: true });
  const path = join(directory, `${name}.cpuprofile`);
  await writeFile(path, JSON.stringify(timed));
  console.log(describeSelfTimes(timed, intervals.length));
  console.log(`\n${relative(process.cwd(), path)} has the whole profile.`);
}

/** Repeats until so many seconds of timed work have passed. */
async function repeat(runOnce: () => Promise<Interval>, seconds: number): Promise<Interval[]> {
  const intervals: Interval[] = [];
  for (let passed = 0; passed < seconds * 1e6;) {
    const interval = await runOnce();
    intervals.push(interval);
    passed += interval.end - interval.start;
  }
  return intervals;
}

/** The monotonic clock, which the profiler reads too. */
function microseconds(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

/** The profile without the samples that were taken between the intervals. */
function onlyWithin(profile: Profiler.Profile, intervals: readonly Interval[]): Profiler.Profile {
  const samples: number[] = [];
  const timeDeltas: number[] = [];
  let time = profile.startTime;
  let next = 0;
  profile.samples?.forEach((sample, index) => {
    const delta = profile.timeDeltas?.[index] ?? 0;
    time += delta;
    while (next < intervals.length && (intervals[next] as Interval).end < time) next++;
    const interval = intervals[next];
    if (interval === undefined || time < interval.start) return;
    samples.push(sample);
    // The first sample of an interval follows the time that does not count.
    timeDeltas.push(Math.min(delta, time - interval.start));
  });
  return { ...profile, samples, timeDeltas };
}

function describeSelfTimes(profile: Profiler.Profile, runs: number): string {
  const selfTimes = new Map<number, number>();
  let total = 0;
  profile.samples?.forEach((id, index) => {
    // A delta is the time before its sample, so what it tells is how long the one before went on; over many samples it is the same.
    const delta = profile.timeDeltas?.[index] ?? 0;
    selfTimes.set(id, (selfTimes.get(id) ?? 0) + delta);
    total += delta;
  });
  const byFunction = new Map<string, number>();
  for (const { id, callFrame } of profile.nodes) {
    const label = `${callFrame.functionName || "(anonymous)"}  ${placeOf(callFrame)}`;
    byFunction.set(label, (byFunction.get(label) ?? 0) + (selfTimes.get(id) ?? 0));
  }
  const top = [...byFunction].toSorted(([, left], [, right]) => right - left).slice(0, shownFunctions);
  return [
    `${runs} runs, ${(total / 1000 / runs).toFixed(1)} ms each. Self time:`,
    ...top.map(
      ([label, time]) =>
        `${((100 * time) / total).toFixed(1).padStart(6)} %${(time / 1000 / runs).toFixed(2).padStart(9)} ms  ${label}`,
    ),
  ].join("\n");
}

function placeOf({ functionName: name, url, lineNumber }: Profiler.Profile["nodes"][number]["callFrame"]): string {
  if (url === "") return name === "" ? "generated code" : "";
  const path = url.startsWith("file:") ? relative(join(import.meta.dirname, "../.."), fileURLToPath(url)) : url;
  return `${path}:${lineNumber + 1}`;
}
