import { describe, expect, test } from "vitest";
import { findViolations } from "./check-layers.ts";

function check(files: Record<string, string>): string[] {
  const sources = Object.entries(files).map(([path, text]) => ({ path, text }));
  return findViolations(sources, ["kysely"]).map(({ path, line, rule }) => `${path}:${line} ${rule}`);
}

describe("layers", () => {
  test("a folder imports from itself and from the folders to its left", () => {
    expect(
      check({
        "session/session.ts": `import { listen } from "../event/listen.ts";\nimport { flush } from "./flush.ts";`,
        "index.ts": `export * from "./session/session.ts";\nexport { select } from "./sql/select.ts";`,
      }),
    ).toEqual([]);
  });

  test("a folder does not import from its right", () => {
    expect(check({ "instance/state.ts": `\nimport { Session } from "../session/session.ts";` })).toEqual([
      "instance/state.ts:2 layer",
    ]);
    expect(check({ "event/a.ts": `export * from "../mapping/model.ts";` })).toEqual(["event/a.ts:1 layer"]);
  });

  test("types may come from the right", () => {
    expect(
      check({
        "instance/state.ts": `
          import type { Session } from "../session/session.ts";
          export type { Mapper } from "../mapping/mapper.ts";
          export type Later = import("../sql/select.ts").Select;`,
      }),
    ).toEqual([]);
  });

  test("inline type specifiers still load the file", () => {
    expect(check({ "instance/state.ts": `import { type Session } from "../session/session.ts";` })).toEqual([
      "instance/state.ts:1 layer",
    ]);
  });

  test("imports in comments and strings are not imports", () => {
    expect(
      check({
        "event/a.ts": `// import { x } from "../session/x.ts"\nconst text = 'import "../session/x.ts"';\nconst re = /import("pg")/;`,
      }),
    ).toEqual([]);
  });

  test("a folder that is not a layer, or a path that leaves src, is refused", () => {
    expect(check({ "shared/a.ts": "", "event/b.ts": `import "../../test/x.ts";` })).toEqual([
      "event/b.ts:1 layer",
      "shared/a.ts:1 layer",
    ]);
  });
});

describe("index.ts", () => {
  test("is imported by nobody but tests and extensions, not even for types", () => {
    expect(
      check({
        "event/a.ts": `import { listen } from "../index.ts";`,
        "event/b.ts": `import type { Session } from "../index.ts";`,
        "event/a.test.ts": `import { listen } from "../index.ts";`,
        "extensions/soft-delete.ts": `import { listen } from "../index.ts";`,
      }),
    ).toEqual(["event/a.ts:1 index", "event/b.ts:1 index"]);
  });

  test("is alone in src", () => {
    expect(check({ "event/a.ts": `import { x } from "../errors.ts";` })).toEqual(["event/a.ts:1 index"]);
  });
});

describe("extensions", () => {
  test("use public names and their own folder", () => {
    expect(
      check({
        "extensions/audit/audit.ts": `import { listen } from "../../index.ts";\nimport { write } from "./write.ts";`,
        "extensions/audit/write.ts": `import type { Session } from "../../session/session.ts";`,
        "extensions/other.ts": `import { listen } from "../event/listen.ts";`,
        "extensions/third/third.ts": `import { write } from "../audit/write.ts";`,
      }),
    ).toEqual([
      "extensions/audit/write.ts:1 public-names",
      "extensions/other.ts:1 public-names",
      "extensions/third/third.ts:1 public-names",
    ]);
  });
});

describe("cycles", () => {
  test("files do not import each other at run time", () => {
    const files = {
      "sql/a.ts": `import { b } from "./b.ts";`,
      "sql/b.ts": `\nimport { c } from "./c.ts";`,
      "sql/c.ts": `export { a } from "./a.ts";`,
      "sql/entry.ts": `import { a } from "./a.ts";`,
    };
    expect(check(files)).toEqual(["sql/a.ts:1 cycle"]);
    expect(check({ ...files, "sql/c.ts": `export type { a } from "./a.ts";` })).toEqual([]);
  });

  test("name the whole way round", () => {
    const [violation] = findViolations(
      [
        { path: "sql/a.ts", text: `import "./b.ts";` },
        { path: "sql/b.ts", text: `import "./a.ts";` },
      ],
      [],
    );
    expect(violation?.problem).toContain("sql/a.ts → sql/b.ts → sql/a.ts");
  });
});

describe("platform", () => {
  test("modules of Node and drivers are not imported statically, not even in engine/", () => {
    expect(
      check({
        "engine/pg.ts": `import { Client } from "pg";\nimport { PGlite } from "@electric-sql/pglite/worker";`,
        "engine/sqlite.ts": `import { DatabaseSync } from "node:sqlite";`,
        "session/scope.ts": `import { AsyncLocalStorage } from "async_hooks";`,
      }),
    ).toEqual([
      "engine/pg.ts:1 platform",
      "engine/pg.ts:2 platform",
      "engine/sqlite.ts:1 platform",
      "session/scope.ts:1 platform",
    ]);
  });

  test("their types are welcome, and engine/ may load them when they are asked for", () => {
    expect(
      check({
        "engine/pg.ts": `import type { Client } from "pg";\nconst pg = await import("pg");\nconst own = await import(name);`,
        "session/scope.ts": `import type { AsyncLocalStorage } from "node:async_hooks";`,
      }),
    ).toEqual([]);
  });

  test("import() is for engine/ alone", () => {
    expect(check({ "session/a.ts": `const pg = await import("pg");\nawait import(name);` })).toEqual([
      "session/a.ts:1 dynamic-import",
      "session/a.ts:2 dynamic-import",
    ]);
  });

  test("only declared dependencies are imported", () => {
    expect(
      check({
        "sql/a.ts": `import { sql } from "kysely";\nimport "kysely/helpers/postgres";\nimport "lodash";\nimport "athanor";`,
      }),
    ).toEqual(["sql/a.ts:3 dependency", "sql/a.ts:4 dependency"]);
  });
});

describe("names", () => {
  test("say what a file holds", () => {
    expect(
      check({
        "sql/utils.ts": "",
        "event/helpers/a.ts": "",
        "session/session-manager.test.ts": "",
        "sql/utility.ts": "",
      }),
    ).toEqual(["event/helpers/a.ts:1 name", "session/session-manager.test.ts:1 name", "sql/utils.ts:1 name"]);
  });
});
