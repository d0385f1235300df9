import type { ContenderName } from "./contender.ts";
import type { Entrant, Workload } from "./workload.ts";

/** The times of each contender in milliseconds, by round. */
export type Samples = ReadonlyMap<ContenderName, readonly number[]>;

export interface Rounds {
  readonly warmup: number;
  readonly timed: number;
}

/** One contender's times, and how they compare with another's. */
export interface Comparison {
  readonly medianMs: number;
  readonly minMs: number;
  /**
   * The median of the ratios of each round. The two times of a round were taken within the same second, so what else the machine was doing then slowed
   * both, and cancels out.
   */
  readonly ratio: number;
  /** For comparison: the ratio of the two medians. */
  readonly ratioOfMedians: number;
}

/**
 * Lets the contenders do the workload round by round. Each round goes through all of them, starting with another one each time and every second time
 * backwards, so that nobody is always measured after the same neighbour; every outcome is checked.
 */
export async function measure(workload: Workload, { warmup, timed }: Rounds): Promise<Samples> {
  const entrants: Entrant[] = [];
  for (const name of workload.contenders) entrants.push(await workload.enter(name));
  const samples = new Map<ContenderName, number[]>(entrants.map(({ name }) => [name, []]));
  // Whenever the garbage is collected, each contender has the objects of its last round alive: where it finds none of a class, the collector drops their hidden
  // classes, and with these all machine code that was compiled for them, so that whoever has most of it is measured cold.
  const lastRounds = new Map<Entrant, unknown>();
  for (let round = 0; round < warmup + timed; round++) {
    for (const entrant of rotated(entrants, round)) {
      const { milliseconds, objects } = await timeOnce(entrant, round);
      lastRounds.set(entrant, objects);
      if (round >= warmup) samples.get(entrant.name)?.push(milliseconds);
    }
  }
  return samples;
}

async function timeOnce(
  entrant: Entrant,
  round: number,
): Promise<{ readonly milliseconds: number; readonly objects: unknown }> {
  const trial = await entrant.prepare(round);
  // What the last trial left behind is not this one's to clean up.
  globalThis.gc?.({ type: "minor" });
  const start = performance.now();
  const running = trial.run();
  const outcome = running instanceof Promise ? await running : running;
  const milliseconds = performance.now() - start;
  await trial.check(outcome);
  return { milliseconds, objects: [trial, outcome] };
}

function rotated<T>(items: readonly T[], round: number): T[] {
  const start = round % items.length;
  const order = [...items.slice(start), ...items.slice(0, start)];
  return round % 2 === 0 ? order : order.toReversed();
}

/** Compares the times of one contender with those of another, taken in the same rounds. */
export function compare(times: readonly number[], reference: readonly number[]): Comparison {
  return {
    medianMs: median(times),
    minMs: Math.min(...times),
    ratio: median(times.map((time, round) => time / (reference[round] as number))),
    ratioOfMedians: median(times) / median(reference),
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] as number)) / 2;
}
