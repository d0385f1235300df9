import type { Instance } from "../../src/index.ts";
import { assign, putIn, replaceAll, takeOut, valueOf } from "./contents.ts";
import { columns, type Edge, edges, isA, kinds, links } from "./models.ts";
import type { Thing } from "./world.ts";
import type { Walker } from "./walker.ts";

/** More would only make it slow. */
const maxThings = 18;
const kindNames = Object.keys(kinds);

/** Makes a new thing, with parents: given to the constructor, assigned, or one that draws it into the session. */
export async function create(walker: Walker, a: number, b: number, c: number): Promise<void> {
  if (walker.world.things.size >= maxThings) return;
  return createOfKind(walker, kindNames[a % kindNames.length] as string, a, b, c);
}

/** What a graph starts with has all sorts of things in it, those first that others need. */
export function createStart(
  walker: Walker,
  index: number,
  { a, b, c }: { readonly a: number; readonly b: number; readonly c: number },
): Promise<void> {
  const order = ["Author", "Tag", "Book", "Folder", "Author", "Novel", ...kindNames];
  return createOfKind(walker, order[index % order.length] as string, a, b, c);
}

async function createOfKind(walker: Walker, kind: string, a: number, b: number, c: number): Promise<void> {
  const thing = newThing(walker, kind, b);
  const parents = parentsFor(walker, thing, b, c);
  if (parents === undefined || (kind === "Review" && hasReview(walker, parents))) return;
  const way = (["given", "assigned", "drawn in"] as const)[(a >> 4) % 3];
  const drawing = way === "drawn in" ? parents[0] : undefined;
  const needed = parents.filter((pair) => isForOne(pair[0]) || pair[0].isOneSided || pair === drawing);
  if (!(await walker.readyAll(needed.map(([edge, parent]) => [parent, edge.collection])))) return;
  if (!parents.every(([, parent]) => walker.isHere(parent))) return;
  const labels = Object.fromEntries(parents.map(([{ reference }, parent]) => [reference, parent.label]));
  walker.note(`new ${kind} ${thing.label}`, thing.values, labels, way);
  const related = Object.fromEntries(
    parents
      .filter((pair) => pair !== drawing && !pair[0].isOneSided)
      .map(([edge, parent]) => [edge.reference, walker.instance(parent)]),
  );
  const given = way === "assigned" ? {} : related;
  const instance = walker.construct(kind, { label: thing.label, ...thing.values, ...given });
  walker.instances.set(thing.label, instance);
  walker.world.things.set(thing.label, thing);
  if (drawing === undefined) walker.session.add(instance);
  for (const pair of parents) {
    const [{ collection, holding, isOneSided }, parent] = pair;
    if (isOneSided || pair === drawing) putIn(walker.instance(parent), collection, holding, instance);
  }
  if (way === "assigned") for (const [key, value] of Object.entries(related)) assign(instance, key, value);
  const isTaken = parents.some(([edge, parent]) => isPlaceTaken(walker, edge, thing, parent));
  for (const [edge, parent] of parents) walker.place(edge, thing, parent);
  if (isTaken) await walker.flush();
}

function newThing(walker: Walker, kind: string, choice: number): Thing {
  const values: Record<string, unknown> = {};
  for (const [column, choices] of Object.entries(columns[kind] ?? {}))
    values[column] = choices[choice % choices.length];
  const linked = Object.fromEntries(links.filter(({ left }) => isA(kind, left.kind)).map(({ table }) => [table, []]));
  const parents = Object.fromEntries(
    edges.filter(({ child }) => isA(kind, child)).map(({ reference }) => [reference, null]),
  );
  return { label: ++walker.labels, kind, values, parents, linked, isSaved: false, isCutOff: false };
}

