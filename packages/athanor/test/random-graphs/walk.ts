import type { Engine } from "../../src/index.ts";
import { collect, create, createStart, refer, relate, remove, set, setForeignKey } from "./graph-changes.ts";
import { changeRows, expire, expunge, find, loadRelated, setAndDrop } from "./memory-changes.ts";
import { type Edge, edges, isA } from "./models.ts";
import type { Operation, Route } from "./operations.ts";
import { commit, fail, openSavepoint, release, rollback, rollbackToSavepoint } from "./transactions.ts";
import { Walker } from "./walker.ts";

/** Takes a route, and compares at the end as after every commit. */
export async function walk(engine: Engine, { manner, start, operations }: Route): Promise<void> {
  const walker = new Walker(engine, manner);
  try {
    for (const [index, { a, b, c }] of start.entries()) await createStart(walker, index, { a, b, c });
    if (start.length > 0) await commit(walker, 2, 1);
    for (const operation of operations) await take(walker, operation);
    await commit(walker, 0, 1);
  } catch (error) {
    const steps = walker.journal.map((line) => `  ${line}`).join("\n");
    const reason = error instanceof Error ? error.stack : String(error);
    throw new Error(`${reason}\nAfter these steps, in a session with ${JSON.stringify(manner)}:\n${steps}`, {
      cause: error,
    });
  } finally {
    await walker.close();
  }
}

/** An edge between things that there are. */
function edgeAt({ world }: Walker, choice: number): Edge {
  const kinds = new Set([...world.things.values()].map(({ kind }) => kind));
  const isThere = (name: string): boolean => [...kinds].some((kind) => isA(kind, name));
  const possible = edges.filter(({ child, parent }) => isThere(child) && isThere(parent));
  return (possible[choice % possible.length] ?? edges[choice % edges.length]) as Edge;
}

function take(walker: Walker, { kind, a, b, c }: Operation): void | Promise<void> {
  const edge = edgeAt(walker, a);
  switch (kind) {
    case "create":
      return create(walker, a, b, c);
    case "set":
      return set(walker, a, b);
    case "refer":
      return refer(walker, edge, b, c);
    case "set foreign key":
      return setForeignKey(walker, edge, b, c);
    case "collect":
      return collect(walker, edge, b, c, a >> 4);
    case "relate":
      return relate(walker, a, b, c);
    case "delete":
      return remove(walker, a, b);
    case "flush":
      return walker.flush();
    case "commit":
      return commit(walker, a, b);
    case "rollback":
      return rollback(walker);
    case "savepoint":
      return openSavepoint(walker);
    case "release":
      return release(walker, a);
    case "roll back to savepoint":
      return rollbackToSavepoint(walker, a);
    case "expire":
      return expire(walker, a, b);
    case "set and drop":
      return setAndDrop(walker, a, b);
    case "expunge":
      return expunge(walker, a, b);
    case "load":
      return loadRelated(walker, a, b);
    case "select":
      return find(walker, a, b);
    case "change rows":
      return changeRows(walker, a, b);
    case "fail":
      return fail(walker, a, b);
  }
}
