import type { Connection } from "../engine/connection.ts";
import type { EachResult } from "../engine/dialect.ts";
import { identityKey } from "../mapping/identity.ts";
import type { Mapper } from "../mapping/mapper.ts";
import type { Table } from "../mapping/table.ts";
import { type InsertShape, type RowWriter, rowWriter, type WrittenColumn } from "./row-writer.ts";

/** A row that is to be inserted: of an instance, or one that a statement was given. */
export interface NewRow {
  readonly mapper: Mapper;
  /** By slot, as the driver gives it: what the database has stored. Undefined where nobody wants to know. */
  readonly told?: unknown[] | undefined;
  readonly state: {
    /** By slot. What the database makes is put in. */
    readonly values: unknown[];
    /** Its SQL is built. */
    written: boolean;
  };
  /** The attributes whose values the program did not give. */
  refreshed: string[] | undefined;
  isInserted: boolean;
}

/** Neighbours whose INSERT is the same but for its values. Classes of one hierarchy may share a table. */
interface InsertGroup {
  readonly shape: InsertShape;
  readonly saves: NewRow[];
  /** How each of them names the columns, which is by its class. */
  readonly shapes: InsertShape[];
  readonly parameterSets: unknown[][];
}

/**
 * How many rows one statement inserts, from the most on: a few sizes, so that few texts are prepared.
 */
const ROWS_TOGETHER = [1000, 100, 10, 1];

/**
 * Runs the INSERTs of one table in the order of the rows, and gives them the values that the database made.
 *
 * @param tellsAll whether the rows want to be told what the database has stored, in every column
 */
export function insertRows(
  saves: readonly NewRow[],
  table: Table,
  connection: Connection,
  tellsAll = false,
): void | Promise<void> {
  const groups = groupByShape(saves, table, connection, tellsAll);
  if (groups.length > 0) return insertGroups(groups, connection);
}

function groupByShape(
  saves: readonly NewRow[],
  table: Table,
  connection: Connection,
  tellsAll: boolean,
): InsertGroup[] {
  const groups: InsertGroup[] = [];
  const { dialect } = connection.engine;
  let last: InsertGroup | undefined;
  let mapper: Mapper | undefined;
  let writer: RowWriter | undefined;
  for (let index = 0; index < saves.length; index++) {
    const save = saves[index] as NewRow;
    const { values } = save.state;
    // What is assigned from here on is not in the statements any more.
    save.state.written = true;
    if (writer === undefined || mapper !== save.mapper) {
      mapper = save.mapper;
      writer = rowWriter(mapper, table, dialect);
    }
    const shape = writer.insert(values, tellsAll);
    if (last === undefined || !isMember(last, save, shape, dialect.traits.insertRows))
      groups.push((last = { shape, saves: [], shapes: [], parameterSets: [] }));
    last.saves.push(save);
    last.shapes.push(shape);
    last.parameterSets.push(shape.parametersOf(values));
  }
  return groups;
}

/**
 * Whether a row can go with its neighbours. Where each row is a statement of its own anyway, those for which defaults stand in go apart: when they fail, the rows
 * before them keep the keys that they got, as in SQLAlchemy.
 */
function isMember(
  { shape, saves }: InsertGroup,
  save: NewRow,
  own: InsertShape,
  insertRows: "together" | "each",
): boolean {
  if (shape !== own && shape.text(1) !== own.text(1)) return false;
  const first = saves[0]?.refreshed;
  return insertRows === "together" || first === save.refreshed || haveSameDefaults(first, save.refreshed);
}

function haveSameDefaults(left: readonly string[] = [], right: readonly string[] = []): boolean {
  return left.length === right.length && left.every((key, index) => key === right[index]);
}

async function insertGroups(groups: readonly InsertGroup[], connection: Connection): Promise<void> {
  const { traits } = connection.engine.dialect;
  for (const group of groups) {
    if (traits.insertRows === "together" && canMatchRows(group.shape))
      await insertTogether(group, connection, traits.maxParameters);
    else await insertEach(group, connection, traits.insertId);
    markInserted(group.saves);
  }
}

function markInserted(saves: readonly NewRow[]): void {
  for (let index = 0; index < saves.length; index++) (saves[index] as NewRow).isInserted = true;
}

