import { expect, test } from "vitest";
import { createAll, integer, listen, many, Metadata, model, one, sessionmaker, table, text } from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";

const metadata = new Metadata();
const id = integer().primaryKey();

class Editor extends model("editors", { id, name: text().nullable() }, { metadata }) {}

class Author extends model(
  "authors",
  {
    id,
    name: text().nullable(),
    note: text().nullable(),
    get books() {
      return many(Book, { orderBy: "id" });
    },
    get tags() {
      return many(Tag, { secondary: "author_tags", orderBy: "id" });
    },
  },
  { metadata },
) {}

class Book extends model(
  "books",
  {
    id,
    name: text().nullable(),
    author_id: integer().nullable().references("authors.id"),
    editor_id: integer().nullable().references("editors.id"),
    get editor() {
      return one(Editor);
    },
  },
  { metadata },
) {}

class Tag extends model("tags", { id }, { metadata }) {}

table(
  "author_tags",
  {
    author_id: integer().primaryKey().references("authors.id"),
    tag_id: integer().primaryKey().references("tags.id"),
  },
  { metadata },
);

/** What a test begins with: instances with everything that they have loaded. */
interface Shelf {
  /** It has one book. */
  readonly author: Author;
  /** Something was set on it that changes nothing. */
  readonly touched: Author;
  readonly book: Book;
  /** It is to be inserted. */
  readonly fresh: Book;
  readonly editor: Editor;
  readonly tag: Tag;
}

/** Changes, each with the rows that tell of it. */
const changes: Readonly<Record<string, readonly [change: (shelf: Shelf) => unknown, rows: string]>> = {
  "a column": [({ author }) => (author.note = "new"), "authors where id = 1 and note = 'new'"],
  "a column of what has nothing to write": [
    ({ touched }) => (touched.note = "new"),
    "authors where id = 2 and note = 'new'",
  ],
  "a reference": [({ book, editor }) => (book.editor = editor), "books where id = 1 and editor_id = 1"],
  "a reference, to what is new": [
    ({ book }) => (book.editor = new Editor({ id: 7 })),
    "books where id = 1 and editor_id = 7",
  ],
  "the reference of a new row": [
    ({ fresh, editor }) => (fresh.editor = editor),
    "books where id = 3 and editor_id = 1",
  ],
  "a collection, by a new member": [
    ({ author }) => author.books.push(new Book({ id: 7 })),
    "books where id = 7 and author_id = 1",
  ],
  "a collection, by a member that was there": [
    ({ author, book }) => author.books.push(book),
    "books where id = 1 and author_id = 1",
  ],
  "a collection, by taking out": [({ author }) => author.books.pop(), "books where id = 2 and author_id is null"],
  "a collection, by another one": [
    ({ author, book }) => (author.books = [book]),
    "books where id = 1 and author_id = 1 and (select author_id from books where id = 2) is null",
  ],
  "a collection with a table between": [
    ({ author, tag }) => author.tags.push(tag),
    "author_tags where author_id = 1 and tag_id = 1",
  ],
};

forEachDatabase((db) => {
  for (const [name, [change, rows]] of Object.entries(changes)) {
    for (const gate of [Author, Book, Editor]) {
      for (const event of ["beforeUpdate", "afterUpdate"] as const) {
        test(`another task's change of ${name} during ${event} of ${gate.name} is saved, if not by this flush then by the next`, async () => {
          const engine = db.engine();
          await createAll(engine, { metadata });
          const SessionLocal = sessionmaker(engine);
          await using session = SessionLocal();
          const shelf: Shelf = {
            author: new Author({ id: 1, books: [new Book({ id: 2 })], tags: [] }),
            touched: new Author({ id: 2, name: "same" }),
            book: new Book({ id: 1 }),
            fresh: new Book({ id: 3 }),
            editor: new Editor({ id: 1 }),
            tag: new Tag({ id: 1 }),
          };
          session.addAll(Object.values(shelf));
          session.expunge(shelf.fresh);
          await session.commit();
          session.add(shelf.fresh);
          for (const instance of [shelf.author, shelf.book, shelf.editor]) instance.name = "changed";
          shelf.touched.name = "same";
          const inside = Promise.withResolvers<void>();
          const goOn = Promise.withResolvers<void>();
          using _ = listen(
            gate,
            event,
            async () => {
              inside.resolve();
              await goOn.promise;
            },
            { once: true },
          );
          const flushing = session.flush();
          await inside.promise;
          change(shelf);
          goOn.resolve();
          await flushing;
          await session.commit();
          const found = await (await session.connection()).run(`select 1 from ${rows}`);
          expect(found.rows.length).toBe(1);
        });
      }
    }
  }
});
