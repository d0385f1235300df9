import { describe, expect, test } from "vitest";
import {
  immediateLoad,
  joinedLoad,
  lazyLoad,
  load,
  loadOnly,
  type RelatedLoadOptions,
  select,
  selectinLoad,
  subqueryLoad,
  withLoaderCriteria,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { all, byId, Employee, ids, labels, Manager, openBlog, Post, staff, Tag, titles, User } from "./loading-blog.ts";

const ways = { selectinLoad, joinedLoad, subqueryLoad, immediateLoad } as const;
const names = Object.keys(ways) as (keyof typeof ways)[];

forEachDatabase((db) => {
  describe.each(names)("%s with a condition", (name) => {
    const way = ways[name];

    test("loads the related instances that fulfil it, and hides no parent", async () => {
      const { SessionLocal } = await openBlog(db);
      await using session = SessionLocal();
      const short: RelatedLoadOptions<typeof User, "posts"> = { where: (post) => post.title.in(["two", "three"]) };
      const users = await all(
        session,
        select(User)
          .options(way(User, "posts", short))
          .orderBy(byId),
      );
      expect(users.map(({ posts }) => titles(posts))).toEqual([["two"], ["three"], []]);
      expect(session.dirty.size).toBe(0);
      session.expungeAll();
      const other = way(User, "posts", { where: (post) => post.title.in(["one", "none"]) });
      const limited = await all(session, select(User).options(other).orderBy(byId).limit(2));
      expect(limited.map(({ posts }) => titles(posts))).toEqual([["one"], []]);
    });

    test("is part of a path, through a table between and with a condition of its own on the way", async () => {
      const { SessionLocal } = await openBlog(db);
      await using session = SessionLocal();
      const [ann] = await all(
        session,
        select(User)
          .where({ id: 1 })
          .options(
            way(User, "posts", { where: (post) => post.id.lt(9) })[name]("tags", {
              where: (tag) => tag.label.ne("blue"),
            }),
          ),
      );
      expect(ann!.posts.map(({ tags }) => labels(tags))).toEqual([["red"], ["red"]]);
      session.expungeAll();
      const [again] = await all(
        session,
        select(User)
          .where({ id: 1 })
          .options(joinedLoad(User, "posts", { where: (post) => post.title.eq("two") })[name]("tags")),
      );
      expect(again!.posts.map(({ title, tags }) => [title, labels(tags)])).toEqual([["two", ["red"]]]);
    });

    test("finds no reference that does not fulfil it, also where the session has it", async () => {
      const { SessionLocal } = await openBlog(db);
      await using session = SessionLocal();
      const everyone = await all(session, select(User));
      const posts = await all(
        session,
        select(Post)
          .options(way(Post, "author", { where: (author) => author.name.eq("ann") }))
          .orderBy(byId),
      );
      expect(posts.map(({ author }) => author?.name)).toEqual(["ann", "ann", undefined, undefined]);
      expect(everyone).toHaveLength(3);
    });

    test("asks of other rows, and keeps to criteria", async () => {
      const { SessionLocal } = await openBlog(db);
      await using session = SessionLocal();
      const tagged = way(User, "posts", { where: (post) => post.tags.any((tag) => tag.label.eq("blue")) });
      const [ann] = await all(session, select(User).options(tagged).orderBy(byId));
      expect(titles(ann!.posts)).toEqual(["one"]);
      session.expungeAll();
      const noBlue = withLoaderCriteria(Tag, (tag) => tag.label.ne("blue"));
      const [hidden] = await all(session, select(User).options(tagged, noBlue).orderBy(byId));
      expect(hidden!.posts).toEqual([]);
    });

    test("is about a subclass, and a class that refers to itself", async () => {
      const { SessionLocal } = await openBlog(db);
      await staff(SessionLocal);
      await using session = SessionLocal();
      const managers = await all(
        session,
        select(Manager)
          .options(way(Manager, "reports", { where: (report) => report.kind.eq("clerk") }))
          .orderBy(byId),
      );
      expect(managers.map(({ reports }) => ids(reports))).toEqual([[3], []]);
      const everyone = await all(
        session,
        select(Employee)
          .options(way(Employee, "manager", { where: (manager) => manager.level.gt(9) }))
          .orderBy(byId)
          .executionOptions({ populateExisting: true }),
      );
      expect(everyone.map(({ manager }) => manager)).toEqual([null, null, null]);
    });

    test("holds when the instance is loaded anew", async () => {
      const { SessionLocal } = await openBlog(db);
      await using session = SessionLocal();
      const [ann] = await all(
        session,
        select(User)
          .where({ id: 1 })
          .options(way(User, "posts", { where: (post) => post.title.eq("two") })),
      );
      await session.refresh(ann!);
      expect(titles(ann!.posts)).toEqual(["two"]);
    });
  });

  test.each([selectinLoad, subqueryLoad])(
    "%o loads for all, also where what is loaded for one brings the foreign key of another",
    async (way) => {
      const { SessionLocal } = await openBlog(db);
      await SessionLocal.begin(async (session) => {
        (await session.get(User, 3))!.boss_id = 2;
      });
      await using session = SessionLocal();
      await session.get(User, 3);
      const [bob, cy] = await all(
        session,
        select(User)
          .where((user) => user.id.gt(1))
          .options(loadOnly(User, "name"), way(User, "boss"))
          .orderBy(byId),
      );
      expect([bob!.boss?.name, cy!.boss]).toEqual(["ann", bob]);
    },
  );

  test("a lazily loaded relationship keeps to its condition, and a deletion to all of it", async () => {
    const { SessionLocal } = await openBlog(db);
    await using session = SessionLocal();
    const one = lazyLoad(User, "posts", { where: (post) => post.title.eq("two") });
    const [ann] = await all(session, select(User).where({ id: 1 }).options(one));
    expect(titles(await load(ann!, "posts"))).toEqual(["two"]);
    const [bob] = await all(
      session,
      select(User)
        .where({ id: 2 })
        .options(lazyLoad(User, "posts", { where: (post) => post.title.eq("none") })),
    );
    await session.delete(bob!);
    await session.flush();
    expect((await session.get(Post, 3))?.author).toBeNull();
  });

  test("conditions with other values share one text", async () => {
    const { SessionLocal, sent } = await openBlog(db);
    await using session = SessionLocal();
    for (const title of ["one", "two"]) {
      session.expungeAll();
      const option = joinedLoad(User, "posts", { where: (post) => post.title.eq(title) });
      const [ann] = await all(session, select(User).options(option).orderBy(byId));
      expect(titles(ann!.posts)).toEqual([title]);
    }
    const [first, second] = sent();
    expect(first).toBe(second);
  });

  test("a condition on all relationships is refused, and what is no condition", () => {
    expect(() => selectinLoad(User, "*", { where: () => true as never })).toThrow(
      '"*" stands for relationships to several classes, of which where cannot say one thing. Name the relationship that it is about.',
    );
    expect(() => selectinLoad(User, "posts", { where: "x" as never })).toThrow(
      "where takes a function that returns a condition, as in { where: (post) => post.published.eq(true) }, and got",
    );
  });
});
