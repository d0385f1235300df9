import { type Instance, stateOf } from "../instance/instance.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import { mapperOfState, type Mapper } from "../mapping/mapper.ts";

/**
 * The persistent instances of a session: one for each row, however often it is loaded.
 *
 * It holds its instances until the session lets go of them. SQLAlchemy: Session Basics, Identity Map.
 */
export class IdentityMap implements Iterable<Instance> {
  readonly #hierarchies = new Map<Mapper, Map<unknown, Instance>>();

  /** The instances of one hierarchy by identity key. */
  of(mapper: Mapper): Map<unknown, Instance> {
    let hierarchy = this.#hierarchies.get(mapper.baseMapper);
    if (hierarchy === undefined) this.#hierarchies.set(mapper.baseMapper, (hierarchy = new Map()));
    return hierarchy;
  }

  /** How many instances there are. */
  get size(): number {
    let size = 0;
    for (const hierarchy of this.#hierarchies.values()) size += hierarchy.size;
    return size;
  }

  /** Whether the session knows this very instance as the one of its row. */
  has(instance: Instance): boolean {
    const state = stateOf(instance);
    return state?.key !== undefined && this.of(mapperOfState(state)).get(state.key) === instance;
  }

  /** The instances by class, in the order in which they came. */
  *[Symbol.iterator](): Generator<Instance> {
    for (const hierarchy of this.#hierarchies.values()) yield* hierarchy.values();
  }

  /** The same, as an array that later changes leave alone. */
  values(): Instance[] {
    const instances: Instance[] = [];
    for (const hierarchy of this.#hierarchies.values())
      for (const instance of hierarchy.values()) instances.push(instance);
    return instances;
  }

  add(state: InstanceState): void {
    this.of(mapperOfState(state)).set(state.key, state.instance);
  }

  /** Takes an instance out, if it is the one that is in. */
  discard(state: InstanceState): void {
    if (state.key === undefined || this.#hierarchies.size === 0) return;
    const hierarchy = this.of(mapperOfState(state));
    if (hierarchy.get(state.key) === state.instance) hierarchy.delete(state.key);
  }

  clear(): void {
    this.#hierarchies.clear();
  }
}
