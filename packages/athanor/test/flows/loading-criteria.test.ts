import { expect, test } from "vitest";
import {
  createAll,
  inherit,
  integer,
  joinedLoad,
  listen,
  load,
  many,
  Metadata,
  model,
  one,
  or,
  Select,
  select,
  selectinLoad,
  type SessionMaker,
  sessionmaker,
  sql,
  text,
  withLoaderCriteria,
} from "../../src/index.ts";
import { type Database, forEachDatabase } from "../databases.ts";

const metadata = new Metadata();
const id = integer().primaryKey();

class User extends model(
  "users",
  {
    id,
    name: text(),
    get posts() {
      return many(Post, { backPopulates: "author", orderBy: "id" });
    },
  },
  { metadata },
) {}
class Post extends model(
  "posts",
  {
    id,
    title: text(),
    kind: text(),
    author_id: integer().nullable().references("users.id"),
    get author() {
      return one(User, { backPopulates: "posts" });
    },
    get comments() {
      return many(Comment, { backPopulates: "post", orderBy: "id" });
    },
  },
  { metadata, polymorphicOn: "kind", identity: "post" },
) {}
class Review extends inherit(
  Post,
  { identity: "review", table: "reviews" },
  { id: integer().primaryKey().references("posts.id"), stars: integer() },
) {}
class Comment extends model(
  "comments",
  {
    id,
    text: text(),
    post_id: integer().nullable().references("posts.id"),
    get post() {
      return one(Post, { backPopulates: "comments" });
    },
  },
  { metadata },
) {}

const visible = withLoaderCriteria(Post, (post) => post.title.ne("hidden"));

async function open(db: Database): Promise<SessionMaker> {
  const engine = db.engine();
  await createAll(engine, { metadata });
  const SessionLocal = sessionmaker(engine, { models: [User, Post, Review, Comment] });
  await SessionLocal.begin((session) => {
    const ann = new User({ id: 1, name: "ann" });
    const bob = new User({ id: 2, name: "bob" });
    const [shown, hidden] = [
      new Post({ id: 1, title: "shown", author: ann }),
      new Post({ id: 2, title: "hidden", author: ann }),
    ];
    session.addAll([ann, bob, shown!, hidden!]);
    session.add(new Review({ id: 3, title: "hidden", stars: 1, author: bob }));
    session.add(new Review({ id: 4, title: "shown", stars: 5, author: bob }));
    session.add(new Comment({ id: 1, text: "yes", post: shown! }));
    session.add(new Comment({ id: 2, text: "no", post: hidden! }));
  });
  return SessionLocal;
}

const ids = (rows: Iterable<{ id: number }>): number[] => [...rows].map((row) => row.id);

forEachDatabase((db) => {
  test("criteria hide rows of the class and of its subclasses, along with other conditions", async () => {
    const SessionLocal = await open(db);
    await using session = SessionLocal();
    const posts = select(Post)
      .orderBy((post) => post.id)
      .options(visible);
    expect(ids(await session.scalars(posts))).toEqual([1, 4]);
    const either = posts.where((post) => or(post.id.eq(1), post.id.eq(2)));
    expect(ids(await session.scalars(either))).toEqual([1]);
    expect(ids(await session.scalars(select(Review).options(visible)))).toEqual([4]);
    const both = posts.options(withLoaderCriteria(Post, (post) => post.id.gt(1)));
    expect(ids(await session.scalars(both))).toEqual([4]);
    expect(ids(await session.scalars(select(User).options(visible)))).toHaveLength(2);
  });

  test("what is loaded along is hidden, and its parents are not", async () => {
    const SessionLocal = await open(db);
    for (const along of [selectinLoad, joinedLoad]) {
      await using session = SessionLocal();
      const users = select(User)
        .orderBy((user) => user.id)
        .options(visible, along(User, "posts"));
      expect((await session.scalars(users)).all().map(({ posts }) => ids(posts))).toEqual([[1], [4]]);
      const nobodys = users
        .executionOptions({ populateExisting: true })
        .options(withLoaderCriteria(Post, () => sql<boolean>`1 = 0 and 1 = 1 or 1 = 0`));
      expect((await session.scalars(nobodys)).all().map(({ posts }) => ids(posts))).toEqual([[], []]);
    }
    for (const along of [selectinLoad, joinedLoad]) {
      await using session = SessionLocal();
      const comments = select(Comment)
        .orderBy((comment) => comment.id)
        .options(visible, along(Comment, "post"));
      const found = (await session.scalars(comments)).all();
      expect(found.map(({ post }) => post?.id ?? null)).toEqual([1, null]);
    }
  });

  test("joined subclasses are hidden by what their parent's table holds", async () => {
    const SessionLocal = await open(db);
    await using session = SessionLocal();
    const reviews = withLoaderCriteria(Review, (review) => review.stars.gt(3));
    const found = (await session.scalars(select(Review).options(reviews, visible))).all();
    expect(ids(found)).toEqual([4]);
  });

  test("instances carry them to what is loaded later, unless that was declined", async () => {
    const SessionLocal = await open(db);
    await using session = SessionLocal();
    const [ann] = await session.scalars(select(User).where({ id: 1 }).options(visible));
    expect(ids(await load(ann!, "posts"))).toEqual([1]);
    const comment = (await session.scalars(select(Comment).where({ id: 2 }).options(visible))).one();
    expect(await load(comment, "post")).toBe(null);
    await session.close();

    await using other = SessionLocal();
    const here = withLoaderCriteria(Post, (post) => post.title.ne("hidden"), { propagateToLoaders: false });
    const [again] = await other.scalars(select(User).where({ id: 1 }).options(here));
    expect(ids(await load(again!, "posts"))).toEqual([1, 2]);
  });

  test("a listener gives them to all that a session selects; a refresh and a known reference pass", async () => {
    const SessionLocal = await open(db);
    await using session = SessionLocal();
    listen(session, "doOrmExecute", (event) => {
      if (event.statement instanceof Select && !event.isColumnLoad && !event.isRelationshipLoad)
        event.statement = event.statement.options(visible);
    });
    expect(ids(await session.scalars(select(Post).orderBy((post) => post.id)))).toEqual([1, 4]);
    expect(await session.get(Post, 2)).toBe(null);
    const ann = (await session.get(User, 1))!;
    expect(ids(await load(ann, "posts"))).toEqual([1]);

    const [post] = ann.posts;
    await session.execute(sql`update posts set title = 'hidden' where id = 1`);
    await session.refresh(post!);
    expect(post!.title).toBe("hidden");
    const comment = (await session.scalars(select(Comment).where({ id: 1 }))).one();
    expect(await load(comment, "post")).toBe(post);
  });

  test("criteria name a model, and are a function", () => {
    expect(() => withLoaderCriteria(Post, "title" as never)).toThrow(
      'withLoaderCriteria() takes a condition or a function that returns one, as in withLoaderCriteria(Post, (post) => post.title.ne("hidden")), and got a string.',
    );
    expect(() => withLoaderCriteria(class {} as never, () => undefined as never)).toThrow();
    const broken = select(Post).options(withLoaderCriteria(Post, () => undefined as never));
    return expect(open(db).then((SessionLocal) => SessionLocal().scalars(broken))).rejects.toThrow(
      "does the function return it?",
    );
  });
});
