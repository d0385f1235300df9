import { deepStrictEqual } from "node:assert";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import {
  bigint,
  bytes,
  createAll,
  createEngine,
  inherit,
  integer,
  json,
  Metadata,
  model,
  type Session,
  sessionmaker,
  text,
  timestamp,
  transient,
} from "../../src/index.ts";

const metadata = new Metadata();
class User extends model(
  "users",
  {
    id: integer().primaryKey(),
    kind: text(),
    name: text(),
    nickname: text().nullable(),
    balance: bigint().nullable(),
    seenAt: timestamp().nullable(),
    avatar: bytes().nullable(),
    settings: json<unknown>().nullable(),
    password: transient<string>(),
  },
  { metadata, polymorphicOn: "kind", identity: "user" },
) {}
class PremiumUser extends inherit(User, { identity: "premium" }, { tier: integer().nullable() }) {}
class Part extends model(
  "parts",
  { code: text().primaryKey(), revision: integer().primaryKey(), name: text() },
  { metadata },
) {}

async function withSession(work: (session: Session) => Promise<void>): Promise<void> {
  await using engine = createEngine("sqlite::memory:");
  await createAll(engine, { metadata });
  const SessionLocal = sessionmaker(engine, { models: [User, PremiumUser, Part] });
  await SessionLocal.begin((session) => {
    session.add(new User({ id: 7, name: "Ann", password: "secret" }));
    session.add(new Part({ code: "a", revision: 1, name: "bolt" }));
  });
  await using session = SessionLocal();
  await work(session);
}

describe("console.log of an instance", () => {
  test("shows its class, where it stands, and the values that it has", () => {
    expect(inspect(new User({ name: "Ann" }))).toBe("User (transient) { kind: 'user', name: 'Ann' }");
    expect(inspect(new PremiumUser({ tier: 3 }))).toBe("PremiumUser (transient) { kind: 'premium', tier: 3 }");
    expect(inspect(new User({ nickname: null }))).toBe("User (transient) { kind: 'user', nickname: null }");
  });

  test("of a row shows its key, and null where there is no value", () =>
    withSession(async (session) => {
      expect(inspect(await session.get(User, 7), { breakLength: Infinity })).toBe(
        "User (key 7) { id: 7, kind: 'user', name: 'Ann', nickname: null, balance: null, seenAt: null, avatar: null, settings: null }",
      );
      expect(inspect(await session.get(Part, ["a", 1]))).toMatch(
        /^Part \(key .*a.*1.*\) \{ code: 'a', revision: 1, name: 'bolt' \}$/,
      );
    }));

  test("leaves out what is not loaded, and loads nothing", () =>
    withSession(async (session) => {
      const user = (await session.get(User, 7))!;
      session.expire(user);
      expect(inspect(user)).toBe("User (key 7) {}");
      user.name = "Bob";
      expect(inspect(user)).toBe("User (key 7) { name: 'Bob' }");
    }));

  test("never shows a transient property, however it is printed", () => {
    const user = new User({ name: "Ann", password: "secret" });
    const all = [
      inspect(user),
      inspect(user, { showHidden: true, depth: Infinity, getters: true }),
      inspect(user, { customInspect: false, showHidden: true, depth: Infinity }),
      inspect(Object.assign({}, user), { showHidden: true, depth: Infinity }),
      JSON.stringify(user),
      JSON.stringify(Object.entries(user)),
      String(user),
    ];
    for (const printed of all) expect(printed).not.toContain("secret");
  });

  test("is short where it is nested deeply, and whole where it is not", () => {
    const user = new User({ name: "Ann" });
    expect(inspect({ user })).toBe("{ user: User (transient) { kind: 'user', name: 'Ann' } }");
    expect(inspect({ a: { b: { c: { user } } } }, { depth: 3 })).toContain("user: [User (transient)]");
    expect(inspect([user], { depth: 0 })).toBe("[ [User (transient)] ]");
  });

  test("keeps the options for its values", () => {
    const user = new User({ name: "Ann", settings: { a: { b: { c: 1 } } } });
    expect(inspect(user, { colors: true })).toContain("\u001B[32m'Ann'\u001B[39m");
    expect(inspect(user)).toContain("settings: { a: { b: [Object] } }");
    expect(inspect(user, { depth: Infinity })).toContain("c: 1");
  });

  test("ends where an instance is met again inside itself", () => {
    const settings: Record<string, unknown> = {};
    const user = new User({ name: "Ann", settings });
    settings["owner"] = user;
    expect(inspect(user, { depth: Infinity, breakLength: Infinity })).toBe(
      "User (transient) { kind: 'user', name: 'Ann', settings: { owner: [Circular User (transient)] } }",
    );
  });

  test("of a prototype, or of an object that only has it, does not throw", () => {
    expect(inspect(User.prototype)).toBeTypeOf("string");
    const hollow: unknown = Object.create(User.prototype);
    expect(inspect(hollow)).toBeTypeOf("string");
    expect(JSON.stringify(hollow)).toBe("{}");
    expect((hollow as User).name).toBeUndefined();
    expect(inspect(User)).toContain("User");
  });
});

describe("JSON.stringify of an instance", () => {
  test("gives the loaded values: dates as ISO text, bigints as decimal text, bytes in base64", () => {
    const user = new User({
      id: 1,
      name: "Ann",
      balance: 2n ** 62n,
      seenAt: new Date(0),
      avatar: new Uint8Array([104, 105, 255]),
      settings: { theme: "dark", sizes: [1, 2] },
      password: "secret",
    });
    expect(JSON.parse(JSON.stringify({ user }))).toEqual({
      user: {
        id: 1,
        kind: "user",
        name: "Ann",
        balance: "4611686018427387904",
        seenAt: "1970-01-01T00:00:00.000Z",
        avatar: "aGn/",
        settings: { theme: "dark", sizes: [1, 2] },
      },
    });
  });

  test("of a row gives null where there is no value", () =>
    withSession(async (session) => {
      expect(JSON.parse(JSON.stringify(await session.get(User, 7)))).toEqual({
        id: 7,
        kind: "user",
        name: "Ann",
        nickname: null,
        balance: null,
        seenAt: null,
        avatar: null,
        settings: null,
      });
    }));
});

