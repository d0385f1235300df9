import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

/** A value as JSON has it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** One thing that happened: the event's name, then its arguments. */
export type EventRecord = readonly [name: string, ...fields: Json[]];

/** What one step of a program did. */
export interface StepRecord {
  readonly step: readonly [name: string, ...values: Json[]];
  readonly result?: Json;
  /** The class name of the error that the step failed with. */
  readonly error?: string;
  readonly events: readonly EventRecord[];
  /** By label, the objects that the step changed: where they stand, and the columns and collections that they hold in memory. */
  readonly state: { readonly [label: string]: Json };
  readonly new?: readonly string[];
  readonly dirty?: readonly string[];
  readonly deleted?: readonly string[];
  /** By table, all rows. */
  readonly db?: { readonly [table: string]: Json };
}

/** How a program's session is configured, and which listeners act beside the recorder. */
export interface ProgramOptions {
  readonly expireOnCommit: boolean;
  readonly autoflush: boolean;
  readonly family?: string;
  readonly hooks?: readonly string[];
}

/** Steps on one session, each with what it did when SQLAlchemy ran it. */
export interface Program {
  readonly id: string;
  readonly options: ProgramOptions;
  readonly trace: readonly StepRecord[];
}

/** Reads the programs of files, and of all files in folders: a line of JSON each, compressed or not. */
export function readPrograms(paths: readonly string[]): Program[] {
  return paths.flatMap(programFiles).flatMap(readFile);
}

function programFiles(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => /\.jsonl(\.gz)?$/.test(name))
    .sort()
    .map((name) => join(path, name));
}

function readFile(path: string): Program[] {
  const bytes = readFileSync(path);
  const lines = (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8").split("\n");
  return lines.filter((line) => line.trim() !== "").map((line) => JSON.parse(line) as Program);
}
