import { type Instance, stateOf } from "../instance/instance.ts";
import { isRelated, type RelatedAttribute } from "../instance/instance-attribute.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import type { CascadeName } from "../mapping/cascade.ts";
import { mapperOfState } from "../mapping/mapper.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";

/**
 * The instances that an operation reaches along relationships, each once and before those that it leads to. Only what is in memory.
 *
 * @param stopAt instances that are left out, with what only they lead to
 */
export function reachedBy(
  cascade: CascadeName,
  from: InstanceState,
  stopAt?: (state: InstanceState) => boolean,
): InstanceState[] {
  const reached: InstanceState[] = [];
  const seen = new Set([from]);
  const visit = (state: InstanceState): void => {
    for (const property of mapperOfState(state).relationships) {
      if (!property.cascade.has(cascade)) continue;
      const next: InstanceState[] = [];
      for (const related of relatedStates(cascade, state, property)) {
        if (seen.has(related) || stopAt?.(related) === true) continue;
        // A part that was never saved is nothing to refresh, unless it goes with its whole.
        if (cascade === "refresh-expire" && related.key === undefined && !property.cascade.has("delete-orphan"))
          continue;
        seen.add(related);
        next.push(related);
      }
      for (const related of next) {
        reached.push(related);
        visit(related);
      }
    }
  };
  visit(from);
  return reached;
}

/** The same for deletion, which must know what is not in memory yet. */
export async function deletedAlong(
  from: InstanceState,
  load: (state: InstanceState, property: RelationshipProperty) => Promise<void>,
): Promise<InstanceState[]> {
  const reached: InstanceState[] = [];
  const seen = new Set([from]);
  const visit = async (state: InstanceState): Promise<void> => {
    for (const property of mapperOfState(state).relationships) {
      if (!property.cascade.has("delete")) continue;
      const attribute = attributeOf(state, property);
      if (
        property.options.passiveDeletes !== true &&
        state.key !== undefined &&
        state.values[property.slot] === undefined
      )
        await load(state, property);
      const next = loadedStates(attribute, state).filter((related) => !seen.has(related));
      for (const related of next) {
        seen.add(related);
        reached.push(related);
        await visit(related);
      }
    }
  };
  await visit(from);
  return reached;
}

function attributeOf(state: InstanceState, property: RelationshipProperty): RelatedAttribute {
  const attribute = state.instrumentation.attributes[property.slot];
  if (attribute !== undefined && isRelated(attribute)) return attribute;
  throw new Error(`${property.label} has no attribute.`);
}

/** What was taken out and not flushed yet comes along when instances are added: its row changes too. */
function relatedStates(cascade: CascadeName, state: InstanceState, property: RelationshipProperty): InstanceState[] {
  const attribute = attributeOf(state, property);
  if (cascade !== "save-update") return loadedStates(attribute, state);
  const { added, unchanged, deleted } = attribute.history(state);
  return [...added, ...unchanged, ...deleted]
    .filter((value) => value !== null)
    .map((value) => stateOf(value as Instance));
}

/** Members that only the other side of an unloaded collection knows are not reached from here. */
function loadedStates(attribute: RelatedAttribute, state: InstanceState): InstanceState[] {
  return attribute.loadedValue(state) === undefined ? [] : attribute.loaded(state).map((related) => stateOf(related));
}
