import { stateOf } from "../instance/instance.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import { identityKey } from "../mapping/identity.ts";
import type { Entry } from "./entry.ts";
import { FlushError } from "./errors.ts";
import type { FlushPlan } from "./flush-plan.ts";

/** The instance that the session has already under the key that a new one was given. */
export function findNamesake({ state: { values }, mapper }: Entry, plan: FlushPlan): InstanceState | undefined {
  const { primaryKey } = mapper;
  // Asked of every new row: most have no key yet.
  for (let index = 0; index < primaryKey.length; index++) {
    const slot = primaryKey[index]?.slot;
    if (slot !== undefined && values[slot] == null) return undefined;
  }
  const key = identityKey(
    mapper,
    mapper.primaryKey.map(({ slot }) => values[slot]),
  );
  const known = plan.work.findByKey(mapper, key);
  return known === undefined ? undefined : stateOf(known);
}

/**
 * Lets a new instance take over the row of one that is deleted in the same flush: its INSERT and the other's DELETE become one UPDATE, which writes what the new one
 * has values for. SQLAlchemy calls it a row switch.
 *
 * An expired namesake is asked for its row first: where that is gone, there is nothing to take over.
 */
export async function takeRowOver(save: Entry, namesake: InstanceState, plan: FlushPlan): Promise<void> {
  const entry = plan.entries.get(namesake);
  if (namesake.isExpired && !(await plan.work.loadOrForget(namesake))) {
    // It may be about to be deleted, and its DELETE would find the new row.
    if (entry !== undefined) entry.isTakenOver = true;
    plan.entries.delete(namesake);
    return;
  }
  if (entry?.isDelete !== true) return;
  const [here, there] = [new Set(save.mapper.tables), new Set(entry.mapper.tables)];
  if (here.symmetricDifference(there).size > 0) {
    throw new FlushError(
      `A new ${save.mapper.class.name} has the key of ${namesake.describe()}, which is deleted in the same flush, and their rows are in different tables. ` +
        `Flush the deletion before you add the new one.`,
    );
  }
  entry.isTakenOver = true;
  save.takesOver = namesake;
}

/** Takes what a new instance has values for as its changes to the row that it takes over. */
export function prepareTakeover({ state, mapper: { columnProperties, version }, takesOver }: Entry): void {
  for (const { slot, source } of columnProperties) {
    if (slot === version?.slot) state.values[slot] = takesOver?.values[slot];
    else if (!source.column.primaryKey && state.values[slot] !== undefined) state.remember(slot, undefined);
  }
}
