import { describe, expect, test } from "vitest";
import {
  ArgumentError,
  getHistory,
  inspect,
  type Instance,
  joinedLoad,
  listen,
  load,
  select,
  selectinLoad,
  sql,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import {
  all,
  byId,
  Clerk,
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

forEachDatabase((db) => {
  describe("selectinLoad", () => {
    test("loads a collection of all instances by one further statement, in the relationship's order", async () => {
      const { SessionLocal, sent } = await openBlog(db);
      await using session = SessionLocal();
      const users = await all(session, select(User).options(selectinLoad(User, "posts")).orderBy(byId));
      expect(sent()).toHaveLength(2);
      expect(users.map(({ posts }) => titles(posts))).toEqual([["one", "two"], ["three"], []]);
      expect(sent()).toEqual([]);
      expect(session.dirty.size).toBe(0);
      expect(getHistory(users[0]!, "posts").hasChanges()).toBe(false);
    });

    test("loads references, and none where there is none", async () => {
      const { SessionLocal, sent } = await openBlog(db);
      await using session = SessionLocal();
      const posts = await all(session, select(Post).options(selectinLoad(Post, "author")).orderBy(byId));
      expect(posts.map(({ author }) => author?.name ?? null)).toEqual(["ann", "ann", "bob", null]);
      expect(posts[0]!.author).toBe(posts[1]!.author);
      const users = await all(session, select(User).options(selectinLoad(User, "profile")).orderBy(byId));
      expect(users.map(({ profile }) => profile?.bio ?? null)).toEqual(["hi", null, null]);
      expect(sent()).toHaveLength(4);
    });

    test("loads through a table between, on both sides", async () => {
      const { SessionLocal } = await openBlog(db);
      await using session = SessionLocal();
      const posts = await all(session, select(Post).options(selectinLoad(Post, "tags")).orderBy(byId));
      expect(posts.map(({ tags }) => labels(tags))).toEqual([["blue", "red"], ["red"], [], []]);
      const tags = await all(session, select(Tag).options(selectinLoad(Tag, "posts")).orderBy(byId));
      expect(tags.map((tag) => titles(tag.posts))).toEqual([["one", "two"], ["one"], []]);
    });

    test("goes on along a path, level by level", async () => {
      const { SessionLocal, sent } = await openBlog(db);
      await using session = SessionLocal();
      const tables: unknown[] = [];
      listen(session, "doOrmExecute", ({ bindMapper, isRelationshipLoad }) => {
        tables.push([bindMapper?.table.name, isRelationshipLoad]);
      });
      const users = await all(
        session,
        select(User)
          .options(
            selectinLoad(User, "posts").selectinLoad("tags"),
            selectinLoad(User, "posts").selectinLoad("author"),
            selectinLoad(User, "profile"),
          )
          .orderBy(byId),
      );
      expect(labels(users[0]!.posts[0]!.tags)).toEqual(["blue", "red"]);
      expect(users[0]!.posts[1]!.author).toBe(users[0]);
      expect(tables).toEqual([
        ["users", false],
        ["posts", true],
        ["profiles", true],
        ["users", true],
        ["tags", true],
      ]);
      expect(sent()).toHaveLength(5);
    });

    test("fills sets and maps", async () => {
      const { SessionLocal } = await openBlog(db);
      await using session = SessionLocal();
      const [ann] = await all(
        session,
        select(User).where({ id: 1 }).options(selectinLoad(User, "addresses"), selectinLoad(User, "settings")),
      );
      expect([...ann!.addresses].map(({ street }) => street)).toEqual(["a", "b"]);
      expect([...ann!.settings.keys()]).toEqual(["theme"]);
    });

    test("finds the related rows of composite keys, and of more instances than one statement takes", async () => {
      const { SessionLocal, sent } = await openBlog(db);
      await SessionLocal.begin((session) => {
        for (let number = 1; number <= 600; number++) {
          const plot = new Plot({ street: "elm", number });
          session.add(plot);
          if (number % 2 === 0) session.add(new Tree({ id: number, plot }));
        }
      });
      sent();
      await using session = SessionLocal();
      const plots = await all(session, select(Plot).options(selectinLoad(Plot, "trees")));
      expect(plots).toHaveLength(600);
      for (const plot of plots) expect(ids(plot.trees)).toEqual(plot.number % 2 === 0 ? [plot.number] : []);
      expect(sent()).toHaveLength(3);
    });

    test("loads what only a subclass has, of those that have it", async () => {
      const { SessionLocal } = await openBlog(db);
      await staff(SessionLocal);
      await using session = SessionLocal();
      const employees = await all(session, select(Employee).options(selectinLoad(Manager, "reports")).orderBy(byId));
      expect(employees.map((each) => (each instanceof Manager ? ids(each.reports) : undefined))).toEqual([
        [2, 3],
        [],
        undefined,
      ]);
    });

    test("sends nothing where nothing was found", async () => {
      const { SessionLocal, sent } = await openBlog(db);
      await using session = SessionLocal();
      await all(session, select(User).where({ id: 99 }).options(selectinLoad(User, "posts")));
      expect(sent()).toHaveLength(1);
    });
  });

  describe("joinedLoad", () => {
    test("loads references in the same statement", async () => {
      const { SessionLocal, sent } = await openBlog(db);
      await using session = SessionLocal();
      const posts = await all(session, select(Post).options(joinedLoad(Post, "author")).orderBy(byId));
      expect(posts.map(({ author }) => author?.name ?? null)).toEqual(["ann", "ann", "bob", null]);
      expect(sent()).toHaveLength(1);
    });

    test("loads several collections, each in its order, and finds each instance once", async () => {
      const { SessionLocal, sent } = await openBlog(db);
      await using session = SessionLocal();
      const users = await all(
        session,
        select(User)
          .options(
            joinedLoad(User, "posts").joinedLoad("tags"),
            joinedLoad(User, "addresses"),
            joinedLoad(User, "settings"),
            joinedLoad(User, "profile"),
          )
          .orderBy((user) => user.id.desc()),
      );
      expect(ids(users)).toEqual([3, 2, 1]);
      const [cy, bob, ann] = users;
      expect([cy!.posts, [...cy!.addresses], cy!.profile]).toEqual([[], [], null]);
      expect(titles(bob!.posts)).toEqual(["three"]);
      expect(ann!.posts.map(({ title, tags }) => [title, labels(tags)])).toEqual([
        ["one", ["blue", "red"]],
        ["two", ["red"]],
      ]);
      expect([...ann!.addresses].map(({ street }) => street)).toEqual(["a", "b"]);
      expect([...ann!.settings.keys()]).toEqual(["theme"]);
      expect(ann!.profile!.bio).toBe("hi");
      expect(sent()).toHaveLength(1);
    });

    test("a limit counts instances, and cuts no collection", async () => {
      const { SessionLocal, sent } = await openBlog(db);
      await using session = SessionLocal();
      const page = select(User).options(joinedLoad(User, "posts"), joinedLoad(User, "addresses"));
      const first = await all(
        session,
        page
          .where((user) => user.id.gte(1))
          .orderBy((user) => [sql`lower(${user.name})`, user.id.desc()])
          .limit(2),
      );
      expect(first.map((user) => [user.name, titles(user.posts)])).toEqual([
        ["ann", ["one", "two"]],
        ["bob", ["three"]],
      ]);
      const second = await all(session, page.orderBy(byId).offset(2));
      expect(second.map((user) => [user.name, titles(user.posts), user.addresses.size])).toEqual([["cy", [], 0]]);
      expect(sent()).toHaveLength(2);
    });

    test("leaves conditions and orders of the same tables alone", async () => {
      const { SessionLocal } = await openBlog(db);
      await using session = SessionLocal();
      const bosses = await all(
        session,
        select(User)
          .where({ name: "bob" })
          .options(joinedLoad(User, "boss").joinedLoad("team"))
          .orderBy((user) => user.name),
      );
      expect(bosses.map(({ name, boss }) => [name, boss!.name, ids(boss!.team)])).toEqual([["bob", "ann", [2, 3]]]);
      expect(bosses[0]!.boss!.team[0]).toBe(bosses[0]);
    });

    test("an instance may stand in several places of one row", async () => {
      const { SessionLocal } = await openBlog(db);
      await using session = SessionLocal();
      const users = await all(session, select(User).options(joinedLoad(User, "team")).orderBy(byId));
      expect(users.map(({ team }) => ids(team))).toEqual([[2, 3], [], []]);
    });

    for (const direction of ["asc", "desc"] as const) {
      test(`an instance that stands in several rows is loaded later as where it stands nearest, whichever comes first (${direction})`, async () => {
        const { SessionLocal, sent } = await openBlog(db);
        await using session = SessionLocal();
        const statement = select(User)
          .options(joinedLoad(User, "team"))
          .orderBy((user) => user.id[direction]());
        const bob = (await all(session, statement)).find(({ name }) => name === "bob");
        session.expireAll();
        sent();
        await load(bob!, "name");
        expect(ids(bob!.team)).toEqual([]);
        expect(sent()).toHaveLength(1);
      });
    }

    test("joins instances that several tables make up, and those that share one", async () => {
      const { SessionLocal, sent } = await openBlog(db);
      await staff(SessionLocal);
      sent();
      await using session = SessionLocal();
      const clerks = await all(session, select(Clerk).options(joinedLoad(Clerk, "manager").joinedLoad("reports")));
      expect(clerks.map(({ manager }) => [manager!.name, manager!.level, ids(manager!.reports)])).toEqual([
        ["max", 5, [2, 3]],
      ]);
      expect(clerks[0]!.manager!.reports[0]).toBeInstanceOf(Manager);
      expect(sent()).toHaveLength(1);
    });

    test("may be followed by other strategies, and follow them", async () => {
      const { SessionLocal, sent } = await openBlog(db);
      await using session = SessionLocal();
      const [tag] = await all(
        session,
        select(Tag)
          .where({ label: "red" })
          .options(selectinLoad(Tag, "posts").joinedLoad("author").selectinLoad("team")),
      );
      expect(tag!.posts.map(({ author }) => ids(author!.team))).toEqual([
        [2, 3],
        [2, 3],
      ]);
      expect(sent()).toHaveLength(3);
    });

    test("cannot read from a class's rows what only a subclass has", async () => {
      const { SessionLocal } = await openBlog(db);
      await using session = SessionLocal();
      await expect(session.scalars(select(Employee).options(joinedLoad(Manager, "reports")))).rejects.toThrow(
        /joinedLoad\(Manager, "reports"\) cannot be part of rows of Employee.*Use selectinLoad/,
      );
    });
  });

  describe.each(["selectin", "joined"] as const)("with %s", (strategy) => {
    const along = strategy === "selectin" ? selectinLoad : joinedLoad;

    test("what is in memory is left alone, changes too, unless it is to be overwritten", async () => {
      const { SessionLocal } = await openBlog(db);
      await using session = SessionLocal({ autoflush: false });
      const ann = (await session.get(User, 1))!;
      await load(ann, "posts");
      ann.posts.pop();
      const statement = select(User).where({ id: 1 }).options(along(User, "posts"));
      await all(session, statement);
      expect(titles(ann.posts)).toEqual(["one"]);
      await all(session, statement.executionOptions({ populateExisting: true }));
      expect(titles(ann.posts)).toEqual(["one", "two"]);
      expect(getHistory(ann, "posts").hasChanges()).toBe(false);
    });

    test("a refresh loads anew what was loaded along", async () => {
      const { SessionLocal } = await openBlog(db);
      await using session = SessionLocal();
      const [ann] = await all(
        session,
        select(User).where({ id: 1 }).options(along(User, "posts").selectinLoad("tags")),
      );
      await session.execute(sql`update posts set author_id = 1 where id = 4`);
      await session.refresh(ann!);
      expect(titles(ann!.posts)).toEqual(["one", "two", "nobody's"]);
      session.expireAll();
      expect(await load(ann!, "name")).toBe("ann");
      expect(ids(ann!.posts)).toEqual([1, 2, 4]);
    });

    test("what is loaded later keeps to the rest of the path", async () => {
      const { SessionLocal } = await openBlog(db);
      await using session = SessionLocal();
      const [ann] = await all(
        session,
        select(User).where({ id: 1 }).options(along(User, "posts").selectinLoad("tags")),
      );
      session.expire(ann!, ["posts"]);
      const posts = await load(ann!, "posts");
      expect(posts.map(({ tags }) => labels(tags))).toEqual([["blue", "red"], ["red"]]);
    });

    test("the events come in SQLAlchemy's order", async () => {
      const { SessionLocal } = await openBlog(db);
      await using session = SessionLocal();
      const seen: string[] = [];
      const name = (target: Instance): string => `${target.constructor.name} ${inspect(target).identity?.join() ?? ""}`;
      const endings = [
        listen(User, "load", ({ target }) => void seen.push(`load ${name(target)}`)),
        listen(Post, "load", ({ target }) => void seen.push(`load ${name(target)}`)),
        listen(
          User,
          "refresh",
          ({ target, attrs }) => void seen.push(`refresh ${name(target)} ${attrs?.join() ?? ""}`),
        ),
        listen(session, "loadedAsPersistent", ({ target }) => void seen.push(`loaded ${name(target)}`)),
        listen(session, "doOrmExecute", ({ isRelationshipLoad }) => {
          seen.push(isRelationshipLoad ? "relationship load" : "query");
        }),
      ];
      const statement = select(User)
        .where((user) => user.id.lte(2))
        .options(along(User, "posts"))
        .orderBy(byId);
      await all(session, statement);
      const posts = (...keys: number[]): string[] => keys.flatMap((key) => [`load Post ${key}`, `loaded Post ${key}`]);
      expect(seen.splice(0)).toEqual(
        strategy === "selectin"
          ? [
              "query",
              "load User 1",
              "loaded User 1",
              "load User 2",
              "loaded User 2",
              "relationship load",
              ...posts(1, 2, 3),
            ]
          : ["query", ...posts(1), "load User 1", "loaded User 1", ...posts(2, 3), "load User 2", "loaded User 2"],
      );
      await all(session, statement);
      expect(seen.filter((line) => line.startsWith("refresh"))).toEqual([
        "refresh User 1 addresses,settings,profile,boss,team",
        "refresh User 2 addresses,settings,profile,boss,team",
      ]);
      for (const ending of endings) ending.remove();
    });
  });

  test("an option of another class, a name that is no relationship, and what is no option are refused", async () => {
    expect(() => select(User).options(selectinLoad(Post, "tags"))).toThrow(
      'Post.tags cannot be loaded along with a statement that selects User. Name a relationship of User first, and lead on from there: selectinLoad(User, "…").selectinLoad("tags").',
    );
    expect(() => selectinLoad(User, "post" as "posts")).toThrow(
      new ArgumentError('User has no relationship "post". Did you mean "posts"?'),
    );
    expect(() => joinedLoad(User, "posts").joinedLoad("name" as "tags")).toThrow(
      /Post has no relationship "name"\. It has author, tags\./,
    );
    expect(() => select(User).options("posts" as never)).toThrow(
      /options\(\) takes what selectinLoad\(\), joinedLoad\(\)/,
    );
  });
});
