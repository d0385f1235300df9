import { type Instance, stateOf } from "../instance/instance.ts";
import type { RelatedAttribute } from "../instance/instance-attribute.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import { writeOnlyError } from "../instance/unloaded-error.ts";
import type { AfterLoads } from "../loading/after-loads.ts";
import { carriedTo } from "../loading/carried-options.ts";
import { identityKey } from "../mapping/identity.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import type { RelatedFilter } from "../sql/loader-tree.ts";
import type { LoadingPlan, RelatedPlan } from "../sql/loading-plan.ts";
import { localColumns, localValues, relatedSelect } from "../sql/related-select.ts";
import { ObjectDeletedError } from "./errors.ts";
import { execute, type Execution } from "./execute.ts";
import { loadColumns, unloadedColumns } from "./load-columns.ts";
import type { SessionState } from "./session-state.ts";
import { isHidden, type Seen, strictPlan } from "./strict-criteria.ts";

/**
 * Loads a relationship of one instance. Listeners of `doOrmExecute` see it as a relationship load; what needs no statement (an empty foreign key, a
 * reference to an instance that the session has) runs none.
 *
 * @param given what the statement says besides; undefined: what the instance carries of the one that loaded it
 * @param seen whether a strict session's criteria hold for what is found
 * @param afterLoads the loads that follow another statement, which it is one of: what follows it in turn waits there, so that what is nearer is loaded before
 */
export async function loadRelated(
  core: SessionState,
  state: InstanceState,
  property: RelationshipProperty,
  given?: RelatedPlan,
  seen: Seen = "visible",
  afterLoads?: AfterLoads,
): Promise<void> {
  const attribute = state.instrumentation.attributes[property.slot] as RelatedAttribute;
  if (attribute.unloadedAs(state) === "never") throw writeOnlyError(state, property.key, seen === "all");
  const before = state.values[property.slot];
  // The options that the instance carries may have loaded the relationship along with its columns.
  if ((await loadLocalColumns(core, state, property, seen)) && state.values[property.slot] !== undefined) return;
  const key = localValues(state, property);
  if (key.some((value) => value == null)) return attribute.setLoaded(state, []);
  const carried = given ?? carriedTo(state, property);
  const plan = core.isStrict && seen === "visible" ? await strictPlan(core, carried, property.target) : carried;
  // Whoever must know all of it means all of it.
  const where = seen === "all" ? undefined : carried.where;
  // Where a path leads on from what the session has, that has to be asked for what is to be loaded along with it.
  const leadsOn = given !== undefined && given.tree.named.length > 0;
  if (property.refersToKey && where === undefined && !leadsOn) {
    const byKey = property.target.primaryKey.map(
      (part) => key[property.pairs.findIndex(({ remote }) => remote.slot === part.slot)],
    );
    const known = core.identityMap.of(property.target).get(identityKey(property.target, byKey));
    // Of an expired one only the database knows whether criteria hide it, and so that answers all.
    const isAsked = core.isStrict && seen === "visible" && known !== undefined && stateOf(known).isExpired;
    if (known !== undefined && !isAsked) return attribute.setLoaded(state, await withColumns(core, known, plan, seen));
  }
  const criteria = core.isStrict ? carried.criteria : undefined;
  const related = await selectRelated(core, state, property, key, plan, { where, carried: criteria, afterLoads });
  // It came with something else, and only what is loaded along with it was missing.
  if (leadsOn && before !== undefined) return;
  // A reference that was assigned meanwhile is newer than what the rows say.
  if (property.isCollection || state.values[property.slot] === before) attribute.setLoaded(state, related);
}

/**
 * Finds what a reference referred to that was assigned before it was loaded. Only rows of other tables tell, and nobody could wait for them then; a flush can, and must
 * know whom it takes the reference from.
 */
export async function loadReplaced(
  core: SessionState,
  state: InstanceState,
  property: RelationshipProperty,
): Promise<Instance | null> {
  await loadLocalColumns(core, state, property, "all");
  const key = localColumns(property).map(({ slot }) => state.committedValue(slot));
  if (key.some((value) => value == null)) return null;
  const [replaced = null] = await selectRelated(core, state, property, key, carriedTo(state, property));
  return replaced;
}

/** What is known of a load of related instances besides what its statement says. */
interface RelatedSelection extends Pick<Execution, "carried" | "afterLoads"> {
  readonly where?: RelatedFilter | undefined;
}

async function selectRelated(
  core: SessionState,
  state: InstanceState,
  property: RelationshipProperty,
  key: readonly unknown[],
  plan: LoadingPlan,
  { where, carried, afterLoads }: RelatedSelection = {},
): Promise<Instance[]> {
  const statement = relatedSelect(property, key, where).withPlan(plan);
  const result = await execute(core, {
    statement,
    parameters: undefined,
    options: {},
    isRelationshipLoad: true,
    carried,
    lazyLoadedFrom: state,
    afterLoads,
  });
  return [...new Set(result.scalars().all() as Instance[])];
}

/** An instance that the session has, with its values; nothing where its row turns out to be gone, or a strict session's criteria hide it. */
async function withColumns(
  core: SessionState,
  instance: Instance,
  { criteria }: LoadingPlan,
  seen: Seen,
): Promise<readonly Instance[]> {
  const state = stateOf(instance);
  if (core.isStrict && seen === "visible" && (await isHidden(core, state, criteria))) return [];
  if (!state.isExpired) return [instance];
  try {
    await loadColumns(core, state, unloadedColumns(state), {}, undefined, seen);
    return [instance];
  } catch (error) {
    if (error instanceof ObjectDeletedError) return [];
    throw error;
  }
}

/**
 * An instance whose part of the relationship is expired is loaded whole before its relationships are.
 *
 * @returns whether it was loaded
 */
async function loadLocalColumns(
  core: SessionState,
  state: InstanceState,
  property: RelationshipProperty,
  seen: Seen,
): Promise<boolean> {
  const unread = localColumns(property).filter(({ slot }) => state.isUnread(slot));
  if (unread.length === 0) return false;
  await loadColumns(core, state, unloadedColumns(state, unread), {}, undefined, seen);
  return true;
}
