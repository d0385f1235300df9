import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import {
  createAll,
  integer,
  listen,
  load,
  many,
  Metadata,
  model,
  one,
  select,
  sessionmaker,
  text,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";

const metadata = new Metadata();
const id = integer().primaryKey();

class Author extends model(
  "authors",
  {
    id,
    name: text().nullable(),
    get books() {
      return many(Book, { orderBy: "id" });
    },
  },
  { metadata },
) {}

class Book extends model(
  "books",
  {
    id,
    author_id: integer().nullable().references("authors.id"),
    get author() {
      return one(Author);
    },
  },
  { metadata },
) {}

forEachDatabase((db) => {
  const open = async () => {
    const engine = db.engine();
    await createAll(engine, { metadata });
    const session = sessionmaker(engine)();
    session.addAll([new Author({ id: 1, books: [new Book({ id: 1 })] }), new Author({ id: 2 }), new Book({ id: 2 })]);
    await session.commit();
    session.expungeAll();
    const author = (await session.get(Author, 1)) as Author;
    const book = (await session.get(Book, 1)) as Book;
    listen(session, "doOrmExecute", () => sleep(3));
    return { session, author, book };
  };

  test("a reference that is assigned while it is loaded stays what it was assigned", async () => {
    const { session, book } = await open();
    session.expunge((await session.get(Author, 1)) as Author);
    const author = (await session.get(Author, 2)) as Author;
    const loading = load(book, "author");
    await sleep(1);
    book.author = author;
    await loading;
    expect(book.author).toBe(author);
    await session.commit();
    expect(book.author_id).toBe(2);
    await session.close();
  });

  test("a reference to a new row that is assigned while operations run is saved", async () => {
    const { session, book } = await open();
    const running = [session.get(Author, 2), session.scalars(select(Book))];
    const author = new Author({ id: 3, name: "new" });
    book.author = author;
    await Promise.all(running);
    await session.commit();
    expect(book.author_id).toBe(author.id);
    await session.close();
  });

  test("a column that is assigned while it is loaded stays what it was assigned", async () => {
    const { session, author } = await open();
    session.expire(author);
    const loading = load(author, "name");
    await sleep(1);
    author.name = "new";
    await loading;
    expect(author.name).toBe("new");
    await session.commit();
    await session.refresh(author);
    expect(author.name).toBe("new");
    await session.close();
  });

  test("what is put into a collection while it is loaded stays in it", async () => {
    const { session } = await open();
    const author = new Author({ id: 4 });
    session.add(author);
    await session.commit();
    const { books } = author;
    const loading = load(author, "books");
    await sleep(1);
    const book = new Book({ id: 4 });
    books.push(book);
    await loading;
    expect([...author.books]).toEqual([book]);
    await session.commit();
    expect(book.author_id).toBe(4);
    await session.close();
  });
});
