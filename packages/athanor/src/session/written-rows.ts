import type { Dialect } from "../engine/dialect.ts";
import type { RunQuery } from "../engine/raw-statement.ts";
import { ArgumentError } from "../event/errors.ts";
import type { ColumnProperty, Mapper } from "../mapping/mapper.ts";
import { compileForeign } from "../sql/compile.ts";
import { selectedNames } from "../sql/entity-node.ts";
import type { FromStatement } from "../sql/from-statement.ts";
import { Select } from "../sql/select.ts";

/** Runs SQL of users' own for a class: the rows, with those of its columns that were found by their names, and the SELECT that would have found the same. */
export async function findWrittenRows(
  dialect: Dialect,
  { entity, mapper, statement, parts }: FromStatement<unknown>,
  run: RunQuery,
): Promise<{ readonly select: Select<unknown>; readonly rows: unknown[][] }> {
  const { sql, parameters } = compileForeign(statement.toOperationNode(), dialect);
  const { rows, columns } = await run(sql, parameters);
  const found = columnsFound(mapper, columns);
  const places = [...found.values()];
  return {
    select: new Select(entity, { ...parts, orderBy: [], columns: [...found.keys()], isWritten: true }),
    rows: rows.map((row) => places.map((place) => row[place])),
  };
}

/** The columns of a class that rows have, and where. */
function columnsFound(mapper: Mapper, columns: readonly string[]): ReadonlyMap<ColumnProperty, number> {
  const names = selectedNames(mapper.columnProperties);
  const found = new Map<ColumnProperty, number>();
  mapper.columnProperties.forEach((property, index) => {
    const name = [names[index] as string, property.key].find((each) => columns.includes(each));
    if (name !== undefined) found.set(property, placeOf(property, name, columns, mapper));
  });
  const needed = [...mapper.primaryKey, ...(mapper.polymorphicOn === undefined ? [] : [mapper.polymorphicOn])];
  const missing = needed.find((property) => !found.has(property));
  if (missing === undefined) return found;
  const { name } = mapper.class;
  throw new ArgumentError(
    `select(${name}).fromStatement() found no column "${missing.source.column.name}" in the rows, ` +
      `${missing === mapper.polymorphicOn ? `which says what class each of them is of` : `which is a part of ${name}'s key, so nobody could tell whose rows they are`}. ` +
      `They have ${columns.join(", ")}. Select it along.`,
  );
}

function placeOf(
  { stored }: ColumnProperty,
  name: string,
  columns: readonly string[],
  { class: { name: model } }: Mapper,
): number {
  const place = columns.indexOf(name);
  // The key of a class in several tables is the same in each.
  if (columns.indexOf(name, place + 1) === -1 || stored.length > 1) return place;
  throw new ArgumentError(
    `select(${model}).fromStatement() found several columns "${name}" in the rows, and cannot tell which is ${model}'s. Give the others another name: … as other_${name}.`,
  );
}