describe("a copy of an instance", () => {
  test("by spreading or Object.assign is no instance, and does the original no harm", () => {
    const user = new User({ name: "Ann" });
    // oxlint-disable-next-line typescript/no-misused-spread -- users do it
    const copy = { ...user };
    expect(Object.keys(copy)).toEqual([]);
    expect(JSON.stringify(Object.assign({}, user))).toBe("{}");
    const other = Object.assign(new User({ name: "Bob" }), user);
    expect(other.name).toBe("Bob");
    other.name = "Eve";
    expect(user.name).toBe("Ann");
  });

  test("by structuredClone is an empty object, and does not throw", () => {
    expect(structuredClone(new User({ name: "Ann" }))).toEqual({});
  });
});

describe("two instances", () => {
  const values = { id: 1, name: "Ann", seenAt: new Date(5), avatar: new Uint8Array([1]), settings: { a: [1] } };

  test("with equal values are deeply equal", () => {
    expect(new User(values)).toEqual(new User(structuredClone(values)));
    expect(new User(values)).toStrictEqual(new User(structuredClone(values)));
    deepStrictEqual(new User(values), new User(structuredClone(values)));
  });

  test("of which one was loaded and the other constructed are deeply equal", () =>
    withSession(async (session) => {
      const part = await session.get(Part, { code: "a", revision: 1 });
      expect(part).toEqual(new Part({ code: "a", revision: 1, name: "bolt" }));
      const user = await session.get(User, 7);
      expect(user).toEqual(
        new User({ id: 7, name: "Ann", nickname: null, balance: null, seenAt: null, avatar: null, settings: null }),
      );
    }));

  test.each([
    ["text", { ...values, name: "Bob" }],
    ["a date", { ...values, seenAt: new Date(6) }],
    ["bytes", { ...values, avatar: new Uint8Array([2]) }],
    ["json", { ...values, settings: { a: [2] } }],
    ["a value more", { ...values, nickname: "Annie" }],
    ["null instead of nothing", { ...values, nickname: null }],
  ])("are not deeply equal for other values: %s", (_, others) => {
    expect(new User(values)).not.toEqual(new User(others));
    expect(new User(values)).not.toStrictEqual(new User(others));
    expect(() => deepStrictEqual(new User(values), new User(others))).toThrow();
  });

  test("of different classes are not strictly equal", () => {
    expect(new PremiumUser({ kind: "x" })).not.toStrictEqual(new User({ kind: "x" }));
  });

  test("are shown with the values that differ by node:assert", () => {
    const message = (() => {
      try {
        deepStrictEqual(new User({ id: 1, name: "Ann", password: "secret" }), new User({ id: 1, name: "Bob" }));
      } catch (error) {
        return (error as Error).message;
      }
      return "";
    })();
    expect(message).toMatch(/^\+.*'Ann'/m);
    expect(message).toMatch(/^-.*'Bob'/m);
    expect(message).not.toContain("secret");
  });

  test("match a plain object with some of their values", () => {
    expect(new User(values)).toMatchObject({ id: 1, name: "Ann" });
    expect(new User(values)).toEqual(expect.objectContaining({ name: "Ann" }));
    expect(new User(values)).toHaveProperty("name", "Ann");
    expect(new User(values)).not.toMatchObject({ name: "Bob" });
  });
});

describe("a failing test of Vitest shows", () => {
  let output: string;

  beforeAll(async () => {
    const directory = await mkdtemp(join(tmpdir(), "athanor-printing-"));
    try {
      const index = fileURLToPath(new URL("../../src/index.ts", import.meta.url));
      await writeFile(
        join(directory, "failing.test.ts"),
        `import { integer, model, text, transient } from ${JSON.stringify(index)};
        class User extends model("users", { id: integer().primaryKey(), email: text(), password: transient() }) {}
        const ann = () => new User({ id: 1, email: "ann@x", password: "secret" });
        const bob = () => new User({ id: 1, email: "bob@x" });
        test("toEqual", () => expect(ann()).toEqual(bob()));
        test("list", () => expect([ann(), bob()]).toEqual([ann(), ann()]));
        test("toStrictEqual", () => expect({ user: ann() }).toStrictEqual({ user: bob() }));`,
      );
      await writeFile(join(directory, "vitest.config.mjs"), "export default {};");
      const vitest = fileURLToPath(new URL("../../../../node_modules/vitest/vitest.mjs", import.meta.url));
      output = await new Promise((resolve) => {
        const options = ["run", "--root", directory, "--globals"];
        const env = { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" };
        execFile(process.execPath, [vitest, ...options], { cwd: directory, env }, (_error, stdout, stderr) =>
          resolve(stdout + stderr),
        );
      });
    } finally {
      await rm(directory, { recursive: true });
    }
  }, 60_000);

  test("the attribute whose values differ, by its name", () => {
    expect(output.match(/^-\s+"email": "bob@x",$/gm)).toHaveLength(2);
    expect(output.match(/^\+\s+"email": "ann@x",$/gm)).toHaveLength(2);
    expect(output).toMatch(/^-\s+"email": "ann@x",\n\+\s+"email": "bob@x",$/m);
  });

  test("no secrets", () => {
    expect(output).not.toContain("secret");
  });
});
