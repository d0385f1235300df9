import type { Connection } from "../engine/connection.ts";
import type { TransactionOptions } from "../engine/dialect.ts";
import type { Engine } from "../engine/engine.ts";
import { andThen, type MaybePromise } from "../engine/maybe-promise.ts";
import type { FirstOf, Result, ScalarResult } from "../engine/result.ts";
import { InvalidRequestError } from "../event/errors.ts";
import { EventNode, eventTarget } from "../event/event-node.ts";
import { expectState, type Instance, stateOf } from "../instance/instance.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import type { IdentityMap } from "../loading/identity-map.ts";
import { mapperOf } from "../mapping/configure-mappers.ts";
import type { AnyModel, PropertiesOf } from "../mapping/model-types.ts";
import type { BulkStatement } from "../sql/bulk-statement.ts";
import type { Insert, InsertValues } from "../sql/insert.ts";
import type { ExecutionOptions } from "../sql/execution-options.ts";
import { FromStatement } from "../sql/from-statement.ts";
import { Select } from "../sql/select.ts";
import type { Update } from "../sql/update.ts";
import { addState, deleteState, expectOwned, expireRelated, expungeState, removeAll } from "./attachment.ts";
import { execute, type ExecutionParameters } from "./execute.ts";
import { flushSession } from "./flush-session.ts";
import { getInstance, type KeyOf } from "./get.ts";
import type { Statement } from "./orm-execute-state.ts";
import { loadColumns, unloadedColumns } from "./load-columns.ts";
import { loadRelated, loadReplaced } from "./load-related.ts";
import { reachedBy } from "../unit-of-work/cascades.ts";
import { mergeInstance, type MergeOptions } from "./merge.ts";
import { populatesExisting } from "./populates-existing.ts";
import { refreshInstance } from "./refresh.ts";
import { ResultStream } from "./result-stream.ts";
import { criteriaOfListeners } from "./strict-criteria.ts";
import { type SessionEvents, sessionEvents } from "./session-events.ts";
import { expectSessionOptions, type SessionOptions } from "./session-options.ts";
import { type Loaders, SessionState } from "./session-state.ts";
import { SessionTransaction } from "./session-transaction.ts";
import { Stream } from "./stream.ts";

const loaders: Loaders = {
  columns: (core, state, wanted) => loadColumns(core, state, unloadedColumns(state, wanted), {}, undefined, "all"),
  related: loadRelated,
  criteria: criteriaOfListeners,
  replaced: loadReplaced,
};

/** What the rows of a statement are: `[User]` of select(User), objects by column name of raw SQL. */
export type RowOf<TStatement> =
  TStatement extends Select<infer R, any, infer K>
    ? K extends "columns"
      ? R
      : readonly [R]
    : TStatement extends FromStatement<infer R>
      ? readonly [R]
      : TStatement extends BulkStatement<any, any, infer R>
        ? R
        : TStatement extends { readonly expressionType?: infer R }
          ? NonNullable<R>
          : never;

/** What a stream of a statement consists of: `User` of select(User), rows of others. */
export type StreamedOf<TStatement> =
  TStatement extends Select<infer R, any, any> ? R : TStatement extends FromStatement<infer R> ? R : RowOf<TStatement>;

/** What accompanies a statement: the rows of an INSERT, one or a list, or of an UPDATE by keys, a list; of others the values of their `bindparam`s by name. */
export type ParametersOf<TStatement> =
  TStatement extends Insert<infer M, any>
    ? InsertValues<M> | readonly InsertValues<M>[]
    : TStatement extends Update<infer M, any>
      ? // The first is a part of the second, and has the compiler speak of the rows where one of them is wrong.
        InsertValues<M>[] | readonly InsertValues<M>[] | Readonly<Record<string, unknown>>
      : Readonly<Record<string, unknown>>;

/** What a statement is given with its execution. */
export interface ExecuteOptions {
  readonly executionOptions?: ExecutionOptions;
}

