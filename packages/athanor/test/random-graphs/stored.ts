import type { Connection } from "../../src/index.ts";
import { columns, edges, isA, links } from "./models.ts";
import { type Thing, World } from "./world.ts";

type Row = Readonly<Record<string, unknown>>;

/** The rows of each class, without a mapper's help. */
const queries: Readonly<Record<string, string>> = {
  Folder: "select * from folders",
  Entry: "select * from entries",
  Author: "select * from authors",
  Book: "select books.*, novels.id as novel_id, novels.pages, novels.genre_id from books left join novels on novels.id = books.id",
  Chapter: "select * from chapters",
  Profile: "select * from profiles",
  Note: "select * from notes",
  Review: "select * from reviews",
  Tag: "select * from tags",
};

/** What the tables hold, and the versions of the rows by label. */
export interface Stored {
  readonly world: World;
  readonly versions: ReadonlyMap<number, unknown>;
}

/** Reads all rows of all tables. */
export async function readStored(connection: Connection): Promise<Stored> {
  const world = new World();
  const versions = new Map<number, unknown>();
  const rows = new Map<Thing, Row>();
  const byKey = new Map<string, Thing>();
  for (const [name, query] of Object.entries(queries)) {
    for (const row of await readRows(connection, query)) {
      const thing = thingOf(name, row);
      world.things.set(thing.label, thing);
      rows.set(thing, row);
      byKey.set(`${name} ${String(row["id"])}`, thing);
      if (row["version"] !== undefined) versions.set(thing.label, row["version"]);
    }
  }
  const labelOf = (kind: string, key: unknown): number | null =>
    key == null ? null : (byKey.get(`${kind} ${String(key)}`)?.label ?? Number.NaN);
  for (const [thing, row] of rows) {
    for (const { child, reference, column, parent } of edges)
      if (isA(thing.kind, child)) thing.parents[reference] = labelOf(parent, row[column]);
  }
  for (const { table, left, right } of links) {
    for (const row of await readRows(connection, `select * from ${table}`)) {
      const thing = byKey.get(`${left.kind} ${String(row[left.column])}`);
      (thing?.linked[table] ?? []).push(labelOf(right.kind, row[right.column]) ?? Number.NaN);
    }
  }
  return { world, versions };
}

function thingOf(name: string, row: Row): Thing {
  const kind = row["kind"] === "novel" ? "Novel" : name;
  if ((kind === "Novel") !== (row["novel_id"] != null))
    throw new Error(`A row of books has no row of novels, or one too many.`);
  const values = Object.fromEntries(Object.keys(columns[kind] ?? {}).map((column) => [column, row[column]]));
  const linked = Object.fromEntries(links.filter(({ left }) => isA(kind, left.kind)).map(({ table }) => [table, []]));
  return { label: Number(row["label"]), kind, values, parents: {}, linked, isSaved: true, isCutOff: false };
}

async function readRows(connection: Connection, query: string): Promise<Row[]> {
  const result = await connection.run(query);
  return result.rows.map((row) => Object.fromEntries(result.columns.map((column, index) => [column, row[index]])));
}

/** Empties all tables. */
export async function clearTables(connection: Connection): Promise<void> {
  for (const statement of [
    "delete from book_tags",
    "delete from followings",
    "delete from entries",
    "update folders set parent_id = null",
    "delete from folders",
    "delete from reviews",
    "delete from notes",
    "delete from profiles",
    "delete from chapters",
    "delete from novels",
    "update authors set favorite_id = null",
    "delete from books",
    "delete from authors",
    "delete from tags",
  ])
    await connection.run(statement);
}
