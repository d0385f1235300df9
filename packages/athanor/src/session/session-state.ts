import { andThen, type MaybePromise } from "../engine/maybe-promise.ts";
import type { Engine } from "../engine/engine.ts";
import { emit, emitAndWait } from "../event/dispatch.ts";
import { type Dispatch, type EventNode, eventTarget, type Registration } from "../event/event-node.ts";
import { type Instance, stateOf } from "../instance/instance.ts";
import type { InstanceAttribute } from "../instance/instance-attribute.ts";
import type { InstanceState, StateOwner } from "../instance/instance-state.ts";
import { ScalarAttribute } from "../instance/scalar-attribute.ts";
import { carriedBy } from "../loading/carried-options.ts";
import type { AfterLoads } from "../loading/after-loads.ts";
import { IdentityMap } from "../loading/identity-map.ts";
import type { LoadContext } from "../loading/row-loader.ts";
import type { ColumnProperty, Mapper } from "../mapping/mapper.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import type { EntityCriteria, RelatedPlan } from "../sql/loading-plan.ts";
import { FlushInProgressError } from "../unit-of-work/errors.ts";
import { reachedBy } from "../unit-of-work/cascades.ts";
import { describeRunning } from "../unit-of-work/emit-row.ts";
import type { Emitter, RunningEvent } from "../unit-of-work/flush-work.ts";
import { addState, expungeState } from "./attachment.ts";
import { asClause, ConcurrentOperationError } from "./errors.ts";
import { Operations } from "./operations.ts";
import type { Session } from "./session.ts";
import type { Seen } from "./strict-criteria.ts";
import type { LifecycleEvent, SessionEvents } from "./session-events.ts";
import type { SessionOptions, SessionWarning } from "./session-options.ts";
import { SessionTransaction, type TransactionOrigin } from "./session-transaction.ts";

/** How a session loads what is missing of an instance. Given to it, because loading executes statements, which may flush, which may load. */
export interface Loaders {
  /** Loads the columns that are not in memory; of those that are left out the wanted ones. */
  columns(core: SessionState, state: InstanceState, wanted?: readonly ColumnProperty[]): Promise<void>;
  /**
   * @param plan what the statement says besides; undefined: what the instance carries of the one that loaded it
   * @param seen whether a strict session's criteria hold for what is found
   */
  related(
    core: SessionState,
    state: InstanceState,
    property: RelationshipProperty,
    plan: RelatedPlan | undefined,
    seen: Seen,
    afterLoads: AfterLoads | undefined,
  ): Promise<void>;
  /** The criteria that listeners would give a statement of the program's own about a class. */
  criteria(core: SessionState, mapper: Mapper): Promise<readonly EntityCriteria[]>;
  /** Finds what a reference referred to that was assigned before it was loaded. */
  replaced(core: SessionState, state: InstanceState, property: RelationshipProperty): Promise<Instance | null>;
}

type LifecycleName = {
  [K in keyof SessionEvents]: Parameters<SessionEvents[K]>[0] extends LifecycleEvent
    ? LifecycleEvent extends Parameters<SessionEvents[K]>[0]
      ? K
      : never
    : never;
}[keyof SessionEvents];

/** Of which instances something drops what is in memory. */
type DropScope = "all" | readonly InstanceState[];

/** A call that drops what is in memory. */
interface Drop {
  readonly call: string;
  readonly scope: DropScope;
}

/**
 * What is inside a session: its instances by what is to be done with them, its transaction. The session's operations work on it.
 */
