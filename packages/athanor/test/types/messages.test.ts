import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";

// What the compilers say to the commonest mistakes. Message texts are checked, because a refusal that nobody understands helps nobody.

const root = fileURLToPath(new URL("../../../..", import.meta.url));

const preamble = `
import {
  attributes, caseWhen, type Connection, createEngine, defer, deleteFrom, enumeration, func, inherit, insert, integer, joinedLoad, listen, load, many, mixin, model, one, select,
  selectinLoad, type Session, sessionmaker, sql, text, timestamp, transient, update, validates, withLoaderCriteria, withPolymorphic,
} from ${JSON.stringify(join(root, "packages/athanor/src/index.ts"))};
const HasTimestamps = mixin({ createdAt: timestamp().default(() => new Date()) });
class User extends model("users", {
  id: integer().primaryKey(), name: text(), email: text(), kind: enumeration("user", "premium"), password: transient<string>(),
}, { mixins: [HasTimestamps], polymorphicOn: "kind", identity: "user" }) {}
class PremiumUser extends inherit(User, { identity: "premium" }, { tier: integer().nullable() }) {}
class Author extends model("authors", {
  id: integer().primaryKey(), name: text(), get books() { return many(Book); }, get agent() { return one(User); },
}) {}
class Book extends model("books", { id: integer().primaryKey(), title: text(), get author() { return one(Author); } }) {}
class Site extends model("sites", { id: integer().primaryKey(), get visits() { return many(Book, { lazy: "writeOnly" }); } }) {}
const SessionLocal = sessionmaker(createEngine("sqlite::memory:"));
declare const session: Session;
declare const connection: Connection;
`;

