import type { InstanceState } from "../instance/instance-state.ts";
import { mapperOfState, type Mapper } from "../mapping/mapper.ts";
import type { FlushPlan } from "./flush-plan.ts";
import { rowWriter } from "./row-writer.ts";

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
  { connection }: FlushPlan,
  state: InstanceState,
  mapper: Mapper,
  slots: ReadonlySet<number>,
): Promise<void> {
  for (const table of mapper.tables) {
    const writer = rowWriter(mapper, table, connection.engine.dialect);
    const columns = writer.columns.filter(
      ({ property }) => slots.has(property.slot) && property.source.table === table,
    );
    if (columns.length === 0) continue;
    await connection.run(...writer.updateAlone(columns, state));
    state.commitSlots(columns.map(({ property }) => property.slot));
  }
}
