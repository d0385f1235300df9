import { UNCHANGED, type InstanceState } from "../instance/instance-state.ts";
import { mapperOfState, type Mapper } from "../mapping/mapper.ts";
import type { FlushPlan } from "./flush-plan.ts";
import { rowWriter } from "./row-writer.ts";
import { isSameValue } from "./same-value.ts";
import { isRowIdentityAbsent, staleError } from "./write-saves.ts";

/** Writes foreign keys by an UPDATE of their own, when both rows are there (or before one of them goes). They raise no row events. */
export async function writePostUpdates(plan: FlushPlan, baseMapper: Mapper, beforeDeletes: boolean): Promise<void> {
  for (const [state, slots] of plan.postUpdates) {
    const mapper = mapperOfState(state);
    if (mapper.baseMapper !== baseMapper || plan.isDeleted(state) !== beforeDeletes) continue;
    plan.postUpdates.delete(state);
    await writeColumns(plan, state, mapper, slots);
  }
}

async function writeColumns(
  { connection, work }: FlushPlan,
  state: InstanceState,
  mapper: Mapper,
  slots: ReadonlySet<number>,
): Promise<void> {
  const changed = new Set([...slots].filter((slot) => differsFromRow(state, slot)));
  if (isRowIdentityAbsent({ state, mapper })) await work.loadColumns(state);
  for (const table of mapper.tables) {
    const writer = rowWriter(mapper, table, connection.engine.dialect);
    const columns = writer.columns.filter(
      ({ property: { slot, source } }) => changed.has(slot) && source.table === table,
    );
    if (columns.length === 0) continue;
    const [text, parameters] = writer.updateAlone(columns, state);
    const { rowCounts } = await connection.runEach(text, [parameters]);
    if (rowCounts !== undefined && rowCounts[0] !== 1) throw staleError({ state, mapper }, "UPDATE");
  }
  state.commitSlots(slots);
}

/** Whether a foreign key is another one than in the row: where this flush has written the row, only what was assigned since. */
function differsFromRow(state: InstanceState, slot: number): boolean {
  const old = (state.written ? state.committedAfterWrite : state.committed)?.[slot];
  return old !== undefined && old !== UNCHANGED && !isSameValue(undefined, old, state.values[slot]);
}
