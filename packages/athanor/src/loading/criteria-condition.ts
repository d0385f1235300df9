import type { Mapper } from "../mapping/mapper.ts";
import { conjunction, type Expression } from "../sql/expression.ts";
import type { EntityCriteria } from "../sql/loading-plan.ts";

/** All that criteria say of a class, as one condition. */
export function criteriaCondition(
  criteria: readonly EntityCriteria[],
  mapper: Mapper,
): Expression<boolean> | undefined {
  return criteria.reduce<Expression<boolean> | undefined>((before, each) => {
    const condition = each.conditionFor(mapper);
    return condition === undefined ? before : conjunction(before, condition);
  }, undefined);
}
