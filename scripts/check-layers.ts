import { readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join, posix, sep } from "node:path";
import ts from "typescript-5.9";

/** The folders of packages/athanor/src; at run time each may import from itself and from those before it. */
export const layers = [
  "event",
  "instance",
  "mapping",
  "sql",
  "engine",
  "loading",
  "unit-of-work",
  "session",
  "extensions",
] as const;

const drivers = ["pg", "pg-cursor", "@electric-sql/pglite", "mysql2", "mariadb", "better-sqlite3"];
const vagueWords = new Set(["util", "utils", "helper", "helpers", "manager", "managers"]);

/** A file of the library: its path below src, with forward slashes, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** One broken rule: where, what is wrong, and what to do about it. */
export interface Violation {
  readonly path: string;
  readonly line: number;
  readonly rule: "layer" | "public-names" | "index" | "cycle" | "platform" | "dependency" | "dynamic-import" | "name";
  readonly problem: string;
  readonly remedy: string;
}

interface ImportedModule {
  /** `type` imports are erased; `lazy` ones are `import()` calls, which load nothing until they are reached. */
  readonly kind: "static" | "type" | "lazy";
  /** What is imported; undefined for an `import()` of something computed. */
  readonly specifier: string | undefined;
  readonly line: number;
}

interface Edge {
  readonly from: string;
  readonly to: string;
  readonly line: number;
}

/** Lists every way in which the files break the layer rules, in the order of their paths and lines. */
export function findViolations(files: readonly SourceFile[], dependencies: readonly string[]): Violation[] {
  const violations: Violation[] = [];
  const edges: Edge[] = [];
  for (const file of files) {
    violations.push(...findVagueNames(file.path));
    if (isTest(file.path)) continue;
    violations.push(...findUnknownFolder(file.path));
    for (const imported of collectImports(file)) {
      const to = imported.specifier === undefined ? undefined : resolveInside(file.path, imported.specifier);
      if (to !== undefined && imported.kind === "static") edges.push({ from: file.path, to, line: imported.line });
      const found = findImportViolation(file.path, imported, to, dependencies);
      if (found !== undefined) violations.push({ path: file.path, line: imported.line, ...found });
    }
  }
  violations.push(...findCycles(edges));
  return violations.sort((a, b) => (a.path === b.path ? a.line - b.line : a.path < b.path ? -1 : 1));
}

type ImportViolation = Omit<Violation, "path" | "line">;

function findImportViolation(
  from: string,
  imported: ImportedModule,
  to: string | undefined,
  dependencies: readonly string[],
): ImportViolation | undefined {
  const { kind, specifier } = imported;
  const folder = folderOf(from);
  if (kind === "lazy" && folder !== "engine") {
    return {
      rule: "dynamic-import",
      problem: `import() outside engine/`,
      remedy: "Import statically, or let engine/ load it: only a driver is loaded when a URL asks for one.",
    };
  }
  if (specifier === undefined) return undefined;
  return to === undefined
    ? findPackageViolation(kind, specifier, dependencies)
    : findLayerViolation(folder, from, to, kind);
}

function findPackageViolation(
  kind: ImportedModule["kind"],
  specifier: string,
  dependencies: readonly string[],
): ImportViolation | undefined {
  // Types are erased, and whether they resolve is for the compiler to say.
  if (kind === "type") return undefined;
  const isDriver = drivers.some((driver) => specifier === driver || specifier.startsWith(`${driver}/`));
  if (isDriver || isBuiltin(specifier)) {
    if (kind === "lazy") return undefined;
    return {
      rule: "platform",
      problem: `"${specifier}" is imported when the module loads`,
      remedy:
        "The library must load without it. Use `import type` for its types, `await import()` inside engine/ " +
        "for a driver, process.getBuiltinModule() for a module of Node.",
    };
  }
  if (dependencies.some((name) => specifier === name || specifier.startsWith(`${name}/`))) return undefined;
  return {
    rule: "dependency",
    problem: `"${specifier}" is not a dependency of the package`,
    remedy: specifier.startsWith("athanor")
      ? "Import the file by its relative path."
      : "Do without it, or add it to dependencies in packages/athanor/package.json.",
  };
}

function findLayerViolation(
  folder: string | undefined,
  from: string,
  to: string,
  kind: ImportedModule["kind"],
): ImportViolation | undefined {
  if (to.startsWith("../")) {
    return {
      rule: "layer",
      problem: `"${to}" is outside packages/athanor/src and would not be published`,
      remedy: "Move what you need into src.",
    };
  }
  // Files directly in src, which is index.ts, gather the public names from everywhere.
  if (folder === undefined) return undefined;
  if (folder === "extensions") {
    if (to === "index.ts" || to.startsWith(ownExtensionFolder(from))) return undefined;
    return {
      rule: "public-names",
      problem: `an extension imports "${to}"`,
      remedy: "Extensions use public names only, types too: import from index.ts, and export there what is missing.",
    };
  }
  const target = folderOf(to);
  if (target === undefined) {
    return {
      rule: "index",
      problem: `"${to}" is imported from ${folder}/`,
      remedy:
        to === "index.ts"
          ? "Import from the file that declares the name; index.ts is for users, extensions and tests."
          : `Move ${to} into the leftmost folder that needs it; src itself holds only index.ts.`,
    };
  }
  if (kind === "type") return undefined;
  if (layerIndex(target) <= layerIndex(folder)) return undefined;
  return {
    rule: "layer",
    problem: `${folder}/ imports "${to}" at run time, but ${target}/ stands to its right`,
    remedy:
      `Use \`import type\` if only types are needed. Otherwise declare an interface in ${folder}/ that ${target}/ ` +
      `implements, or move the code. The order is ${layers.join(" → ")}.`,
  };
}

