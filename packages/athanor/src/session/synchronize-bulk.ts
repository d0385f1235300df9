import { emit } from "../event/dispatch.ts";
import { stateOf } from "../instance/instance.ts";
import type { InstanceAttribute } from "../instance/instance-attribute.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import { identityKey } from "../mapping/identity.ts";
import { type ColumnProperty, type Mapper, mapperOfState } from "../mapping/mapper.ts";
import type { Assignments } from "../sql/assigned.ts";
import { type Evaluator, UNKNOWN, UnevaluableError } from "../sql/evaluate.ts";
import type { Expression } from "../sql/expression.ts";
import { rowIsGone } from "./attachment.ts";
import type { SessionState } from "./session-state.ts";

/** An instance whose row a statement has changed. */
export interface Match {
  readonly state: InstanceState;
  /** False where what is not in memory would say whether the row was changed. */
  readonly isCertain: boolean;
}

/** An attribute that an UPDATE has set. */
export interface Assigned {
  readonly attribute: InstanceAttribute;
  readonly slot: number;
  /** Finds the new value; undefined where only the database knows it. */
  readonly evaluate: Evaluator | undefined;
  /** Whether the statement names it; else it is one that every UPDATE sets. */
  readonly isGiven: boolean;
}

/** The instances for which the condition holds, or may hold. Of those that were expired as a whole nobody knows, and they are loaded before they are used. */
export function matchesOfCondition(core: SessionState, mapper: Mapper, condition: Evaluator): readonly Match[] {
  const matches: Match[] = [];
  for (const instance of core.identityMap.of(mapper).values()) {
    const state = stateOf(instance);
    if (state.isExpired || !mapperOfState(state).isA(mapper)) continue;
    const holds = condition(state);
    if (holds === true || holds === UNKNOWN) matches.push({ state, isCertain: holds === true });
  }
  return matches;
}

/** The instances that the session has of rows with these keys. */
export function matchesOfKeys(
  core: SessionState,
  mapper: Mapper,
  keys: readonly (readonly unknown[])[],
): readonly Match[] {
  const known = core.identityMap.of(mapper);
  return keys.flatMap((key) => {
    const instance = known.get(identityKey(mapper, key));
    return instance === undefined ? [] : [{ state: stateOf(instance), isCertain: true }];
  });
}

/** The rows of these instances are gone. One that may still have its row is asked of the database when it is next used. */
export function syncDeleted(core: SessionState, matches: readonly Match[]): void {
  for (const { state, isCertain } of matches) {
    if (state.deleted) continue;
    if (isCertain) rowIsGone(core, state);
    else core.expire(state, "deleteFrom()");
  }
}

/**
 * The rows of these instances have new values. What is in memory takes them over; what only the database knows is expired; and so is what was assigned and not
 * flushed, because the statement came later.
 */
export function syncUpdated(
  core: SessionState,
  matches: readonly Match[],
  assigned: readonly Assigned[],
  options: SyncOptions = {},
): void {
  const concerned = options.rowsFollow === true ? assigned.map((one) => ({ ...one, evaluate: undefined })) : assigned;
  for (const match of matches) syncOne(core, match, concerned, options);
}

/** How instances are brought up to date. */
export interface SyncOptions {
  /** The statement named its rows, so nothing is told of instances that have nothing to expire. */
  readonly isByKeys?: boolean;
  /** The statement has answered with the rows, which are read next: the new values come from there, and are told of then. */
  readonly rowsFollow?: boolean;
}

/** What a statement sets, by the attributes of a class. */
export function assignedOf(
  mapper: Mapper,
  values: Assignments,
  isGiven: (property: ColumnProperty) => boolean,
): readonly Assigned[] {
  return [...values].map(([property, value]) => ({
    attribute: mapper.instrumentation.expect(property.key),
    slot: property.slot,
    evaluate: evaluatorOf(value, mapper),
    isGiven: isGiven(property),
  }));
}

/** Finds the value of an expression in memory; undefined where only the database can. */
export function evaluatorOf(value: Expression<unknown>, mapper: Mapper): Evaluator | undefined {
  try {
    return value.evaluator({ mapper, parameters: undefined });
  } catch (error) {
    if (error instanceof UnevaluableError) return undefined;
    throw error;
  }
}

function syncOne(
  core: SessionState,
  { state, isCertain }: Match,
  assigned: readonly Assigned[],
  { isByKeys = false, rowsFollow = false }: SyncOptions,
): void {
  const { dispatch } = state.instrumentation;
  const unchanged = assigned.filter(({ slot }) => !state.isChanged(slot));
  // All of them before the first is assigned: one may be made of another's old value.
  const values = new Map<Assigned, unknown>();
  for (const one of unchanged) {
    const value = isCertain ? one.evaluate?.(state) : UNKNOWN;
    if (value !== undefined && value !== UNKNOWN) values.set(one, value);
  }
  const lost = assigned.filter((one) => isLost(state, one, values));
  const expired = [...lost.map(({ attribute }) => attribute), ...staleReferences(state, assigned)];
  if (expired.length > 0 || !isByKeys) expireAttributes(core, state, expired);
  // What is not in memory of an instance that lacks nothing is NULL, and would go on reading as that.
  for (const [{ slot }, value] of values) if (!state.isUnread(slot)) state.values[slot] = value;
  const refreshed = unchanged.filter((one) => one.isGiven && one.evaluate !== undefined && !lost.includes(one));
  if (dispatch["refresh"] !== undefined && !rowsFollow)
    emit(dispatch["refresh"], { target: state.instance, attrs: refreshed.map(({ attribute }) => attribute.key) });
  state.commitSlots(unchanged.map(({ slot }) => slot));
  const overwritten = assigned.filter(
    (one) => one.isGiven && !unchanged.includes(one) && !lost.includes(one) && state.values[one.slot] !== undefined,
  );
  if (overwritten.length > 0)
    expireAttributes(
      core,
      state,
      overwritten.map(({ attribute }) => attribute),
    );
  core.transaction?.snapshot.dirtyStates.add(state);
}

/** Whether the new value must come from the database. What is not in memory anyway comes from there when it is needed. */
function isLost(state: InstanceState, one: Assigned, values: ReadonlyMap<Assigned, unknown>): boolean {
  if (one.evaluate === undefined) return true;
  return !values.has(one) && !state.isChanged(one.slot) && state.values[one.slot] !== undefined;
}

/** References that are in memory, and whose foreign keys were set. */
function staleReferences(state: InstanceState, assigned: readonly Assigned[]): readonly InstanceAttribute[] {
  const slots = new Set(assigned.map(({ slot }) => slot));
  return mapperOfState(state).relationships.flatMap(({ direction, pairs, slot, key }) =>
    direction === "manyToOne" &&
    state.values[slot] !== undefined &&
    !state.isChanged(slot) &&
    pairs.some(({ local }) => slots.has(local.slot))
      ? [state.instrumentation.expect(key)]
      : [],
  );
}

/** Says so also where there is nothing to expire, as SQLAlchemy does. */
function expireAttributes(core: SessionState, state: InstanceState, lost: readonly InstanceAttribute[]): void {
  if (lost.length > 0) return core.expire(state, "update()", lost);
  const { expire } = state.instrumentation.dispatch;
  if (expire !== undefined) emit(expire, { target: state.instance, attrs: [] });
}
