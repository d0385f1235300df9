import { type AnyModel, inherit, integer, many, Metadata, model, one, table, text } from "../../src/index.ts";

/** The tables of random graphs: a relationship of every sort, so that they meet. */
export const metadata: Metadata = new Metadata();

const id = integer().primaryKey();
/** By which an instance, its row and what the model knows of it are told to be the same one. */
const label = integer().unique();
const name = text().nullable();

class Folder extends model(
  "folders",
  {
    id,
    label,
    name,
    parent_id: integer().nullable().references("folders.id"),
    get parent() {
      return one(Folder, { backPopulates: "children" });
    },
    get children() {
      return many(Folder, { backPopulates: "parent", orderBy: "label" });
    },
    get entries() {
      return many(Entry, { backPopulates: "folder", cascade: "all", passiveDeletes: true }).asSet();
    },
  },
  { metadata },
) {}

class Entry extends model(
  "entries",
  {
    id,
    label,
    name,
    folder_id: integer().nullable().references("folders.id", { onDelete: "cascade" }),
    get folder() {
      return one(Folder, { backPopulates: "entries" });
    },
  },
  { metadata },
) {}

class Author extends model(
  "authors",
  {
    id,
    label,
    name,
    version: integer(),
    favorite_id: integer().nullable().references("books.id"),
    get books() {
      return many(Book, { backPopulates: "author", foreignKey: "author_id", orderBy: "label" });
    },
    get favorite() {
      return one(Book, { backPopulates: "admirers", foreignKey: "favorite_id", postUpdate: true });
    },
    get profile() {
      return one(Profile, { backPopulates: "author", cascade: "all, delete-orphan" });
    },
    get notes() {
      return many(Note, { backPopulates: "author", cascade: "all, delete-orphan" }).keyedBy("key");
    },
    get reviews() {
      return many(Review, { backPopulates: "author", cascade: "all, delete-orphan", orderBy: "label" });
    },
    get follows() {
      return many(Author, {
        backPopulates: "followers",
        secondary: "followings",
        foreignKey: "follower_id",
        orderBy: "label",
      });
    },
    get followers() {
      return many(Author, { backPopulates: "follows", secondary: "followings", foreignKey: "followed_id" }).asSet();
    },
  },
  { metadata, version: "version" },
) {}

table(
  "followings",
  {
    follower_id: integer().primaryKey().references("authors.id"),
    followed_id: integer().primaryKey().references("authors.id"),
  },
  { metadata },
);

class Profile extends model(
  "profiles",
  {
    id,
    label,
    name,
    author_id: integer().nullable().references("authors.id"),
    get author() {
      return one(Author, { backPopulates: "profile" });
    },
  },
  { metadata },
) {}

class Note extends model(
  "notes",
  {
    id,
    label,
    name,
    key: text(),
    author_id: integer().references("authors.id"),
    get author() {
      return one(Author, { backPopulates: "notes" });
    },
  },
  { metadata },
) {}

class Book extends model(
  "books",
  {
    id,
    kind: text(),
    label,
    name,
    author_id: integer().nullable().references("authors.id"),
    get author() {
      return one(Author, { backPopulates: "books", foreignKey: "author_id" });
    },
    get admirers() {
      return many(Author, {
        backPopulates: "favorite",
        foreignKey: "favorite_id",
        postUpdate: true,
        orderBy: "label",
      });
    },
    get chapters() {
      return many(Chapter, {
        cascade: "all, delete-orphan",
        orderBy: ["position", "label"],
      });
    },
    get reviews() {
      return many(Review, { backPopulates: "book", cascade: "all, delete-orphan", orderBy: "label" });
    },
    get tags() {
      return many(Tag, { secondary: "book_tags" }).asSet();
    },
  },
  { metadata, polymorphicOn: "kind", identity: "book" },
) {}

class Novel extends inherit(
  Book,
  { identity: "novel", table: "novels" },
  {
    id: integer().primaryKey().references("books.id"),
    pages: integer().nullable(),
    genre_id: integer().nullable().references("tags.id"),
  },
) {}

class Chapter extends model(
  "chapters",
  {
    id,
    label,
    position: integer(),
    version: integer(),
    book_id: integer().references("books.id"),
  },
  { metadata, version: "version" },
) {}

class Review extends model(
  "reviews",
  {
    author_id: integer().primaryKey().references("authors.id"),
    book_id: integer().primaryKey().references("books.id"),
    label,
    name,
    get author() {
      return one(Author, { backPopulates: "reviews" });
    },
    get book() {
      return one(Book, { backPopulates: "reviews" });
    },
  },
  { metadata },
) {}

