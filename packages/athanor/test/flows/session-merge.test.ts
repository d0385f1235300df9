import { expect, test } from "vitest";
import {
  attributes,
  FlushInProgressError,
  inherit,
  inspect,
  integer,
  InvalidRequestError,
  listen,
  load,
  many,
  Metadata,
  model,
  objectSession,
  one,
  type SessionWarning,
  StaleDataError,
  table,
  text,
  transient,
  UnmappedInstanceError,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { type OpenSessions, openSessions } from "./open-sessions.ts";

const metadata = new Metadata();

class User extends model(
  "users",
  {
    id: integer().primaryKey(),
    name: text(),
    email: text().nullable(),
    password: transient<string>(),
    get posts() {
      return many(Post, {
        backPopulates: "author",
        foreignKey: "authorId",
        cascade: "all, delete-orphan",
        orderBy: "id",
      });
    },
    get settings() {
      return many(Setting, { backPopulates: "user", cascade: "all, delete-orphan" }).keyedBy("key");
    },
  },
  { metadata },
) {}

class Post extends model(
  "posts",
  {
    id: integer().primaryKey(),
    authorId: integer().nullable().references("users.id"),
    reviewerId: integer().nullable().references("users.id"),
    title: text(),
    get author() {
      return one(User, { backPopulates: "posts", foreignKey: "authorId" });
    },
    get reviewer() {
      return one(User, { foreignKey: "reviewerId", cascade: "save-update" });
    },
    get tags() {
      return many(Tag, { secondary: "post_tags" }).asSet();
    },
  },
  { metadata },
) {}

class Tag extends model("tags", { id: integer().primaryKey(), label: text() }, { metadata }) {}

table(
  "post_tags",
  {
    postId: integer().primaryKey().references("posts.id"),
    tagId: integer().primaryKey().references("tags.id"),
  },
  { metadata },
);

class Setting extends model(
  "settings",
  {
    id: integer().primaryKey(),
    userId: integer().references("users.id"),
    key: text(),
    value: text().nullable(),
    get user() {
      return one(User, { backPopulates: "settings" });
    },
  },
  { metadata },
) {}

class Document extends model(
  "documents",
  { id: integer().primaryKey(), text: text(), version: integer() },
  { metadata, version: "version" },
) {}

class Animal extends model(
  "animals",
  { id: integer().primaryKey(), kind: text(), name: text() },
  { metadata, polymorphicOn: "kind", identity: "animal" },
) {}

class Dog extends inherit(Animal, { identity: "dog" }, { tricks: integer().nullable() }) {}

const models = [User, Post, Tag, Setting, Document, Animal, Dog];

forEachDatabase((db) => {
  const open = (options?: Parameters<typeof openSessions>[3]): Promise<OpenSessions> =>
    openSessions(db, metadata, models, options);

  /** Saves instances in a session of their own, which then lets go of them. */
  async function save(
    { SessionLocal }: OpenSessions,
    ...instances: (typeof models)[number]["prototype"][]
  ): Promise<void> {
    await using session = SessionLocal();
    session.addAll(instances);
    await session.commit();
  }

  test("what the given instance has is copied onto the session's own, and the given one stays as it is", async () => {
    const opened = await open();
    await save(opened, new User({ name: "ann", email: "ann@x" }));
    await using session = opened.SessionLocal();
    const ann = await session.get(User, 1);
    const given = new User({ id: 1, email: "new@x" });

    const merged = await session.merge(given);

    expect(merged).toBe(ann);
    expect(merged).toMatchObject({ id: 1, name: "ann", email: "new@x" });
    expect(inspect(given).lifecycle).toBe("transient");
    expect(session.isModified(merged)).toBe(true);
    await session.commit();
    expect(await opened.rows("select name, email from users")).toEqual([["ann", "new@x"]]);
  });

  test("a row that the session has not got is loaded, and every value that was set is assigned", async () => {
    const opened = await open();
    await save(opened, new User({ name: "ann" }));
    await using session = opened.SessionLocal();
    const given = opened.log.name("given", new User({ id: 1, name: "ann" }));
    opened.log.take();

    const merged = await session.merge(given);

    expect(opened.log.take()).toEqual([
      "doOrmExecute",
      "afterTransactionCreate root",
      "BEGIN",
      "afterBegin root",
      "SELECT users",
      "load User(1)",
      "loadedAsPersistent User(1)",
      "set User(1).id 1 → 1",
      'set User(1).name "ann" → "ann"',
    ]);
    expect(session.dirty.has(merged)).toBe(true);
    expect(session.isModified(merged)).toBe(false);
    await session.commit();
    expect(opened.log.take()).not.toContain("UPDATE users");
  });

  test("where there is no row a new instance is added, without init and with load", async () => {
    const opened = await open();
    await using session = opened.SessionLocal();
    const known = opened.log.name("known", new User({ id: 7, name: "ann" }));
    const unknown = new User({ name: "bob" });
    opened.log.take();

    const ann = await session.merge(known);
    expect(opened.log.take()).toEqual([
      "doOrmExecute",
      "afterTransactionCreate root",
      "BEGIN",
      "afterBegin root",
      "SELECT users",
      "beforeAttach User()",
      "afterAttach User()",
      "transientToPending User()",
      "set User().id NO_VALUE → 7",
      'set User().name NO_VALUE → "ann"',
      "load User()",
    ]);
    const bob = await session.noAutoflush(() => session.merge(unknown));
    expect(opened.log.take()).toEqual([
      "beforeAttach User()",
      "afterAttach User()",
      "transientToPending User()",
      'set User().name NO_VALUE → "bob"',
      "load User()",
    ]);
    expect([...session.new]).toEqual([ann, bob]);
    expect(ann).not.toBe(known);
  });

  test("the session is flushed once before, and not while the copies are half made", async () => {
    const opened = await open();
    await save(opened, new User({ name: "ann" }));
    await using session = opened.SessionLocal();
    session.add(new Tag({ label: "pending" }));
    const given = new Post({ title: "new", author: new User({ id: 1, name: "ann" }) });
    opened.log.take();
    await session.merge(given);
    const flushes = opened.log.take().filter((line) => line === "beforeFlush" || line === "SELECT users");
    expect(flushes).toEqual(["beforeFlush", "SELECT users"]);
    expect(session.new.size).toBe(1);
  });

  test("references, arrays, sets and maps are merged along; what the given collections do not have is taken out", async () => {
    const opened = await open();
    const red = new Tag({ label: "red" });
    const settings = new Map(["size", "theme"].map((key) => [key, new Setting({ key, value: "old" })]));
    const posts = [new Post({ title: "one", tags: new Set([red]) }), new Post({ title: "two" })];
    await save(opened, new User({ name: "ann", posts, settings }));

    const given = new User({
      id: 1,
      posts: [
        new Post({
          id: 1,
          title: "ONE",
          tags: new Set([new Tag({ id: 1, label: "RED" }), new Tag({ label: "blue" })]),
        }),
        new Post({ title: "three" }),
      ],
      settings: new Map([["theme", new Setting({ id: 2, key: "theme", value: "dark" })]]),
    });
    await using session = opened.SessionLocal();
    const ann = await session.merge(given);
    expect(ann.posts.map(({ title }) => title)).toEqual(["ONE", "three"]);
    await session.commit();

    expect(await opened.rows("select id, title, author_id from posts order by id")).toEqual([
      [1, "ONE", 1],
      [3, "three", 1],
    ]);
    expect(await opened.rows("select label from tags order by id")).toEqual([["RED"], ["blue"]]);
    expect(await opened.rows("select post_id, tag_id from post_tags order by tag_id")).toEqual([
      [1, 1],
      [1, 2],
    ]);
    expect(await opened.rows("select key, value from settings")).toEqual([["theme", "dark"]]);
  });

  test("collections that the given instance has not got are left alone", async () => {
    const opened = await open();
    await save(opened, new User({ name: "ann", posts: [new Post({ title: "one" })] }));
    await using session = opened.SessionLocal();
    opened.log.take();
    const ann = await session.merge(new User({ id: 1, name: "Ann" }));
    expect(opened.log.take()).not.toContain("SELECT posts");
    expect(await load(ann, "posts")).toHaveLength(1);
  });

  test("a relationship without the cascade is not followed", async () => {
    const opened = await open();
    await using session = opened.SessionLocal();
    const merged = await session.merge(new Post({ title: "one", reviewer: new User({ name: "rob" }) }));
    expect(merged.reviewer).toBeNull();
    expect(session.new).toEqual(new Set([merged]));
  });

  test("a graph that leads back to itself is copied once, and both its sides fit", async () => {
    const opened = await open();
    await using session = opened.SessionLocal();
    const given = new User({ name: "ann" });
    given.posts.push(new Post({ title: "one" }), new Post({ title: "two" }));
    const ann = await session.merge(given);
    expect(session.new.size).toBe(3);
    expect(ann.posts.map(({ author }) => author)).toEqual([ann, ann]);
    expect(given.posts.map(({ author }) => author)).toEqual([given, given]);
  });

  test("several given instances of one row become one", async () => {
    const opened = await open();
    await using session = opened.SessionLocal();
    const post = await session.merge(
      new Post({ title: "one", tags: new Set([new Tag({ id: 5, label: "a" }), new Tag({ id: 5, label: "b" })]) }),
    );
    expect([...post.tags].map(({ label }) => label)).toEqual(["b"]);
    await session.commit();
    expect(await opened.rows("select id, label from tags")).toEqual([[5, "b"]]);
  });

  test("an instance of the session itself is its own copy", async () => {
    const opened = await open();
    await save(opened, new User({ name: "ann" }));
    await using session = opened.SessionLocal();
    const ann = await session.get(User, 1);
    opened.log.take();
    expect(await session.merge(ann as User)).toBe(ann);
    expect(opened.log.take()).toEqual([]);
  });

  test("what a detached instance has forgotten stays as the session has it", async () => {
    const opened = await open();
    await save(opened, new User({ name: "ann", email: "ann@x" }));
    await using first = opened.SessionLocal();
    const given = (await first.get(User, 1)) as User;
    first.expire(given, ["email"]);
    first.expunge(given);
    await first.close();
    given.name = "Ann";
    await using session = opened.SessionLocal();
    expect(await session.merge(given)).toMatchObject({ name: "Ann", email: "ann@x" });
  });

  test("an expired copy is loaded before its key is assigned", async () => {
    const opened = await open({ expireOnCommit: true });
    await save(opened, new User({ name: "ann", email: "ann@x" }));
    await using session = opened.SessionLocal();
    const ann = (await session.get(User, 1)) as User;
    await session.commit();
    const merged = await session.merge(new User({ id: 1, name: "Ann" }));
    expect(merged).toBe(ann);
    expect(merged).toMatchObject({ name: "Ann", email: "ann@x" });
  });

  test("transient properties are not copied", async () => {
    const opened = await open();
    await using session = opened.SessionLocal();
    const merged = await session.merge(new User({ name: "ann", password: "secret" }));
    expect(merged.password).toBeUndefined();
  });

  test("another version than the row's is refused; without a version the latest is overwritten", async () => {
    const opened = await open();
    const document = new Document({ text: "a" });
    await save(opened, document);
    await using session = opened.SessionLocal();
    const current = (await session.get(Document, 1)) as Document;
    current.text = "b";
    await session.commit();

    document.text = "mine";
    await expect(session.merge(document)).rejects.toThrow(StaleDataError);
    await expect(session.merge(document)).rejects.toThrow(
      "Document (key 1) was changed by somebody else since the instance that is merged was loaded: its version differs.",
    );
    expect((await session.merge(new Document({ id: 1, text: "mine" }))).text).toBe("mine");
    await session.commit();
    expect(await opened.rows("select text, version from documents")).toEqual([["mine", 3]]);
  });

  test("an instance of another class than the row's is refused", async () => {
    const opened = await open();
    await save(opened, new Animal({ name: "cat" }));
    await using session = opened.SessionLocal();
    await session.get(Animal, 1);
    await expect(session.merge(new Dog({ id: 1, name: "cat", tricks: 1 }))).rejects.toThrow(
      "cannot be merged, because the session has a Animal for the same row",
    );
  });

  test("instances of a hierarchy are merged as what they are", async () => {
    const opened = await open();
    await save(opened, new Dog({ name: "rex", tricks: 1 }));
    await using session = opened.SessionLocal();
    const dog = await session.merge(new Dog({ id: 1, tricks: 2 }));
    expect(dog).toBeInstanceOf(Dog);
    expect(dog).toMatchObject({ kind: "dog", name: "rex", tricks: 2 });
  });

  test("with load: false nothing is loaded, announced or flushed", async () => {
    const opened = await open();
    const given = new User({ name: "ann", posts: [new Post({ title: "one" })] });
    await save(opened, given);
    opened.log.name("given", given);
    await using session = opened.SessionLocal();
    opened.log.take();

    const ann = await session.merge(given, { load: false });

    expect(opened.log.take()).toEqual([
      "afterTransactionCreate root",
      "beforeAttach User(1)",
      "afterAttach User(1)",
      "detachedToPersistent User(1)",
      "beforeAttach Post(1)",
      "afterAttach Post(1)",
      "detachedToPersistent Post(1)",
      "expire Post(1) [reviewerId]",
      "load Post(1)",
      "expire User(1) [email]",
      "load User(1)",
    ]);
    expect(ann).not.toBe(given);
    expect(ann).toMatchObject({ id: 1, name: "ann" });
    expect(ann.posts[0]?.author).toBe(ann);
    expect(session.dirty.size).toBe(0);
    expect(await session.get(User, 1)).toBe(ann);
    await session.flush();
    expect(opened.log.take()).toEqual([]);
    expect(await load(ann, "email")).toBeNull();
  });

  test("with load: false what is new or changed is refused", async () => {
    const opened = await open();
    const given = new User({ name: "ann" });
    await using session = opened.SessionLocal();
    await expect(session.merge(given, { load: false })).rejects.toThrow(
      "a new User cannot be merged with load: false, because it has no row",
    );
    await save(opened, given);
    given.name = "Ann";
    await expect(session.merge(given, { load: false })).rejects.toThrow(
      "User (key 1) cannot be merged with load: false, because it has changes",
    );
  });

  test("merging what is pending here already is warned of", async () => {
    const warnings: SessionWarning[] = [];
    const opened = await open({ autoflush: false, onWarning: (warning) => void warnings.push(warning) });
    await using session = opened.SessionLocal();
    const pending = new User({ name: "ann" });
    session.add(pending);
    const merged = await session.merge(pending);
    expect(merged).not.toBe(pending);
    expect(warnings.map(({ message }) => message)).toEqual([
      "a new User is merged into the session that it was added to already, so it will be saved twice. Go on with the instance itself.",
    ]);
  });

  test("anything but an instance is refused, as a rejection", async () => {
    const opened = await open();
    await using session = opened.SessionLocal();
    await expect(session.merge({ id: 1 } as never)).rejects.toThrow(UnmappedInstanceError);
  });

  test("a listener of a row event cannot merge: the flush could not take it up", async () => {
    const opened = await open();
    await using session = opened.SessionLocal();
    using _ = listen(User, "beforeInsert", async () => {
      await session.merge(new Tag({ label: "late" }));
    });
    session.add(new User({ name: "ann" }));
    await expect(session.flush()).rejects.toThrow(FlushInProgressError);
  });

  test("a listener that refuses a value ends the merge, and the session flushes by itself again", async () => {
    const opened = await open();
    await using session = opened.SessionLocal();
    using _ = listen(attributes(User).email, "set", ({ target }) => {
      if (objectSession(target) === session) throw new InvalidRequestError("No.");
    });
    await expect(session.merge(new User({ name: "ann", email: "bad" }))).rejects.toThrow("No.");
    opened.log.take();
    await session.get(Tag, 99);
    expect(opened.log.take()).toContain("beforeFlush");
  });

  test("merges that are not awaited one by one take turns", async () => {
    const opened = await open();
    await using session = opened.SessionLocal();
    const merged = await Promise.all(["a", "b", "c"].map((name) => session.merge(new User({ id: 1, name }))));
    expect(new Set(merged).size).toBe(1);
    await session.commit();
    expect(await opened.rows("select id, name from users")).toEqual([[1, "c"]]);
  });

  test("what the other side added to a collection stays in it when it was flushed unread", async () => {
    const opened = await open();
    await using session = opened.SessionLocal();
    const ann = new User({ name: "ann" });
    session.add(ann);
    await session.flush();
    const post = new Post({ title: "one", author: ann });
    session.add(post);
    await session.flush();
    expect([...ann.posts]).toEqual([post]);
  });
});