/** One run of a prepared statement for each row. */
async function insertEach(
  { shape, saves, shapes, parameterSets }: InsertGroup,
  connection: Connection,
  hasInsertId: boolean,
): Promise<void> {
  const isToldByItself =
    hasInsertId && shape.returned.length === 1 && shape.generatesKey && saves[0]?.told === undefined;
  const running = connection.runEach(isToldByItself ? shape.plainText : shape.text(1), parameterSets);
  const result: EachResult = running instanceof Promise ? await running : running;
  if (isToldByItself && result.insertIds !== undefined) {
    for (let index = 0; index < saves.length; index++) {
      const { property, fromDriver } = (shapes[index] as InsertShape).generated[0] as WrittenColumn;
      const id = result.insertIds[index];
      (saves[index] as NewRow).state.values[property.slot] = fromDriver === undefined ? id : fromDriver(id);
    }
  } else if (result.rows !== undefined)
    result.rows.forEach((row, index) =>
      assignGenerated(saves[index] as NewRow, shapes[index] as InsertShape, row ?? []),
    );
}

/**
 * Rows of one statement come back in no promised order. Generated keys rise in the order of the VALUES, so sorting by them restores it; rows with keys
 * of the program's are found by them.
 */
async function insertTogether(
  { shape, saves, shapes, parameterSets }: InsertGroup,
  connection: Connection,
  maxParameters: number,
): Promise<void> {
  const perRow = Math.max(1, shape.columns.length);
  let start = 0;
  while (start < saves.length) {
    const left = saves.length - start;
    const count = ROWS_TOGETHER.find((size) => size <= left && size * perRow <= maxParameters) ?? 1;
    // Without any column of its own a row can only be asked for alone.
    const size = shape.columns.length === 0 ? 1 : count;
    const running = connection.run(shape.text(size), parameterSets.slice(start, start + size).flat());
    const { rows } = running instanceof Promise ? await running : running;
    if (shape.returned.length > 0) {
      const some = saves.slice(start, start + size);
      const ordered = size === 1 ? rows : inOrder(rows, some, shape);
      ordered.forEach((row, index) =>
        assignGenerated(some[index] as NewRow, shapes[start + index] as InsertShape, row),
      );
    }
    start += size;
  }
}

/** Only a generated key tells which row is whose; without one, nothing may have to come back. */
function canMatchRows(shape: InsertShape): boolean {
  return shape.generated.length === 0 || shape.generatesKey;
}

/** Rows in the order of those that they were made of. */
function inOrder(rows: readonly unknown[][], saves: readonly NewRow[], shape: InsertShape): readonly unknown[][] {
  if (shape.generatesKey) return rows.toSorted(([left], [right]) => compareKeys(left, right));
  const { mapper } = saves[0] as NewRow;
  const keys = mapper.primaryKey.map(({ slot }) => {
    const place = shape.returned.findIndex(({ property }) => property.slot === slot);
    return { slot, place, fromDriver: shape.returned[place]?.fromDriver };
  });
  const byKey = new Map(
    rows.map((row) => {
      const read = keys.map(({ place, fromDriver }) =>
        fromDriver === undefined ? row[place] : fromDriver(row[place]),
      );
      return [identityKey(mapper, read), row] as const;
    }),
  );
  const found = saves.map(({ state }) => {
    const key = identityKey(
      mapper,
      keys.map(({ slot }) => state.values[slot]),
    );
    const row = byKey.get(key);
    byKey.delete(key);
    return row;
  });
  // Where the database writes a key otherwise than the program, nothing tells whose row it is but that it is one of those that are left.
  const left = [...byKey.values()];
  return found.map((row) => row ?? left.shift() ?? []);
}

function assignGenerated(save: NewRow, { generated, returned }: InsertShape, row: readonly unknown[]): void {
  generated.forEach(({ property, fromDriver, column }, index) => {
    const value = row[index];
    save.state.values[property.slot] = value == null || fromDriver === undefined ? value : fromDriver(value);
    if (!column.primaryKey) (save.refreshed ??= []).push(property.key);
  });
  const { told } = save;
  // A trigger may have kept the row from being written.
  if (told === undefined || row.length === 0) return;
  for (let index = 0; index < returned.length; index++)
    told[(returned[index] as WrittenColumn).property.slot] = row[index];
}

function compareKeys(left: unknown, right: unknown): number {
  const [one, other] = [BigInt(left as number), BigInt(right as number)];
  return one < other ? -1 : one > other ? 1 : 0;
}
