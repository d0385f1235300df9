import { eachInTurn, type MaybePromise } from "../engine/maybe-promise.ts";
import type { Connection } from "../engine/connection.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import { mapperOfState, type Mapper } from "../mapping/mapper.ts";
import type { Table } from "../mapping/table.ts";
import { emitRow } from "./emit-row.ts";
import type { FlushWork } from "./flush-work.ts";
import { type RowWriter, rowWriter } from "./row-writer.ts";
import { isRowIdentityAbsent, staleError } from "./write-saves.ts";

/** Deletes the rows of one hierarchy: all `beforeDelete`, the SQL with subclasses' tables first, all `afterDelete`. */
export async function writeDeletes(states: readonly InstanceState[], work: FlushWork): Promise<void> {
  const mappers = mappersOf(states);
  if (mappers.every(({ batch }) => batch)) return deleteBatch(states, mappers, work);
  const together = states.filter((state) => mapperOfState(state).batch);
  if (together.length > 0) await deleteBatch(together, mappersOf(together), work);
  for (const state of states) if (!mapperOfState(state).batch) await deleteBatch([state], mappersOf([state]), work);
}

async function deleteBatch(
  states: readonly InstanceState[],
  mappers: readonly Mapper[],
  work: FlushWork,
): Promise<void> {
  if (isHeard(mappers, "beforeDelete")) await eachInTurn(states, (state) => emitRow(state, "beforeDelete", work));
  const loading = eachInTurn(states, (state) => loadRowIdentity(state, work));
  if (loading instanceof Promise) await loading;
  const tables = [
    ...new Set(
      mappers.toSorted((left, right) => left.tables.length - right.tables.length).flatMap(({ tables }) => tables),
    ),
  ];
  for (const table of tables.toReversed()) {
    for (const mapper of mappers.filter((candidate) => candidate.tables.includes(table))) {
      const ofMapper = mappers.length === 1 ? states : states.filter((state) => mapperOfState(state) === mapper);
      await deleteRows(ofMapper, mapper, table, work);
    }
  }
  for (let index = 0; index < states.length; index++) (states[index] as InstanceState).written = true;
  if (isHeard(mappers, "afterDelete")) await eachInTurn(states, (state) => emitRow(state, "afterDelete", work));
}

function mappersOf(states: readonly InstanceState[]): readonly Mapper[] {
  const mappers = new Set<Mapper>();
  let last: Mapper | undefined;
  for (let index = 0; index < states.length; index++) {
    const mapper = mapperOfState(states[index] as InstanceState);
    if (mapper !== last) mappers.add((last = mapper));
  }
  return [...mappers];
}

function isHeard(mappers: readonly Mapper[], event: "beforeDelete" | "afterDelete"): boolean {
  return mappers.some(({ instrumentation }) => instrumentation.dispatch[event] !== undefined);
}

function loadRowIdentity(state: InstanceState, work: FlushWork): MaybePromise<void> {
  if (state.unread !== undefined && isRowIdentityAbsent({ state, mapper: mapperOfState(state) }))
    return work.loadColumns(state);
}

/** How many rows one statement deletes, from the most on: a few sizes, so that few texts are prepared. */
const ROWS_TOGETHER = [1000, 100, 10];

async function deleteRows(
  states: readonly InstanceState[],
  mapper: Mapper,
  table: Table,
  { connection, warn }: FlushWork,
): Promise<void> {
  const { dialect } = connection.engine;
  const writer = rowWriter(mapper, table, dialect);
  let start = 0;
  for (const size of ROWS_TOGETHER) {
    const text = size <= dialect.traits.maxParameters ? writer.deleteManyText(size) : undefined;
    if (text === undefined) continue;
    for (; start + size <= states.length; start += size) {
      const rows = states.slice(start, start + size);
      const running = connection.run(text, writer.keysOf(rows));
      const { rowCount } = running instanceof Promise ? await running : running;
      if (rowCount === size) continue;
      warn(
        `The DELETE of ${size} rows from "${table.name}", ${rows[0]?.describe()} to ${rows.at(-1)?.describe()}, found ${rowCount} of them. Somebody has deleted the others already.`,
      );
    }
  }
  if (start < states.length)
    await deleteEach(start === 0 ? states : states.slice(start), mapper, writer, connection, warn);
}

async function deleteEach(
  states: readonly InstanceState[],
  mapper: Mapper,
  writer: RowWriter,
  connection: Connection,
  warn: FlushWork["warn"],
): Promise<void> {
  const version = writer.version?.property.slot;
  const parameterSets = states.map((state) => {
    return writer.addRowIdentity([], state, version === undefined ? undefined : state.values[version]);
  });
  const { rowCounts } = await connection.runEach(writer.deleteText, parameterSets);
  rowCounts?.forEach((count, index) => {
    if (count === 1) return;
    const state = states[index] as InstanceState;
    if (writer.version !== undefined) throw staleError({ state, mapper }, "DELETE");
    warn(`The DELETE of ${state.describe()} found no row in "${writer.table.name}". Somebody has deleted it already.`);
  });
}
