import { describe, expect, test } from "vitest";
import {
  attributes,
  inherit,
  integer,
  joinedLoad,
  listen,
  many,
  Metadata,
  model,
  one,
  or,
  Select,
  select,
  selectinLoad,
  type Session,
  sql,
  table,
  text,
  withLoaderCriteria,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { type OpenSessions, openSessions } from "./open-sessions.ts";

const metadata = new Metadata();

class Person extends model(
  "people",
  {
    id: integer().primaryKey(),
    kind: text(),
    name: text(),
    bossId: integer().nullable().references("people.id"),
    get boss() {
      return one(Person, { backPopulates: "team" });
    },
    get team() {
      return many(Person, { backPopulates: "boss", orderBy: "id" });
    },
    get posts() {
      return many(Post, { backPopulates: "author", orderBy: "id" });
    },
    get shortPosts() {
      return many(Post, { where: (post) => post.title.like("_"), viewOnly: true });
    },
  },
  { metadata, polymorphicOn: "kind", identity: "person" },
) {}

class Editor extends inherit(
  Person,
  { identity: "editor", table: "editors" },
  { id: integer().primaryKey().references("people.id"), desk: text() },
) {}

class Post extends model(
  "posts",
  {
    id: integer().primaryKey(),
    title: text(),
    authorId: integer().nullable().references("people.id"),
    editorId: integer().nullable().references("editors.id"),
    get author() {
      return one(Person, { backPopulates: "posts", foreignKey: "authorId" });
    },
    get editor() {
      return one(Editor, { foreignKey: "editorId" });
    },
    get tags() {
      return many(Tag, { secondary: "post_tags", orderBy: "label" });
    },
  },
  { metadata },
) {}

class Tag extends model("tags", { id: integer().primaryKey(), label: text() }, { metadata }) {}

table(
  "post_tags",
  { postId: integer().primaryKey().references("posts.id"), tagId: integer().primaryKey().references("tags.id") },
  { metadata },
);

const models = [Person, Editor, Post, Tag];

/** ann leads bob and cid; bob wrote "a" (new, old) and "bb", cid nothing, eve, an editor, "c". */
async function story(opened: OpenSessions): Promise<Session> {
  const session = opened.SessionLocal();
  const [fresh, old] = [new Tag({ label: "new" }), new Tag({ label: "old" })];
  const ann = new Person({ name: "ann" });
  const bob = new Person({ name: "bob", boss: ann });
  const cid = new Person({ name: "cid", boss: ann });
  const eve = new Editor({ name: "eve", desk: "news" });
  const a = new Post({ title: "a", author: bob, editor: eve, tags: [fresh, old] });
  const bb = new Post({ title: "bb", author: bob, tags: [old] });
  const c = new Post({ title: "c", author: eve });
  session.addAll([ann, bob, cid, eve, a, bb, c]);
  await session.commit();
  return session;
}

const namesOf = async (session: Session, statement: Select<Person>): Promise<string[]> =>
  (await session.scalars(statement)).all().map(({ name }) => name);
const titlesOf = async (session: Session, statement: Select<Post>): Promise<string[]> =>
  (await session.scalars(statement)).all().map(({ title }) => title);

forEachDatabase((db) => {
  const open = (): Promise<OpenSessions> => openSessions(db, metadata, models);

  describe("join", () => {
    test("along a relationship finds what has related rows, once for each, and can compare them", async () => {
      await using session = await story(await open());
      const withPosts = select(Person).join("posts");
      expect(
        await namesOf(
          session,
          withPosts.orderBy((person, post) => [person.name, post.title]),
        ),
      ).toEqual(["bob", "bob", "eve"]);
      expect(
        await namesOf(
          session,
          withPosts.distinct().orderBy((person) => person.name),
        ),
      ).toEqual(["bob", "eve"]);
      expect(
        await namesOf(
          session,
          withPosts.where((_, post) => post.title.eq("bb")),
        ),
      ).toEqual(["bob"]);
      expect(
        await namesOf(
          session,
          select(Person)
            .join("shortPosts")
            .orderBy((person) => person.name),
        ),
      ).toEqual(["bob", "eve"]);
    });

    test("that makes several rows of an instance refreshes it once", async () => {
      await using session = await story(await open());
      await session.scalars(select(Person));
      const refreshed: string[] = [];
      using listening = listen(Person, "refresh", ({ target }) => refreshed.push(target.name));
      void listening;
      await session.scalars(select(Person).join("posts").executionOptions({ populateExisting: true }));
      expect(refreshed.toSorted()).toEqual(["bob", "eve"]);
    });

    test("goes on from what was joined, through tables between", async () => {
      await using session = await story(await open());
      const tagged = select(Person)
        .join("posts")
        .join(Post, "tags")
        .where((_person, _post, tag) => tag.label.eq("old"))
        .orderBy((_, post) => post.title.desc());
      expect(await namesOf(session, tagged)).toEqual(["bob", "bob"]);
      const statement = select(Post).join("author").join(Person, "boss");
      expect(
        await titlesOf(
          session,
          statement.where((_post, _author, boss) => boss.name.eq("ann")),
        ),
      ).toHaveLength(2);
    });

    test("to its own class puts it there under another name", async () => {
      await using session = await story(await open());
      const led = select(Person).join("boss");
      expect(
        await namesOf(
          session,
          led.where((person, boss) => boss.name.lt(person.name)).orderBy((p) => p.id),
        ),
      ).toEqual(["bob", "cid"]);
      expect(await namesOf(session, select(Person).join("team").join(Person, "posts").distinct())).toEqual(["ann"]);
    });

    test("of any class takes the condition under which its rows belong there", async () => {
      await using session = await story(await open());
      const namesakes = select(Person).join(Person, (left, right) => left.bossId.eq(right.bossId));
      expect(
        await namesOf(
          session,
          namesakes.where((left, right) => left.id.lt(right.id)),
        ),
      ).toEqual(["bob"]);
      expect(
        await titlesOf(
          session,
          select(Post).join(Tag, (post, tag) => sql<boolean>`${tag.label} = 'new' and ${post.title} = 'c'`),
        ),
      ).toEqual(["c"]);
    });

    test("to a class in several tables reads them as one", async () => {
      await using session = await story(await open());
      const news = select(Post).join("editor");
      expect(
        await titlesOf(
          session,
          news.where((_, editor) => editor.desk.eq("news")),
        ),
      ).toEqual(["a"]);
      expect(
        await titlesOf(
          session,
          news.where((_, editor) => editor.name.eq("eve")),
        ),
      ).toEqual(["a"]);
    });

    test("goes with limits and with what is loaded along", async () => {
      await using session = await story(await open());
      const statement = select(Person)
        .join("posts")
        .distinct()
        .orderBy((person) => person.name.desc())
        .limit(1)
        .options(selectinLoad(Person, "posts").joinedLoad("tags"));
      const [eve] = (await session.scalars(statement)).all();
      expect(eve?.posts.map(({ title }) => title)).toEqual(["c"]);
      const joined = select(Person)
        .join("posts")
        .where((_, post) => post.title.eq("a"))
        .options(joinedLoad(Person, "posts"));
      session.expunge(eve as Person);
      const [bob] = (await session.scalars(joined)).all();
      // What is loaded along is all of it, not what was joined to choose the rows.
      expect(bob?.posts.map(({ title }) => title)).toEqual(["a", "bb"]);
    });

    test("to what is no relationship, or from what is not read, is refused with the names", () => {
      expect(() => select(Person).join("pots" as never)).toThrow(/"pots" is none of Person\. Did you mean "posts"\?/);
      expect(() => select(Person).join(Post as never, "tags" as never)).toThrow(/which the statement does not read/);
      expect(() => select(Person).join(Post, undefined as never)).toThrow(/got nothing/);
    });
  });

  describe("outerJoin", () => {
    test("finds what has no related rows too, through a table between as well", async () => {
      await using session = await story(await open());
      const lonely = select(Person).outerJoin("posts");
      expect(
        await namesOf(
          session,
          lonely.where((_, post) => post.id.isNull()).orderBy((person) => person.name),
        ),
      ).toEqual(["ann", "cid"]);
      const untagged = select(Post)
        .outerJoin("tags")
        .where((_, tag) => tag.id.isNull());
      expect(await titlesOf(session, untagged)).toEqual(["c"]);
    });

    test("can order by what may be missing, with those first or last", async () => {
      await using session = await story(await open());
      const byBoss = select(Person).outerJoin("boss");
      const ordered = byBoss.orderBy((person, boss) => [boss.name.asc().nullsLast(), person.name]);
      expect(await namesOf(session, ordered)).toEqual(["bob", "cid", "ann", "eve"]);
      const first = byBoss.orderBy((person, boss) => [boss.name.desc().nullsFirst(), person.name]);
      expect(await namesOf(session, first)).toEqual(["ann", "eve", "bob", "cid"]);
    });
  });

  describe("any and has", () => {
    test("refuse an object that says nothing", () => {
      expect(() => select(Person).where((person) => person.posts.any({}))).toThrow("any({}) says nothing");
    });

    test("ask whether there is a related row, one that fulfils a condition, or one related in turn", async () => {
      await using session = await story(await open());
      const people = select(Person).orderBy((person) => person.name);
      expect(
        await namesOf(
          session,
          people.where((person) => person.posts.any()),
        ),
      ).toEqual(["bob", "eve"]);
      expect(
        await namesOf(
          session,
          people.where((person) => person.posts.any((post) => post.title.eq("bb"))),
        ),
      ).toEqual(["bob"]);
      expect(
        await namesOf(
          session,
          people.where((person) => person.team.any((member) => member.posts.any((post) => post.title.eq("a")))),
        ),
      ).toEqual(["ann"]);
      expect(
        await namesOf(
          session,
          people.where((person) => person.boss.has((boss) => boss.name.eq("ann"))),
        ),
      ).toEqual(["bob", "cid"]);
      expect(
        await namesOf(
          session,
          people.where((person) => or(person.boss.has({ name: "eve" }), person.posts.any({ title: "bb" }))),
        ),
      ).toEqual(["bob"]);
      expect(
        await titlesOf(
          session,
          select(Post).where((post) => post.tags.any((tag) => tag.label.eq("new"))),
        ),
      ).toEqual(["a"]);
      expect(
        await titlesOf(
          session,
          select(Post).where((post) => post.editor.has((editor) => editor.desk.eq("news"))),
        ),
      ).toEqual(["a"]);
      const joined = select(Person)
        .join("posts")
        .where((_, post) => post.tags.any((tag) => tag.label.eq("new")));
      expect(await namesOf(session, joined)).toEqual(["bob"]);
    });

    test("of an attribute that is no relationship is refused", () => {
      expect(() => attributes(Person).name.any.call(attributes(Person).name as never)).toThrow(/is no relationship/);
    });
  });

  describe("criteria", () => {
    test("hide rows from joins and from conditions on related rows, and an outer join has none in their place", async () => {
      const opened = await open();
      await using session = await story(opened);
      listen(session, "doOrmExecute", (event) => {
        if (!(event.statement instanceof Select) || event.isColumnLoad || event.isRelationshipLoad) return;
        event.statement = event.statement.options(
          withLoaderCriteria(Post, (post) => post.title.ne("bb")),
          withLoaderCriteria(Tag, (tag) => tag.label.ne("old")),
          withLoaderCriteria(Person, (person) => person.name.ne("eve")),
        );
      });
      const byName = select(Person).orderBy((person) => person.name);
      expect(await namesOf(session, byName.join("posts"))).toEqual(["bob"]);
      expect(await namesOf(session, byName.join("posts").join(Post, "tags"))).toEqual(["bob"]);
      expect(
        await namesOf(
          session,
          byName.where((person) => person.posts.any((post) => post.title.eq("bb"))),
        ),
      ).toEqual([]);
      expect(
        await namesOf(
          session,
          byName.where((person) => person.posts.any((post) => post.tags.any((tag) => tag.label.eq("old")))),
        ),
      ).toEqual([]);
      // The editor is a Person too.
      expect(await titlesOf(session, select(Post).join("editor"))).toEqual([]);
      expect(
        await titlesOf(
          session,
          select(Post).where((post) => post.author.has((a) => a.name.eq("eve"))),
        ),
      ).toEqual([]);
      const outer = select(Post)
        .outerJoin("tags")
        .orderBy((post, tag) => [post.title, tag.label]);
      expect(await titlesOf(session, outer)).toEqual(["a", "c"]);
      const hidden = select(Post)
        .outerJoin("author")
        .where((_, author) => author.id.isNull());
      expect(await titlesOf(session, hidden)).toEqual(["c"]);
      const byCondition = select(Person).join(Post, (person, post) => post.authorId.eq(person.id));
      expect(await namesOf(session, byCondition)).toEqual(["bob"]);
    });
  });
});
