import { expect, test } from "vitest";
import { inspect, integer, load, many, Metadata, model, one, text } from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { openSessions } from "./open-sessions.ts";

const metadata = new Metadata();

class Book extends model(
  "books",
  {
    id: integer().primaryKey(),
    get chapters() {
      return many(Chapter, { backPopulates: "book", cascade: "all, delete-orphan", orderBy: "id" });
    },
    get cover() {
      return one(Cover, { backPopulates: "book", cascade: "all, delete-orphan" });
    },
  },
  { metadata },
) {}
class Cover extends model(
  "covers",
  {
    id: integer().primaryKey(),
    colour: text(),
    book_id: integer().references("books.id"),
    get book() {
      return one(Book, { backPopulates: "cover" });
    },
  },
  { metadata },
) {}
class Chapter extends model(
  "chapters",
  {
    id: integer().primaryKey(),
    pages: integer().nullable(),
    book_id: integer().references("books.id"),
    get book() {
      return one(Book, { backPopulates: "chapters" });
    },
  },
  { metadata },
) {}

forEachDatabase((database) => {
  test("a part that a savepoint took out of its whole belongs to it again when the savepoint is rolled back", async () => {
    const { SessionLocal } = await openSessions(database, metadata, [Book, Chapter]);
    await using session = SessionLocal();
    const book = new Book({});
    const chapter = new Chapter({ book, pages: 3 });
    session.addAll([book, chapter]);

    const savepoint = await session.beginNested();
    book.chapters.splice(0, 1);
    chapter.pages = 4;
    await session.flush();
    expect(inspect(chapter).lifecycle).toBe("deleted");
    await savepoint.rollback();

    expect(inspect(chapter).lifecycle).toBe("persistent");
    expect(await load(chapter, "book", "pages")).toEqual([book, 3]);
    expect(await load(book, "chapters")).toEqual([chapter]);
  });

  test("a part that a savepoint replaced is no orphan after the savepoint was rolled back", async () => {
    const { SessionLocal, rows } = await openSessions(database, metadata, [Book, Cover]);
    await using session = SessionLocal();
    const book = new Book({});
    const cover = new Cover({ book, colour: "red" });
    session.addAll([book, cover]);

    const savepoint = await session.beginNested();
    session.add(new Cover({ book, colour: "green" }));
    await session.flush();
    expect(inspect(cover).lifecycle).toBe("deleted");
    await savepoint.rollback();

    cover.colour = "blue";
    await session.commit();
    expect(await rows("select colour from covers")).toEqual([["blue"]]);
  });
});
