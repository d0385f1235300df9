import { UNCHANGED, type InstanceState } from "../instance/instance-state.ts";
import { mapperOfState, type Mapper } from "../mapping/mapper.ts";
import { valueOf } from "./column-defaults.ts";
import type { FlushPlan } from "./flush-plan.ts";
import { type RowWriter, rowWriter, type WrittenColumn } from "./row-writer.ts";
import { isSameValue } from "./same-value.ts";
import { announceRefreshed, isRowIdentityAbsent, staleError } from "./write-saves.ts";

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
  plan: FlushPlan,
  state: InstanceState,
  mapper: Mapper,
  slots: ReadonlySet<number>,
): Promise<void> {
  const { connection, work } = plan;
  const changed = new Set([...slots].filter((slot) => differsFromRow(state, slot)));
  if (isRowIdentityAbsent({ state, mapper })) await work.loadColumns(state);
  for (const table of mapper.tables) {
    const writer = rowWriter(mapper, table, connection.engine.dialect);
    const columns = writer.columns.filter(
      ({ property: { slot, source } }) => changed.has(slot) && source.table === table,
    );
    if (columns.length === 0) continue;
    const renewed = renewedColumns(plan, state, writer);
    const [text, parameters] = writer.updateAlone([...columns, ...renewed], state);
    const { rowCounts } = await connection.runEach(text, [parameters]);
    if (rowCounts !== undefined && rowCounts[0] !== 1) throw staleError({ state, mapper }, "UPDATE");
    if (writer.version !== undefined && state.key !== undefined) renewed.push(writer.version);
    announceRefreshed(
      state,
      renewed.map(({ property }) => property.key),
    );
  }
  state.commitSlots(slots);
}

/** An UPDATE of its own is an UPDATE: `onupdate` values are made for it, but for what the program has set. Of a row that goes nobody reads them. */
function renewedColumns(plan: FlushPlan, state: InstanceState, { columns, table }: RowWriter): WrittenColumn[] {
  if (plan.isDeleted(state)) return [];
  const made = plan.entries.get(state)?.refreshed;
  return columns.filter(({ property: { slot, key, source, column } }) => {
    const { onupdate } = column.options;
    const isGiven = (state.isChanged(slot) && made?.includes(key) !== true) || differsFromRow(state, slot);
    if (onupdate === undefined || source.table !== table || isGiven) return false;
    state.values[slot] = valueOf(onupdate);
    return true;
  });
}

/** Whether a foreign key is another one than in the row: where this flush has written the row, only what was assigned since. */
function differsFromRow(state: InstanceState, slot: number): boolean {
  const old = (state.written ? state.committedAfterWrite : state.committed)?.[slot];
  return old !== undefined && old !== UNCHANGED && !isSameValue(undefined, old, state.values[slot]);
}
