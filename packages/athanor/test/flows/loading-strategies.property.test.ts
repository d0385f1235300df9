import fc from "fast-check";
import { expect, test } from "vitest";
import {
  attributes,
  immediateLoad,
  inspect,
  type Instance,
  joinedLoad,
  load,
  type LoaderPath,
  loadOnly,
  raiseLoad,
  select,
  selectinLoad,
  type Session,
  type SessionMaker,
  subqueryLoad,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { Address, openBlog, Plot, Post, Profile, Setting, Tag, Tree, User } from "./loading-blog.ts";

// The same graph, whichever way each of its relationships is loaded: paths that branch and come back, conditions, limits, a class that refers to itself, many-to-many,
// composite keys; with as many statements as there are steps, and what is not named refused.

const ways = { selectinLoad, joinedLoad, subqueryLoad, immediateLoad } as const;
type Way = keyof typeof ways;

/** Where each class leads. */
const relationships: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  User: { posts: "Post", addresses: "Address", settings: "Setting", profile: "Profile", boss: "User", team: "User" },
  Post: { author: "User", tags: "Tag" },
  Tag: { posts: "Post" },
  Profile: { user: "User" },
  Plot: { trees: "Tree" },
  Tree: { plot: "Plot" },
  Address: {},
  Setting: {},
};
const models: Readonly<Record<string, any>> = { User, Post, Tag, Profile, Plot, Tree, Address, Setting };

/** What is loaded along with instances of a class. */
type Shape = Readonly<Record<string, { readonly way: Way; readonly related: Shape }>>;

function shapeOf(className: string, depth: number): fc.Arbitrary<Shape> {
  const leads = relationships[className] ?? {};
  if (depth === 0 || Object.keys(leads).length === 0) return fc.constant({});
  const step = (target: string) =>
    fc.record({
      way: fc.constantFrom(...(Object.keys(ways) as Way[])),
      related: shapeOf(target, depth - 1),
    });
  const steps = Object.fromEntries(Object.entries(leads).map(([key, target]) => [key, step(target)]));
  return fc
    .record(steps, { requiredKeys: [] })
    .map((shape) => Object.fromEntries(Object.entries(shape).slice(0, 2)) as Shape);
}

const program = fc.constantFrom("User", "Post", "Tag", "Plot").chain((root) =>
  fc.record({
    root: fc.constant(root),
    shape: shapeOf(root, 3),
    /** Relationships of which only related rows with an even number are loaded. */
    filtered: fc.subarray(["posts", "team", "tags", "trees", "author"]),
    limit: fc.option(fc.nat(5), { nil: undefined }),
    offset: fc.nat(3),
    /** All columns are left out that need not come along, the foreign keys too. */
    isLean: fc.boolean(),
  }),
);
type Program = typeof program extends fc.Arbitrary<infer P> ? P : never;

const evenKey: Readonly<Record<string, string>> = { Tree: "id", Post: "id", User: "id", Tag: "id" };
const even = [2, 4, 6, 8, 10, 12, 14, 16, 18, 20];

function optionsOf({ root, shape, filtered, isLean }: Program): LoaderPath<any>[] {
  const keysOf = (className: string): string[] =>
    inspect(models[className] as typeof User).primaryKey.map(({ key }) => key);
  const lean = (path: any, className: string): any => (isLean ? path.loadOnly(...keysOf(className)) : path);
  const filterFor = (className: string, key: string): object => {
    const target = relationships[className]?.[key] as string;
    return filtered.includes(key) ? { where: (related: any) => related[evenKey[target] as string].in(even) } : {};
  };
  const pathsFrom = (className: string, at: Shape, begin: (way: Way, key: string, options: object) => any): any[] =>
    Object.entries(at).flatMap(([key, { way, related }]) => {
      const next = relationships[className]?.[key] as string;
      const path = lean(begin(way, key, filterFor(className, key)), next);
      return [path, ...pathsFrom(next, related, (...[name, to, options]) => path[name](to, options))];
    });
  const paths = pathsFrom(root, shape, (way, key, options) => (ways[way] as any)(models[root], key, options));
  return isLean ? [...paths, (loadOnly as any)(models[root], ...keysOf(root))] : paths;
}

