import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type AnyModel,
  createAll,
  dropAll,
  inherit,
  inspect,
  type Instance,
  integer,
  joinedLoad,
  load,
  many,
  Metadata,
  model,
  select,
  selectinLoad,
  selectinPolymorphic,
  type Session,
  sessionmaker,
  text,
  timestamp,
  withPolymorphic,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";

// Random hierarchies, of classes with tables of their own and in those of their parents, are the same however they are loaded, and are written right afterwards.

type Values = Readonly<Record<string, string | number | Date | null>>;

interface ClassPlan {
  /** Of the classes before it, the one that it inherits from. */
  readonly parent: number;
  readonly isJoined: boolean;
  readonly columns: readonly ("text" | "integer" | "timestamp")[];
  readonly polymorphicLoad: "inline" | "selectin" | undefined;
}

interface HierarchyPlan {
  readonly all: boolean;
  readonly classes: readonly ClassPlan[];
  readonly rows: readonly { readonly of: number; readonly seed: number; readonly owner: number }[];
  readonly chosen: readonly number[];
  readonly offset: number;
  readonly limit: number;
}

const classPlan: fc.Arbitrary<ClassPlan> = fc.record({
  parent: fc.nat(),
  isJoined: fc.boolean(),
  columns: fc.array(fc.constantFrom("text", "integer", "timestamp"), { maxLength: 2 }),
  polymorphicLoad: fc.constantFrom(undefined, undefined, "inline", "selectin"),
});

const hierarchyPlan: fc.Arbitrary<HierarchyPlan> = fc.record({
  all: fc.boolean(),
  classes: fc.array(classPlan, { minLength: 2, maxLength: 7 }),
  rows: fc.array(fc.record({ of: fc.nat(), seed: fc.nat(1000), owner: fc.nat(2) }), { minLength: 1, maxLength: 12 }),
  chosen: fc.array(fc.nat(), { maxLength: 4 }),
  offset: fc.nat(3),
  limit: fc.integer({ min: 1, max: 12 }),
});

const columnOf = {
  text: () => text().nullable(),
  integer: () => integer().nullable(),
  timestamp: () => timestamp().nullable(),
} as const;

function valueOf(kind: keyof typeof columnOf, seed: number): string | number | Date | null {
  if (seed % 5 === 0) return null;
  if (kind === "text") return `t${seed}`;
  return kind === "integer" ? seed : new Date(seed * 1000);
}

/** A class of the hierarchy, with all columns that its instances have. */
interface Declared {
  readonly model: AnyModel & (new (values: object) => Instance & { id: number });
  readonly table: string;
  readonly depth: number;
  readonly columns: Readonly<Record<string, keyof typeof columnOf>>;
}

/** Databases keep what they know of a table's columns for statements of the same text, so no two hierarchies have a table of one name. */
let lastHierarchy = 0;

function declare({ all, classes }: HierarchyPlan): {
  readonly metadata: Metadata;
  readonly Owner: AnyModel & (new (values: object) => Instance);
  readonly hierarchy: readonly Declared[];
} {
  const metadata = new Metadata();
  const prefix = `h${++lastHierarchy}_`;
  class Root extends model(
    `${prefix}roots`,
    {
      id: integer().primaryKey(),
      kind: text(),
      name: text().nullable(),
      ownerId: integer().references(`${prefix}owners.id`),
    },
    { metadata, polymorphicOn: "kind", identity: "root", ...(all && { withPolymorphic: "*" as const }) },
  ) {}
  class Owner extends model(
    `${prefix}owners`,
    {
      id: integer().primaryKey(),
      get roots() {
        return many(Root, { orderBy: "id" });
      },
    },
    { metadata },
  ) {}
  const hierarchy: Declared[] = [
    { model: Root as never, table: `${prefix}roots`, depth: 0, columns: { name: "text" } },
  ];
  classes.forEach(({ parent, isJoined, columns, polymorphicLoad }, index) => {
    const shallow = hierarchy.filter(({ depth }) => depth < 3);
    const above = shallow[parent % shallow.length] as Declared;
    const table = isJoined ? `${prefix}parts_${index}` : above.table;
    const own = Object.fromEntries(columns.map((kind, at) => [`c${index}_${at}`, kind]));
    // Two tables may each have a column of that name, unless one class has both.
    if (isJoined && !("note" in above.columns)) own["note"] = "text";
    const properties = Object.fromEntries(Object.entries(own).map(([key, kind]) => [key, columnOf[kind]()]));
    const key = isJoined ? { id: integer().primaryKey().references(`${above.table}.id`) } : {};
    const options = { identity: `k${index}`, ...(isJoined && { table }), ...(polymorphicLoad && { polymorphicLoad }) };
    const Part = class extends inherit(above.model, options, { ...key, ...properties }) {};
    Object.defineProperty(Part, "name", { value: `K${index}` });
    hierarchy.push({ model: Part as never, table, depth: above.depth + 1, columns: { ...above.columns, ...own } });
  });
  return { metadata, Owner: Owner as never, hierarchy };
}

type Found = readonly (readonly [className: string, id: number, values: Values])[];

