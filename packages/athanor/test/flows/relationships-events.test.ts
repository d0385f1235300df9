import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type Attribute,
  attributes,
  type Initiator,
  integer,
  listen,
  type Listening,
  load,
  many,
  Metadata,
  model,
  NO_VALUE,
  one,
  select,
  selectinLoad,
  text,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { openSessions } from "./open-sessions.ts";

const metadata = new Metadata();

class Parent extends model(
  "parents",
  {
    id: integer().primaryKey(),
    get children() {
      return many(Child, { backPopulates: "parent", orderBy: "id" });
    },
    get friends() {
      return many(Friend).asSet();
    },
    get settings() {
      return many(Setting).keyedBy("key");
    },
  },
  { metadata },
) {}

class Child extends model(
  "children",
  {
    id: integer().primaryKey(),
    name: text(),
    parentId: integer().nullable().references("parents.id"),
    get parent() {
      return one(Parent, { backPopulates: "children" });
    },
  },
  { metadata },
) {}

class Friend extends model(
  "friends",
  { id: integer().primaryKey(), name: text(), parentId: integer().nullable().references("parents.id") },
  { metadata },
) {}

class Setting extends model(
  "settings",
  { id: integer().primaryKey(), key: text(), parentId: integer().nullable().references("parents.id") },
  { metadata },
) {}

const listenings: Listening[] = [];
let log: string[] = [];

beforeEach(() => {
  const by = ({ key, operation }: Initiator): string => `(${operation} ${key})`;
  const shown = (value: unknown): string => (value === NO_VALUE ? "NO_VALUE" : named(value));
  const watched: Attribute<Parent, unknown, "many">[] = [
    attributes(Parent).children,
    attributes(Parent).friends,
    attributes(Parent).settings,
  ];
  for (const attribute of watched as Attribute<Parent, Child[], "many">[]) {
    const { key } = attribute;
    for (const event of ["append", "appendWithoutMutation", "remove"] as const)
      listenings.push(
        listen(attribute, event, ({ value, initiator }) => {
          log.push(`${event} ${named(value)} ${by(initiator)}`);
        }),
      );
    listenings.push(
      listen(attribute, "bulkReplace", ({ values, initiator }) => {
        log.push(`bulkReplace [${values.map(named).join()}] ${by(initiator)}`);
      }),
      listen(attribute, "initCollection", () => log.push(`initCollection ${key}`)),
      listen(attribute, "disposeCollection", ({ collection }) => {
        log.push(`disposeCollection [${[...(collection as Iterable<unknown>)].map(named).join()}]`);
      }),
    );
  }
  listenings.push(
    listen(attributes(Child).parent, "set", ({ target, value, oldValue, initiator }) => {
      log.push(`set ${target.name}.parent ${shown(oldValue)} -> ${shown(value)} ${by(initiator)}`);
    }),
  );
});

afterEach(() => {
  for (const listening of listenings.splice(0)) listening.remove();
  log = [];
});

function named(value: unknown): string {
  if (value instanceof Parent) return "parent";
  if (value instanceof Child || value instanceof Friend) return value.name;
  return value instanceof Setting ? value.key : String(value);
}

function taken(): string[] {
  return log.splice(0);
}

const children = (...names: string[]): Child[] => names.map((name) => new Child({ name }));

describe("a collection", () => {
  test("is made when it is first read, and again when it is replaced", () => {
    const parent = new Parent({});
    expect(parent.children).toEqual([]);
    expect(parent.children).toBe(parent.children);
    expect(taken()).toEqual(["initCollection children"]);
    parent.children = [];
    expect(taken()).toEqual([
      "initCollection children",
      "bulkReplace [] (bulkReplace children)",
      "disposeCollection []",
    ]);
  });

  test("tells what enters and leaves, with the attribute and operation that began it", () => {
    const [a, b] = children("a", "b");
    const parent = new Parent({ children: [a as Child] });
    taken();
    parent.children.push(b as Child);
    (a as Child).parent = null;
    expect(taken()).toEqual([
      "set b.parent NO_VALUE -> parent (append children)",
      "append b (append children)",
      "remove a (replace parent)",
      "set a.parent parent -> null (replace parent)",
    ]);
    parent.children.pop();
    expect(taken()).toEqual(["set b.parent parent -> null (remove children)", "remove b (remove children)"]);
  });

  test("that is replaced tells what is new, what stays and what goes, and then lets go of the old one", () => {
    const [a, b, c] = children("a", "b", "c") as [Child, Child, Child];
    const parent = new Parent({ children: [a, b] });
    taken();
    parent.children = [b, c];
    expect(taken()).toEqual([
      "initCollection children",
      "bulkReplace [b,c] (bulkReplace children)",
      "set c.parent NO_VALUE -> parent (bulkReplace children)",
      "append c (bulkReplace children)",
      "appendWithoutMutation b (bulkReplace children)",
      "remove a (replace parent)",
      "set a.parent parent -> null (bulkReplace children)",
      "remove a (bulkReplace children)",
      "disposeCollection [a,b]",
    ]);
    const same = parent.children;
    parent.children = same;
    expect(taken()).toEqual(["initCollection children", "bulkReplace [b,c] (bulkReplace children)"]);
    expect(parent.children).toBe(same);
  });

  test("of which a listener of bulkReplace changes the values becomes what it says", () => {
    const [a, b] = children("a", "b") as [Child, Child];
    listenings.push(listen(attributes(Parent).children, "bulkReplace", ({ values }) => values.splice(0, 1)));
    const parent = new Parent({ children: [a, b] });
    expect(parent.children).toEqual([b]);
    expect([a.parent, b.parent]).toEqual([null, parent]);
  });

  test("that is a set tells a member that is in already", () => {
    const friend = new Friend({ name: "f" });
    const parent = new Parent({});
    parent.friends.add(friend).add(friend);
    parent.friends.delete(new Friend({ name: "stranger" }));
    expect(taken()).toEqual([
      "initCollection friends",
      "append f (append friends)",
      "appendWithoutMutation f (append friends)",
    ]);
  });

  test("that is a map tells the element that another takes the place of", () => {
    const [old, next] = [new Setting({ key: "k" }), new Setting({ key: "k" })];
    const parent = new Parent({});
    parent.settings.set("k", old);
    taken();
    parent.settings.set("k", next);
    expect(taken()).toEqual(["remove k (remove settings)", "append k (append settings)"]);
    expect([...parent.settings.values()]).toEqual([next]);
  });
});

forEachDatabase((db) => {
  test("a collection that is loaded is made, and nothing enters it; what its other side changed before is told at once", async () => {
    const { SessionLocal } = await openSessions(db, metadata, [Parent, Child, Friend, Setting]);
    await using session = SessionLocal();
    const [a, b] = children("a", "b") as [Child, Child];
    const parent = new Parent({ children: [a] });
    session.addAll([parent, b]);
    await session.commit();
    session.expire(parent, ["children"]);
    session.expire(b, ["parent"]);
    taken();
    b.parent = parent;
    expect(taken()).toEqual(["append b (replace parent)", "set b.parent NO_VALUE -> parent (replace parent)"]);
    expect(await session.noAutoflush(() => load(parent, "children"))).toEqual([a, b]);
    expect(taken()).toEqual(["initCollection children"]);
    await session.commit();
    session.expire(parent);
    taken();
    await session.scalars(select(Parent).options(selectinLoad(Parent, "children")));
    expect(parent.children).toEqual([a, b]);
    expect(taken()).toEqual(["initCollection children"]);
  });
});
