import type { Connection } from "../engine/connection.ts";
import { eachInTurn, type MaybePromise } from "../engine/maybe-promise.ts";
import { emit } from "../event/dispatch.ts";
import type { InstanceAttribute } from "../instance/instance-attribute.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import { lostError } from "../instance/unloaded-error.ts";
import { UNCHANGED } from "../instance/instance-state.ts";
import type { Mapper } from "../mapping/mapper.ts";
import type { Table } from "../mapping/table.ts";
import { defaultsOf, valueOf } from "./column-defaults.ts";
import { FlushError, StaleDataError } from "./errors.ts";
import { emitRow } from "./emit-row.ts";
import type { FlushWork } from "./flush-work.ts";
import type { FlushPlan } from "./flush-plan.ts";
import { insertRows } from "./insert-rows.ts";
import type { Entry } from "./entry.ts";
import { isSameValue } from "./same-value.ts";
import { findNamesake, prepareTakeover, takeRowOver } from "./row-switch.ts";
import { type RowWriter, rowWriter, type WrittenColumn } from "./row-writer.ts";

/** Writes the instances of one hierarchy: all `before` events, the SQL table by table, all `after` events. */
export async function writeSaves(saves: readonly Entry[], plan: FlushPlan): Promise<void> {
  const together = saves.filter(({ mapper }) => mapper.batch);
  if (together.length > 0) await writeBatch(together, plan);
  if (together.length === saves.length) return;
  for (const save of saves) if (!save.mapper.batch) await writeBatch([save], plan);
}

async function writeBatch(batch: readonly Entry[], plan: FlushPlan): Promise<void> {
  const { work } = plan;
  const { connection } = work;
  const announcing = eachInTurn(batch, (save) => announceSave(save, plan));
  if (announcing instanceof Promise) await announcing;
  const inserts: Entry[] = [];
  const changed: Entry[] = [];
  try {
    const preparing = eachInTurn(batch, (save) => prepareSave(save, inserts, changed, work));
    if (preparing instanceof Promise) await preparing;
    const tables = tablesOf(batch);
    for (const table of tables) {
      const updating = updateRows(tables.length === 1 ? changed : changed.filter(isIn(table)), table, connection);
      if (updating !== undefined) await updating;
      const inserting = insertRows(tables.length === 1 ? inserts : inserts.filter(isIn(table)), table, connection);
      if (inserting !== undefined) await inserting;
      if (tables.length === 1) continue;
      announceKeys([...changed.filter((save) => isWritten(save, table)), ...inserts], table);
    }
  } catch (error) {
    for (const save of batch) if (save.isInsert && !save.isInserted) takeDefaultsBack(save);
    throw error;
  }
  for (let index = 0; index < inserts.length; index++) expectKey(inserts[index] as Entry);
  await announceWritten(inserts, work);
  await announceWritten(inserts.length === 0 ? batch : batch.filter(isUpdate), work);
}

/** Raises the `before` event, and finds out whether a new instance takes a row over. */
function announceSave(save: Entry, plan: FlushPlan): MaybePromise<void> {
  if (save.isInsert && save.state.unread !== undefined) expectKeyKnown(save);
  const emitting = emitRow(save.state, save.isInsert ? "beforeInsert" : "beforeUpdate", plan.work);
  return emitting instanceof Promise ? emitting.then(() => findRow(save, plan)) : findRow(save, plan);
}

function findRow(save: Entry, plan: FlushPlan): MaybePromise<void> {
  if (save.isInsert) {
    const namesake = findNamesake(save, plan);
    return namesake === undefined ? undefined : takeRowOver(save, namesake, plan);
  }
  if (isVersionAbsent(save)) return plan.work.loadColumns(save.state);
}

/** Fills in what the program left out, and sorts a save among the INSERTs or the UPDATEs; what has not changed is neither. */
function prepareSave(save: Entry, inserts: Entry[], changed: Entry[], work: FlushWork): MaybePromise<void> {
  if (save.isInsert && save.takesOver === undefined) {
    applyDefaults(save);
    inserts.push(save);
    return;
  }
  if (save.takesOver !== undefined) prepareTakeover(save);
  if (!needsUpdate(save)) {
    // No statement will say what is assigned from here on.
    save.state.written = true;
    return;
  }
  if (save.takesOver === undefined && isRowIdentityAbsent(save))
    return work.loadColumns(save.state).then(() => prepareChange(save, changed));
  prepareChange(save, changed);
}

function prepareChange(save: Entry, changed: Entry[]): void {
  prepareUpdate(save);
  changed.push(save);
}

function isUpdate({ isInsert, takesOver }: Entry): boolean {
  return !isInsert || takesOver !== undefined;
}

