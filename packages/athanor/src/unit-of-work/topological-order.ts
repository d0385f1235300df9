import { CircularDependencyError } from "./errors.ts";

/** What must come after what. */
export type Edges<TNode> = ReadonlyMap<TNode, ReadonlySet<TNode>>;

/**
 * Sorts nodes into layers: each node comes in a later layer than those that must come before it, and within a layer in the order given. A circle is found when
 * everything that comes before it has been taken.
 *
 * What the edges name beside the nodes stands in no layer: it only says that all before it come before all after it.
 *
 * @throws CircularDependencyError
 */
export function* layers<TNode>(nodes: readonly TNode[], edges: Edges<TNode>): Generator<TNode[]> {
  const places = new Map<TNode, number>(nodes.map((node, index) => [node, index]));
  const waiting = new Map<TNode, number>();
  for (const [node, afters] of edges)
    for (const after of afters) if (after !== node) waiting.set(after, (waiting.get(after) ?? 0) + 1);
  let ready = nodes.filter((node) => !waiting.has(node));
  let left = nodes.length;
  while (left > 0) {
    if (ready.length === 0)
      throw new CircularDependencyError(
        "The rows of this flush need each other in a circle, so none of them can be written first. Let one of the relationships write its foreign key afterwards: postUpdate: true.",
      );
    yield ready;
    left -= ready.length;
    const next: TNode[] = [];
    for (const node of ready) release(node, next);
    ready = next.sort((left, right) => (places.get(left) as number) - (places.get(right) as number));
  }

  /** One that is taken keeps nobody waiting. */
  function release(node: TNode, next: TNode[]): void {
    for (const after of edges.get(node) ?? []) {
      if (after === node) continue;
      const count = (waiting.get(after) as number) - 1;
      waiting.set(after, count);
      if (count > 0) continue;
      if (places.has(after)) next.push(after);
      else release(after, next);
    }
  }
}

/** The nodes that stand in a circle, one that must come before itself included. Tarjan's algorithm, without recursion. */
export function stronglyConnected<TNode>(edges: Edges<TNode>): Set<TNode> {
  const index = new Map<TNode, number>();
  const low = new Map<TNode, number>();
  const onPath = new Set<TNode>();
  const path: TNode[] = [];
  const circular = new Set<TNode>();
  for (const root of edges.keys()) {
    if (index.has(root)) continue;
    const calls: { readonly node: TNode; readonly afters: Iterator<TNode> }[] = [];
    const enter = (node: TNode): void => {
      index.set(node, index.size);
      low.set(node, index.get(node) as number);
      onPath.add(node);
      path.push(node);
      calls.push({ node, afters: (edges.get(node) ?? new Set<TNode>()).values() });
    };
    enter(root);
    for (let call = calls.at(-1); call !== undefined; call = calls.at(-1)) {
      const { node, afters } = call;
      const next = afters.next();
      if (next.done !== true) {
        const after = next.value;
        if (after === node) circular.add(node);
        if (!index.has(after)) enter(after);
        else if (onPath.has(after)) low.set(node, Math.min(low.get(node) as number, index.get(after) as number));
        continue;
      }
      calls.pop();
      const caller = calls.at(-1)?.node;
      if (caller !== undefined) low.set(caller, Math.min(low.get(caller) as number, low.get(node) as number));
      if (low.get(node) !== index.get(node)) continue;
      const component = path.splice(path.lastIndexOf(node));
      for (const member of component) {
        onPath.delete(member);
        if (component.length > 1) circular.add(member);
      }
    }
  }
  return circular;
}
