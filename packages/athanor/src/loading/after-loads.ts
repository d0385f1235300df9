import type { Instance } from "../instance/instance.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import type { Mapper } from "../mapping/mapper.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import type { RelatedPlan } from "../sql/loading-plan.ts";
import type { Select } from "../sql/select.ts";

/** What the loads that follow a statement may do: execute further ones, which listeners see as relationship loads. */
export interface RelatedLoads {
  /** Whether what is in memory is overwritten. */
  readonly populateExisting: boolean;
  /**
   * Finds related instances. Of each row: the instance, and the values that link it to what it was looked for.
   *
   * @param parents the class of what they are related to, where the statement has the first one inside of it
   */
  find(statement: Select<unknown>, parents?: Mapper): Promise<readonly (readonly [Instance, ...unknown[]])[]>;
  /** Loads further columns of instances that are there already. Listeners see it as a statement of its own. */
  complete(statement: Select<unknown>): Promise<void>;
  /**
   * Loads a relationship of one instance by itself.
   *
   * @param plan what the statement says besides; undefined: what the instance carries of the one that loaded it
   */
  loadOne(state: InstanceState, property: RelationshipProperty, plan?: RelatedPlan): Promise<void>;
}

/** A load that follows a statement: for the instances that it found, all at once. */
export type AfterLoad = (states: readonly InstanceState[], loads: RelatedLoads) => Promise<void>;

interface Waiting {
  readonly load: AfterLoad;
  readonly states: readonly InstanceState[];
  readonly loads: RelatedLoads;
}

/** The loads that follow a statement, and those that follow them: level by level, so that any depth is a loop. */
export class AfterLoads {
  #waiting: Waiting[] = [];

  add(load: AfterLoad, states: readonly InstanceState[], loads: RelatedLoads): void {
    if (states.length > 0) this.#waiting.push({ load, states, loads });
  }

  async run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const level = this.#waiting;
      this.#waiting = [];
      for (const { load, states, loads } of level) await load(states, loads);
    }
  }
}
