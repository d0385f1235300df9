import { describe, expect, test } from "vitest";
import {
  ArgumentError,
  func,
  isOrmStatement,
  InvalidRequestError,
  joinedLoad,
  listen,
  load,
  mergeFrozenResult,
  ObjectDeletedError,
  or,
  Select,
  select,
  selectinLoad,
  Session,
  sessionmaker,
  sql,
  UnloadedAttributeError,
  withLoaderCriteria,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { hideDeleted, hideOtherTenants } from "./criteria-rules.ts";
import {
  Comment,
  Folder,
  Guest,
  ids,
  Member,
  openCriteriaStory,
  Person,
  Post,
  SoftDeletes,
  Tag,
} from "./criteria-story.ts";

const present = withLoaderCriteria(SoftDeletes, (entity) => entity.deletedAt.isNull());

forEachDatabase((db) => {
  /** A strict session without rules yet, so that tests can load what the rules would hide. */
  async function open(): Promise<Session> {
    const SessionLocal = await openCriteriaStory(db, { criteria: "strict" });
    return SessionLocal({ info: { tenant: "us" } });
  }

  function hide(session: Session): void {
    hideDeleted(session);
    hideOtherTenants(session);
  }

  /** How many statements something runs. */
  async function count(session: Session, work: () => Promise<unknown>): Promise<number> {
    let statements = 0;
    const handle = listen(session.engine, "beforeCursorExecute", () => {
      statements++;
    });
    await work();
    handle.remove();
    return statements;
  }

  const errorOf = async (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      () => undefined,
      (error) => error,
    );

  describe("in a strict session", () => {
    test("get does not answer with a hidden instance that it has, and does with others", async () => {
      await using session = await open();
      const posts = (await session.scalars(select(Post).orderBy((post) => post.id))).all();
      hide(session);
      const got = await Promise.all([1, 2, 3, 4].map((id) => session.get(Post, id)));
      expect(got).toEqual([posts[0], null, posts[2], null]);
      expect(session.identityMap.has(posts[1]!)).toBe(true);
      // What is in memory tells, and no statement is needed.
      expect(await count(session, () => session.get(Post, 1))).toBe(0);
      posts[0]!.tenant = "them";
      expect(await session.get(Post, 1)).toBe(null);
      posts[0]!.tenant = "us";
      expect(await session.get(Post, 1)).toBe(posts[0]);
    });

    test("get asks the database where memory does not tell", async () => {
      await using session = await open();
      const [first, second] = (await session.scalars(select(Post).orderBy((post) => post.id))).all();
      const shown = withLoaderCriteria(Post, (post) => sql<boolean>`${post.title} = 'one'`);
      listen(session, "doOrmExecute", (event) => {
        if (event.isColumnLoad || event.isRelationshipLoad) return;
        event.statement = (event.statement as ReturnType<typeof select>).options(shown);
      });
      expect(await count(session, () => session.get(Post, 1))).toBe(1);
      expect(await session.get(Post, 1)).toBe(first);
      expect(await session.get(Post, 2)).toBe(null);
      session.expire(first!);
      expect(await session.get(Post, 1)).toBe(first);
      session.expire(second!);
      expect(await session.get(Post, 2)).toBe(null);
      expect(session.has(second!)).toBe(true);
    });

    test("get keeps to what listeners make of its options", async () => {
      await using session = await open();
      const hidden = (await session.scalars(select(Post).where({ id: 2 }))).one();
      listen(session, "doOrmExecute", (event) => {
        if (event.isColumnLoad || event.isRelationshipLoad || event.executionOptions["withDeleted"] === true) return;
        event.statement = (event.statement as ReturnType<typeof select>).options(present);
      });
      expect(await session.get(Post, 2)).toBe(null);
      expect(await session.get(Post, 2, { executionOptions: { withDeleted: true } })).toBe(hidden);
    });

    test("get finds nobody of a hidden subclass by the class above it, in one table or two", async () => {
      await using session = await open();
      for (const entity of [Person, Member, Guest]) await session.scalars(select(entity as typeof Person));
      hide(session);
      const got = await Promise.all([1, 2, 5, 6, 7, 8].map((id) => session.get(Person, id)));
      expect(got.map((person) => person?.id ?? null)).toEqual([1, null, 5, null, 7, null]);
      // Without the columns of the subclass in memory.
      session.expungeAll();
      await using other = sessionmaker(session.engine, { criteria: "strict", info: { tenant: "us" } })();
      await session.close();
      await other.scalars(select(Person));
      hide(other);
      expect(await other.get(Person, 6)).toBe(null);
      expect((await other.get(Person, 5))?.id).toBe(5);
      expect(await other.get(Member, 6)).toBe(null);
    });

    test("a reference to a hidden instance that it has becomes null, and cannot be read unasked", async () => {
      await using session = await open();
      await session.scalars(select(Post));
      const comments = (await session.scalars(select(Comment).orderBy((comment) => comment.id))).all();
      hide(session);
      expect(() => comments[0]!.post).toThrow(UnloadedAttributeError);
      expect(await load(comments[0]!, "post")).toBe(await session.get(Post, 1));
      expect(await load(comments[2]!, "post")).toBe(null);
      expect(comments[2]!.post).toBe(null);
      const third = (await session.get(Post, 3))!;
      expect(await load(third, "author")).toBe(null);
      await session.flush();
      const stored = sql<{ post_id: number }>`select post_id from comments where id = 3`;
      expect(await session.scalar(stored)).toBe(2);
    });

    test("what has expired of it is asked of the database once, with the criteria", async () => {
      await using session = await open();
      const posts = (await session.scalars(select(Post).orderBy((post) => post.id))).all();
      const comments = (await session.scalars(select(Comment).orderBy((comment) => comment.id))).all();
      hide(session);
      for (const post of posts) session.expire(post);
      expect(await count(session, () => session.get(Post, 1))).toBe(1);
      session.expire(posts[0]!);
      expect(await count(session, () => load(comments[0]!, "post"))).toBe(1);
      expect(comments[0]!.post).toBe(posts[0]);
      expect(posts[0]!.title).toBe("one");
      expect(await session.get(Post, 2)).toBe(null);
      expect(await load(comments[2]!, "post")).toBe(null);
      expect(session.has(posts[1]!)).toBe(true);
      await session.execute(sql`delete from comments`);
      await session.execute(sql`delete from post_tags`);
      await session.execute(sql`delete from posts where id = 2`);
      expect(await session.get(Post, 2)).toBe(null);
      expect(session.has(posts[1]!)).toBe(false);
    });

    test("criteria of a statement hold for the references of what it found, without any listener", async () => {
      await using session = await open();
      const hidden = (await session.scalars(select(Post).where({ id: 2 }))).one();
      const third = (await session.scalars(select(Comment).where({ id: 3 }).options(present))).one();
      expect(() => third.post).toThrow(UnloadedAttributeError);
      expect(await load(third, "post")).toBe(null);
      expect(await session.get(Post, 2)).toBe(hidden);
      const first = (await session.scalars(select(Comment).where({ id: 1 }))).one();
      await session.scalars(select(Post).where({ id: 1 }));
      expect(first.post?.id).toBe(1);
    });

    test("a refresh fails as for a row that is gone, and says why", async () => {
      await using session = await open();
      hide(session);
      const post = (await session.get(Post, 1))!;
      await session.execute(sql`update posts set deleted_at = '2026-01-01 00:00:00' where id = 1`);
      const error = await errorOf(session.refresh(post));
      expect(error).toBeInstanceOf(InvalidRequestError);
      expect((error as Error).message).toBe(
        "Post (key 1) could not be refreshed, because its row is hidden by the criteria of this strict session.",
      );
      expect(() => post.title).toThrow(UnloadedAttributeError);
      await session.execute(sql`update posts set deleted_at = null where id = 1`);
      await session.refresh(post);
      expect(post.title).toBe("one");
      await session.execute(sql`delete from post_tags`);
      await session.execute(sql`delete from comments`);
      await session.execute(sql`delete from posts where id = 1`);
      await expect(session.refresh(post)).rejects.toThrow("because its row is gone.");
    });

    test("neither what expired of it is loaded, nor what was left out, nor its relationships", async () => {
      await using session = await open();
      const people = (await session.scalars(select(Person).orderBy((person) => person.id))).all();
      const [post] = (await session.scalars(select(Post).where({ id: 2 }))).all();
      hide(session);
      const member = people.find(({ id }) => id === 6)!;
      const left = await errorOf(load(member, "tier" as never));
      expect(left).toBeInstanceOf(ObjectDeletedError);
      expect((left as ObjectDeletedError).isHidden).toBe(true);
      expect(
        await load(
          people.find(({ id }) => id === 5)!,
          "tier" as never,
        ),
      ).toBe(1);
      session.expire(post!);
      expect(await errorOf(load(post!, "title"))).toMatchObject({
        isHidden: true,
        message:
          "The row of Post (key 2) is there and hidden: what withLoaderCriteria() says of Post does not hold for it any more, and this session is strict " +
          'about that (criteria: "strict"). Whoever may see it uses a session without those criteria.',
      });
      expect(await errorOf(load(post!, "author"))).toBeInstanceOf(ObjectDeletedError);
      expect(session.has(post!)).toBe(true);
    });

    test("what is loaded later is filtered, also of instances that no statement found", async () => {
      await using session = await open();
      hide(session);
      const ann = (await session.get(Person, 1))!;
      expect(ids(await load(ann, "posts"))).toEqual([1]);
      const zoe = new Person({ id: 20, name: "zoe", tenant: "us" });
      session.add(zoe);
      await session.flush();
      await session.execute(sql`update posts set author_id = 20`);
      session.expire(zoe);
      expect(ids(await load(zoe, "posts"))).toEqual([1, 3]);
      await session.refresh(zoe, ["posts"]);
      expect(ids(zoe.posts)).toEqual([1, 3]);
      const [first] = zoe.posts;
      expect(ids(await load(first!, "comments"))).toEqual([1]);
      expect(ids(await load(first!, "tags"))).toEqual([1]);
    });

    test("a rule that asks of its own class holds once, however it comes to a load", async () => {
      await using session = await open();
      session.addAll([9, 10].map((id) => new Folder({ id, parent_id: id === 9 ? 5 : 9 })));
      await session.flush();
      session.expungeAll();
      listen(session, "doOrmExecute", (event) => {
        if (event.isColumnLoad || event.isRelationshipLoad || !isOrmStatement(event.statement)) return;
        // Another one each time, as of a tenant.
        const inPresent = withLoaderCriteria(Folder, (folder) =>
          or(
            folder.parent_id.isNull(),
            folder.parent.has((parent) => parent.deletedAt.isNull()),
          ),
        );
        event.statement = event.statement.options(inPresent);
      });
      const shown = [1, 2, 3, 9, 10];
      const folders = (await session.scalars(select(Folder).orderBy((folder) => folder.id))).all();
      expect(ids(folders)).toEqual(shown);
      for (let round = 0; round < 3; round++) {
        for (const folder of folders) session.expire(folder);
        expect((await load(folders[4]!, "parent"))?.id).toBe(9);
        expect(await load(folders[3]!, "parent")).toBe(null);
        expect(ids(await load(folders[0]!, "children"))).toEqual([2, 3]);
        for (const folder of folders) await session.refresh(folder);
        expect((await Promise.all(shown.map((id) => session.get(Folder, id)))).map((each) => each?.id)).toEqual(shown);
      }
      session.expunge(folders[3]!);
      session.expire(folders[4]!, ["parent"]);
      const nine = await load(folders[4]!, "parent");
      expect(nine?.id).toBe(9);
      session.expunge(nine!);
      session.expire(folders[4]!);
      expect((await load(folders[4]!, "parent"))?.id).toBe(9);
    });

    test("what was hidden from the one who adds it is not found again", async () => {
      await using session = await open();
      hide(session);
      const post = new Post({ id: 30, title: "mine", tenant: "them" });
      session.add(post);
      await session.flush();
      expect(await session.get(Post, 30)).toBe(null);
      session.expire(post);
      await expect(load(post, "title")).rejects.toThrow(ObjectDeletedError);
      const [own] = [new Post({ id: 31, title: "ours", tenant: "us" })];
      session.add(own);
      await session.flush();
      expect(await session.get(Post, 31)).toBe(own);
      own.deletedAt = new Date();
      expect(await session.get(Post, 31)).toBe(null);
      expect(await session.scalar(sql<{ id: number }>`select id from posts where deleted_at is null and id > 20`)).toBe(
        30,
      );
    });

    test("merge throws rather than insert a hidden row once more, or give it away", async () => {
      await using session = await open();
      const known = (await session.scalars(select(Post).where({ id: 2 }))).one();
      hide(session);
      for (const id of [2, 4]) {
        const error = await errorOf(session.merge(new Post({ id, title: "copy", tenant: "us" })));
        expect(error).toBeInstanceOf(InvalidRequestError);
        expect((error as Error).message).toContain(
          "cannot be merged, because its row is there and hidden from this session by withLoaderCriteria()",
        );
      }
      expect(known.title).toBe("two");
      expect(session.new.size).toBe(0);
      const merged = await session.merge(new Post({ id: 1, title: "merged", tenant: "us" }));
      expect(merged.title).toBe("merged");
      const added = await session.merge(new Post({ id: 77, title: "new", tenant: "us" }));
      expect(session.new.has(added)).toBe(true);
      const along = new Comment({ id: 1, body: "x", tenant: "us", post: new Post({ id: 2, title: "y" }) });
      await expect(session.merge(along)).rejects.toThrow("cannot be merged");
    });

    test("merge with load: false takes no hidden instance, and neither do frozen results", async () => {
      const SessionLocal = await openCriteriaStory(db, { criteria: "strict" });
      const everything = select(Post).orderBy((post) => post.id);
      const { detached, frozen } = await SessionLocal.begin(async (session) => {
        const result = (await session.execute(everything)).freeze();
        const posts = (await session.scalars(everything)).all();
        session.expungeAll();
        return { detached: posts, frozen: result };
      });
      await using session = SessionLocal({ info: { tenant: "us" } });
      hide(session);
      expect((await session.merge(detached[0]!, { load: false })).id).toBe(1);
      await expect(session.merge(detached[1]!, { load: false })).rejects.toThrow("cannot be merged");
      await expect(mergeFrozenResult(session, everything, frozen, { load: false })).rejects.toThrow("cannot be merged");
      expect(ids(session.identityMap as Iterable<Post>)).toEqual([1]);
    });

    test("loaders and statements filter as ever", async () => {
      await using session = await open();
      hide(session);
      for (const along of [selectinLoad, joinedLoad]) {
        session.expungeAll();
        const people = select(Person)
          .orderBy((person) => person.id)
          .options(along(Person, "posts").selectinLoad("tags"));
        const found = (await session.scalars(people)).all();
        expect(found.map(({ posts }) => ids(posts))).toEqual([[1], [], []]);
        expect(ids(found[0]!.posts[0]!.tags)).toEqual([1]);
        await session.refresh(found[0]!);
        expect(ids(found[0]!.posts)).toEqual([1]);
      }
      expect(await session.scalar(select(Tag).columns(() => [func.count()]))).toBe(2);
    });

    test("what follows SQL of one's own is filtered, also by a listener that leaves that alone", async () => {
      await using session = await open();
      listen(session, "doOrmExecute", (event) => {
        if (event.isColumnLoad || event.isRelationshipLoad || !(event.statement instanceof Select)) return;
        event.statement = event.statement.options(present);
      });
      const written = select(Person).fromStatement(sql`select * from people where id = 1`);
      const [ann] = await session.scalars(written.options(selectinLoad(Person, "posts")));
      expect(ids(ann!.posts)).toEqual([1]);
    });

    test("a delete, a cascade and a flush know hidden rows as they did", async () => {
      await using session = await open();
      hide(session);
      const post = (await session.get(Post, 1))!;
      post.deletedAt = new Date();
      await session.flush();
      session.expire(post);
      post.title = "changed after it was hidden";
      await session.flush();
      const stored = sql<{ title: string }>`select title from posts where id = 1`;
      expect(await session.scalar(stored)).toBe("changed after it was hidden");
    });
  });

  test("listeners are asked what they would add with a statement that finds nothing, and one that listens in turn is not asked for ever", async () => {
    await using session = await open();
    const ann = (await session.scalars(select(Person).where({ id: 1 }))).one();
    const asked: unknown[] = [];
    listen(session, "doOrmExecute", async (event) => {
      if (event.isColumnLoad || event.isRelationshipLoad) return;
      expect(await event.session.get(Person, 1)).toBe(ann);
      const result = await event.invokeStatement();
      asked.push([event.bindMapper?.class, result.all().length]);
      return result.rowCount === 0 ? undefined : event.invokeStatement();
    });
    expect(await session.get(Person, 1)).toBe(ann);
    expect(asked[0]).toEqual([Person, 0]);
  });

  test("without rules a strict session is as any other", async () => {
    await using session = await open();
    const post = (await session.get(Post, 2))!;
    expect(await count(session, () => session.get(Post, 2))).toBe(0);
    const third = (await session.get(Comment, 3))!;
    expect(third.post).toBe(post);
  });

  test("the option is one of two", async () => {
    const SessionLocal = await openCriteriaStory(db);
    expect(() => SessionLocal({ criteria: "sometimes" as never })).toThrow(
      'The option criteria of a session is "statements" or "strict", and was "sometimes".',
    );
    const { engine } = SessionLocal;
    expect(() => sessionmaker(engine, { criteria: "Strict" as never })).toThrow(ArgumentError);
    expect(() => new Session(engine, { autoflush: "no" as never })).toThrow(
      'The option autoflush of a session is true or false, and was "no".',
    );
  });
});
