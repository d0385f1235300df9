import {
  createAll,
  inherit,
  integer,
  many,
  Metadata,
  mixin,
  model,
  one,
  type SessionMaker,
  sessionmaker,
  type SessionMakerOptions,
  table,
  text,
  timestamp,
} from "../../src/index.ts";
import type { Database } from "../databases.ts";

export const metadata: Metadata = new Metadata();

/** What is hidden from everyone once it is set. */
export const SoftDeletes = mixin({ deletedAt: timestamp().nullable() });

/** What is hidden from everyone of another tenant. */
export const Owned = mixin({ tenant: text() });

export class Person extends model(
  "people",
  {
    id: integer().primaryKey(),
    kind: text(),
    name: text(),
    get posts() {
      return many(Post, { backPopulates: "author", orderBy: "id" });
    },
  },
  { metadata, mixins: [Owned], polymorphicOn: "kind", identity: "person" },
) {}

/** In a table of its own beside that of its parent. */
export class Member extends inherit(
  Person,
  { identity: "member", table: "members", mixins: [SoftDeletes] },
  { id: integer().primaryKey().references("people.id"), tier: integer().nullable() },
) {}

/** In the table of its parent. */
export class Guest extends inherit(Person, { identity: "guest" }, { badge: text().nullable() }) {}

const postTags = table(
  "post_tags",
  {
    post_id: integer().primaryKey().references("posts.id"),
    tag_id: integer().primaryKey().references("tags.id"),
  },
  { metadata },
);

export class Post extends model(
  "posts",
  {
    id: integer().primaryKey(),
    title: text(),
    author_id: integer().nullable().references("people.id"),
    get author() {
      return one(Person, { backPopulates: "posts" });
    },
    get comments() {
      return many(Comment, { backPopulates: "post", orderBy: "id" });
    },
    get tags() {
      return many(Tag, { secondary: postTags, backPopulates: "posts", orderBy: "id" });
    },
  },
  { metadata, mixins: [Owned, SoftDeletes] },
) {}

export class Comment extends model(
  "comments",
  {
    id: integer().primaryKey(),
    body: text(),
    post_id: integer().nullable().references("posts.id"),
    get post() {
      return one(Post, { backPopulates: "comments" });
    },
  },
  { metadata, mixins: [Owned] },
) {}

export class Tag extends model(
  "tags",
  {
    id: integer().primaryKey(),
    label: text(),
    get posts() {
      return many(Post, { secondary: postTags, backPopulates: "tags", orderBy: "id" });
    },
  },
  { metadata, mixins: [SoftDeletes] },
) {}

export class Folder extends model(
  "folders",
  {
    id: integer().primaryKey(),
    parent_id: integer().nullable().references("folders.id"),
    get parent() {
      return one(Folder, { backPopulates: "children" });
    },
    get children() {
      return many(Folder, { backPopulates: "parent", orderBy: "id" });
    },
  },
  { metadata, mixins: [SoftDeletes] },
) {}

const gone = new Date("2026-01-01T00:00:00Z");

/**
 * Sessions on these rows, of which even ids are hidden: by the tenant "them", by a date of deletion, or by both.
 *
 * Person 1 ours with the posts 1 and 2, person 2 theirs with the posts 3 and 4; member 5 ours, member 6 ours and deleted, guest 7 ours, guest 8 theirs. Post 1 has the
 * comments 1 and 2 and the tags 1 and 2, post 2 the comment 3 and the tag 3. Folder 1 holds 2 and 3, the hidden folder 2 holds 5.
 */
export async function openCriteriaStory(db: Database, options: SessionMakerOptions = {}): Promise<SessionMaker> {
  const engine = db.engine();
  await createAll(engine, { metadata });
  const SessionLocal = sessionmaker(engine, {
    models: [Person, Member, Guest, Post, Comment, Tag, Folder],
    ...options,
  });
  const plain = sessionmaker(engine);
  await plain.begin((session) => {
    const [us, them] = ["us", "them"];
    const person = new Person({ id: 1, tenant: us, name: "ann" });
    const hidden = new Person({ id: 2, tenant: them, name: "bob" });
    session.addAll([person, hidden]);
    session.add(new Member({ id: 5, tenant: us, name: "mia", tier: 1 }));
    session.add(new Member({ id: 6, tenant: us, name: "max", tier: 2, deletedAt: gone }));
    session.add(new Guest({ id: 7, tenant: us, name: "gus", badge: "a" }));
    session.add(new Guest({ id: 8, tenant: them, name: "gil", badge: "b" }));
    const tags = [1, 2, 3].map((id) => new Tag({ id, label: `tag ${id}`, deletedAt: id === 2 ? gone : null }));
    session.addAll([
      new Post({ id: 1, tenant: us, title: "one", author: person, tags: tags.slice(0, 2) }),
      new Post({ id: 2, tenant: us, title: "two", author: person, tags: tags.slice(2), deletedAt: gone }),
      new Post({ id: 3, tenant: us, title: "three", author: hidden }),
      new Post({ id: 4, tenant: them, title: "four", author: hidden }),
    ]);
    session.addAll([
      new Comment({ id: 1, tenant: us, body: "a", post_id: 1 }),
      new Comment({ id: 2, tenant: them, body: "b", post_id: 1 }),
      new Comment({ id: 3, tenant: us, body: "c", post_id: 2 }),
    ]);
    session.addAll([
      new Folder({ id: 1 }),
      new Folder({ id: 2, parent_id: 1, deletedAt: gone }),
      new Folder({ id: 3, parent_id: 1 }),
      new Folder({ id: 5, parent_id: 2 }),
    ]);
  });
  return SessionLocal;
}

/** The keys of rows, as they come. */
export function ids(rows: Iterable<{ readonly id: number }>): number[] {
  return [...rows].map(({ id }) => id);
}

/** The same where no order was asked for. */
export function sortedIds(rows: Iterable<{ readonly id: number }>): number[] {
  return ids(rows).toSorted((left, right) => left - right);
}
