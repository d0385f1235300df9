import { getEventListeners } from "node:events";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";

import { EventNode, eventTarget } from "./event-node.ts";
import { listen } from "./listen.ts";
import { WeakList } from "./weak-list.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const family = { name: "session", events: { afterCommit: "awaited" } } as const;

class Session {
  declare readonly "~events": { afterCommit: (event: object) => unknown };
  readonly [eventTarget]: EventNode;

  constructor(...parents: EventNode[]) {
    // The description refers to the session, so that a node which is kept alive keeps the session alive.
    this[eventTarget] = new EventNode(family, () => `session ${typeof this}`, { parents, level: 1 });
  }
}

/** Waits until an object is collected; answers false if it is not. */
async function isCollected(reference: WeakRef<object>): Promise<boolean> {
  for (let attempt = 0; attempt < 20; attempt++) {
    // A WeakRef that was just made or read holds its object until the present job ends.
    await setImmediate();
    collectGarbage();
    if (reference.deref() === undefined) return true;
  }
  return false;
}

test("a target that nobody uses any more is collected with its listeners, though its parent lives", async () => {
  const all = new EventNode(family, "Session");
  let listener: WeakRef<object>;
  const session = (() => {
    const session = new Session(all);
    const notify = () => session;
    listener = new WeakRef(notify);
    listen(session, "afterCommit", notify);
    return new WeakRef(session);
  })();
  expect(await isCollected(session)).toBe(true);
  expect(await isCollected(listener!)).toBe(true);
  all.listen("afterCommit", () => {});
});

test("neither the handle nor the signal of a listener keeps the target alive, and the signal forgets it", async () => {
  const { signal } = new AbortController();
  let listening: Disposable;
  const session = (() => {
    const session = new Session();
    listening = listen(session, "afterCommit", () => {}, { signal });
    return new WeakRef(session);
  })();
  expect(getEventListeners(signal, "abort")).toHaveLength(1);
  expect(await isCollected(session)).toBe(true);
  await expect.poll(() => getEventListeners(signal, "abort")).toEqual([]);
  listening![Symbol.dispose]();
});

test("a parent is kept alive by its children", async () => {
  const [child, parent] = (() => {
    const parent = new EventNode(family, "Session");
    parent.listen("afterCommit", () => {});
    return [new Session(parent), new WeakRef(parent)] as const;
  })();
  expect(await isCollected(parent)).toBe(false);
  expect(child[eventTarget].dispatch["afterCommit"]).toHaveLength(1);
});

test("a list of many short-lived items does not grow", async () => {
  const list = new WeakList<object>();
  const kept = {};
  list.add(kept);
  for (let round = 0; round < 20; round++) {
    for (let count = 0; count < 100; count++) list.add({});
    await setImmediate();
    collectGarbage();
  }
  expect(list.size).toBeLessThan(500);
  expect(list.items()).toContain(kept);
});
