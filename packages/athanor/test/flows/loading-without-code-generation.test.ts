import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { tellStory } from "./loading-story.ts";

// Some platforms allow no code made from text. What is generated elsewhere are closures there, which do the same.

describe("where no code may be generated", () => {
  let generated: readonly unknown[];

  beforeAll(async () => {
    vi.resetModules();
    generated = await tellStory(await import("../../src/index.ts"));
  });

  afterAll(() => {
    vi.doUnmock("../../src/instance/generated-code.ts");
    vi.resetModules();
  });

  test("everything is as where it may be", async () => {
    expect(generated.length).toBeGreaterThan(60);
    vi.resetModules();
    const isCodeGenerationAllowed = vi.fn(() => false);
    vi.doMock("../../src/instance/generated-code.ts", () => ({
      isCodeGenerationAllowed,
      generate: () => {
        throw new EvalError("Code generation from strings disallowed for this context");
      },
    }));
    expect(await tellStory(await import("../../src/index.ts"))).toEqual(generated);
    expect(isCodeGenerationAllowed).toHaveBeenCalled();
  });

  test("Node with --disallow-code-generation-from-strings runs it too", async () => {
    const script = `
      const { tellStory } = await import(${JSON.stringify(new URL("loading-story.ts", import.meta.url).href)});
      const seen = await tellStory(await import(${JSON.stringify(new URL("../../src/index.ts", import.meta.url).href)}));
      process.stdout.write(JSON.stringify(seen));`;
    const options = ["--disallow-code-generation-from-strings", "--input-type=module", "--eval", script];
    const { stdout } = await promisify(execFile)(process.execPath, options, {
      cwd: fileURLToPath(new URL(".", import.meta.url)),
    });
    expect(JSON.parse(stdout)).toEqual(JSON.parse(JSON.stringify(generated)));
  }, 30_000);
});
