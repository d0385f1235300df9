import { InvalidRequestError } from "../event/errors.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import { writeOnlyError } from "../instance/unloaded-error.ts";
import { mapperOfState } from "../mapping/mapper.ts";
import { reachedBy } from "../unit-of-work/cascades.ts";
import { expireRelated } from "./attachment.ts";
import { mustAutoflush } from "./execute.ts";
import { flushSession } from "./flush-session.ts";
import { ObjectDeletedError } from "./errors.ts";
import { loadColumns, refreshedColumns } from "./load-columns.ts";
import type { SessionState } from "./session-state.ts";

/** Drops the values of an instance, all or the named ones, and loads them anew. What was set and not flushed is lost. */
export async function refreshInstance(
  core: SessionState,
  state: InstanceState,
  keys: readonly string[] | undefined,
): Promise<void> {
  const attributes = keys?.map((key) => state.instrumentation.expect(key));
  for (const attribute of attributes ?? [])
    if (attribute.unloadedAs(state) === "never") throw writeOnlyError(state, attribute.key);
  const along = attributes === undefined ? reachedBy("refresh-expire", state) : [];
  core.drop(state, "refresh()", attributes);
  for (const related of along) expireRelated(core, related, "refresh()");
  if (mustAutoflush(core)) await flushSession(core);
  const { columnProperties, relationships } = mapperOfState(state);
  const columns =
    keys === undefined ? refreshedColumns(state) : columnProperties.filter(({ key }) => keys.includes(key));
  try {
    await loadColumns(core, state, columns, { populateExisting: keys === undefined, autoflush: false }, keys);
    for (const property of relationships) {
      const isLoaded = state.values[property.slot] !== undefined;
      if (keys?.includes(property.key) === true && !isLoaded) await core.loadRelated(state, property);
    }
  } catch (error) {
    if (!(error instanceof ObjectDeletedError)) throw error;
    const why = error.isHidden ? `hidden by the criteria of this strict session` : "gone";
    throw new InvalidRequestError(`${state.describe()} could not be refreshed, because its row is ${why}.`, {
      cause: error,
    });
  }
}