/** Parents for a new thing; undefined where one is missing that it needs. */
function parentsFor(walker: Walker, { kind }: Thing, b: number, c: number): [Edge, Thing][] | undefined {
  const parents: [Edge, Thing][] = [];
  for (const [index, edge] of edges.entries()) {
    if (!isA(kind, edge.child)) continue;
    const parent = walker.pick(edge.parent, (c >> (index % 4)) + b);
    if (parent === undefined && !edge.nullable) return undefined;
    if (parent !== undefined && !(edge.nullable && (c >> index) % 2 === 0)) parents.push([edge, parent]);
  }
  return parents;
}

function hasReview(walker: Walker, parents: readonly [Edge, Thing][]): boolean {
  return walker.world
    .ofKind("Review")
    .some((review) => parents.every(([{ reference }, parent]) => review.parents[reference] === parent.label));
}

/** Whether a place in what the parent holds is for one child alone. */
function isForOne({ holding }: Edge): boolean {
  return holding === "one" || holding === "map";
}

/** Whether a child takes the place of another, which refers to the parent until it is deleted: so it is in SQLAlchemy, too. */
function isPlaceTaken(walker: Walker, edge: Edge, child: Thing, parent: Thing): boolean {
  return walker.world.inTheWay(edge, child, parent).length > 0;
}

/** Sets a column. */
export function set(walker: Walker, a: number, b: number): void {
  const thing = walker.pickAny(a);
  if (thing === undefined) return;
  const [column, value] = newValue(thing, b);
  walker.note(`set ${thing.label}`, column, value);
  assign(walker.instance(thing), column, value);
  thing.values[column] = value;
}

/** A column of a thing that may be set, and something to set it to. */
export function newValue(thing: Thing, choice: number): readonly [column: string, value: unknown] {
  const choices = Object.entries(columns[thing.kind] ?? {}).filter(([column]) => column !== "key");
  const [column, values] = choices[choice % choices.length] ?? ["", []];
  return [column, values[(choice >> 2) % values.length]];
}

/** Changes a reference of a child, perhaps without knowing what it was. */
export async function refer(walker: Walker, edge: Edge, b: number, c: number): Promise<void> {
  const child = walker.pick(edge.child, b);
  const parent = c % 4 === 0 ? null : walker.pick(edge.parent, c >> 2);
  if (child === undefined || parent === undefined || edge.isKey || edge.isOneSided) return;
  if (parent !== null && !walker.mayPlace(edge, child, parent)) return;
  // A part is an orphan when a whole is known that it has lost.
  const mayBeBlind = child.isSaved && (parent !== null || edge.rule !== "delete orphans");
  const isBlind = mayBeBlind && (c >> 6) % 3 === 0 && !walker.isLoaded(child, edge.reference);
  const needed: [Thing, string][] = [[child, isBlind ? "label" : edge.reference]];
  if (isForOne(edge)) needed.push([child, "label"]);
  if (isForOne(edge) && parent !== null) needed.push([parent, edge.collection]);
  if (!(await walker.readyAll(needed))) return;
  if (!walker.isHere(child) || (parent !== null && !walker.isHere(parent))) return;
  walker.note(`${child.kind} ${child.label}.${edge.reference} =`, parent?.label ?? null, isBlind ? "unloaded" : "");
  assign(walker.instance(child), edge.reference, parent === null ? null : walker.instance(parent));
  const isTaken = parent !== null && isPlaceTaken(walker, edge, child, parent);
  const before = child.parents[edge.reference];
  walker.place(edge, child, parent);
  // Where the old parent is not known, it is not told.
  if (isBlind && before != null) walker.stale.push([before, edge.collection]);
  if (isTaken || isBlind) await walker.flush();
}

