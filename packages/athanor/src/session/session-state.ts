import { andThen, type MaybePromise } from "../engine/maybe-promise.ts";
import type { Engine } from "../engine/engine.ts";
import { emit, emitAndWait } from "../event/dispatch.ts";
import { type Dispatch, type EventNode, eventTarget, type Registration } from "../event/event-node.ts";
import { type Instance, stateOf } from "../instance/instance.ts";
import type { InstanceAttribute } from "../instance/instance-attribute.ts";
import type { InstanceState, StateOwner } from "../instance/instance-state.ts";
import { IdentityMap } from "../loading/identity-map.ts";
import type { LoadContext } from "../loading/row-loader.ts";
import type { Mapper } from "../mapping/mapper.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import { FlushInProgressError } from "../unit-of-work/errors.ts";
import { describeRunning } from "../unit-of-work/emit-row.ts";
import type { Emitter, RunningEvent } from "../unit-of-work/flush.ts";
import { addState, removeStates } from "./attachment.ts";
import { Operations } from "./operations.ts";
import type { Session } from "./session.ts";
import type { LifecycleEvent, SessionEvents } from "./session-events.ts";
import { SessionTransaction, type TransactionOrigin } from "./session-transaction.ts";

/** Something odd that is no error: by default it is printed. */
export interface SessionWarning {
  readonly message: string;
  readonly session: Session;
}

/** How a session loads what is missing of an instance. Given to it, because loading executes statements, which may flush, which may load. */
export interface Loaders {
  /** Loads all columns that are not in memory. */
  columns(core: SessionState, state: InstanceState): Promise<void>;
  related(core: SessionState, state: InstanceState, property: RelationshipProperty): Promise<void>;
}

/** How the sessions of a sessionmaker behave. */
export interface SessionOptions {
  /** Whether commit drops the values of all instances, so that the next transaction loads them anew. False unless you say so. */
  readonly expireOnCommit?: boolean;
  /** Whether statements flush pending changes first, so that they see them. True unless you say otherwise. */
  readonly autoflush?: boolean;
  /** Gets what is odd and no error, such as a DELETE that found no row. Throwing makes it an error. */
  readonly onWarning?: (warning: SessionWarning) => void;
  /** Anything that listeners should find on the session: the user who asks, the tenant. */
  readonly info?: Readonly<Record<string, unknown>>;
}

type LifecycleName = {
  [K in keyof SessionEvents]: Parameters<SessionEvents[K]>[0] extends LifecycleEvent
    ? LifecycleEvent extends Parameters<SessionEvents[K]>[0]
      ? K
      : never
    : never;
}[keyof SessionEvents];

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
  #deleted: Set<InstanceState> | undefined = undefined;
  #node: EventNode<keyof SessionEvents>;
  dispatch: Dispatch<keyof SessionEvents>;
  transaction: SessionTransaction | undefined = undefined;
  isFlushing = false;
  /** Which row event is being raised, while a flush writes rows. */
  writing: RunningEvent | undefined = undefined;
  /** Instances that delete() has marked, and whose cascade is being loaded: a flush does not take them yet. */
  readonly cascading = new Set<InstanceState>();
  /** How many noAutoflush() blocks are open. */
  autoflushSuspended = 0;
  /**
   * What was added from outside while operations were running, by how many were so before: it was added after they were called, so it is none of theirs. It
   * waits for the first operation that is called after it, or for the end of all.
   */
  readonly #late = new Map<InstanceState, number>();
  #lateCount = 0;
  readonly #loaders: Loaders;
  readonly #onWarning: ((warning: SessionWarning) => void) | undefined;

  constructor(
    session: Session,
    engine: Engine,
    node: EventNode<keyof SessionEvents>,
    options: SessionOptions,
    loaders: Loaders,
  ) {
    this.session = session;
    this.engine = engine;
    this.#node = node;
    this.dispatch = node.dispatch;
    this.autoflush = options.autoflush ?? true;
    this.expireOnCommit = options.expireOnCommit ?? false;
    this.#onWarning = options.onWarning;
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

  /** Every instance that is to be inserted, also what was added too late for the operation that is running. */
  allNew(): Set<InstanceState> {
    const pending = new Set(this.#new);
    for (const state of this.#late.keys()) if (state.key === undefined) pending.add(state);
    return pending;
  }

  /** Every instance that the running operation knows: the persistent ones, then the pending ones. */
  allStates(): InstanceState[] {
    const states = this.identityMap.values().map((instance) => stateOf(instance));
    if (this.#new !== undefined) states.push(...this.#new);
    return this.#late.size === 0 ? states : states.filter((state) => !this.#late.has(state));
  }

  /** Takes an instance in that was just attached. */
  admit(state: InstanceState): void {
    const isLate = this.operations.isBusy && !this.operations.isInside;
    if (isLate) this.#late.set(state, this.#lateCount++);
    else this.admitLate();
    if (state.key !== undefined) this.identityMap.add(state);
    else if (!isLate) this.new.add(state);
  }

  /** Takes an instance out of everything. */
  dismiss(state: InstanceState): void {
    this.#new?.delete(state);
    this.#late.delete(state);
    this.#modified?.delete(state);
    this.#deleted?.delete(state);
    this.identityMap.discard(state);
  }

  /** Takes in what was added late, once no operation is left that was called before. */
  admitLate(): void {
    if (this.#late.size > 0 && !this.operations.isBusy) this.#admitUntil(this.#lateCount);
  }

  #admitUntil(count: number): void {
    for (const [state, number] of this.#late) {
      if (number >= count) break;
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
    if (this.#late.size === 0 || operations.isInside) return operations.run(work, mayCallListeners);
    const count = this.#lateCount;
    return operations.run(work, () => {
      this.#admitUntil(count);
      return mayCallListeners?.() ?? true;
    });
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

  stateModified(state: InstanceState): void {
    if (state.key !== undefined && !state.deleted) this.modified.add(state);
    this.autobegin();
  }

  loadRelated(state: InstanceState, property: RelationshipProperty): Promise<void> {
    return this.#loaders.related(this, state, property);
  }

  /** Loads all columns of an instance that are not in memory. */
  loadColumns(state: InstanceState): Promise<void> {
    return this.#loaders.columns(this, state);
  }

  findByKey(mapper: Mapper, key: unknown): Instance | undefined {
    return this.identityMap.of(mapper).get(key);
  }

  contains(state: InstanceState): boolean {
    return state.owner === this && !state.deleted;
  }

  relationshipChanging(relationship: { readonly label: string }, state: InstanceState): void {
    this.expectNoWriting(`A change of ${relationship.label}`, state);
  }

  cascadeAdd(state: InstanceState): void {
    if (!this.contains(state)) addState(this, state);
  }

  dropPending(state: InstanceState): void {
    if (state.owner === this && state.key === undefined) removeStates(this, [state], false);
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
  loadContext(populateExisting = false, onlyKeys?: readonly string[]): LoadContext {
    return {
      identityMap: this.identityMap,
      owner: this,
      session: this.session,
      loadedAsPersistent: this.dispatch.loadedAsPersistent,
      populateExisting,
      onlyKeys,
    };
  }

  warn(message: string): void {
    if (this.#onWarning !== undefined) this.#onWarning({ message, session: this.session });
    // oxlint-disable-next-line no-console -- where nobody listens, a warning must still be seen
    else console.warn(`athanor: ${message}`);
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

function isEmpty(set: ReadonlySet<unknown> | undefined): boolean {
  return set === undefined || set.size === 0;
}
