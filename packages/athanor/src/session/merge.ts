import { emit } from "../event/dispatch.ts";
import { InvalidRequestError } from "../event/errors.ts";
import { bareInstance, type Instance, stateOf } from "../instance/instance.ts";
import type { History } from "../instance/history.ts";
import { isRelated, type RelatedAttribute } from "../instance/instance-attribute.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import { ScalarAttribute } from "../instance/scalar-attribute.ts";
import { identityKey } from "../mapping/identity.ts";
import { type ColumnProperty, type Mapper, mapperOfState } from "../mapping/mapper.ts";
import { RelationshipProperty } from "../mapping/relationship-property.ts";
import { StaleDataError } from "../unit-of-work/errors.ts";
import { isSameValue } from "../unit-of-work/same-value.ts";
import { addState } from "./attachment.ts";
import { mustAutoflush } from "./execute.ts";
import { flushSession } from "./flush-session.ts";
import { instanceFromDatabase } from "./get.ts";
import { loadColumns, unloadedColumns } from "./load-columns.ts";
import type { SessionState } from "./session-state.ts";
import { criteriaOfListeners, isHidden, isRowFound } from "./strict-criteria.ts";

/** How an instance is merged. */
export interface MergeOptions {
  /**
   * False: the given instances are taken for exactly what the database has, as those of a cache are. Nothing is loaded, no attribute event is raised, and
   * nothing is to be flushed afterwards. True unless you say so.
   */
  readonly load?: boolean;
}

/**
 * Copies the state of an instance onto the session's own instance of the same row, and answers with that one.
 *
 * SQLAlchemy: State Management, Merging.
 */
export async function mergeInstance(
  core: SessionState,
  given: InstanceState,
  { load = true }: MergeOptions = {},
): Promise<Instance> {
  core.expectNoWriting("session.merge()", given);
  if (load && mustAutoflush(core)) await flushSession(core);
  // From here on the copies are half made.
  core.autoflushSuspended++;
  try {
    const merged = await new Merge(core, load).merge(given);
    return merged.instance;
  } finally {
    core.autoflushSuspended--;
  }
}

/**
 * The same for the instances of a frozen result, together: an instance that the session has with changes that are not flushed stays as it is, as it would
 * if a query came by it.
 */
export async function mergeFound(
  core: SessionState,
  given: readonly InstanceState[],
  { load = true }: MergeOptions,
): Promise<readonly Instance[]> {
  for (const state of given) core.expectNoWriting("mergeFrozenResult()", state);
  if (load && mustAutoflush(core)) await flushSession(core);
  core.autoflushSuspended++;
  try {
    const merge = new Merge(core, load, true);
    const merged: Instance[] = [];
    for (const state of given) merged.push((await merge.merge(state)).instance);
    return merged;
  } finally {
    core.autoflushSuspended--;
  }
}

/** The key that an instance has, or would have if it were saved as it is. */
interface Identity {
  readonly key: unknown;
  readonly values: readonly unknown[];
}

/** One call of merge, with all that it reaches along relationships. */
class Merge {
  readonly #core: SessionState;
  readonly #load: boolean;
  /** What the session has changed itself is not overwritten. */
  readonly #keepsChanges: boolean;
  /** By what was given: graphs may be circular, and each instance is copied once. */
  readonly #merged = new Map<InstanceState, InstanceState>();
  /** The same by hierarchy and key: what was given may hold several instances of one row. */
  readonly #byKey = new Map<Mapper, Map<unknown, InstanceState>>();
  /** Which relationships led to an instance: the other sides of them follow by themselves. */
  readonly #arrivals = new Map<InstanceState, Set<RelationshipProperty>>();

  constructor(core: SessionState, load: boolean, keepsChanges = false) {
    this.#core = core;
    this.#load = load;
    this.#keepsChanges = keepsChanges;
  }

