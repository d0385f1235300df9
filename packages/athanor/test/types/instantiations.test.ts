import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

// Types that are worked out anew at each use make an editor slow long before a program is large. A compiler counts them, the same on every machine.

const root = fileURLToPath(new URL("../../../..", import.meta.url));

/** A program of so many models in a circle, each with the statements and listeners that people write of one. */
function program(models: number, uses: number): string {
  const lines = [
    `import {`,
    `  attributes, boolean, func, integer, joinedLoad, listen, many, model, one, select, selectinLoad, type Session, text, timestamp,`,
    `} from ${JSON.stringify(join(root, "packages/athanor/src/index.ts"))};`,
    `declare const session: Session;`,
  ];
  for (let index = 0; index < models; index++) {
    const [next, previous] = [(index + 1) % models, (index + models - 1) % models];
    lines.push(
      `export class Model${index} extends model("table${index}", {`,
      `  id: integer().primaryKey(), name: text(), email: text().unique(), active: boolean().default(true), nickname: text().nullable(),`,
      `  createdAt: timestamp().default(() => new Date()), nextId: integer().nullable().references("table${next}.id"),`,
      `  get next() { return one(Model${next}, { backPopulates: "previous" }); },`,
      `  get previous() { return many(Model${previous}, { backPopulates: "next" }); },`,
      `}) { greet() { return this.name; } }`,
    );
  }
  for (let index = 0; index < models; index++) {
    const [own, next] = [`Model${index}`, `Model${(index + 1) % models}`];
    for (let use = 0; use < uses; use++) {
      lines.push(
        `(await session.scalars(select(${own}).where({ name: "x" }).where((own) => own.email.like("%@x")))).all()[0]?.next?.greet();`,
        `(await session.execute(select(${own}).join("next").join(${next}, "previous").where((own, next, more) => own.id.eq(more.id))`,
        `  .groupBy((own) => own.name).columns((own, next) => ({ name: own.name, count: func.count(next.id) })))).all()[0]?.name.length;`,
        `(await session.scalars(select(${own}).options(selectinLoad(${own}, "previous").selectinLoad("next"), joinedLoad(${own}, "next")))).first();`,
        `select(${own}).where((own) => own.previous.any((related) => related.name.eq("x"))).orderBy((own) => own.createdAt.desc());`,
        `new ${own}({ name: "x", email: "y" }).next = null;`,
        `listen(${own}, "beforeInsert", ({ target }) => { target.name = target.email; });`,
        `listen(attributes(${own}).name, "set", ({ value }) => value.trim(), { retval: true });`,
      );
    }
  }
  return lines.join("\n");
}

/** How many statements and listeners one use is. */
const statementsPerUse = 7;

test(
  "the compiler works out few types for each model and statement, and no more in a large program than in a small one",
  { timeout: 120_000 },
  async () => {
    const [small, large, larger, repeated] = await instantiations([
      [10, 1],
      [30, 1],
      [50, 1],
      [10, 4],
    ]);
    // Half as much again as was counted when this was written: 1,737 and 23, with TypeScript 5.9 too.
    expect((large - small) / 20).toBeLessThan(2600);
    expect((repeated - small) / (30 * statementsPerUse)).toBeLessThan(35);
    expect(larger - large).toBeLessThan((large - small) * 1.01);
  },
);

/** How many types the compiler instantiates for programs of so many models and uses. */
async function instantiations<const TSizes extends readonly (readonly [models: number, uses: number])[]>(
  sizes: TSizes,
): Promise<{ readonly [I in keyof TSizes]: number }> {
  const directory = await mkdtemp(join(tmpdir(), "athanor-instantiations-"));
  try {
    await writeFile(join(directory, "package.json"), `{ "type": "module" }`);
    const counts: number[] = [];
    for (const [models, uses] of sizes) {
      await writeFile(join(directory, "program.ts"), program(models, uses));
      const config = {
        extends: join(root, "tsconfig.base.json"),
        compilerOptions: {
          noEmit: true,
          noUnusedParameters: false,
          // It is not compiled to be run.
          rewriteRelativeImportExtensions: false,
          allowImportingTsExtensions: true,
          typeRoots: [join(root, "node_modules/@types")],
        },
        files: ["program.ts"],
      };
      await writeFile(join(directory, "tsconfig.json"), JSON.stringify(config));
      const tsc = join(root, "node_modules/typescript/bin/tsc");
      const { stdout } = await promisify(execFile)(process.execPath, [tsc, "-p", directory, "--extendedDiagnostics"]);
      counts.push(Number(/^Instantiations:\s+(\d+)$/m.exec(stdout)?.[1]));
    }
    return counts as never;
  } finally {
    await rm(directory, { recursive: true });
  }
}
