import type { Expression } from "./expression.ts";
import { Ordering } from "./ordering.ts";
import type { Select } from "./select.ts";
import { type Structure, structureOf } from "./structure.ts";
import { structureWithout } from "./structure-without.ts";

/** Tells what makes a SELECT another one. */
export function addStructure(select: Select<unknown, any, any>, into: Structure): void {
  const {
    alias,
    derived,
    from = [],
    selected,
    columns,
    without,
    isDistinct,
    sources = [],
    links = [],
    joins = [],
  } = select.parts;
  const { where, groupBy = [], having, orderBy, lock, limit, offset } = select.parts;
  // What is selected, ordered by or compared must be for the database what is grouped by, wherever that stands in it.
  if (groupBy.some(hasBinds)) into.unite();
  into.add(`select ${select.entityColumns.structureKey}`);
  alias?.structure(into.add(" from"));
  derived?.structure(into.add(" from"));
  for (const table of from) into.add(`, ${table.fullName}`);
  selected?.structure(into);
  if (columns !== undefined) into.add(` only ${columns.map(({ slot }) => slot).join(",")}`);
  if (without !== undefined) structureWithout(without, into);
  if (isDistinct === true) into.add(" distinct");
  for (const source of sources) source.structure(into);
  for (const link of links) link.structure(into.add(" link "));
  for (const join of joins) join.structure(into);
  if (where !== undefined) where.structure(into.add(" where "));
  for (const grouped of groupBy) addBy(select, grouped, into.add(" group by "));
  if (having !== undefined) having.structure(into.add(" having "));
  for (const ordering of orderBy) addBy(select, ordering, into.add(" order by "));
  if (lock !== undefined) into.add(` for ${lock.strength} ${lock.locked}`);
  if (limit !== undefined) into.add(" limit ").bind(limit);
  if (offset !== undefined) into.add(" offset ").bind(offset);
}

/** What is grouped or ordered by: a column that is the same is named instead. */
function addBy({ parts: { selected } }: Select<unknown, any, any>, by: Expression<unknown>, into: Structure): void {
  const name = selected?.nameOf(by instanceof Ordering ? by.ordered : by);
  if (name !== undefined) into.add(`${name} is `);
  by.structure(into);
}

function hasBinds(expression: Expression<unknown>): boolean {
  return structureOf(expression).binds.length > 0;
}