  /** The session's instance for a given one, with the state of that. */
  async merge(given: InstanceState): Promise<InstanceState> {
    const known = this.#merged.get(given);
    if (known !== undefined) return known;
    const mapper = mapperOfState(given);
    if (given.key === undefined) this.#expectMergeable(given);
    const identity = identityOf(given);
    const existing = identity && (await this.#find(given, mapper, identity));
    const target = existing ?? this.#create(given, mapper);
    this.#merged.set(given, target);
    if (identity !== undefined) this.#keyed(mapper).set(identity.key, target);
    if (this.#keepsChanges && existing?.modified === true) return target;
    if (target !== given) {
      expectSameClass(given, target);
      expectSameVersion(given, target, mapper);
      for (const property of copyOrder(mapper)) {
        if (property instanceof RelationshipProperty) await this.#mergeRelated(given, target, property);
        else await this.#mergeColumn(given, target, property);
      }
    }
    if (!this.#load) this.#settle(target);
    const { load } = target.instrumentation.dispatch;
    if (existing === undefined && load !== undefined) emit(load, { target: target.instance });
    return target;
  }

  /** The instance of that row: the session's, one that this merge made for it, or one that is loaded now. */
  async #find(given: InstanceState, mapper: Mapper, { key, values }: Identity): Promise<InstanceState | undefined> {
    const core = this.#core;
    const criteria = core.isStrict ? await criteriaOfListeners(core, mapper) : [];
    const known = core.identityMap.of(mapper).get(key);
    if (known !== undefined) {
      if (criteria.length > 0 && (await isHidden(core, stateOf(known), criteria))) throw hiddenError(given);
      return stateOf(known);
    }
    const made = this.#keyed(mapper).get(key);
    if (made !== undefined) return made;
    if (!this.#load) {
      expectClean(given);
      if (criteria.length > 0 && (await isHidden(core, given, criteria))) throw hiddenError(given);
      return undefined;
    }
    const loaded = await instanceFromDatabase(core, mapper, values);
    if (loaded !== null) return stateOf(loaded);
    if (criteria.length > 0 && (await isRowFound(core, mapper, values))) throw hiddenError(given);
    return undefined;
  }

  /** An empty copy: no constructor runs, and no `init` is raised. */
  #create(given: InstanceState, { instrumentation }: Mapper): InstanceState {
    const copy = stateOf(bareInstance(instrumentation));
    if (!this.#load) {
      copy.key = given.key;
      copy.identity = given.identity;
    }
    addState(this.#core, copy);
    return copy;
  }

  async #mergeColumn(given: InstanceState, target: InstanceState, property: ColumnProperty): Promise<void> {
    const { slot, key } = property;
    // Assigned by another task after merge() was called.
    if (this.#core.keeps(target, slot)) return;
    const attribute = target.instrumentation.expect(key);
    const value = given.values[slot];
    if (value === undefined) {
      // What the given instance does not know the copy is not to know either.
      if (target.key !== undefined && attribute.loadedValue(target) === undefined)
        this.#core.expire(target, "merge()", [attribute]);
    } else if (!this.#load) {
      attribute.put(target, value);
    } else {
      const needsOld = attribute instanceof ScalarAttribute && attribute.activeHistory;
      if (needsOld && target.isUnread(attribute.slot))
        await loadColumns(this.#core, target, unloadedColumns(target, [property]));
      attribute.set(target, value);
    }
  }

  async #mergeRelated(given: InstanceState, target: InstanceState, property: RelationshipProperty): Promise<void> {
    const { inverse, isCollection } = property;
    if (this.#load && inverse !== undefined && this.#arrivals.get(given)?.has(inverse) === true) return;
    if (!property.cascade.has("merge")) return;
    const source = given.instrumentation.expect(property.key);
    const attribute = target.instrumentation.expect(property.key);
    if (!isRelated(source) || !isRelated(attribute)) return;
    if (source.unloadedAs(given) === "never") return this.#mergeChanges(given, target, source, attribute, property);
    if (source.loadedValue(given) === undefined) return;
    // A collection is loaded first, so that its members are found in the session.
    if (isCollection) await this.#loadOld(target, property);
    const merged: Instance[] = [];
    for (const related of source.loaded(given)) merged.push(await this.#mergeMember(related, property));
    if (this.#load) {
      if (!isCollection && property.options.singleParent === true) await this.#loadOld(target, property);
      attribute.replace(target, merged);
    } else {
      attribute.expire(target);
      attribute.setLoaded(target, merged);
    }
  }

  /** Of what is never in memory as a whole, what was put in and taken out of it is done there too. */
  async #mergeChanges(
    given: InstanceState,
    target: InstanceState,
    source: RelatedAttribute,
    attribute: RelatedAttribute,
    property: RelationshipProperty,
  ): Promise<void> {
    const { added, deleted } = source.history(given) as History<Instance>;
    for (const related of added)
      attribute.append(target, await this.#mergeMember(related, property), attribute.appendToken);
    for (const related of deleted)
      attribute.pop(target, await this.#mergeMember(related, property), attribute.removeToken);
  }

  async #mergeMember(related: Instance, property: RelationshipProperty): Promise<Instance> {
    const state = stateOf(related);
    this.#arrive(state, property);
    return (await this.merge(state)).instance;
  }

  async #loadOld(target: InstanceState, property: RelationshipProperty): Promise<void> {
    if (this.#load && isAbsent(target, property.slot)) await this.#core.loadRelated(target, property);
  }

  #arrive(given: InstanceState, property: RelationshipProperty): void {
    const arrivals = this.#arrivals.get(given);
    if (arrivals === undefined) this.#arrivals.set(given, new Set([property]));
    else arrivals.add(property);
  }

  #expectMergeable(given: InstanceState): void {
    if (!this.#load) {
      throw new InvalidRequestError(
        `${given.describe()} cannot be merged with load: false, because it has no row: that takes instances for what the database has. ` +
          `Save it first, or leave out load: false.`,
      );
    }
    if (given.owner === this.#core) {
      this.#core.warn(
        `${given.describe()} is merged into the session that it was added to already, so it will be saved twice. Go on with the instance itself.`,
      );
    }
  }

  #keyed({ baseMapper }: Mapper): Map<unknown, InstanceState> {
    let byKey = this.#byKey.get(baseMapper);
    if (byKey === undefined) this.#byKey.set(baseMapper, (byKey = new Map()));
    return byKey;
  }

