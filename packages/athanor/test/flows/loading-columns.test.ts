import { describe, expect, test } from "vitest";
import {
  createAll,
  defer,
  deserialize,
  getHistory,
  inherit,
  inspect,
  integer,
  joinedLoad,
  listen,
  load,
  loadOnly,
  many,
  Metadata,
  model,
  one,
  type OrderBy,
  raiseLoad,
  select,
  selectinLoad,
  selectinPolymorphic,
  serialize,
  type SessionMaker,
  sessionmaker,
  subqueryLoad,
  text,
  undefer,
  undeferGroup,
  UnloadedAttributeError,
  withPolymorphic,
} from "../../src/index.ts";
import { type Database, forEachDatabase } from "../databases.ts";

const metadata = new Metadata();
const id = integer().primaryKey();

class Article extends model(
  "articles",
  {
    id,
    kind: text(),
    title: text(),
    body: text().deferred(),
    scan: text().nullable().deferred("files"),
    preview: text().nullable().deferred("files"),
    secret: text().nullable().deferred({ raiseLoad: true }),
    author_id: integer().nullable().references("authors.id"),
    get author() {
      return one(Author, { backPopulates: "articles" });
    },
  },
  { metadata, polymorphicOn: "kind", identity: "article" },
) {}
class Review extends inherit(
  Article,
  { identity: "review", table: "reviews" },
  { id: integer().primaryKey().references("articles.id"), stars: integer(), verdict: text().deferred() },
) {}
class Author extends model(
  "authors",
  {
    id,
    name: text(),
    bio: text(),
    get articles() {
      return many(Article, { backPopulates: "author", orderBy: "id" });
    },
    get byTitle() {
      return many(Article, { viewOnly: true }).keyedBy("title");
    },
    get byNote() {
      return many(Article, { viewOnly: true }).keyedBy<string | null>("preview");
    },
  },
  { metadata },
) {}

class Note extends model("notes", { id, line: text(), text: text().deferred() }, { metadata }) {}
class Memo extends inherit(Note, { table: "memos", concrete: true }, { copies: text().deferred() }) {}

async function open(
  db: Database,
): Promise<{ SessionLocal: SessionMaker; sent(): readonly string[]; loads(): readonly unknown[] }> {
  const engine = db.engine();
  await createAll(engine, { metadata });
  const SessionLocal = sessionmaker(engine, { models: [Article, Review, Author, Note, Memo] });
  await SessionLocal.begin(async (session) => {
    session.addAll([1, 2].map((number) => new Author({ id: number, name: `author ${number}`, bio: `bio ${number}` })));
    await session.flush();
    session.addAll([
      new Article({ id: 1, title: "one", body: "text 1", scan: "s", preview: "p", secret: "x", author_id: 1 }),
      new Article({ id: 2, title: "two", body: "text 2", author_id: 2 }),
      new Review({ id: 3, title: "three", body: "text 3", stars: 5, verdict: "good", author_id: 1 }),
    ]);
  });
  const statements: string[] = [];
  const seen: unknown[] = [];
  listen(engine, "beforeCursorExecute", ({ statement }) => {
    if (statement.startsWith("select")) statements.push(statement.replaceAll('"', ""));
  });
  listen(SessionLocal, "doOrmExecute", (event) => {
    if (event.isColumnLoad) seen.push(event.loadOptions.onlyLoadProps);
  });
  return { SessionLocal, sent: () => statements.splice(0), loads: () => seen.splice(0) };
}

const byId = <T extends OrderBy>(entity: { readonly id: T }): T => entity.id;

