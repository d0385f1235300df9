import { describe, expect, test } from "vitest";

import { emit, emitAndWait, emitReplacing, emitUntilResult } from "./dispatch.ts";
import { AsyncListenerError } from "./errors.ts";
import { type EventFamily, EventNode, type Listener, type ListenOptions, type Registration } from "./event-node.ts";

const family = { name: "all", events: { set: "sync", beforeFlush: "awaited" } } as const satisfies EventFamily;

function listeners(...all: (Listener | [Listener, ListenOptions])[]): readonly Registration[] {
  const node = new EventNode(family, "User.email");
  for (const each of all) {
    const [listener, options] = typeof each === "function" ? [each, {}] : each;
    node.listen("set", listener, options);
  }
  return node.dispatch.set!;
}

function unnamed(): Listener {
  return () => Promise.resolve();
}

function pause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 1);
  });
}

describe("emit", () => {
  test("does nothing when nobody listens", () => {
    expect(emit(undefined, {})).toBeUndefined();
  });

  test("calls all listeners in order, with the one event and without this", () => {
    const event = { calls: [] as string[] };
    const [first, second] = ["first", "second"].map(
      (name) =>
        function (this: unknown, { calls }: typeof event) {
          calls.push(`${name} ${typeof this}`);
        },
    );
    emit(listeners(first!, second!), event);
    expect(event.calls).toEqual(["first undefined", "second undefined"]);
  });

  test("stops at the first error, which reaches the cause of the event unchanged", () => {
    const error = new TypeError("the listener's own");
    const calls: string[] = [];
    const fail = () => {
      throw error;
    };
    expect(() =>
      emit(
        listeners(
          () => calls.push("before"),
          fail,
          () => calls.push("after"),
        ),
        {},
      ),
    ).toThrow(error);
    expect(calls).toEqual(["before"]);
  });

  test("refuses a promise with an error that names event, target and listener, and lets no rejection escape", async () => {
    // An unhandled rejection would fail the run.
    const hashPassword = () => Promise.reject(new Error("too late"));
    const emitting = () => emit(listeners(hashPassword), {});
    expect(emitting).toThrow(AsyncListenerError);
    expect(emitting).toThrow(
      'The listener "hashPassword" of "set" of User.email returned a promise, but "set" is a synchronous event',
    );
    expect(() => emit(listeners(unnamed()), {})).toThrow("An unnamed listener of");
    await pause();
  });

  test("names the awaited events of the target as the way out", () => {
    expect(() =>
      emit(
        listeners(() => Promise.resolve()),
        {},
      ),
    ).toThrow("in an event that is awaited: beforeFlush.");
  });

  test("does not start a lazy thenable that a listener returned", () => {
    const lazy = { started: false, then: () => (lazy.started = true) };
    expect(() =>
      emit(
        listeners(() => lazy),
        {},
      ),
    ).toThrow(AsyncListenerError);
    expect(lazy.started).toBe(false);
  });

  test("takes results that only look odd for what they are", () => {
    const results = [null, 0, "text", { then: "soon" }, () => {}, new Map()];
    expect(() => emit(listeners(...results.map((result) => () => result)), {})).not.toThrow();
  });
});

describe("adding and removing inside a listener", () => {
  test("takes effect with the next event", () => {
    const node = new EventNode(family, "User.email");
    const calls: string[] = [];
    const late = () => calls.push("late");
    const removed = () => calls.push("removed");
    node.listen("set", function self() {
      calls.push("self");
      node.remove("set", self);
      node.remove("set", removed);
      node.listen("set", late);
    });
    node.listen("set", removed);
    emit(node.dispatch.set, {});
    expect(calls).toEqual(["self", "removed"]);
    emit(node.dispatch.set, {});
    expect(calls).toEqual(["self", "removed", "late"]);
  });
});