  /** What it has now is what its row has. */
  #settle(target: InstanceState): void {
    target.committed = undefined;
    target.commit();
    this.#core.stateUnmodified(target);
  }
}

/** Undefined where a part of the key is not set, so that no row can be meant. */
function identityOf(state: InstanceState): Identity | undefined {
  if (state.key !== undefined) return { key: state.key, values: state.identityValues };
  const mapper = mapperOfState(state);
  const values = mapper.primaryKey.map(({ slot }) => state.values[slot]);
  if (values.some((value) => value == null)) return undefined;
  return { key: identityKey(mapper, values), values };
}

/** Whether a value is only in the database. */
function isAbsent(state: InstanceState, slot: number): boolean {
  return state.key !== undefined && state.values[slot] === undefined && !state.isChanged(slot);
}

function expectClean(given: InstanceState): void {
  if (!given.modified) return;
  throw new InvalidRequestError(
    `${given.describe()} cannot be merged with load: false, because it has changes: that takes instances for what the database has. ` +
      `Flush them first, or leave out load: false.`,
  );
}

function expectSameClass(given: InstanceState, target: InstanceState): void {
  const mapper = mapperOfState(given);
  if (mapperOfState(target).isA(mapper)) return;
  throw new InvalidRequestError(
    `${given.describe()} cannot be merged, because the session has a ${target.instrumentation.class.name} for the same row. ` +
      `Construct a ${target.instrumentation.class.name} instead; the class of a row does not change.`,
  );
}

function hiddenError(given: InstanceState): InvalidRequestError {
  return new InvalidRequestError(
    `${given.describe()} cannot be merged, because its row is there and hidden from this session by withLoaderCriteria(), about which it is strict (criteria: "strict"). ` +
      `A copy would be inserted under the same key. Whoever may change the row uses a session without those criteria.`,
  );
}

/** Whoever changed an instance must have seen the present version of its row. */
function expectSameVersion(given: InstanceState, target: InstanceState, { version }: Mapper): void {
  if (version === undefined) return;
  const theirs = given.values[version.slot];
  const ours = target.values[version.slot];
  if (theirs === undefined || ours === undefined || isSameValue(version.column.options.type.isEqual, theirs, ours))
    return;
  throw new StaleDataError(
    `${target.describe()} was changed by somebody else since the instance that is merged was loaded: its ${version.key} differs. ` +
      `Load it again and decide anew; or leave ${version.key} unset to overwrite whatever there is.`,
  );
}

type CopiedProperty = ColumnProperty | RelationshipProperty;

const copyOrders = new WeakMap<Mapper, readonly CopiedProperty[]>();

/** In which order attributes are copied: a class's relationships, what it inherits, its columns. */
function copyOrder(mapper: Mapper): readonly CopiedProperty[] {
  const known = copyOrders.get(mapper);
  if (known !== undefined) return known;
  const inherited = mapper.inherits === undefined ? [] : copyOrder(mapper.inherits);
  const isOwn = ({ key }: CopiedProperty): boolean => inherited.every((property) => property.key !== key);
  const order = [...mapper.relationships.filter(isOwn), ...inherited, ...mapper.columnProperties.filter(isOwn)];
  copyOrders.set(mapper, order);
  return order;
}
