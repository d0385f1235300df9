import type { Contender, ContenderName } from "./contender.ts";
import { changeOf, digest, makePeople, type Person, type PersonValues } from "./people.ts";

/** What a contender does against the clock, and whether it has really done it. */
export interface Trial {
  run(): unknown;
  /** Throws if the outcome of the run is not what it should be. */
  check(outcome: unknown): Promise<void>;
}

/** One thing that is measured, the same for every contender. */
export interface Workload {
  readonly name: WorkloadName;
  readonly title: string;
  /** How many times the raw driver's time Athanor may take. */
  readonly target: number;
  readonly contenders: readonly ContenderName[];
  /** Brings the contender's table to where every round may start from. */
  setUp(contender: Contender): Promise<void>;
  /** Readies one round; nothing of it is timed but the trial's `run`. */
  prepare(contender: Contender, round: number): Promise<Trial>;
}

export const workloadNames = ["insert", "load", "update", "get"] as const;

export type WorkloadName = (typeof workloadNames)[number];

const people = makePeople(10_000);
const updateCount = 5_000;
const getCount = 3_000;

const stored = people.map(storedPerson);
const storedDigest = digest(stored);

const insert: Workload = {
  name: "insert",
  title: "insert 10,000",
  target: 2,
  contenders: ["raw", "athanor", "athanorListeners", "mikroorm"],
  setUp: async () => {},
  prepare: async (contender) => {
    await contender.clear();
    return {
      run: () => contender.insert(people),
      check: async () => {
        expectPeople(await contender.load(), storedDigest, contender, "insert");
      },
    };
  },
};

const load: Workload = {
  name: "load",
  title: "load 10,000",
  target: 1.3,
  contenders: ["raw", "rawArrays", "athanor", "mikroorm"],
  setUp: fill,
  prepare: async (contender) => ({
    run: () => contender.load(),
    check: async (outcome) => expectPeople(outcome as readonly Person[], storedDigest, contender, "load"),
  }),
};

const update: Workload = {
  name: "update",
  title: "update 5,000",
  target: 2.5,
  contenders: ["raw", "athanor", "athanorListeners", "mikroorm"],
  setUp: fill,
  prepare: async (contender, round) => {
    const pending = await contender.openUpdate(updateCount);
    const changes = Array.from({ length: updateCount }, (_, index) => changeOf(index, round));
    return {
      run: () => pending.run(changes),
      check: async () => {
        const expected = stored.map((person, index) => ({ ...person, ...changes[index] }));
        expectPeople(await contender.load(), digest(expected), contender, "update");
      },
    };
  },
};

const get: Workload = {
  name: "get",
  title: "get 3,000 by key",
  target: 3,
  contenders: ["raw", "rawArrays", "athanor", "mikroorm"],
  setUp: fill,
  prepare: async (contender, round) => {
    // 7919 is a prime, so the keys are all over the table, and none comes twice.
    const indexes = Array.from({ length: getCount }, (_, index) => ((index + round) * 7919) % people.length);
    return {
      run: () => contender.get(indexes.map((index) => index + 1)),
      check: async (outcome) => {
        const expected = digest(indexes.map((index) => stored[index] as Person));
        expectPeople(outcome as readonly Person[], expected, contender, "get");
      },
    };
  },
};

export const workloads: Readonly<Record<WorkloadName, Workload>> = { insert, load, update, get };

async function fill(contender: Contender): Promise<void> {
  await contender.clear();
  await contender.insert(people);
}

function storedPerson(values: PersonValues, index: number): Person {
  return { id: index + 1, ...values };
}

function expectPeople(found: readonly Person[], expected: string, contender: Contender, workload: WorkloadName): void {
  if (digest(found) === expected) return;
  throw new Error(`${contender.name} did not do the ${workload} workload: ${found.length} people with other values.`);
}
