import {
  type AnyModel,
  customType,
  inherit,
  integer,
  many,
  Metadata,
  model,
  one,
  table,
  text,
} from "../../src/index.ts";

/** How a model's relationship holds its instances. */
export type Holding = "one" | "list" | "set" | "map";

/** One class of a family. */
export interface Kind {
  readonly model: AnyModel;
  /** The name of the class at the root of its hierarchy. */
  readonly base: string;
  readonly relationships: Readonly<Record<string, Holding>>;
}

/** Models that belong together, with a database of their own. */
export interface Family {
  readonly metadata: Metadata;
  /** By class name, in the order of declaration. */
  readonly kinds: Readonly<Record<string, Kind>>;
}

const metadata = new Metadata();
const workshopMetadata = new Metadata();

/** A generated key. */
const id = integer().primaryKey();

/** An integer column into which some programs put text, as SQLite lets them. */
const integerOrText = customType<number | string, number>(integer(), {
  toDatabase: (value) => value as number,
  fromDatabase: (value) => value,
});

export class User extends model(
  "users",
  {
    id,
    name: text().unique(),
    email: text().nullable(),
    age: integer().nullable().default(18),
    get addresses() {
      return many(Address, { backPopulates: "user", cascade: "all, delete-orphan", orderBy: "id" });
    },
    get posts() {
      return many(Post, { backPopulates: "author", orderBy: "id" });
    },
    get profile() {
      return one(Profile, { backPopulates: "user", cascade: "all, delete-orphan" });
    },
  },
  { metadata },
) {}

export class Address extends model(
  "addresses",
  {
    id,
    user_id: integer().references("users.id"),
    street: text().nullable(),
    get user() {
      return one(User, { backPopulates: "addresses" });
    },
  },
  { metadata },
) {}

export class Profile extends model(
  "profiles",
  {
    id,
    user_id: integer().nullable().references("users.id"),
    bio: text().nullable(),
    get user() {
      return one(User, { backPopulates: "profile" });
    },
  },
  { metadata },
) {}