/** Each mistake, and phrases that its message must hold in every version of TypeScript. */
const mistakes: Readonly<Record<string, readonly [code: string, ...phrases: string[]]>> = {
  "a collection that is never loaded, to go through": [
    `for (const visit of new Site().visits) void visit;`,
    `Type 'WriteOnlyCollection<Book, typeof Book>' must have a '[Symbol.iterator]()' method`,
  ],
  "a relationship to join that is none": [
    `select(Author).join("boks");`,
    `Argument of type '"boks"' is not assignable to parameter of type '"`,
    `"books"`,
  ],
  "a misspelt attribute of what was joined": [
    `select(Author).join("books").where((_, book) => book.titel.eq("x"));`,
    `Property 'titel' does not exist on type 'Attributes<typeof Book>'. Did you mean 'title'?`,
  ],
  "a misspelt attribute of related rows": [
    `select(Author).where((author) => author.books.any((book) => book.titel.eq("x")));`,
    `Property 'titel' does not exist on type 'InstanceAttributes<Book>'. Did you mean 'title'?`,
  ],
  "a misspelt attribute in an object for related rows": [
    `select(Author).where((author) => author.books.any({ titel: "x" }));`,
    `'titel' does not exist in type 'InstanceFilter<NoInfer<Book>>`,
  ],
  "any of an attribute that is no collection": [
    `select(Author).where((author) => author.agent.any());`,
    `Type '"one"' is not assignable to type '"many"'`,
  ],
  "a misspelt function": [
    `select(Author).columns(() => [func.cuont()]);`,
    `Property 'cuont' does not exist on type 'Functions'. Did you mean 'count'?`,
  ],
  "a window function without its rows": [
    `select(Author).columns(() => [func.rowNumber()]);`,
    `Type 'WindowFunction<number>' is not assignable to type`,
  ],
  "a sum of a date": [
    `attributes(Author).id.plus(new Date());`,
    `Argument of type 'Date' is not assignable to parameter of type`,
  ],
  "a CASE that goes on behind its else": [
    `caseWhen(attributes(Author).id.gt(1), 1).else(0).when(attributes(Author).id.gt(2), 2);`,
    `Property 'when' does not exist on type 'CaseExpression<number>'`,
  ],
  "a value of the wrong type in a row to insert": [
    `insert(Author).values([{ name: 3 }]);`,
    `Type 'number' is not assignable to type`,
  ],
  "a misspelt attribute of a row to insert": [
    `insert(Author).values({ nme: "x" });`,
    `'nme' does not exist in type 'AssignedValues<typeof Author>`,
  ],
  "a conflict of a column that is none": [
    `insert(Author).onConflict("nme").doNothing();`,
    `Argument of type '"nme"' is not assignable to parameter of type '"`,
  ],
  "a misspelt column to return": [
    `update(Author).values({ name: "x" }).returning((author) => [author.nme]);`,
    `Property 'nme' does not exist on type 'Attributes<typeof Author>'. Did you mean 'name'?`,
  ],
  "a row to update by its key with a misspelt attribute": [
    `session.execute(update(Author), [{ id: 1, nme: "x" }]);`,
    `'nme' does not exist in type`,
  ],
  "a relationship as a column to select": [
    `select(Author).columns((author) => [author.books]);`,
    `Type 'Attribute<Author, Book[], "many">' is not assignable to type 'Selectable'.`,
    `Type '"many"' is not assignable to type '"column"'.`,
  ],
  "a misspelt column to select": [
    `select(Author).columns((author) => [author.nme]);`,
    `Property 'nme' does not exist on type 'Attributes<typeof Author>'. Did you mean 'name'?`,
  ],
  "a misspelt column of a class that an outer join may lack": [
    `select(Author).outerJoin("books").columns((author, book) => [author, book.titel]);`,
    `Property 'titel' does not exist on type 'OuterAttributes<typeof Book>'. Did you mean 'title'?`,
  ],
  "a misspelt attribute of a subclass that is read along": [
    `select(withPolymorphic(User, { PremiumUser })).where((user) => user.PremiumUser.tiers.gt(1));`,
    `Property 'tiers' does not exist on type 'SubclassAttributes<typeof PremiumUser>'. Did you mean 'tier'?`,
  ],
  "a subclass that is none": [
    `withPolymorphic(User, [Author]);`,
    `is not assignable to type 'SubclassOf<typeof User>'`,
  ],
  "something to select that is no part of a row": [
    `select(Author).columns((author) => [author, 1]);`,
    `Type 'number' is not assignable to type 'Selectable'`,
  ],
  "a subquery of another type of values": [
    `select(Author).where((author) => author.id.in(select(Book).columns((book) => [book.title])));`,
    `Argument of type 'Select<[string], [typeof Book], "columns">' is not assignable to parameter of type`,
  ],
  "a misspelt column of a subquery": [
    `select(select(Book).columns((book) => ({ title: book.title })).subquery("s")).where((row) => row.titel.eq("x"));`,
    `Property 'titel' does not exist on type 'ColumnsOf<{ title: string; }>'. Did you mean 'title'?`,
  ],
  "a misspelt column of an instance in a subquery": [
    `select(select(Book).columns((book) => ({ book })).subquery("s")).where((row) => row.book.titel.eq("x"));`,
    `Property 'titel' does not exist on type`,
    `Did you mean 'title'?`,
  ],
  "a union of other columns": [
    `select(Author).columns((author) => ({ name: author.name })).union(select(Book).columns((book) => ({ title: book.title })));`,
    `Property 'name' is missing in type '{ title: string; }' but required in type '{ name: string; }'`,
  ],
  "a union of instances of another class": [
    `select(Author).union(select(Book));`,
    `Argument of type 'Select<Book, [typeof Book], "instances">' is not assignable to parameter of type 'Select<Author, any, "instances">'`,
  ],
  "a recursion whose step finds something else": [
    `select(Book).cte("found", { unionAll: (found) => select(Author).join(found, (author, book) => book.id.eq(author.id)) });`,
    `Select<Author, [typeof Author, typeof Book], "instances">' `,
    `Type 'Author' is missing the following properties from type 'Book'`,
  ],
  "a condition beside SQL of one's own": [
    `select(Book).columns((book) => [book.title]).fromStatement(sql\`select 1\`);`,
    `The 'this' context of type 'Select<[string], [typeof Book], "columns">' is not assignable to method's 'this' of type 'Select<[string], any, "instances">'`,
  ],
  "a misspelt event of a class": [
    `listen(User, "beforeInsrt", () => {});`,
    `Argument of type '"beforeInsrt"' is not assignable to parameter of type '"`,
    `"afterMapperConstructed"`,
  ],
  "a misspelt event of an attribute": [
    `listen(attributes(User).email, "sett", () => {});`,
    `Argument of type '"sett"' is not assignable to parameter of type '"`,
    `"initScalar"`,
    `"set"`,
  ],
  "a misspelt event of a sessionmaker": [
    `listen(SessionLocal, "beforeComit", () => {});`,
    `Argument of type '"beforeComit"' is not assignable`,
    `"afterBegin"`,
  ],
  "something that has no events": [
    `listen({}, "afterInsert", () => {});`,
    `This cannot be listened to. Listen to a model class, an attribute, a mixin, a sessionmaker`,
  ],
  "a misspelt attribute in the constructor": [
    `new User({ nme: "x" });`,
    `'nme' does not exist in type '{ `,
    `name?: string;`,
    `Did you mean to write 'name'?`,
  ],
  "a misspelt attribute in the constructor of a subclass": [
    `new PremiumUser({ teir: 3 });`,
    `'teir' does not exist in type '{ `,
    `name?: string;`,
  ],
  "a value of the wrong type in the constructor": [
    `new User({ name: 3 });`,
    `Type 'number' is not assignable to type 'string'.`,
  ],
  "a misspelt attribute in a where object": [
    `select(User).where({ nme: "x" });`,
    `'nme' does not exist in type`,
    `Filter<typeof User>`,
  ],
  "a misspelt attribute in a where callback": [
    `select(User).where((user) => user.nme.eq("x"));`,
    `Property 'nme' does not exist on type 'Attributes<typeof User>'. Did you mean 'name'?`,
  ],
  "a value of the wrong type in a where object": [
    `select(User).where({ name: 3 });`,
    `Type 'number' is not assignable to type 'string'.`,
  ],
  "a value of the wrong type in a comparison": [
    `select(User).where((user) => user.id.eq("1"));`,
    `Argument of type 'string' is not assignable to parameter of type 'Operand<number>'.`,
  ],
  "a misspelt relationship in an option": [
    `select(Author).options(selectinLoad(Author, "boks"));`,
    `Argument of type '"boks"' is not assignable to parameter of type '"`,
    `"agent"`,
    `"books"`,
  ],
  "a misspelt relationship further along a path": [
    `select(Author).options(joinedLoad(Author, "books").selectinLoad("auther"));`,
    `Argument of type '"auther"' is not assignable to parameter of type '"*" | "author"'`,
  ],
  "a column as a relationship": [
    `select(Author).options(joinedLoad(Author, "name"));`,
    `Argument of type '"name"' is not assignable to parameter of type '"`,
    `"books"`,
  ],
  "a misspelt column to leave out": [
    `select(Author).options(defer(Author, "nme"));`,
    `Argument of type '"nme"' is not assignable to parameter of type '`,
    `"name"`,
  ],
  "a misspelt column of a mixin that criteria are about": [
    `withLoaderCriteria(HasTimestamps, (entity) => entity.createdAd.isNull());`,
    `Property 'createdAd' does not exist on type 'Attributes<Mixin<`,
    `Did you mean 'createdAt'?`,
  ],
  "an option that says how something is loaded, for a statement that loads nothing": [
    `deleteFrom(Author).options(selectinLoad(Author, "books"));`,
    `'LoaderPath<typeof Book>'`,
    `LoaderCriteria`,
  ],
  "a misspelt moment at which rows are told": [
    `deleteFrom(Author).executionOptions({ rows: "befor" });`,
    `Type '"befor"' is not assignable to type '"`,
    `"before"`,
  ],
  "a misspelt reach of criteria": [
    `sessionmaker(createEngine("sqlite::memory:"), { criteria: "strickt" });`,
    `Type '"strickt"' is not assignable to type '"`,
    `"strict"`,
  ],
  "a misspelt answer to skipped events": [
    `sessionmaker(createEngine("sqlite::memory:"), { onSkippedEvents: "warning" });`,
    `Type '"warning"' is not assignable to type '"`,
    `"ignore"`,
  ],
  "a comparison in JavaScript instead of SQL": [
    `select(User).where((user) => user.name === "x");`,
    `Type 'boolean' is not assignable to type 'Condition'.`,
    `the types 'Attribute<User, string, "column">' and 'string' have no overlap.`,
  ],
  "an async listener of a synchronous event": [
    `listen(User, "load", async ({ target }) => { target.name; });`,
    `'(event: InstanceEvent<User>) => Sync'`,
    `Type 'Promise<void>' is not assignable to type 'Sync'.`,
  ],
  "an async listener of an attribute": [
    `listen(attributes(User).email, "set", async () => {});`,
    `'(event: SetEvent<User, string>) => Sync'`,
    `Type 'Promise<void>' is not assignable to type 'Sync'.`,
  ],
  "a retval of the wrong type": [
    `listen(attributes(User).email, "set", ({ value }) => value.length, { retval: true });`,
    `Type 'number' is not assignable to type '`,
    `string`,
  ],
  "a plain object added to a session": [
    `session.add({});`,
    `Type '{}' is missing the following properties from type 'Instance'`,
  ],
  "an array added to a session": [
    `session.add([new User()]);`,
    `Type 'User[]' is missing the following properties from type 'Instance'`,
  ],
  "text executed by a session": [
    `await session.execute("select 1");`,
    `Argument of type 'string' is not assignable to parameter of type 'Statement'.`,
  ],
  "text executed by a connection": [
    `await connection.execute("select 1");`,
    `Argument of type 'string' is not assignable to parameter of type 'RawBuilder<unknown>'.`,
  ],
  "a misspelt attribute of an instance": [
    `new User().emial;`,
    `Property 'emial' does not exist on type 'User'. Did you mean 'email'?`,
  ],
  "a value that an enumeration does not have": [
    `new User().kind = "gold";`,
    `Type '"gold"' is not assignable to type '"`,
  ],
  "a misspelt attribute to validate": [
    `validates(User, "nme", () => {});`,
    `Argument of type '"nme"' is not assignable to parameter of type '"`,
    `"name"`,
  ],
  "a misspelt attribute to load": [
    `await load(new User(), "emial");`,
    `Argument of type '"emial"' is not assignable to parameter of type '"`,
    `"email"`,
  ],
  "a subclass without an identity": [
    `inherit(User, { table: "admins" }, {});`,
    `Property 'identity' is missing in type '{ table: string; }' but required in type 'InheritOptions<[]>'.`,
  ],
  "a misspelt option of a model": [
    `model("x", { id: integer().primaryKey() }, { identiy: "x" });`,
    `'identiy' does not exist in type 'ModelOptions<[]>'. Did you mean to write 'identity'?`,
  ],
  "a misspelt option of a listener": [
    `listen(User, "load", () => {}, { onec: true });`,
    `'onec' does not exist in type 'ListenOptions<`,
  ],
};