describe("once", () => {
  test("calls the listener for the first event only, whatever it reaches", () => {
    const user = new EventNode(family, "User");
    const [premium, trial] = [1, 2].map((number) => new EventNode(family, `User${number}`, { parents: [user] }));
    let calls = 0;
    user.listen("set", () => calls++, { once: true });
    for (const node of [premium!, trial!, user]) emit(node.dispatch.set, {});
    expect(calls).toBe(1);
  });

  test("counts a listener that throws as called", () => {
    const node = new EventNode(family, "User");
    const fail = () => {
      throw new Error("no");
    };
    node.listen("set", fail, { once: true });
    expect(() => emit(node.dispatch.set, {})).toThrow("no");
    expect(() => emit(node.dispatch.set, {})).not.toThrow();
  });

  test("counts a listener that rejects as called", async () => {
    const node = new EventNode(family, "User");
    node.listen("beforeFlush", () => Promise.reject(new Error("no")), { once: true });
    await expect(emitAndWait(node.dispatch.beforeFlush, {})).rejects.toThrow("no");
    expect(emitAndWait(node.dispatch.beforeFlush, {})).toBeUndefined();
  });

  test("does not call the listener for events that it causes itself", () => {
    const node = new EventNode(family, "User");
    let calls = 0;
    node.listen(
      "set",
      () => {
        calls++;
        emit(node.dispatch.set, {});
      },
      { once: true },
    );
    emit(node.dispatch.set, {});
    expect(calls).toBe(1);
  });

  test("does not call the listener from a dispatch that began before another one called it", () => {
    const node = new EventNode(family, "User");
    const calls: string[] = [];
    let nested = false;
    node.listen("set", () => {
      if (nested) return;
      nested = true;
      emit(node.dispatch.set, {});
      calls.push("outer");
    });
    node.listen("set", () => calls.push("once"), { once: true });
    emit(node.dispatch.set, {});
    expect(calls).toEqual(["once", "outer"]);
  });

  test("is armed again by a listener that registers itself anew", () => {
    const node = new EventNode(family, "User");
    let calls = 0;
    const again = () => {
      calls++;
      node.listen("set", again, { once: true });
    };
    node.listen("set", again, { once: true });
    emit(node.dispatch.set, {});
    emit(node.dispatch.set, {});
    expect(calls).toBe(2);
  });
});

describe("emitReplacing", () => {
  test("answers with the value when nobody listens", () => {
    expect(emitReplacing(undefined, { value: 1 })).toBe(1);
  });

  test("lets each listener with retval replace the value that the next one sees", () => {
    const seen: unknown[] = [];
    const event = { value: " Ann@Example.org " };
    type Event = typeof event;
    const all = listeners(
      [({ value }: Event) => value.trim(), { retval: true }],
      ({ value }: Event) => seen.push(value),
      [({ value }: Event) => value.toLowerCase(), { retval: true }],
    );
    expect(emitReplacing(all, event)).toBe("ann@example.org");
    expect(event.value).toBe("ann@example.org");
    expect(seen).toEqual(["Ann@Example.org"]);
  });

  test("keeps the value when a listener returns undefined, and ignores results without retval", () => {
    const all = listeners([() => undefined, { retval: true }], () => "ignored");
    expect(emitReplacing(all, { value: "kept" })).toBe("kept");
  });

  test("replaces by null and other falsy values", () => {
    expect(emitReplacing(listeners([() => null, { retval: true }]), { value: "x" })).toBeNull();
  });

  test("refuses a promise as a value", () => {
    const all = listeners([() => Promise.resolve("hashed"), { retval: true, once: true }]);
    expect(() => emitReplacing(all, { value: "x" })).toThrow(AsyncListenerError);
    expect(emitReplacing(all, { value: "x" })).toBe("x");
  });
});

