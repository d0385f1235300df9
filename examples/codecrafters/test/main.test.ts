import { spawnSync } from "node:child_process";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { secret } from "../src/story/secret.ts";

/** The example's own folder. */
const directory = dirname(import.meta.dirname);
const main = fileURLToPath(import.meta.resolve("../src/main.ts"));

function run(...parameters: string[]): { exitCode: number | null; output: string; errors: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, parameters, { cwd: directory, encoding: "utf8" });
  return { exitCode: status, output: stdout, errors: stderr };
}

/** Runs the story with something in it that does not belong there. */
function runWith(code: string): ReturnType<typeof run> {
  return run(
    "--input-type=module",
    "--eval",
    `import { attributes, listen } from "athanor";
    import { Profile } from "./src/models/profile.ts";
    import { User } from "./src/models/user.ts";
    import "./src/backend.ts";
    ${code}
    await import("./src/main.ts");`,
  );
}

describe("npm start", { timeout: 60_000 }, () => {
  const told = run(main);

  test("tells the story on SQLite, finds everything as it should be, and ends by itself", () => {
    expect(told.errors).toBe("");
    expect(told.output).toMatch(/All \d+ checks hold\.\n$/);
    expect(told.exitCode).toBe(0);
  });

  test("prints neither a password nor a whole hash, and fits a hundred columns", () => {
    for (const password of Object.values(secret)) expect(told.output).not.toContain(password);
    expect(told.output).not.toMatch(/\$argon2id\$v=\d/);
    expect(told.output.split("\n").filter((line) => line.length > 100)).toEqual([]);
  });

  test("says what is wrong with a database that cannot be used, and exits with 1", () => {
    expect(run(main, "oracle:")).toMatchObject({
      exitCode: 1,
      output: "",
      errors: expect.stringContaining('"oracle:" is no database that createEngine knows.') as string,
    });
  });

  test.each([
    {
      rule: "addresses are in lower case",
      broken: `listen(attributes(User).email, "set", ({ value }) => value.toUpperCase(), { retval: true });`,
      failed: "addresses are stored in lower case",
    },
    {
      rule: "who pays has no trial",
      broken: `listen(User, "beforeInsert", ({ target }) => { target.trialEndsAt = new Date(); });`,
      failed: "only Ada, who does not pay, has a trial period",
    },
    {
      rule: "profiles know when they were changed",
      broken: `listen(Profile, "beforeUpdate", ({ target }) => { target.updatedAt = new Date(0); });`,
      failed: "the profile was changed, and its updatedAt moved with it",
    },
  ])("exits with 1 when a rule is broken: $rule", ({ broken, failed }) => {
    const { exitCode, output } = runWith(broken);
    expect(output).toMatch(new RegExp(`FAILED +${failed}`));
    expect(output).toMatch(/checks failed\.\n$/);
    expect(exitCode).toBe(1);
  });

  test("exits with 1 when something unexpected is thrown", () => {
    const { exitCode, errors } = runWith(
      `listen(User, "afterInsert", () => { throw new TypeError("out of coffee"); });`,
    );
    expect(errors).toContain("TypeError: out of coffee");
    expect(exitCode).toBe(1);
  });
});
