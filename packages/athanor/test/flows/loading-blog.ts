import {
  type AnyModel,
  createAll,
  inherit,
  integer,
  listen,
  many,
  Metadata,
  model,
  one,
  type OrderBy,
  type Select,
  type Session,
  type SessionMaker,
  sessionmaker,
  table,
  text,
} from "../../src/index.ts";
import type { Database } from "../databases.ts";

// Users with posts, tags and more; plots of land, with composite keys; employees, in a hierarchy: for tests of what is loaded along.

const metadata = new Metadata();
const id = integer().primaryKey();

export class User extends model(
  "users",
  {
    id,
    name: text(),
    boss_id: integer().nullable().references("users.id"),
    get posts() {
      return many(Post, { backPopulates: "author", orderBy: "id" });
    },
    get addresses() {
      return many(Address, { orderBy: "street" }).asSet();
    },
    get settings() {
      return many(Setting, { orderBy: "key" }).keyedBy("key");
    },
    get profile() {
      return one(Profile, { backPopulates: "user" });
    },
    get boss() {
      return one(User, { backPopulates: "team" });
    },
    get team() {
      return many(User, { backPopulates: "boss", orderBy: "id" });
    },
  },
  { metadata },
) {}
export class Post extends model(
  "posts",
  {
    id,
    title: text(),
    author_id: integer().nullable().references("users.id"),
    get author() {
      return one(User, { backPopulates: "posts" });
    },
    get tags() {
      return many(Tag, { secondary: "post_tags", backPopulates: "posts", orderBy: "label" });
    },
  },
  { metadata },
) {}
export class Tag extends model(
  "tags",
  {
    id,
    label: text(),
    get posts() {
      return many(Post, { secondary: "post_tags", backPopulates: "tags", orderBy: "id" });
    },
  },
  { metadata },
) {}
table(
  "post_tags",
  {
    post_id: integer().primaryKey().references("posts.id"),
    tag_id: integer().primaryKey().references("tags.id"),
  },
  { metadata },
);
export class Address extends model(
  "addresses",
  { id, street: text(), user_id: integer().references("users.id") },
  { metadata },
) {}
export class Setting extends model(
  "settings",
  { id, key: text(), user_id: integer().references("users.id") },
  { metadata },
) {}
export class Profile extends model(
  "profiles",
  {
    id,
    bio: text(),
    user_id: integer().references("users.id"),
    get user() {
      return one(User, { backPopulates: "profile" });
    },
  },
  { metadata },
) {}
export class Plot extends model(
  "plots",
  {
    street: text().primaryKey(),
    number: integer().primaryKey(),
    get trees() {
      return many(Tree, { orderBy: "id" });
    },
  },
  { metadata },
) {}
export class Tree extends model(
  "trees",
  {
    id,
    plot_street: text(),
    plot_number: integer(),
    get plot() {
      return one(Plot);
    },
  },
  {
    metadata,
    foreignKeys: [{ columns: ["plot_street", "plot_number"], references: ["plots.street", "plots.number"] }],
  },
) {}
export class Employee extends model(
  "employees",
  {
    id,
    kind: text(),
    name: text(),
    manager_id: integer().nullable().references("managers.id"),
    get manager() {
      return one(Manager, { backPopulates: "reports", foreignKey: "manager_id" });
    },
  },
  { metadata, polymorphicOn: "kind", identity: "employee" },
) {}
export class Manager extends inherit(
  Employee,
  { identity: "manager", table: "managers" },
  {
    id: integer().primaryKey().references("employees.id"),
    level: integer(),
    get reports() {
      return many(Employee, { backPopulates: "manager", foreignKey: "manager_id", orderBy: "id" });
    },
  },
) {}
export class Clerk extends inherit(Employee, { identity: "clerk" }, { desk: integer().nullable() }) {}

export const models: readonly AnyModel[] = [
  User,
  Post,
  Tag,
  Address,
  Setting,
  Profile,
  Plot,
  Tree,
  Employee,
  Manager,
  Clerk,
];

/** The tables with some rows, and the SELECTs that were sent since the last time it was asked. */
export async function openBlog(db: Database): Promise<{ SessionLocal: SessionMaker; sent(): readonly string[] }> {
  const engine = db.engine();
  await createAll(engine, { metadata });
  const SessionLocal = sessionmaker(engine, { models });
  const ann = new User({ id: 1, name: "ann" });
  const bob = new User({ id: 2, name: "bob", boss: ann });
  const cy = new User({ id: 3, name: "cy", boss: ann });
  const [red, blue] = [new Tag({ id: 1, label: "red" }), new Tag({ id: 2, label: "blue" })];
  await SessionLocal.begin((session) => {
    session.addAll([ann, bob, cy, red!, blue!, new Tag({ id: 3, label: "unused" })]);
    session.addAll([
      new Post({ id: 1, title: "one", author: ann, tags: [red!, blue!] }),
      new Post({ id: 2, title: "two", author: ann, tags: [red!] }),
      new Post({ id: 3, title: "three", author: bob }),
      new Post({ id: 4, title: "nobody's" }),
    ]);
    ann.addresses = new Set([new Address({ id: 1, street: "b" }), new Address({ id: 2, street: "a" })]);
    ann.settings = new Map([["theme", new Setting({ id: 1, key: "theme" })]]);
    ann.profile = new Profile({ id: 1, bio: "hi" });
  });
  const statements: string[] = [];
  listen(engine, "beforeCursorExecute", ({ statement }) => {
    if (statement.startsWith("select")) statements.push(statement);
  });
  return { SessionLocal, sent: () => statements.splice(0) };
}

export async function all<TInstance>(session: Session, statement: Select<TInstance>): Promise<TInstance[]> {
  return (await session.scalars(statement)).all() as TInstance[];
}

export const titles = (posts: Iterable<Post>): string[] => [...posts].map(({ title }) => title);
export const labels = (tags: Iterable<Tag>): string[] => [...tags].map(({ label }) => label);
export const ids = (rows: Iterable<{ id: number }>): number[] => [...rows].map((row) => row.id);
export const byId = <T extends OrderBy>(entity: { readonly id: T }): T => entity.id;

/** Some employees, and who leads them. */
export async function staff(SessionLocal: SessionMaker): Promise<void> {
  await SessionLocal.begin(async (session) => {
    const max = new Manager({ id: 1, name: "max", level: 5 });
    session.add(max);
    await session.flush();
    session.add(new Manager({ id: 2, name: "mia", level: 3, manager: max }));
    session.add(new Clerk({ id: 3, name: "cleo", desk: 7, manager: max }));
  });
}
