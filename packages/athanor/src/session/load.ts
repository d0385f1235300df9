import { DetachedInstanceError } from "../instance/errors.ts";
import { expectState } from "../instance/instance.ts";
import type { AttributeName, Instance } from "../mapping/model-types.ts";
import { mapperOfState } from "../mapping/mapper.ts";
import { type InstanceAttribute, isRelated } from "../instance/instance-attribute.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import { refusedColumnError, refusedError } from "../instance/unloaded-error.ts";
import { loadColumns, unloadedColumns } from "./load-columns.ts";
import { SessionState } from "./session-state.ts";

/** What `load` answers with: the value of one name, or the values of several. */
export type Loaded<TInstance, TKeys extends readonly string[]> = TKeys extends readonly [infer K]
  ? AttributeValue<TInstance, K>
  : { [I in keyof TKeys]: AttributeValue<TInstance, TKeys[I]> };

type AttributeValue<TInstance, TKey> = TKey extends keyof TInstance ? TInstance[TKey] : unknown;

/**
 * Loads attributes that are not in memory, and answers with their values: what reading an attribute does in SQLAlchemy, where reading
 * can wait. What is in memory already costs nothing, and one statement loads everything that is missing.
 *
 * SQLAlchemy: Session Basics, Refreshing / Expiring; asyncio, `AsyncAttrs.awaitable_attrs`.
 *
 * @throws DetachedInstanceError where the instance has no session, ObjectDeletedError where its row is gone, or hidden from a strict session, UnloadedAttributeError for what {@link raiseLoad}
 *   keeps from being loaded by itself.
 * @example
 * const email = await load(user, "email");
 */
export async function load<TInstance extends Instance, const TKeys extends readonly AttributeName<TInstance>[]>(
  instance: TInstance,
  ...keys: TKeys
): Promise<Loaded<TInstance, TKeys>> {
  const state = expectState(instance);
  const attributes = keys.map((key) => state.instrumentation.expect(key));
  const isMissing = (): boolean => attributes.some((attribute) => isAbsent(state, attribute));
  if (isMissing()) {
    const { owner } = state;
    if (!(owner instanceof SessionState)) {
      throw new DetachedInstanceError(
        `${keys.join(", ")} of ${state.describe()} cannot be loaded, because it belongs to no session any more. Bring it back first: session.add(instance).`,
      );
    }
    await owner.run(() => loadAbsent(owner, state, attributes));
  }
  const values = keys.map((key) => (instance as Record<string, unknown>)[key]);
  return (keys.length === 1 ? values[0] : values) as Loaded<TInstance, TKeys>;
}

function isAbsent(state: InstanceState, attribute: InstanceAttribute): boolean {
  if (isRelated(attribute)) return state.key !== undefined && state.values[attribute.slot] === undefined;
  return state.key !== undefined && state.isUnread(attribute.slot);
}

/** Throws where the attribute, or the statement that loaded the instance, says that nobody loads it like this. */
function expectNotRefused(state: InstanceState, attribute: InstanceAttribute): void {
  const unloadedAs = attribute.unloadedAs(state);
  if (!isRelated(attribute)) {
    if (unloadedAs === "refused") throw refusedColumnError(state, attribute.key);
  } else if (unloadedAs === "refused" || (unloadedAs === "refusedWithSql" && !attribute.isLoaded(state)))
    throw refusedError(state, attribute.key);
}

async function loadAbsent(
  core: SessionState,
  state: InstanceState,
  attributes: readonly InstanceAttribute[],
): Promise<void> {
  const absent = attributes.filter((attribute) => isAbsent(state, attribute));
  for (const attribute of absent) expectNotRefused(state, attribute);
  const { relationships, columnProperties } = mapperOfState(state);
  const columns = columnProperties.filter(({ slot }) => absent.some((attribute) => attribute.slot === slot));
  for (const attribute of absent) {
    // Loaded along with those before it.
    if (!isAbsent(state, attribute)) continue;
    const property = relationships.find(({ slot }) => slot === attribute.slot);
    if (property === undefined) await loadColumns(core, state, unloadedColumns(state, columns));
    else await core.loadRelated(state, property);
  }
}
