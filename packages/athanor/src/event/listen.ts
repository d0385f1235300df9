import { didYouMean } from "./closest-name.ts";
import { asyncListenerError } from "./dispatch.ts";
import { ArgumentError, InvalidRequestError } from "./errors.ts";
import { EventNode, eventTarget } from "./event-node.ts";
import type { EventsOf } from "./events-of.ts";
import type { Listener, ListenOptions, Registration } from "./registration.ts";

/**
 * Ends a listener: by `remove()`, or by itself at the end of a block with `using`. Ending it twice is harmless, and so is ending it after the target
 * is gone: a listening does not keep its target alive.
 */
export interface Listening extends Disposable {
  remove(): void;
}

/**
 * Calls a listener whenever an event happens to a target.
 *
 * ```ts
 * listen(User, "beforeInsert", async ({ target, connection }) => { … });
 * listen(attributes(User).email, "set", ({ value }) => value.trim().toLowerCase(), { retval: true });
 * listen(SessionLocal, "beforeFlush", ({ session }) => { … });
 * ```
 *
 * Listeners run in the order in which they were added, after the library's own; `insert: true` puts one before all of them. What is registered for a
 * class holds for its subclasses, unless `propagate: false` says otherwise. The same listener of the same event of the same target is registered once.
 * A listener may add and remove listeners: that takes effect with the next event.
 *
 * Throws `InvalidRequestError` for a target that cannot be listened to or does not have this event, `AsyncListenerError` for an async function where
 * the event is synchronous, and `ArgumentError` for a listener that is not a function or an option that does not exist.
 *
 * SQLAlchemy: Core Events / ORM Events, `event.listen`.
 */
export function listen<
  TTarget,
  TName extends keyof EventsOf<TTarget, TRetval> & string,
  const TRetval extends boolean = false,
>(
  target: TTarget,
  name: TName,
  listener: EventsOf<TTarget, TRetval>[TName],
  options?: ListenOptions<TRetval>,
): Listening {
  const node = expectNode(target);
  node.expectEvent(name);
  expectListener(node, name, listener);
  if (options !== undefined) expectOptions(node, options);
  return new RegisteredListening(options?.signal?.aborted === true ? undefined : node.listen(name, listener, options));
}

/**
 * Ends a listener, for the target given to `listen` and everything that inherits from it.
 *
 * ```ts
 * listen(User, "afterInsert", audit);
 * remove(User, "afterInsert", audit);
 * ```
 *
 * Throws `InvalidRequestError` if the listener was not registered, or on another target: what a subclass inherits is removed from its superclass.
 *
 * SQLAlchemy: Core Events, `event.remove`.
 */
export function remove<TTarget, TName extends keyof EventsOf<TTarget, boolean> & string>(
  target: TTarget,
  name: TName,
  listener: EventsOf<TTarget, boolean>[TName],
): void {
  const node = expectNode(target);
  node.expectEvent(name);
  expectFunction(name, listener);
  if (node.remove(name, listener)) return;
  const who = listener.name === "" ? "This listener" : `"${listener.name}"`;
  const inherited = node.dispatch[name]?.find((registration) => registration.listener === listener);
  throw new InvalidRequestError(
    inherited === undefined
      ? `${who} is not a listener of "${name}" of ${node.description}: it was removed already, or never added. A listener is removed by the target, the name ` +
          `and the very function that listen() was given; two functions with the same text are not the same.`
      : `${who} was not registered on ${node.description}, but on ${inherited.node.description}, and is only inherited here. Remove it there, ` +
          `or register it with propagate: false.`,
  );
}

/**
 * Whether a listener was registered for this event of this very target, and not removed since. A `once` listener is still there after its call.
 *
 * ```ts
 * if (!contains(User, "afterInsert", audit)) listen(User, "afterInsert", audit);
 * ```
 *
 * Throws `InvalidRequestError` for a target that cannot be listened to or does not have this event.
 *
 * SQLAlchemy: Core Events, `event.contains`.
 */
export function contains<TTarget, TName extends keyof EventsOf<TTarget, boolean> & string>(
  target: TTarget,
  name: TName,
  listener: EventsOf<TTarget, boolean>[TName],
): boolean {
  const node = expectNode(target);
  node.expectEvent(name);
  expectFunction(name, listener);
  return node.has(name, listener);
}

/**
 * Registers the function it is called with and returns it unchanged, so that a listener can be defined and registered in one go. It also decorates
 * static methods, where decorators are available.
 *
 * ```ts
 * export const audit = listensFor(User, "afterInsert")(({ target }) => { … });
 *
 * class Audit {
 *   @listensFor(User, "afterInsert")
 *   static inserted({ target }: { target: User }) { … }
 * }
 * ```
 *
 * Throws what `listen` throws, when it is called with the function.
 *
 * SQLAlchemy: Core Events, `event.listens_for`.
 */
