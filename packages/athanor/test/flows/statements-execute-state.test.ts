import { describe, expect, test } from "vitest";
import {
  createAll,
  deleteFrom,
  insert,
  integer,
  InvalidRequestError,
  joinedLoad,
  listen,
  load,
  many,
  Metadata,
  model,
  one,
  type ORMExecuteState,
  select,
  selectinLoad,
  type SessionMaker,
  sessionmaker,
  sql,
  text,
  update,
  UserDefinedOption,
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
    author_id: integer().nullable().references("users.id"),
    get author() {
      return one(User, { backPopulates: "posts" });
    },
    get comments() {
      return many(Comment, { backPopulates: "post", orderBy: "id" });
    },
  },
  { metadata },
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

class FromCache extends UserDefinedOption<string> {}
class Tenant extends UserDefinedOption<number> {
  override readonly propagateToLoaders = true;
}

async function open(db: Database): Promise<SessionMaker> {
  const engine = db.engine();
  await createAll(engine, { metadata });
  const SessionLocal = sessionmaker(engine, { models: [User, Post, Comment] });
  await SessionLocal.begin((session) => {
    session.add(new User({ id: 1, name: "ann" }));
    session.addAll([1, 2].map((key) => new Post({ id: key, title: `post ${key}`, author_id: 1 })));
    session.add(new Comment({ id: 1, text: "first", post_id: 1 }));
  });
  return SessionLocal;
}

/** What is asked of each execution, in their order. */
async function seen(
  SessionLocal: SessionMaker,
  ask: (event: ORMExecuteState) => unknown,
  work: () => Promise<unknown>,
): Promise<unknown[]> {
  const answers: unknown[] = [];
  const listening = listen(SessionLocal, "doOrmExecute", (event) => {
    answers.push(ask(event));
  });
  await work();
  listening.remove();
  return answers;
}

const path = (event: ORMExecuteState): string | undefined =>
  event.loaderStrategyPath && ["", ...event.loaderStrategyPath.map(({ label }) => label)].join(" > ");
const lazily = (event: ORMExecuteState): string =>
  `${path(event)} for ${(event.lazyLoadedFrom as User | Post | undefined)?.id ?? "nobody"}`;
const userDefined = (event: ORMExecuteState): unknown[] =>
  event.userDefinedOptions.map((option) => [option.constructor.name, option.payload]);