/** Sets the column of a foreign key, of which relationships know only when they are loaded again. */
export async function setForeignKey(walker: Walker, edge: Edge, b: number, c: number): Promise<void> {
  await walker.flush();
  const child = walker.pick(edge.child, b);
  const parent = c % 4 === 0 ? null : walker.pick(edge.parent, c >> 2);
  if (child === undefined || parent === undefined || edge.rule === "delete orphans") return;
  // As in SQLAlchemy, the parent that was known last is believed to have the child.
  if (edge.isOneSided) return;
  if (parent !== null && !walker.mayPlace(edge, child, parent)) return;
  const key = parent === null ? null : valueOf(walker.instance(parent), "id");
  walker.note(`${child.kind} ${child.label}.${edge.column} = that of`, parent?.label ?? null);
  assign(walker.instance(child), edge.column, key);
  const before = child.parents[edge.reference];
  walker.place(edge, child, parent);
  walker.stale.push([child.label, edge.reference]);
  for (const label of [before, parent?.label]) if (label != null) walker.stale.push([label, edge.collection]);
  await walker.flush();
}

/** Changes what a parent holds: puts in, takes out, replaces all, or splices. */
export async function collect(walker: Walker, edge: Edge, b: number, c: number, d: number): Promise<void> {
  const { collection, holding } = edge;
  const parent = walker.pick(edge.parent, b);
  if (parent === undefined) return;
  const entering = edge.isKey ? [] : walker.world.ofKind(edge.child).filter((_, index) => (c >> index) % 2 === 1);
  const placeNow = (child: Thing): readonly [Thing, string] => {
    const label = child.parents[edge.reference];
    return edge.isOneSided && label != null ? [walker.world.get(label), collection] : [child, edge.reference];
  };
  const there = walker.world.children(edge, parent);
  const isReady = await walker.readyAll([
    [parent, collection],
    // A key of a map cannot be waited for.
    ...[...entering, ...there].map((child): [Thing, string] => [child, "label"]),
    ...entering.filter((child) => !edge.isOneSided || child.parents[edge.reference] != null).map(placeNow),
  ]);
  if (!isReady) return;
  const instance = walker.instance(parent);
  const fitting = entering.filter(
    (child, index) =>
      walker.mayPlace(edge, child, parent) &&
      !(holding === "one" && index > 0) &&
      !(holding === "map" && entering.slice(0, index).some(({ values }) => values["key"] === child.values["key"])),
  );
  const news = fitting.filter((child) => !there.includes(child));
  // One that is a part of two wholes and never had a row would stay in the other.
  const leaving = there.filter((child) => child.isSaved || !edge.isKey);
  const leaveOther = (child: Thing): void => {
    const [other] = placeNow(child);
    if (other !== child && other !== parent) {
      walker.note(`${other.kind} ${other.label}.${collection} - ${child.label}`);
      takeOut(walker.instance(other), collection, holding, walker.instance(child));
    }
  };
  const where = `${parent.kind} ${parent.label}.${collection}`;
  const way = (["put", "take", "replace", "splice"] as const)[d % 4];
  if (way === "put" && news[0] !== undefined) {
    const before = news[0].parents[edge.reference];
    // As in SQLAlchemy, the former parent of a one-to-one holds it still, and where it has got it in the same flush, it would write so.
    const isMoved = holding === "one" && before != null;
    if (isMoved && walker.fresh.has(news[0].label)) return walker.flush();
    leaveOther(news[0]);
    walker.note(`${where} + ${news[0].label}`);
    putIn(instance, collection, holding, walker.instance(news[0]));
    walker.place(edge, news[0], parent);
    if (!isMoved) return;
    walker.stale.push([before, collection]);
    await walker.flush();
  } else if (way === "take" && leaving.length > 0) {
    const child = leaving[c % leaving.length] as Thing;
    walker.note(`${where} - ${child.label}`);
    takeOut(instance, collection, holding, walker.instance(child));
    walker.place(edge, child, null);
  } else if (way === "replace" && leaving.length === there.length) {
    if (holding === "one" && news.some(({ parents }) => parents[edge.reference] != null)) return;
    for (const child of news) leaveOther(child);
    walker.note(`${where} = [${labelled(fitting)}]`);
    const items = fitting.map((child) => walker.instance(child));
    replaceAll(instance, collection, holding, items);
    for (const child of there) if (!fitting.includes(child)) walker.place(edge, child, null);
    for (const child of fitting) walker.place(edge, child, parent);
  } else if (way === "splice" && holding === "array" && leaving.length === there.length) {
    const array = valueOf(instance, collection) as Instance[];
    const start = c % (array.length + 1);
    for (const child of news) leaveOther(child);
    walker.note(`${where}.splice(${start}, 1, ${labelled(news)})`);
    const gone = array.splice(start, 1, ...news.map((child) => walker.instance(child)));
    for (const child of there) if (gone.includes(walker.instance(child))) walker.place(edge, child, null);
    for (const child of news) walker.place(edge, child, parent);
  }
}

