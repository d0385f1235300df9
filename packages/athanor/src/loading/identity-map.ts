import { type Instance, stateOf } from "../instance/instance.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import { mapperOfState, type Mapper } from "../mapping/mapper.ts";
import { HeldInstances } from "./held-instances.ts";

/**
 * The persistent instances of a session: one for each row, however often it is loaded.
 *
 * It holds its instances until the session lets go of them, but for those that a stream has passed, which it has for as long as the program has them. SQLAlchemy: Session Basics, Identity Map.
 */
export class IdentityMap implements Iterable<Instance> {
  readonly #hierarchies = new Map<Mapper, Map<unknown, Instance>>();

  /** The instances of one hierarchy by identity key. */
  of(mapper: Mapper): Map<unknown, Instance> {
    let hierarchy = this.#hierarchies.get(mapper.baseMapper);
    if (hierarchy === undefined) this.#hierarchies.set(mapper.baseMapper, (hierarchy = new Map()));
    return hierarchy;
  }

  /** How many instances it holds. */
  get size(): number {
    let size = 0;
    for (const hierarchy of this.#hierarchies.values()) size += hierarchy.size;
    return size;
  }

  /** Whether the session knows this very instance as the one of its row. */
  has(instance: Instance): boolean {
    const state = stateOf(instance);
    return state !== undefined && this.holds(state);
  }

  /** The same, asked by the state. */
  holds(state: InstanceState): boolean {
    return state.key !== undefined && this.of(mapperOfState(state)).get(state.key) === state.instance;
  }

  /** The instances that it holds, in the order in which they came. Later changes leave what it walks over alone. */
  [Symbol.iterator](): ArrayIterator<Instance> {
    return this.values().values();
  }

  /** The same, as an array. */
  values(): Instance[] {
    return this.#inOrder(held);
  }

  /** The same, and those that the program alone still holds. */
  reachable(): Instance[] {
    return this.#inOrder((hierarchy) => hierarchy.values());
  }

  /** Puts an instance in, and answers with the one whose place it takes. */
  add(state: InstanceState): Instance | undefined {
    const hierarchy = this.of(mapperOfState(state));
    const replaced = hierarchy.get(state.key);
    if (replaced === state.instance) return undefined;
    hierarchy.set(state.key, state.instance);
    state.takePlace(replaced === undefined ? undefined : stateOf(replaced));
    return replaced;
  }

  /** Takes an instance out, if it is the one that is in. */
  discard(state: InstanceState): void {
    if (state.key === undefined || this.#hierarchies.size === 0) return;
    const hierarchy = this.of(mapperOfState(state));
    if (hierarchy.get(state.key) === state.instance) hierarchy.delete(state.key);
  }

  /** Holds instances weakly from now on: those that nothing else leads to are collected. What the session has to do with again it holds again. */
  weaken(instances: Iterable<Instance>): void {
    for (const instance of instances) {
      const state = stateOf(instance);
      const { baseMapper } = mapperOfState(state);
      let hierarchy = this.of(baseMapper);
      if (!(hierarchy instanceof HeldInstances))
        this.#hierarchies.set(baseMapper, (hierarchy = new HeldInstances(hierarchy)));
      (hierarchy as HeldInstances).weaken(state.key, instance);
    }
  }

  /** How many instances it holds of each hierarchy: for {@link since}. */
  marks(): ReadonlyMap<Mapper, number> {
    return new Map([...this.#hierarchies].map(([mapper, hierarchy]) => [mapper, hierarchy.size]));
  }

  /** The instances that came in since; not all of them, where others have left meanwhile. */
  since(marks: ReadonlyMap<Mapper, number>): readonly Instance[] {
    return [...this.#hierarchies].flatMap(([mapper, hierarchy]) => {
      const before = marks.get(mapper) ?? 0;
      return hierarchy.size === before ? [] : [...held(hierarchy).drop(before)];
    });
  }

  clear(): void {
    this.#hierarchies.clear();
  }

  #inOrder(of: (hierarchy: Map<unknown, Instance>) => Iterable<Instance>): Instance[] {
    const instances: Instance[] = [];
    let isInOrder = true;
    for (const hierarchy of this.#hierarchies.values()) {
      // Each is in order, but for those that were held weakly.
      isInOrder &&= instances.length === 0 && !(hierarchy instanceof HeldInstances);
      for (const instance of of(hierarchy)) instances.push(instance);
    }
    return isInOrder ? instances : instances.sort((left, right) => stateOf(left).place - stateOf(right).place);
  }
}

function held(hierarchy: Map<unknown, Instance>): MapIterator<Instance> {
  return hierarchy instanceof HeldInstances ? hierarchy.held() : hierarchy.values();
}