function findUnknownFolder(path: string): Violation[] {
  const folder = folderOf(path);
  if (folder === undefined || layerIndex(folder) >= 0) return [];
  return [
    {
      path,
      line: 1,
      rule: "layer",
      problem: `${folder}/ is not a layer`,
      remedy: `Move the file into one of ${layers.join(", ")}, or give the folder its place in scripts/check-layers.ts.`,
    },
  ];
}

function findVagueNames(path: string): Violation[] {
  const names = path.split("/").map((segment) => segment.replace(/\..*$/, ""));
  const vague = names.find((name) => name.split("-").some((word) => vagueWords.has(word.toLowerCase())));
  if (vague === undefined) return [];
  return [
    {
      path,
      line: 1,
      rule: "name",
      problem: `"${vague}" does not say what is in it`,
      remedy: "Name it after the one thing it exports, or put the code beside its only user.",
    },
  ];
}

/** Reports one cycle for every group of files that reach each other by imports that run. */
function findCycles(edges: readonly Edge[]): Violation[] {
  const outgoing = Map.groupBy(edges, (edge) => edge.from);
  const reported = new Set<string>();
  const violations: Violation[] = [];
  for (const start of [...outgoing.keys()].sort()) {
    if (reported.has(start)) continue;
    const cycle = findShortestCycle(start, outgoing);
    const first = cycle?.[0];
    if (cycle === undefined || first === undefined) continue;
    // Another cycle through one of these files shows up once this one is gone.
    for (const edge of cycle) reported.add(edge.from);
    violations.push({
      path: first.from,
      line: first.line,
      rule: "cycle",
      problem: `files import each other at run time: ${[first.from, ...cycle.map((edge) => edge.to)].join(" → ")}`,
      remedy: "Make one of these an `import type`, or move what both need into a file of its own.",
    });
  }
  return violations;
}

function findShortestCycle(start: string, outgoing: ReadonlyMap<string, readonly Edge[]>): Edge[] | undefined {
  const arrivals = new Map<string, Edge>();
  const queue = [start];
  for (const file of queue) {
    for (const edge of outgoing.get(file) ?? []) {
      if (edge.to === start) {
        const cycle = [edge];
        for (let at = edge.from; at !== start;) {
          const arrival = arrivals.get(at);
          if (arrival === undefined) break;
          cycle.unshift(arrival);
          at = arrival.from;
        }
        return cycle;
      }
      if (arrivals.has(edge.to)) continue;
      arrivals.set(edge.to, edge);
      queue.push(edge.to);
    }
  }
  return undefined;
}

function collectImports(file: SourceFile): ImportedModule[] {
  const source = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, false, ts.ScriptKind.TS);
  const imports: ImportedModule[] = [];
  const add = (kind: ImportedModule["kind"], node: ts.Node, specifier: ts.Node | undefined): void => {
    imports.push({
      kind,
      specifier: specifier !== undefined && ts.isStringLiteralLike(specifier) ? specifier.text : undefined,
      line: source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1,
    });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      // `import { type A }` is no type import: its names are erased, but the file is still loaded.
      add(node.importClause?.isTypeOnly ? "type" : "static", node, node.moduleSpecifier);
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
      add(node.isTypeOnly ? "type" : "static", node, node.moduleSpecifier);
    } else if (ts.isImportEqualsDeclaration(node) && ts.isExternalModuleReference(node.moduleReference)) {
      add(node.isTypeOnly ? "type" : "static", node, node.moduleReference.expression);
    } else if (ts.isImportTypeNode(node)) {
      add("type", node, ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add("lazy", node, node.arguments[0]);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return imports;
}

function resolveInside(from: string, specifier: string): string | undefined {
  return specifier.startsWith(".") ? posix.join(posix.dirname(from), specifier) : undefined;
}

function folderOf(path: string): string | undefined {
  return path.includes("/") ? path.slice(0, path.indexOf("/")) : undefined;
}

function layerIndex(folder: string): number {
  return layers.findIndex((layer) => layer === folder);
}

/** An extension that has a folder below extensions/ keeps to it; one that is a single file shares extensions/. */
function ownExtensionFolder(path: string): string {
  return `${path.split("/").slice(0, -1).slice(0, 2).join("/")}/`;
}

function isTest(path: string): boolean {
  return path.endsWith(".test.ts");
}

function readSourceFiles(directory: string): SourceFile[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .sort()
    .map((path) => ({ path: path.split(sep).join("/"), text: readFileSync(join(directory, path), "utf8") }));
}

if (import.meta.main) {
  const packageDirectory = join(import.meta.dirname, "../packages/athanor");
  const manifest = JSON.parse(readFileSync(join(packageDirectory, "package.json"), "utf8")) as {
    dependencies?: Record<string, string>;
  };
  const files = readSourceFiles(join(packageDirectory, "src"));
  const violations = findViolations(files, Object.keys(manifest.dependencies ?? {}));
  for (const { path, line, rule, problem, remedy } of violations) {
    console.error(`packages/athanor/src/${path}:${line}  ${rule}: ${problem}\n    ${remedy}`);
  }
  console.error(
    violations.length === 0 ? `layers: ${files.length} files in order` : `layers: ${violations.length} violations`,
  );
  process.exitCode = violations.length === 0 ? 0 : 1;
}
