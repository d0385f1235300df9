import { fileURLToPath } from "node:url";
import typescript from "typescript-5.9";
import { beforeAll, describe, expect, test } from "vitest";

// What an editor shows where the pointer rests: names that users know, and no machinery.

const path = fileURLToPath(new URL("hovers.ts", import.meta.url));

const source = `
import {
  attributes, createEngine, inherit, inspect, integer, listen, load, model, select, sessionmaker, text,
} from "../src/index.ts";
class User extends model("users", { id: integer().primaryKey(), email: text(), nickname: text().nullable(), kind: text() }, {
  polymorphicOn: "kind", identity: "user",
}) {}
class PremiumUser extends inherit(User, { identity: "premium" }, { tier: integer().nullable() }) {}
const SessionLocal = sessionmaker(createEngine("sqlite::memory:"));
await using session = SessionLocal();

const user = new User({ email: "ann@x" });
const premium = new PremiumUser();
const got = await session.get(User, 1);
const statement = select(User).where({ email: "ann@x" });
const all = (await session.scalars(statement)).all();
const one = (await session.scalars(statement)).one();
const rows = (await session.execute(statement)).unique();
const values = (await session.scalars(statement)).unique();
const frozen = rows.freeze();
const tuples = rows.tuples().all();
for (const part of values.partitions(10)) part;
const email = attributes(User).email;
const nickname = attributes(PremiumUser).nickname;
const inspection = inspect(user);
const history = inspect(user).attributes.nickname.history;
const mapper = inspect(User);
const loaded = await load(user, "nickname");
const condition = email.like("%@x");
for (const instance of session.new) instance;

listen(User, "beforeInsert", (beforeInsert) => {});
listen(User, "init", (init) => {});
listen(User, "refresh", (refresh) => {});
listen(User, "mapperConfigured", (mapperConfigured) => {});
listen(email, "set", (set) => {});
listen(email, "remove", (remove) => {});
listen(SessionLocal, "beforeFlush", (beforeFlush) => {});
listen(SessionLocal, "afterCommit", (afterCommit) => {});
listen(SessionLocal, "afterBegin", (afterBegin) => {});
listen(SessionLocal, "doOrmExecute", (doOrmExecute) => {});
listen(SessionLocal, "afterBulkUpdate", (afterBulkUpdate) => {});
listen(SessionLocal, "afterBulkDelete", (afterBulkDelete) => {});
`;

let hover: (name: string) => string;

beforeAll(() => {
  const files = new Map([[path, source]]);
  const host: typescript.LanguageServiceHost = {
    getCompilationSettings: () => ({
      strict: true,
      exactOptionalPropertyTypes: true,
      target: typescript.ScriptTarget.ESNext,
      module: typescript.ModuleKind.NodeNext,
      moduleResolution: typescript.ModuleResolutionKind.NodeNext,
      lib: ["lib.esnext.d.ts"],
      types: ["node"],
      allowImportingTsExtensions: true,
      noEmit: true,
      skipLibCheck: true,
    }),
    getScriptFileNames: () => [path],
    getScriptVersion: () => "1",
    getScriptSnapshot: (name) => {
      const content = files.get(name) ?? typescript.sys.readFile(name);
      return content === undefined ? undefined : typescript.ScriptSnapshot.fromString(content);
    },
    getCurrentDirectory: () => fileURLToPath(new URL(".", import.meta.url)),
    getDefaultLibFileName: typescript.getDefaultLibFilePath,
    fileExists: (name) => files.has(name) || typescript.sys.fileExists(name),
    readFile: (name) => files.get(name) ?? typescript.sys.readFile(name),
    readDirectory: typescript.sys.readDirectory,
    directoryExists: typescript.sys.directoryExists,
    getDirectories: typescript.sys.getDirectories,
  };
  const service = typescript.createLanguageService(host);
  expect(service.getSemanticDiagnostics(path).map(({ messageText }) => messageText)).toEqual([]);
  hover = (name) => {
    const position = new RegExp(`(?<=const |\\()${name}(?= =| of|\\) =>)`).exec(source)?.index ?? -1;
    const info = service.getQuickInfoAtPosition(path, position);
    return typescript.displayPartsToString(info?.displayParts);
  };
}, 60_000);

describe("an editor shows", () => {
  test.each([
    ["user", "const user: User"],
    ["premium", "const premium: PremiumUser"],
    ["got", "const got: User | null"],
    ["statement", 'const statement: Select<User, [typeof User], "instances">'],
    ["all", "const all: User[]"],
    ["one", "const one: User"],
    ["rows", "const rows: Result<readonly [User]>"],
    ["values", "const values: ScalarResult<User>"],
    ["tuples", "const tuples: (readonly [User])[]"],
    ["frozen", "const frozen: FrozenResult<readonly [User]>"],
    ["part", "const part: User[]"],
    ["email", 'const email: Attribute<User, string, "column">'],
    ["nickname", 'const nickname: Attribute<PremiumUser, string | null, "column">'],
    ["condition", "const condition: Expression<boolean>"],
    ["inspection", "const inspection: InstanceInspection<User>"],
    ["history", "const history: History<string | null>"],
    ["mapper", "const mapper: Mapper<User>"],
    ["loaded", "const loaded: string | null"],
    ["instance", "const instance: Instance"],
  ])("what a value is: %s", (name, text) => {
    expect(hover(name)).toBe(text);
  });

  test.each([
    ["beforeInsert", "FlushRowEvent<User>"],
    ["init", "InitEvent<User>"],
    ["refresh", "AttributesEvent<User>"],
    ["mapperConfigured", "MapperEvent"],
    ["set", "SetEvent<User, string>"],
    ["remove", "RemoveEvent<User, string>"],
    ["beforeFlush", "SessionEvent"],
    ["afterCommit", "AfterCommitEvent"],
    ["afterBegin", "AfterBeginEvent"],
    ["doOrmExecute", "ORMExecuteState"],
    ["afterBulkUpdate", "AfterBulkUpdateEvent"],
    ["afterBulkDelete", "AfterBulkDeleteEvent"],
  ])("what a listener of %s gets", (name, type) => {
    expect(hover(name)).toBe(`(parameter) ${name}: ${type}`);
  });
});
