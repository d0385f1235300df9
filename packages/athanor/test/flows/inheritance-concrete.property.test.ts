import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type AnyModel,
  createAll,
  dropAll,
  inherit,
  type Instance,
  integer,
  Metadata,
  model,
  select,
  sessionmaker,
  text,
  withPolymorphic,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";

// Random trees of concrete classes hold what was put into them: read together, a page at a time, and class by class; and what is written then goes where it belongs.

type Part = Instance & { id: number; name: string };

const plan = fc.record({
  classes: fc.array(
    fc.record({ parent: fc.nat(), columns: fc.array(fc.constantFrom("text", "integer"), { maxLength: 2 }) }),
    { minLength: 1, maxLength: 5 },
  ),
  rows: fc.array(fc.record({ of: fc.nat(), seed: fc.nat(100) }), { minLength: 1, maxLength: 12 }),
  offset: fc.nat(4),
  limit: fc.integer({ min: 1, max: 12 }),
});

let lastTree = 0;

forEachDatabase((db) => {
  test("classes with all of their columns are read together and by themselves", { timeout: 120_000 }, async () => {
    const engine = db.engine();
    await fc.assert(
      fc.asyncProperty(plan, async ({ classes, rows, offset, limit }) => {
        const metadata = new Metadata();
        const prefix = `t${++lastTree}_`;
        const key = integer().primaryKey();
        class Root extends model(`${prefix}roots`, { id: key, name: text() }, { metadata }) {}
        const tree: { readonly model: AnyModel; readonly columns: Readonly<Record<string, "text" | "integer">> }[] = [
          { model: Root, columns: {} },
        ];
        classes.forEach(({ parent, columns }, index) => {
          const above = tree[parent % tree.length]!;
          // Siblings may have attributes of one name, with values of one kind or of two.
          const own = Object.fromEntries(
            columns.map((kind, at) => [`c${Object.keys(above.columns).length + at}`, kind]),
          );
          const properties = Object.fromEntries(
            Object.entries(own).map(([name, kind]) => [
              name,
              kind === "text" ? text().nullable() : integer().nullable(),
            ]),
          );
          const Part = class extends inherit(
            above.model,
            { concrete: true, table: `${prefix}parts_${index}` },
            properties,
          ) {};
          Object.defineProperty(Part, "name", { value: `K${index}` });
          tree.push({ model: Part, columns: { ...above.columns, ...own } });
        });
        const expected = rows.map(({ of, seed }, index) => {
          const { model: part, columns } = tree[of % tree.length]!;
          const values = Object.entries(columns).map(([name, kind], at) => {
            const number = seed + at;
            return [name, number % 4 === 0 ? null : kind === "text" ? `v${number}` : number] as const;
          });
          return {
            part,
            id: index % 3 === 0 ? index + 1 : 100 - index,
            name: `n${String(index).padStart(2, "0")}`,
            values,
          };
        });
        const told = (found: readonly Part[]): unknown[] =>
          found.map((each) => {
            const { columns } = tree.find(({ model: part }) => part === each.constructor)!;
            const values = Object.keys(columns).map((name) => [name, (each as never as Record<string, unknown>)[name]]);
            return { part: each.constructor, id: each.id, name: each.name, values };
          });
        const SessionLocal = sessionmaker(engine, { models: tree.map(({ model: part }) => part) });
        await createAll(engine, { metadata });
        try {
          await SessionLocal.begin((session) =>
            session.addAll(
              expected.map(({ part, id, name, values }) => {
                const Part = part as unknown as new (values: object) => Part;
                return new Part({ id, name, ...Object.fromEntries(values) });
              }),
            ),
          );
          const all = select(withPolymorphic(Root, "*")).orderBy((root) => root.name);
          await using session = SessionLocal();
          expect(told((await session.scalars(all)).all())).toEqual(expected);
          session.expungeAll();
          expect(told((await session.scalars(all.offset(offset).limit(limit))).all())).toEqual(
            expected.slice(offset, offset + limit),
          );
          for (const { model: part } of tree) {
            const own = (await session.scalars(select(part as typeof Root).orderBy((root) => root.name))).all();
            expect(told(own)).toEqual(expected.filter((row) => row.part === part));
          }
          for (const each of (await session.scalars(all)).all()) each.name += "!";
          await session.commit();
          session.expungeAll();
          expect(told((await session.scalars(all)).all())).toEqual(
            expected.map((row) => ({ ...row, name: `${row.name}!` })),
          );
          await session.commit();
        } finally {
          await dropAll(engine, { metadata });
        }
      }),
      { numRuns: 25 },
    );
  });
});
