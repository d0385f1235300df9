import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../../..");

test("the code in the README runs as it stands, and prints what it says", async () => {
  const readme = await readFile(join(root, "README.md"), "utf8");
  const code = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
  // The two functions that the README leaves to its reader.
  const own = `const hash = async (password: string) => \`hash of \${password.length} letters\`;
const sendWelcome = async (email: string) => { console.log("welcome", email); };\n`;
  const folder = await mkdtemp(join(import.meta.dirname, "readme-"));
  try {
    await writeFile(join(folder, "readme.ts"), own + code);
    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, "readme.ts")]);
    expect(stdout).toContain("welcome ada@example.com");
    expect(stdout).toContain("PremiumUser (key 1)");
    expect(stdout).toContain("email: 'ada@example.com'");
    expect(stdout).not.toContain("correct horse");
  } finally {
    await rm(folder, { recursive: true });
  }
});
