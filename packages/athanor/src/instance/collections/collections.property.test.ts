import fc from "fast-check";
import { expect, test } from "vitest";

import { arrayKind } from "./array.ts";
import type { CollectionOwner } from "./collection.ts";
import { mapKind } from "./map.ts";
import { setKind } from "./set.ts";

interface Item {
  readonly id: number;
  readonly key: string;
}

const ITEMS: readonly Item[] = Array.from({ length: 6 }, (_, id) => ({ id, key: `key ${id % 4}` }));

/** Knows from the announcements alone what the container holds. Refuses, where it is told which announcements. */
class CountingOwner implements CollectionOwner {
  readonly name = "the collection";
  readonly counts = new Map<object, number>();
  readonly #refusals: readonly boolean[];
  #announcements = 0;

  constructor(refusals: readonly boolean[] = []) {
    this.#refusals = refusals;
  }

  expect(): void {}

  append(item: object): object {
    this.#refuse();
    this.#count(item, 1);
    return item;
  }

  appendWithoutMutation(item: object): void {
    this.#refuse();
    expect(this.counts.get(item)).toBeGreaterThan(0);
  }

  remove(item: object): void {
    this.#refuse();
    this.#count(item, -1);
    expect(this.counts.get(item)).toBeGreaterThanOrEqual(0);
  }

  expectContents(items: Iterable<object>): void {
    const counts = new Map<object, number>();
    for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
    for (const item of ITEMS) expect(this.counts.get(item) ?? 0).toBe(counts.get(item) ?? 0);
  }

  #count(item: object, by: number): void {
    this.counts.set(item, (this.counts.get(item) ?? 0) + by);
  }

  #refuse(): void {
    if (this.#refusals[this.#announcements++] === true) throw new Error("refused");
  }
}

/** One call or assignment, the same for the plain container and the instrumented one. */
interface Step<TContainer> {
  readonly run: (container: TContainer) => unknown;
  readonly text: string;
  toString(): string;
}

function step<TContainer>(text: string, run: (container: TContainer) => unknown): Step<TContainer> {
  return { run, text, toString: () => text };
}

const item = fc.nat({ max: ITEMS.length - 1 }).map((id) => ITEMS[id]!);
const items = fc.array(item, { maxLength: 4 });
const index = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: -6, max: 6 }) },
  { weight: 1, arbitrary: fc.constantFrom(undefined, Number.NaN, Infinity, -Infinity, 1.5) },
) as fc.Arbitrary<number>;
const indexes = fc.array(index, { maxLength: 3 }) as fc.Arbitrary<[]>;
const print = (...values: unknown[]): string =>
  values
    .map((value) => (Array.isArray(value) ? print(...(value as unknown[])) : ((value as Item)?.id ?? value)))
    .join();

/** The position that a number means in an array, as one that exists or, with `room`, the one after the last. */
const wrap = (array: readonly unknown[], at: number, room: 0 | 1) =>
  Math.abs(Math.trunc(at) || 0) % Math.max(1, array.length + room) || 0;

