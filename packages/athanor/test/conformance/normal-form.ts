import type { EventRecord, StepRecord } from "./program.ts";

/** Copied from row to row by a flush, in an order that SQLAlchemy leaves open. */
const foreignKeyColumns: ReadonlySet<unknown> = new Set([
  "user_id",
  "author_id",
  "parent_id",
  "manager_id",
  "favorite_id",
  "account_id",
  "kit_id",
  "part_code",
  "part_revision",
  "locker_id",
  "person_id",
]);

/** Subclasses by name, with the class at the root of their hierarchy. */
const baseClasses: Readonly<Record<string, string>> = { Manager: "Employee", SalesRep: "Employee" };

/** Neighbours of one of these kinds come in any order of their objects. */
const unorderedNeighbours: readonly ReadonlySet<string>[] = [
  new Set(["pending_to_transient", "persistent_to_transient", "deleted_to_detached"]),
  new Set(["pending_to_persistent"]),
  new Set(["persistent_to_deleted"]),
  new Set(["deleted_to_persistent"]),
  new Set(["persistent_to_detached"]),
  new Set(["expire", "refresh"]),
];

const windowEnds: ReadonlySet<string> = new Set(["after_flush", "after_rollback", "before_flush"]);
const loadedRecords: ReadonlySet<string> = new Set(["load", "loaded_as_persistent", "refresh"]);
const rowRecords: ReadonlySet<string> = new Set([
  "before_insert",
  "after_insert",
  "before_update",
  "after_update",
  "before_delete",
  "after_delete",
]);

/** Arranges the events of a record wherever SQLAlchemy, which iterates sets there, promises no order. */
export function normalize(record: StepRecord): StepRecord {
  return { ...record, events: sortNeighbours(arrangeWindows(record.events)) };
}

/** Arranges what happened in each flush: from its before_flush to what ends it, or to the end of the step. */
function arrangeWindows(events: readonly EventRecord[]): EventRecord[] {
  const arranged: EventRecord[] = [];
  let window: EventRecord[] | undefined;
  for (const event of events) {
    if (windowEnds.has(event[0])) {
      if (window !== undefined) arranged.push(...arrange(window));
      window = event[0] === "before_flush" ? [] : undefined;
      arranged.push(event);
    } else (window ?? arranged).push(event);
  }
  if (window !== undefined) arranged.push(...arrange(window));
  return arranged;
}

/** What is neither loaded nor about rows, then what was loaded, statement by statement, then the rows, hierarchy by hierarchy. */
function arrange(window: readonly EventRecord[]): EventRecord[] {
  const others: EventRecord[] = [];
  const loads: EventRecord[][] = [];
  const rows: EventRecord[] = [];
  for (const event of window) {
    const [name, , key] = event;
    if (name === "refresh_flush" || (name === "set" && foreignKeyColumns.has(key))) continue;
    const load = loads.at(-1);
    if (name === "do_orm_execute") loads.push([event]);
    else if (loadedRecords.has(name) && load !== undefined) load.push(event);
    else if (rowRecords.has(name)) rows.push(event);
    else others.push(event);
  }
  return [...others, ...sortBy(loads, (load) => JSON.stringify(load)).flat(), ...sortBy(rows, hierarchyOf)];
}

function hierarchyOf([, , className]: EventRecord): string {
  return baseClasses[String(className)] ?? String(className);
}

function sortNeighbours(events: readonly EventRecord[]): EventRecord[] {
  const sorted: EventRecord[] = [];
  for (let start = 0; start < events.length;) {
    const kind = unorderedNeighbours.find((names) => names.has(events[start]?.[0] ?? ""));
    let end = start + 1;
    while (kind !== undefined && end < events.length && kind.has(events[end]?.[0] ?? "")) end++;
    sorted.push(...sortBy(events.slice(start, end), ([, label]) => String(label)));
    start = end;
  }
  return sorted;
}

/** Stable, and by code units, so that it is the same everywhere. */
function sortBy<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  if (items.length < 2) return [...items];
  return items
    .map((item) => ({ item, key: keyOf(item) }))
    .sort((left, right) => (left.key < right.key ? -1 : left.key > right.key ? 1 : 0))
    .map(({ item }) => item);
}
