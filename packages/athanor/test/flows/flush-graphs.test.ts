import { expect, test } from "vitest";
import {
  createAll,
  integer,
  load,
  many,
  Metadata,
  model,
  one,
  type Session,
  sessionmaker,
  text,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { StatementLog } from "../statement-log.ts";

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
    get addresses() {
      return many(Address, { backPopulates: "user", cascade: "all, delete-orphan", orderBy: "id" });
    },
  },
  { metadata },
) {}

class Post extends model(
  "posts",
  {
    id,
    author_id: integer().nullable().references("users.id"),
    title: text(),
    get author() {
      return one(User, { backPopulates: "posts" });
    },
    get comments() {
      return many(Comment, { backPopulates: "post", cascade: "all, delete-orphan", orderBy: "id" });
    },
  },
  { metadata },
) {}

class Address extends model(
  "addresses",
  {
    id,
    user_id: integer().nullable().references("users.id"),
    street: text(),
    get user() {
      return one(User, { backPopulates: "addresses" });
    },
  },
  { metadata },
) {}

class Comment extends model(
  "comments",
  {
    id,
    post_id: integer().references("posts.id"),
    text: text(),
    get post() {
      return one(Post, { backPopulates: "comments" });
    },
  },
  { metadata },
) {}

class Banner extends model("banners", { id, text: text() }, { metadata }) {}
class Zebra extends model("zebras", { id, name: text() }, { metadata }) {}

