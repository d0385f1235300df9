import { describe, expect, test } from "vitest";

import { InvalidRequestError } from "./errors.ts";
import { type EventFamily, EventNode, type ListenOptions } from "./event-node.ts";

const family = {
  name: "instance",
  events: { load: "sync", init: "sync", beforeInsert: "awaited" },
} as const satisfies EventFamily;
type Name = keyof typeof family.events;

function node(describe: string, options?: ConstructorParameters<typeof EventNode>[2]): EventNode<Name> {
  return new EventNode(family, describe, options);
}

/** A listener that is recognised by its name. */
function named(name: string): () => void {
  return Object.defineProperty(() => {}, "name", { value: name });
}

function add(to: EventNode<Name>, name: string, options?: ListenOptions, how?: { builtin: boolean }): () => void {
  const listener = named(name);
  to.listen("load", listener, options, how);
  return listener;
}

function order(of: EventNode<Name>): string[] {
  return (of.dispatch.load ?? []).map(({ listener }) => listener.name);
}

describe("the dispatch of a node", () => {
  test("has every event of the family from the start, undefined where nobody listens", () => {
    expect(Object.keys(node("User").dispatch)).toEqual(["load", "init", "beforeInsert"]);
    expect(node("User").dispatch.load).toBeUndefined();
  });

  test("is the same object for ever, and has no list again after the last removal", () => {
    const user = node("User");
    const { dispatch } = user;
    const listener = add(user, "a");
    expect(dispatch.load).toHaveLength(1);
    expect(dispatch.init).toBeUndefined();
    user.remove("load", listener);
    expect(dispatch.load).toBeUndefined();
    expect(user.dispatch).toBe(dispatch);
  });

  test("gives out snapshots, which later changes do not touch", () => {
    const user = node("User");
    const first = add(user, "first");
    const snapshot = user.dispatch.load!;
    add(user, "second");
    user.remove("load", first);
    expect(snapshot.map(({ listener }) => listener)).toEqual([first]);
    expect(Object.isFrozen(snapshot)).toBe(true);
  });
});

describe("order", () => {
  test("is that of registration, also between a class and its superclass", () => {
    const user = node("User");
    const premium = node("PremiumUser", { parents: [user] });
    add(premium, "1");
    add(user, "2");
    add(premium, "3");
    expect(order(premium)).toEqual(["1", "2", "3"]);
    expect(order(user)).toEqual(["2"]);
  });

  test("puts a listener with insert before all others, the last one inserted first", () => {
    const user = node("User");
    add(user, "ordinary");
    add(user, "inserted first", { insert: true });
    add(user, "inserted last", { insert: true });
    expect(order(user)).toEqual(["inserted last", "inserted first", "ordinary"]);
  });

  test("puts built-in listeners before the users', whenever they were added, but after inserted ones", () => {
    const user = node("User");
    add(user, "user");
    add(user, "built-in", {}, { builtin: true });
    add(user, "inserted", { insert: true });
    expect(order(user)).toEqual(["inserted", "built-in", "user"]);
  });

  test("goes by level first: a session's own listeners run after those of all sessions, inserted or not", () => {
    const all = node("Session");
    const session = node("this session", { parents: [all], level: 1 });
    add(session, "own", { insert: true });
    add(all, "of all");
    expect(order(session)).toEqual(["of all", "own"]);
  });

  test("puts a listener that is removed and added again at the end", () => {
    const user = node("User");
    const first = add(user, "first");
    add(user, "second");
    user.remove("load", first);
    user.listen("load", first);
    expect(order(user)).toEqual(["second", "first"]);
  });
});

describe("propagation", () => {
  test("reaches what inherits, directly or not, whether it existed before or comes later", () => {
    const user = node("User");
    const premium = node("PremiumUser", { parents: [user] });
    add(user, "a");
    const gold = node("GoldUser", { parents: [premium] });
    add(user, "b");
    expect(order(premium)).toEqual(["a", "b"]);
    expect(order(gold)).toEqual(["a", "b"]);
  });

  test("is switched off by propagate: false", () => {
    const user = node("User");
    const before = node("PremiumUser", { parents: [user] });
    add(user, "here only", { propagate: false });
    add(user, "everywhere");
    const after = node("TrialUser", { parents: [user] });
    const below = node("GoldUser", { parents: [after] });
    expect(order(user)).toEqual(["here only", "everywhere"]);
    for (const each of [before, after, below]) expect(order(each)).toEqual(["everywhere"]);
  });

  test("counts a listener once that is reached over two paths", () => {
    const top = node("Model");
    const parents = [node("User", { parents: [top] }), node("HasTimestamps", { parents: [top] })];
    const bottom = node("PremiumUser", { parents });
    add(top, "a");
    expect(order(bottom)).toEqual(["a"]);
    expect(order(node("GoldUser", { parents: [bottom, top] }))).toEqual(["a"]);
  });

  test("starts when a parent is added, for the node and all below it", () => {
    const model = node("Model");
    add(model, "a");
    const user = node("User");
    const premium = node("PremiumUser", { parents: [user] });
    add(premium, "b");
    user.addParent(model);
    user.addParent(model);
    add(model, "c");
    expect(order(user)).toEqual(["a", "c"]);
    expect(order(premium)).toEqual(["a", "b", "c"]);
  });

  test("is reverted by removal where the listener was added, and only there", () => {
    const user = node("User");
    const premium = node("PremiumUser", { parents: [user] });
    const listener = add(user, "a");
    expect(premium.remove("load", listener)).toBe(false);
    expect(order(premium)).toEqual(["a"]);
    expect(user.remove("load", listener)).toBe(true);
    expect(order(premium)).toEqual([]);
    expect(order(node("TrialUser", { parents: [user] }))).toEqual([]);
  });

  test("passes by events that the family of the child does not have", () => {
    const user = node("User");
    add(user, "a");
    const child = new EventNode({ name: "other", events: { set: "sync" } }, "User.email", { parents: [user] });
    add(user, "b");
    expect(child.dispatch).toEqual({ set: undefined });
  });

  test("refuses to go in a circle", () => {
    const user = node("User");
    const premium = node("PremiumUser", { parents: [user] });
    const gold = node("GoldUser", { parents: [premium] });
    expect(() => user.addParent(gold)).toThrow(InvalidRequestError);
    expect(() => user.addParent(user)).toThrow(/User cannot inherit listeners from User/);
  });
});