/** The key of a subclass's table is its parent's: when that is written it is assigned, as every foreign key is, and listeners hear it. */
function announceKeys(saves: readonly Entry[], table: Table): void {
  for (let index = 0; index < saves.length; index++) {
    const { state, mapper } = saves[index] as Entry;
    const next = mapper.tables.indexOf(table) + 1;
    if (next === 0 || next === mapper.tables.length) continue;
    for (const { slot, key } of mapper.primaryKey) {
      const attribute = state.instrumentation.attributes[slot];
      if (attribute?.dispatch.set !== undefined) emitSame(attribute, state, key);
    }
  }
}

/** Whether the UPDATE of an instance concerns the table. */
function isWritten({ state: { committed, values }, mapper }: Entry, table: Table): boolean {
  if (committed === undefined) return false;
  return mapper.columnProperties.some(
    ({ slot, stored, column }) =>
      stored.some((place) => place.table === table) &&
      hasChanged(committed[slot], values[slot], column.options.type.isEqual),
  );
}

/** Raises the `set` of a value that stays what it is. */
function emitSame(attribute: InstanceAttribute, state: InstanceState, key: string): void {
  const value = state.values[attribute.slot];
  emit(attribute.dispatch["set"], {
    target: state.instance,
    value,
    oldValue: value,
    initiator: { key, operation: "replace" },
  });
}

/** Raises what follows the SQL: which attributes got values by it, and the `after` event. */
function announceWritten(saves: readonly Entry[], work: FlushWork): MaybePromise<void> {
  return eachInTurn(saves, (save) => {
    save.state.written = true;
    announceRefreshed(save.state, save.refreshed);
    return emitRow(save.state, isUpdate(save) ? "afterUpdate" : "afterInsert", work);
  });
}

/** Every table that holds a part of the batch, parents' before their subclasses'. */
function tablesOf(batch: readonly Entry[]): readonly Table[] {
  const mappers = new Set<Mapper>();
  let last: Mapper | undefined;
  for (let index = 0; index < batch.length; index++) {
    const { mapper } = batch[index] as Entry;
    if (mapper !== last) mappers.add((last = mapper));
  }
  const parentsFirst = [...mappers].toSorted((left, right) => left.tables.length - right.tables.length);
  return [...new Set(parentsFirst.flatMap(({ tables }) => tables))];
}

function isIn(table: Table): (save: Entry) => boolean {
  return ({ mapper }) => mapper.tables.includes(table);
}

/** Fills in what the program left unset: defaults and the first version. */
function applyDefaults(save: Entry): void {
  const { state, mapper } = save;
  for (const { property, options } of defaultsOf(mapper)) {
    // As in SQLAlchemy, null counts as not set where there is a default.
    if (state.values[property.slot] != null) continue;
    if (state.values[property.slot] === null) (save.nulls ??= []).push(property.slot);
    state.values[property.slot] = valueOf(options);
    if (property.source.column.primaryKey) save.hasDefaultKey = true;
    else (save.refreshed ??= []).push(property.key);
  }
  const { version } = mapper;
  if (version !== undefined && state.values[version.slot] === undefined) {
    state.values[version.slot] = 1;
    (save.refreshed ??= []).push(version.key);
  }
}

/** What an INSERT that failed would have written is not left behind in the instance. */
function takeDefaultsBack({ state, mapper, refreshed, hasDefaultKey, nulls, takesOver }: Entry): void {
  if (takesOver !== undefined) state.commitSlots(mapper.columnProperties.map(({ slot }) => slot));
  for (const { key, slot, source, column } of mapper.columnProperties) {
    const isMade = source.column.primaryKey
      ? hasDefaultKey && column.options.default !== undefined
      : refreshed?.includes(key) === true;
    if (isMade) state.values[slot] = nulls?.includes(slot) === true ? null : undefined;
  }
}

/** Whether an UPDATE is needed: a column has really changed. */
function needsUpdate({ state: { committed, values }, mapper }: Entry): boolean {
  if (committed === undefined) return false;
  return mapper.columnProperties.some(({ slot, column }) =>
    hasChanged(committed[slot], values[slot], column.options.type.isEqual),
  );
}

/** Whether what names the row is not in memory, as after an expire: the instance is loaded before its row is written, as in SQLAlchemy. */
export function isRowIdentityAbsent({ state, mapper }: Pick<Entry, "state" | "mapper">): boolean {
  return isVersionAbsent({ state, mapper }) || mapper.primaryKey.some(({ slot }) => state.isUnread(slot));
}

/** Which version a row has is asked before it is known whether anything of it has changed. */
function isVersionAbsent({ state, mapper: { version } }: Pick<Entry, "state" | "mapper">): boolean {
  return version !== undefined && state.isUnread(version.slot);
}

/** Refuses to insert an instance that was expired and has lost its row since: nothing would be written of what it was. */
function expectKeyKnown({ state, mapper }: Entry): void {
  for (const { slot, key } of mapper.primaryKey) if (state.isUnread(slot)) throw lostError(state, key);
}