/** Changes what is linked by a table in between. */
export async function relate(walker: Walker, a: number, b: number, c: number): Promise<void> {
  const link = links[a % links.length]!;
  const isFromLeft = (a >> 1) % 2 === 0;
  const [here, there] = isFromLeft ? [link.left, link.right] : [link.right, link.left];
  const thing = link.isOneSided && !isFromLeft ? undefined : walker.pick(here.kind, b);
  const others = walker.world.ofKind(there.kind);
  if (thing === undefined || others.length === 0 || !(await walker.ready(thing, here.attribute))) return;
  if (!others.every((other) => walker.isHere(other))) return;
  const instance = walker.instance(thing);
  const where = `${thing.kind} ${thing.label}.${here.attribute}`;
  const isLinked = (other: Thing): boolean =>
    (isFromLeft ? thing : other).linked[link.table]?.includes((isFromLeft ? other : thing).label) === true;
  const change = (other: Thing, isToBe: boolean): void => {
    if (isToBe && !isLinked(other)) walker.fresh.add(other.label).add(thing.label);
    if (isFromLeft) walker.world.link(link, thing, other, isToBe);
    else walker.world.link(link, other, thing, isToBe);
  };
  if ((a >> 2) % 3 === 0) {
    const chosen = others.filter((_, index) => (c >> index) % 2 === 1);
    walker.note(`${where} = [${labelled(chosen)}]`);
    const items = chosen.map((other) => walker.instance(other));
    replaceAll(instance, here.attribute, here.holding, items);
    for (const other of others) change(other, chosen.includes(other));
    return;
  }
  const other = others[c % others.length] as Thing;
  const isToBe = !isLinked(other);
  walker.note(`${where} ${isToBe ? "+" : "-"} ${other.label}`);
  (isToBe ? putIn : takeOut)(instance, here.attribute, here.holding, walker.instance(other));
  change(other, isToBe);
}

/** Deletes a thing, and perhaps thinks better of it. */
export async function remove(walker: Walker, a: number, b: number): Promise<void> {
  const first = walker.pickAny(a);
  if (first === undefined) return;
  const going = [...walker.world.goingWith(first)];
  // What is referred to and deleted in one flush would be written into foreign keys before it goes. And loading what goes along flushes: what was to be
  // deleted before is gone then, and a collection that is in memory still leads to it.
  const isFresh = going.some(({ isSaved, label }) => !isSaved || walker.fresh.has(label));
  if (isFresh || (walker.hasDeletions() && going.some((thing) => mustLoadParts(walker, thing)))) await walker.flush();
  const thing = walker.world.things.get(first.label);
  if (thing === undefined) return;
  walker.note(`delete ${thing.kind} ${thing.label}`);
  await walker.session.delete(walker.instance(thing));
  // As in SQLAlchemy, what goes along stays deleted.
  if (b % 4 === 0 && walker.world.goingWith(thing).size === 1) {
    walker.note("add it again");
    walker.session.add(walker.instance(thing));
    return;
  }
  walker.stale.push(...walker.world.remove(thing));
  walker.isDeleting = true;
}

function mustLoadParts(walker: Walker, thing: Thing): boolean {
  return edges.some(
    ({ parent, rule, collection }) =>
      rule !== "forget" && isA(thing.kind, parent) && !walker.isLoaded(thing, collection),
  );
}

function labelled(things: readonly Thing[]): string {
  return things.map(({ label }) => label).join();
}