export class SessionState implements StateOwner {
  readonly session: Session;
  readonly engine: Engine;
  readonly autoflush: boolean;
  readonly expireOnCommit: boolean;
  readonly operations: Operations;
  readonly identityMap = new IdentityMap();
  // Most sessions only read, and sets are dear: each is made when something first goes in.
  #new: Set<InstanceState> | undefined = undefined;
  #modified: Set<InstanceState> | undefined = undefined;
  static readonly #bySession = new WeakMap<Session, SessionState>();
  #deleted: Set<InstanceState> | undefined = undefined;
  #node: EventNode<keyof SessionEvents>;
  dispatch: Dispatch<keyof SessionEvents>;
  transaction: SessionTransaction | undefined = undefined;
  isFlushing = false;
  /** Which row event is being raised, while a flush writes rows. */
  writing: RunningEvent | undefined = undefined;
  /** Instances that delete() has marked, and whose cascade is being loaded: a flush does not take them yet. */
  readonly cascading = new Set<InstanceState>();
  /** Blocks without autoflush inside of the operation that is running. */
  autoflushSuspended = 0;
  /** Such blocks of the program's own that are open. */
  #unflushedBlocks = 0;
  /** Operations that were called in those, by their numbers. */
  #unflushed: number[] | undefined = undefined;
  /**
   * What was added from outside while operations were running, by how many had been called: it was added after those, so it is none of theirs. It
   * waits for the first operation that is called after it, or for the end of all. What a relationship draws in does not wait: that has changed already, and its
   * foreign key is not to be written without the row that it refers to.
   */
  readonly #late = new Map<InstanceState, number>();
  #isDrawingIn = false;
  /** Calls that drop changes, and are not through. */
  readonly #drops = new Set<Drop>();
  /** What was assigned from outside since such a call: by instance and slot, how many operations had been called. */
  readonly #assigned = new Map<InstanceState, Map<number, number>>();
  isDropping = false;
  readonly #loaders: Loaders;
  readonly #onWarning: ((warning: SessionWarning) => void) | undefined;
  readonly onSkippedEvents: NonNullable<SessionOptions["onSkippedEvents"]>;
  /** Criteria reach what is in memory too. */
  readonly isStrict: boolean;
  /** Listeners are being asked which criteria they would add. */
  isAskingListeners = false;
  /** What was warned of once, and is not again. */
  #warned: Set<string> | undefined = undefined;

  /** What stands behind a session. */
  static of(session: Session): SessionState {
    return SessionState.#bySession.get(session) as SessionState;
  }

  constructor(
    session: Session,
    engine: Engine,
    node: EventNode<keyof SessionEvents>,
    options: SessionOptions,
    loaders: Loaders,
  ) {
    this.session = session;
    SessionState.#bySession.set(session, this);
    this.engine = engine;
    this.#node = node;
    this.dispatch = node.dispatch;
    this.autoflush = options.autoflush ?? true;
    this.expireOnCommit = options.expireOnCommit ?? false;
    this.#onWarning = options.onWarning;
    this.onSkippedEvents = options.onSkippedEvents ?? "warn";
    this.isStrict = options.criteria === "strict";
    this.operations = new Operations(session);
    this.#loaders = loaders;
  }

