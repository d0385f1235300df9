import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: [
      "packages/athanor/src/**/*.test.ts",
      "packages/athanor/test/**/*.test.ts",
      "scripts/**/*.test.ts",
      "examples/*/test/**/*.test.ts",
    ],
    // Measured on two cores with a PGlite per file: threads are a fifth faster than forks, and by default Vitest
    // leaves one core idle.
    pool: "threads",
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