const titles = Object.keys(mistakes);

describe.each(["typescript", "typescript-5.9"])("%s answers with words of the user's to", (compiler) => {
  let messages: readonly string[];

  beforeAll(async () => {
    messages = await compile(compiler);
  }, 60_000);

  test.for(titles.map((title, index) => [title, index] as const))("%s", ([title, index]) => {
    for (const phrase of mistakes[title]?.slice(1) ?? []) expect(messages[index]).toContain(phrase);
  });
});

/** The messages for each mistake, compiled together in one file. */
async function compile(compiler: string): Promise<readonly string[]> {
  const directory = await mkdtemp(join(tmpdir(), "athanor-messages-"));
  try {
    const lines = preamble.split("\n").length;
    const source = `${preamble}\n${titles.map((title) => mistakes[title]?.[0]).join("\n")}\n`;
    await writeFile(join(directory, "mistakes.ts"), source);
    await writeFile(join(directory, "package.json"), `{ "type": "module" }`);
    await writeFile(
      join(directory, "tsconfig.json"),
      JSON.stringify({
        extends: join(root, "tsconfig.base.json"),
        compilerOptions: { noEmit: true, pretty: false, typeRoots: [join(root, "node_modules/@types")] },
        files: ["mistakes.ts"],
      }),
    );
    const output = await run(join(root, "node_modules", compiler, "bin/tsc"), directory);
    const messages = titles.map(() => "");
    let current = -1;
    for (const line of output.split("\n")) {
      const start = /^mistakes\.ts\((\d+),\d+\): (.*)$/.exec(line);
      if (start !== null) current = Number(start[1]) - lines - 1;
      if (current >= 0 && current < messages.length) messages[current] += `${start?.[2] ?? line}\n`;
    }
    return messages;
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** A compiler that finds mistakes exits with a failure, and its output is what is wanted. */
function run(tsc: string, directory: string): Promise<string> {
  return new Promise((resolve) => {
    execFile(process.execPath, [tsc, "-p", "tsconfig.json"], { cwd: directory }, (_error, stdout) => resolve(stdout));
  });
}
