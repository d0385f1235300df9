import type { RelationshipProperty } from "../../mapping/relationship-property.ts";
import type { RelatedPlan } from "../../sql/loading-plan.ts";
import type { AfterLoad } from "../after-loads.ts";
import { planOfLaterLoad } from "../carried-options.ts";
import type { LoaderStrategy } from "../loader-strategy.ts";

/** Related instances are loaded as the program would ask for them: for each instance by itself, and those that the session has without a statement. */
export const immediate: LoaderStrategy = {
  unloadedAs: "asked",
  arrange(entity, node) {
    entity.loadAfter(node.property, loadEach(node.property, planOfLaterLoad(entity, node)));
  },
};

/**
 * Loads a relationship of each instance by itself.
 *
 * @param plan what the statements for the related instances say in turn
 */
export function loadEach(property: RelationshipProperty, plan?: RelatedPlan): AfterLoad {
  return async (states, { populateExisting, loadOne }) => {
    // What is there already may have come without what is to be loaded along with it.
    const leadsOn = plan !== undefined && plan.tree.named.length > 0;
    for (const state of states)
      if (leadsOn || populateExisting || state.values[property.slot] === undefined)
        await loadOne(state, property, plan);
  };
}
