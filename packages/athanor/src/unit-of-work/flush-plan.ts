import type { Connection } from "../engine/connection.ts";
import type { MaybePromise } from "../engine/maybe-promise.ts";
import { History, nothing, PASSIVE_NO_RESULT } from "../instance/history.ts";
import type { Instance } from "../instance/instance.ts";
import type { RelatedAttribute } from "../instance/instance-attribute.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import { type Mapper, mapperOfState } from "../mapping/mapper.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import { SmallMap } from "../instance/small-map.ts";
import type { Entry, RelatedHistory } from "./entry.ts";
import type { Flushed, FlushWork } from "./flush-work.ts";

/** What a registration says beside the instance. */
export interface Registration {
  readonly isDelete?: boolean;
  /** It was to be deleted, and was put into a relationship again. */
  readonly cancelDelete?: boolean;
  /** The relationship along which it came, and what was done there: for the warning where it is not in the session. */
  readonly along?: { readonly property: RelationshipProperty; readonly operation: "add" | "delete" };
}

/**
 * Everything that one flush writes: what the program added, changed and deleted, and what follows from it along relationships.
 */
export class FlushPlan {
  readonly entries = new Map<InstanceState, Entry>();
  readonly work: FlushWork;
  /** The relationships that have something to do. */
  readonly active = new Set<RelationshipProperty>();
  /** Foreign keys that are written by an UPDATE of their own. */
  readonly postUpdates = new Map<InstanceState, Set<number>>();
  /** Rows of tables between that were written from the other side already. */
  readonly secondaryDone = new Map<object, Map<InstanceState, Set<InstanceState>>>();
  /** The instances by each relationship that their class has, in the order of the plan. */
  readonly byRelationship = new Map<RelationshipProperty, Entry[]>();
  #mayDelete = false;
  readonly #lists = new Map<Mapper, readonly Entry[][]>();

  constructor(work: FlushWork) {
    this.work = work;
    this.#takeAll(work.inserts, false);
    this.#takeAll(work.updates, false);
    this.#takeAll(work.deletes, true);
  }

  get connection(): Connection {
    return this.work.connection;
  }

  /** Takes an instance up, or more is known of one that is. Refuses, with a warning, one that is not in the session. */
  register(state: InstanceState, { isDelete = false, cancelDelete = false, along }: Registration = {}): boolean {
    if (!this.work.contains(state)) {
      if (!state.deleted && along !== undefined) {
        this.work.warn(
          `${state.describe()} is not in the session, so the ${along.operation} along ${along.property.label} does not proceed. Add it: session.add(instance).`,
        );
      }
      return false;
    }
    const entry = this.entries.get(state);
    if (entry === undefined) this.#take(state, isDelete);
    else if (isDelete || cancelDelete) {
      entry.isDelete = isDelete;
      this.#mayDelete ||= isDelete;
    }
    return true;
  }

