import { describe, expect, test } from "vitest";
import {
  aliased,
  deleteFrom,
  exists,
  func,
  insert,
  IntegrityError,
  immediateLoad,
  joinedLoad,
  load,
  select,
  selectinLoad,
  type Session,
  sql,
  subqueryLoad,
  update,
  withLoaderCriteria,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { hideDeleted, hideOtherTenants } from "./criteria-rules.ts";
import {
  Comment,
  Folder,
  ids,
  openCriteriaStory,
  Person,
  Post,
  SoftDeletes,
  sortedIds,
  Tag,
} from "./criteria-story.ts";

const present = withLoaderCriteria(SoftDeletes, (entity) => entity.deletedAt.isNull());

// Row by row what SQLAlchemy's documentation and behaviour say of with_loader_criteria, and what Athanor does.
forEachDatabase((db) => {
  async function open(): Promise<Session> {
    return (await openCriteriaStory(db))({ info: { tenant: "us" } });
  }

  describe("criteria filter what a statement selects", () => {
    test("entities, attributes, counts and groups", async () => {
      await using session = await open();
      hideDeleted(session);
      hideOtherTenants(session);
      expect(sortedIds(await session.scalars(select(Post)))).toEqual([1, 3]);
      const titles = select(Post)
        .columns((post) => [post.title])
        .orderBy((post) => post.id);
      expect((await session.execute(titles)).all()).toEqual([["one"], ["three"]]);
      expect(await session.scalar(select(Post).columns((post) => [func.count(post.id)]))).toBe(2);
      const byTenant = select(Post)
        .columns((post) => [post.tenant, func.count()])
        .groupBy((post) => post.tenant);
      expect((await session.execute(byTenant)).all()).toEqual([["us", 2]]);
      const latest = select(Post).columns((post) => [func.max(post.id)]);
      expect(await session.scalar(latest)).toBe(3);
    });

    test("a join hides pairs, an outer join keeps the row and shows none beside it", async () => {
      await using session = await open();
      hideDeleted(session);
      const pairs = select(Person)
        .join("posts")
        .columns((person, post) => [person.id, post.id])
        .orderBy((_, post) => post.id);
      expect((await session.execute(pairs)).all()).toEqual([
        [1, 1],
        [2, 3],
        [2, 4],
      ]);
      await session.execute(sql`update posts set deleted_at = '2026-01-01 00:00:00' where author_id = 1`);
      const outer = select(Person)
        .outerJoin("posts")
        .where((person) => person.id.lt(3))
        .columns((person, post) => [person.id, post.id])
        .orderBy((person, post) => [person.id, post.id]);
      expect((await session.execute(outer)).all()).toEqual([
        [1, null],
        [2, 3],
        [2, 4],
      ]);
    });

    test("a join on a condition, and one through a table between", async () => {
      await using session = await open();
      hideDeleted(session);
      hideOtherTenants(session);
      const written = select(Person)
        .outerJoin(Post, (person, post) => post.author_id.eq(person.id))
        .columns((person, post) => [person.id, post.id])
        .orderBy((person) => person.id);
      expect((await session.execute(written)).all()).toEqual([
        [1, 1],
        [5, null],
        [7, null],
      ]);
      const tagged = select(Post)
        .join("tags")
        .columns((post, tag) => [post.id, tag.id]);
      expect((await session.execute(tagged)).all()).toEqual([[1, 1]]);
      const outer = select(Post)
        .outerJoin("tags")
        .columns((post, tag) => [post.id, tag.id])
        .orderBy((post) => post.id);
      expect((await session.execute(outer)).all()).toEqual([
        [1, 1],
        [3, null],
      ]);
    });

    test("rows of two classes side by side, and several instances in one row", async () => {
      await using session = await open();
      hideDeleted(session);
      hideOtherTenants(session);
      const crossed = select(Post)
        .join(Tag, () => sql<boolean>`1 = 1 or 1 = 1`)
        .columns((post, tag) => [post, tag])
        .orderBy((post, tag) => [post.id, tag.id]);
      const rows = (await session.execute(crossed)).all();
      expect(rows.map(([post, tag]) => [post.id, tag.id])).toEqual([
        [1, 1],
        [1, 3],
        [3, 1],
        [3, 3],
      ]);
    });

    test("what stands in IN, in EXISTS, in any and has, and as a value", async () => {
      await using session = await open();
      hideDeleted(session);
      hideOtherTenants(session);
      const inPosts = select(Comment).where((comment) => comment.post_id.in(select(Post).columns((post) => [post.id])));
      expect(sortedIds(await session.scalars(inPosts))).toEqual([1]);
      const notInPosts = select(Comment).where((comment) =>
        comment.post_id.notIn(select(Post).columns((post) => [post.id])),
      );
      expect(sortedIds(await session.scalars(notInPosts))).toEqual([3]);
      const busy = select(Person).where((person) => exists(select(Post).where((post) => post.author_id.eq(person.id))));
      expect(sortedIds(await session.scalars(busy))).toEqual([1]);
      const tagged = select(Post).where((post) => post.tags.any((tag) => tag.label.ne("tag 1")));
      expect(sortedIds(await session.scalars(tagged))).toEqual([]);
      const commented = select(Comment).where((comment) => comment.post.has());
      expect(sortedIds(await session.scalars(commented))).toEqual([1]);
      const counted = select(Person)
        .columns((person) => [
          person.id,
          select(Post)
            .where((post) => post.author_id.eq(person.id))
            .columns(() => [func.count()])
            .scalarSubquery(),
        ])
        .orderBy((person) => person.id);
      expect((await session.execute(counted)).all()).toEqual([
        [1, 1],
        [5, 0],
        [7, 0],
      ]);
    });

    test("a class under another name", async () => {
      await using session = await open();
      hideDeleted(session);
      hideOtherTenants(session);
      const other = aliased(Post, "other");
      expect(sortedIds(await session.scalars(select(other)))).toEqual([1, 3]);
      const pairs = select(Post)
        .join(other, (post, same) => same.id.eq(post.id))
        .columns((post, same) => [post.id, same.id])
        .orderBy((post) => post.id);
      expect((await session.execute(pairs)).all()).toEqual([
        [1, 1],
        [3, 3],
      ]);
    });

    test("what a union, a subquery and a common table are made of", async () => {
      await using session = await open();
      hideDeleted(session);
      hideOtherTenants(session);
      const some = select(Post).where((post) => post.id.gt(1));
      expect(sortedIds(await session.scalars(select(Post).union(some)))).toEqual([1, 3]);
      expect(sortedIds(await session.scalars(select(Post).intersect(some)))).toEqual([3]);
      expect(sortedIds(await session.scalars(select(some.subquery("some"))))).toEqual([3]);
      const found = select(Post).cte("found");
      const pairs = select(found)
        .join(found.alias("again"), (post, again) => post.id.ne(again.id))
        .columns((post, again) => [post.id, again.id])
        .orderBy((post) => post.id);
      expect((await session.execute(pairs)).all()).toEqual([
        [1, 3],
        [3, 1],
      ]);
      const below = select(Folder)
        .where({ id: 1 })
        .cte("below", {
          unionAll: (above) => select(Folder).join(above, (folder, parent) => folder.parent_id.eq(parent.id)),
        });
      expect(sortedIds(await session.scalars(select(below)))).toEqual([1, 3]);
    });

    test("an option on a subquery alone is refused, and never ignored", async () => {
      await using session = await open();
      const inner = select(Post)
        .columns((post) => [post.id])
        .options(present);
      const statement = select(Comment).where((comment) => comment.post_id.in(inner));
      await expect(session.scalars(statement)).rejects.toThrow(
        "A subquery of Post has options. Give them to the statement around it: criteria there reach its subqueries",
      );
    });

    test("but not SQL of one's own, which says what it wants itself", async () => {
      await using session = await open();
      hideDeleted(session);
      hideOtherTenants(session);
      expect(sortedIds(await session.execute(sql<{ id: number }>`select id from posts`))).toEqual([1, 2, 3, 4]);
      const written = select(Person).fromStatement(sql`select * from people where id < 3`);
      expect(sortedIds(await session.scalars(written.options(present)))).toEqual([1, 2]);
      const along = written
        .options(selectinLoad(Person, "posts"), present)
        .executionOptions({ populateExisting: true });
      expect((await session.scalars(along)).all().map(({ posts }) => ids(posts))).toEqual([[1], [3]]);
    });
  });

  describe("criteria of statements that write", () => {
    test("keep an update and a delete from hidden rows, and from what only hidden rows say", async () => {
      await using session = await open();
      hideDeleted(session);
      hideOtherTenants(session);
      expect((await session.execute(update(Post).values({ title: "x" }))).rowCount).toBe(2);
      const ofCommented = update(Person)
        .where((person) => person.posts.any((post) => post.comments.any((comment) => comment.body.ne("a"))))
        .values({ name: "x" });
      expect((await session.execute(ofCommented)).rowCount).toBe(0);
      const counted = update(Post).values((post) => ({
        title: select(Comment)
          .where((comment) => comment.post_id.eq(post.id))
          .columns((comment) => [func.max(comment.body)])
          .scalarSubquery() as never,
      }));
      await session.execute(counted.where({ id: 1 }));
      const stored = await session.execute(sql<{ title: string }>`select title from posts order by id`);
      expect(stored.all().map(({ title }) => title)).toEqual(["a", "two", "x", "four"]);
      expect((await session.execute(deleteFrom(Comment))).rowCount).toBe(2);
      const inPosts = deleteFrom(Comment).where((comment) =>
        comment.post_id.in(select(Post).columns((post) => [post.id])),
      );
      expect((await session.execute(inPosts)).rowCount).toBe(0);
      const left = await session.execute(sql<{ id: number }>`select id from comments`);
      expect(ids(left)).toEqual([2]);
    });

    test("keep an insert from what is hidden where it selects, and from updating it", async () => {
      await using session = await open();
      hideDeleted(session);
      const found = select(Post).columns((post) => [post.id.plus(100), post.title]);
      expect((await session.execute(insert(Tag).fromSelect(["id", "label"], found as never))).rowCount).toBe(3);
      const statement = insert(Tag)
        .values([
          { id: 1, label: "new" },
          { id: 2, label: "new" },
        ])
        .onConflict("id")
        .doUpdate((excluded) => ({ label: excluded.label }));
      await session.execute(statement);
      const stored = await session.execute(sql<{ id: number }>`select id from tags where label = 'new'`);
      expect(ids(stored)).toEqual([1]);
    });

    test("let an insert write what it is given", async () => {
      await using session = await open();
      hideDeleted(session);
      hideOtherTenants(session);
      await session.execute(insert(Tag), { id: 9, label: "new", deletedAt: new Date() });
      expect(await session.get(Tag, 9)).toBe(null);
      expect(await session.scalar(sql<{ label: string }>`select label from tags where id = 9`)).toBe("new");
    });
  });

  describe("criteria filter what is loaded along and later", () => {
    test.each([
      ["selectinLoad", selectinLoad],
      ["joinedLoad", joinedLoad],
      ["subqueryLoad", subqueryLoad],
      ["immediateLoad", immediateLoad],
    ] as const)("%s hides what is related, and never its parent", async (_, along) => {
      await using session = await open();
      hideDeleted(session);
      hideOtherTenants(session);
      const people = select(Person)
        .orderBy((person) => person.id)
        .options(along(Person, "posts").selectinLoad("comments"));
      const found = (await session.scalars(people)).all();
      expect(found.map(({ id, posts }) => [id, ids(posts)])).toEqual([
        [1, [1]],
        [5, []],
        [7, []],
      ]);
      expect(ids(found[0]!.posts[0]!.comments)).toEqual([1]);
      session.expungeAll();
      const comments = select(Comment)
        .orderBy((comment) => comment.id)
        .options(along(Comment, "post"));
      expect((await session.scalars(comments)).all().map(({ post }) => post?.id ?? null)).toEqual([1, null]);
      session.expungeAll();
      const posts = select(Post)
        .orderBy((post) => post.id)
        .options(along(Post, "tags"));
      expect((await session.scalars(posts)).all().map(({ tags }) => ids(tags))).toEqual([[1], []]);
    });

    test("a relationship that is loaded later of what was found", async () => {
      await using session = await open();
      hideDeleted(session);
      hideOtherTenants(session);
      const ann = (await session.get(Person, 1))!;
      expect(ids(await load(ann, "posts"))).toEqual([1]);
      const third = (await session.get(Comment, 3))!;
      expect(await load(third, "post")).toBe(null);
      expect(ids(await load((await session.get(Post, 1))!, "tags"))).toEqual([1]);
    });

    test("but a collection that is loaded stays as it is, unless it is to be overwritten", async () => {
      await using session = await open();
      const people = select(Person).where({ id: 1 }).options(selectinLoad(Person, "posts"));
      const ann = (await session.scalars(people)).one();
      expect(ids(ann.posts)).toEqual([1, 2]);
      await session.scalars(people.options(present));
      expect(ids(ann.posts)).toEqual([1, 2]);
      await session.scalars(people.options(present).executionOptions({ populateExisting: true }));
      expect(ids(ann.posts)).toEqual([1]);
    });
  });

  describe("by default criteria pass what the session has", () => {
    test("a reference to it is found without a statement", async () => {
      await using session = await open();
      const hidden = (await session.scalars(select(Post).where({ id: 2 }))).one();
      hideDeleted(session);
      const third = (await session.get(Comment, 3))!;
      expect(third.post).toBe(hidden);
      session.expire(third, ["post"]);
      expect(await load(third, "post")).toBe(hidden);
    });

    test("get finds it, and finds nothing that it does not have; populateExisting asks the database", async () => {
      await using session = await open();
      const hidden = (await session.scalars(select(Post).where({ id: 2 }))).one();
      hideDeleted(session);
      expect(await session.get(Post, 2)).toBe(hidden);
      const options = { executionOptions: { populateExisting: true } };
      expect(await session.get(Post, 2, options)).toBe(null);
      session.expunge(hidden);
      expect(await session.get(Post, 2)).toBe(null);
      expect((await session.get(Post, 1))?.title).toBe("one");
    });

    test("it is refreshed, and what expired of it is loaded", async () => {
      await using session = await open();
      hideDeleted(session);
      const post = (await session.get(Post, 1))!;
      await session.execute(sql`update posts set deleted_at = '2026-01-01 00:00:00', title = 'changed' where id = 1`);
      await session.refresh(post);
      expect(post.title).toBe("changed");
      session.expire(post);
      expect(await load(post, "title")).toBe("changed");
      const member = (await session.scalars(select(Person).where({ id: 5 }))).one();
      expect(await load(member, "tier" as never)).toBe(1);
    });

    test("merge does not find a hidden row, and its copy is inserted once more", async () => {
      await using session = await open();
      hideDeleted(session);
      const copy = await session.merge(new Post({ id: 2, title: "copy", tenant: "us" }));
      expect(session.new.has(copy)).toBe(true);
      await expect(session.flush()).rejects.toThrow(IntegrityError);
    });
  });
});
