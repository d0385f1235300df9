import fc from "fast-check";
import { expect, test } from "vitest";

import { emit } from "./dispatch.ts";
import { type EventFamily, EventNode, type Listener } from "./event-node.ts";

const family: EventFamily<"load" | "init"> = { name: "instance", events: { load: "sync", init: "sync" } };

const NODES = 6;
const LISTENERS: Listener[] = Array.from({ length: 4 }, (_, index) =>
  Object.defineProperty(() => {}, "name", { value: `listener ${index}` }),
);

/** What the rules say, without any thought for speed. */
class Model {
  readonly registrations: {
    node: number;
    listener: number;
    insert: boolean;
    propagate: boolean;
    once: boolean;
    builtin: boolean;
    time: number;
    fired: boolean;
  }[] = [];
  readonly parents: Set<number>[] = Array.from({ length: NODES }, () => new Set());
  readonly levels: readonly number[];
  #time = 0;

  constructor(levels: readonly number[]) {
    this.levels = levels;
  }

  listen(
    node: number,
    listener: number,
    options: { insert: boolean; propagate: boolean; once: boolean; builtin: boolean },
  ): void {
    const existing = this.#find(node, listener);
    if (existing !== -1 && !this.registrations[existing]!.fired) return;
    this.remove(node, listener);
    this.registrations.push({ node, listener, ...options, time: ++this.#time, fired: false });
  }

  remove(node: number, listener: number): boolean {
    const index = this.#find(node, listener);
    if (index !== -1) this.registrations.splice(index, 1);
    return index !== -1;
  }

  has(node: number, listener: number): boolean {
    return this.#find(node, listener) !== -1;
  }

  fire(node: number): void {
    for (const registration of this.#effective(node)) if (registration.once) registration.fired = true;
  }

  effective(node: number): string[] {
    return this.#effective(node).map(({ node: at, listener }) => `listener ${listener} of ${at}`);
  }

  #find(node: number, listener: number): number {
    return this.registrations.findIndex((each) => each.node === node && each.listener === listener);
  }

  #ancestors(node: number): Set<number> {
    return new Set([...this.parents[node]!].flatMap((parent) => [parent, ...this.#ancestors(parent)]));
  }

  #effective(node: number) {
    const ancestors = this.#ancestors(node);
    const rank = (each: (typeof this.registrations)[number]) => (each.insert ? 0 : each.builtin ? 1 : 2);
    return this.registrations
      .filter((each) => !each.fired && (each.node === node || (each.propagate && ancestors.has(each.node))))
      .sort(
        (a, b) =>
          this.levels[a.node]! - this.levels[b.node]! ||
          rank(a) - rank(b) ||
          (a.insert ? b.time - a.time : a.time - b.time),
      );
  }
}

const nodeIndex = fc.nat({ max: NODES - 1 });
const listenerIndex = fc.nat({ max: LISTENERS.length - 1 });
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      step: fc.constant("listen" as const),
      node: nodeIndex,
      listener: listenerIndex,
      options: fc.record({ insert: fc.boolean(), propagate: fc.boolean(), once: fc.boolean(), builtin: fc.boolean() }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ step: fc.constant("remove" as const), node: nodeIndex, listener: listenerIndex }),
  },
  { weight: 2, arbitrary: fc.record({ step: fc.constant("addParent" as const), node: nodeIndex, parent: nodeIndex }) },
  { weight: 1, arbitrary: fc.record({ step: fc.constant("fire" as const), node: nodeIndex }) },
);

test("the order of listeners follows the rules after any sequence of changes to any graph of nodes", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 2 }), { minLength: NODES, maxLength: NODES }),
      // The parents a node is created with. It is created when a step needs it, so that its parents may have listeners already.
      fc.array(fc.tuple(nodeIndex, nodeIndex), { maxLength: 5 }),
      fc.array(step, { maxLength: 40 }),
      (levels, bornWith, steps) => {
        const model = new Model(levels);
        const nodes: EventNode<"load" | "init">[] = [];
        const heard = new Set<string>();
        const created = (index: number): EventNode<"load" | "init"> => {
          const existing = nodes[index];
          if (existing !== undefined) return existing;
          const parents = bornWith
            .filter(([child, parent]) => child === index && parent < index)
            .map(([, parent]) => parent);
          for (const parent of parents) model.parents[index]!.add(parent);
          const node = new EventNode(family, String(index), { level: levels[index]!, parents: parents.map(created) });
          node.onRegistration = (name, { listener, node: at }) =>
            heard.add(`${index} ${name} ${listener.name} of ${at.description}`);
          return (nodes[index] = node);
        };

        for (const each of steps) {
          if (each.step === "addParent") {
            // Parents have the smaller number, which rules circles out.
            const [parent, child] = [Math.min(each.node, each.parent), Math.max(each.node, each.parent)];
            if (parent === child) continue;
            created(child).addParent(created(parent));
            model.parents[child]!.add(parent);
          } else if (each.step === "listen") {
            const { insert, propagate, once, builtin } = each.options;
            created(each.node).listen("load", LISTENERS[each.listener]!, { insert, propagate, once }, { builtin });
            model.listen(each.node, each.listener, each.options);
          } else if (each.step === "remove") {
            const removed = created(each.node).remove("load", LISTENERS[each.listener]!);
            expect(removed).toBe(model.remove(each.node, each.listener));
          } else {
            emit(created(each.node).dispatch.load, {});
            model.fire(each.node);
          }

          nodes.forEach((node, index) => {
            const effective = (node.dispatch.load ?? []).map(
              ({ listener, node: at }) => `${listener.name} of ${at.description}`,
            );
            expect(effective).toEqual(model.effective(index));
            expect(node.dispatch.load?.length).not.toBe(0);
            expect(node.dispatch.init).toBeUndefined();
            for (const each of effective) expect(heard).toContain(`${index} load ${each}`);
            LISTENERS.forEach((listener, number) => expect(node.has("load", listener)).toBe(model.has(index, number)));
          });
        }
      },
    ),
    { numRuns: 300 },
  );
});
