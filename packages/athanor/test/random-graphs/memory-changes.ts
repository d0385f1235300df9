import { deepStrictEqual } from "node:assert/strict";
import { deleteFrom, inspect, type Instance, joinedLoad, select, selectinLoad, update } from "../../src/index.ts";
import { assign, itemsIn } from "./contents.ts";
import { expectSameLabels } from "./expectations.ts";
import { newValue } from "./graph-changes.ts";
import { edges, isA, kinds } from "./models.ts";
import { regain } from "./transactions.ts";
import type { Walker } from "./walker.ts";
import { relationshipsOf, type Thing } from "./world.ts";

const kindNames = Object.keys(kinds);

/** Picks a thing, and flushes: what was not flushed would be lost, as it should be. */
async function flushed(walker: Walker, choice: number): Promise<Thing | undefined> {
  const thing = walker.pickAny(choice);
  await walker.flush();
  return thing !== undefined && walker.isHere(thing) ? thing : undefined;
}

/** Expires or refreshes, in all ways. */
export async function expire(walker: Walker, a: number, b: number): Promise<void> {
  const thing = await flushed(walker, a);
  if (thing === undefined) return;
  const { session } = walker;
  const instance = walker.instance(thing);
  const attributes = relationshipsOf(thing.kind);
  const attribute = attributes[b % attributes.length] ?? "label";
  const ways: [string, () => void | Promise<void>][] = [
    [`expire ${thing.label}`, () => session.expire(instance)],
    [`expire ${thing.label}.${attribute}`, () => session.expire(instance, [attribute])],
    ["expire all", () => session.expireAll()],
    [`refresh ${thing.label}`, () => session.refresh(instance)],
    [`refresh ${thing.label}.${attribute}`, () => session.refresh(instance, [attribute])],
  ];
  const [what, work] = ways[(b >> 4) % ways.length]!;
  walker.note(what);
  await work();
}

/** Sets a column, and takes it back by dropping what is in memory. */
export async function setAndDrop(walker: Walker, a: number, b: number): Promise<void> {
  const thing = await flushed(walker, a);
  if (thing === undefined) return;
  const { session } = walker;
  const instance = walker.instance(thing);
  const [column, value] = newValue(thing, b);
  assign(instance, column, value);
  const ways: [string, () => void | Promise<void>][] = [
    ["expire", () => session.expire(instance)],
    ["expire the column", () => session.expire(instance, [column])],
    ["refresh", () => session.refresh(instance)],
    ["refresh the column", () => session.refresh(instance, [column])],
  ];
  const [what, work] = ways[(b >> 4) % ways.length]!;
  walker.note(`set ${thing.label}`, column, value, what);
  await work();
}

/** Takes something out of the session. It comes back, or is got again as another instance. */
export async function expunge(walker: Walker, a: number, b: number): Promise<void> {
  const thing = await flushed(walker, a);
  if (thing === undefined) return;
  // Of what has left, a rollback does not know that its row goes.
  const committed = walker.marks[0]?.world;
  if (![...walker.world.goingWith(thing)].every(({ label }) => committed?.things.has(label) === true)) return;
  const instance = walker.instance(thing);
  walker.note(`expunge ${thing.kind} ${thing.label}`);
  walker.session.expunge(instance);
  deepStrictEqual(inspect(instance).lifecycle, "detached");
  // A deleted instance may refer to the one that has left, and a rollback to a savepoint does not load everything anew.
  if (b % 2 === 0 || walker.marks.length > 1) {
    walker.note(`add it again`);
    walker.session.add(instance);
  } else {
    // Others may hold the instance that has left.
    walker.session.expireAll();
  }
  await regain(walker);
}

/** Loads a relationship. */
export async function loadRelated(walker: Walker, a: number, b: number): Promise<void> {
  const thing = walker.pickAny(a);
  if (thing === undefined) return;
  const attributes = relationshipsOf(thing.kind);
  const attribute = attributes[b % attributes.length];
  if (attribute === undefined) return;
  walker.note(`load ${thing.kind} ${thing.label}.${attribute}`);
  if (!(await walker.ready(thing, attribute)) || walker.hasDeletions()) return;
  const labels = walker.labelsOf(itemsIn(walker.instance(thing), attribute));
  const expected = walker.world.picture()[`${thing.kind} ${thing.label}`]?.[attribute];
  expectSameLabels(labels, [expected ?? []].flat() as number[]);
}

/** Finds all of one class, perhaps with what one relationship of theirs leads to, and perhaps with everything anew. */
export async function find(walker: Walker, a: number, b: number): Promise<void> {
  const kind = kindNames[a % kindNames.length] as string;
  const attributes = relationshipsOf(kind);
  const attribute = attributes[b % attributes.length] as never;
  const way = attributes.length === 0 ? "" : (["", "selectin", "joined", "anew"] as const)[(b >> 4) % 4];
  if (!walker.manner.autoflush || way === "anew") await walker.flush();
  walker.note(`select ${kind}`, way ?? "", attribute);
  const Model = walker.model(kind);
  const all = select(Model);
  const statement =
    way === "selectin"
      ? all.options(selectinLoad(Model, attribute))
      : way === "joined"
        ? all.options(joinedLoad(Model, attribute))
        : all;
  const executionOptions = way === "anew" ? { populateExisting: true } : {};
  const found = await walker.session.scalars(statement, undefined, { executionOptions });
  const labels = walker.labelsOf(found.all() as Instance[]);
  expectSameLabels(
    labels,
    walker.world.ofKind(kind).map(({ label }) => label),
  );
}

/** Changes rows by a statement, which the instances follow. */
export async function changeRows(walker: Walker, a: number, b: number): Promise<void> {
  await walker.flush();
  const kind = (["Folder", "Entry", "Tag", "Note", "Profile"] as const)[a % 5] as string;
  const synchronizeSession = (["auto", "evaluate", "fetch"] as const)[(a >> 4) % 3]!;
  const executionOptions = { synchronizeSession };
  const things = walker.world.ofKind(kind);
  // As in SQLAlchemy, what is expired is not compared with the condition, and a rollback to a savepoint does not know that it was changed.
  for (const thing of things) await walker.ready(thing, "label");
  if (b % 2 === 0) {
    walker.note(`update ${kind} from red to blue`, synchronizeSession);
    const statement = update(walker.model(kind) as (typeof kinds)["Folder"]).where({ name: "red" } as never);
    await walker.session.execute(statement.values({ name: "blue" } as never), undefined, { executionOptions });
    for (const { values } of things) if (values["name"] === "red") values["name"] = "blue";
    return;
  }
  const thing = things[b % things.length];
  if (thing === undefined || edges.some(({ parent }) => isA(kind, parent))) return;
  walker.note(`delete from ${kind} ${thing.label}`, synchronizeSession);
  const statement = deleteFrom(walker.model(kind) as (typeof kinds)["Folder"]).where({ label: thing.label } as never);
  await walker.session.execute(statement, undefined, { executionOptions });
  deepStrictEqual(inspect(walker.instance(thing)).lifecycle, "deleted");
  walker.stale.push(...walker.world.remove(thing));
  walker.forgetStale();
}