/** Sets the `onupdate` values of an UPDATE, and its next version. */
function prepareUpdate(save: Entry): void {
  const { state, mapper } = save;
  const { values } = state;
  const committed = state.committed as unknown[];
  for (const { slot, key, column } of mapper.columnProperties) {
    const { onupdate } = column.options;
    if (onupdate === undefined || hasChanged(committed[slot], values[slot], column.options.type.isEqual)) continue;
    state.remember(slot, values[slot]);
    values[slot] = valueOf(onupdate);
    (save.refreshed ??= []).push(key);
  }
  const { version } = mapper;
  // One that the program gave is the next.
  if (version !== undefined && !hasChanged(committed[version.slot], values[version.slot], undefined)) {
    const current = values[version.slot];
    state.remember(version.slot, current);
    values[version.slot] = Number(current) + 1;
    (save.refreshed ??= []).push(version.key);
  }
}

function hasChanged(
  old: unknown,
  value: unknown,
  isEqual: ((left: unknown, right: unknown) => boolean) | undefined,
): boolean {
  return old !== UNCHANGED && !isSameValue(isEqual, old, value);
}

/** Runs the UPDATEs of one table, neighbours that change the same columns together. */
async function updateRowsOf(groups: readonly UpdateGroup[], connection: Connection): Promise<void> {
  for (const { text, parameterSets, saves } of groups) {
    const result = connection.runEach(text, parameterSets);
    const { rowCounts } = result instanceof Promise ? await result : result;
    rowCounts?.forEach((count, index) => {
      if (count !== 1) throw staleError(saves[index] as Entry, "UPDATE");
    });
  }
}

interface UpdateGroup {
  readonly text: string;
  readonly parameterSets: unknown[][];
  readonly saves: Entry[];
}

function updateRows(saves: readonly Entry[], table: Table, connection: Connection): void | Promise<void> {
  const groups: UpdateGroup[] = [];
  let writer: RowWriter | undefined;
  let mapper: Mapper | undefined;
  for (const save of saves) {
    if (writer === undefined || mapper !== save.mapper) {
      mapper = save.mapper;
      writer = rowWriter(mapper, table, connection.engine.dialect);
    }
    const { state } = save;
    // What is assigned from here on is not in the statements any more.
    state.written = true;
    const { columns, key } = changedColumns(writer, state);
    if (columns.length === 0) continue;
    const shape = writer.update(columns, key);
    const parameters = writer.addRowIdentity(shape.parametersOf(state.values), state, versionBefore(writer, state));
    const last = groups.at(-1);
    if (last?.text === shape.text) {
      last.parameterSets.push(parameters);
      last.saves.push(save);
    } else groups.push({ text: shape.text, parameterSets: [parameters], saves: [save] });
  }
  if (groups.length > 0) return updateRowsOf(groups, connection);
}

function changedColumns(writer: RowWriter, state: InstanceState): { columns: WrittenColumn[]; key: string } {
  const columns: WrittenColumn[] = [];
  let key = "";
  const committed = state.committed as readonly unknown[];
  for (const column of writer.columns) {
    const { slot } = column.property;
    if (!hasChanged(committed[slot], state.values[slot], column.column.type.isEqual)) continue;
    columns.push(column);
    key += `${slot},`;
  }
  return { columns, key };
}

function versionBefore({ version }: RowWriter, state: InstanceState): unknown {
  if (version === undefined) return undefined;
  const old = state.committed?.[version.property.slot];
  return old === UNCHANGED || old === undefined ? state.values[version.property.slot] : old;
}

/** A row that was expected is not there. */
export function staleError(
  { state, mapper }: Pick<Entry, "state" | "mapper">,
  statement: "UPDATE" | "DELETE",
): StaleDataError {
  return new StaleDataError(
    `The ${statement} of ${state.describe()} found no row in "${mapper.table.name}". ` +
      (mapper.version === undefined
        ? `Somebody has deleted it since it was loaded.`
        : `Somebody has changed or deleted it since it was loaded: its ${mapper.version.key} is another one.`) +
      ` Roll back, load it again with session.refresh or session.get, and decide anew.`,
  );
}

function expectKey({ state, mapper }: Entry): void {
  for (const { slot, key } of mapper.primaryKey) {
    if (state.values[slot] != null) continue;
    throw new FlushError(
      `A new ${mapper.class.name} was inserted without a value for its key ${key}, and the database made none that it tells. ` +
        `Set it before the flush, or give the column a default.`,
    );
  }
}

/** Raises `refreshFlush` for what a statement has given values, if anything. */
export function announceRefreshed(state: InstanceState, attrs: readonly string[] | undefined): void {
  const { refreshFlush } = state.instrumentation.dispatch;
  if (refreshFlush !== undefined && attrs !== undefined && attrs.length > 0)
    emit(refreshFlush, { target: state.instance, attrs });
}