forEachDatabase((db) => {
  const open = async (): Promise<{ SessionLocal: ReturnType<typeof sessionmaker>; log: StatementLog }> => {
    const engine = db.engine();
    await createAll(engine, { metadata });
    return {
      SessionLocal: sessionmaker(engine, { autoflush: false }),
      log: new StatementLog(engine, [User, Post, Address, Comment, Banner, Zebra]),
    };
  };

  /** Two users, the first with two posts and two addresses, the second with one post. */
  const save = async (SessionLocal: ReturnType<typeof sessionmaker>, log: StatementLog): Promise<void> => {
    await SessionLocal.begin((session) => {
      const posts = ["1", "2"].map((title) => new Post({ title }));
      const addresses = ["1", "2"].map((street) => new Address({ street }));
      session.add(new User({ name: "u", posts, addresses }));
      session.add(new User({ name: "w", posts: [new Post({ title: "3" })] }));
    });
    log.take();
  };
  const user = async (session: Session, key: number): Promise<User> => (await session.get(User, key)) as User;
  const post = async (session: Session, key: number): Promise<Post> => (await session.get(Post, key)) as Post;

  test("parents are inserted before their children, and children of two classes by the names of these", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const u = log.name("u", new User({ name: "u" }));
    u.posts = [log.name("p1", new Post({ title: "1" })), log.name("p2", new Post({ title: "2" }))];
    u.addresses.push(log.name("a1", new Address({ street: "s" })));
    session.add(u);
    await session.flush();
    expect(log.take()).toEqual([
      "beforeInsert u",
      'INSERT users (name) ["u"]',
      "afterInsert u",
      "beforeInsert a1",
      'INSERT addresses (user_id, street) [1,"s"]',
      "afterInsert a1",
      "beforeInsert p1",
      "beforeInsert p2",
      'INSERT posts (author_id, title) [1,"1"] [1,"2"]',
      "afterInsert p1",
      "afterInsert p2",
    ]);
  });

  test("children that were added first wait for their parents, and each class keeps the order in which it was added", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const [p1, p2] = [log.name("p1", new Post({ title: "1" })), log.name("p2", new Post({ title: "2" }))];
    const [u, v] = [log.name("u", new User({ name: "u" })), log.name("v", new User({ name: "v" }))];
    session.addAll([p1, p2]);
    p1.author = v;
    p2.author = u;
    session.addAll([u, v]);
    await session.flush();
    expect(log.take()).toEqual([
      "beforeInsert v",
      "beforeInsert u",
      'INSERT users (name) ["v"] ["u"]',
      "afterInsert v",
      "afterInsert u",
      "beforeInsert p1",
      "beforeInsert p2",
      'INSERT posts (author_id, title) [1,"1"] [2,"2"]',
      "afterInsert p1",
      "afterInsert p2",
    ]);
  });

  test("the rows of several graphs are one batch for each table", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    for (const name of ["u", "v"]) {
      const owner = log.name(name, new User({ name }));
      const comment = log.name(`comment of ${name}`, new Comment({ text: name }));
      owner.posts.push(log.name(`post of ${name}`, new Post({ title: name, comments: [comment] })));
      owner.addresses.push(log.name(`address of ${name}`, new Address({ street: name })));
      session.add(owner);
    }
    await session.flush();
    expect(log.take()).toEqual([
      "beforeInsert u",
      "beforeInsert v",
      'INSERT users (name) ["u"] ["v"]',
      "afterInsert u",
      "afterInsert v",
      "beforeInsert address of u",
      "beforeInsert address of v",
      'INSERT addresses (user_id, street) [1,"u"] [2,"v"]',
      "afterInsert address of u",
      "afterInsert address of v",
      "beforeInsert post of u",
      "beforeInsert post of v",
      'INSERT posts (author_id, title) [1,"u"] [2,"v"]',
      "afterInsert post of u",
      "afterInsert post of v",
      "beforeInsert comment of u",
      "beforeInsert comment of v",
      'INSERT comments (post_id, text) [1,"u"] [2,"v"]',
      "afterInsert comment of u",
      "afterInsert comment of v",
    ]);
  });

  test("classes that have nothing to do with each other are written by their names, whatever was added first", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const z = log.name("z", new Zebra({ name: "z" }));
    const u = log.name("u", new User({ name: "u" }));
    session.addAll([z, u, log.name("b", new Banner({ text: "b" }))]);
    await session.flush();
    expect(log.take()).toEqual([
      "beforeInsert b",
      'INSERT banners (text) ["b"]',
      "afterInsert b",
      "beforeInsert u",
      'INSERT users (name) ["u"]',
      "afterInsert u",
      "beforeInsert z",
      'INSERT zebras (name) ["z"]',
      "afterInsert z",
    ]);
  });

  test("rows with keys of the program's are inserted between the others, in the order in which all were added", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    session.addAll([
      log.name("a", new User({ name: "a" })),
      log.name("b", new User({ id: 7, name: "b" })),
      log.name("c", new User({ id: 5, name: "c" })),
      log.name("d", new User({ name: "d" })),
    ]);
    await session.flush();
    expect(log.take()).toEqual([
      "beforeInsert a",
      "beforeInsert b",
      "beforeInsert c",
      "beforeInsert d",
      'INSERT users (name) ["a"]',
      'INSERT users (id, name) [7,"b"] [5,"c"]',
      'INSERT users (name) ["d"]',
      "afterInsert a",
      "afterInsert b",
      "afterInsert c",
      "afterInsert d",
    ]);
  });

  test("a deletion loads at once what it cascades to; the flush lets go of other children, and deletes children before parents", async () => {
    const { SessionLocal, log } = await open();
    await save(SessionLocal, log);
    await using session = SessionLocal();
    const u = await user(session, 1);
    log.take();
    await session.delete(u);
    expect(log.take()).toEqual(["SELECT addresses [1]"]);
    await session.flush();
    expect(log.take()).toEqual([
      "SELECT posts [1]",
      "beforeUpdate Post(1)",
      "beforeUpdate Post(2)",
      "UPDATE posts SET author_id WHERE id [null,1] [null,2]",
      "afterUpdate Post(1)",
      "afterUpdate Post(2)",
      "beforeDelete Address(1)",
      "beforeDelete Address(2)",
      "DELETE addresses WHERE id [1] [2]",
      "afterDelete Address(1)",
      "afterDelete Address(2)",
      "beforeDelete User(1)",
      "DELETE users WHERE id [1]",
      "afterDelete User(1)",
    ]);
  });

  test("a child that moves from a parent that is deleted to a new one gets its key", async () => {
    const { SessionLocal, log } = await open();
    await save(SessionLocal, log);
    await using session = SessionLocal();
    const [u, p] = [await user(session, 1), await post(session, 1)];
    log.take();
    const v = log.name("v", new User({ name: "v" }));
    session.add(v);
    p.author = v;
    await session.delete(u);
    await session.flush();
    expect(log.take()).toEqual([
      "SELECT addresses [1]",
      "SELECT posts [1]",
      "beforeInsert v",
      'INSERT users (name) ["v"]',
      "afterInsert v",
      "beforeUpdate Post(1)",
      "beforeUpdate Post(2)",
      "UPDATE posts SET author_id WHERE id [3,1] [null,2]",
      "afterUpdate Post(1)",
      "afterUpdate Post(2)",
      "beforeDelete Address(1)",
      "beforeDelete Address(2)",
      "DELETE addresses WHERE id [1] [2]",
      "afterDelete Address(1)",
      "afterDelete Address(2)",
      "beforeDelete User(1)",
      "DELETE users WHERE id [1]",
      "afterDelete User(1)",
    ]);
  });

  test("children that are deleted with their parent keep their foreign key", async () => {
    const { SessionLocal, log } = await open();
    await save(SessionLocal, log);
    await using session = SessionLocal();
    const [u, p2, p1] = [await user(session, 1), await post(session, 2), await post(session, 1)];
    log.take();
    await session.delete(u);
    await session.delete(p2);
    await session.delete(p1);
    await session.flush();
    expect(log.take()).toEqual([
      "SELECT addresses [1]",
      "SELECT comments [2] [1]",
      "SELECT posts [1]",
      "beforeDelete Address(1)",
      "beforeDelete Address(2)",
      "DELETE addresses WHERE id [1] [2]",
      "afterDelete Address(1)",
      "afterDelete Address(2)",
      "beforeDelete Post(1)",
      "beforeDelete Post(2)",
      "DELETE posts WHERE id [1] [2]",
      "afterDelete Post(1)",
      "afterDelete Post(2)",
      "beforeDelete User(1)",
      "DELETE users WHERE id [1]",
      "afterDelete User(1)",
    ]);
  });

  test("deleted rows and those that lose their parents are one batch for each table, by key", async () => {
    const { SessionLocal, log } = await open();
    await save(SessionLocal, log);
    await using session = SessionLocal();
    const [u, w] = [await user(session, 1), await user(session, 2)];
    log.take();
    await session.delete(w);
    await session.delete(u);
    await session.flush();
    expect(log.take()).toEqual([
      "SELECT addresses [2] [1]",
      "SELECT posts [2] [1]",
      "beforeUpdate Post(1)",
      "beforeUpdate Post(2)",
      "beforeUpdate Post(3)",
      "UPDATE posts SET author_id WHERE id [null,1] [null,2] [null,3]",
      "afterUpdate Post(1)",
      "afterUpdate Post(2)",
      "afterUpdate Post(3)",
      "beforeDelete Address(1)",
      "beforeDelete Address(2)",
      "DELETE addresses WHERE id [1] [2]",
      "afterDelete Address(1)",
      "afterDelete Address(2)",
      "beforeDelete User(1)",
      "beforeDelete User(2)",
      "DELETE users WHERE id [1] [2]",
      "afterDelete User(1)",
      "afterDelete User(2)",
    ]);
  });

  test("of one table updates come first, then insertions, and deletions when children are saved", async () => {
    const { SessionLocal, log } = await open();
    await save(SessionLocal, log);
    await using session = SessionLocal();
    const u = await user(session, 1);
    const [a1, a2] = (await load(u, "addresses")) as [Address, Address];
    log.take();
    u.addresses.splice(u.addresses.indexOf(a1), 1);
    u.addresses.push(log.name("a3", new Address({ street: "3" })));
    a2.street = "new";
    u.name = "n";
    session.add(log.name("x", new User({ name: "x" })));
    await session.flush();
    expect(log.take()).toEqual([
      "beforeInsert x",
      "beforeUpdate User(1)",
      'UPDATE users SET name WHERE id ["n",1]',
      'INSERT users (name) ["x"]',
      "afterInsert x",
      "afterUpdate User(1)",
      "beforeInsert a3",
      "beforeUpdate Address(2)",
      'UPDATE addresses SET street WHERE id ["new",2]',
      'INSERT addresses (user_id, street) [1,"3"]',
      "afterInsert a3",
      "afterUpdate Address(2)",
      "beforeDelete Address(1)",
      "DELETE addresses WHERE id [1]",
      "afterDelete Address(1)",
    ]);
  });

  test("a child that moves between parents is written once, and parents raise their events alone", async () => {
    const { SessionLocal, log } = await open();
    await save(SessionLocal, log);
    await using session = SessionLocal();
    const [u, w] = [await user(session, 1), await user(session, 2)];
    await load(u, "posts");
    await load(w, "posts");
    log.take();
    w.posts.push(u.posts[0] as Post);
    await session.flush();
    expect(log.take()).toEqual([
      "beforeUpdate User(1)",
      "beforeUpdate User(2)",
      "afterUpdate User(1)",
      "afterUpdate User(2)",
      "beforeUpdate Post(1)",
      "UPDATE posts SET author_id WHERE id [2,1]",
      "afterUpdate Post(1)",
    ]);
  });

  test("rows of a table are saved before others of the same table are deleted", async () => {
    const { SessionLocal, log } = await open();
    await save(SessionLocal, log);
    await using session = SessionLocal();
    const [u, w] = [await user(session, 1), await user(session, 2)];
    await load(u, "addresses");
    await load(w, "addresses");
    log.take();
    await session.delete(u);
    w.name = "z";
    session.add(log.name("n", new User({ name: "n" })));
    await session.flush();
    expect(log.take()).toEqual([
      "SELECT posts [1]",
      "beforeInsert n",
      "beforeUpdate User(2)",
      'UPDATE users SET name WHERE id ["z",2]',
      'INSERT users (name) ["n"]',
      "afterInsert n",
      "afterUpdate User(2)",
      "beforeUpdate Post(1)",
      "beforeUpdate Post(2)",
      "UPDATE posts SET author_id WHERE id [null,1] [null,2]",
      "afterUpdate Post(1)",
      "afterUpdate Post(2)",
      "beforeDelete Address(1)",
      "beforeDelete Address(2)",
      "DELETE addresses WHERE id [1] [2]",
      "afterDelete Address(1)",
      "afterDelete Address(2)",
      "beforeDelete User(1)",
      "DELETE users WHERE id [1]",
      "afterDelete User(1)",
    ]);
  });

  test("a child is deleted without its parent being asked for", async () => {
    const { SessionLocal, log } = await open();
    await save(SessionLocal, log);
    await using session = SessionLocal();
    const p = await post(session, 1);
    log.take();
    await session.delete(p);
    await session.flush();
    expect(log.take()).toEqual([
      "SELECT comments [1]",
      "beforeDelete Post(1)",
      "DELETE posts WHERE id [1]",
      "afterDelete Post(1)",
    ]);
  });

  test("rows that change different columns are statements of their own, in the order of their keys", async () => {
    const { SessionLocal, log } = await open();
    await save(SessionLocal, log);
    await using session = SessionLocal();
    const posts = [await post(session, 1), await post(session, 2), await post(session, 3)] as const;
    log.take();
    posts[1].title = "x";
    posts[0].author_id = null;
    posts[1].author_id = null;
    posts[2].title = "y";
    await session.flush();
    expect(log.take()).toEqual([
      "beforeUpdate Post(1)",
      "beforeUpdate Post(2)",
      "beforeUpdate Post(3)",
      "UPDATE posts SET author_id WHERE id [null,1]",
      'UPDATE posts SET author_id, title WHERE id [null,"x",2]',
      'UPDATE posts SET title WHERE id ["y",3]',
      "afterUpdate Post(1)",
      "afterUpdate Post(2)",
      "afterUpdate Post(3)",
    ]);
  });
});
