import type { Deferral } from "../mapping/column.ts";
import type { ColumnProperty, Mapper } from "../mapping/mapper.ts";
import type { LoaderTree } from "../sql/loader-tree.ts";
import type { PlannedEntity } from "./planned-entity.ts";
import { localProperties } from "./strategies/related-by-key.ts";

/** How a column is left out where instances of a class are loaded; undefined where it comes along, as the key, the discriminator and the version always do. */
export function deferralOf(tree: LoaderTree, property: ColumnProperty, mapper: Mapper): Deferral | undefined {
  const deferral = tree.deferralOf(property, mapper);
  return deferral === undefined || isNeeded(property, mapper) ? undefined : deferral;
}

function isNeeded({ source }: ColumnProperty, { primaryKey, polymorphicOn, version }: Mapper): boolean {
  return [...primaryKey, polymorphicOn, version].some((needed) => needed?.source === source);
}

/**
 * The columns that the rows of an entity are without; undefined: none. What is read from the same rows must know what it is joined by, and a map that holds the instances by
 * which value.
 */
export function deferredColumns({
  tree,
  mapper,
  columns,
  joined,
  path,
}: PlannedEntity): ReadonlySet<ColumnProperty> | undefined {
  const candidates = tree.hasColumns ? columns.properties : columns.deferred;
  const deferred = candidates.filter((property) => deferralOf(tree, property, mapper) !== undefined);
  if (deferred.length === 0) return undefined;
  const joining = new Set(joined.flatMap(({ property }) => localProperties(property)).map(({ source }) => source));
  const mapKey = path.at(-1)?.keyedByAttribute;
  const without = deferred.filter(({ source, key }) => !joining.has(source) && key !== mapKey);
  return without.length === 0 ? undefined : new Set(without);
}