  /** Pending instances, in the order in which they were added. */
  get new(): Set<InstanceState> {
    this.admitLate();
    return (this.#new ??= new Set());
  }

  /** Persistent instances that something was set on. */
  get modified(): Set<InstanceState> {
    return (this.#modified ??= new Set());
  }

  /** Persistent instances whose deletion is not flushed yet. */
  get deleted(): Set<InstanceState> {
    return (this.#deleted ??= new Set());
  }

  /** Whether there is nothing to flush. */
  get isClean(): boolean {
    this.admitLate();
    return isEmpty(this.#new) && isEmpty(this.#modified) && isEmpty(this.#deleted);
  }

  /** Takes these instances out of the pending ones: the set itself, where it holds no others. */
  takeNew(inserted: readonly InstanceState[]): Set<InstanceState> {
    const pending = this.new;
    if (pending.size === inserted.length) {
      this.#new = undefined;
      return pending;
    }
    for (const state of inserted) pending.delete(state);
    return new Set(inserted);
  }

  /** Takes these instances out of those that are to be deleted, as {@link takeNew} does. */
  takeDeleted(states: readonly InstanceState[]): Set<InstanceState> {
    const { deleted } = this;
    if (isInOrder(deleted, states)) {
      this.#deleted = undefined;
      return deleted;
    }
    for (const state of states) deleted.delete(state);
    return new Set(states);
  }

  /** Every instance that is to be inserted, also what was added too late for the operation that is running. */
  allNew(): Set<InstanceState> {
    const pending = new Set(this.#new);
    for (const state of this.#late.keys()) if (state.key === undefined) pending.add(state);
    return pending;
  }

  /** Every instance that the running operation knows: the persistent ones, then the pending ones. */
  allStates(): InstanceState[] {
    const states = this.identityMap.reachable().map((instance) => stateOf(instance));
    this.#new?.forEach((state) => states.push(state));
    return this.#late.size === 0 ? states : states.filter((state) => !this.#late.has(state));
  }

  /** Takes an instance in that was just attached. */
  admit(state: InstanceState): void {
    const isLate = this.isBehind && !this.#isDrawingIn;
    if (isLate) this.#late.set(state, this.operations.called);
    else this.admitLate();
    if (state.key !== undefined) this.takeRow(state);
    else if (!isLate) (this.#new ??= new Set()).add(state);
  }

  /**
   * Makes an instance the one that the session has of its row. Another one that was that is not in the session any more, though it has no other: what is set on it
   * is not flushed.
   */
  takeRow(state: InstanceState): void {
    const replaced = this.identityMap.add(state);
    if (replaced !== undefined) this.#modified?.delete(stateOf(replaced));
    if (state.modified) this.modified.add(state);
  }

  /** Takes an instance out of everything. */
  dismiss(state: InstanceState): void {
    this.#new?.delete(state);
    this.#late.delete(state);
    this.#modified?.delete(state);
    this.#deleted?.delete(state);
    this.identityMap.discard(state);
  }

  /** Takes out everything at once, where nothing was added too late for it. */
  dismissAll(): void {
    this.#deleted = undefined;
    if (this.#late.size > 0) return;
    this.#new = undefined;
    this.#modified = undefined;
    this.identityMap.clear();
  }

  /** Takes in what was added late, once no operation is left that was called before. */
  admitLate(): void {
    if (this.#late.size > 0 && !this.operations.isBusy) this.#admitUntil(this.operations.called);
  }

  /** Takes in what was added when no more than so many operations had been called. */
  #admitUntil(called: number): void {
    for (const [state, number] of this.#late) {
      if (number > called) break;
      this.#late.delete(state);
      if (state.key !== undefined) continue;
      this.new.add(state);
      this.autobegin();
    }
  }

  /**
   * Runs an operation when its turn comes: see {@link Operations.run}.
   *
   * @param mayCallListeners asked when its turn has come
   */
  run<T>(work: () => MaybePromise<T>, mayCallListeners?: () => boolean): Promise<T> {
    const { operations } = this;
    // A call from inside is part of an operation, and knows what that knows.
    if (this.#unflushedBlocks > 0 && operations.isCalledApart) (this.#unflushed ??= []).push(operations.called + 1);
    if (this.#late.size === 0 || operations.isInside) return operations.run(work, mayCallListeners);
    const { called } = operations;
    return operations.run(work, () => {
      this.#admitUntil(called);
      return mayCallListeners?.() ?? true;
    });
  }

  /** Whether the caller comes from outside, and operations that were called before are not through. */
  get isBehind(): boolean {
    return this.operations.isBusy && !this.operations.isInside;
  }

  /**
   * Runs an operation that drops what is in memory: what is assigned from outside after its call stays, see {@link drop}, and relationships are not to be
   * changed until it is through.
   *
   * @param call for messages, as the user wrote it
   */
  runDropping<T>(call: string, scope: DropScope, work: () => MaybePromise<T>): Promise<T> {
    const drop: Drop = { call, scope };
    this.#drops.add(drop);
    this.isDropping = true;
    const running = this.run(work);
    const end = (): void => {
      this.#drops.delete(drop);
      if (this.#drops.size > 0) return;
      this.isDropping = false;
      this.#assigned.clear();
    };
    running.then(end, end);
    return running;
  }

  /**
   * Does at once what needs no waiting; but called from outside while operations are running, it takes its turn behind them, so that they find everything
   * as it was when they were called. What goes wrong then is told as a warning: nobody waits for it.
   *
   * @param scope of which instances it drops values
   */
  takeTurn(call: string, scope: DropScope, work: () => void): void {
    if (!this.isBehind) {
      work();
      return;
    }
    this.runDropping(call, scope, work).catch((error: unknown) =>
      this.warn(
        `${call} was called while earlier operations of its session were running. It waited for them, and then failed: ${asClause(error)}.`,
      ),
    );
  }

  /** Does something without autoflush: for the operations that are called meanwhile, whenever their turn comes. */
  async withoutAutoflush<T>(work: () => Promise<T> | T): Promise<T> {
    const { operations } = this;
    if (operations.isInside) {
      this.autoflushSuspended++;
      try {
        return await work();
      } finally {
        this.autoflushSuspended--;
      }
    }
    this.#unflushedBlocks++;
    try {
      return await operations.apart(work);
    } finally {
      this.#unflushedBlocks--;
      this.#unflushed = this.#unflushed?.filter((number) => number > operations.ended);
    }
  }

  /** Whether the operation that is running was called, or is, in a block without autoflush. */
  get isAutoflushSuspended(): boolean {
    return this.autoflushSuspended > 0 || this.#unflushed?.includes(this.operations.started) === true;
  }

  /** The session has got listeners of its own. */
  set node(node: EventNode<keyof SessionEvents>) {
    this.#node = node;
    this.dispatch = node.dispatch;
  }

  /** Whether an operation that loads instances of this class, or none, may call code of the user's. */
  mayCallListeners(mapper?: Mapper): boolean {
    // What is not clean may be flushed first, and a flush calls listeners of other classes.
    if (this.#node.isHeard || this.engine[eventTarget].isHeard || !this.isClean) return true;
    if (mapper === undefined) return false;
    if (mapper.polymorphicOn !== undefined) return true;
    const { load, refresh } = mapper.instrumentation.dispatch;
    return load !== undefined || refresh !== undefined;
  }

  /** Persistent instances that a flush would raise events for. */
  dirtyStates(): InstanceState[] {
    const modified = this.#modified === undefined ? [] : [...this.#modified];
    const deleted = this.#deleted;
    return deleted === undefined || deleted.size === 0 ? modified : modified.filter((state) => !deleted.has(state));
  }

  slotAssigned(state: InstanceState, slot: number): void {
    if (!this.isBehind) return;
    let slots = this.#assigned.get(state);
    if (slots === undefined) this.#assigned.set(state, (slots = new Map()));
    slots.set(slot, this.operations.called);
  }

  stateModified(state: InstanceState): void {
    if (this.identityMap.holds(state)) this.modified.add(state);
    this.autobegin();
  }

  loadRelated(
    state: InstanceState,
    property: RelationshipProperty,
    plan?: RelatedPlan,
    seen: Seen = "visible",
    afterLoads?: AfterLoads,
  ): Promise<void> {
    return this.#loaders.related(this, state, property, plan, seen, afterLoads);
  }

  /** The criteria that listeners would give a statement of the program's own about a class, where the session is strict. */
  criteriaOfListeners(mapper: Mapper): Promise<readonly EntityCriteria[]> {
    return this.#loaders.criteria(this, mapper);
  }

  mustAskFor(state: InstanceState): boolean {
    return this.isStrict && (this.dispatch.doOrmExecute !== undefined || carriedBy(state).criteria.length > 0);
  }

  /** Finds what a reference referred to that was assigned before it was loaded. */
  loadReplaced(state: InstanceState, property: RelationshipProperty): Promise<Instance | null> {
    return this.#loaders.replaced(this, state, property);
  }

  /**
   * Loads the columns of an instance that are not in memory, for what a flush must know: hidden ones of a strict session too.
   *
   * @param wanted columns that must be known, also where they are left out
   */
  loadColumns(state: InstanceState, wanted?: readonly ColumnProperty[]): Promise<void> {
    return this.#loaders.columns(this, state, wanted);
  }

  findByKey(mapper: Mapper, key: unknown): Instance | undefined {
    return this.identityMap.of(mapper).get(key);
  }

  /**
   * Whether an instance is in the session: new, or the one of its row. What was deleted is not, unless it was handed to delete() once more; neither is one that another has
   * replaced.
   */
  contains(state: InstanceState): boolean {
    return state.owner === this && (state.key === undefined || this.identityMap.holds(state));
  }

  relationshipChanging(relationship: { readonly label: string }, state: InstanceState): void {
    // Every change of a collection comes by here, and hardly any while a flush writes.
    if (this.writing !== undefined) this.expectNoWriting(`A change of ${relationship.label}`, state);
    if (!this.isDropping || !this.isBehind) return;
    for (const { call, scope } of this.#drops) {
      if (scope !== "all" && !scope.includes(state)) continue;
      throw new ConcurrentOperationError(
        `${relationship.label} of ${state.describe()} was changed after ${call} was called and before it was through, and would lose the change to it. ` +
          `Await ${call} first.`,
      );
    }
  }

  cascadeAdd(state: InstanceState): void {
    if (this.#late.has(state)) this.#admitAlong(state);
    if (this.contains(state)) return;
    this.#isDrawingIn = true;
    try {
      addState(this, state);
    } finally {
      this.#isDrawingIn = false;
    }
  }

  /** Takes in what was added too late, and is now what something in the session refers to, with all that it leads to. */
  #admitAlong(state: InstanceState): void {
    for (const late of [state, ...reachedBy("save-update", state)])
      if (this.#late.delete(late) && late.key === undefined) (this.#new ??= new Set()).add(late);
  }

  dropPending(state: InstanceState): void {
    // An operation that is running may be inserting it; the next flush looks again.
    if (state.owner === this && state.key === undefined && !this.isBehind) expungeState(this, state);
    else state.expectRelations().isCutOff = true;
  }

  stateUnmodified(state: InstanceState): void {
    this.#modified?.delete(state);
  }

  /** The transaction in force; a new one where there is none. */
  autobegin(origin: TransactionOrigin = "autobegin"): SessionTransaction {
    return (this.transaction ??= new SessionTransaction(this, undefined, origin));
  }

  /** Calls listeners of an awaited event, and then waits for what they called and did not await. */
  emitAndSettle(listeners: readonly Registration[] | undefined, event: object): MaybePromise<void> {
    return listeners === undefined ? undefined : this.emitter()(listeners, event);
  }

  /** Does the same for many events of one operation. */
  emitter(): Emitter {
    const settle = this.operations.settler();
    const settleAndThrow = (error: unknown): MaybePromise<void> =>
      andThen(settle(), () => Promise.reject(error as Error));
    return (listeners, event) => {
      try {
        const waiting = emitAndWait(listeners, event);
        return waiting === undefined ? settle() : waiting.then(settle, settleAndThrow);
      } catch (error) {
        return settleAndThrow(error);
      }
    };
  }

  emitLifecycle(name: LifecycleName, state: InstanceState): void {
    const listeners = this.dispatch[name];
    if (listeners !== undefined) emit(listeners, { session: this.session, target: state.instance });
  }

  /** Drops values as {@link expire} does, but for what was assigned from outside after the running operation was called. */
  drop(state: InstanceState, reason: string, attributes?: readonly InstanceAttribute[]): void {
    const kept = this.#keptOf(state, attributes);
    this.expire(state, reason, attributes);
    for (const [attribute, value] of kept) attribute.store(state, value);
  }

  /** The same when everything is committed: only what came too late for that stays. */
  dropCommitted(state: InstanceState): void {
    const kept = this.#keptOf(state).filter(([{ slot }]) => state.isChanged(slot));
    this.expire(state, "commit()");
    for (const [attribute, value] of kept) attribute.store(state, value);
  }

  /** Whether a slot was assigned from outside after the running operation was called. */
  keeps(state: InstanceState, slot: number): boolean {
    return (this.#assigned.get(state)?.get(slot) ?? -1) >= this.operations.started;
  }

  #keptOf(
    state: InstanceState,
    attributes?: readonly InstanceAttribute[],
  ): (readonly [attribute: ScalarAttribute, value: unknown])[] {
    return [...(this.#assigned.get(state)?.keys() ?? [])].flatMap((slot) => {
      const attribute = state.instrumentation.attributes[slot];
      if (!(attribute instanceof ScalarAttribute) || !this.keeps(state, slot)) return [];
      if (attributes?.includes(attribute) === false) return [];
      const value = attribute.loadedValue(state);
      return state.isUnread(slot) ? [] : [[attribute, value] as const];
    });
  }

  /** Whether there is anything to flush that the running operation is about. */
  get isChangedWithin(): boolean {
    if (this.isClean) return false;
    if (!isEmpty(this.#new) || !isEmpty(this.#deleted)) return true;
    return [...this.modified].some((state) => this.#keptOf(state).length === 0);
  }

  /** Drops values, all of them or those of the named attributes, and says so. */
  expire(state: InstanceState, reason: string, attributes?: readonly InstanceAttribute[]): void {
    if (attributes === undefined) {
      state.expireAll(reason);
      this.modified.delete(state);
    } else state.expire(attributes, reason);
    const { expire } = state.instrumentation.dispatch;
    if (expire !== undefined) emit(expire, { target: state.instance, attrs: attributes?.map(({ key }) => key) });
  }

  /** How rows become instances of this session. */
  loadContext(populateExisting = false, onlyKeys?: readonly string[], asking?: InstanceState): LoadContext {
    return {
      identityMap: this.identityMap,
      owner: this,
      session: this.session,
      loadedAsPersistent: this.dispatch.loadedAsPersistent,
      populateExisting,
      onlyKeys,
      asking,
      keeps: this.#assigned.size === 0 ? undefined : (state, slot) => this.keeps(state, slot),
    };
  }

  warn(message: string): void {
    if (this.#onWarning !== undefined) this.#onWarning({ message, session: this.session });
    // oxlint-disable-next-line no-console -- where nobody listens, a warning must still be seen
    else console.warn(`athanor: ${message}`);
  }

  /** Warns of something that the session has not warned of before. */
  warnOnce(about: string, message: string): void {
    const warned = (this.#warned ??= new Set());
    if (warned.has(about)) return;
    warned.add(about);
    this.warn(message);
  }

  /** Refuses, inside a row event of a flush, what the flush could not take up any more. */
  expectNoWriting(operation: string, state: InstanceState): void {
    if (this.writing === undefined || !this.operations.isInside) return;
    throw new FlushInProgressError(
      `${operation} was called for ${state.describe()} while a flush writes rows${describeRunning(this.writing)}, ` +
        `too late to be part of it. Do it in a listener of beforeFlush; or execute a statement on the event's connection.`,
    );
  }
}

/** Whether a set holds these and no others, and got them in this order: quicker to find out than whether it has each. */
function isInOrder<T>(set: ReadonlySet<T>, items: readonly T[]): boolean {
  if (set.size !== items.length) return false;
  let index = 0;
  let isSame = true;
  // Without an iterator's answers: there may be many.
  set.forEach((item) => {
    if (item !== items[index++]) isSame = false;
  });
  return isSame;
}

function isEmpty(set: ReadonlySet<unknown> | undefined): boolean {
  return set === undefined || set.size === 0;
}
