import { describe, expect, test } from "vitest";
import {
  aliased,
  and,
  bindparam,
  containsEager,
  getHistory,
  immediateLoad,
  joinedLoad,
  lazyLoad,
  listen,
  load,
  noLoad,
  type ORMExecuteState,
  raiseLoad,
  select,
  selectinLoad,
  type Session,
  subqueryLoad,
  UnloadedAttributeError,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import {
  all,
  byId,
  Employee,
  ids,
  labels,
  Manager,
  openBlog,
  Plot,
  Post,
  staff,
  Tag,
  titles,
  Tree,
  User,
} from "./loading-blog.ts";

/** What listeners of doOrmExecute see of the loads of relationships. */
function relationshipLoads(session: Session): unknown[] {
  const seen: unknown[] = [];
  listen(session, "doOrmExecute", (event: ORMExecuteState) => {
    if (!event.isRelationshipLoad) return;
    const { allMappers, loaderStrategyPath = [], lazyLoadedFrom } = event;
    seen.push([
      allMappers.map(({ class: { name } }) => name).join(),
      loaderStrategyPath.map(({ label }) => label).join(),
      (lazyLoadedFrom as { id: number } | undefined)?.id,
    ]);
  });
  return seen;
}

forEachDatabase((db) => {
  describe("subqueryLoad", () => {
    test("loads by one further statement, which has the first one inside of it", async () => {
      const { SessionLocal, sent } = await openBlog(db);
      await using session = SessionLocal();
      const seen = relationshipLoads(session);
      const users = await all(
        session,
        select(User)
          .where((user) => user.name.lt("c"))
          .options(subqueryLoad(User, "posts").subqueryLoad("tags"), subqueryLoad(User, "boss"))
          .orderBy(byId),
      );
      expect(users.map(({ posts }) => titles(posts))).toEqual([["one", "two"], ["three"]]);
      expect(labels(users[0]!.posts[0]!.tags)).toEqual(["blue", "red"]);
      expect(users.map(({ boss }) => boss?.name)).toEqual([undefined, "ann"]);
      expect(sent()).toHaveLength(4);
      expect(seen).toEqual([
        ["Post,User", "User.posts", undefined],
        ["User", "User.boss", undefined],
        ["Tag,Post", "User.posts,Post.tags", undefined],
      ]);
    });

    test("finds what belongs to the instances of a limited statement, as it was ordered, joined and made distinct", async () => {
      const { SessionLocal } = await openBlog(db);
      await using session = SessionLocal();
      const statement = select(User)
        .join("posts")
        .where((_, post) => post.id.gt(0))
        .distinct()
        .orderBy((user) => user.name.desc())
        .limit(1)
        .options(subqueryLoad(User, "posts"));
      const users = await all(session, statement);
      expect(users.map(({ name, posts }) => [name, titles(posts)])).toEqual([["bob", ["three"]]]);
      const next = await all(session, statement.offset(1));
      expect(next.map(({ name, posts }) => [name, titles(posts)])).toEqual([["ann", ["one", "two"]]]);
    });

    test("finds nothing twice where a join finds an instance several times", async () => {
      const { SessionLocal } = await openBlog(db);
      await using session = SessionLocal();
      const statement = select(User).join("posts").options(subqueryLoad(User, "posts")).limit(2).orderBy(byId);
      const [ann] = await all(session, statement);
      expect(titles(ann!.posts)).toEqual(["one", "two"]);
    });

    test("takes the values of bindparams along", async () => {
      const { SessionLocal } = await openBlog(db);
      await using session = SessionLocal();
      const statement = select(User)
        .where((user) => user.name.eq(bindparam("name")))
        .options(subqueryLoad(User, "posts"));
      const found = await session.scalars(statement, { name: "bob" });
      expect(titles(found.one().posts)).toEqual(["three"]);
    });

    test("finds related rows of composite keys, and of what a join along the way has found", async () => {
      const { SessionLocal, sent } = await openBlog(db);
      await SessionLocal.begin((session) => {
        const [oak, elm] = [new Plot({ street: "oak", number: 1 }), new Plot({ street: "elm", number: 1 })];
        session.addAll([oak!, elm!, new Tree({ id: 1, plot: elm! }), new Tree({ id: 2, plot: elm! })]);
      });
      sent();
      await using session = SessionLocal();
      const plots = await all(
        session,
        select(Plot)
          .orderBy((plot) => plot.street)
          .options(subqueryLoad(Plot, "trees")),
      );
      expect(plots.map(({ trees }) => ids(trees))).toEqual([[1, 2], []]);
      const posts = await all(
        session,
        select(Post)
          .where((post) => post.id.lt(4))
          .orderBy(byId)
          .options(joinedLoad(Post, "author").subqueryLoad("team")),
      );
      expect(posts.map(({ author }) => ids(author!.team))).toEqual([[2, 3], [2, 3], []]);
      expect(sent()).toHaveLength(4);
    });

    test("goes on from each of several classes that the rows consist of", async () => {
      const { SessionLocal, sent } = await openBlog(db);
      await using session = SessionLocal();
      const statement = select(User)
        .outerJoin("posts")
        .columns((user, post) => [user, post])
        .orderBy((user, post) => [user.id, post.id])
        .options(subqueryLoad(User, "boss"), subqueryLoad(Post, "tags"));
      const rows = (await session.execute(statement)).all();
      expect(sent()).toHaveLength(3);
      expect(rows.map(([user, post]) => [user.boss?.name, post && labels(post.tags)])).toEqual([
        [undefined, ["blue", "red"]],
        [undefined, ["red"]],
        ["ann", []],
        ["ann", null],
      ]);
      session.expungeAll();
      const limited = (await session.execute(statement.distinct().limit(2).offset(1))).all();
      expect(limited.map(([user, post]) => [user.boss?.name, labels(post!.tags)])).toEqual([
        [undefined, ["red"]],
        ["ann", []],
      ]);
    });

    test("goes on from a class under another name, and from a join that the statement has itself", async () => {
      const { SessionLocal, sent } = await openBlog(db);
      await using session = SessionLocal();
      const person = aliased(User, "person");
      const found = await all(
        session,
        select(person)
          .join("posts")
          .where((user, post) => and(user.name.eq("ann"), post.title.eq("two")))
          .options(containsEager(User, "posts").subqueryLoad("tags"), subqueryLoad(User, "team")),
      );
      expect(sent()).toHaveLength(3);
      expect(found.map(({ team, posts }) => [ids(team), posts.map(({ tags }) => labels(tags))])).toEqual([
        [[2, 3], [["red"]]],
      ]);
    });

    test("loads what only a subclass has, of those that have it", async () => {
      const { SessionLocal } = await openBlog(db);
      await staff(SessionLocal);
      await using session = SessionLocal();
      const employees = await all(session, select(Employee).options(subqueryLoad(Manager, "reports")).orderBy(byId));
      expect(employees.map((each) => (each instanceof Manager ? ids(each.reports) : undefined))).toEqual([
        [2, 3],
        [],
        undefined,
      ]);
    });
  });

  describe("immediateLoad", () => {
    test("loads each by itself, and sends nothing for what the session has", async () => {
      const { SessionLocal, sent } = await openBlog(db);
      await using session = SessionLocal();
      const seen = relationshipLoads(session);
      const users = await all(session, select(User).options(immediateLoad(User, "posts")).orderBy(byId));
      expect(users.map(({ posts }) => titles(posts))).toEqual([["one", "two"], ["three"], []]);
      expect(seen).toEqual([1, 2, 3].map((id) => ["Post", "User.posts", id]));
      expect(sent()).toHaveLength(4);
      const posts = await all(session, select(Post).options(immediateLoad(Post, "author")));
      expect(posts).toHaveLength(4);
      expect(sent()).toHaveLength(1);
    });

    test("leads on to what is loaded along with those, also where the session had the parents before", async () => {
      const { SessionLocal } = await openBlog(db);
      await using session = SessionLocal();
      await all(session, select(User));
      const users = await all(
        session,
        select(User).options(immediateLoad(User, "posts").selectinLoad("tags")).orderBy(byId),
      );
      expect(labels(users[0]!.posts[0]!.tags)).toEqual(["blue", "red"]);
    });
  });

  describe("lazyLoad", () => {
    test("leaves a relationship to load(), which loads along what the path leads to", async () => {
      const { SessionLocal, sent } = await openBlog(db);
      await using session = SessionLocal();
      const [ann] = await all(
        session,
        select(User).where({ id: 1 }).options(lazyLoad(User, "posts").selectinLoad("tags")),
      );
      expect(() => ann!.posts).toThrow(UnloadedAttributeError);
      expect(sent()).toHaveLength(1);
      const posts = await load(ann!, "posts");
      expect(posts.map(({ tags }) => labels(tags))).toEqual([["blue", "red"], ["red"]]);
      expect(sent()).toHaveLength(2);
    });

    test("takes back what an option before it said", async () => {
      const { SessionLocal, sent } = await openBlog(db);
      await using session = SessionLocal();
      await all(session, select(User).options(selectinLoad(User, "posts"), lazyLoad(User, "posts")));
      expect(sent()).toHaveLength(1);
    });
  });

  describe("raiseLoad", () => {
    test("lets load() refuse, and reading too, with what to do", async () => {
      const { SessionLocal, sent } = await openBlog(db);
      await using session = SessionLocal();
      const [ann, bob] = await all(
        session,
        select(User).options(raiseLoad(User, "posts"), raiseLoad(User, "boss")).orderBy(byId),
      );
      sent();
      const message =
        "User.posts is not loaded, and raiseLoad says that nobody loads it for one User by itself: done for each of many, that would send a statement for each. " +
        'Load it along with the query: select(User).options(selectinLoad(User, "posts")).';
      expect(() => ann!.posts).toThrow(message);
      await expect(load(ann!, "posts")).rejects.toThrow(new UnloadedAttributeError(message));
      // Although the session has it.
      expect(() => bob!.boss).toThrow(UnloadedAttributeError);
      await expect(load(bob!, "boss")).rejects.toThrow(UnloadedAttributeError);
      expect(await load(bob!, "profile")).toBeNull();
      expect(sent()).toHaveLength(1);
    });

    test("with sqlOnly refuses what would send a statement", async () => {
      const { SessionLocal, sent } = await openBlog(db);
      await using session = SessionLocal();
      const posts = await all(
        session,
        select(Post)
          .options(raiseLoad(Post, "author", { sqlOnly: true }), raiseLoad(Post, "tags", { sqlOnly: true }))
          .orderBy(byId),
      );
      sent();
      await expect(load(posts[0]!, "tags")).rejects.toThrow(UnloadedAttributeError);
      await expect(load(posts[0]!, "author")).rejects.toThrow(UnloadedAttributeError);
      expect(() => posts[0]!.author).toThrow("raiseLoad");
      expect(await load(posts[3]!, "author")).toBeNull();
      const ann = await session.get(User, 1);
      sent();
      expect(posts[0]!.author).toBe(ann);
      expect(await load(posts[1]!, "author")).toBe(ann);
      expect(sent()).toEqual([]);
    });

    test("does not keep a flush, a cascade or a refresh by name from what they must know", async () => {
      const { SessionLocal } = await openBlog(db);
      await using session = SessionLocal();
      const [ann, bob] = await all(
        session,
        select(User).options(raiseLoad(User, "posts"), raiseLoad(User, "boss")).orderBy(byId),
      );
      await session.refresh(bob!, ["boss"]);
      expect(bob!.boss).toBe(ann);
      await session.delete(bob!);
      await session.flush();
      expect((await session.get(Post, 3))?.author).toBeNull();
    });

    test("holds for what is related as well, and not for instances that the session had before", async () => {
      const { SessionLocal } = await openBlog(db);
      await using session = SessionLocal();
      await session.get(Post, 1);
      const [ann] = await all(
        session,
        select(User).where({ id: 1 }).options(selectinLoad(User, "posts").raiseLoad("tags")),
      );
      expect(labels(await load(ann!.posts[0]!, "tags"))).toEqual(["blue", "red"]);
      await expect(load(ann!.posts[1]!, "tags")).rejects.toThrow(UnloadedAttributeError);
    });

    test("may be read on an instance that was just inserted, and is refused again when its row is loaded anew", async () => {
      const { SessionLocal } = await openBlog(db);
      await using session = SessionLocal();
      const dan = new User({ id: 9, name: "dan" });
      session.add(dan);
      await session.flush();
      expect(dan.posts).toEqual([]);
      await all(
        session,
        select(User).where({ id: 9 }).options(raiseLoad(User, "posts")).executionOptions({ populateExisting: true }),
      );
      await expect(load(dan, "posts")).rejects.toThrow("raiseLoad");
    });
  });

  describe("noLoad", () => {
    test("reads as empty, without a statement, and counts as unloaded", async () => {
      const { SessionLocal, sent } = await openBlog(db);
      await using session = SessionLocal();
      const [ann, bob] = await all(
        session,
        select(User)
          .options(noLoad(User, "posts"), noLoad(User, "boss"), noLoad(User, "addresses"), noLoad(User, "settings"))
          .orderBy(byId),
      );
      expect([ann!.posts, bob!.boss, ann!.addresses.size, ann!.settings.size]).toEqual([[], null, 0, 0]);
      expect(getHistory(ann!, "posts").hasChanges()).toBe(false);
      expect(session.dirty.size).toBe(0);
      expect(sent()).toHaveLength(1);
      expect(titles(await load(ann!, "posts"))).toEqual(["one", "two"]);
      expect(titles(ann!.posts)).toEqual(["one", "two"]);
      expect(await load(bob!, "boss")).toBe(ann);
    });

    test("saves what is put in beside what is there, and takes nothing out", async () => {
      const { SessionLocal } = await openBlog(db);
      await using session = SessionLocal();
      const [ann] = await all(
        session,
        select(User).where({ id: 1 }).options(noLoad(User, "posts"), noLoad(User, "addresses")),
      );
      const four = (await session.get(Post, 4))!;
      ann!.posts.push(four);
      const five = new Post({ id: 5, title: "five" });
      ann!.posts.push(five, new Post({ id: 6, title: "six" }));
      ann!.posts.pop();
      expect(titles(ann!.posts)).toEqual(["nobody's", "five"]);
      expect(five.author).toBe(ann);
      expect([...session.dirty]).toContain(ann);
      await session.commit();
      expect(titles(await load(ann!, "posts"))).toEqual(["one", "two", "nobody's", "five"]);
      expect((await session.get(Post, 6))?.author).toBeNull();
    });

    test("comes into the session with what was put in while it was detached", async () => {
      const { SessionLocal } = await openBlog(db);
      let ann: User;
      {
        await using session = SessionLocal();
        [ann] = (await all(session, select(User).where({ id: 1 }).options(noLoad(User, "posts")))) as [User];
      }
      ann.posts.push(new Post({ id: 7, title: "seven" }));
      await using session = SessionLocal();
      session.add(ann);
      await session.commit();
      expect(titles(await load(ann, "posts"))).toEqual(["one", "two", "seven"]);
    });

    test("is not taken for the content by an assignment, a deletion or a merge", async () => {
      const { SessionLocal } = await openBlog(db);
      await using session = SessionLocal();
      const options = [noLoad(User, "posts"), noLoad(User, "profile")] as const;
      const [ann, bob] = await all(
        session,
        select(User)
          .options(...options)
          .orderBy(byId),
      );
      expect(() => (ann!.posts = [])).toThrow(UnloadedAttributeError);
      expect(bob!.posts).toEqual([]);
      await session.commit();
      {
        await using other = SessionLocal();
        const merged = await other.merge(bob!);
        expect(titles(await load(merged, "posts"))).toEqual(["three"]);
        await other.commit();
      }
      await session.delete(bob!);
      await session.flush();
      expect((await session.get(Post, 3))?.author).toBeNull();
    });

    test("follows the other side of the relationship", async () => {
      const { SessionLocal } = await openBlog(db);
      await using session = SessionLocal();
      const [ann] = await all(session, select(User).where({ id: 1 }).options(noLoad(User, "posts")));
      const { posts } = ann!;
      const four = (await session.get(Post, 4))!;
      four.author = ann!;
      expect(titles(posts)).toEqual(["nobody's"]);
      four.author = null;
      expect(titles(posts)).toEqual([]);
      await session.flush();
      expect(titles(await load(ann!, "posts"))).toEqual(["one", "two"]);
    });

    test("takes through a table between what is put in on either side", async () => {
      const { SessionLocal } = await openBlog(db);
      await using session = SessionLocal();
      const [post] = await all(session, select(Post).where({ id: 3 }).options(noLoad(Post, "tags")));
      const [red] = await all(session, select(Tag).where({ label: "red" }).options(noLoad(Tag, "posts")));
      post!.tags.push(red!);
      await session.commit();
      expect(ids(await load(red!, "posts"))).toEqual([1, 2, 3]);
      expect(labels(await load(post!, "tags"))).toEqual(["red"]);
    });
  });
});
