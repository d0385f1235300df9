import { stateOf } from "../instance/instance.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import type { ColumnKind } from "../mapping/column-type.ts";
import { compositeKey } from "../mapping/identity.ts";
import { type ColumnProperty, type Mapper, mapperOfState } from "../mapping/mapper.ts";
import type { Assignments } from "../sql/assigned.ts";
import { and } from "../sql/conditions.ts";
import { type Evaluator, UNKNOWN } from "../sql/evaluate.ts";
import { BoundValue } from "../sql/expression.ts";
import type { Conflict } from "../sql/on-conflict.ts";
import type { SessionState } from "./session-state.ts";
import { type Assigned, assignedOf, evaluatorOf, type Match, syncUpdated } from "./synchronize-bulk.ts";

/** An INSERT that updates rows which are there already. */
export interface Upsert {
  readonly mapper: Mapper;
  /** As it is sent, with what every UPDATE sets, and without what criteria hide. */
  readonly conflict: Conflict & { readonly values: Assignments };
  /** What the program gave to be set. */
  readonly given: Assignments | undefined;
}

/** The instances of rows that an upsert has answered with: what it has set is dropped, and taken from those rows. */
export function syncReturned(core: SessionState, upsert: Upsert, matches: readonly Match[]): void {
  if (matches.length > 0) syncUpdated(core, matches, assignedBy(upsert), { rowsFollow: true });
}

/**
 * The instances of rows that an upsert may have updated, of which it tells nothing: those whose values are the ones that were sent. What it has set is set in memory; where
 * it is not certain that it was, it is expired, unless the program has changed it.
 *
 * @param rows what was sent; undefined where only the database knows
 */
export function syncConflicts(core: SessionState, upsert: Upsert, rows: readonly Assignments[] | undefined): void {
  const { mapper } = upsert;
  if (core.identityMap.of(mapper).size === 0) return;
  const assigned = assignedBy(upsert);
  for (const match of matchesOfRows(core, upsert, rows)) {
    const { state, isCertain } = match;
    const concerned = isCertain ? assigned : assigned.filter(({ slot }) => !state.isChanged(slot));
    if (concerned.length > 0) syncUpdated(core, [match], concerned, { isByKeys: true });
  }
}

function assignedBy({ mapper, conflict: { values }, given }: Upsert): readonly Assigned[] {
  return assignedOf(mapper, values, (property) => given?.has(property) === true);
}

function matchesOfRows(
  core: SessionState,
  { mapper, conflict }: Upsert,
  rows: readonly Assignments[] | undefined,
): readonly Match[] {
  const { columns, among, where } = conflict;
  const sent = rows === undefined ? undefined : keysSent(columns, rows);
  const conditions = [among, where].filter((each) => each !== undefined);
  const condition = conditions.length === 0 ? undefined : (evaluatorOf(and(...conditions), mapper) ?? unknown);
  const matches: Match[] = [];
  for (const instance of core.identityMap.of(mapper).values()) {
    const state = stateOf(instance);
    if (state.isExpired || !mapperOfState(state).isA(mapper)) continue;
    const count = timesSent(state, columns, sent);
    const holds = count === 0 ? false : isUpdated(state, condition);
    // A row that was sent twice was inserted and updated, or updated twice.
    if (holds === true || holds === UNKNOWN) matches.push({ state, isCertain: holds === true && count === 1 });
  }
  return matches;
}

function unknown(): typeof UNKNOWN {
  return UNKNOWN;
}

/** Whether a row that conflicts is updated. The condition is about the row, of which memory does not know all where the program has changed something. */
function isUpdated(state: InstanceState, condition: Evaluator | undefined): unknown {
  if (condition === undefined) return true;
  return state.modified ? UNKNOWN : condition(state);
}

/** How often the row of an instance was sent; undefined where nobody can tell. */
function timesSent(
  state: InstanceState,
  columns: readonly ColumnProperty[],
  sent: ReadonlyMap<unknown, number> | undefined,
): number | undefined {
  if (sent === undefined || columns.some(({ slot }) => state.isUnread(slot) || state.isChanged(slot))) return undefined;
  const values = columns.map(({ slot }) => state.values[slot] ?? null);
  // NULL is in conflict with nothing.
  return values.includes(null) ? 0 : (sent.get(compositeKey(columns.map(typeOf), values)) ?? 0);
}

/** Kinds whose values are equal for databases in more ways than memory could look up. */
const incomparableKinds: ReadonlySet<ColumnKind> = new Set(["numeric", "real", "json"]);

/** What rows are unique by, and how often each was sent; undefined where only the database knows. */
function keysSent(
  columns: readonly ColumnProperty[],
  rows: readonly Assignments[],
): ReadonlyMap<unknown, number> | undefined {
  const types = columns.map(typeOf);
  if (types.some(({ kind }) => incomparableKinds.has(kind))) return undefined;
  const sent = new Map<unknown, number>();
  for (const row of rows) {
    const values: unknown[] = [];
    for (const property of columns) {
      const value = row.get(property);
      if (value === undefined && property.source.column.serverDefault === undefined) values.push(null);
      else if (value instanceof BoundValue && value.bind.name === undefined) values.push(value.bind.value);
      else return undefined;
    }
    if (values.includes(null) || values.includes(undefined)) continue;
    const key = compositeKey(types, values);
    sent.set(key, (sent.get(key) ?? 0) + 1);
  }
  return sent;
}

function typeOf({ source }: ColumnProperty): ColumnProperty["source"]["column"]["type"] {
  return source.column.type;
}
