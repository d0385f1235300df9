import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import { attributes } from "./attribute.ts";
import { type Expression, expectExpression } from "./expression.ts";

const conditions = new WeakMap<RelationshipProperty, Expression<boolean>>();

/** What a relationship's `where` says of the related rows; undefined where it says nothing. */
export function relatedCondition(property: RelationshipProperty): Expression<boolean> | undefined {
  const { where } = property.options;
  if (where === undefined) return undefined;
  let condition = conditions.get(property);
  if (condition === undefined) {
    condition = expectExpression(where(attributes(property.target.class as never)));
    conditions.set(property, condition);
  }
  return condition;
}