forEachDatabase((db) => {
  describe("a deferred column", () => {
    test("is left out by statements and by get, and loaded by load(), with its group and nothing else", async () => {
      const { SessionLocal, sent, loads } = await open(db);
      await using session = SessionLocal();
      const [one] = (await session.scalars(select(Article).orderBy(byId))).all();
      expect(sent()[0]).not.toMatch(/body|scan|secret/);
      expect(() => one!.body).toThrow(
        new UnloadedAttributeError(
          "Article.body is not loaded. The query that loaded it left it out, and reading cannot wait for the database. " +
            'Use await load(instance, "body"), await session.refresh(instance), or a query that includes it.',
        ),
      );
      expect([...inspect(one!).unloaded]).toEqual(["body", "scan", "preview", "secret"]);
      expect(await load(one!, "body")).toBe("text 1");
      expect(await load(one!, "scan")).toBe("s");
      expect(one!.preview).toBe("p");
      expect(loads()).toEqual([["body"], ["scan", "preview"]]);
      expect(sent()).toHaveLength(2);
      const two = (await session.get(Article, 2))!;
      expect(two).toBe(await session.get(Article, 2));
      session.expungeAll();
      expect(() => two.body).toThrow("not loaded");
      const got = (await session.get(Article, 2))!;
      expect(() => got.body).toThrow(UnloadedAttributeError);
      expect(await load(got, "title", "body")).toEqual(["two", "text 2"]);
    });

    test("may be assigned without being loaded", async () => {
      const { SessionLocal, sent } = await open(db);
      await using session = SessionLocal();
      const one = (await session.get(Article, 1))!;
      one.body = "changed";
      one.title = "new";
      expect(getHistory(one, "body")).toMatchObject({ added: ["changed"], deleted: [] });
      await session.commit();
      expect(sent()).toHaveLength(1);
      expect(one.body).toBe("changed");
      session.expunge(one);
      expect(await load((await session.get(Article, 1))!, "body")).toBe("changed");
    });

    test("of a new instance is what it was given", async () => {
      const { SessionLocal } = await open(db);
      await using session = SessionLocal();
      const made = new Article({ id: 9, title: "made", body: "here" });
      session.add(made);
      await session.commit();
      expect([made.body, made.scan]).toEqual(["here", null]);
    });

    test("stays out when an instance is loaded anew, and comes along by its name", async () => {
      const { SessionLocal, sent } = await open(db);
      await using session = SessionLocal();
      const one = (await session.get(Article, 1))!;
      await load(one, "body");
      await session.refresh(one);
      expect(() => one.body).toThrow("It was expired by refresh()");
      await session.refresh(one, ["body"]);
      expect(one.body).toBe("text 1");
      session.expire(one);
      expect(await load(one, "title")).toBe("one");
      expect(() => one.body).toThrow(UnloadedAttributeError);
      expect(sent().at(-1)).not.toContain("body");
      session.expire(one);
      expect(await load(one, "body")).toBe("text 1");
      expect(sent().at(-1)).not.toContain("title");
      expect(await load(one, "title")).toBe("one");
    });

    test("with raiseLoad is loaded by queries alone", async () => {
      const { SessionLocal } = await open(db);
      await using session = SessionLocal();
      const one = (await session.get(Article, 1))!;
      const message =
        "Article.secret is deferred, and raiseLoad says that nobody loads it for one Article by itself: done for each of many, that would send a statement for each. " +
        'Load it along with the query: select(Article).options(undefer(Article, "secret")).';
      expect(() => one.secret).toThrow(message);
      await expect(load(one, "secret")).rejects.toThrow(message);
      await session.scalars(select(Article).options(undefer(Article, "secret")));
      expect(one.secret).toBe("x");
      session.expire(one);
      await session.scalars(
        select(Article).options(undefer(Article, "secret")).executionOptions({ populateExisting: true }),
      );
      session.expire(one, ["secret"]);
      expect(await load(one, "secret")).toBe("x");
    });

    test("cannot be a key, a discriminator or a version", () => {
      const bad = (): unknown => model("bad", { id: integer().primaryKey().deferred() }, { metadata: new Metadata() });
      expect(bad).toThrow(
        'The property "id" of the model of "bad" is part of its key, which every instance needs. Leave out .deferred().',
      );
    });
  });

  describe("options of columns", () => {
    test("load along what is deferred, by name, by group and all of it", async () => {
      const { SessionLocal, sent } = await open(db);
      for (const [option, expected] of [
        [undefer(Article, "body"), ["body"]],
        [undeferGroup(Article, "files"), ["scan", "preview"]],
        [undefer(Article, "*"), ["body", "scan", "preview", "secret"]],
      ] as const) {
        await using session = SessionLocal();
        const one = (await session.scalars(select(Article).where({ id: 1 }).options(option))).one();
        const all = ["body", "scan", "preview", "secret"];
        const { unloaded } = inspect(one);
        expect(all.filter((name) => !unloaded.has(name))).toEqual(expected);
        await session.refresh(one);
        expect(all.filter((name) => !inspect(one).unloaded.has(name))).toEqual(expected);
      }
      sent();
    });

    test("leave out what a list does not need, and the key comes along", async () => {
      const { SessionLocal, sent } = await open(db);
      await using session = SessionLocal();
      const authors = (await session.scalars(select(Author).options(defer(Author, "bio")).orderBy(byId))).all();
      expect(sent()).toEqual([expect.not.stringContaining("bio")]);
      expect(await load(authors[0]!, "bio")).toBe("bio 1");
      session.expungeAll();
      const [author] = (await session.scalars(select(Author).options(loadOnly(Author, "name")).orderBy(byId))).all();
      expect([author!.id, author!.name]).toEqual([1, "author 1"]);
      expect(() => author!.bio).toThrow(UnloadedAttributeError);
      session.expungeAll();
      const articles = (await session.scalars(select(Article).options(loadOnly(Article, "body")).orderBy(byId))).all();
      expect(articles.map(({ body }) => body)).toEqual(["text 1", "text 2", "text 3"]);
      expect(articles[2]).toBeInstanceOf(Review);
      expect(() => articles[0]!.title).toThrow(UnloadedAttributeError);
      session.expungeAll();
      const [strict] = (
        await session.scalars(select(Author).options(defer(Author, "bio", { raiseLoad: true }), raiseLoad("*")))
      ).all();
      await expect(load(strict!, "bio")).rejects.toThrow("raiseLoad");
    });

    test("are said of what a path leads to, and of what is joined", async () => {
      const { SessionLocal, sent } = await open(db);
      await using session = SessionLocal();
      for (const way of [selectinLoad, joinedLoad, subqueryLoad]) {
        session.expungeAll();
        const [author] = (
          await session.scalars(
            select(Author)
              .options(way(Author, "articles").undefer("body").defer("title"), defer(Author, "bio"))
              .orderBy(byId)
              .limit(1),
          )
        ).all();
        expect(author!.articles.map(({ body }) => body)).toEqual(["text 1", "text 3"]);
        expect(() => author!.articles[0]!.title).toThrow(UnloadedAttributeError);
        expect(() => author!.bio).toThrow(UnloadedAttributeError);
      }
      sent();
      session.expungeAll();
      const rows = (
        await session.execute(
          select(Author)
            .join("articles")
            .columns((author, article) => [author, article])
            .orderBy((_, article) => article.id)
            .options(loadOnly(Author, "name"), undefer(Article, "body")),
        )
      ).all();
      expect(rows.map(([author, article]) => [author.name, article.body])).toEqual([
        ["author 1", "text 1"],
        ["author 2", "text 2"],
        ["author 1", "text 3"],
      ]);
      expect(() => rows[0]![0].bio).toThrow(UnloadedAttributeError);
      expect(() => rows[0]![1].scan).toThrow(UnloadedAttributeError);
      expect(sent()).toHaveLength(1);
    });

    test("may leave out what a relationship is loaded by, which it then is all the same", async () => {
      const { SessionLocal, sent } = await open(db);
      await using session = SessionLocal();
      for (const [way, count] of [
        [selectinLoad, 2],
        [joinedLoad, 1],
        [subqueryLoad, 2],
      ] as const) {
        session.expungeAll();
        sent();
        const articles = (
          await session.scalars(
            select(Article).options(loadOnly(Article, "title"), way(Article, "author")).orderBy(byId).limit(2),
          )
        ).all();
        expect(articles.map(({ author }) => author?.name)).toEqual(["author 1", "author 2"]);
        expect(sent()).toHaveLength(count);
      }
      session.expungeAll();
      const [lazily] = (await session.scalars(select(Article).options(loadOnly(Article, "title")).orderBy(byId))).all();
      expect(() => lazily!.author).toThrow(UnloadedAttributeError);
      expect((await load(lazily!, "author"))?.name).toBe("author 1");
    });

    test("are said of concrete subclasses, and of the rows of all of them together", async () => {
      const { SessionLocal } = await open(db);
      await SessionLocal.begin((session) => {
        session.addAll([
          new Note({ id: 1, line: "n", text: "note" }),
          new Memo({ id: 1, line: "m", text: "memo", copies: "c" }),
        ]);
      });
      await using session = SessionLocal();
      const together = select(withPolymorphic(Note, { Memo })).orderBy((note) => note.line);
      const [memo, note] = (await session.scalars(together)).all();
      expect([memo, note].map((each) => [...inspect(each!).unloaded])).toEqual([["text", "copies"], ["text"]]);
      expect([await load(memo!, "text"), await load(note!, "text")]).toEqual(["memo", "note"]);
      session.expungeAll();
      const [other] = (await session.scalars(together.options(undefer(Note, "text"), undefer(Memo, "copies")))).all();
      expect([other!.text, (other as Memo).copies]).toEqual(["memo", "c"]);
    });

    test("leave a map what its instances are held by", async () => {
      const { SessionLocal } = await open(db);
      await using session = SessionLocal();
      for (const way of [selectinLoad, joinedLoad, subqueryLoad]) {
        session.expungeAll();
        const [author] = (
          await session.scalars(select(Author).options(way(Author, "byTitle").loadOnly("id")).orderBy(byId))
        ).all();
        expect(new Set(author!.byTitle.keys())).toEqual(new Set(["one", "three"]));
      }
      session.expungeAll();
      const [author] = (await session.scalars(select(Author).orderBy(byId))).all();
      expect(new Set((await load(author!, "byNote")).keys())).toEqual(new Set(["p", null]));
    });

    test("hold for subclasses, read along or completed by a further statement", async () => {
      const { SessionLocal } = await open(db);
      await using session = SessionLocal();
      const [review] = (await session.scalars(select(Review))).all();
      expect(review!.stars).toBe(5);
      expect([...inspect(review!).unloaded]).toEqual(["body", "scan", "preview", "secret", "verdict"]);
      expect(await load(review!, "verdict")).toBe("good");
      for (const statement of [
        select(withPolymorphic(Article, { Review })).options(undefer(Review, "verdict")),
        select(Article).options(selectinPolymorphic(Article, [Review]), undefer(Review, "verdict")),
      ]) {
        session.expungeAll();
        const third = (await session.scalars(statement.orderBy(byId as never))).all()[2] as Review;
        expect([third.stars, third.verdict]).toEqual([5, "good"]);
        expect(() => third.body).toThrow(UnloadedAttributeError);
      }
    });

    test("tell statements apart that are the same but for them", async () => {
      const { SessionLocal } = await open(db);
      await using session = SessionLocal();
      for (const [option, unloaded] of [
        [defer(Author, "bio"), ["bio"]],
        [defer(Author, "name"), ["name"]],
        [undefer(Author, "bio"), []],
      ] as const) {
        session.expungeAll();
        const author = (await session.scalars(select(Author).where({ id: 1 }).options(option))).one();
        expect([...inspect(author).unloaded]).toEqual(unloaded);
        expect(await load(author, "name", "bio")).toEqual(["author 1", "bio 1"]);
      }
    });

    test("refuse names that are none, and groups", () => {
      expect(() => defer(Author, "boi" as never)).toThrow(
        'Author has no column "boi". Did you mean "bio"? It has id, name, bio.',
      );
      expect(() => loadOnly(Author, "articles" as never)).toThrow('Author has no column "articles".');
      expect(() => undeferGroup(Article, "file")).toThrow(
        'Article has no deferred group "file". Did you mean "files"? It has files: a column is in one by .deferred("…").',
      );
    });
  });

  test("what is left out is left out of what is written as text, and read in another session", async () => {
    const { SessionLocal } = await open(db);
    await using session = SessionLocal();
    const one = (await session.get(Article, 1))!;
    await load(one, "scan");
    expect(JSON.parse(JSON.stringify(one))).toEqual({
      id: 1,
      kind: "article",
      title: "one",
      scan: "s",
      preview: "p",
      author_id: 1,
    });
    const copy = deserialize(serialize(one), [Article]) as Article;
    await session.commit();
    await using other = SessionLocal();
    other.add(copy);
    expect(copy.scan).toBe("s");
    expect(() => copy.body).toThrow(UnloadedAttributeError);
    expect(await load(copy, "body")).toBe("text 1");
  });
});
