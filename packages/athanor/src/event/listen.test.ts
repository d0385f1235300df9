import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";

import { emit } from "./dispatch.ts";
import { ArgumentError, AsyncListenerError, InvalidRequestError } from "./errors.ts";
import { type EventFamily, EventNode, eventTarget, type ListenOptions } from "./event-node.ts";
import { contains, listen, listensFor, remove } from "./listen.ts";

const family = {
  name: "instance",
  events: { load: "sync", init: "sync", beforeInsert: "awaited" },
} as const satisfies EventFamily;

interface Event {
  readonly target: object;
}

interface Events {
  load: (event: Event) => unknown;
  init: (event: Event) => unknown;
  beforeInsert: (event: Event) => unknown;
}

/** A target as the layers above make them, with the phantom type by which `listen` knows its events. */
class Target {
  declare readonly "~events": Events;
  readonly [eventTarget]: EventNode<keyof Events>;

  constructor(name: string, ...parents: Target[]) {
    this[eventTarget] = new EventNode(family, name, { parents: parents.map((parent) => parent[eventTarget]) });
  }

  load(): void {
    emit(this[eventTarget].dispatch.load, { target: this });
  }
}

/** Calls a function as JavaScript without types would. */
function untyped(callee: (...args: never[]) => unknown, ...args: unknown[]): () => unknown {
  return () => Reflect.apply(callee, undefined, args);
}

describe("listen", () => {
  test("calls the listener with one event object, until its handle removes it", () => {
    const user = new Target("User");
    const events: Event[] = [];
    const listening = listen(user, "load", (event) => events.push(event));
    user.load();
    expect(events).toEqual([{ target: user }]);
    listening.remove();
    user.load();
    expect(events).toHaveLength(1);
  });

  test("gives a handle that can be disposed of, twice if need be", () => {
    const user = new Target("User");
    const listener = () => {};
    const listening = listen(user, "load", listener);
    listening[Symbol.dispose]();
    expect(contains(user, "load", listener)).toBe(false);
    expect(() => listening[Symbol.dispose]()).not.toThrow();
    expect(() => listening.remove()).not.toThrow();
  });

  test("gives a handle that does not end what was registered anew after it", () => {
    const user = new Target("User");
    const listener = () => {};
    const first = listen(user, "load", listener);
    first.remove();
    listen(user, "load", listener);
    first.remove();
    expect(contains(user, "load", listener)).toBe(true);
  });

  test("registers once what is registered twice, and each handle ends it", () => {
    const user = new Target("User");
    let calls = 0;
    const listener = () => calls++;
    listen(user, "load", listener);
    const second = listen(user, "load", listener, { once: true });
    user.load();
    user.load();
    expect(calls).toBe(2);
    second.remove();
    expect(contains(user, "load", listener)).toBe(false);
  });

  test("finds the node of a class through a static getter that subclasses inherit", () => {
    const nodes = new Map<unknown, EventNode>();
    class User {
      declare static readonly "~events": Events;
      static get [eventTarget](): EventNode {
        let node = nodes.get(this);
        if (node === undefined) nodes.set(this, (node = new EventNode(family, this.name)));
        return node;
      }
    }
    class PremiumUser extends User {}
    const listener = () => {};
    listen(PremiumUser, "load", listener);
    expect([contains(PremiumUser, "load", listener), contains(User, "load", listener)]).toEqual([true, false]);
  });
});