function statementOf({ root, limit, offset }: Program): any {
  const model = models[root];
  const by = inspect(model as typeof User).primaryKey.map(({ key }) => (attributes(model as typeof User) as any)[key]);
  const ordered = select(model as typeof User).orderBy(() => by);
  return (limit === undefined ? ordered : ordered.limit(limit)).offset(offset);
}

const membersOf = (value: unknown): Instance[] =>
  value === null
    ? []
    : value instanceof Map || value instanceof Set
      ? [...value.values()]
      : ([value].flat() as Instance[]);

const nameOf = (instance: Instance): string => `${instance.constructor.name} ${inspect(instance).identity?.join()}`;

/** The graph as it is in memory. */
function graph(instances: readonly Instance[], shape: Shape): unknown {
  return instances.map((instance) => [
    nameOf(instance),
    ...Object.entries(shape).map(([key, { related }]) => [key, graph(membersOf((instance as any)[key]), related)]),
  ]);
}

/** The same graph, loaded step by step, with conditions worked out here. */
async function graphByLoad(
  instances: readonly Instance[],
  shape: Shape,
  filtered: readonly string[],
): Promise<unknown> {
  const found: unknown[] = [];
  for (const instance of instances) {
    const steps: unknown[] = [];
    for (const [key, { related }] of Object.entries(shape)) {
      const members = membersOf(await load(instance as User, key as "posts"));
      const kept = members.filter((member: any) => !filtered.includes(key) || even.includes(member.id));
      steps.push([key, await graphByLoad(kept, related, filtered)]);
    }
    found.push([nameOf(instance), ...steps]);
  }
  return found;
}

function countSteps(shape: Shape): number {
  return Object.values(shape).reduce((count, { related }) => count + 1 + countSteps(related), 0);
}

function isImmediate(shape: Shape): boolean {
  return Object.values(shape).some(({ way, related }) => way === "immediateLoad" || isImmediate(related));
}

async function fill(SessionLocal: SessionMaker): Promise<void> {
  await SessionLocal.begin(async (session: Session) => {
    for (let id = 4; id <= 9; id++)
      session.add(new User({ id, name: `user ${id}`, boss_id: id % 4 === 0 ? 3 : id - 3 }));
    await session.flush();
    const tags = (await session.scalars(select(Tag).orderBy((tag) => tag.id))).all();
    for (let id = 5; id <= 16; id++) {
      const own = tags.filter((_, index) => (id >> index) % 2 === 1);
      session.add(new Post({ id, title: `post ${id}`, tags: own, ...(id % 5 > 0 && { author_id: (id % 9) + 1 }) }));
    }
    for (let id = 3; id <= 9; id++) {
      session.add(new Address({ id, street: `street ${id}`, user_id: (id % 3) + 1 }));
      session.add(new Setting({ id, key: `key ${id}`, user_id: (id % 4) + 1 }));
      if (id % 2 === 0) session.add(new Profile({ id, bio: `bio ${id}`, user_id: id }));
    }
    const plots = ["elm", "oak"].flatMap((street) => [1, 2, 3].map((number) => new Plot({ street, number })));
    session.addAll(plots);
    for (let id = 1; id <= 12; id++) session.add(new Tree({ id, plot: plots[(id * id) % 5]! }));
  });
}

forEachDatabase((db) => {
  test("every way to load relationships makes the same graph", async () => {
    const { SessionLocal, sent } = await openBlog(db);
    await fill(SessionLocal);
    await fc.assert(
      fc.asyncProperty(program, async (given) => {
        const { shape, filtered } = given;
        let expected: unknown;
        {
          await using session = SessionLocal();
          const roots = (await session.scalars(statementOf(given))).all() as Instance[];
          expected = await graphByLoad(roots, shape, filtered);
        }
        sent();
        await using session = SessionLocal();
        const statement = statementOf(given).options(...optionsOf(given), raiseLoad("*"));
        const found = (await session.scalars(statement)).all() as Instance[];
        const count = sent().length;
        expect(graph(found, shape)).toEqual(expected);
        expect(sent()).toEqual([]);
        expect(session.dirty.size).toBe(0);
        // What does not know its foreign key is asked for apart from what does.
        const perStep = given.isLean ? 2 : 1;
        if (!isImmediate(shape)) expect(count).toBeLessThanOrEqual(1 + countSteps(shape) * perStep);
      }),
      { numRuns: db.name === "sqlite" ? 300 : 60 },
    );
  });
});
