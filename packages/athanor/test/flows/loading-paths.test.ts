import { describe, expect, test } from "vitest";
import {
  ArgumentError,
  defaultLoad,
  joinedLoad,
  lazyLoad,
  load,
  type LoaderPath,
  noLoad,
  raiseLoad,
  select,
  selectinLoad,
  subqueryLoad,
  UnloadedAttributeError,
  withLoaderCriteria,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { all, byId, Employee, ids, labels, Manager, openBlog, Post, staff, titles, User } from "./loading-blog.ts";

forEachDatabase((db) => {
  describe("options for all relationships", () => {
    test("of a class load those that are not named", async () => {
      const { SessionLocal, sent } = await openBlog(db);
      await using session = SessionLocal();
      const [ann, bob] = await all(
        session,
        select(User)
          .options(selectinLoad(User, "*"), joinedLoad(User, "profile"), lazyLoad(User, "settings"))
          .orderBy(byId),
      );
      // Of users, and then posts, addresses, bosses and teams; not the posts' own.
      expect(sent()).toHaveLength(5);
      expect(titles(ann!.posts)).toEqual(["one", "two"]);
      expect(ids(ann!.team)).toEqual([2, 3]);
      expect(bob!.boss).toBe(ann);
      expect([ann!.addresses.size, ann!.profile?.bio]).toEqual([2, "hi"]);
      expect(() => ann!.settings).toThrow(UnloadedAttributeError);
      expect(() => ann!.posts[0]!.tags).toThrow(UnloadedAttributeError);
    });

    test("refuse to load what is not named, whichever option comes first", async () => {
      const { SessionLocal } = await openBlog(db);
      for (const options of [
        [raiseLoad(User, "*"), selectinLoad(User, "posts")],
        [selectinLoad(User, "posts"), raiseLoad(User, "*")],
      ]) {
        await using session = SessionLocal();
        const [ann] = await all(
          session,
          select(User)
            .options(...options)
            .orderBy(byId),
        );
        expect(titles(ann!.posts)).toEqual(["one", "two"]);
        await expect(load(ann!, "boss")).rejects.toThrow("User.boss is not loaded, and raiseLoad says");
        expect(labels(await load(ann!.posts[0]!, "tags"))).toEqual(["blue", "red"]);
      }
    });

    test("of every class hold for what is related too, for what load() finds, and for what a refresh brings", async () => {
      const { SessionLocal } = await openBlog(db);
      await using session = SessionLocal();
      const [ann] = await all(
        session,
        select(User).where({ id: 1 }).options(selectinLoad(User, "posts"), lazyLoad(User, "team"), raiseLoad("*")),
      );
      await expect(load(ann!, "profile")).rejects.toThrow("raiseLoad");
      await expect(load(ann!.posts[0]!, "tags")).rejects.toThrow("raiseLoad");
      const [bob] = await load(ann!, "team");
      await expect(load(bob!, "posts")).rejects.toThrow("raiseLoad");
      await session.refresh(ann!);
      await expect(load(ann!, "addresses")).rejects.toThrow("raiseLoad");
      expect(titles(ann!.posts)).toEqual(["one", "two"]);
    });

    test("that load along end where they come back to a class that they came from", async () => {
      const { SessionLocal, sent } = await openBlog(db);
      await using session = SessionLocal();
      const posts = await all(session, select(Post).options(selectinLoad("*")).orderBy(byId));
      const [one] = posts;
      expect(labels(one!.tags)).toEqual(["blue", "red"]);
      expect([one!.author?.profile?.bio, one!.author?.settings.size]).toEqual(["hi", 1]);
      expect(() => one!.author?.team).toThrow(UnloadedAttributeError);
      // Posts, authors and tags; profiles, addresses and settings of authors.
      expect(sent()).toHaveLength(6);
      session.expungeAll();
      await all(session, select(Post).options(joinedLoad("*")));
      expect(sent()).toHaveLength(1);
    });

    test("leave what the relationship itself is to those that say nothing of it", async () => {
      const { SessionLocal } = await openBlog(db);
      await using session = SessionLocal();
      const [ann] = await all(
        session,
        select(User).where({ id: 1 }).options(noLoad("*"), defaultLoad(User, "posts").selectinLoad("tags")),
      );
      expect([ann!.posts, ann!.team, ann!.boss]).toEqual([[], [], null]);
      expect(titles(await load(ann!, "posts"))).toEqual(["one", "two"]);
      expect(labels(ann!.posts[0]!.tags)).toEqual(["blue", "red"]);
    });

    test("of a subclass are for its instances", async () => {
      const { SessionLocal } = await openBlog(db);
      await staff(SessionLocal);
      await using session = SessionLocal();
      const [max, mia, cleo] = await all(session, select(Employee).options(raiseLoad(Manager, "*")).orderBy(byId));
      await expect(load(max as Manager, "reports")).rejects.toThrow("raiseLoad");
      await expect(load(mia!, "manager")).rejects.toThrow("raiseLoad");
      expect(await load(cleo!, "manager")).toBe(max);
      session.expungeAll();
      const everyone = await all(session, select(Employee).options(selectinLoad(Employee, "*")).orderBy(byId));
      expect(everyone.map((each) => each.manager?.id)).toEqual([undefined, 1, 1]);
      expect(everyone.map((each) => (each instanceof Manager ? ids(each.reports) : undefined))).toEqual([
        [2, 3],
        [],
        undefined,
      ]);
    });
  });

  describe("a path", () => {
    test("says several things of the instances that it leads to", async () => {
      const { SessionLocal, sent } = await openBlog(db);
      await using session = SessionLocal();
      const [ann] = await all(
        session,
        select(User)
          .where({ id: 1 })
          .options(
            selectinLoad(User, "posts").options(
              selectinLoad(Post, "tags"),
              joinedLoad(Post, "author").options(subqueryLoad(User, "addresses")),
            ),
          ),
      );
      expect(labels(ann!.posts[0]!.tags)).toEqual(["blue", "red"]);
      expect(ann!.posts[0]!.author!.addresses.size).toBe(2);
      expect(sent()).toHaveLength(4);
    });

    test("leads on without saying how the relationship itself is loaded, or changing what was said", async () => {
      const { SessionLocal } = await openBlog(db);
      await using session = SessionLocal();
      const [ann] = await all(
        session,
        select(User)
          .where({ id: 1 })
          .options(joinedLoad(User, "posts"), defaultLoad(User, "posts").raiseLoad("*").selectinLoad("tags")),
      );
      expect(labels(ann!.posts[0]!.tags)).toEqual(["blue", "red"]);
      await expect(load(ann!.posts[0]!, "author")).rejects.toThrow("raiseLoad");
    });

    test("refuses what does not begin where it leads, and what is no path", () => {
      expect(() => selectinLoad(User, "posts").options(selectinLoad(User, "posts"))).toThrow(
        new ArgumentError(
          'options() of a path that leads to Post got one that begins with User. Begin it with Post, as in selectinLoad(Post, "…").',
        ),
      );
      const criteria = withLoaderCriteria(Post, (post) => post.title.ne("x")) as unknown as LoaderPath<typeof Post>;
      expect(() => selectinLoad(User, "posts").options(criteria)).toThrow(
        'options() of a path takes what selectinLoad(Post, "…") and its like return, and got',
      );
      expect(() => select(User).options(raiseLoad(Post, "*"))).toThrow(
        'What Post refers to cannot be loaded along with a statement that selects User. Name a relationship of User first, and lead on from there: selectinLoad(User, "…").selectinLoad("*").',
      );
    });
  });
});
