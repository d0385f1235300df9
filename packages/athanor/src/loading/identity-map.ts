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
    return state !== undefined && this.holds(state);
  }

  /** The same, asked by the state. */
  holds(state: InstanceState): boolean {
    return state.key !== undefined && this.of(mapperOfState(state)).get(state.key) === state.instance;
  }

  /** The instances in the order in which they came. Later changes leave what it walks over alone. */
  [Symbol.iterator](): ArrayIterator<Instance> {
    return this.values().values();
  }

  /** The same, as an array. */
  values(): Instance[] {
    const instances: Instance[] = [];
    let hierarchies = 0;
    for (const hierarchy of this.#hierarchies.values()) {
      if (hierarchy.size > 0) hierarchies++;
      for (const instance of hierarchy.values()) instances.push(instance);
    }
    // Each hierarchy is in order already.
    return hierarchies < 2 ? instances : instances.sort((left, right) => stateOf(left).place - stateOf(right).place);
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

  /** How many instances there are of each hierarchy: for {@link since}. */
  marks(): ReadonlyMap<Mapper, number> {
    return new Map([...this.#hierarchies].map(([mapper, hierarchy]) => [mapper, hierarchy.size]));
  }

  /** The instances that came in since; not all of them, where others have left meanwhile. */
  since(marks: ReadonlyMap<Mapper, number>): readonly Instance[] {
    return [...this.#hierarchies].flatMap(([mapper, hierarchy]) => {
      const before = marks.get(mapper) ?? 0;
      return hierarchy.size === before ? [] : [...hierarchy.values().drop(before)];
    });
  }

  clear(): void {
    this.#hierarchies.clear();
  }
}
