import type { MaybePromise } from "../engine/maybe-promise.ts";
import { nothing } from "../instance/history.ts";
import { type Instance, stateOf } from "../instance/instance.ts";
import { isRelated, type RelatedAttribute } from "../instance/instance-attribute.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import type { CascadeName } from "../mapping/cascade.ts";
import { mapperOfState } from "../mapping/mapper.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";

/** How many walks there were: each marks what it has seen with a number of its own. */
let walkCount = 0;

/**
 * The instances that an operation reaches along relationships, each once and before those that it leads to; the one that it starts from too, where they lead back
 * to it. Only what is in memory.
 *
 * @param stopAt instances that are left out, with what only they lead to
 */
export function reachedBy(
  cascade: CascadeName,
  from: InstanceState,
  stopAt?: (state: InstanceState) => boolean,
): InstanceState[] {
  const reached: InstanceState[] = [];
  const walk = ++walkCount;
  // A chain of instances may be longer than calls may be nested.
  const path = [visitOf(from)];
  for (let last = path.at(-1); last !== undefined; last = path.at(-1)) {
    const related = last.members[last.nextMember];
    const property = last.properties[last.nextProperty];
    if (related !== undefined) {
      last.nextMember++;
      reached.push(related);
      path.push(visitOf(related));
    } else if (property === undefined) path.pop();
    else {
      last.nextProperty++;
      last.members = property.cascade.has(cascade) ? newMembers(cascade, last.state, property, walk, stopAt) : nothing;
      last.nextMember = 0;
    }
  }
  return reached;
}

/** How far the relationships of one instance are followed. */
interface Visit {
  readonly state: InstanceState;
  readonly properties: readonly RelationshipProperty[];
  nextProperty: number;
  /** Those that the relationship before leads to. */
  members: readonly InstanceState[];
  nextMember: number;
}

function visitOf(state: InstanceState): Visit {
  return { state, properties: mapperOfState(state).relationships, nextProperty: 0, members: nothing, nextMember: 0 };
}

/** The members of a relationship that a walk has not seen, which it marks: all of them before it goes on from any. */
function newMembers(
  cascade: CascadeName,
  state: InstanceState,
  property: RelationshipProperty,
  walk: number,
  stopAt: ((state: InstanceState) => boolean) | undefined,
): readonly InstanceState[] {
  const instances = relatedInstances(cascade, state, property);
  let members: InstanceState[] | undefined;
  for (let index = 0; index < instances.length; index++) {
    const related = stateOf(instances[index] as Instance);
    if (related.lastWalk === walk || stopAt?.(related) === true) continue;
    // A part that was never saved is nothing to refresh, unless it goes with its whole.
    if (cascade === "refresh-expire" && related.key === undefined && !property.cascade.has("delete-orphan")) continue;
    related.lastWalk = walk;
    (members ??= []).push(related);
  }
  return members ?? nothing;
}

/** The same for deletion, which must know what is not in memory yet. It answers at once where everything is. */
export function deletedAlong(
  from: InstanceState,
  load: (state: InstanceState, property: RelationshipProperty) => Promise<void>,
): MaybePromise<InstanceState[]> {
  const walk = new DeletionWalk(from);
  const absent = walk.proceed();
  return absent === undefined ? walk.reached : loadAndProceed(walk, absent, load);
}

async function loadAndProceed(
  walk: DeletionWalk,
  absent: UnloadedRelationship,
  load: (state: InstanceState, property: RelationshipProperty) => Promise<void>,
): Promise<InstanceState[]> {
  for (let next: UnloadedRelationship | undefined = absent; next !== undefined; next = walk.proceed())
    await load(next.state, next.property);
  return walk.reached;
}

/** A relationship that must be loaded before its members are known. */
interface UnloadedRelationship {
  readonly state: InstanceState;
  readonly property: RelationshipProperty;
}

/** How far the relationships of one instance are followed. */
interface Following {
  readonly state: InstanceState;
  readonly properties: readonly RelationshipProperty[];
  nextProperty: number;
  /** The members of the relationship before. */
  members: readonly Instance[];
  nextMember: number;
  /** The next relationship was loaded. */
  isLoaded: boolean;
}

/** Follows what is deleted along with an instance as far as it is in memory, and goes on when more is. */
class DeletionWalk {
  readonly reached: InstanceState[] = [];
  /** Walks may come between each other while one waits for what it must load; then it reaches an instance twice, which does no harm. */
  readonly #number = ++walkCount;
  /** From the instance that everything began with to the one whose relationships are followed now. */
  readonly #path: Following[] = [];

  constructor(from: InstanceState) {
    from.lastWalk = this.#number;
    this.#follow(from);
  }

  /** @returns what must be loaded before the walk can go on; undefined when all is reached */
  proceed(): UnloadedRelationship | undefined {
    for (let last = this.#path.at(-1); last !== undefined; last = this.#path.at(-1)) {
      const { state, members, properties } = last;
      const member = members[last.nextMember];
      const property = properties[last.nextProperty];
      if (member !== undefined) {
        last.nextMember++;
        this.#reach(stateOf(member));
      } else if (property === undefined) this.#path.pop();
      else if (!last.isLoaded && cascadesDeletion(property) && mustLoad(state, property)) {
        last.isLoaded = true;
        return { state, property };
      } else {
        last.nextProperty++;
        last.isLoaded = false;
        last.members = cascadesDeletion(property) ? loadedInstances(attributeOf(state, property), state) : [];
        last.nextMember = 0;
      }
    }
    return undefined;
  }

  #reach(state: InstanceState): void {
    if (state.lastWalk === this.#number) return;
    state.lastWalk = this.#number;
    this.reached.push(state);
    this.#follow(state);
  }

  #follow(state: InstanceState): void {
    const properties = mapperOfState(state).relationships;
    if (properties.some(cascadesDeletion))
      this.#path.push({ state, properties, nextProperty: 0, members: [], nextMember: 0, isLoaded: false });
  }
}

function cascadesDeletion({ cascade }: RelationshipProperty): boolean {
  return cascade.has("delete");
}

function mustLoad(state: InstanceState, { slot, options }: RelationshipProperty): boolean {
  return options.passiveDeletes !== true && state.key !== undefined && state.values[slot] === undefined;
}

function attributeOf(state: InstanceState, property: RelationshipProperty): RelatedAttribute {
  const attribute = state.instrumentation.attributes[property.slot];
  if (attribute !== undefined && isRelated(attribute)) return attribute;
  throw new Error(`${property.label} has no attribute.`);
}

/** What was taken out and not flushed yet comes along when instances are added: its row changes too. */
function relatedInstances(
  cascade: CascadeName,
  state: InstanceState,
  property: RelationshipProperty,
): readonly Instance[] {
  const attribute = attributeOf(state, property);
  if (cascade !== "save-update") return loadedInstances(attribute, state);
  const old = state.committed?.[property.slot];
  // Without an old value nothing was taken out.
  if (old === undefined || typeof old === "symbol") return loadedInstances(attribute, state);
  const { added, unchanged, deleted } = attribute.history(state);
  return [...added, ...unchanged, ...deleted].filter((value) => value !== null) as Instance[];
}

/** Members that only the other side of an unloaded collection knows are not reached from here. */
function loadedInstances(attribute: RelatedAttribute, state: InstanceState): readonly Instance[] {
  return attribute.loadedValue(state) === undefined && !attribute.isPartial(state) ? [] : attribute.loaded(state);
}
