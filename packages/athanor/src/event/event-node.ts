import { didYouMean } from "./closest-name.ts";
import { InvalidRequestError } from "./errors.ts";
import { byOrder, type Listener, type ListenOptions, Registration } from "./registration.ts";
import { WeakList } from "./weak-list.ts";

export type { Listener, ListenOptions, Registration } from "./registration.ts";

/** Which events a kind of target has, and whether each one's listeners may be awaited. */
export interface EventFamily<TName extends string = string> {
  /** The kind of target, as in "attribute" or "session". */
  readonly name: string;
  readonly events: Readonly<Record<TName, "sync" | "awaited">>;
  /** Options that its events accept beside `propagate`, `once`, `insert`, `retval` and `signal`. */
  readonly modifiers?: readonly (keyof ListenOptions)[];
}

/** The listeners to call, in order, by event name; undefined where nobody listens. */
export type Dispatch<TName extends string = string> = Readonly<Record<TName, readonly Registration[] | undefined>>;

/** Whatever can be listened to answers with its node under this key: `target[eventTarget]`. On a class it may be an inherited static getter. */
export const eventTarget: unique symbol = Symbol("athanor.eventTarget");

type MutableDispatch = Record<string, readonly Registration[] | undefined>;

/**
 * Holds the listeners of one target, together with those it inherits from its parents (a class from its superclass and its mixins, a session from its
 * sessionmaker), in the order in which they are to be called.
 *
 * Work is done when listeners or parents are added, so that an event which nobody listens to costs one property read:
 *
 * ```ts
 * const listeners = node.dispatch.beforeInsert;
 * if (listeners !== undefined) emit(listeners, new RowEvent(target));
 * ```
 *
 * A node is held by its target and by its children; it holds its children weakly, so that a collected target takes its listeners with it.
 */
export class EventNode<TName extends string = string> {
  readonly family: EventFamily<TName>;
  /** Listeners of a lower level run first: 0 for what concerns all of a kind, 1 for one of them. */
  readonly level: number;
  /**
   * The same object with the same property names for the whole life of the node. Its lists are snapshots: whoever is iterating one is never disturbed,
   * and a change takes effect with the next event.
   */
  readonly dispatch: Dispatch<TName>;
  readonly #describe: string | (() => string);
  readonly #parents: EventNode[];
  #children: WeakList<EventNode> | undefined;
  /** What was registered here, by event and listener, with the `once` listeners that have fired. */
  #own: Map<string, Map<Listener, Registration>> | undefined;
  #heardEvents = 0;
  /** False as soon as a listener of this very node was not to be propagated. */
  #passesOnAll = true;
  #onRegistration: ((name: string, registration: Registration) => void) | undefined;

  /** @param describe what users call the target, for messages: "User.email", "this session" */
  constructor(
    family: EventFamily<TName>,
    describe: string | (() => string),
    options?: { readonly parents?: readonly EventNode[]; readonly level?: number },
  ) {
    this.family = family;
    this.level = options?.level ?? 0;
    this.#describe = describe;
    const parents = options?.parents ?? [];
    const onlyParent = parents.length === 1 ? parents[0] : undefined;
    // The usual case, thousands of sessions of one sessionmaker: what the parent has is what the child inherits.
    if (onlyParent !== undefined && onlyParent.#passesOnAll && onlyParent.family === family) {
      this.#parents = [onlyParent];
      this.dispatch = { ...onlyParent.dispatch } as Dispatch<TName>;
      this.#heardEvents = onlyParent.#heardEvents;
      onlyParent.#addChild(this);
    } else {
      this.#parents = [];
      this.dispatch = emptyDispatch(family);
      for (const parent of parents) this.addParent(parent);
    }
  }

  /** Whether anyone listens to any event here: where nobody does, no code of the user's is called. */
  get isHeard(): boolean {
    return this.#heardEvents > 0;
  }

  get description(): string {
    return typeof this.#describe === "string" ? this.#describe : this.#describe();
  }

  /**
   * Called with every registration that takes effect on this node, its own or an inherited one; when it is set, with those that are in effect already.
   * It must neither throw nor change listeners.
   */
  set onRegistration(callback: ((name: string, registration: Registration) => void) | undefined) {
    this.#onRegistration = callback;
    if (callback === undefined) return;
    for (const name in this.dispatch) {
      for (const registration of this.dispatch[name] ?? []) callback(name, registration);
    }
  }

