import { copyFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * In the repository `exports` names the sources, so that everything runs without a build. While npm packs, this makes
 * it name the built files instead, and puts the README beside them: `write` before (prepack), `restore` after (postpack).
 */
const packageDirectory = join(import.meta.dirname, "../packages/athanor");
const manifestPath = join(packageDirectory, "package.json");
const readmePath = join(packageDirectory, "README.md");
const sourceManifestPath = join(packageDirectory, "package.json.source");

interface Manifest {
  exports: Record<string, string | { readonly types: string; readonly default: string }>;
  scripts?: unknown;
}

function builtFile(source: string): { readonly types: string; readonly default: string } {
  const stem = source.replace(/^\.\/src\//, "./dist/").replace(/\.ts$/, "");
  for (const path of [`${stem}.d.ts`, `${stem}.js`]) {
    if (!existsSync(join(packageDirectory, path))) throw new Error(`exports needs ${path}, which was not built.`);
  }
  return { types: `${stem}.d.ts`, default: `${stem}.js` };
}

function write(): void {
  // A pack that was interrupted has left its original behind, and package.json is then already rewritten.
  if (existsSync(sourceManifestPath)) restore();
  const manifest = JSON.parse(readFileSync(manifestPath, "utf8")) as Manifest;
  for (const [name, target] of Object.entries(manifest.exports)) {
    if (typeof target === "string" && target.startsWith("./src/")) manifest.exports[name] = builtFile(target);
  }
  delete manifest.scripts;
  copyFileSync(manifestPath, sourceManifestPath);
  copyFileSync(join(packageDirectory, "../../README.md"), readmePath);
  writeFileSync(manifestPath, `${JSON.stringify(manifest, null, 2)}\n`);
}

function restore(): void {
  if (existsSync(sourceManifestPath)) renameSync(sourceManifestPath, manifestPath);
  rmSync(readmePath, { force: true });
}

const [, , step] = process.argv;
if (step === "write") write();
else if (step === "restore") restore();
else throw new Error("Say what to do: published-exports.ts write, or restore.");
