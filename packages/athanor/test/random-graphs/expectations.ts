import { deepStrictEqual } from "node:assert/strict";
import { type Instance, load, select, sessionmaker } from "../../src/index.ts";
import { itemsIn, valueOf } from "./contents.ts";
import { columns, kinds } from "./models.ts";
import { readStored } from "./stored.ts";
import type { Walker } from "./walker.ts";
import { type Picture, relationshipsOf } from "./world.ts";

/** The tables hold the world. */
export async function expectStored(walker: Walker): Promise<ReadonlyMap<number, unknown>> {
  await using connection = await walker.engine.connect();
  const { world, versions } = await readStored(connection);
  expectSame("the tables", world.picture(), walker.world.picture());
  return versions;
}

/**
 * A session of its own finds the same, in order.
 *
 * @returns its instances, when it is closed
 */
export async function expectElsewhere(walker: Walker): Promise<ReadonlyMap<number, Instance>> {
  await using session = sessionmaker(walker.engine)();
  const instances = new Map<number, Instance>();
  for (const kind of Object.keys(kinds)) {
    if (kind === "Novel") continue;
    for (const instance of (await session.scalars(select(walker.model(kind)))).all() as Instance[])
      instances.set(valueOf(instance, "label") as number, instance);
  }
  expectSame("another session's objects", await pictureOf(walker, instances, true), walker.world.picture());
  return instances;
}

/**
 * The session holds the world, and nothing is pending.
 *
 * @param isFresh everything is loaded anew, and so in order
 */
export async function expectObjects(walker: Walker, isFresh = false): Promise<void> {
  const { session } = walker;
  deepStrictEqual(walker.labelsOf([...session.new, ...session.dirty, ...session.deleted]), []);
  const here = new Map([...walker.world.things.values()].map((thing) => [thing.label, walker.instance(thing)]));
  deepStrictEqual(new Set(session.identityMap.values()), new Set(here.values()));
  expectSame("the objects", await pictureOf(walker, here, isFresh), walker.world.picture());
}

async function pictureOf(walker: Walker, instances: ReadonlyMap<number, Instance>, isFresh: boolean): Promise<Picture> {
  const picture: Picture = {};
  const world = walker.world.picture();
  const labelOf = new Map([...instances].map(([label, instance]) => [instance, label]));
  for (const [label, instance] of [...instances].toSorted(([one], [other]) => one - other)) {
    const kind = instance.constructor.name;
    const names = relationshipsOf(kind);
    const stored = Object.keys(columns[kind] ?? {});
    await (load as (instance: Instance, ...keys: string[]) => Promise<unknown>)(instance, ...stored, ...names);
    const attributes: Record<string, unknown> = {};
    for (const column of stored) attributes[column] = valueOf(instance, column);
    for (const name of names) {
      const value = valueOf(instance, name);
      const labels = itemsIn(instance, name).map((item) => labelOf.get(item) ?? Number.NaN);
      const expected = world[`${kind} ${label}`]?.[name];
      // A set and a map have no order, and what was changed in memory is not sorted anew.
      const isOrdered = Array.isArray(value) && isFresh;
      if (Array.isArray(expected) && !isOrdered)
        labels.sort((one, other) => expected.indexOf(one) - expected.indexOf(other));
      const isMany = Array.isArray(value) || value instanceof Set || value instanceof Map;
      attributes[name] = isMany ? labels : (labels[0] ?? null);
    }
    picture[`${kind} ${label}`] = attributes;
  }
  return picture;
}

/** The same labels, in whatever order. */
export function expectSameLabels(actual: readonly number[], expected: readonly number[]): void {
  deepStrictEqual(ascending(actual), ascending(expected));
}

function ascending(labels: readonly number[]): number[] {
  return labels.toSorted((one, other) => one - other);
}

function expectSame(what: string, actual: Picture, expected: Picture): void {
  if (written(actual) !== written(expected)) deepStrictEqual({ [what]: actual }, { [what]: expected });
}

/** Compared as text, which is much faster than looking for the first difference. */
function written(picture: Picture): string {
  return JSON.stringify(picture, (_, value: unknown) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)));
  });
}