forEachDatabase((db) => {
  test(
    "a hierarchy is the same however it is loaded, and is written right afterwards",
    { timeout: 240_000 },
    async () => {
      const engine = db.engine();
      await fc.assert(
        fc.asyncProperty(hierarchyPlan, async (plan) => {
          const { metadata, Owner, hierarchy } = declare(plan);
          const [{ model: Root }] = hierarchy as [Declared];
          const classOf = (number: number): Declared => hierarchy[number % hierarchy.length] as Declared;
          const byModel = new Map<unknown, Declared>(hierarchy.map((each) => [each.model, each]));
          const SessionLocal = sessionmaker(engine, { models: [Owner, ...hierarchy.map((each) => each.model)] });
          const expected: (readonly [string, number, Values])[] = plan.rows.map(({ of, seed }, index) => {
            const { model: rowClass, columns } = classOf(of);
            const values = Object.entries(columns).map(([key, kind], at) => [key, valueOf(kind, seed + at)] as const);
            return [rowClass.name, index + 1, Object.fromEntries(values)];
          });
          const chosen = plan.chosen.map((number) => classOf(number).model).filter((each) => each !== Root);
          const everyClass = hierarchy.slice(1).map((each) => each.model);

          /** What instances hold, with what is not in memory loaded one by one where that is allowed. */
          const told = async (found: readonly Instance[], isComplete: boolean): Promise<Found> => {
            const rows: (readonly [string, number, Values])[] = [];
            for (const instance of found) {
              const { columns } = byModel.get(instance.constructor) as Declared;
              const keys = Object.keys(columns);
              if (isComplete) expect(keys.filter((key) => inspect(instance).unloaded.has(key))).toEqual([]);
              for (const key of keys) await load(instance, key as never);
              const values = Object.fromEntries(keys.map((key) => [key, (instance as never)[key]]));
              rows.push([instance.constructor.name, (instance as unknown as { id: number }).id, values as Values]);
            }
            return rows;
          };
          const inSession = async (check: (session: Session) => Promise<void>): Promise<void> => {
            await using session = SessionLocal();
            await check(session);
          };

          await createAll(engine, { metadata });
          try {
            await SessionLocal.begin((session) => {
              session.addAll([0, 1, 2].map((id) => new Owner({ id })));
              plan.rows.forEach(({ of, owner }, index) => {
                const [, id, values] = expected[index] as Found[number];
                session.add(new (classOf(of).model)({ id, ownerId: owner, ...values }));
              });
            });
            const statements = [
              [select(Root), false],
              [select(Root).options(selectinPolymorphic(Root, chosen)), false],
              [select(Root).options(selectinPolymorphic(Root, everyClass)), true],
              [select(withPolymorphic(Root, chosen)), false],
              [select(withPolymorphic(Root, "*")), true],
              [select(withPolymorphic(Root, "*", "parts")), true],
              [select(withPolymorphic(Root, chosen)).options(selectinPolymorphic(Root, everyClass)), true],
            ] as const;
            for (const [statement, isComplete] of statements) {
              const ordered = statement.orderBy((root) => (root as unknown as Record<"id", never>).id);
              await inSession(async (session) => {
                const all = (await session.scalars(ordered)).all() as unknown as Instance[];
                expect(await told(all, isComplete)).toEqual(expected);
              });
              await inSession(async (session) => {
                const page = ordered.offset(plan.offset).limit(plan.limit);
                const some = (await session.scalars(page)).all() as unknown as Instance[];
                expect(await told(some, isComplete)).toEqual(expected.slice(plan.offset, plan.offset + plan.limit));
              });
            }
            const paths = [selectinLoad, joinedLoad].flatMap((along) => {
              const path = along(Owner, "roots" as never) as ReturnType<typeof selectinLoad<typeof Root, never>>;
              return [
                [path, false],
                [path.selectinPolymorphic(everyClass as never), true],
                [path.ofType(withPolymorphic(Root, "*") as never), true],
                [path.ofType(withPolymorphic(Root, chosen) as never), false],
              ] as const;
            });
            for (const [path, isComplete] of paths) {
              await inSession(async (session) => {
                const owners = (await session.scalars(select(Owner).options(path as never))).all();
                const found = owners.flatMap(
                  (owner) => (owner as unknown as { roots: (Instance & { id: number })[] }).roots,
                );
                expect(
                  await told(
                    found.toSorted((left, right) => left.id - right.id),
                    isComplete,
                  ),
                ).toEqual(expected);
              });
            }
            await inSession(async (session) => {
              const found: Instance[] = [];
              for (const [, id] of expected) found.push((await session.get(Root, id as never)) as Instance);
              expect(await told(found, false)).toEqual(expected);
            });
            const changed: (readonly [string, number, Values])[] = [];
            await inSession(async (session) => {
              const all = select(withPolymorphic(Root, chosen)).orderBy(
                (root) => (root as never as Record<"id", never>).id,
              );
              for (const instance of (await session.scalars(all)).all() as unknown as (Instance & { id: number })[]) {
                const { columns } = byModel.get(instance.constructor) as Declared;
                const [, id, values] = expected[instance.id - 1] as Found[number];
                const [key, kind] = Object.entries(columns).at(id % Object.keys(columns).length) as [string, "text"];
                const value = valueOf(kind, id * 7 + 1);
                (instance as unknown as Record<string, unknown>)[key] = value;
                changed.push([instance.constructor.name, id, { ...values, [key]: value }]);
              }
              await session.commit();
            });
            await inSession(async (session) => {
              const all = select(Root).orderBy((root) => (root as never as Record<"id", never>).id);
              expect(await told((await session.scalars(all)).all() as unknown as Instance[], false)).toEqual(changed);
            });
          } finally {
            await dropAll(engine, { metadata });
          }
        }),
        { numRuns: 25 },
      );
    },
  );
});