describe("identity", () => {
  test("is node, event and function: listening twice registers once, and the second options are lost", () => {
    const user = node("User");
    const listener = add(user, "a");
    add(user, "b");
    const [first] = user.dispatch.load!;
    expect(user.listen("load", listener, { once: true, insert: true })).toBe(first);
    expect(order(user)).toEqual(["a", "b"]);
    expect(first!.once).toBe(false);
  });

  test("tells nodes and events apart", () => {
    const user = node("User");
    const premium = node("PremiumUser", { parents: [user] });
    const listener = add(user, "a");
    premium.listen("load", listener);
    user.listen("init", listener);
    expect(order(premium)).toEqual(["a", "a"]);
    expect(user.dispatch.init).toHaveLength(1);
    user.remove("load", listener);
    expect(order(premium)).toEqual(["a"]);
    expect([user.has("load", listener), user.has("init", listener), premium.has("load", listener)]).toEqual([
      false,
      true,
      true,
    ]);
  });
});

describe("a once listener", () => {
  test("is claimed once, and then gone from every list it was in, but still there for has()", () => {
    const user = node("User");
    const premium = node("PremiumUser", { parents: [user] });
    const listener = add(user, "a", { once: true });
    const [registration] = premium.dispatch.load!;
    expect(registration!.claim()).toBe(true);
    expect(registration!.claim()).toBe(false);
    expect([user.dispatch.load, premium.dispatch.load]).toEqual([undefined, undefined]);
    expect(user.has("load", listener)).toBe(true);
    expect(user.remove("load", listener)).toBe(true);
    expect(user.has("load", listener)).toBe(false);
  });

  test("is armed again by listening again, with the new options, and what is left of the old one does not end it", () => {
    const user = node("User");
    const listener = add(user, "again", { once: true });
    add(user, "other");
    const old = user.dispatch.load![0]!;
    old.claim();
    const renewed = user.listen("load", listener, { once: true, insert: true });
    expect(renewed).not.toBe(old);
    expect(order(user)).toEqual(["again", "other"]);
    old.remove();
    expect(old.claim()).toBe(false);
    expect(order(user)).toEqual(["again", "other"]);
    renewed.remove();
    expect(order(user)).toEqual(["other"]);
  });
});

describe("onRegistration", () => {
  test("hears of every registration that takes effect here, once, inherited ones included", () => {
    const model = node("Model");
    const user = node("User", { parents: [model] });
    const heard: string[] = [];
    add(model, "before");
    user.onRegistration = (name, { listener, options }) =>
      heard.push(`${name} ${listener.name} ${options.activeHistory === true}`);
    const own = add(user, "own", { activeHistory: true });
    add(model, "inherited", { insert: true });
    add(model, "not inherited", { propagate: false });
    user.remove("load", own);
    const mixin = node("HasTimestamps");
    add(mixin, "mixed in");
    user.addParent(mixin);
    expect(heard).toEqual(["load before false", "load own true", "load inherited false", "load mixed in false"]);
  });
});

test("an unknown event is refused with the name that was probably meant", () => {
  const user = node("User");
  for (const use of ["listen", "remove", "has"] as const) {
    expect(() => user[use]("laod" as Name, () => {})).toThrow(
      '"laod" is not an event of User. Did you mean "load"? Its events are load, init, beforeInsert.',
    );
  }
  expect(() => user.listen("toString" as Name, () => {})).toThrow(InvalidRequestError);
});

test("a description is asked for when a message needs it", () => {
  let asked = 0;
  const user = new EventNode(family, () => `User ${++asked}`);
  expect(asked).toBe(0);
  expect(user.description).toBe("User 1");
});
