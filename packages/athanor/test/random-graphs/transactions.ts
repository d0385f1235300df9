import { deepStrictEqual } from "node:assert/strict";
import { inspect, type Instance, select } from "../../src/index.ts";
import { assign, valueOf } from "./contents.ts";
import { expectElsewhere, expectObjects, expectStored } from "./expectations.ts";
import { newValue } from "./graph-changes.ts";
import { edges, isA } from "./models.ts";
import type { Mark, Walker } from "./walker.ts";

/** Commits everything. Tables and objects are the world then. */
export async function commit(walker: Walker, a: number, b: number): Promise<void> {
  walker.note("commit");
  await walker.session.commit();
  deepStrictEqual(walker.warnings, []);
  walker.marks = [{ world: walker.world.copy(), labels: walker.labels, savepoint: undefined, forgotten: [] }];
  for (const [label, instance] of walker.instances) {
    if (walker.world.things.has(label)) continue;
    deepStrictEqual([label, inspect(instance).lifecycle], [label, "detached"]);
    walker.instances.delete(label);
  }
  const versions = await expectStored(walker);
  const others = a % 4 === 0 ? await expectElsewhere(walker) : undefined;
  await expectObjects(walker);
  for (const [label, version] of versions)
    deepStrictEqual([label, valueOf(walker.instances.get(label) as Instance, "version")], [label, version]);
  if (a % 3 === 0) {
    walker.session.expireAll();
    await expectObjects(walker, true);
  } else if (a % 3 === 1) {
    walker.note("expunge all");
    walker.session.expungeAll();
    await regain(walker);
  }
  if (others !== undefined && b % 2 === 0) await merge(walker, others, b);
}

/** Takes over what was changed in an instance of another session. */
async function merge(walker: Walker, others: ReadonlyMap<number, Instance>, choice: number): Promise<void> {
  const thing = walker.pickAny(choice >> 1);
  const given = thing && others.get(thing.label);
  if (thing === undefined || given === undefined) return;
  const [column, value] = newValue(thing, choice >> 4);
  assign(given, column, value);
  const edge = edges.find(({ child, rule, isOneSided }) => rule === "forget" && !isOneSided && isA(thing.kind, child));
  walker.note(
    `merge ${thing.kind} ${thing.label}`,
    column,
    value,
    edge === undefined ? "" : `without ${edge.reference}`,
  );
  if (edge !== undefined) assign(given, edge.reference, null);
  await walker.session.merge(given);
  thing.values[column] = value;
  if (edge !== undefined) walker.place(edge, thing, null);
}

/** Rolls everything back. Tables and objects are what was committed last. */
export async function rollback(walker: Walker): Promise<void> {
  walker.note("rollback");
  await walker.session.rollback();
  await expectReturn(walker, 0);
}

/** Opens a savepoint, in others perhaps. */
export async function openSavepoint(walker: Walker): Promise<void> {
  if (walker.marks.length > 3) return;
  walker.note("savepoint");
  const savepoint = await walker.session.beginNested();
  walker.marks.push({ world: walker.world.copy(), labels: walker.labels, savepoint, forgotten: [] });
}

/** Releases a savepoint, with those inside of it. */
export async function release(walker: Walker, a: number): Promise<void> {
  const index = savepointAt(walker, a);
  if (index === undefined) return;
  walker.note(`release savepoint ${index}`);
  await walker.marks[index]?.savepoint?.commit();
  walker.marks = walker.marks.slice(0, index);
}

/** Rolls back to a savepoint, past those inside of it. Objects are what they were when it was opened. */
export async function rollbackToSavepoint(walker: Walker, a: number): Promise<void> {
  const index = savepointAt(walker, a);
  if (index === undefined) return;
  walker.note(`roll back to savepoint ${index}`);
  await walker.marks[index]?.savepoint?.rollback();
  await expectReturn(walker, index);
}

/** Which savepoint, mostly the innermost. */
function savepointAt({ marks }: Walker, choice: number): number | undefined {
  if (marks.length === 1) return undefined;
  return choice % 2 === 0 ? marks.length - 1 : 1 + ((choice >> 1) % (marks.length - 1));
}

/** What a rollback does to the world, and what is to be as it was at the mark. */
async function expectReturn(walker: Walker, index: number): Promise<void> {
  const mark = walker.marks[index] as Mark;
  walker.marks = walker.marks.slice(0, Math.max(index, 1));
  walker.returnTo(mark.world.copy());
  for (const [label, instance] of walker.instances) {
    const isHere = walker.world.things.has(label);
    if (!isHere && walker.regained.delete(label)) {
      // It is an instance of a row that was there already, as far as the session knows.
      if (walker.session.has(instance)) walker.session.expunge(instance);
      walker.instances.delete(label);
      continue;
    }
    const expected = isHere ? "persistent" : label > mark.labels ? "transient" : "deleted";
    deepStrictEqual([label, inspect(instance).lifecycle], [label, expected]);
    if (expected === "transient") walker.instances.delete(label);
  }
  if (mark.savepoint === undefined) await expectStored(walker);
  else for (const [label, attribute] of mark.forgotten) walker.forget(label, attribute);
  await regain(walker);
  await expectObjects(walker);
}

/** Gets what has left the session meanwhile. */
export async function regain(walker: Walker): Promise<void> {
  for (const thing of walker.world.things.values()) {
    const held = walker.instances.get(thing.label);
    if (held !== undefined && walker.session.has(held)) continue;
    const found = await walker.session.scalars(select(walker.model(thing.kind)).where({ label: thing.label } as never));
    walker.instances.set(thing.label, found.one() as Instance);
    walker.regained.add(thing.label);
  }
}

/** A flush that fails leaves nothing behind: by a row that the database refuses, or at any of its statements. */
export async function fail(walker: Walker, a: number, b: number): Promise<void> {
  const isRefused = b % 2 === 0;
  if (isRefused) walker.session.add(walker.construct("Author", { label: null }));
  else walker.statementsLeft = (b >> 1) % 6;
  walker.note("a flush that fails", isRefused ? "by a row" : `after ${walker.statementsLeft} statements`);
  const hasFailed = await walker.session.flush().then(
    () => false,
    () => true,
  );
  walker.statementsLeft = Infinity;
  if (isRefused) deepStrictEqual(hasFailed, true);
  if (!hasFailed) return;
  if (a % 2 === 0 || walker.marks.length === 1) await rollback(walker);
  else await rollbackToSavepoint(walker, 0);
}
