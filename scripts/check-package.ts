import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Packs the library, installs the tarball in an empty folder, imports it there and type checks against it. Neither a
 * driver nor @types/node is installed in that folder, and library types are checked, so an export whose type names
 * one of them fails here.
 */
const root = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "athanor-package-"));

function run(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly print?: boolean } = {},
) {
  execFileSync(command, args, {
    cwd: options.cwd ?? folder,
    stdio: ["ignore", options.print === true ? "inherit" : "ignore", "inherit"],
    shell: process.platform === "win32",
  });
}

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
}

function checkPackage(): void {
  run("npm", ["pack", "--workspace", "athanor", "--pack-destination", folder], { cwd: root });
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"));
  if (tarball === undefined) throw new Error("npm pack left no tarball.");

  write("package.json", JSON.stringify({ name: "user", private: true, type: "module" }));
  run("npm", ["install", "--prefer-offline", "--loglevel=error", `./${tarball}`]);

  const importAll = `import * as athanor from "athanor";\nconst names: string[] = Object.keys(athanor);\n`;
  write("main.mts", `${importAll}if (names.length === 0) throw new Error("athanor exports nothing");\n`);
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    module: "nodenext",
    target: "es2024",
    lib: ["esnext", "dom"],
    types: [],
    noEmit: true,
    skipLibCheck: false,
  };
  write("tsconfig.json", JSON.stringify({ compilerOptions, files: ["main.mts"] }));
  run(process.execPath, ["main.mts"], { print: true });
  for (const compiler of ["typescript", "typescript-5.9"]) {
    run(process.execPath, [join(root, "node_modules", compiler, "bin/tsc")], { print: true });
  }
  console.error(`package: ${tarball} installs, imports and type checks`);
}

try {
  checkPackage();
} catch (error) {
  console.error(`package: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
