import type { ColumnProperty } from "../mapping/mapper.ts";
import type { Structure } from "./structure.ts";

/** What tells a statement whose rows are without some columns from the same with them. */
export function structureWithout(without: ReadonlySet<ColumnProperty>, into: Structure): void {
  into.add(` without ${[...without].map(({ source }) => `${source.table.fullName}.${source.column.name}`).join()}`);
}
