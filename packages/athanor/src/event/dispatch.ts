import { AsyncListenerError } from "./errors.ts";
import { byOrder, type Registration } from "./registration.ts";

/**
 * Calls the listeners of a synchronous event in order. The first error ends the dispatch and goes to whoever caused the event; so does
 * {@link AsyncListenerError} for a listener that returned a promise.
 */
export function emit<TEvent extends object>(listeners: readonly Registration[] | undefined, event: TEvent): void {
  if (listeners === undefined) return;
  for (let index = 0; index < listeners.length; index++) {
    const registration = listeners[index]!;
    if (registration.once && !registration.claim()) continue;
    // Taken out of the registration first: a listener has no `this`.
    const { listener } = registration;
    const result = listener(event);
    if (isThenable(result)) refusePromise(registration, result);
  }
}

/**
 * Calls the listeners of a synchronous event whose value they may replace: the result of one that was registered with `retval: true` becomes
 * `event.value`, which the next one sees; `undefined` keeps it. Answers with the final value.
 */
export function emitReplacing<TEvent extends { value: unknown }>(
  listeners: readonly Registration[] | undefined,
  event: TEvent,
): TEvent["value"] {
  if (listeners === undefined) return event.value;
  for (let index = 0; index < listeners.length; index++) {
    const registration = listeners[index]!;
    if (registration.once && !registration.claim()) continue;
    const { listener } = registration;
    const result = listener(event);
    if (isThenable(result)) refusePromise(registration, result);
    if (registration.retval && result !== undefined) event.value = result;
  }
  return event.value;
}

/**
 * Calls the listeners of an awaited event one after another, each when the one before has finished. The first error or rejection ends the dispatch.
 *
 * Answers with a promise only if a listener returned one: otherwise all of them have run, and an error was thrown, when it returns.
 */
export function emitAndWait<TEvent extends object>(
  listeners: readonly Registration[] | undefined,
  event: TEvent,
): void | Promise<void> {
  if (listeners === undefined) return;
  for (let index = 0; index < listeners.length; index++) {
    const result = callAwaited(listeners[index]!, event);
    if (isThenable(result)) return waitForRest(result, listeners, index + 1, event);
  }
}

async function waitForRest(
  pending: PromiseLike<unknown>,
  listeners: readonly Registration[],
  next: number,
  event: object,
): Promise<void> {
  await pending;
  for (let index = next; index < listeners.length; index++) {
    const result = callAwaited(listeners[index]!, event);
    if (isThenable(result)) await result;
  }
}

/**
 * Calls the listeners of an awaited event one after another until one has a result, or a promise of one, and answers with that; with undefined
 * if none has. Like {@link emitAndWait}, it answers with a promise only if a listener returned one.
 *
 * @param after starts behind this registration, also if it has left the list since: for a listener that runs the rest of the chain itself
 * @param onCall told of each registration before its listener is called, so that `after` can be known
 * @param isResult what counts as a result; anything truthy, if it is not given
 */
export function emitUntilResult<TEvent extends object>(
  listeners: readonly Registration[] | undefined,
  event: TEvent,
  after?: Registration,
  onCall?: (registration: Registration) => void,
  isResult: (result: unknown) => boolean = Boolean,
): unknown {
  if (listeners === undefined) return undefined;
  const first = after === undefined ? 0 : listeners.findIndex((registration) => byOrder(registration, after) > 0);
  if (first === -1) return undefined;
  for (let index = first; index < listeners.length; index++) {
    const result = callAwaited(listeners[index]!, event, onCall);
    if (isThenable(result)) return waitForResult(result, listeners, index + 1, event, onCall, isResult);
    if (isResult(result)) return result;
  }
  return undefined;
}

async function waitForResult(
  pending: PromiseLike<unknown>,
  listeners: readonly Registration[],
  next: number,
  event: object,
  onCall: ((registration: Registration) => void) | undefined,
  isResult: (result: unknown) => boolean,
): Promise<unknown> {
  let result = await pending;
  for (let index = next; !isResult(result) && index < listeners.length; index++) {
    result = callAwaited(listeners[index]!, event, onCall);
    if (isThenable(result)) result = await result;
  }
  return isResult(result) ? result : undefined;
}

function callAwaited(
  registration: Registration,
  event: object,
  onCall?: (registration: Registration) => void,
): unknown {
  if (registration.once && !registration.claim()) return undefined;
  onCall?.(registration);
  const { listener } = registration;
  return listener(event);
}

function isThenable(result: unknown): result is PromiseLike<unknown> {
  return typeof result === "object" && result !== null && typeof (result as { then?: unknown }).then === "function";
}

function refusePromise(registration: Registration, promise: PromiseLike<unknown>): never {
  // The error below says what is wrong; a rejection besides would end the process. Other thenables are left alone: theirs may be lazy queries,
  // which `then` would start.
  if (promise instanceof Promise) promise.catch(() => {});
  throw asyncListenerError(registration.node, registration.name, registration.listener, "returned a promise");
}

/** The error for a listener of a synchronous event that `is` an async function, or did what one does. */
export function asyncListenerError(
  node: Registration["node"],
  name: string,
  listener: Registration["listener"],
  is: string,
): AsyncListenerError {
  const who = listener.name === "" ? "An unnamed listener" : `The listener "${listener.name}"`;
  const awaited = Object.keys(node.family.events).filter((other) => node.family.events[other] === "awaited");
  const elsewhere =
    awaited.length === 0
      ? `an event that is awaited, such as "beforeFlush" of a session`
      : `an event that is awaited: ${awaited.join(", ")}`;
  return new AsyncListenerError(
    `${who} of "${name}" of ${node.description} ${is}, but "${name}" is a synchronous event: nothing can wait for its listeners. ` +
      `Do the work without await, or in ${elsewhere}.`,
  );
}