  #takeAll(states: readonly InstanceState[], isDelete: boolean): void {
    for (let index = 0; index < states.length; index++) this.#take(states[index] as InstanceState, isDelete);
  }

  #take(state: InstanceState, isDelete: boolean): void {
    const mapper = mapperOfState(state);
    const entry: Entry = {
      state,
      mapper,
      isInsert: state.key === undefined,
      isDelete,
      takesOver: undefined,
      isTakenOver: false,
      refreshed: undefined,
      hasDefaultKey: false,
      nulls: undefined,
      isInserted: false,
      histories: undefined,
      loadedHistories: undefined,
    };
    state.planned = true;
    this.#mayDelete ||= isDelete;
    this.entries.set(state, entry);
    const lists = this.#listsOf(mapper);
    for (let index = 0; index < lists.length; index++) lists[index]?.push(entry);
  }

  /** Where the instances of a class are listed by relationship. */
  #listsOf(mapper: Mapper): readonly Entry[][] {
    let lists = this.#lists.get(mapper);
    if (lists === undefined) {
      const properties = mapper.relationships.filter(({ isViewOnly }) => !isViewOnly);
      lists = properties.map((property) => this.#listOf(property));
      this.#lists.set(mapper, lists);
    }
    return lists;
  }

  #listOf(property: RelationshipProperty): Entry[] {
    let entries = this.byRelationship.get(property);
    if (entries === undefined) this.byRelationship.set(property, (entries = []));
    return entries;
  }

  /** The classes of the instances. */
  get mappers(): Iterable<Mapper> {
    return this.#lists.keys();
  }

  /** What was written, when all steps have run. */
  flushed(): Flushed {
    const inserted: InstanceState[] = [];
    const updated: InstanceState[] = [];
    const deleted: InstanceState[] = [];
    const takenOver: InstanceState[] = [];
    this.entries.forEach(({ state, isInsert, isDelete, takesOver }) => {
      if (takesOver !== undefined) takenOver.push(state);
      (isDelete ? deleted : isInsert ? inserted : updated).push(state);
    });
    return { inserted, takenOver, updated, deleted };
  }

  isDeleted(state: InstanceState): boolean {
    // Most flushes delete nothing, and this is asked for every row.
    return this.#mayDelete && this.entries.get(state)?.isDelete === true;
  }

  /**
   * The history of a relationship, as it was when this flush first asked: listeners and foreign keys do not change what is to be done.
   *
   * @param load the relationship must be known, and is loaded where it is not in memory
   */
  history(entry: Entry, property: RelationshipProperty, load: boolean): MaybePromise<RelatedHistory> {
    const known = entry.loadedHistories?.get(property) ?? (load ? undefined : entry.histories?.get(property));
    if (known !== undefined) return known;
    const { state } = entry;
    const isAbsent = load && state.key !== undefined && state.values[property.slot] === undefined;
    if (isAbsent || mustFindReplaced(state, property)) return this.#findHistory(entry, property, load);
    return keepHistory(entry, property, load, this.historyNow(state, property));
  }

  async #findHistory(entry: Entry, property: RelationshipProperty, load: boolean): Promise<RelatedHistory> {
    const { state } = entry;
    if (load && state.key !== undefined && state.values[property.slot] === undefined)
      await this.work.loadRelated(state, property);
    const history = this.historyNow(state, property);
    if (!mustFindReplaced(state, property)) return keepHistory(entry, property, load, history);
    const replaced = await this.work.loadReplaced(state, property);
    return keepHistory(entry, property, load, withReplaced(history, replaced));
  }

  /** The history of a relationship as it is at this moment. */
  historyNow(state: InstanceState, { slot }: RelationshipProperty): RelatedHistory {
    const pending = state.values[slot] === undefined ? state.relations?.pending?.get(slot) : undefined;
    if (pending !== undefined) return new History([...pending.added], nothing, [...pending.removed]);
    return (state.instrumentation.attributes[slot] as RelatedAttribute).history(state) as RelatedHistory;
  }

  /** The history that was asked for before. */
  knownHistory(entry: Entry, property: RelationshipProperty): RelatedHistory {
    const { loadedHistories, histories, state } = entry;
    return loadedHistories?.get(property) ?? histories?.get(property) ?? this.historyNow(state, property);
  }

  /** Registers everything that goes with a deleted instance. */
  async cascadeDelete(state: InstanceState): Promise<void> {
    for (const related of await this.work.deletedWith(state)) this.register(related, { isDelete: true });
  }

  postUpdate(state: InstanceState, property: RelationshipProperty): void {
    const slots = this.postUpdates.get(state) ?? new Set();
    for (const { local, remote } of property.pairs)
      slots.add(property.direction === "manyToOne" ? local.slot : remote.slot);
    this.postUpdates.set(state, slots);
  }
}

/** Keeps the history of a relationship for the rest of the flush. */
export function keepHistory(
  entry: Entry,
  property: RelationshipProperty,
  isLoaded: boolean,
  history: RelatedHistory,
): RelatedHistory {
  if (isLoaded) (entry.loadedHistories ??= new SmallMap()).set(property, history);
  else (entry.histories ??= new SmallMap()).set(property, history);
  return history;
}

/** A reference that was assigned unloaded has lost what the rows of another table tell; what a key of its own row told is of no account. */
function mustFindReplaced({ committed }: InstanceState, property: RelationshipProperty): boolean {
  return committed?.[property.slot] === PASSIVE_NO_RESULT && !property.refersToKey;
}

/** The history of a reference, where only the database knew what it had referred to. */
function withReplaced(history: RelatedHistory, replaced: Instance | null): RelatedHistory {
  if (replaced === null) return history;
  return history.added.includes(replaced)
    ? new History(nothing, [replaced], nothing)
    : new History(history.added, history.unchanged, [replaced]);
}