describe("emitAndWait", () => {
  test("returns no promise when no listener does", () => {
    const calls: number[] = [];
    expect(emitAndWait(undefined, {})).toBeUndefined();
    expect(
      emitAndWait(
        listeners(
          () => calls.push(1),
          () => calls.push(2),
        ),
        {},
      ),
    ).toBeUndefined();
    expect(calls).toEqual([1, 2]);
  });

  test("runs one listener after another, never two at a time", async () => {
    const calls: string[] = [];
    const slow = (name: string) => async () => {
      calls.push(`${name} begins`);
      await pause();
      calls.push(`${name} ends`);
    };
    await emitAndWait(
      listeners(
        () => calls.push("first"),
        slow("a"),
        () => calls.push("between"),
        slow("b"),
      ),
      {},
    );
    expect(calls).toEqual(["first", "a begins", "a ends", "between", "b begins", "b ends"]);
  });

  test("waits only for the promises there are", async () => {
    const calls: string[] = [];
    const all = listeners(
      () => Promise.resolve(),
      () => calls.push("a"),
      () => calls.push("b"),
    );
    const emitted = emitAndWait(all, {});
    await Promise.resolve();
    expect(calls).toEqual(["a", "b"]);
    await emitted;
  });

  test("stops at the first rejection or error", async () => {
    const calls: string[] = [];
    const error = new Error("no");
    const fail = () => {
      throw error;
    };
    await expect(
      emitAndWait(
        listeners(
          () => Promise.reject(error),
          () => calls.push("x"),
        ),
        {},
      ),
    ).rejects.toBe(error);
    await expect(
      emitAndWait(
        listeners(pause, fail, () => calls.push("x")),
        {},
      ),
    ).rejects.toBe(error);
    expect(() =>
      emitAndWait(
        listeners(fail, () => calls.push("x")),
        {},
      ),
    ).toThrow(error);
    expect(calls).toEqual([]);
  });
});

describe("emitUntilResult", () => {
  test("ends with the first truthy result, without a promise if there is none", () => {
    const calls: string[] = [];
    const all = listeners(
      () => 0,
      () => "result",
      () => calls.push("not reached"),
    );
    expect(emitUntilResult(all, {})).toBe("result");
    expect(calls).toEqual([]);
  });

  test("answers with undefined when no listener has a result", async () => {
    expect(emitUntilResult(undefined, {})).toBeUndefined();
    expect(
      emitUntilResult(
        listeners(
          () => null,
          () => false,
        ),
        {},
      ),
    ).toBeUndefined();
    await expect(
      emitUntilResult(
        listeners(pause, () => false),
        {},
      ),
    ).resolves.toBeUndefined();
  });

  test("waits for promises of a result, one after another", async () => {
    const calls: string[] = [];
    const all = listeners(
      async () => {
        await pause();
        calls.push("first");
      },
      () => {
        calls.push("second");
        return Promise.resolve("result");
      },
      () => calls.push("not reached"),
    );
    await expect(emitUntilResult(all, {})).resolves.toBe("result");
    expect(calls).toEqual(["first", "second"]);
  });

  test("starts behind a registration, also if that has left the list", () => {
    const node = new EventNode(family, "this session");
    const calls: string[] = [];
    for (const name of ["a", "b", "c"]) {
      node.listen("beforeFlush", () => void calls.push(name), { once: name === "b" });
    }
    const running = node.dispatch.beforeFlush![1]!;
    emitUntilResult(node.dispatch.beforeFlush, {}, running);
    expect(calls).toEqual(["c"]);
    running.claim();
    emitUntilResult(node.dispatch.beforeFlush, {}, running);
    expect(calls).toEqual(["c", "c"]);
    expect(emitUntilResult(node.dispatch.beforeFlush, {}, node.dispatch.beforeFlush![1])).toBeUndefined();
    expect(calls).toEqual(["c", "c"]);
  });

  test("tells which listener is about to run, so that one can run the rest of the chain itself", async () => {
    const node = new EventNode(family, "this session");
    const calls: string[] = [];
    class Execution {
      running: Registration | undefined;
      async invoke(): Promise<unknown> {
        const inner = new Execution();
        return (await emitUntilResult(node.dispatch.beforeFlush, inner, this.running, inner.noteRunning)) ?? "rows";
      }
      noteRunning = (registration: Registration) => {
        this.running = registration;
      };
    }
    for (const name of ["a", "b"]) {
      node.listen("beforeFlush", async (execution: Execution) => {
        calls.push(`${name} begins`);
        await pause();
        const result = await execution.invoke();
        calls.push(`${name} ends`);
        return `${name}(${String(result)})`;
      });
    }
    const outer = new Execution();
    await expect(emitUntilResult(node.dispatch.beforeFlush, outer, undefined, outer.noteRunning)).resolves.toBe(
      "a(b(rows))",
    );
    expect(calls).toEqual(["a begins", "b begins", "b ends", "a ends"]);
  });
});
