import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PGlite } from "@electric-sql/pglite";

/**
 * Starts an empty PostgreSQL in memory. Creating its first database takes most of a start (1.1 to 1.8 s), so that is
 * done once per version of PGlite and kept as an archive; loading the archive takes 0.3 s. The caller closes it.
 */
export async function startPGlite(): Promise<PGlite> {
  const archivePath = await archivePathOfInstalledVersion();
  const archive = await readFile(archivePath).catch(() => undefined);
  if (archive !== undefined) return await PGlite.create({ loadDataDir: new Blob([archive]) });

  const database = await PGlite.create();
  const dump = await database.dumpDataDir("none");
  // Test files run side by side: each writes its own file, and the rename shows readers a whole one or none.
  const ownPath = `${archivePath}.${crypto.randomUUID()}`;
  await writeFile(ownPath, dump.stream());
  await rename(ownPath, archivePath);
  return database;
}

async function archivePathOfInstalledVersion(): Promise<string> {
  const packageDirectory = join(fileURLToPath(import.meta.resolve("@electric-sql/pglite")), "../..");
  const manifest = JSON.parse(await readFile(join(packageDirectory, "package.json"), "utf8")) as { version: string };
  const cacheDirectory = join(packageDirectory, "../../.cache/athanor");
  await mkdir(cacheDirectory, { recursive: true });
  return join(cacheDirectory, `pglite-${manifest.version}.tar`);
}
