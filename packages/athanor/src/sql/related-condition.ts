import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import { attributes, attributesOf } from "./attribute.ts";
import { conjunction } from "./conditions.ts";
import type { EntityAlias } from "./entity-alias.ts";
import { type Expression, expectExpression } from "./expression.ts";
import type { RelatedFilter } from "./loader-tree.ts";

/**
 * What a relationship's `where` says of the related rows, under their own name or another one; undefined where it says nothing.
 *
 * @param meant what an option says of them besides
 */
export function relatedCondition(
  property: RelationshipProperty,
  alias?: EntityAlias,
  meant?: RelatedFilter,
): Expression<boolean> | undefined {
  const filters = [property.options.where, meant].filter((filter) => filter !== undefined);
  if (filters.length === 0) return undefined;
  const related = alias === undefined ? attributes(property.target.class as never) : attributesOf(alias);
  return filters
    .map((filter) => expectExpression(filter(related as never)) as Expression<boolean>)
    .reduce((left, right) => conjunction(left, right));
}
