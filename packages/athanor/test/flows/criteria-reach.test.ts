import { expect, test } from "vitest";
import {
  aliased,
  type Attributes,
  and,
  type AnyModel,
  containsEager,
  deleteFrom,
  exists,
  func,
  insert,
  immediateLoad,
  InvalidRequestError,
  joinedLoad,
  lazyLoad,
  load,
  loadOnly,
  mergeFrozenResult,
  type Model,
  not,
  select,
  selectinLoad,
  type Session,
  type SessionMaker,
  sql,
  selectinPolymorphic,
  StaleDataError,
  subqueryLoad,
  update,
  withPolymorphic,
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
  sortedIds,
  Tag,
} from "./criteria-story.ts";

/** A way to reach rows, with the keys of what it reaches where nothing hidden is among them. */
interface Way {
  readonly reach: (session: Session) => Promise<readonly (number | null)[]>;
  readonly finds: readonly (number | null)[];
}

type Row = Model & { readonly id: number };

const all: readonly AnyModel[] = [Person, Member, Guest, Post, Comment, Tag, Folder];
const other = aliased(Post, "other");

/** What the session has in memory of a class, hidden or not. */
function known<TModel extends AnyModel>(session: Session, model: TModel): InstanceType<TModel>[] {
  return [...session.identityMap].filter((instance) => instance instanceof model) as InstanceType<TModel>[];
}

/** The key of what an operation answers with; nothing where it is refused. */
async function unlessRefused(work: () => Promise<Row | null>): Promise<readonly number[]> {
  try {
    const row = await work();
    return row === null ? [] : [row.id];
  } catch (error) {
    if (error instanceof InvalidRequestError || error instanceof StaleDataError) return [];
    throw error;
  }
}

async function each<T>(items: readonly T[], reach: (item: T) => Promise<readonly number[]>): Promise<number[]> {
  const reached: number[] = [];
  for (const item of items) reached.push(...(await reach(item)));
  return reached.toSorted((left, right) => left - right);
}

async function column(session: Session, statement: unknown): Promise<(number | null)[]> {
  const result = await session.execute(statement as ReturnType<typeof numbers>);
  return result.all().map(([value]) => value);
}

const numbers = () => select(Post).columns((post) => [post.id]);

const allIds = [1, 2, 3, 4, 5, 6, 7, 8];