export class Post extends model(
  "posts",
  {
    id,
    author_id: integer().nullable().references("users.id"),
    title: text(),
    version: integer().default(1),
    get author() {
      return one(User, { backPopulates: "posts" });
    },
    get tags() {
      return many(Tag, { backPopulates: "posts", secondary: "post_tags", orderBy: "id" });
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
      return many(Post, { backPopulates: "tags", secondary: "post_tags", orderBy: "id" });
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

export class Node extends model(
  "nodes",
  {
    id,
    parent_id: integer().nullable().references("nodes.id"),
    name: text(),
    get children() {
      return many(Node, { backPopulates: "parent", cascade: "all", orderBy: "id" });
    },
    get parent() {
      return one(Node, { backPopulates: "children" });
    },
  },
  { metadata },
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
    level: integer().nullable(),
    get reports() {
      return many(Employee, { backPopulates: "manager", foreignKey: "manager_id", orderBy: "id" });
    },
  },
) {}

export class SalesRep extends inherit(Employee, { identity: "salesrep" }, { quota: integer().nullable() }) {}

export class Account extends model(
  "accounts",
  {
    id,
    handle: text(),
    version: integer(),
    favorite_id: integer().nullable().references("entries.id"),
    get entries() {
      return many(Entry, {
        backPopulates: "account",
        foreignKey: "account_id",
        cascade: "all",
        passiveDeletes: true,
        orderBy: "id",
      });
    },
    get favorite() {
      return one(Entry, { foreignKey: "favorite_id", postUpdate: true });
    },
  },
  { metadata: workshopMetadata, version: "version" },
) {}

export class Entry extends model(
  "entries",
  {
    id,
    account_id: integer().nullable().references("accounts.id", { onDelete: "cascade" }),
    text: text().nullable(),
    revision: integer().nullable().default(1).onupdate(7),
    get account() {
      return one(Account, { backPopulates: "entries", foreignKey: "account_id" });
    },
  },
  { metadata: workshopMetadata },
) {}

export class Part extends model(
  "parts",
  {
    code: text().primaryKey(),
    revision: integer().primaryKey(),
    name: text().nullable(),
    get lines() {
      return many(KitPart, { backPopulates: "part", orderBy: "kit_id" });
    },
  },
  { metadata: workshopMetadata },
) {}

export class Kit extends model(
  "kits",
  {
    id,
    name: text(),
    get lines() {
      return many(KitPart, {
        backPopulates: "kit",
        cascade: "all, delete-orphan",
        orderBy: ["part_code", "part_revision"],
      });
    },
  },
  { metadata: workshopMetadata },
) {}

export class KitPart extends model(
  "kit_parts",
  {
    kit_id: integer().primaryKey().references("kits.id"),
    part_code: text().primaryKey(),
    part_revision: integer().primaryKey(),
    quantity: integerOrText.nullable().default(1),
    get kit() {
      return one(Kit, { backPopulates: "lines" });
    },
    get part() {
      return one(Part, { backPopulates: "lines" });
    },
  },
  {
    metadata: workshopMetadata,
    foreignKeys: [{ columns: ["part_code", "part_revision"], references: ["parts.code", "parts.revision"] }],
  },
) {}

export class Locker extends model("lockers", { id, label: text().nullable() }, { metadata: workshopMetadata }) {}

export class Person extends model(
  "people",
  {
    id,
    name: text(),
    locker_id: integer().nullable().references("lockers.id"),
    get locker() {
      return one(Locker, { cascade: "all, delete-orphan", singleParent: true });
    },
    get friends() {
      return many(Person, { backPopulates: "friend_of", secondary: "friendships", foreignKey: "person_id" }).asSet();
    },
    get friend_of() {
      return many(Person, { backPopulates: "friends", secondary: "friendships", foreignKey: "friend_id" }).asSet();
    },
    get settings() {
      return many(Setting, { backPopulates: "person", cascade: "all, delete-orphan" }).keyedBy("key");
    },
  },
  { metadata: workshopMetadata },
) {}

table(
  "friendships",
  {
    person_id: integer().primaryKey().references("people.id"),
    friend_id: integer().primaryKey().references("people.id"),
  },
  { metadata: workshopMetadata },
);

export class Setting extends model(
  "settings",
  {
    id,
    person_id: integer().references("people.id"),
    key: text(),
    value: text().nullable(),
    get person() {
      return one(Person, { backPopulates: "settings" });
    },
  },
  { metadata: workshopMetadata },
) {}

/** The family of programs that name no other. */
const first: Family = {
  metadata,
  kinds: {
    User: { model: User, base: "User", relationships: { addresses: "list", posts: "list", profile: "one" } },
    Address: { model: Address, base: "Address", relationships: { user: "one" } },
    Profile: { model: Profile, base: "Profile", relationships: { user: "one" } },
    Post: { model: Post, base: "Post", relationships: { author: "one", tags: "list" } },
    Tag: { model: Tag, base: "Tag", relationships: { posts: "list" } },
    Node: { model: Node, base: "Node", relationships: { children: "list", parent: "one" } },
    Employee: { model: Employee, base: "Employee", relationships: { manager: "one" } },
    Manager: { model: Manager, base: "Employee", relationships: { manager: "one", reports: "list" } },
    SalesRep: { model: SalesRep, base: "Employee", relationships: { manager: "one" } },
  },
};

const workshop: Family = {
  metadata: workshopMetadata,
  kinds: {
    Account: { model: Account, base: "Account", relationships: { entries: "list", favorite: "one" } },
    Entry: { model: Entry, base: "Entry", relationships: { account: "one" } },
    Part: { model: Part, base: "Part", relationships: { lines: "list" } },
    Kit: { model: Kit, base: "Kit", relationships: { lines: "list" } },
    KitPart: { model: KitPart, base: "KitPart", relationships: { kit: "one", part: "one" } },
    Locker: { model: Locker, base: "Locker", relationships: {} },
    Person: {
      model: Person,
      base: "Person",
      relationships: { locker: "one", friends: "set", friend_of: "set", settings: "map" },
    },
    Setting: { model: Setting, base: "Setting", relationships: { person: "one" } },
  },
};

/** The models that a program is about. */
export function familyNamed(name: string | undefined): Family {
  if (name === undefined) return first;
  if (name === "workshop") return workshop;
  throw new Error(`There is no family of models called "${name}".`);
}

/** The kind of that class name. */
export function kindNamed({ kinds }: Family, name: string): Kind {
  const kind = kinds[name];
  if (kind === undefined) throw new Error(`The family has no class called "${name}".`);
  return kind;
}
