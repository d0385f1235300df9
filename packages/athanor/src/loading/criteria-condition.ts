import type { Mapper } from "../mapping/mapper.ts";
import type { EntityAlias } from "../sql/entity-alias.ts";
import { conjunction } from "../sql/conditions.ts";
import type { Expression, Restriction } from "../sql/expression.ts";
import { emptyPlan, type EntityCriteria, type LoadingPlan } from "../sql/loading-plan.ts";

/**
 * All that criteria say of a class, as one condition. What a criterion asks of other rows is kept to the other criteria, and not to itself: so it comes to an end
 * where two of them ask of each other's class, and one that asks of its own class, whether a folder's parent is shown, asks of every row of it.
 */
export function criteriaCondition(
  criteria: readonly EntityCriteria[],
  mapper: Mapper,
  alias?: EntityAlias,
): Expression<boolean> | undefined {
  return criteria.reduce<Expression<boolean> | undefined>((before, each) => {
    const condition = each.conditionFor(mapper, alias);
    if (condition === undefined) return before;
    const others = criteria.filter((other) => other !== each);
    return conjunction(before, others.length === 0 ? condition : condition.restrictedBy(restrictionOf(others)));
  }, undefined);
}

/** The same of whatever class a statement reads. */
export function restrictionOf(criteria: readonly EntityCriteria[]): Restriction {
  return (mapper, alias) => criteriaCondition(criteria, mapper, alias);
}

/** The condition of a statement about a class, kept to its criteria, and what those say of that class. */
export function filteredCondition(
  {
    where,
    plan = emptyPlan,
  }: { readonly where?: Expression<boolean> | undefined; readonly plan?: LoadingPlan | undefined },
  mapper: Mapper,
): Expression<boolean> | undefined {
  const hidden = criteriaCondition(plan.criteria, mapper);
  const asked = where?.restrictedBy(restrictionOf(plan.criteria));
  return hidden === undefined ? asked : conjunction(asked, hidden);
}