  /** Makes this node, and all nodes below it, inherit the listeners of `parent`: those it has and those it will get. */
  addParent(parent: EventNode): void {
    if (this.#parents.includes(parent)) return;
    // Only a node with children can be above another one, so that new nodes skip the search.
    if (parent === this || (this.#children !== undefined && parent.#descendsFrom(this))) {
      throw new InvalidRequestError(
        `${this.description} cannot inherit listeners from ${parent.description}, which inherits its own from there.`,
      );
    }
    this.#parents.push(parent);
    parent.#addChild(this);
    if (parent.#heardEvents === 0) return;
    for (const name in this.dispatch) if (parent.#listeners(name) !== undefined) this.refresh(name);
  }

  /**
   * Registers a listener. If it listens to that event of this node already, that registration is returned and the options are lost; but a `once`
   * listener that has fired is registered anew.
   *
   * @param builtin the listener is the library's own, and runs before the users' whenever those were added
   */
  listen(
    name: TName,
    listener: Listener,
    options: ListenOptions = {},
    { builtin = false }: { readonly builtin?: boolean } = {},
  ): Registration {
    this.expectEvent(name);
    const existing = this.#own?.get(name)?.get(listener);
    if (existing !== undefined && !existing.fired) return existing;
    existing?.markRemoved();
    const registration = new Registration(this, name, listener, options, builtin);
    this.#own ??= new Map();
    let registrations = this.#own.get(name);
    if (registrations === undefined) this.#own.set(name, (registrations = new Map()));
    registrations.set(listener, registration);
    if (!registration.propagate) this.#passesOnAll = false;
    this.refresh(name);
    return registration;
  }

  /** Takes a listener off this node and all nodes below it. Answers false if it was not registered on this very node. */
  remove(name: TName, listener: Listener): boolean {
    this.expectEvent(name);
    const registrations = this.#own?.get(name);
    const registration = registrations?.get(listener);
    if (registrations === undefined || registration === undefined) return false;
    registrations.delete(listener);
    if (registrations.size === 0) this.#own?.delete(name);
    registration.markRemoved();
    this.refresh(name);
    return true;
  }

  /** Whether the listener was registered on this very node and not removed since. A `once` listener that has fired is still there. */
  has(name: TName, listener: Listener): boolean {
    this.expectEvent(name);
    return this.#own?.get(name)?.has(listener) === true;
  }

  /** Works out anew who is to be called for one event, here and below. */
  refresh(name: string): void {
    const before = this.#listeners(name);
    const after = this.#effective(name);
    if (sameRegistrations(before, after)) return;
    (this.dispatch as MutableDispatch)[name] = after;
    if (before === undefined) this.#heardEvents++;
    if (after === undefined) this.#heardEvents--;
    if (this.#onRegistration !== undefined) {
      for (const registration of after ?? []) {
        if (before?.includes(registration) !== true) this.#onRegistration(name, registration);
      }
    }
    for (const child of this.#children?.items() ?? []) if (Object.hasOwn(child.dispatch, name)) child.refresh(name);
  }

  #addChild(child: EventNode): void {
    (this.#children ??= new WeakList()).add(child);
  }

  #listeners(name: string): readonly Registration[] | undefined {
    return (this.dispatch as MutableDispatch)[name];
  }

  #effective(name: string): readonly Registration[] | undefined {
    const own = this.#own?.get(name);
    const onlyParent = this.#parents.length === 1 ? this.#parents[0] : undefined;
    if (own === undefined && onlyParent !== undefined) return passedOn(onlyParent.#listeners(name));
    // A set, because what comes from an ancestor may come over several parents.
    const registrations = new Set<Registration>();
    for (const parent of this.#parents) {
      for (const registration of passedOn(parent.#listeners(name)) ?? []) registrations.add(registration);
    }
    for (const registration of own?.values() ?? []) {
      if (!registration.fired) registrations.add(registration);
    }
    return registrations.size === 0 ? undefined : Object.freeze([...registrations].sort(byOrder));
  }

  #descendsFrom(node: EventNode): boolean {
    return this.#parents.some((parent) => parent === node || parent.#descendsFrom(node));
  }

  /** Throws `InvalidRequestError` if the target has no event of this name. */
  expectEvent(name: string): void {
    if (Object.hasOwn(this.family.events, name)) return;
    const names = Object.keys(this.family.events);
    throw new InvalidRequestError(
      `"${name}" is not an event of ${this.description}.${didYouMean(name, names)} Its events are ${names.join(", ")}.`,
    );
  }
}

/** What the children of a node inherit from its list; the list itself if that is all of it. */
function passedOn(registrations: readonly Registration[] | undefined): readonly Registration[] | undefined {
  if (registrations === undefined) return undefined;
  const propagated = registrations.filter((registration) => registration.propagate);
  if (propagated.length === registrations.length) return registrations;
  return propagated.length === 0 ? undefined : Object.freeze(propagated);
}

function sameRegistrations(a: readonly Registration[] | undefined, b: readonly Registration[] | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined || a.length !== b.length) return false;
  return a.every((registration, index) => registration === b[index]);
}

const templates = new WeakMap<EventFamily, MutableDispatch>();

/** All of the family's names from the start, and copied from one template, so that every dispatch of a family has one hidden class. */
function emptyDispatch<TName extends string>(family: EventFamily<TName>): Dispatch<TName> {
  let template = templates.get(family);
  if (template === undefined) {
    template = Object.fromEntries(Object.keys(family.events).map((name) => [name, undefined]));
    templates.set(family, template);
  }
  return { ...template } as Dispatch<TName>;
}
