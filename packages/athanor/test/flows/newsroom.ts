import {
  boolean,
  type Engine,
  inherit,
  integer,
  json,
  listen,
  many,
  Metadata,
  model,
  one,
  bigint,
  type Session,
  table,
  text,
  timestamp,
} from "../../src/index.ts";
import type { Database } from "../databases.ts";
import { type OpenSessions, openSessions } from "./open-sessions.ts";

/** A family of models for tests of statements: references, collections, many-to-many, a tree, and a hierarchy over one table and over two. */
export const metadata = new Metadata();
const id = integer().primaryKey();

export class Author extends model(
  "authors",
  {
    id,
    name: text(),
    isStaff: boolean().default(true),
    get articles() {
      return many(Article, { backPopulates: "author", orderBy: "id" });
    },
  },
  { metadata },
) {}

export class Article extends model(
  "articles",
  {
    id,
    kind: text(),
    title: text(),
    views: bigint().default(0n),
    publishedAt: timestamp().nullable(),
    facts: json<{ readonly words: number }>().nullable(),
    authorId: integer().nullable().references("authors.id"),
    sectionId: integer().nullable().references("sections.id"),
    get author() {
      return one(Author, { backPopulates: "articles" });
    },
    get section() {
      return one(Section, { backPopulates: "articles" });
    },
    get tags() {
      return many(Tag, { secondary: "article_tags", backPopulates: "articles", orderBy: "label" });
    },
  },
  { metadata, polymorphicOn: "kind", identity: "article" },
) {}

/** It has a table of its own. */
export class Review extends inherit(
  Article,
  { identity: "review", table: "reviews" },
  { id: integer().primaryKey().references("articles.id"), stars: integer() },
) {}

/** It shares the table of its parent. */
export class Obituary extends inherit(Article, { identity: "obituary" }, { person: text().nullable() }) {}

export class Tag extends model(
  "tags",
  {
    id,
    label: text(),
    get articles() {
      return many(Article, { secondary: "article_tags", backPopulates: "tags", orderBy: "id" });
    },
  },
  { metadata },
) {}

table(
  "article_tags",
  {
    article_id: integer().primaryKey().references("articles.id"),
    tag_id: integer().primaryKey().references("tags.id"),
  },
  { metadata },
);

/** A tree. */
export class Section extends model(
  "sections",
  {
    id,
    name: text(),
    parentId: integer().nullable().references("sections.id"),
    get parent() {
      return one(Section, { backPopulates: "children" });
    },
    get children() {
      return many(Section, { backPopulates: "parent", orderBy: "id" });
    },
    get articles() {
      return many(Article, { backPopulates: "section", orderBy: "id" });
    },
  },
  { metadata },
) {}

export const publishedAt = new Date("2026-01-02T03:04:05.000Z");

/** An empty newsroom. */
export const openNewsroom = (db: Database): Promise<OpenSessions> => openSessions(db, metadata, []);

/**
 * A session, empty, over these rows: ann wrote "arts" (tags new, old) and "bees", a review; bob wrote "cars" (tag new), an obituary; cid wrote nothing; "dogs" has no author.
 * The sections are world > europe > france, and sport; "arts" and "bees" are in france, "cars" in world.
 */
export async function fillNewsroom({ SessionLocal }: OpenSessions): Promise<Session> {
  await SessionLocal.begin((session) => {
    const [ann, bob] = [new Author({ name: "ann" }), new Author({ name: "bob", isStaff: false })];
    const world = new Section({ name: "world" });
    const europe = new Section({ name: "europe", parent: world });
    const france = new Section({ name: "france", parent: europe });
    const [fresh, old] = [new Tag({ label: "new" }), new Tag({ label: "old" })];
    session.addAll([ann, bob, new Author({ name: "cid" }), world, new Section({ name: "sport" })]);
    session.addAll([
      new Article({
        id: 1,
        title: "arts",
        author: ann,
        section: france,
        views: 2n ** 60n,
        publishedAt,
        facts: { words: 7 },
        tags: [fresh, old],
      }),
      new Review({ id: 2, title: "bees", author: ann, section: france, stars: 3 }),
      new Obituary({ id: 3, title: "cars", author: bob, section: world, person: "rudolf", tags: [fresh] }),
      new Article({ id: 4, title: "dogs" }),
    ]);
  });
  return SessionLocal();
}

/** The texts that an engine is sent from now on. */
export function statementsOf(engine: Engine): string[] {
  const statements: string[] = [];
  listen(engine, "beforeCursorExecute", ({ statement }) => {
    statements.push(statement.replaceAll('"', ""));
  });
  return statements;
}
