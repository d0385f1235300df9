import type { RelationshipProperty } from "../../mapping/relationship-property.ts";
import type { ColumnExpression } from "../../sql/column-expression.ts";
import { and, or } from "../../sql/conditions.ts";
import type { Expression } from "../../sql/expression.ts";
import type { LoadingPlan } from "../../sql/loading-plan.ts";
import type { AfterLoad } from "../after-loads.ts";
import type { LoaderStrategy } from "../loader-strategy.ts";
import { loadEach } from "./immediate.ts";
import { RelatedByKey, relatedSelect } from "./related-by-key.ts";

/** How many instances one statement finds the related ones of. Databases limit the number of parameters. */
const CHUNK_SIZE = 500;

/** Related instances are found by one further statement for all, with the keys in an IN. */
export const selectin: LoaderStrategy = {
  unloadedAs: "asked",
  arrange(entity, { property, related }) {
    const { isRefresh } = entity.statement;
    entity.loadAfter(
      property,
      isRefresh ? loadEach(property) : loadByKeys(property, entity.planOfRelated(property, related)),
    );
  },
};

/** @param plan what the statement for the related instances says in turn */
function loadByKeys(property: RelationshipProperty, plan: LoadingPlan): AfterLoad {
  return async (states, loads) => {
    const related = new RelatedByKey(property, states);
    const { seeking } = related;
    for (let start = 0; start < seeking.length; start += CHUNK_SIZE) {
      const chunk = seeking.slice(start, start + CHUNK_SIZE);
      const isWanted = (links: readonly ColumnExpression[]): Expression<boolean> =>
        isOneOf(
          links,
          chunk.map(({ key }) => key),
        );
      const statement = relatedSelect(property, plan, isWanted, loads.populateExisting);
      related.fill(chunk, await loads.find(statement), loads);
    }
    related.fillOthers(loads);
  };
}

function isOneOf(columns: readonly ColumnExpression[], keys: readonly (readonly unknown[])[]): Expression<boolean> {
  const [only, ...more] = columns;
  if (only !== undefined && more.length === 0) return only.in(keys.map(([value]) => value));
  // Not every database compares tuples.
  return or(...keys.map((key) => and(...columns.map((column, index) => column.eq(key[index])))));
}
