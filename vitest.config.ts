import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: [
      "packages/athanor/src/**/*.test.ts",
      "packages/athanor/test/**/*.test.ts",
      "scripts/**/*.test.ts",
      "examples/*/test/**/*.test.ts",
    ],
    // A process per file: V8 has been seen to crash when many threads of one process, each with a PGlite, free its compiled code. By default Vitest leaves
    // one core idle.
    pool: "forks",
    maxWorkers: "100%",
    // A machine that does other work beside is slow, which is no failure; a test that hangs is found all the same.
    testTimeout: 30_000,
    hookTimeout: 120_000,
    globalSetup: ["packages/athanor/test/announce-databases.ts"],
    typecheck: {
      enabled: true,
      checker: "node_modules/typescript/bin/tsc",
      tsconfig: "packages/athanor/test/types/tsconfig.json",
      include: ["packages/athanor/test/types/**/*.test-d.ts"],
    },
    coverage: {
      provider: "v8",
      include: ["packages/athanor/src/**/*.ts"],
      exclude: ["**/*.test.ts"],
    },
  },
});