export function listensFor<
  TTarget,
  TName extends keyof EventsOf<TTarget, TRetval> & string,
  const TRetval extends boolean = false,
>(
  target: TTarget,
  name: TName,
  options?: ListenOptions<TRetval>,
): <TListener extends EventsOf<TTarget, TRetval>[TName]>(listener: TListener, context?: unknown) => TListener {
  return (listener, context) => {
    expectStaticMethod(context);
    listen(target, name, listener, options);
    return listener;
  };
}

class RegisteredListening implements Listening {
  readonly #registration: WeakRef<Registration> | undefined;

  constructor(registration: Registration | undefined) {
    this.#registration = registration && new WeakRef(registration);
  }

  remove(): void {
    this.#registration?.deref()?.remove();
  }

  [Symbol.dispose](): void {
    this.remove();
  }
}

function expectNode(target: unknown): EventNode {
  const node =
    target === undefined || target === null ? undefined : (target as { readonly [eventTarget]?: unknown })[eventTarget];
  if (node instanceof EventNode) return node;
  throw new InvalidRequestError(
    `${describeValue(target)} cannot be listened to. What can: a model class, or Model for all of them; an attribute, as in attributes(User).email; a mixin; ` +
      `a sessionmaker, the class Session, or one session; Mapper; an engine.` +
      (target === undefined
        ? " If two files import each other, the class may not be defined yet where listen() is called."
        : ""),
  );
}

function describeValue(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (typeof value === "function")
    return value.name === "" ? "An unnamed function or class" : `The function or class ${value.name}`;
  if (typeof value !== "object") return `A ${typeof value}`;
  if (Array.isArray(value)) return "An array (listen to each of its elements)";
  const name: unknown = (Object.getPrototypeOf(value) as { constructor?: { name?: unknown } } | null)?.constructor
    ?.name;
  return typeof name !== "string" || name === "" || name === "Object" ? "A plain object" : `An instance of ${name}`;
}

function expectFunction(name: string, listener: unknown): asserts listener is Listener {
  if (typeof listener === "function") return;
  throw new ArgumentError(
    `The listener of "${name}" is not a function, but ${listener === null ? "null" : `of type ${typeof listener}`}. Pass the function itself, without calling it.`,
  );
}

function expectListener(node: EventNode, name: string, listener: unknown): asserts listener is Listener {
  expectFunction(name, listener);
  // The tag rather than the constructor: it is the same in every realm.
  const kind = Object.prototype.toString.call(listener).slice("[object ".length, -1);
  if (kind.startsWith("Async") && node.family.events[name] === "sync")
    throw asyncListenerError(node, name, listener, "is an async function");
  if (kind.endsWith("GeneratorFunction")) {
    throw new ArgumentError(
      `The listener of "${name}" is a generator function: calling it runs none of its code. Write it without the asterisk, or wrap it in a function.`,
    );
  }
}

const GENERAL_OPTIONS = ["propagate", "once", "insert", "retval"] as const;

function expectOptions(node: EventNode, options: unknown): asserts options is ListenOptions {
  if (typeof options !== "object" || options === null) {
    throw new ArgumentError(
      `The options of a listener are an object, such as { once: true }, not ${options === null ? "null" : `of type ${typeof options}`}.`,
    );
  }
  const known: readonly string[] = [...GENERAL_OPTIONS, "signal", ...(node.family.modifiers ?? [])];
  for (const [option, value] of Object.entries(options)) {
    if (!known.includes(option)) {
      throw new ArgumentError(
        `"${option}" is not an option of listeners of ${node.description}.${didYouMean(option, known)} The options are ${known.join(", ")}.`,
      );
    }
    if (value === undefined) continue;
    if (option === "signal" ? !isAbortSignal(value) : typeof value !== "boolean") {
      throw new ArgumentError(
        `The option "${option}" of a listener is ${option === "signal" ? "an AbortSignal (of an AbortController, its signal)" : "true or false"}, not ` +
          `${value === null ? "null" : `of type ${typeof value}`}.`,
      );
    }
  }
}

function isAbortSignal(value: unknown): boolean {
  return typeof value === "object" && value !== null && "aborted" in value && "addEventListener" in value;
}

function expectStaticMethod(context: unknown): void {
  if (typeof context === "string" || typeof context === "symbol") {
    throw new ArgumentError(
      `listensFor() is a standard decorator, but "${String(context)}" was decorated in the old manner. Turn experimentalDecorators off, or call listen().`,
    );
  }
  if (typeof context !== "object" || context === null) return;
  const { kind, static: isStatic, name } = context as { kind?: unknown; static?: unknown; name?: unknown };
  if (kind !== undefined && (kind !== "method" || isStatic !== true)) {
    throw new ArgumentError(
      `listensFor() decorates static methods only: "${String(name)}" would be called without its instance.`,
    );
  }
}
