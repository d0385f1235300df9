import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

// Each page of the documents is one program: its blocks, one after another, print what stands below them.

const root = join(import.meta.dirname, "../../..");
const pages = (await readdir(join(root, "docs"))).filter((name) => name.endsWith(".md"));

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(import.meta.dirname, "docs-"));
  for (const page of pages) await writeFile(join(folder, programOf(page)), (await blocks(page, "ts")).join("\n"));
});

afterAll(() => rm(folder, { recursive: true }));

test.for(pages)("the code of docs/%s runs as it stands, and prints what stands below it", async (page) => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, programOf(page))]);
  expect(stdout).toBe((await blocks(page, "text")).join(""));
});

test.for(["typescript", "typescript-5.9"])("the compiler accepts it: %s", async (compiler) => {
  const config = {
    extends: join(root, "tsconfig.base.json"),
    compilerOptions: { noEmit: true, noUnusedParameters: false, typeRoots: [join(root, "node_modules/@types")] },
    files: pages.map(programOf),
  };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
  const run = promisify(execFile)(process.execPath, [join(root, "node_modules", compiler, "bin/tsc"), "-p", folder]);
  expect(await run.catch((error: { stdout: string }) => error)).toMatchObject({ stdout: "" });
});

function programOf(page: string): string {
  return page.replace(/md$/, "ts");
}

async function blocks(page: string, language: string): Promise<string[]> {
  const text = await readFile(join(root, "docs", page), "utf8");
  return Array.from(text.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, "g")), ([, block = ""]) => block);
}
