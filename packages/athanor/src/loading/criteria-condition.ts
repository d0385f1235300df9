import type { Mapper } from "../mapping/mapper.ts";
import type { EntityAlias } from "../sql/entity-alias.ts";
import { conjunction } from "../sql/conditions.ts";
import type { Expression, Restriction } from "../sql/expression.ts";
import { emptyPlan, type EntityCriteria, type LoadingPlan } from "../sql/loading-plan.ts";

/** All that criteria say of a class, as one condition. */
export function criteriaCondition(
  criteria: readonly EntityCriteria[],
  mapper: Mapper,
  alias?: EntityAlias,
): Expression<boolean> | undefined {
  return criteria.reduce<Expression<boolean> | undefined>((before, each) => {
    const condition = each.conditionFor(mapper, alias);
    return condition === undefined ? before : conjunction(before, condition);
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
