import { DetachedInstanceError } from "../instance/errors.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import { carriedBy } from "../loading/carried-options.ts";
import { deferralOf } from "../loading/deferred-columns.ts";
import type { Deferral } from "../mapping/column.ts";
import { type ColumnProperty, mapperOfState } from "../mapping/mapper.ts";
import type { ExecutionOptions } from "../sql/execution-options.ts";
import { selectByKey } from "../sql/select-by-key.ts";
import { ObjectDeletedError } from "./errors.ts";
import { execute } from "./execute.ts";
import type { SessionState } from "./session-state.ts";
import { isRowFound, type Seen, strictPlan } from "./strict-criteria.ts";

/**
 * Loads columns of one instance from its row. Listeners of `doOrmExecute` see it as a column load.
 *
 * @param onlyKeys the names that were asked for, where not the whole instance was
 * @param seen whether a strict session's criteria hold for the row
 * @throws ObjectDeletedError where the row is gone or hidden, DetachedInstanceError where the instance has left the session
 */
export async function loadColumns(
  core: SessionState,
  state: InstanceState,
  columns: readonly ColumnProperty[],
  options: ExecutionOptions = {},
  onlyKeys?: readonly string[],
  seen: Seen = "visible",
): Promise<void> {
  if (state.owner !== core) {
    throw new DetachedInstanceError(
      `${state.describe()} has to be loaded, because something of it that has expired is needed, and it belongs to no session any more. ` +
        `Something in the session is related to it still: add it back with session.add(instance), or take it out of the relationship.`,
    );
  }
  const mapper = mapperOfState(state);
  // The row is recognised by its key, and its class by the discriminator.
  const needed = [
    ...mapper.primaryKey,
    ...(mapper.polymorphicOn === undefined ? [] : [mapper.polymorphicOn]),
    ...columns,
  ];
  // What is missing is decided now: a flush before the statement may load the same, and both say so.
  const isUnexpire = onlyKeys === undefined && options.populateExisting !== true;
  const unread = columns.filter(({ slot }) => state.isUnread(slot)).map(({ key }) => key);
  // Who asks for a column that is left out asks for nothing else.
  const isWhole = columns.some((column) => !isDeferred(state, column));
  const asked = isUnexpire ? [...unread, ...(isWhole ? state.unreadRelatedNames() : [])] : onlyKeys;
  // What is loaded anew is loaded as it was the first time.
  const carried = carriedBy(state, asked);
  const hidesAsked = core.isStrict && seen === "visible";
  const plan = hidesAsked ? await strictPlan(core, carried, mapper) : carried;
  const statement = selectByKey(
    mapper,
    state.identityValues,
    [...new Set(needed)].toSorted((left, right) => left.slot - right.slot),
  ).withPlan(plan);
  const result = await execute(core, {
    statement,
    parameters: undefined,
    options,
    asking: state,
    hidesAsked,
    carried: core.isStrict ? carried.criteria : undefined,
    isUserRefresh: !isUnexpire,
    onlyKeys: asked,
  });
  if (result.first() !== null) {
    if (isUnexpire) state.read(new Set(columns.map(({ slot }) => slot)), isWhole);
    return;
  }
  if (hidesAsked && (await isRowFound(core, mapper, state.identityValues))) {
    throw new ObjectDeletedError(
      `The row of ${state.describe()} is there and hidden: what withLoaderCriteria() says of ${mapper.class.name} does not hold for it any more, ` +
        `and this session is strict about that (criteria: "strict"). Whoever may see it uses a session without those criteria.`,
      true,
    );
  }
  throw new ObjectDeletedError(
    `The row of ${state.describe()} is gone: somebody has deleted it since it was loaded. Take the instance out of the session with session.expunge(instance).`,
  );
}

/**
 * The columns of an instance whose values only the row has, as they are loaded together: without those that are left out, unless they are wanted.
 *
 * @param wanted columns that must be loaded; of one that is left out the others of its group come along, and nothing else
 */
export function unloadedColumns(
  state: InstanceState,
  wanted: readonly ColumnProperty[] = [],
): readonly ColumnProperty[] {
  const unread = mapperOfState(state).columnProperties.filter(({ slot }) => state.isUnread(slot));
  const deferred = unread.filter((column) => isDeferred(state, column));
  if (deferred.length === 0) return unread;
  const slots = new Set(wanted.map(({ slot }) => slot));
  const isWanted = ({ slot }: ColumnProperty): boolean => slots.has(slot);
  const groups = new Set(deferred.filter(isWanted).map((column) => deferralFor(state, column)?.group));
  groups.delete(undefined);
  const isAlone = wanted.length > 0 && wanted.every((column) => deferred.includes(column));
  return unread.filter((column) => {
    if (isWanted(column)) return true;
    return deferred.includes(column) ? groups.has(deferralFor(state, column)?.group) : !isAlone;
  });
}

/** The columns that a refresh of the whole instance loads. */
export function refreshedColumns(state: InstanceState): readonly ColumnProperty[] {
  return mapperOfState(state).columnProperties.filter((column) => !isDeferred(state, column));
}

/** Whether a column is left out where the instance is loaded: what is loaded anew is loaded as it was the first time. */
function isDeferred(state: InstanceState, column: ColumnProperty): boolean {
  return deferralFor(state, column) !== undefined;
}

function deferralFor(state: InstanceState, column: ColumnProperty): Deferral | undefined {
  return deferralOf(carriedBy(state).tree, column, mapperOfState(state));
}
