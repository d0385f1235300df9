import type { PeopleContender } from "./contender.ts";
import { openAthanorPeople, openAthanorPeopleWithListeners } from "./contenders/athanor-people.ts";
import { openMikroOrmPeople } from "./contenders/mikroorm-people.ts";
import { RawArraysPeople, RawPeople } from "./contenders/raw-people.ts";
import { changeOf, digest, makePeople, makeSearches, pageSize, type Person, type PersonValues } from "./people.ts";
import { defineWorkload, type Openers } from "./workload.ts";

const openers: Openers<PeopleContender> = {
  raw: () => new RawPeople(),
  rawArrays: () => new RawArraysPeople(),
  athanor: openAthanorPeople,
  athanorListeners: openAthanorPeopleWithListeners,
  mikroorm: openMikroOrmPeople,
};

const people = makePeople(10_000);
const updateCount = 5_000;
const getCount = 3_000;
const searchCount = 2_000;

const stored = people.map(storedPerson);
const storedDigest = digest(stored);

export const insert = defineWorkload({
  title: "insert 10,000",
  target: 2,
  contenders: ["raw", "athanor", "athanorListeners", "mikroorm"],
  openers,
  prepare: async (contender) => {
    await contender.clear();
    return {
      run: () => contender.insert(people),
      check: async () => {
        expectPeople(await contender.load(), storedDigest, contender, "insert");
      },
    };
  },
});

export const load = defineWorkload({
  title: "load 10,000",
  target: 1.3,
  contenders: ["raw", "rawArrays", "athanor", "mikroorm"],
  openers,
  setUp: fill,
  prepare: async (contender) => ({
    run: () => contender.load(),
    check: async (outcome) => expectPeople(outcome as readonly Person[], storedDigest, contender, "load"),
  }),
});

export const update = defineWorkload({
  title: "update 5,000",
  target: 2.5,
  contenders: ["raw", "athanor", "athanorListeners", "mikroorm"],
  openers,
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
});

export const get = defineWorkload({
  title: "get 3,000 by key",
  target: 3,
  contenders: ["raw", "rawArrays", "athanor", "mikroorm"],
  openers,
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
});

export const search = defineWorkload({
  title: "search 2,000 pages of 5",
  target: 4,
  contenders: ["raw", "rawArrays", "athanor", "mikroorm"],
  openers,
  setUp: fill,
  prepare: async (contender, round) => {
    const searches = makeSearches(searchCount, people.length, round);
    return {
      run: () => contender.search(searches),
      check: async (outcome) => {
        const expected = searches.flatMap(({ after, minAge }) =>
          stored.filter(({ id, active, age }) => active && id > after && age >= minAge).slice(0, pageSize),
        );
        expectPeople(outcome as readonly Person[], digest(expected), contender, "search");
      },
    };
  },
});

async function fill(contender: PeopleContender): Promise<void> {
  await contender.clear();
  await contender.insert(people);
}

function storedPerson(values: PersonValues, index: number): Person {
  return { id: index + 1, ...values };
}

function expectPeople(found: readonly Person[], expected: string, { name }: PeopleContender, workload: string): void {
  if (digest(found) === expected) return;
  throw new Error(`${name} did not do the ${workload} workload: ${found.length} people with other values.`);
}