const ways: Readonly<Record<string, Way>> = {
  "select a class": { reach: async (session) => sortedIds(await session.scalars(select(Post))), finds: [1, 3] },
  "select by key": {
    reach: async (session) => sortedIds(await session.scalars(select(Post).where((post) => post.id.in([2, 4])))),
    finds: [],
  },
  "select a class with subclasses": {
    reach: async (session) => sortedIds(await session.scalars(select(Person))),
    finds: [1, 5, 7],
  },
  "select a subclass with a table": {
    reach: async (session) => sortedIds(await session.scalars(select(Member))),
    finds: [5],
  },
  "select a subclass without": {
    reach: async (session) => sortedIds(await session.scalars(select(Guest))),
    finds: [7],
  },
  "select an alias": { reach: async (session) => sortedIds(await session.scalars(select(other))), finds: [1, 3] },
  "select columns": {
    reach: (session) =>
      column(
        session,
        numbers().orderBy((post) => post.id),
      ),
    finds: [1, 3],
  },
  count: {
    reach: (session) =>
      column(
        session,
        select(Post).columns(() => [func.count()]),
      ),
    finds: [2],
  },
  "count a hierarchy": {
    reach: (session) =>
      column(
        session,
        select(Person).columns(() => [func.count()]),
      ),
    finds: [3],
  },
  "group and count": {
    reach: (session) =>
      column(
        session,
        select(Post)
          .columns((post) => [func.count(post.id)])
          .groupBy((post) => post.tenant),
      ),
    finds: [2],
  },
  "the largest": {
    reach: (session) =>
      column(
        session,
        select(Post).columns((post) => [func.max(post.id)]),
      ),
    finds: [3],
  },
  "count over a window": {
    reach: (session) =>
      column(
        session,
        select(Post).columns(() => [func.count().over()]),
      ),
    finds: [2, 2],
  },
  join: {
    reach: (session) =>
      column(
        session,
        select(Person)
          .join("posts")
          .columns((_, post) => [post.id]),
      ),
    finds: [1],
  },
  "outer join": {
    reach: (session) =>
      column(
        session,
        select(Comment)
          .outerJoin("post")
          .columns((_, post) => [post.id])
          .orderBy((comment) => comment.id),
      ),
    finds: [1, null],
  },
  "join through a table between": {
    reach: (session) =>
      column(
        session,
        select(Post)
          .join("tags")
          .columns((_, tag) => [tag.id]),
      ),
    finds: [1],
  },
  "join to a hierarchy": {
    reach: (session) =>
      column(
        session,
        select(Folder)
          .join(Person, (folder) => folder.id.eq(1))
          .columns((_, person) => [person.id])
          .orderBy((_, person) => person.id),
      ),
    finds: [1, 5, 7],
  },
  "join to an alias": {
    reach: (session) =>
      column(
        session,
        select(Comment)
          .join(other, () => sql<boolean>`1 = 1 or 1 = 1`)
          .where((comment) => comment.id.eq(1))
          .columns((_, post) => [post.id])
          .orderBy((_, post) => post.id),
      ),
    finds: [1, 3],
  },
  "join a class with itself": {
    reach: (session) =>
      column(
        session,
        select(Folder)
          .join("children")
          .columns((_, child) => [child.id]),
      ),
    finds: [3],
  },
  "instances beside others": {
    reach: async (session) => {
      const pairs = select(Comment)
        .outerJoin("post")
        .columns((_, post) => [post])
        .orderBy((comment) => comment.id);
      return (await session.execute(pairs)).all().map(([post]) => post?.id ?? null);
    },
    finds: [1, null],
  },
  IN: {
    reach: async (session) =>
      sortedIds(await session.scalars(select(Comment).where((comment) => comment.post_id.in(numbers())))),
    finds: [1],
  },
  "NOT IN": {
    reach: async (session) =>
      sortedIds(await session.scalars(select(Comment).where((comment) => comment.post_id.notIn(numbers())))),
    finds: [3],
  },
  EXISTS: {
    reach: async (session) =>
      sortedIds(
        await session.scalars(select(Tag).where(() => exists(select(Post).where((post) => post.id.in([2, 4]))))),
      ),
    finds: [],
  },
  any: {
    reach: async (session) => sortedIds(await session.scalars(select(Person).where((person) => person.posts.any()))),
    finds: [1],
  },
  "any within any": {
    reach: async (session) =>
      sortedIds(
        await session.scalars(
          select(Person).where((person) =>
            person.posts.any((post) => post.comments.any((comment) => comment.id.ne(1))),
          ),
        ),
      ),
    finds: [],
  },
  "any through a table between": {
    reach: async (session) =>
      sortedIds(await session.scalars(select(Post).where((post) => post.tags.any((tag) => tag.id.ne(1))))),
    finds: [],
  },
  has: {
    reach: async (session) => sortedIds(await session.scalars(select(Comment).where((comment) => comment.post.has()))),
    finds: [1],
  },
  "not has": {
    reach: async (session) =>
      sortedIds(await session.scalars(select(Comment).where((comment) => not(comment.post.has())))),
    finds: [3],
  },
  "a subquery as a value": {
    reach: (session) =>
      column(
        session,
        select(Tag)
          .columns(() => [
            select(Post)
              .columns(() => [func.count()])
              .scalarSubquery(),
          ])
          .where((tag) => tag.id.eq(1)),
      ),
    finds: [2],
  },
  "order by a subquery": {
    reach: (session) =>
      column(
        session,
        select(Person)
          .columns((person) => [person.id])
          .orderBy((person) => [
            select(Post)
              .where((post) => post.author_id.eq(person.id))
              .columns(() => [func.count()])
              .scalarSubquery()
              .desc(),
            person.id.desc(),
          ]),
      ),
    finds: [1, 7, 5],
  },
  ...Object.fromEntries(
    ([selectinLoad, joinedLoad, subqueryLoad, immediateLoad] as const).flatMap((along) => [
      [
        `${along.name} a collection`,
        {
          reach: async (session: Session) => {
            const people = select(Person).options(along(Person, "posts"));
            const found = (await session.scalars(people)).all();
            return sortedIds(found.flatMap(({ posts }) => posts));
          },
          finds: [1],
        },
      ],
      [
        `${along.name} a reference`,
        {
          reach: async (session: Session) => {
            const comments = select(Comment)
              .orderBy((comment) => comment.id)
              .options(along(Comment, "post"));
            return (await session.scalars(comments)).all().map(({ post }) => post?.id ?? null);
          },
          finds: [1, null],
        },
      ],
      [
        `${along.name} through a table between`,
        {
          reach: async (session: Session) => {
            const posts = (await session.scalars(select(Post).options(along(Post, "tags")))).all();
            return sortedIds(posts.flatMap(({ tags }) => tags));
          },
          finds: [1],
        },
      ],
      [
        `${along.name} of a class with itself`,
        {
          reach: async (session: Session) => {
            const folders = (await session.scalars(select(Folder).options(along(Folder, "children")))).all();
            return sortedIds(folders.flatMap(({ children }) => children));
          },
          finds: [3],
        },
      ],
    ]),
  ),
  ...Object.fromEntries(
    (["union", "unionAll", "intersect", "except"] as const).map((operator) => [
      operator,
      {
        reach: async (session: Session) => {
          const some = select(Post).where((post) => post.id.ne(operator === "except" ? 1 : 99));
          const statement = select(Post)[operator](operator === "except" ? select(Post).where({ id: 1 }) : some);
          return sortedIds(await session.scalars(statement));
        },
        finds: { union: [1, 3], unionAll: [1, 1, 3, 3], intersect: [1, 3], except: [3] }[operator],
      },
    ]),
  ),
  "except what is hidden": {
    reach: async (session) => {
      const statement = select(Comment)
        .columns((comment) => [comment.post_id])
        .except(numbers() as never);
      return column(session, statement);
    },
    finds: [2],
  },
  "a subquery as a table": {
    reach: async (session) => sortedIds(await session.scalars(select(select(Post).subquery("found")))),
    finds: [1, 3],
  },
  "a join to a subquery": {
    reach: (session) => {
      const counts = select(Post)
        .columns((post) => ({ author: post.author_id, posts: func.count() }))
        .groupBy((post) => post.author_id)
        .subquery("counts");
      const statement = select(Person)
        .outerJoin(counts, (person, count) => count.author.eq(person.id))
        .columns((_, count) => [count.posts])
        .orderBy((person) => person.id);
      return column(session, statement);
    },
    finds: [1, null, null],
  },
  "a common table": {
    reach: async (session) => {
      const found = select(Person).cte("found");
      return sortedIds(await session.scalars(select(found)));
    },
    finds: [1, 5, 7],
  },
  "a recursive common table": {
    reach: async (session) => {
      const below = select(Folder)
        .where({ id: 1 })
        .cte("below", {
          unionAll: (found) => select(Folder).join(found, (folder, parent) => folder.parent_id.eq(parent.id)),
        });
      return sortedIds(await session.scalars(select(below)));
    },
    finds: [1, 3],
  },
  "a class with its subclasses": {
    reach: async (session) => sortedIds(await session.scalars(select(withPolymorphic(Person, { Member, Guest })))),
    finds: [1, 5, 7],
  },
  "columns of subclasses": {
    reach: (session) => {
      const staff = withPolymorphic(Person, { Member });
      const statement = select(staff)
        .columns((person) => [person.Member.tier])
        .where((person) => person.Member.tier.isNotNull());
      return column(session, statement);
    },
    finds: [1],
  },
  selectinPolymorphic: {
    reach: async (session) => {
      const found = (await session.scalars(select(Person).options(selectinPolymorphic(Person, [Member])))).all();
      return found.filter((person) => person instanceof Member).map(({ tier }) => tier);
    },
    finds: [1],
  },
  "load along with SQL of one's own": {
    reach: async (session) => {
      session.expungeAll();
      const written = select(Person)
        .fromStatement(sql`select * from people where id = 1`)
        .options(selectinLoad(Person, "posts"));
      return sortedIds((await session.scalars(written)).all().flatMap(({ posts }) => posts));
    },
    finds: [1],
  },
  "load after SQL of one's own": {
    reach: async (session) => {
      session.expungeAll();
      const written = select(Comment).fromStatement(sql`select * from comments where id = 3`);
      const third = (await session.scalars(written)).one();
      return unlessRefused(() => load(third, "post"));
    },
    finds: [],
  },
  "load what was deferred": {
    reach: async (session) => {
      session.expungeAll();
      const posts = (await session.scalars(select(Post).options(loadOnly(Post, "tenant")))).all();
      await session.execute(sql`update posts set deleted_at = '2026-01-01 00:00:00' where id = 1`);
      return each(posts, async (post) =>
        unlessRefused(async () => {
          await load(post, "title");
          return post;
        }),
      );
    },
    finds: [3],
  },
  "load on a condition": {
    reach: async (session) => {
      session.expungeAll();
      const where = { where: (post: Attributes<typeof Post>) => post.id.gt(0) };
      const statement = select(Person).where({ id: 1 });
      const along = (await session.scalars(statement.options(selectinLoad(Person, "posts", where)))).one();
      const found = ids(along.posts);
      session.expungeAll();
      const later = (await session.scalars(statement.options(lazyLoad(Person, "posts", where)))).one();
      return [...found, ...ids(await load(later, "posts"))];
    },
    finds: [1, 1],
  },
  "join to a subclass": {
    reach: async (session) => {
      await session.execute(sql`update posts set author_id = 5 where id = 1`);
      await session.execute(sql`update posts set author_id = 6 where id = 3`);
      const statement = select(Post)
        .join("author", { ofType: Member })
        .columns((_, member) => [member.tier]);
      return column(session, statement);
    },
    finds: [1],
  },
  stream: {
    reach: async (session) => {
      const found: number[] = [];
      for await (const { id } of session.stream(select(Post).executionOptions({ yieldPer: 1 }))) found.push(id);
      return found.toSorted((left, right) => left - right);
    },
    finds: [1, 3],
  },
  "stream and load along": {
    reach: async (session) => {
      const found: number[] = [];
      const people = select(Person).options(selectinLoad(Person, "posts")).executionOptions({ yieldPer: 2 });
      for await (const { posts } of session.stream(people)) found.push(...ids(posts));
      return found;
    },
    finds: [1],
  },
  containsEager: {
    reach: async (session) => {
      const comments = select(Comment)
        .outerJoin("post")
        .orderBy((comment) => comment.id)
        .options(containsEager(Comment, "post"));
      return (await session.scalars(comments)).all().map(({ post }) => post?.id ?? null);
    },
    finds: [1, null],
  },
  "load a collection": {
    reach: async (session) => ids(await load((await session.get(Person, 1)) as Person, "posts")),
    finds: [1],
  },
  "load a reference": {
    reach: (session) =>
      each([1, 3], async (id) => unlessRefused(async () => load((await session.get(Comment, id)) as Comment, "post"))),
    finds: [1],
  },
  "load a reference to a hierarchy": {
    reach: (session) =>
      each([1, 3], async (id) => unlessRefused(async () => load((await session.get(Post, id)) as Post, "author"))),
    finds: [1],
  },
  "load through a table between": {
    reach: async (session) => ids(await load((await session.get(Post, 1)) as Post, "tags")),
    finds: [1],
  },
  "read a reference that is not loaded": {
    reach: (session) => each(known(session, Comment), async (comment) => unlessRefused(async () => comment.post)),
    finds: [],
  },
  "load of what the program has": {
    reach: async (session) => {
      const mine = new Person({ id: 50, name: "new", tenant: "us" });
      session.add(mine);
      await session.flush();
      await session.execute(sql`update posts set author_id = 50`);
      session.expire(mine);
      return ids(await load(mine, "posts"));
    },
    finds: [1, 3],
  },
  get: {
    reach: (session) => each(allIds, async (id) => unlessRefused(() => session.get(Post, id))),
    finds: [1, 3],
  },
  "get from a hierarchy": {
    reach: (session) => each(allIds, async (id) => unlessRefused(() => session.get(Person, id))),
    finds: [1, 5, 7],
  },
  "get a subclass": {
    reach: (session) =>
      each(allIds, async (id) => [
        ...(await unlessRefused(() => session.get(Member, id))),
        ...(await unlessRefused(() => session.get(Guest, id))),
      ]),
    finds: [5, 7],
  },
  "get with populateExisting": {
    reach: (session) =>
      each(allIds, async (id) =>
        unlessRefused(() => session.get(Post, id, { executionOptions: { populateExisting: true } })),
      ),
    finds: [1, 3],
  },
  refresh: {
    reach: async (session) => {
      const refreshed = await each(known(session, Post), async (post) =>
        unlessRefused(async () => {
          await session.refresh(post);
          return post;
        }),
      );
      return refreshed.filter((id) => ![1, 3].includes(id));
    },
    finds: [],
  },
  "load what has expired": {
    reach: async (session) => {
      session.expireAll();
      const loaded = await each(known(session, Post), async (post) =>
        unlessRefused(async () => {
          await load(post, "title");
          return post;
        }),
      );
      return loaded.filter((id) => ![1, 3].includes(id));
    },
    finds: [],
  },
  "load what a query left out": {
    reach: async (session) => {
      const members = known(session, Member);
      for (const member of members) session.expire(member, ["tier"]);
      const loaded = await each(members, async (member) =>
        unlessRefused(async () => {
          await load(member, "tier");
          return member;
        }),
      );
      return loaded.filter((id) => id !== 5);
    },
    finds: [],
  },
  merge: {
    reach: (session) =>
      each([1, 2, 3, 4], async (id) =>
        unlessRefused(() => session.merge(new Post({ id, tenant: "us", title: "new" }))),
      ),
    finds: [1, 3],
  },
  "merge a graph": {
    reach: (session) =>
      each([1, 2, 3, 4], async (id) =>
        unlessRefused(async () => {
          const given = new Comment({ id: 1, post: new Post({ id }) });
          return (await session.merge(given)).post;
        }),
      ),
    finds: [1, 3],
  },
  update: {
    reach: async (session) => {
      await session.execute(update(Post).values({ title: "reached" }));
      return stored(session, "select id from posts where title = 'reached' order by id");
    },
    finds: [1, 3],
  },
  "update a hierarchy": {
    reach: async (session) => {
      await session.execute(update(Person).values({ name: "reached" }));
      return stored(session, "select id from people where name = 'reached' order by id");
    },
    finds: [1, 5, 7],
  },
  "update by what hidden rows say": {
    reach: async (session) => {
      const statement = update(Tag)
        .where((tag) => tag.posts.any((post) => post.id.eq(2)))
        .values({ label: "reached" });
      await session.execute(statement);
      return stored(session, "select id from tags where label = 'reached'");
    },
    finds: [],
  },
  "update from hidden rows": {
    reach: async (session) => {
      const largest = select(Post)
        .columns((post) => [func.max(post.id)])
        .scalarSubquery();
      await session.execute(
        update(Folder)
          .values({ parent_id: largest as never })
          .where({ id: 1 }),
      );
      return stored(session, "select parent_id from folders where id = 1");
    },
    finds: [3],
  },
  "update row by row": {
    reach: (session) =>
      each([1, 2, 3, 4], async (id) =>
        unlessRefused(async () => {
          await session.execute(update(Post), [{ id, title: "reached" }]);
          const [reached] = await stored(session, "select id from posts where title = 'reached'");
          await session.execute(update(Post).where({ title: "reached" }).values({ title: "new" }));
          return reached === undefined ? null : ({ id: reached } as Row);
        }),
      ),
    finds: [1, 3],
  },
  "update, returning": {
    reach: async (session) => {
      const comments = select(Comment)
        .where((comment) => comment.post_id.eq(1))
        .columns(() => [func.count()]);
      const statement = update(Post)
        .values({ title: "reached" })
        .returning((post) => [post.id, comments.scalarSubquery()]);
      return (await session.execute(statement))
        .all()
        .flat()
        .toSorted((left, right) => Number(left) - Number(right));
    },
    finds: [1, 1, 1, 3],
  },
  "insert what is selected": {
    reach: async (session) => {
      const found = select(Post).columns((post) => [post.id.plus(100), post.title]);
      await session.execute(insert(Tag).fromSelect(["id", "label"], found as never));
      return stored(session, "select id from tags where id > 100 order by id");
    },
    finds: [101, 103],
  },
  "insert what a subquery finds": {
    reach: async (session) => {
      const largest = select(Post).columns((post) => [func.max(post.id)]);
      await session.execute(insert(Tag).values({ id: largest.scalarSubquery().plus(100) as never, label: "new" }));
      return stored(session, "select id from tags where id > 100");
    },
    finds: [103],
  },
  "insert, and update what is there": {
    reach: async (session) => {
      const rows = [1, 2, 3, 4].map((id) => ({ id, title: "reached", tenant: "us" }));
      const statement = insert(Post)
        .values(rows)
        .onConflict("id")
        .doUpdate((excluded) => ({ title: excluded.title }))
        .returning();
      const returned = sortedIds(await session.scalars(statement));
      return [...returned, ...(await stored(session, "select id from posts where title = 'reached' order by id"))];
    },
    finds: [1, 3, 1, 3],
  },
  "delete, returning": {
    reach: async (session) => {
      const statement = deleteFrom(Comment).returning();
      return sortedIds(await session.scalars(statement));
    },
    finds: [1, 3],
  },
  delete: {
    reach: async (session) => {
      await session.execute(deleteFrom(Comment));
      return stored(session, "select id from comments order by id");
    },
    finds: [2],
  },
  "delete from a hierarchy": {
    reach: async (session) => {
      await session.execute(deleteFrom(Person).where((person) => person.id.gt(4)));
      return stored(session, "select id from people where id > 4 order by id");
    },
    finds: [6, 8],
  },
  "a result that was frozen": {
    reach: async (session) => {
      const statement = select(Post).orderBy((post) => post.id);
      const frozen = (await session.execute(statement)).freeze();
      return sortedIds((await mergeFrozenResult(session, statement, frozen, { load: false })).scalars());
    },
    finds: [1, 3],
  },
  "select along with what is new": {
    reach: async (session) => {
      session.addAll([
        new Post({ id: 60, title: "theirs", tenant: "them" }),
        new Post({ id: 61, title: "gone", tenant: "us", deletedAt: new Date() }),
        new Post({ id: 62, title: "ours", tenant: "us" }),
      ]);
      const found = await session.scalars(select(Post).where((post) => and(post.id.gte(60))));
      const got = await each([60, 61, 62], async (id) => unlessRefused(() => session.get(Post, id)));
      return [...sortedIds(found), ...got];
    },
    finds: [62, 62],
  },
};

