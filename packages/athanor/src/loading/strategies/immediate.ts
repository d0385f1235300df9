import type { RelationshipProperty } from "../../mapping/relationship-property.ts";
import type { AfterLoad } from "../after-loads.ts";

/** Loads a relationship of each instance by itself. */
export function immediateLoad(property: RelationshipProperty): AfterLoad {
  return async (states, { populateExisting, loadOne }) => {
    for (const state of states)
      if (populateExisting || state.values[property.slot] === undefined) await loadOne(state, property);
  };
}
