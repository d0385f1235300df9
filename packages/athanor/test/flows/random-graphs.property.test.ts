import fc from "fast-check";
import { expect, test } from "vitest";
import {
  createAll,
  integer,
  load,
  many,
  Metadata,
  model,
  one,
  type Session,
  sessionmaker,
  table,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";

const metadata = new Metadata();

class Node extends model(
  "nodes",
  {
    id: integer().primaryKey(),
    parent_id: integer().nullable().references("nodes.id"),
    get parent() {
      return one(Node, { backPopulates: "children" });
    },
    get children() {
      return many(Node, { backPopulates: "parent", orderBy: "id" });
    },
    get tags() {
      return many(Tag, { secondary: "node_tags", backPopulates: "nodes", orderBy: "id" });
    },
  },
  { metadata },
) {}
class Tag extends model(
  "tags",
  {
    id: integer().primaryKey(),
    get nodes() {
      return many(Node, { secondary: "node_tags", backPopulates: "tags", orderBy: "id" });
    },
  },
  { metadata },
) {}
table(
  "node_tags",
  {
    node_id: integer().primaryKey().references("nodes.id"),
    tag_id: integer().primaryKey().references("tags.id"),
  },
  { metadata },
);

const [nodeCount, tagCount] = [5, 3];

/** What the graph should be: who is whose parent, and which tags each node has. */
interface Expected {
  parents: (number | null)[];
  tags: Set<number>[];
}

type Step =
  | { readonly kind: "parent" | "child"; readonly node: number; readonly parent: number | null }
  | { readonly kind: "tag" | "node"; readonly node: number; readonly tag: number; readonly has: boolean }
  | { readonly kind: "flush" | "commit" | "rollback" | "expire" };

const node = fc.nat(nodeCount - 1);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constantFrom("parent", "child"), node, parent: fc.option(node) }),
    fc.record({ kind: fc.constantFrom("tag", "node"), node, tag: fc.nat(tagCount - 1), has: fc.boolean() }),
    fc.record({ kind: fc.constantFrom("flush", "commit", "rollback", "expire") }),
  ),
  { maxLength: 40 },
);

forEachDatabase((database) => {
  test(
    "after any changes of any graph the database holds what the objects were told",
    { timeout: 120_000 },
    async () => {
      const engine = database.engine();
      await createAll(engine, { metadata });
      await fc.assert(
        fc.asyncProperty(steps, fc.boolean(), async (taken, expireOnCommit) => {
          await using session = sessionmaker(engine, { expireOnCommit })();
          const nodes = Array.from({ length: nodeCount }, () => new Node({}));
          const tags = Array.from({ length: tagCount }, () => new Tag({}));
          session.addAll([...nodes, ...tags]);
          await session.commit();
          let expected: Expected = { parents: nodes.map(() => null), tags: nodes.map(() => new Set()) };
          let committed = structuredClone(expected);
          for (const step of [...taken, { kind: "commit" } as const]) {
            if (step.kind === "rollback") expected = structuredClone(committed);
            await take(session, step, nodes, tags, expected);
            if (step.kind !== "commit") continue;
            committed = structuredClone(expected);
            expect(await stored(session, nodes, tags)).toEqual(expected);
          }
        }),
        { numRuns: database.name === "sqlite" ? 1000 : 200 },
      );
    },
  );
});

/** Does one step to the objects, and to what is expected of them. */
async function take(session: Session, step: Step, nodes: Node[], tags: Tag[], expected: Expected): Promise<void> {
  switch (step.kind) {
    case "flush":
    case "commit":
    case "rollback":
      return session[step.kind]();
    case "expire":
      // What was not flushed would be lost, as it should be.
      await session.flush();
      return session.expireAll();
    case "parent":
    case "child":
      return takeParent(step.kind, step.node, step.parent, nodes, expected);
    default:
      return takeTag(step, nodes, tags, expected);
  }
}

async function takeParent(
  kind: "parent" | "child",
  child: number,
  parent: number | null,
  nodes: Node[],
  { parents }: Expected,
): Promise<void> {
  // Parents come first: a parent and its child that change places in one flush are a circle, and refused as one.
  if (parent !== null && parent >= child) return;
  const node = nodes[child] as Node;
  await load(node, "parent");
  if (kind === "parent") node.parent = parent === null ? null : (nodes[parent] as Node);
  else if (parent !== null) {
    const { children } = await loaded(nodes[parent] as Node);
    if (!children.includes(node)) children.push(node);
  } else if (node.parent !== null) {
    const { children } = await loaded(node.parent);
    children.splice(children.indexOf(node), 1);
  }
  parents[child] = parent;
}

async function loaded(parent: Node): Promise<Node> {
  await load(parent, "children");
  return parent;
}

async function takeTag(
  { kind, node, tag, has }: Extract<Step, { readonly has: boolean }>,
  nodes: Node[],
  tags: Tag[],
  expected: Expected,
): Promise<void> {
  const [owner, value] = [nodes[node] as Node, tags[tag] as Tag];
  await load(owner, "tags");
  await load(value, "nodes");
  if (kind === "tag") toggle(owner.tags, value, has);
  else toggle(value.nodes, owner, has);
  if (has) expected.tags[node]?.add(tag);
  else expected.tags[node]?.delete(tag);
}

function toggle<T>(items: T[], item: T, has: boolean): void {
  if (has && !items.includes(item)) items.push(item);
  if (!has && items.includes(item)) items.splice(items.indexOf(item), 1);
}

/** What the database holds. */
async function stored(session: Session, nodes: readonly Node[], tags: readonly Tag[]): Promise<Expected> {
  const connection = await session.connection();
  const parents: (number | null)[] = [];
  const owned: Set<number>[] = [];
  for (const { id } of nodes) {
    const [parent] = (await connection.run(`select parent_id from nodes where id = ${id}`)).rows;
    const parentId = parent?.[0];
    parents.push(parentId === null ? null : nodes.findIndex((other) => other.id === parentId));
    const { rows } = await connection.run(`select tag_id from node_tags where node_id = ${id}`);
    owned.push(new Set(rows.map(([tagId]) => tags.findIndex((other) => other.id === tagId))));
  }
  return { parents, tags: owned };
}
