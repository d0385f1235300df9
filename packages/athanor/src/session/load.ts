import { DetachedInstanceError } from "../instance/errors.ts";
import { expectState } from "../instance/instance.ts";
import type { AttributeName, Instance } from "../mapping/model-types.ts";
import { loadColumns, unloadedColumns } from "./load-columns.ts";
import { SessionState } from "./session-state.ts";

/** What `load` answers with: the value of one name, or the values of several. */
export type Loaded<TInstance, TKeys extends readonly string[]> = TKeys extends readonly [infer K]
  ? ValueOf<TInstance, K>
  : { [I in keyof TKeys]: ValueOf<TInstance, TKeys[I]> };

type ValueOf<TInstance, TKey> = TKey extends keyof TInstance ? TInstance[TKey] : unknown;

/**
 * Loads attributes that are not in memory, and answers with their values: what reading an attribute does in SQLAlchemy, where reading
 * can wait. What is in memory already costs nothing, and one statement loads everything that is missing.
 *
 * SQLAlchemy: Session Basics, Refreshing / Expiring; asyncio, `AsyncAttrs.awaitable_attrs`.
 *
 * @throws DetachedInstanceError where the instance has no session, ObjectDeletedError where its row is gone.
 * @example
 * const email = await load(user, "email");
 */
export async function load<TInstance extends Instance, const TKeys extends readonly AttributeName<TInstance>[]>(
  instance: TInstance,
  ...keys: TKeys
): Promise<Loaded<TInstance, TKeys>> {
  const state = expectState(instance);
  const attributes = keys.map((key) => state.instrumentation.expect(key));
  const isMissing = (): boolean =>
    state.key !== undefined &&
    state.incomplete &&
    attributes.some(({ slot, isStored }) => isStored && state.values[slot] === undefined && !state.isChanged(slot));
  if (isMissing()) {
    const { owner } = state;
    if (!(owner instanceof SessionState)) {
      throw new DetachedInstanceError(
        `${keys.join(", ")} of ${state.describe()} cannot be loaded, because it belongs to no session any more. Bring it back first: session.add(instance).`,
      );
    }
    await owner.run(async () => {
      if (isMissing()) await loadColumns(owner, state, unloadedColumns(state));
    });
  }
  const values = keys.map((key) => (instance as Record<string, unknown>)[key]);
  return (keys.length === 1 ? values[0] : values) as Loaded<TInstance, TKeys>;
}
