import type { RelationshipProperty } from "../../mapping/relationship-property.ts";
import type { InstanceState } from "../../instance/instance-state.ts";
import type { ComparableExpression } from "../../sql/comparable-expression.ts";
import { and, or } from "../../sql/conditions.ts";
import type { Expression } from "../../sql/expression.ts";
import type { RelatedPlan } from "../../sql/loading-plan.ts";
import type { Select } from "../../sql/select.ts";
import type { AfterLoad, RelatedLoads } from "../after-loads.ts";
import type { LoaderStrategy } from "../loader-strategy.ts";
import { loadEach } from "./immediate.ts";
import {
  type IsWanted,
  byKnowledge,
  localProperties,
  RelatedByKey,
  relatedSelect,
  relatedSelectByParents,
} from "./related-by-key.ts";

/** How many instances one statement finds the related ones of. Databases limit the number of parameters. */
export const CHUNK_SIZE = 500;

/** Related instances are found by one further statement for all, with the keys in an IN. */
export const selectin: LoaderStrategy = {
  unloadedAs: "asked",
  arrange(entity, node) {
    const { property } = node;
    const { isRefresh } = entity.statement;
    entity.loadAfter(property, isRefresh ? loadEach(property) : loadByKeys(property, entity.planOfRelated(node)));
  },
};

/** @param plan what the statement for the related instances says in turn */
function loadByKeys(property: RelationshipProperty, plan: RelatedPlan): AfterLoad {
  return async (states, loads) => {
    const { knowing, unknowing } = byKnowledge(states, property);
    const { populateExisting } = loads;
    await loadInChunks(new RelatedByKey(property, knowing, localProperties(property)), loads, (isWanted) =>
      relatedSelect(property, plan, isWanted, populateExisting),
    );
    await loadByParents(property, plan, unknowing, loads);
  };
}

/** Loads a relationship of instances that do not know the key of their related rows. */
export async function loadByParents(
  property: RelationshipProperty,
  plan: RelatedPlan,
  states: readonly InstanceState[],
  loads: RelatedLoads,
): Promise<void> {
  await loadInChunks(new RelatedByKey(property, states, property.parent.primaryKey), loads, (isWanted) =>
    relatedSelectByParents(property, plan, isWanted, loads.populateExisting),
  );
}

async function loadInChunks(
  related: RelatedByKey,
  loads: RelatedLoads,
  select: (isWanted: IsWanted) => Select<unknown>,
): Promise<void> {
  const { seeking } = related;
  for (let start = 0; start < seeking.length; start += CHUNK_SIZE) {
    const chunk = seeking.slice(start, start + CHUNK_SIZE);
    const keys = chunk.map(({ key }) => key);
    related.fill(chunk, await loads.find(select((links) => isOneOf(links, keys))), loads);
  }
  related.fillOthers(loads);
}

/** Whether these columns have one of these keys. */
export function isOneOf(
  columns: readonly ComparableExpression<unknown>[],
  keys: readonly (readonly unknown[])[],
): Expression<boolean> {
  const [only, ...more] = columns;
  if (only !== undefined && more.length === 0) return only.in(keys.map(([value]) => value));
  // Not every database compares tuples.
  return or(...keys.map((key) => and(...columns.map((column, index) => column.eq(key[index])))));
}
