import { expect, test } from "vitest";
import {
  CircularDependencyError,
  createAll,
  integer,
  load,
  many,
  Metadata,
  model,
  one,
  sessionmaker,
  text,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { StatementLog } from "../statement-log.ts";

const metadata = new Metadata();
const id = integer().primaryKey();

class Node extends model(
  "nodes",
  {
    id,
    parent_id: integer().nullable().references("nodes.id"),
    name: text(),
    get children() {
      return many(Node, { backPopulates: "parent", cascade: "all", orderBy: "id" });
    },
    get parent() {
      return one(Node, { backPopulates: "children" });
    },
    get leaves() {
      return many(Leaf, { backPopulates: "node", cascade: "all, delete-orphan", orderBy: "id" });
    },
  },
  { metadata },
) {}

class Leaf extends model(
  "leaves",
  {
    id,
    node_id: integer().nullable().references("nodes.id"),
    name: text(),
    get node() {
      return one(Node, { backPopulates: "leaves" });
    },
  },
  { metadata },
) {}

forEachDatabase((db) => {
  const open = async (): Promise<{ SessionLocal: ReturnType<typeof sessionmaker>; log: StatementLog }> => {
    const engine = db.engine();
    await createAll(engine, { metadata });
    return { SessionLocal: sessionmaker(engine, { autoflush: false }), log: new StatementLog(engine, [Node, Leaf]) };
  };

  test("a tree is inserted level by level, from the root down, and deleted from the leaves up", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const node = (name: string, ...children: Node[]): Node => log.name(name, new Node({ name, children }));
    const root = node("root", node("a", node("aa"), node("ab")), node("b", node("ba")));
    session.add(root);
    await session.flush();
    expect(log.take()).toEqual([
      "beforeInsert root",
      'INSERT nodes (parent_id, name) [null,"root"]',
      "afterInsert root",
      "beforeInsert a",
      "beforeInsert b",
      'INSERT nodes (parent_id, name) [1,"a"] [1,"b"]',
      "afterInsert a",
      "afterInsert b",
      "beforeInsert aa",
      "beforeInsert ab",
      "beforeInsert ba",
      'INSERT nodes (parent_id, name) [2,"aa"] [2,"ab"] [3,"ba"]',
      "afterInsert aa",
      "afterInsert ab",
      "afterInsert ba",
    ]);
    const other = log.name("other", new Node({ name: "other" }));
    const newRoot = node("new root", node("kid"));
    session.addAll([other, newRoot]);
    const [a, b] = root.children as [Node, Node];
    b.name = "B";
    b.children.push(log.name("bb", new Node({ name: "bb" })));
    await session.flush();
    expect(log.take()).toEqual([
      "beforeInsert other",
      "beforeInsert new root",
      'INSERT nodes (parent_id, name) [null,"other"] [null,"new root"]',
      "afterInsert other",
      "afterInsert new root",
      "beforeUpdate b",
      'UPDATE nodes SET name WHERE id ["B",3]',
      "afterUpdate b",
      "beforeInsert kid",
      'INSERT nodes (parent_id, name) [8,"kid"]',
      "afterInsert kid",
      "beforeInsert bb",
      'INSERT nodes (parent_id, name) [3,"bb"]',
      "afterInsert bb",
    ]);
    a.parent = newRoot;
    await session.flush();
    expect(log.take()).toEqual([
      "beforeUpdate root",
      "beforeUpdate new root",
      "afterUpdate root",
      "afterUpdate new root",
      "beforeUpdate a",
      "UPDATE nodes SET parent_id WHERE id [8,2]",
      "afterUpdate a",
    ]);
    await session.delete(newRoot);
    log.take();
    await session.flush();
    expect(log.take()).toEqual([
      "beforeDelete aa",
      "beforeDelete ab",
      "beforeDelete kid",
      "DELETE nodes WHERE id [4] [5] [9]",
      "afterDelete aa",
      "afterDelete ab",
      "afterDelete kid",
      "beforeDelete a",
      "DELETE nodes WHERE id [2]",
      "afterDelete a",
      "beforeDelete new root",
      "DELETE nodes WHERE id [8]",
      "afterDelete new root",
    ]);
    await load(root, "leaves");
    log.take();
    root.leaves = [log.name("leaf", new Leaf({ name: "l" }))];
    const c = node("c");
    c.leaves = [log.name("leaf c", new Leaf({ name: "lc" }))];
    root.children.push(c);
    await session.flush();
    expect(log.take()).toEqual([
      "beforeUpdate root",
      "afterUpdate root",
      "beforeInsert c",
      'INSERT nodes (parent_id, name) [1,"c"]',
      "afterInsert c",
      "beforeInsert leaf",
      "beforeInsert leaf c",
      'INSERT leaves (node_id, name) [1,"l"] [11,"lc"]',
      "afterInsert leaf",
      "afterInsert leaf c",
    ]);
    await session.commit();
    await session.delete(root);
    log.take();
    await session.flush();
    expect(log.take()).toEqual([
      "beforeDelete leaf",
      "beforeDelete leaf c",
      "DELETE leaves WHERE id [1] [2]",
      "afterDelete leaf",
      "afterDelete leaf c",
      "beforeDelete ba",
      "beforeDelete bb",
      "beforeDelete c",
      "DELETE nodes WHERE id [6] [10] [11]",
      "afterDelete ba",
      "afterDelete bb",
      "afterDelete c",
      "beforeDelete b",
      "DELETE nodes WHERE id [3]",
      "afterDelete b",
      "beforeDelete root",
      "DELETE nodes WHERE id [1]",
      "afterDelete root",
    ]);
  });

  test("nodes that were added before their parents wait for them", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const x = log.name("x", new Node({ id: 12, name: "x" }));
    const y = log.name("y", new Node({ id: 13, name: "y", parent: x }));
    const z = log.name("z", new Node({ id: 14, name: "z", parent: y }));
    session.addAll([z, y, x]);
    await session.flush();
    expect(log.take()).toEqual([
      "beforeInsert x",
      'INSERT nodes (id, parent_id, name) [12,null,"x"]',
      "afterInsert x",
      "beforeInsert y",
      'INSERT nodes (id, parent_id, name) [13,12,"y"]',
      "afterInsert y",
      "beforeInsert z",
      'INSERT nodes (id, parent_id, name) [14,13,"z"]',
      "afterInsert z",
    ]);
    await session.delete(z);
    log.take();
    session.add(log.name("q", new Node({ name: "q", parent: x })));
    y.name = "Y";
    await session.flush();
    expect(log.take()).toEqual([
      "beforeUpdate x",
      "afterUpdate x",
      "beforeInsert q",
      "beforeUpdate y",
      'UPDATE nodes SET name WHERE id ["Y",13]',
      'INSERT nodes (parent_id, name) [12,"q"]',
      "afterInsert q",
      "afterUpdate y",
      "beforeDelete z",
      "DELETE nodes WHERE id [14]",
      "afterDelete z",
    ]);
  });

  test("rows that need each other in a circle are refused, and how to write them is said", async () => {
    const { SessionLocal, log } = await open();
    for (const isOwnParent of [true, false]) {
      await using session = SessionLocal();
      const x = new Node({ name: "x" });
      x.parent = isOwnParent ? x : new Node({ name: "y", parent: x });
      session.add(x);
      await expect(session.flush()).rejects.toThrow(CircularDependencyError);
      await session.rollback();
      session.add(x);
      await expect(session.flush()).rejects.toThrow("postUpdate: true");
      expect(log.take()).toEqual([]);
    }
  });

  test("a chain of rows may be longer than calls can be nested", async () => {
    const { SessionLocal } = await open();
    await using session = SessionLocal();
    const root = new Node({ name: "root" });
    let last = root;
    for (let depth = 1; depth < 40_000; depth++) last = new Node({ name: "node", parent: last });
    session.add(root);
    expect(session.new.size).toBe(40_000);
    session.expunge(root);
    expect(session.new.size).toBe(0);
  });
});
