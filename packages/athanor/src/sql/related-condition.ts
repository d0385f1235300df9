import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import { attributes, attributesOf } from "./attribute.ts";
import type { EntityAlias } from "./entity-alias.ts";
import { type Expression, expectExpression } from "./expression.ts";

/** What a relationship's `where` says of the related rows, under their own name or another one; undefined where it says nothing. */
export function relatedCondition(property: RelationshipProperty, alias?: EntityAlias): Expression<boolean> | undefined {
  const { where } = property.options;
  if (where === undefined) return undefined;
  const related = alias === undefined ? attributes(property.target.class as never) : attributesOf(alias);
  return expectExpression(where(related as never));
}