class Tag extends model(
  "tags",
  {
    id,
    label,
    name,
    get novels() {
      return many(Novel, { orderBy: "label" });
    },
  },
  { metadata },
) {}

table(
  "book_tags",
  {
    book_id: integer().primaryKey().references("books.id"),
    tag_id: integer().primaryKey().references("tags.id", { onDelete: "cascade" }),
  },
  { metadata },
);

/** The classes, those first that others need. */
export const kinds: Readonly<Record<string, AnyModel>> = {
  Folder,
  Entry,
  Author,
  Book,
  Novel,
  Chapter,
  Profile,
  Note,
  Review,
  Tag,
};

export type Holding = "one" | "array" | "set" | "map";

/** A foreign key: the reference of the child, and what the parent holds. */
export interface Edge {
  readonly child: string;
  readonly reference: string;
  readonly column: string;
  readonly parent: string;
  readonly collection: string;
  readonly holding: Holding;
  /** What happens to the child of a parent that is deleted, and to one that is taken out. */
  readonly rule: "forget" | "delete along" | "delete orphans";
  /** The column may be null, so that the child may be without a parent. */
  readonly nullable: boolean;
  /** The column is part of the child's key: the parent stays the same. */
  readonly isKey: boolean;
  /** Only the parent knows of it: the child has no such reference. */
  readonly isOneSided: boolean;
}

function edge(
  [child, reference, column]: readonly [string, string, string],
  [parent, collection, holding]: readonly [string, string, Holding],
  rule: Edge["rule"],
  more: { readonly nullable?: false; readonly isKey?: true; readonly isOneSided?: true } = {},
): Edge {
  const { nullable = true, isKey = false, isOneSided = false } = more;
  return { child, reference, column, parent, collection, holding, rule, nullable, isKey, isOneSided };
}

export const edges: readonly Edge[] = [
  edge(["Folder", "parent", "parent_id"], ["Folder", "children", "array"], "forget"),
  edge(["Entry", "folder", "folder_id"], ["Folder", "entries", "set"], "delete along"),
  edge(["Book", "author", "author_id"], ["Author", "books", "array"], "forget"),
  edge(["Author", "favorite", "favorite_id"], ["Book", "admirers", "array"], "forget"),
  edge(["Novel", "genre", "genre_id"], ["Tag", "novels", "array"], "forget", { isOneSided: true }),
  edge(["Profile", "author", "author_id"], ["Author", "profile", "one"], "delete orphans"),
  edge(["Note", "author", "author_id"], ["Author", "notes", "map"], "delete orphans", { nullable: false }),
  edge(["Chapter", "book", "book_id"], ["Book", "chapters", "array"], "delete orphans", {
    nullable: false,
    isOneSided: true,
  }),
  edge(["Review", "author", "author_id"], ["Author", "reviews", "array"], "delete orphans", {
    nullable: false,
    isKey: true,
  }),
  edge(["Review", "book", "book_id"], ["Book", "reviews", "array"], "delete orphans", {
    nullable: false,
    isKey: true,
  }),
];

/** One side of a many-to-many relationship. */
export interface Side {
  readonly kind: string;
  readonly attribute: string;
  readonly holding: "array" | "set";
  readonly column: string;
}

/** A many-to-many relationship. */
export interface Link {
  readonly table: string;
  readonly left: Side;
  readonly right: Side;
  /** Only the left side knows of it. */
  readonly isOneSided: boolean;
}

export const links: readonly Link[] = [
  {
    table: "book_tags",
    left: { kind: "Book", attribute: "tags", holding: "set", column: "book_id" },
    right: { kind: "Tag", attribute: "books", holding: "array", column: "tag_id" },
    isOneSided: true,
  },
  {
    table: "followings",
    left: { kind: "Author", attribute: "follows", holding: "array", column: "follower_id" },
    right: { kind: "Author", attribute: "followers", holding: "set", column: "followed_id" },
    isOneSided: false,
  },
];

/** The columns that the program sets, with values to set them to. */
export const columns: Readonly<Record<string, Readonly<Record<string, readonly (string | number | null)[]>>>> = {
  Folder: { name: ["red", "green", null] },
  Entry: { name: ["red", "green", null] },
  Author: { name: ["red", "green", null] },
  Book: { name: ["red", "green", null] },
  Novel: { name: ["red", "green", null], pages: [100, 200, null] },
  Chapter: { position: [1, 2, 3] },
  Profile: { name: ["red", "green", null] },
  Note: { name: ["red", "green", null], key: ["first", "second"] },
  Review: { name: ["red", "green", null] },
  Tag: { name: ["red", "green", null] },
};

/** Whether every instance of one class is one of the other. */
export function isA(kind: string, other: string): boolean {
  return kind === other || (kind === "Novel" && other === "Book");
}
