import type * as asyncHooks from "node:async_hooks";
import type { MaybePromise } from "../engine/maybe-promise.ts";
import { ConcurrentOperationError } from "./errors.ts";

/** One operation of a session while it runs, and with it everything that is called from inside of it. */
class Operation {
  readonly owner: object;
  /**
   * The operation, of any session, that this one was called from. Work that its listeners have started may go on for ever, and start the next: so that it
   * does not keep all that came before, an operation that has ended leads to one that is running, or nowhere.
   */
  parent: Operation | undefined;
  readonly queue = new Queue();
  isRunning = true;

  constructor(owner: object, parent: Operation | undefined) {
    this.owner = owner;
    this.parent = parent;
  }

  end(): void {
    this.isRunning = false;
    this.parent = runningFrom(this.parent);
  }
}

/** The innermost operation that is running, of this one and those that it was called from. */
function runningFrom(from: Operation | undefined): Operation | undefined {
  let operation = from;
  while (operation !== undefined && !operation.isRunning) operation = operation.parent;
  return operation;
}

/** Lets one thing run at a time, in the order of the calls. */
class Queue {
  /** Settles when the last one that was let in is through. Undefined: nobody is inside. */
  tail: Promise<unknown> | undefined;

  enter<T>(run: () => MaybePromise<T>): MaybePromise<T> {
    return this.tail === undefined ? this.#start(run) : this.#remember(this.tail.then(run, run));
  }

  /** Waits until nobody is inside. */
  async drain(): Promise<void> {
    while (this.tail !== undefined) await this.tail.catch(() => undefined);
  }

  #start<T>(run: () => MaybePromise<T>): MaybePromise<T> {
    const result = run();
    return result instanceof Promise ? this.#remember(result) : result;
  }

  #remember<T>(result: Promise<T>): Promise<T> {
    this.tail = result;
    const forget = (): void => {
      if (this.tail === result) this.tail = undefined;
    };
    result.then(forget, forget);
    return result;
  }
}

type Storage<T> = Pick<asyncHooks.AsyncLocalStorage<T>, "run" | "getStore">;

/** Knows, in every callback and after every await, which operation it was started from. */
const storage: Storage<Operation> | undefined = createStorage();

/** Knows the same of the blocks of `apart`, by the owners of the operations that are called in them. */
const blocks: Storage<readonly object[]> | undefined = createStorage();

function createStorage<T>(): Storage<T> | undefined {
  const platform = (globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } }).process;
  const hooks = platform?.getBuiltinModule?.("node:async_hooks") as typeof asyncHooks | undefined;
  return hooks === undefined ? undefined : new hooks.AsyncLocalStorage<T>();
}

/**
 * Runs the operations of one session one at a time, in the order of their calls, whatever was not awaited.
 *
 * A call from inside an operation, as a listener makes it, is part of that operation and does not wait for it; several such calls
 * take turns among themselves.
 */
export class Operations {
  readonly #owner: object;
  readonly #queue = new Queue();
  /** Where operations cannot be told apart: the one that is running. */
  #only: Operation | undefined;
  /** How many operations were called from outside. */
  called = 0;
  /** How many of those have had their turn, or have it now. */
  started = 0;

  /** How many of those are through. */
  get ended(): number {
    return this.isBusy ? this.started - 1 : this.called;
  }

  /** @param owner the session: what other sessions' operations that are called from inside belong to as well */
  constructor(owner: object) {
    this.#owner = owner;
  }

  /**
   * Runs an operation when its turn comes. The promise settles when it, and everything that was called from inside of it, is through.
   *
   * @param mayCallListeners asked when its turn has come: false where no code of the user's can be called, so that nothing can be called from inside of it
   */
  run<T>(work: () => MaybePromise<T>, mayCallListeners?: () => boolean): Promise<T> {
    if (storage === undefined) return this.#runAlone(work);
    const parent = runningFrom(storage.getStore());
    const enclosing = this.#enclosing(parent);
    const execute = (): MaybePromise<T> => {
      if (enclosing === undefined) this.started++;
      return mayCallListeners?.() === false ? work() : this.#execute(work, new Operation(this.#owner, parent), storage);
    };
    if (enclosing === undefined) this.called++;
    try {
      const result = (enclosing?.queue ?? this.#queue).enter(execute);
      return result instanceof Promise ? result : Promise.resolve(result);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** Does something whose calls are told apart from what others call meanwhile, see {@link isCalledApart}. */
  apart<T>(work: () => T): T {
    return blocks === undefined ? work() : blocks.run([...(blocks.getStore() ?? []), this.#owner], work);
  }

  /** Whether the caller is no part of an operation, but of what {@link apart} does; where that cannot be told, yes. */
  get isCalledApart(): boolean {
    if (blocks === undefined) return this.#only === undefined;
    return !this.isInside && blocks.getStore()?.includes(this.#owner) === true;
  }

  /** Whether an operation is running, whoever called it. */
  get isBusy(): boolean {
    return this.#queue.tail !== undefined || this.#only !== undefined;
  }

  /** Whether the caller is part of an operation of this session that is running. */
  get isInside(): boolean {
    return storage === undefined ? this.#only !== undefined : this.#enclosing(storage.getStore()) !== undefined;
  }

  /** The sessions whose operations the caller is inside of, from the innermost on: they wait for what it waits for. */
  get enclosingOwners(): readonly object[] {
    const owners: object[] = [];
    for (let operation = storage?.getStore(); operation !== undefined; operation = operation.parent) {
      if (operation.isRunning && !owners.includes(operation.owner)) owners.push(operation.owner);
    }
    return owners;
  }

  /**
   * For code inside of an operation that is about to go on: what it answers with waits for the calls that listeners have made from inside and nobody
   * awaits, so that what follows comes after them.
   */
  settler(): () => MaybePromise<void> {
    const queue = storage === undefined ? undefined : this.#enclosing(storage.getStore())?.queue;
    return () => (queue?.tail === undefined ? undefined : queue.drain());
  }

  #enclosing(from: Operation | undefined): Operation | undefined {
    let operation = from;
    while (operation !== undefined && !(operation.isRunning && operation.owner === this.#owner))
      operation = operation.parent;
    return operation;
  }

  #execute<T>(work: () => MaybePromise<T>, operation: Operation, context: Storage<Operation>): MaybePromise<T> {
    let result: MaybePromise<T>;
    try {
      result = context.run(operation, work);
    } catch (error) {
      result = Promise.reject(error as Error);
    }
    if (result instanceof Promise || operation.queue.tail !== undefined) return this.#settle(result, operation);
    operation.end();
    return result;
  }

  /** An operation ends when the calls from inside of it have ended, also those that nobody awaited. */
  async #settle<T>(result: MaybePromise<T>, operation: Operation): Promise<T> {
    try {
      return await result;
    } finally {
      // Asked again after each wait: nothing may come in between the last answer and the end.
      while (operation.queue.tail !== undefined) await operation.queue.drain();
      operation.end();
    }
  }

  async #runAlone<T>(work: () => MaybePromise<T>): Promise<T> {
    if (this.#only !== undefined) {
      throw new ConcurrentOperationError(
        "The session is busy with an earlier operation, and this platform cannot tell whether the call comes from one of its listeners (it has no " +
          "AsyncLocalStorage). Await each operation before the next; in listeners use the event's connection.",
      );
    }
    this.#only = new Operation(this.#owner, undefined);
    this.started = ++this.called;
    try {
      return await work();
    } finally {
      this.#only = undefined;
    }
  }
}