describe("a signal", () => {
  test("ends the listener when it is aborted", () => {
    const user = new Target("User");
    const controller = new AbortController();
    const listener = () => {};
    listen(user, "load", listener, { signal: controller.signal });
    controller.abort();
    expect(contains(user, "load", listener)).toBe(false);
  });

  test("that is aborted already registers nothing", () => {
    const user = new Target("User");
    const listener = () => {};
    const listening = listen(user, "load", listener, { signal: AbortSignal.abort() });
    expect(contains(user, "load", listener)).toBe(false);
    expect(() => listening.remove()).not.toThrow();
  });

  test("is let go when the listener is removed, by whatever means", () => {
    const user = new Target("User");
    const { signal } = new AbortController();
    const listener = () => {};
    listen(user, "load", listener, { signal }).remove();
    expect(getEventListeners(signal, "abort")).toEqual([]);
    listen(user, "load", listener, { signal });
    listen(user, "load", listener, { signal });
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    remove(user, "load", listener);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("of a once listener that was armed again is the new one", () => {
    const user = new Target("User");
    const [first, second] = [new AbortController(), new AbortController()];
    const listener = () => {};
    listen(user, "load", listener, { once: true, signal: first.signal });
    user.load();
    listen(user, "load", listener, { once: true, signal: second.signal });
    expect(getEventListeners(first.signal, "abort")).toEqual([]);
    first.abort();
    expect(contains(user, "load", listener)).toBe(true);
    second.abort();
    expect(contains(user, "load", listener)).toBe(false);
  });
});

describe("remove", () => {
  test("ends a listener for the target and all that inherits from it", () => {
    const user = new Target("User");
    const premium = new Target("PremiumUser", user);
    let calls = 0;
    const listener = () => calls++;
    listen(user, "load", listener);
    remove(user, "load", listener);
    premium.load();
    expect(calls).toBe(0);
  });

  test("refuses what is not registered", () => {
    const user = new Target("User");
    const audit = () => {};
    expect(() => remove(user, "load", audit)).toThrow(InvalidRequestError);
    expect(() => remove(user, "load", audit)).toThrow('"audit" is not a listener of "load" of User');
    expect(() => remove(user, "load", () => {})).toThrow('This listener is not a listener of "load"');
  });

  test("says where a listener was registered that is only inherited", () => {
    const user = new Target("User");
    const premium = new Target("PremiumUser", user);
    const audit = () => {};
    listen(user, "load", audit);
    expect(() => remove(premium, "load", audit)).toThrow(
      '"audit" was not registered on PremiumUser, but on User, and is only inherited here.',
    );
  });
});

describe("contains", () => {
  test("answers for the exact target, event and function", () => {
    const user = new Target("User");
    const premium = new Target("PremiumUser", user);
    const listener = () => {};
    listen(user, "load", listener);
    expect(contains(user, "load", listener)).toBe(true);
    expect(contains(user, "init", listener)).toBe(false);
    expect(contains(premium, "load", listener)).toBe(false);
    expect(contains(user, "load", () => {})).toBe(false);
  });

  test("stays true for a once listener that was called, until it is removed", () => {
    const user = new Target("User");
    const listener = () => {};
    listen(user, "load", listener, { once: true });
    user.load();
    expect(contains(user, "load", listener)).toBe(true);
    remove(user, "load", listener);
    expect(contains(user, "load", listener)).toBe(false);
  });
});

describe("listensFor", () => {
  test("registers a function and returns it unchanged", () => {
    const user = new Target("User");
    const listener = ({ target }: Event) => target;
    const returned: typeof listener = listensFor(user, "load", { once: true })(listener);
    expect(returned).toBe(listener);
    expect(user[eventTarget].dispatch.load?.[0]?.once).toBe(true);
  });

  test("decorates static methods", () => {
    const user = new Target("User");
    const loaded = () => {};
    expect(listensFor(user, "load")(loaded, { kind: "method", static: true, name: "loaded" })).toBe(loaded);
    expect(contains(user, "load", loaded)).toBe(true);
  });

  test("refuses to decorate anything else", () => {
    const user = new Target("User");
    const decorate = listensFor(user, "load");
    expect(() => decorate(() => {}, { kind: "method", static: false, name: "loaded" })).toThrow(
      'listensFor() decorates static methods only: "loaded" would be called without its instance.',
    );
    expect(() => decorate(class User {} as never, "loaded")).toThrow("Turn experimentalDecorators off");
    expect(user[eventTarget].dispatch.load).toBeUndefined();
  });
});

describe("a mistake", () => {
  const user = new Target("User");
  const listener = () => {};

  test.each([
    [undefined, "undefined cannot be listened to. What can: a model class, or Model for all of them"],
    [undefined, "the class may not be defined yet where listen() is called"],
    [null, "null cannot be listened to"],
    ["User", "A string cannot be listened to"],
    [{}, "A plain object cannot be listened to"],
    [Object.create(null), "A plain object cannot be listened to"],
    [new Date(), "An instance of Date cannot be listened to"],
    [[user], "An array (listen to each of its elements) cannot be listened to"],
    [class Stranger {}, "The function or class Stranger cannot be listened to"],
    [{ [eventTarget]: {} }, "A plain object cannot be listened to"],
  ])("in the target (%o) is explained: %s", (target, message) => {
    for (const use of [listen, remove, contains]) {
      expect(untyped(use, target, "load", listener)).toThrow(InvalidRequestError);
      expect(untyped(use, target, "load", listener)).toThrow(message);
    }
  });

  test("in the event's name is explained, with the name that was meant", () => {
    for (const use of [listen, remove, contains]) {
      expect(untyped(use, user, "before_insrt", listener)).toThrow(
        new InvalidRequestError(
          '"before_insrt" is not an event of User. Did you mean "beforeInsert"? Its events are load, init, beforeInsert.',
        ),
      );
    }
    // @ts-expect-error Argument of type '"laod"' is not assignable to parameter of type '"load" | "init" | "beforeInsert"'.
    expect(() => listen(user, "laod", listener)).toThrow(InvalidRequestError);
  });

  test("in the listener is explained", () => {
    for (const use of [listen, remove, contains]) {
      expect(untyped(use, user, "load", undefined)).toThrow(ArgumentError);
      expect(untyped(use, user, "load", null)).toThrow('The listener of "load" is not a function, but null.');
    }
  });

  test("in making a listener async, where the event is synchronous, is found before any event happens", () => {
    const findOut = async () => {};
    expect(untyped(listen, user, "load", findOut)).toThrow(AsyncListenerError);
    expect(untyped(listen, user, "load", findOut)).toThrow(
      'The listener "findOut" of "load" of User is an async function, but "load" is a synchronous event',
    );
    expect(untyped(listen, user, "load", async function* () {})).toThrow(AsyncListenerError);
    expect(contains(user, "load", findOut)).toBe(false);
    listen(user, "beforeInsert", findOut).remove();
  });

  test("in making a listener a generator, none of whose code would run, is explained", () => {
    expect(untyped(listen, user, "load", function* () {})).toThrow(ArgumentError);
    expect(untyped(listen, user, "beforeInsert", async function* () {})).toThrow("calling it runs none of its code");
  });

  test("in the options is explained", () => {
    const use = (options: unknown) => untyped(listen, user, "load", listener, options);
    expect(use({ onec: true })).toThrow(ArgumentError);
    expect(use({ onec: true })).toThrow(
      '"onec" is not an option of listeners of User. Did you mean "once"? The options are propagate, once, insert, retval, signal.',
    );
    expect(use({ activeHistory: true })).toThrow('"activeHistory" is not an option of listeners of User.');
    expect(use({ once: 1 })).toThrow('The option "once" of a listener is true or false, not of type number.');
    expect(use({ signal: new AbortController() })).toThrow("an AbortSignal (of an AbortController, its signal)");
    expect(use(true)).toThrow("The options of a listener are an object, such as { once: true }, not of type boolean.");
    expect(use(null)).toThrow(ArgumentError);
    expect(contains(user, "load", listener)).toBe(false);
  });

  test("is not made by an option that is undefined, nor by one that the family accepts", () => {
    const options: ListenOptions = { activeHistory: true };
    const node = new EventNode({ ...family, modifiers: ["activeHistory"] }, "User.email");
    listen({ [eventTarget]: node } as Target, "load", listener, options).remove();
    expect(untyped(listen, user, "load", listener, { once: undefined, signal: undefined })).not.toThrow();
    remove(user, "load", listener);
  });
});
