import { describe, expect, test } from "vitest";
import {
  aliased,
  and,
  ArgumentError,
  type AnyModel,
  attributes,
  deleteFrom,
  exists,
  func,
  inherit,
  integer,
  joinedLoad,
  many,
  one,
  type LoaderOption,
  Metadata,
  Model,
  mixin,
  model,
  createAll,
  select,
  selectinLoad,
  type Session,
  sessionmaker,
  sql,
  text,
  update,
  withLoaderCriteria,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import {
  Comment,
  Folder,
  Guest,
  ids,
  Member,
  openCriteriaStory,
  Owned,
  Person,
  Post,
  SoftDeletes,
  sortedIds,
  Tag,
} from "./criteria-story.ts";

const present = withLoaderCriteria(SoftDeletes, (entity) => entity.deletedAt.isNull());
const ours = withLoaderCriteria(Owned, (entity) => entity.tenant.eq("us"));

forEachDatabase((db) => {
  async function found(session: Session, entity: AnyModel, ...options: LoaderOption[]): Promise<number[]> {
    const rows = await session.scalars(select(entity as typeof Post).options(...options));
    return sortedIds(rows);
  }

  describe("criteria on a mixin", () => {
    test("hold for every class that has it", async () => {
      const SessionLocal = await openCriteriaStory(db);
      await using session = SessionLocal();
      expect(await found(session, Post, present)).toEqual([1, 3, 4]);
      expect(await found(session, Post, ours)).toEqual([1, 2, 3]);
      expect(await found(session, Post, present, ours)).toEqual([1, 3]);
      expect(await found(session, Tag, present, ours)).toEqual([1, 3]);
      expect(await found(session, Comment, present, ours)).toEqual([1, 3]);
      expect(await found(session, Folder, present, ours)).toEqual([1, 3, 5]);
    });

    test("hold for the subclasses of one that has it, and for a subclass that has it alone", async () => {
      const SessionLocal = await openCriteriaStory(db);
      await using session = SessionLocal();
      expect(await found(session, Person, ours)).toEqual([1, 5, 6, 7]);
      expect(await found(session, Guest, ours)).toEqual([7]);
      expect(await found(session, Member, present)).toEqual([5]);
      expect(await found(session, Person, present)).toEqual([1, 2, 5, 7, 8]);
      expect(await found(session, Person, present, ours)).toEqual([1, 5, 7]);
    });

    test("are an expression of its attributes too", async () => {
      const SessionLocal = await openCriteriaStory(db);
      await using session = SessionLocal();
      const expression = withLoaderCriteria(SoftDeletes, attributes(SoftDeletes).deletedAt.isNull());
      expect(await found(session, Post, expression)).toEqual([1, 3, 4]);
      expect(await found(session, Person, expression)).toEqual([1, 2, 5, 7, 8]);
      const tagged = select(Post)
        .join("tags")
        .columns((post, tag) => [post.id, tag.id])
        .orderBy((post, tag) => [post.id, tag.id]);
      expect((await session.execute(tagged.options(expression))).all()).toEqual([[1, 1]]);
    });
  });

  describe("criteria on Model", () => {
    test("are asked of every class, each by itself", async () => {
      const SessionLocal = await openCriteriaStory(db);
      await using session = SessionLocal();
      const everything = withLoaderCriteria(Model, (entity) =>
        "tenant" in entity ? entity["tenant"]!.eq("us") : and(),
      );
      expect(await found(session, Person, everything)).toEqual([1, 5, 6, 7]);
      expect(await found(session, Tag, everything)).toEqual([1, 2, 3]);
      const strange = withLoaderCriteria(Model, (entity) => entity["tenant"]!.eq("us"));
      await expect(found(session, Tag, strange)).rejects.toThrow('Tag has no attribute "tenant".');
    });
  });

  describe("criteria on a subclass, where a statement reads its parent", () => {
    const first = withLoaderCriteria(Member, (member) => member.tier.eq(1));
    const nameless = withLoaderCriteria(Guest, (guest) => guest.badge.ne("a"));

    test("hide rows that are of it, and no others", async () => {
      const SessionLocal = await openCriteriaStory(db);
      await using session = SessionLocal();
      expect(await found(session, Person, first)).toEqual([1, 2, 5, 7, 8]);
      expect(await found(session, Person, nameless)).toEqual([1, 2, 5, 6, 8]);
      expect(await found(session, Person, first, nameless)).toEqual([1, 2, 5, 8]);
      expect(await found(session, Guest, first)).toEqual([7, 8]);
    });

    test("hide them under any name, in joins, counts, any and has, and from loaders", async () => {
      const SessionLocal = await openCriteriaStory(db);
      await using session = SessionLocal();
      await session.execute(update(Post).where({ id: 1 }).values({ author_id: 6 }));
      await session.execute(update(Post).where({ id: 2 }).values({ author_id: 7 }));
      const options = [first, nameless];
      const other = aliased(Person, "other");
      expect(sortedIds(await session.scalars(select(other).options(...options)))).toEqual([1, 2, 5, 8]);
      const joined = select(Post)
        .join("author")
        .options(...options);
      expect(sortedIds(await session.scalars(joined))).toEqual([3, 4]);
      const counted = select(Person).columns(() => [func.count()]);
      expect(await session.scalar(counted.options(...options))).toBe(4);
      const having = select(Post).where((post) => post.author.has());
      expect(sortedIds(await session.scalars(having.options(...options)))).toEqual([3, 4]);
      for (const along of [selectinLoad, joinedLoad]) {
        session.expungeAll();
        const posts = select(Post).orderBy((post) => post.id);
        const loaded = await session.scalars(posts.options(along(Post, "author"), ...options));
        expect(loaded.all().map(({ author }) => author?.id ?? null)).toEqual([null, null, 2, 2]);
      }
    });

    test("leave their rows alone in an update and a delete", async () => {
      const SessionLocal = await openCriteriaStory(db);
      for (const synchronizeSession of ["auto", "fetch"] as const) {
        await using session = SessionLocal();
        for (const entity of [Member, Guest]) await session.scalars(select(entity as typeof Person));
        const people = (await session.scalars(select(Person))).all();
        const renamed = update(Person).values({ name: "x" }).options(first, nameless);
        expect((await session.execute(renamed.executionOptions({ synchronizeSession }))).rowCount).toBe(4);
        const changed = people.filter(({ name }) => name === "x");
        expect(sortedIds(changed)).toEqual([1, 2, 5, 8]);
        const stored = await session.execute(sql<{ id: number }>`select id from people where name = 'x' order by id`);
        expect(ids(stored)).toEqual([1, 2, 5, 8]);
        const removed = deleteFrom(Person)
          .where((person) => person.id.gt(4))
          .options(first, nameless);
        expect((await session.execute(removed.executionOptions({ synchronizeSession }))).rowCount).toBe(2);
        expect(await found(session, Person)).toEqual([1, 2, 6, 7]);
        await session.rollback();
      }
    });
  });

  test("a class that was declared and never used cannot be left out", async () => {
    const metadata = new Metadata();
    const Hidden = mixin({ isHidden: integer().default(0) });
    class Animal extends model(
      "animals",
      { id: integer().primaryKey(), kind: text() },
      { metadata, polymorphicOn: "kind", identity: "animal" },
    ) {}
    class Cat extends inherit(Animal, { identity: "cat", mixins: [Hidden] }, {}) {}
    const engine = db.engine();
    await createAll(engine, { metadata });
    await using session = sessionmaker(engine)();
    const shown = withLoaderCriteria(Hidden, (entity) => entity.isHidden.eq(0));
    await expect(session.scalars(select(Animal).options(shown))).rejects.toThrow(
      'withLoaderCriteria() is about the class with the identity "cat" in the table "animals" too, which is declared but was never used, ' +
        "and the statement may find its rows. Name the class once: sessionmaker(engine, { models: [User, …] }).",
    );
    session.add(new Cat({ id: 1, isHidden: 1 }));
    expect((await session.scalars(select(Animal).options(shown))).all()).toEqual([]);
  });

  describe("what a criterion asks of other rows", () => {
    test("is kept to the other criteria, and not to itself", async () => {
      const SessionLocal = await openCriteriaStory(db);
      await using session = SessionLocal();
      const commented = withLoaderCriteria(Post, (post) => post.comments.any());
      expect(await found(session, Post, commented)).toEqual([1, 2]);
      const third = withLoaderCriteria(Comment, (comment) => comment.body.eq("c"));
      expect(await found(session, Post, commented, third)).toEqual([2]);
      // Each asks of the other's class.
      const ofShown = withLoaderCriteria(Comment, (comment) => comment.post.has((post) => post.deletedAt.isNull()));
      expect(await found(session, Post, commented, ofShown)).toEqual([1]);
      expect(await found(session, Comment, commented, ofShown)).toEqual([1, 2]);
      expect(await found(session, Comment, commented, ofShown, third)).toEqual([]);
    });

    test("may be its own class: a folder is hidden with the one that it is in", async () => {
      const SessionLocal = await openCriteriaStory(db);
      await using session = SessionLocal();
      const top = aliased(Folder, "top");
      const inShown = withLoaderCriteria(Folder, (folder) =>
        exists(select(top).where((other) => and(other.id.eq(folder.parent_id), other.deletedAt.isNull()))),
      );
      expect(await found(session, Folder, inShown)).toEqual([2, 3]);
      expect(await found(session, Folder, inShown, present)).toEqual([3]);
      const has = withLoaderCriteria(Folder, (folder) => folder.parent.has((parent) => parent.deletedAt.isNull()));
      expect(await found(session, Folder, has)).toEqual([2, 3]);
      expect(await found(session, Folder, has, present)).toEqual([3]);
      const pairs = select(Folder)
        .join("children")
        .columns((folder, child) => [folder.id, child.id]);
      expect((await session.execute(pairs.options(has))).all()).toEqual([]);
      expect((await session.execute(pairs.options(present))).all()).toEqual([[1, 3]]);
    });

    test("is kept to them in the condition of a relationship too", async () => {
      const metadata = new Metadata();
      const { Author, Book } = authors(metadata);
      const engine = db.engine();
      await createAll(engine, { metadata });
      await using session = sessionmaker(engine, { models: [Author, Book] })();
      session.add(new Author({ id: 1, name: "ann", books: [new Book({ id: 1, title: "hidden" })] }));
      await session.flush();
      for (const along of [joinedLoad, selectinLoad]) {
        session.expungeAll();
        const shown = withLoaderCriteria(Author, (author) => author.name.ne("ann"));
        const of = select(Book).options(along(Book, "author"));
        expect((await session.scalars(of)).one().author?.name).toBe("ann");
        session.expungeAll();
        const busy = select(Author).options(along(Author, "signed"));
        expect((await session.scalars(busy)).one().signed).toHaveLength(1);
        session.expungeAll();
        const hidden = select(Book).options(along(Book, "author"), shown);
        expect((await session.scalars(hidden)).one().author).toBe(null);
        session.expungeAll();
        const nobodys = withLoaderCriteria(Book, (book) => book.title.ne("hidden"));
        const none = select(Author).options(along(Author, "signed"), nobodys);
        expect((await session.scalars(none)).one().signed).toHaveLength(0);
      }
    });
  });

  describe("an expression", () => {
    test("is moved to where the class stands: under other names, in joins, for subclasses", async () => {
      const SessionLocal = await openCriteriaStory(db);
      await using session = SessionLocal();
      const { id, deletedAt, comments } = attributes(Post);
      const shown = withLoaderCriteria(Post, deletedAt.isNull());
      const other = aliased(Post, "other");
      expect(await found(session, Post, shown)).toEqual([1, 3, 4]);
      expect(sortedIds(await session.scalars(select(other).options(shown)))).toEqual([1, 3, 4]);
      const joined = select(Person)
        .join("posts")
        .columns((person, post) => [person.id, post.id])
        .orderBy((_, post) => post.id);
      expect((await session.execute(joined.options(shown))).all()).toEqual([
        [1, 1],
        [2, 3],
        [2, 4],
      ]);
      const commented = withLoaderCriteria(
        Post,
        and(
          comments.any((comment) => comment.tenant.eq("us")),
          exists(select(Comment).where((comment) => comment.post_id.eq(id))),
        ),
      );
      expect((await session.execute(joined.options(commented))).all()).toEqual([
        [1, 1],
        [1, 2],
      ]);
      expect(sortedIds(await session.scalars(select(other).options(commented)))).toEqual([1, 2]);
      const first = withLoaderCriteria(Member, attributes(Member).tier.eq(1));
      expect(await found(session, Person, first)).toEqual([1, 2, 5, 7, 8]);
      const named = withLoaderCriteria(Person, attributes(Person).name.ne("mia"));
      expect(await found(session, Member, named)).toEqual([6]);
    });

    test("leaves what a subquery of the same class says of its own rows", async () => {
      const SessionLocal = await openCriteriaStory(db);
      await using session = SessionLocal();
      const { id } = attributes(Post);
      const other = aliased(Post, "other");
      const chosen = select(other)
        .where((post) => post.title.eq("three"))
        .columns((post) => [post.id]);
      const criteria = withLoaderCriteria(Post, id.in(chosen));
      expect(await found(session, Post, criteria)).toEqual([3]);
      const joined = select(Person).join("posts").options(criteria);
      expect(ids(await session.scalars(joined))).toEqual([2]);
      const plain = select(Post)
        .where({ title: "three" })
        .columns((post) => [post.id]);
      const people = select(Person)
        .join("posts")
        .options(withLoaderCriteria(Post, id.in(plain)));
      await expect(session.scalars(people)).rejects.toThrow('A subquery of Post reads "posts"');
    });

    test("holds no SQL of one's own", () => {
      expect(() => withLoaderCriteria(Post, sql<boolean>`deleted_at is null`)).toThrow(ArgumentError);
      expect(() => withLoaderCriteria(Post, and(sql<boolean>`deleted_at is null`))).toThrow(
        "A condition on a class, given as an expression, holds SQL of your own.",
      );
    });
  });

  test("an alias is left out with includeAliases: false, and nothing else is", async () => {
    const SessionLocal = await openCriteriaStory(db);
    await using session = SessionLocal();
    const plain = withLoaderCriteria(Owned, (entity) => entity.tenant.eq("us"), { includeAliases: false });
    const other = aliased(Post, "other");
    expect(sortedIds(await session.scalars(select(other).options(plain)))).toEqual([1, 2, 3, 4]);
    expect(await found(session, Post, plain)).toEqual([1, 2, 3]);
    expect(await found(session, Guest, plain)).toEqual([7]);
    const joined = select(Person)
      .join("posts")
      .columns((_, post) => [post.id])
      .orderBy((_, post) => post.id);
    expect((await session.execute(joined.options(plain))).all()).toEqual([[1], [2]]);
    const busy = select(Post).where((post) => post.comments.any((comment) => comment.body.eq("b")));
    expect(ids(await session.scalars(busy.options(plain)))).toEqual([]);
    const beside = select(Comment)
      .join(other, (comment, post) => post.id.eq(comment.post_id))
      .where((_, post) => post.tenant.eq("us"));
    expect(sortedIds(await session.scalars(beside.options(plain)))).toEqual([1, 3]);
  });

  test("a class read twice is filtered in both places, and through a table between", async () => {
    const SessionLocal = await openCriteriaStory(db);
    await using session = SessionLocal();
    const other = aliased(Post, "other");
    const pairs = select(Post)
      .join(other, (post, same) => same.author_id.eq(post.author_id))
      .columns((post, same) => [post.id, same.id])
      .orderBy((post, same) => [post.id, same.id]);
    expect((await session.execute(pairs.options(present, ours))).all()).toEqual([
      [1, 1],
      [3, 3],
    ]);
    const siblings = select(Post)
      .join("tags")
      .join(Tag, "posts")
      .columns((post, tag, again) => [post.id, tag.id, again.id]);
    expect((await session.execute(siblings.options(present, ours))).all()).toEqual([[1, 1, 1]]);
    const tagged = select(Post)
      .outerJoin("tags")
      .columns((post, tag) => [post.id, tag.id])
      .orderBy((post) => post.id);
    expect((await session.execute(tagged.options(present, ours))).all()).toEqual([
      [1, 1],
      [3, null],
    ]);
    const byTag = select(Tag).where((tag) => tag.posts.any());
    expect(await session.scalars(byTag.options(present, ours)).then(ids)).toEqual([1]);
    for (const along of [selectinLoad, joinedLoad]) {
      session.expungeAll();
      const statement = select(Post)
        .orderBy((post) => post.id)
        .options(along(Post, "tags"), present, ours);
      expect((await session.scalars(statement)).all().map(({ tags }) => ids(tags))).toEqual([[1], []]);
    }
  });
});

function authors(metadata: Metadata) {
  class Author extends model(
    "authors",
    {
      id: integer().primaryKey(),
      name: text(),
      get books() {
        return many(Book, { backPopulates: "author" });
      },
      get signed() {
        return many(Book, {
          where: (book) => book["author"]!.has(),
          viewOnly: true,
        });
      },
    },
    { metadata },
  ) {}
  class Book extends model(
    "books",
    {
      id: integer().primaryKey(),
      title: text(),
      author_id: integer().nullable().references("authors.id"),
      get author() {
        return one(Author, { backPopulates: "books" });
      },
    },
    { metadata },
  ) {}
  return { Author, Book };
}