forEachDatabase((db) => {
  describe("loaderStrategyPath", () => {
    test("is undefined for the program's own statements, and empty for get and loads of attributes", async () => {
      const SessionLocal = await open(db);
      await using session = SessionLocal();
      const paths = await seen(SessionLocal, path, async () => {
        await session.execute(select(User));
        await session.execute(select(User).options(joinedLoad(User, "posts")));
        await session.execute(sql`select 1 as one`);
        await session.execute(update(User).where({ id: 7 }).values({ name: "x" }));
        await session.execute(insert(User), { id: 8, name: "eve" });
        await session.execute(deleteFrom(User).where({ id: 8 }));
      });
      expect(paths).toEqual([undefined, undefined, undefined, undefined, undefined, undefined]);
      session.expungeAll();
      expect(
        await seen(SessionLocal, path, async () => {
          const post = (await session.get(Post, 2)) as Post;
          await session.refresh(post);
          session.expire(post, ["title"]);
          await load(post, "title");
        }),
      ).toEqual(["", "", ""]);
    });

    test("leads along relationships to what is loaded, and the parent is told where it is one", async () => {
      const SessionLocal = await open(db);
      await using session = SessionLocal();
      expect(
        await seen(SessionLocal, lazily, async () => {
          const ann = (await session.get(User, 1)) as User;
          const [post] = await load(ann, "posts");
          await load(post as Post, "comments", "author");
        }),
      ).toEqual([" for nobody", " > User.posts for 1", " > Post.comments for 1"]);
    });

    test("is longer for what is loaded along with related instances, by whatever strategy those were", async () => {
      const SessionLocal = await open(db);
      for (const options of [selectinLoad(User, "posts"), joinedLoad(User, "posts")]) {
        await using session = SessionLocal();
        const paths = await seen(SessionLocal, lazily, () =>
          session.execute(select(User).options(options.selectinLoad("comments"))),
        );
        expect(paths).toEqual([
          "undefined for nobody",
          ...(paths.length === 3 ? [" > User.posts for nobody"] : []),
          " > User.posts > Post.comments for nobody",
        ]);
      }
    });

    test("of a later load begins where the statement began that its options came from", async () => {
      const SessionLocal = await open(db);
      await using session = SessionLocal();
      const statement = select(User).options(selectinLoad(User, "posts"), new Tenant(7));
      const ann = (await session.scalars(statement)).one();
      const post = ann.posts[0] as Post;
      expect(
        await seen(SessionLocal, lazily, async () => {
          const [comment] = await load(post, "comments");
          session.expire(comment as Comment);
          await load(comment as Comment, "text");
          session.expire(post);
          await load(post, "comments");
        }),
      ).toEqual([
        " > User.posts > Post.comments for 1",
        " > User.posts > Post.comments for nobody",
        " > User.posts for nobody",
        " > User.posts > Post.comments for 1",
      ]);
    });
  });

  describe("userDefinedOptions", () => {
    test("are those of the statement", async () => {
      const SessionLocal = await open(db);
      await using session = SessionLocal();
      const work = async (): Promise<void> => {
        await session.execute(select(User).options(new FromCache("a"), new Tenant(1)).options(new FromCache("b")));
        await session.execute(select(User));
        await session.execute(sql`select 1 as one`);
        await session.execute(update(User).values({ name: "x" }));
        await session.execute(deleteFrom(Comment).options(new Tenant(1)));
      };
      const options = [
        ["FromCache", "a"],
        ["Tenant", 1],
        ["FromCache", "b"],
      ];
      expect(await seen(SessionLocal, userDefined, work)).toEqual([options, [], [], [], [["Tenant", 1]]]);
    });

    test("accompany selectin loads, and later loads where they propagate", async () => {
      const SessionLocal = await open(db);
      await using session = SessionLocal();
      const statement = select(User).options(selectinLoad(User, "posts"), new FromCache("a"), new Tenant(7));
      const both = [
        ["FromCache", "a"],
        ["Tenant", 7],
      ];
      let ann: User | undefined;
      expect(
        await seen(SessionLocal, userDefined, async () => {
          ann = (await session.scalars(statement)).one();
        }),
      ).toEqual([both, both]);
      const later = await seen(SessionLocal, userDefined, async () => {
        const [post] = (ann as User).posts;
        await load(post as Post, "comments");
        session.expire(ann as User, ["name"]);
        await load(ann as User, "name");
        await session.refresh(post as Post);
        await session.get(Post, 7);
      });
      expect(later).toEqual([[["Tenant", 7]], [["Tenant", 7]], [["Tenant", 7]], []]);
    });

    test("accompany later loads also where a statement of the same text had none", async () => {
      const SessionLocal = await open(db);
      await using session = SessionLocal();
      await session.execute(select(User));
      session.expungeAll();
      const ann = (await session.scalars(select(User).options(new Tenant(7)))).one();
      expect(await seen(SessionLocal, userDefined, () => load(ann, "posts"))).toEqual([[["Tenant", 7]]]);
    });
  });

  describe("loadOptions", () => {
    test("say how a SELECT treats what is in memory, and for whom it is executed", async () => {
      const SessionLocal = await open(db);
      await using session = SessionLocal();
      const ann = (await session.get(User, 1)) as User;
      const usual = {
        populateExisting: false,
        autoflush: true,
        refreshed: undefined,
        isUserRefresh: false,
        onlyLoadProps: undefined,
        lazyLoadedFrom: undefined,
      };
      const options = await seen(
        SessionLocal,
        (event) => event.loadOptions,
        async () => {
          await session.execute(select(User));
          await session.execute(select(User).executionOptions({ populateExisting: true }));
          await session.execute(select(User), {}, { executionOptions: { autoflush: false } });
          await session.refresh(ann);
          await session.refresh(ann, ["name"]);
          session.expire(ann);
          await load(ann, "name");
          await load(ann, "posts");
        },
      );
      expect(options).toEqual([
        usual,
        { ...usual, populateExisting: true },
        { ...usual, autoflush: false },
        { ...usual, populateExisting: true, autoflush: false, refreshed: ann, isUserRefresh: true },
        { ...usual, autoflush: false, refreshed: ann, isUserRefresh: true, onlyLoadProps: ["name"] },
        { ...usual, refreshed: ann, onlyLoadProps: ["id", "name", "posts"] },
        { ...usual, lazyLoadedFrom: ann },
      ]);
    });

    test("know what a listener adds, which executionOptions do not", async () => {
      const SessionLocal = await open(db);
      await using session = SessionLocal();
      listen(SessionLocal, "doOrmExecute", (event) =>
        event.updateExecutionOptions({ populateExisting: true, mine: 1 }),
      );
      const told = await seen(
        SessionLocal,
        ({ executionOptions, localExecutionOptions, loadOptions }) => [
          executionOptions,
          localExecutionOptions,
          loadOptions.populateExisting,
        ],
        () => session.execute(select(User).executionOptions({ a: 1 }), {}, { executionOptions: { b: 2 } }),
      );
      expect(told).toEqual([[{ a: 1, b: 2 }, { b: 2, populateExisting: true, mine: 1 }, true]]);
    });

    test("are none of other statements, which have updateDeleteOptions or nothing", async () => {
      const SessionLocal = await open(db);
      await using session = SessionLocal();
      const refusals = await seen(
        SessionLocal,
        (event) => {
          for (const member of ["loadOptions", "lazyLoadedFrom"] as const)
            expect(() => event[member]).toThrow(InvalidRequestError);
          return event.isUpdate || event.isDelete ? event.updateDeleteOptions : "none";
        },
        async () => {
          await session.execute(update(User).values({ name: "x" }));
          await session.execute(deleteFrom(Comment).executionOptions({ synchronizeSession: false, autoflush: false }));
          await session.execute(insert(User), { id: 9, name: "eve" });
          await session.execute(sql`select 1 as one`);
        },
      );
      expect(refusals).toEqual([
        { synchronizeSession: "auto", autoflush: true },
        { synchronizeSession: false, autoflush: false },
        "none",
        "none",
      ]);
      const messages = await seen(
        SessionLocal,
        (event) => expect(() => event.updateDeleteOptions).toThrow("ask event.isUpdate and isDelete first"),
        () => session.execute(select(User)),
      );
      expect(messages).toHaveLength(1);
    });
  });
});