/**
 * The work on a database as one conversation: the instances that it knows, what is to be written of them, and the transaction.
 *
 * A sessionmaker makes it. Its operations run one at a time, in the order of the calls, whether or not each was awaited. It belongs to one request
 * or job; close it, or declare it with `await using`. SQLAlchemy: Session Basics, Session API.
 *
 * @example
 * await using session = SessionLocal();
 * session.add(new User({ email: "a@x" }));
 * await session.commit();
 */
export class Session implements AsyncDisposable {
  static readonly #everywhere: EventNode<keyof SessionEvents> = new EventNode(sessionEvents, "Session", { level: 0 });
  readonly #core: SessionState;
  readonly #parentNode: EventNode<keyof SessionEvents>;
  #node: EventNode<keyof SessionEvents> | undefined;
  /** Anything that listeners should find: the user who asks, the tenant. */
  readonly info: Record<string, unknown>;

  /** For sessions of all sessionmakers: `listen(Session, "beforeFlush", …)`. */
  static get [eventTarget](): EventNode {
    return Session.#everywhere;
  }

  constructor(
    engine: Engine,
    options: SessionOptions = {},
    node: EventNode<keyof SessionEvents> = Session.#everywhere,
  ) {
    // A sessionmaker has looked at its options, once for all of its sessions.
    if (node === Session.#everywhere) expectSessionOptions(options);
    this.#parentNode = node;
    this.info = { ...options.info };
    this.#core = new SessionState(this, engine, node, options, loaders);
  }

  /** For this session alone: `listen(session, "afterCommit", …)`. */
  get [eventTarget](): EventNode {
    if (this.#node === undefined) {
      this.#node = new EventNode(sessionEvents, "this session", { parents: [this.#parentNode], level: 1 });
      this.#core.node = this.#node;
    }
    return this.#node;
  }

  /** The engine that it works on. */
  get engine(): Engine {
    return this.#core.engine;
  }

  /** The instances that were added and not flushed yet. A snapshot: adding while iterating is safe. */
  get new(): ReadonlySet<Instance> {
    return instancesOf(this.#core.allNew());
  }

  /** The persistent instances that something was set on, whether or not it differs. A snapshot. */
  get dirty(): ReadonlySet<Instance> {
    return instancesOf(this.#core.dirtyStates());
  }

  /** The instances that the next flush deletes. A snapshot. */
  get deleted(): ReadonlySet<Instance> {
    const { deleted, cascading, operations } = this.#core;
    // What delete() has marked is told at once, except to what runs while it is still finding out what goes along.
    return instancesOf(cascading.size === 0 || operations.isInside ? deleted : new Set([...deleted, ...cascading]));
  }

  /** The persistent instances of this session, one for each row. */
  get identityMap(): Pick<IdentityMap, "has" | "size" | "values" | typeof Symbol.iterator> {
    return this.#core.identityMap;
  }

  /** Whether statements can be run: false between a failed flush and `rollback`, and while a commit or rollback is under way. */
  get isActive(): boolean {
    return this.#core.transaction?.isActive ?? true;
  }

  /** The transaction in force: a savepoint, or the root. */
  get currentTransaction(): SessionTransaction | undefined {
    this.#core.admitLate();
    return this.#core.transaction;
  }

  /** Whether a transaction was begun, by itself or by `begin`. */
  inTransaction(): boolean {
    this.#core.admitLate();
    return this.#core.transaction !== undefined;
  }

  /** Whether the instance belongs to this session. */
  has(instance: Instance): boolean {
    return this.#core.contains(expectState(instance));
  }

  /** Iterates over all instances: the new ones, then the persistent ones. */
  *[Symbol.iterator](): Generator<Instance> {
    yield* this.new;
    yield* this.#core.identityMap.values();
  }

  /**
   * Adds an instance: a new one is inserted by the next flush, a detached one belongs to the session again.
   *
   * @throws UnmappedInstanceError for anything that is no instance of a model, InvalidRequestError for an instance of another session.
   */
  add(instance: Instance): void {
    addState(this.#core, expectState(instance));
  }

  /** Adds several instances. */
  addAll(instances: Iterable<Instance>): void {
    const states = [...instances].map(expectState);
    for (const state of states) addState(this.#core, state);
  }

  /**
   * Marks an instance for deletion, at once; the next flush deletes its row.
   *
   * @throws InvalidRequestError for an instance that was never saved.
   */
  delete(instance: Instance): Promise<void> {
    const core = this.#core;
    return core.run(
      () => deleteState(core, expectState(instance)),
      () => core.mayCallListeners(),
    );
  }

  /**
   * Takes an instance out of the session. The database is not touched, and pending changes are not written. While operations that were called before are
   * running, it waits for them; so do the other ways to take out and to expire.
   */
  expunge(instance: Instance): void {
    const core = this.#core;
    const state = expectState(instance);
    expectOwned(core, state);
    core.takeTurn("session.expunge()", [], () => expungeState(core, state));
  }

  /** Takes all instances out of the session. */
  expungeAll(): void {
    const core = this.#core;
    core.takeTurn("session.expungeAll()", [], () => {
      removeAll(core);
    });
  }

  /** Drops the values of an instance, all or the named ones, so that they are loaded anew. Pending changes to them are lost. */
  expire(instance: Instance, keys?: readonly string[]): void {
    const core = this.#core;
    const state = expectState(instance);
    // Where it has to wait, it may be persistent by then.
    if (state.owner !== core || !core.isBehind) this.#expectPersistent(instance, "expired");
    const attributes = keys?.map((key) => state.instrumentation.expect(key));
    const reached = (): readonly InstanceState[] =>
      attributes === undefined ? reachedBy("refresh-expire", state) : [];
    core.takeTurn("session.expire()", [state, ...reached()], () => {
      this.#expectPersistent(instance, "expired");
      const along = reached();
      core.drop(state, "expire()", attributes);
      for (const related of along) expireRelated(core, related, "expire()");
    });
  }

  /** Drops the values of all instances. */
  expireAll(): void {
    const core = this.#core;
    core.takeTurn("session.expireAll()", "all", () => {
      for (const instance of core.identityMap.reachable()) core.drop(stateOf(instance), "expireAll()");
    });
  }

  /**
   * Loads the instance anew, all of it or the named attributes; pending changes to them are lost.
   *
   * @throws InvalidRequestError where the instance is not persistent in this session, or its row is gone, or hidden from a strict session.
   */
  async refresh(instance: Instance, keys?: readonly string[]): Promise<void> {
    const core = this.#core;
    await core.runDropping("session.refresh()", [expectState(instance)], () =>
      refreshInstance(core, this.#expectPersistent(instance, "refreshed"), keys),
    );
  }

  /** Writes all pending changes, inside the transaction. Commit does it by itself. */
  flush(): Promise<void> {
    return this.#run(() => flushSession(this.#core));
  }

  /**
   * Flushes, and commits the transaction; inside a savepoint, all of them and the root.
   *
   * @throws AfterCommitError where the data is committed and a listener of afterCommit threw. Do not repeat the work.
   */
  commit(): Promise<void> {
    const core = this.#core;
    const commit = (): Promise<void> => {
      const transaction = core.autobegin();
      transaction.expectNotEnding("commit()", true);
      return transaction.commitWithin(true);
    };
    return core.expireOnCommit ? core.runDropping("session.commit()", "all", commit) : core.run(commit);
  }

  /** Rolls everything back, to the root: instances are again as the database has them, new ones are transient. */
  rollback(): Promise<void> {
    return this.#core.runDropping("session.rollback()", "all", () => {
      const { transaction } = this.#core;
      transaction?.expectNotEnding("rollback()", true);
      return transaction?.rollbackWithin({ toRoot: true });
    });
  }

  /**
   * Begins a transaction explicitly, to give it an isolation level, or to make it read-only. Without it one begins by itself.
   *
   * @throws InvalidRequestError inside a transaction.
   */
  begin(options?: TransactionOptions): Promise<SessionTransaction> {
    return this.#run(() => {
      if (this.#core.transaction !== undefined) {
        throw new InvalidRequestError(
          "A transaction is begun already on this session; adding, changing or reading anything does so. Call begin() first, or beginNested() for a savepoint.",
        );
      }
      return new SessionTransaction(this.#core, undefined, "begin", options);
    });
  }

  /**
   * Opens a savepoint: what follows can be rolled back alone. Pending changes are flushed before.
   *
   * @example
   * await using savepoint = await session.beginNested();
   * session.add(risky);
   * await savepoint.commit();
   */
  beginNested(): Promise<SessionTransaction> {
    return this.#run(async () => {
      const parent = this.#core.autobegin("begin");
      parent.expectActive();
      if (!this.#core.isFlushing) await flushSession(this.#core);
      return (this.#core.transaction ?? parent).open("beginNested");
    });
  }

  /**
   * The instance with that primary key: the one that the session has, or else from the database; null where there is no such row, or `withLoaderCriteria` hides it; what
   * the session has is hidden from a strict one only. A key of several columns is an array in the order of the columns, or an object by attribute.
   */
  get<TModel extends AnyModel, TProperties = PropertiesOf<TModel>>(
    model: TModel & { readonly "~properties": TProperties },
    key: KeyOf<TProperties>,
    options?: ExecuteOptions,
  ): Promise<InstanceType<TModel> | null> {
    const core = this.#core;
    const get = (): MaybePromise<Instance | null> => getInstance(core, mapperOf(model), key, options?.executionOptions);
    return (
      options?.executionOptions?.populateExisting === true
        ? core.runDropping("session.get()", "all", get)
        : core.run<Instance | null>(get, () => core.mayCallListeners(mapperOf(model)))
    ) as Promise<InstanceType<TModel> | null>;
  }

  /**
   * Copies the state of an instance onto the session's own instance of the same row, and answers with that one; the given instance is left as it is.
   * The row is loaded where the session does not have it, and a new instance is added where there is none. What relationships with the cascade "merge"
   * lead to is merged along. Attributes that are not set on the given instance are not touched, nor are transient ones: only what is stored is copied.
   *
   * SQLAlchemy: State Management, Merging.
   *
   * @throws StaleDataError where the given instance has another version than the row; InvalidRequestError where it is of another class than the row, where the row is
   * hidden from a strict session, or with `load: false` where it has no row, or changes.
   * @example
   * const user = await session.merge(new User({ id: 7, email: "new@x" }));
   */
  merge<TInstance extends Instance>(instance: TInstance, options?: MergeOptions): Promise<TInstance> {
    const core = this.#core;
    return core.runDropping("session.merge()", [], () =>
      mergeInstance(core, expectState(instance), options),
    ) as Promise<TInstance>;
  }

  /**
   * Executes a statement and answers with its rows, or with how many it has written. Raw SQL is sent as it is, and listeners of `doOrmExecute` cannot add
   * `withLoaderCriteria` to it: it sees and changes hidden rows.
   */
  execute<TStatement extends Statement>(
    statement: TStatement,
    parameters?: ParametersOf<TStatement>,
    options?: ExecuteOptions,
  ): Promise<Result<RowOf<TStatement>>> {
    const core = this.#core;
    const executionOptions = options?.executionOptions ?? {};
    const run = (): Promise<Result<unknown>> =>
      execute(core, { statement, parameters: parameters as ExecutionParameters, options: executionOptions });
    return (
      populatesExisting(statement, executionOptions) ? core.runDropping("session.execute()", "all", run) : core.run(run)
    ) as Promise<Result<RowOf<TStatement>>>;
  }

  /** Executes a statement and answers with the first value of each row: of select(User), the users. */
  async scalars<TStatement extends Statement>(
    statement: TStatement,
    parameters?: ParametersOf<TStatement>,
    options?: ExecuteOptions,
  ): Promise<ScalarResult<FirstOf<RowOf<TStatement>>>> {
    return (await this.execute(statement, parameters, options)).scalars();
  }

  /** Executes a statement and answers with the first value of the first row, or null. */
  async scalar<TStatement extends Statement>(
    statement: TStatement,
    parameters?: ParametersOf<TStatement>,
    options?: ExecuteOptions,
  ): Promise<FirstOf<RowOf<TStatement>> | null> {
    return (await this.execute(statement, parameters, options)).scalar();
  }

  /**
   * Executes a statement whose rows are fetched while a loop goes over them, so that memory holds no more than a portion of them. Instances come one by one, and so do
   * rows of columns or of raw SQL; see {@link ResultStream} for other ways.
   *
   * The execution option `yieldPer` says how many rows a portion has: 1000 unless it is given. What options load along, as `selectinLoad`, is loaded for a portion
   * at a time. When the next portion is asked for, the session holds the instances that came with the one before, and what the loop has loaded, only weakly: what
   * your program keeps stays the instance of its row, and changes to it are saved, whenever they are made; the rest is collected.
   *
   * The session can be used in the loop: it reads, flushes, and opens savepoints. Committing or rolling back ends the stream with an error. Rows that the
   * loop itself writes are not found on PostgreSQL, and may be found on SQLite.
   *
   * SQLAlchemy: ORM Querying Guide, Fetching Large Result Sets with Yield Per; `AsyncSession.stream`.
   *
   * @throws ArgumentError for a statement that writes; InvalidRequestError where its transaction ends before it does, for joinedLoad() of a collection and for
   * subqueryLoad(), and where it is read twice.
   * @example
   * for await (const user of session.stream(select(User).options(selectinLoad(User, "posts")))) await send(user);
   */
  stream<TStatement extends Exclude<Statement, BulkStatement<any, any, any>>>(
    statement: TStatement,
    parameters?: ParametersOf<TStatement>,
    options?: ExecuteOptions,
  ): ResultStream<StreamedOf<TStatement>, RowOf<TStatement>> {
    const execution = {
      statement,
      parameters: parameters as ExecutionParameters,
      options: options?.executionOptions ?? {},
    };
    const isOfInstances =
      statement instanceof FromStatement || (statement instanceof Select && statement.parts.selected === undefined);
    return new ResultStream(
      new Stream(this.#core, execution),
      (row) => (isOfInstances ? (row as readonly unknown[])[0] : row) as StreamedOf<TStatement>,
    );
  }

  /** The connection that the transaction runs on, for statements beside the instances. */
  connection(): Promise<Connection> {
    return this.#run(() => this.#core.autobegin().connect());
  }

  /** Does something without flushing before each statement; what was called before flushes all the same. SQLAlchemy: `Session.no_autoflush`. */
  noAutoflush<T>(work: () => Promise<T> | T): Promise<T> {
    return this.#core.withoutAutoflush(work);
  }

  /** Whether a flush would write something for the instance: a value that really differs. */
  isModified(instance: Instance): boolean {
    const state = expectState(instance);
    return state.instrumentation.attributes.some(
      (attribute) => !attribute.isTransient && attribute.history(state).hasChanges(),
    );
  }

  /** Lets go of all instances and ends the transaction: what was not committed is rolled back. The session can be used again. */
  close(): Promise<void> {
    const core = this.#core;
    return core.run(
      () => this.#close(),
      // Where instances are let go of, listeners of theirs are called only through the session's.
      () => core.mayCallListeners(),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #close(): MaybePromise<void> {
    const core = this.#core;
    const { transaction } = core;
    transaction?.expectNotEnding("close()", true);
    try {
      removeAll(core);
    } catch (error) {
      return andThen(transaction?.abandon(), () => Promise.reject(error as Error));
    }
    return transaction?.abandon();
  }

  #run<T>(work: () => Promise<T> | T): Promise<T> {
    return this.#core.run(work);
  }

  #expectPersistent(instance: Instance, what: string): InstanceState {
    const state = expectState(instance);
    if (state.key !== undefined && this.#core.contains(state)) return state;
    let reason = `it is ${state.lifecycle} and not persistent in this session`;
    if (state.lifecycle === "persistent")
      reason =
        state.owner === this.#core ? "the session has another instance for the same row" : "it is in another session";
    throw new InvalidRequestError(`${state.describe()} cannot be ${what}, because ${reason}.`);
  }
}

function instancesOf(states: Iterable<InstanceState>): ReadonlySet<Instance> {
  const instances = new Set<Instance>();
  for (const { instance } of states) instances.add(instance);
  return instances;
}
