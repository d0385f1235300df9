import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Runs the benchmark with the arguments it is given. The peers it compares with are installed from its own lockfile
 * when that has changed, and stdout is left to the benchmark: `npm run -s bench -- --json` prints JSON and nothing else.
 */
const root = join(import.meta.dirname, "..");
const benchDirectory = join(root, "bench");
const installedLockPath = join(benchDirectory, "node_modules/.installed-lock.json");

function installPeers(): void {
  const lock = readFileSync(join(benchDirectory, "package-lock.json"), "utf8");
  if (existsSync(installedLockPath) && readFileSync(installedLockPath, "utf8") === lock) return;
  const install = spawnSync("npm", ["ci"], {
    cwd: benchDirectory,
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32",
  });
  if (install.status !== 0) process.exit(install.status ?? 1);
  writeFileSync(installedLockPath, lock);
}

installPeers();
const bench = spawnSync(process.execPath, [join(benchDirectory, "src/main.ts"), ...process.argv.slice(2)], {
  stdio: "inherit",
});
process.exitCode = bench.status ?? 1;