const arraySteps: fc.Arbitrary<Step<Item[]>>[] = [
  items.map((all) => step(`push ${print(all)}`, (array) => array.push(...all))),
  items.map((all) => step(`unshift ${print(all)}`, (array) => array.unshift(...all))),
  fc.constant(step("pop", (array) => array.pop())),
  fc.constant(step("shift", (array) => array.shift())),
  fc
    .tuple(indexes, items)
    .map(([at, all]) =>
      step(`splice ${print(at, all)}`, (array) =>
        (array.splice as (...args: unknown[]) => Item[])(...at.slice(0, 2), ...(at.length < 2 ? [] : all)),
      ),
    ),
  fc.tuple(index, item).map(([at, value]) =>
    step(`[${at}] = ${print(value)}`, (array) => {
      array[wrap(array, at, 1)] = value;
    }),
  ),
  index.map((at) =>
    step(`length = ${at}`, (array) => {
      array.length = wrap(array, at, 1);
    }),
  ),
  fc.tuple(item, indexes).map(([value, at]) => step(`fill ${print(value, at)}`, (array) => array.fill(value, ...at))),
  indexes.map((at) =>
    step(`copyWithin ${print(at)}`, (array) => (array.copyWithin as (...args: number[]) => Item[])(...at.slice(0, 3))),
  ),
  indexes.map((at) =>
    step(`Array.prototype.splice ${print(at)}`, (array) =>
      (Array.prototype.splice.call as (...args: unknown[]) => Item[])(array, ...at.slice(0, 2)),
    ),
  ),
  fc.constant(step("sort", (array) => array.sort((left, right) => left.id - right.id))),
  fc.constant(step("reverse", (array) => array.reverse())),
  fc
    .tuple(index, item)
    .map(([at, value]) =>
      step(`read ${at} ${print(value)}`, (array) => [
        array[at],
        array.at(at),
        array.length,
        [...array],
        array.slice(at),
        array.includes(value),
        array.indexOf(value),
        array.lastIndexOf(value),
        array.map(({ id }, position) => id + position),
        array.filter(({ id }) => id > 2),
        array.find((each) => each === value),
        array.findLastIndex((each) => each === value),
        array.some(({ id }) => id === 0),
        array.every(({ id }) => id > 0),
        array.reduce((sum, { id }) => sum + id, 0),
        array.concat(value),
        array.toReversed(),
        array.toSpliced(at, 1),
        [...array.entries()],
        array.join(),
        JSON.stringify(array),
        Object.entries(array),
      ]),
    ),
];

const setSteps: fc.Arbitrary<Step<Set<Item>>>[] = [
  item.map((value) => step(`add ${print(value)}`, (set) => set.add(value))),
  item.map((value) => step(`add ${print(value)}`, (set) => set.add(value))),
  item.map((value) => step(`delete ${print(value)}`, (set) => set.delete(value))),
  fc.constant(step("clear", (set) => set.clear())),
  item.map((value) => step(`read ${print(value)}`, (set) => [set.has(value), set.size, set.union(new Set([value]))])),
];

const mapSteps: fc.Arbitrary<Step<Map<string, Item>>>[] = [
  item.map((value) => step(`set ${print(value)}`, (map) => map.set(value.key, value))),
  item.map((value) => step(`set ${print(value)}`, (map) => map.set(value.key, value))),
  item.map((value) => step(`delete ${value.key}`, (map) => map.delete(value.key))),
  fc.constant(step("clear", (map) => map.clear())),
  item.map(({ key }) => step(`read ${key}`, (map) => [map.get(key), map.has(key), map.size, [...map.keys()]])),
];

const kinds = [
  ["an array", arraySteps, (owner: CollectionOwner) => arrayKind.create(owner), () => []],
  ["a set", setSteps, (owner: CollectionOwner) => setKind.create(owner), () => new Set()],
  [
    "a map",
    mapSteps,
    (owner: CollectionOwner) => mapKind((each) => (each as Item).key).create(owner),
    () => new Map<unknown, object>(),
  ],
] as const;

for (const [name, steps, create, createPlain] of kinds) {
  const program = fc.array(fc.oneof(...(steps as fc.Arbitrary<Step<unknown>>[])), { maxLength: 30 });
  const contents = (container: unknown) =>
    container instanceof Map ? [...(container as Map<string, Item>).values()] : [...(container as Iterable<Item>)];

  test(`${name} does to its contents what a plain one does, and announces the difference`, () => {
    fc.assert(
      fc.property(program, (steps) => {
        const owner = new CountingOwner();
        const container: unknown = create(owner);
        const plain: unknown = createPlain();
        for (const each of steps) {
          const expected = each.run(plain);
          const result = each.run(container);
          if (expected === plain) expect(result).toBe(container);
          else expect(result).toStrictEqual(expected);
          expect(container).toStrictEqual(plain);
          expect(contents(container)).toEqual(contents(plain));
          owner.expectContents(contents(container));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test(`${name} holds exactly what was announced, whichever announcements are refused`, () => {
    fc.assert(
      fc.property(program, fc.array(fc.boolean(), { maxLength: 60 }), (steps, refusals) => {
        const owner = new CountingOwner(refusals);
        const container: unknown = create(owner);
        for (const each of steps) {
          try {
            each.run(container);
          } catch (error) {
            expect((error as Error).message).toBe("refused");
          }
          owner.expectContents(contents(container));
        }
      }),
      { numRuns: 1_000 },
    );
  });
}