/** Keys that SQL of the test's own finds, past all criteria. */
async function stored(session: Session, query: string): Promise<number[]> {
  const connection = await session.connection();
  return (await connection.run(query)).rows.map(([id]) => Number(id));
}

forEachDatabase((db) => {
  /** What each way reaches, in a session of its own that has some rows in memory before the rules begin to hold. */
  async function reached(SessionLocal: SessionMaker, prepare: (session: Session) => Promise<void>): Promise<object> {
    const found: Record<string, unknown> = {};
    for (const [name, { reach }] of Object.entries(ways)) {
      await using session = SessionLocal({ info: { tenant: "us" } });
      await prepare(session);
      hideDeleted(session);
      hideOtherTenants(session);
      found[name] = await reach(session);
    }
    return found;
  }

  async function loadAll(session: Session): Promise<void> {
    for (const model of all) await session.scalars(select(model as typeof Post));
  }

  const expected = Object.fromEntries(Object.entries(ways).map(([name, { finds }]) => [name, finds]));

  const situations: Readonly<Record<string, (session: Session) => Promise<void>>> = {
    "that has nothing in memory": async () => {},
    "that has every row in memory": loadAll,
    "that has every row in memory, expired": async (session) => {
      await loadAll(session);
      session.expireAll();
    },
    "that has the rows of parent classes in memory": async (session) => {
      for (const model of [Person, Post, Comment]) await session.scalars(select(model as typeof Post));
    },
  };

  test.each(Object.entries(situations))("no way leads to a hidden row in a strict session %s", async (_, prepare) => {
    const SessionLocal = await openCriteriaStory(db, { criteria: "strict" });
    expect(await reached(SessionLocal, prepare)).toEqual(expected);
  });

  test("in a session that is not strict, these lead to hidden rows that it had in memory before", async () => {
    const SessionLocal = await openCriteriaStory(db);
    const found = (await reached(SessionLocal, loadAll)) as Record<string, unknown>;
    const leading = Object.keys(found).filter((name) => JSON.stringify(found[name]) !== JSON.stringify(expected[name]));
    expect(leading).toEqual([
      "immediateLoad a reference",
      "load what was deferred",
      "load a collection",
      "load a reference",
      "load a reference to a hierarchy",
      "load through a table between",
      "read a reference that is not loaded",
      "load of what the program has",
      "get",
      "get from a hierarchy",
      "get a subclass",
      "refresh",
      "load what has expired",
      "load what a query left out",
      "merge",
      "merge a graph",
      "select along with what is new",
    ]);
  });
});
