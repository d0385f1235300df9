import type { ContenderName } from "./contender.ts";

/** What a contender does against the clock, and whether it has really done it. */
export interface Trial {
  run(): unknown;
  /** Throws if the outcome of the run is not what it should be. */
  check(outcome: unknown): Promise<void>;
}

/** One thing that is measured, the same for every contender. */
export interface Workload {
  readonly title: string;
  /** How many times the raw driver's time Athanor may take; undefined where it is measured for information. */
  readonly target: number | undefined;
  readonly contenders: readonly ContenderName[];
  /** Opens a contender, and brings its tables to where every round may start from. */
  enter(name: ContenderName): Promise<Entrant>;
}

/** A contender that takes part in a workload. */
export interface Entrant {
  readonly name: ContenderName;
  /** Readies one round; nothing of it is timed but the trial's `run`. */
  prepare(round: number): Promise<Trial>;
}

/** How the contenders for one kind of data are opened. */
export type Openers<TContender> = Readonly<Partial<Record<ContenderName, () => TContender | Promise<TContender>>>>;

/** A workload on one kind of data. */
interface WorkloadDefinition<TContender> extends Omit<Workload, "enter"> {
  readonly openers: Openers<TContender>;
  setUp?(contender: TContender): Promise<void>;
  prepare(contender: TContender, round: number): Promise<Trial>;
}

export function defineWorkload<TContender>(definition: WorkloadDefinition<TContender>): Workload {
  const { openers, prepare, setUp, ...workload } = definition;
  return {
    ...workload,
    enter: async (name) => {
      const open = openers[name];
      if (open === undefined) throw new Error(`${name} does not take part in ${workload.title}.`);
      const contender = await open();
      await setUp?.(contender);
      return { name, prepare: (round) => prepare(contender, round) };
    },
  };
}
