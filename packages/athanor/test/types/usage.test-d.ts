// What users write, and the mistakes that the compiler must catch. Vitest checks it with TypeScript 7, `npm run typecheck` with 5.9 too.
import { describe, expectTypeOf, test } from "vitest";
import {
  and,
  type AnyModel,
  type Attribute,
  type AttributeInspection,
  attributes,
  bigint,
  bindparam,
  boolean,
  bytes,
  type Change,
  type ColumnDescription,
  type Connection,
  createEngine,
  customType,
  date,
  delAttribute,
  DeleteFrom,
  deleteFrom,
  deserialize,
  enumeration,
  flagModified,
  type FrozenResult,
  type FlushRowEvent,
  getHistory,
  type History,
  inherit,
  type Initiator,
  type Insert,
  insert,
  inspect,
  type Instance,
  type InstanceInspection,
  integer,
  joinedLoad,
  json,
  listen,
  listensFor,
  load,
  type Lazy,
  type LoaderPath,
  many,
  type Mapper,
  mergeFrozenResult,
  mixin,
  Model,
  model,
  NO_VALUE,
  not,
  numeric,
  one,
  or,
  type PrimaryKey,
  real,
  type RelationshipProperty,
  remove,
  type Result,
  type ScalarResult,
  Select,
  select,
  selectinLoad,
  serialize,
  Session,
  sessionmaker,
  type SetEvent,
  sql,
  table,
  text,
  timestamp,
  transient,
  Update,
  update,
  UserDefinedOption,
  uuid,
  validates,
  varchar,
  withLoaderCriteria,
  subqueryLoad,
  immediateLoad,
  lazyLoad,
  raiseLoad,
  noLoad,
  defaultLoad,
  type LoaderOption,
  defer,
  undefer,
  loadOnly,
  type Column,
  type WriteOnlyCollection,
} from "../../src/index.ts";

const HasTimestamps = mixin({
  createdAt: timestamp().default(() => new Date()),
  updatedAt: timestamp().default(() => new Date()),
});

const SoftDeletes = mixin({ deletedAt: timestamp().nullable() });

const postTags = table("post_tags", {
  postId: integer().primaryKey().references("posts.id"),
  tagId: integer().primaryKey().references("tags.id"),
});

class User extends model(
  "users",
  {
    id: integer().primaryKey(),
    name: text().unique().index(),
    email: text().unique(),
    kind: enumeration("user", "premium"),
    passwordHash: text(),
    password: transient<string>(),
    nickname: text().nullable(),
    public: boolean().default(true),
  },
  { mixins: [HasTimestamps, SoftDeletes], polymorphicOn: "kind", identity: "user" },
) {
  greet() {
    return `hello ${this.name}`;
  }
}

class PremiumUser extends inherit(
  User,
  { identity: "premium", table: "premium_users" },
  {
    id: integer().primaryKey().references("users.id"),
    tier: integer(),
  },
) {
  upgrade() {
    this.tier += 1;
    return this.greet();
  }
}

class Post extends model("posts", {
  id: integer().primaryKey(),
  title: text(),
  authorId: integer().nullable().references("users.id"),
}) {}

class Author extends model("authors", {
  id: integer().primaryKey(),
  name: text(),
  get books() {
    return many(Book);
  },
}) {}

class Book extends model("books", {
  id: integer().primaryKey(),
  title: text(),
  get author() {
    return one(Author);
  },
  get reviews() {
    return many(Review).asSet();
  },
}) {}

/** Has more visits than anybody wants to load. */
class Site extends model("sites", {
  id: integer().primaryKey(),
  get visits() {
    return many(Visit, { lazy: "writeOnly", backPopulates: "site" });
  },
}) {}

class Visit extends model("visits", {
  id: integer().primaryKey(),
  path: text(),
  siteId: integer().references("sites.id"),
  get site() {
    return one(Site, { backPopulates: "visits" }).required();
  },
}) {}

class Review extends model("reviews", { id: integer().primaryKey(), stars: integer() }) {}

/** A parent with a constructor of its own: subclasses are constructed as it says. */
class Account extends model(
  "accounts",
  { id: integer().primaryKey(), name: text(), kind: text() },
  { polymorphicOn: "kind", identity: "account" },
) {
  constructor(name: string) {
    super({ name });
  }
}

class Everything extends model("everything", {
  a: integer().primaryKey(),
  b: bigint(),
  c: real(),
  d: numeric(10, 2),
  e: varchar(20),
  f: date(),
  g: json<{ tags: string[] }>(),
  h: uuid(),
  i: bytes(),
  j: timestamp().nullable(),
  k: enumeration("small", "large"),
  l: customType(text(), { toDatabase: (value: URL) => value.href, fromDatabase: (href) => new URL(href) }),
  m: transient<number>(),
}) {}

const SessionLocal = sessionmaker(createEngine("sqlite::memory:"));
declare const session: Session;
declare const connection: Connection;
const hash = async (password: string) => `hashed ${password}`;

describe("an instance", () => {
  test("has its columns, those of its mixins, and its transient properties, each with its type", () => {
    const user = new User({ name: "Ann", email: "ann@x" });
    expectTypeOf(user.id).toEqualTypeOf<number>();
    expectTypeOf(user.kind).toEqualTypeOf<"user" | "premium">();
    expectTypeOf(user.nickname).toEqualTypeOf<string | null>();
    expectTypeOf(user.password).toEqualTypeOf<string | undefined>();
    expectTypeOf(user.createdAt).toEqualTypeOf<Date>();
    expectTypeOf(user.deletedAt).toEqualTypeOf<Date | null>();
    expectTypeOf(user.greet()).toEqualTypeOf<string>();
  });

  test("has a property of the right type for every kind of column", () => {
    const everything = new Everything();
    expectTypeOf(everything.b).toEqualTypeOf<bigint>();
    expectTypeOf(everything.c).toEqualTypeOf<number>();
    expectTypeOf(everything.d).toEqualTypeOf<string>();
    expectTypeOf(everything.e).toEqualTypeOf<string>();
    expectTypeOf(everything.f).toEqualTypeOf<string>();
    expectTypeOf(everything.g).toEqualTypeOf<{ tags: string[] }>();
    expectTypeOf(everything.h).toEqualTypeOf<string>();
    expectTypeOf(everything.i).toEqualTypeOf<Uint8Array>();
    expectTypeOf(everything.j).toEqualTypeOf<Date | null>();
    expectTypeOf(everything.k).toEqualTypeOf<"small" | "large">();
    expectTypeOf(everything.l).toEqualTypeOf<URL>();
    expectTypeOf(everything.m).toEqualTypeOf<number | undefined>();
  });

  test("of a subclass has the parent's attributes and methods and is assignable to the parent", () => {
    const premium = new PremiumUser({ name: "p", tier: 3, email: "e" });
    premium.upgrade();
    premium.kind = "premium";
    const asUser: User = premium;
    expectTypeOf(premium.tier).toEqualTypeOf<number>();
    expectTypeOf(asUser.name).toEqualTypeOf<string>();
  });

  test("can be asked for its values by name", async () => {
    const user = new User();
    expectTypeOf(await load(user, "email")).toEqualTypeOf<string>();
    expectTypeOf(await load(user, "email", "id")).toEqualTypeOf<readonly [string, number]>();
    expectTypeOf(await load(user as Instance, "email")).toEqualTypeOf<unknown>();
    // @ts-expect-error no such attribute
    await load(user, "emial");
    // @ts-expect-error a method is no attribute
    await load(user, "greet");
    flagModified(user, "email");
    delAttribute(user, "email");
    expectTypeOf(getHistory(user, "email")).toEqualTypeOf<History>();
  });

  test("is of a class with its own constructor where the class has one", () => {
    new Account("Ann");
    class Trial extends inherit(Account, { identity: "trial" }, { endsAt: timestamp().nullable() }) {
      constructor(name: string, endsAt: Date) {
        // The parent's constructor runs, and takes a name; the type of super() does not say so.
        super(name as never);
        this.endsAt = endsAt;
      }
    }
    expectTypeOf(new Trial("Ann", new Date()).endsAt).toEqualTypeOf<Date | null>();
    expectTypeOf(new Trial("Ann", new Date()).name).toEqualTypeOf<string>();
  });

  test("of an unknown property, or with a value of the wrong type, is refused", () => {
    // @ts-expect-error name is a string
    new User({ name: 3 });
    // @ts-expect-error no such property
    new User({ nme: "x" });
    // @ts-expect-error the column cannot be NULL
    new User({ name: null });
    // @ts-expect-error unknown kind
    new PremiumUser().kind = "gold";
    // @ts-expect-error no such property
    new User().emial;
    // @ts-expect-error a timestamp is a Date
    new User({ createdAt: "2026-01-01" });
    // @ts-expect-error a bigint is no number
    new Everything({ b: 1 });
  });
});

describe("a listener", () => {
  test("of a class gets the instance of that class, and may wait where the event is awaited", () => {
    listen(User, "beforeInsert", async (event) => {
      expectTypeOf(event).toEqualTypeOf<FlushRowEvent<User>>();
      const { target } = event;
      if (target.password !== undefined) target.passwordHash = await hash(target.password);
      target.password = undefined;
      await event.connection.execute(sql`insert into greetings (text) values (${target.greet()})`);
    });
    listen(PremiumUser, "afterInsert", ({ target }) => {
      expectTypeOf(target).toEqualTypeOf<PremiumUser>();
      target.upgrade();
    });
    const log: string[] = [];
    listen(User, "load", ({ target }) => log.push(target.name));
    listen(User, "init", ({ target, values }) => {
      expectTypeOf(target).toEqualTypeOf<User>();
      values["name"] = "Ann";
    });
    listen(User, "refresh", ({ attrs }) => expectTypeOf(attrs).toEqualTypeOf<readonly string[] | undefined>());
  });

  test("of an attribute gets the owner and the value's type", () => {
    listen(attributes(User).email, "set", (event) => {
      expectTypeOf(event).toEqualTypeOf<SetEvent<User, string>>();
      expectTypeOf(event.oldValue).toEqualTypeOf<string | typeof NO_VALUE>();
      expectTypeOf(event.initiator).toEqualTypeOf<Initiator>();
      event.target.greet();
      event.value.toUpperCase();
      if (event.oldValue !== NO_VALUE) event.oldValue.toUpperCase();
    });
    listen(attributes(User).email, "set", ({ value }) => value.trim().toLowerCase(), { retval: true });
    listen(attributes(User).nickname, "set", ({ value }) => value?.length);
    listen(attributes(User).kind, "set", ({ value }) => expectTypeOf(value).toEqualTypeOf<"user" | "premium">());
    listen(attributes(User).public, "set", ({ value, oldValue }) => value === oldValue);
    listen(attributes(User).password, "set", ({ value }) => expectTypeOf(value).toEqualTypeOf<string | undefined>());
    listen(attributes(PremiumUser).email, "set", ({ target }) => target.upgrade());
    listen(attributes(HasTimestamps).updatedAt, "set", ({ value }) => expectTypeOf(value).toEqualTypeOf<Date>());
    listen(attributes(User).name, "initScalar", () => "unnamed", { retval: true });
    listen(attributes(User).name, "remove", ({ value }) =>
      expectTypeOf(value).toEqualTypeOf<string | typeof NO_VALUE>(),
    );
  });

  test("of a mixin gets what has the mixin", () => {
    listen(HasTimestamps, "beforeUpdate", ({ target }) => {
      target.updatedAt = new Date();
    });
  });

  test("of several classes in a loop gets any of them", () => {
    for (const audited of [User, Post]) {
      listen(audited, "afterInsert", ({ target }) => {
        expectTypeOf(target.id).toEqualTypeOf<number>();
      });
    }
  });

  test("of Model and of Mapper's configuration gets any instance", () => {
    listen(Model, "beforeInsert", ({ target }) => {
      if (target instanceof User) target.greet();
    });
    listen(User, "mapperConfigured", ({ mapper }) => expectTypeOf(mapper).toEqualTypeOf<Mapper>());
  });

  test("of a sessionmaker, of Session or of one session gets the session", () => {
    listen(SessionLocal, "beforeFlush", ({ session }) => {
      for (const instance of session.dirty) if (instance instanceof HasTimestamps) instance.updatedAt = new Date();
      for (const instance of session.new) if (instance instanceof User) instance.greet();
    });
    listen(SessionLocal, "afterCommit", async ({ changes }) => {
      expectTypeOf(changes).toEqualTypeOf<readonly Change[]>();
      for (const { target, operation, values } of changes) {
        if (operation === "insert" && target instanceof User) await hash(String(values["email"]?.new));
      }
    });
    listen(Session, "transientToPending", ({ target }) => target instanceof User);
    listen(session, "doOrmExecute", (event) => {
      if (event.isSelect && !event.isColumnLoad && !event.isRelationshipLoad) event.updateExecutionOptions({ tag: 1 });
    });
    listen(SessionLocal, "doOrmExecute", (event) => {
      const { statement } = event;
      const sandys = withLoaderCriteria(User, (user) => user.name.eq("sandy"));
      if (statement instanceof Select || statement instanceof Update || statement instanceof DeleteFrom)
        event.statement = statement.options(sandys);
    });
    listen(SessionLocal, "afterBulkUpdate", async ({ statement, rows, rowCount }) => {
      expectTypeOf(statement).toEqualTypeOf<Update<any, any>>();
      expectTypeOf(rows).toEqualTypeOf<readonly Readonly<Record<string, unknown>>[] | undefined>();
      expectTypeOf(rowCount).toBeNumber();
      for (const row of rows ?? []) await hash(String(row["email"]));
    });
  });

  test("is registered by a function that returns it, unchanged", () => {
    const audit = listensFor(User, "afterInsert")(({ target }: FlushRowEvent<User>) => target.name);
    expectTypeOf(audit).toEqualTypeOf<({ target }: FlushRowEvent<User>) => string>();
    remove(User, "afterInsert", audit);
  });

  test("ends with its block", () => {
    using listening = listen(User, "afterInsert", () => {});
    listening.remove();
  });

  test("of an event that the target does not have is refused", () => {
    // @ts-expect-error "beforeInsrt" is no event of User
    listen(User, "beforeInsrt", () => {});
    // @ts-expect-error a session event is no event of a class
    listen(User, "beforeFlush", () => {});
    // @ts-expect-error an attribute's event is none of a class
    listen(User, "set", () => {});
    // @ts-expect-error a class's event is none of a session
    listen(SessionLocal, "beforeInsert", () => {});
    // @ts-expect-error a column has no elements to append
    listen(attributes(User).email, "append", () => {});
    // @ts-expect-error no such attribute
    listen(attributes(User).emial, "set", () => {});
  });

  test("of what cannot be listened to is refused", () => {
    // @ts-expect-error a plain object has no events
    listen({}, "afterInsert", () => {});
    // @ts-expect-error a class that is no model has no events
    listen(Date, "afterInsert", () => {});
  });

  test("of the wrong shape is refused", () => {
    // @ts-expect-error load is synchronous: its listener may not be
    listen(User, "load", async ({ target }) => {
      target.id;
    });
    // @ts-expect-error set is synchronous: its listener may not be
    listen(attributes(User).email, "set", async () => {});
    // @ts-expect-error the value is a string
    listen(attributes(User).email, "set", ({ value }: { value: number }) => value);
    // @ts-expect-error the result replaces the value: it must be a string
    listen(attributes(User).email, "set", ({ value }) => value.length, { retval: true });
    // @ts-expect-error a listener is not called before it is registered
    listen(User, "afterInsert", "audit");
    // @ts-expect-error no such option
    listen(User, "afterInsert", () => {}, { onec: true });
    listen(User, "afterInsert", ({ connection, target }) =>
      // @ts-expect-error text is no statement
      connection.execute(`delete from users where name = '${target.name}'`),
    );
  });
});

describe("a validator", () => {
  test("gets the owner and the value's type, and may return another value", () => {
    validates(User, "name", ({ target, value }) => {
      expectTypeOf(target).toEqualTypeOf<User>();
      expectTypeOf(value).toEqualTypeOf<string>();
      if (value === "") throw new TypeError("A name is not empty.");
    });
    validates(User, ["name", "email"], ({ value }) => value.trim());
    validates(HasTimestamps, "createdAt", ({ value }) => expectTypeOf(value).toEqualTypeOf<Date>() as never);
  });

  test("of an unknown attribute or with a value of another type is refused", () => {
    // @ts-expect-error no such attribute
    validates(User, "nme", () => {});
    // @ts-expect-error the value that it returns replaces the name, and a name is a string
    validates(User, "name", ({ value }) => value.length);
  });
});

describe("a statement", () => {
  test("selects instances of its class", async () => {
    const statement = select(User)
      .where({ name: "sandy" })
      .where((user) => user.email.like("%@x"))
      .orderBy((user) => user.name.desc())
      .limit(10)
      .offset(5);
    const users = await session.scalars(statement);
    expectTypeOf(users).toEqualTypeOf<ScalarResult<User>>();
    expectTypeOf(users.all()).toEqualTypeOf<User[]>();
    expectTypeOf(users.one()).toEqualTypeOf<User>();
    expectTypeOf(users.first()).toEqualTypeOf<User | null>();
    expectTypeOf(await session.scalar(select(User))).toEqualTypeOf<User | null>();
    expectTypeOf((await session.execute(select(User))).all()).toEqualTypeOf<(readonly [User])[]>();
  });

  test("answers with rows and values that keep their types on every way", async () => {
    const users = await session.scalars(select(User));
    expectTypeOf(users.unique(({ email }) => email)).toEqualTypeOf<ScalarResult<User>>();
    for (const some of users.partitions(10)) expectTypeOf(some).toEqualTypeOf<User[]>();
    for await (const user of users) expectTypeOf(user).toEqualTypeOf<User>();
    const rows = await session.execute(select(User));
    expectTypeOf(rows.tuples()).toEqualTypeOf<Result<readonly [User]>>();
    expectTypeOf(rows.unique(([user]) => user.email).merge(rows)).toEqualTypeOf<Result<readonly [User]>>();
    for (const some of rows.partitions(10)) expectTypeOf(some).toEqualTypeOf<(readonly [User])[]>();
    for await (const [user] of rows) expectTypeOf(user).toEqualTypeOf<User>();
    const raw = await session.execute(sql<{ id: number; name: string }>`select id, name from users`);
    expectTypeOf(raw.tuples().all()).toEqualTypeOf<(readonly (number | string)[])[]>();
    expectTypeOf((await session.execute(sql`select 1`)).tuples().all()).toEqualTypeOf<(readonly unknown[])[]>();
    expectTypeOf(await session.scalar(sql`select 1`)).toEqualTypeOf<unknown>();
    expectTypeOf(rows.merge(raw).all()).toEqualTypeOf<(readonly [User] | { id: number; name: string })[]>();
    const ofAnything: Result<unknown> = rows;
    expectTypeOf(ofAnything.scalar()).toEqualTypeOf<unknown>();
    expectTypeOf(rows.freeze()).toEqualTypeOf<FrozenResult<readonly [User]>>();
    expectTypeOf(await mergeFrozenResult(session, select(User), rows.freeze())).toEqualTypeOf(rows);
    expectTypeOf(select(User).columnDescriptions).toEqualTypeOf<readonly ColumnDescription[]>();
    const written = serialize(rows.freeze());
    expectTypeOf(deserialize<FrozenResult<readonly [User]>>(written, [User])).toEqualTypeOf(rows.freeze());
    expectTypeOf(deserialize(serialize([new User()]), [User])).toBeUnknown();
    listen(User, "serialize", ({ target, data }) => {
      expectTypeOf(target).toEqualTypeOf<User>();
      data["name"] = target.name;
    });
    // @ts-expect-error a result is frozen first
    serialize(rows);
    // @ts-expect-error a user has no such attribute
    users.unique((user) => user.emial);
  });

  test("takes options of the program's own, which listeners find", () => {
    class FromCache extends UserDefinedOption<{ region: string }> {}
    expectTypeOf(select(User).options(new FromCache({ region: "users" }))).toEqualTypeOf(select(User));
    // @ts-expect-error its payload is not a string
    new FromCache("users");
    listen(session, "doOrmExecute", (event) => {
      expectTypeOf(event.userDefinedOptions).toEqualTypeOf<readonly UserDefinedOption[]>();
      for (const option of event.userDefinedOptions)
        if (option instanceof FromCache) expectTypeOf(option.payload.region).toEqualTypeOf<string>();
      expectTypeOf(event.loaderStrategyPath).toEqualTypeOf<readonly RelationshipProperty[] | undefined>();
      expectTypeOf(event.lazyLoadedFrom).toEqualTypeOf<Instance | undefined>();
      expectTypeOf(event.loadOptions.populateExisting).toEqualTypeOf<boolean>();
      expectTypeOf(event.updateDeleteOptions.synchronizeSession).toEqualTypeOf<"auto" | "evaluate" | "fetch" | false>();
    });
  });

  test("loads relationships along, by paths that know the next class", () => {
    const statement = select(Author).options(
      selectinLoad(Author, "books").joinedLoad("author").selectinLoad("books").selectinLoad("reviews"),
      joinedLoad(Author, "books"),
      withLoaderCriteria(Book, (book) => book.title.ne("hidden")),
    );
    expectTypeOf(statement).toEqualTypeOf<Select<Author, [typeof Author]>>();
    expectTypeOf(selectinLoad(Author, "books")).toEqualTypeOf<LoaderPath<typeof Book>>();
    expectTypeOf(joinedLoad(Author, "books").selectinLoad("reviews")).toEqualTypeOf<LoaderPath<typeof Review>>();
    const paths = [
      subqueryLoad(Author, "books"),
      immediateLoad(Author, "books"),
      lazyLoad(Author, "books", { where: (book) => book.title.like("a%") }),
      raiseLoad(Author, "books", { sqlOnly: true }),
      noLoad(Author, "books"),
      defaultLoad(Author, "books"),
      selectinLoad(Author, "*").joinedLoad("books", { where: (book) => book.title.ne("x") }),
    ];
    expectTypeOf(paths).toEqualTypeOf<LoaderPath<typeof Book>[]>();
    // @ts-expect-error no such column
    selectinLoad(Author, "books", { where: (book) => book.titel.eq("x") });
    // @ts-expect-error a title is a string
    selectinLoad(Author, "books").joinedLoad("author", { where: (author) => author.name.eq(3) });
    expectTypeOf(selectinLoad(Author, "*")).toEqualTypeOf<LoaderPath<typeof Author>>();
    expectTypeOf(selectinLoad(Author, "books").raiseLoad("*")).toEqualTypeOf<LoaderPath<typeof Book>>();
    expectTypeOf(raiseLoad("*", { sqlOnly: true })).toEqualTypeOf<LoaderOption>();
    expectTypeOf(
      selectinLoad(Author, "books").options(joinedLoad(Book, "author"), selectinLoad(Book, "*")),
    ).toEqualTypeOf<LoaderPath<typeof Book>>();
    for (const option of [defer(Author, "name"), undefer(Author, "*"), loadOnly(Author, "id", "name")])
      expectTypeOf(option).toEqualTypeOf<LoaderPath<typeof Author>>();
    expectTypeOf(selectinLoad(Author, "books").defer("title").loadOnly("id")).toEqualTypeOf<LoaderPath<typeof Book>>();
    expectTypeOf(text().nullable().deferred("group")).toEqualTypeOf<Column<string | null, "optional", boolean>>();
    // @ts-expect-error books is a relationship
    expect(() => defer(Author, "books")).toThrow();
    // @ts-expect-error no such column
    expect(() => loadOnly(Author, "nme")).toThrow();
    // @ts-expect-error no way to load
    many(Author, { lazy: "selectn" });
    // @ts-expect-error a misspelt option
    many(Author, { lazy: "writeOnly", passiveDelete: true });
    // @ts-expect-error no such relationship
    expect(() => selectinLoad(Author, "boks")).toThrow();
    // @ts-expect-error name is a column
    expect(() => joinedLoad(Author, "name")).toThrow();
    // @ts-expect-error the next class is Book
    expect(() => joinedLoad(Author, "books").joinedLoad("books")).toThrow();
    // @ts-expect-error no such column
    withLoaderCriteria(Book, (book) => book.titel.ne("hidden"));
    // @ts-expect-error a title is a string
    withLoaderCriteria(Book, (book) => book.title.ne(3));
    withLoaderCriteria(Book, attributes(Book).title.ne("hidden"));
    withLoaderCriteria(SoftDeletes, (entity) => entity.deletedAt.isNull(), { includeAliases: false });
    withLoaderCriteria(SoftDeletes, attributes(SoftDeletes).deletedAt.isNull());
    withLoaderCriteria(Model, (entity) => ("tenant" in entity ? entity["tenant"]!.eq("us") : and()));
    // @ts-expect-error no such column of the mixin
    withLoaderCriteria(SoftDeletes, (entity) => entity.deleted.isNull());
    // @ts-expect-error a date is none of text
    withLoaderCriteria(SoftDeletes, (entity) => entity.deletedAt.eq("yesterday"));
    // @ts-expect-error a name is no option
    expect(() => select(Author).options("books")).toThrow();
  });

  test("asks for what is in a collection that is never loaded", async () => {
    const site = new Site({ visits: [new Visit({ path: "/" })] });
    expectTypeOf(site.visits).toEqualTypeOf<WriteOnlyCollection<Visit, typeof Visit>>();
    const named: WriteOnlyCollection<Visit> = site.visits;
    named.addAll(new Set([new Visit()]));
    expectTypeOf(site.visits.select()).toEqualTypeOf<Select<Visit, [typeof Visit]>>();
    expectTypeOf((await session.scalars(site.visits.select().where({ path: "/" }))).all()).toEqualTypeOf<Visit[]>();
    site.visits
      .select()
      .join("site")
      .where((visit, { visits }) => and(visit.path.eq("/"), visits.any({ path: "/home" })));
    expectTypeOf(site.visits.insert([{ path: "/" }])).toEqualTypeOf<Insert<typeof Visit>>();
    expectTypeOf(site.visits.update().values({ path: "/" })).toEqualTypeOf<Update<typeof Visit>>();
    expectTypeOf(site.visits.delete().where({ path: "/" })).toEqualTypeOf<DeleteFrom<typeof Visit>>();
    select(Visit).where((visit) => visit.site.has((owner) => owner.visits.any((other) => other.path.eq("/"))));
    listen(attributes(Site).visits, "append", ({ value }) => expectTypeOf(value).toEqualTypeOf<Visit>());
    const lazy: Lazy = "writeOnly";
    expectTypeOf(many(Visit, { lazy: "selectin" })).toEqualTypeOf(many(Visit));
    expectTypeOf(many(Visit, { lazy: lazy as Lazy })).toEqualTypeOf(many(Visit));
    // @ts-expect-error visits are no authors
    site.visits.add(new Author());
    // @ts-expect-error no such column
    site.visits.insert({ pth: "/" });
    // @ts-expect-error it is not in memory
    expect(() => [...site.visits]).toThrow();
    // @ts-expect-error only a new one takes an array
    site.visits = [];
    // @ts-expect-error visits are no authors
    expect(() => new Site({ visits: [new Author()] })).toThrow();
  });

  test("takes conditions of attributes, Kysely's sql, and parameters that are given later", async () => {
    select(User).where((user) => or(user.name.eq("x"), and(user.id.gt(3), not(user.public.eq(true)))));
    select(User)
      .where((user) => user.nickname.eq(null))
      .where((user) => user.nickname.isNull());
    select(User)
      .where((user) => user.kind.in(["user", "premium"]))
      .where((user) => user.id.between(1, 10));
    select(User)
      .where((user) => user.name.eq(user.email))
      .where((user) => user.createdAt.gte(new Date()));
    select(User).where(attributes(User).name.eq("x"));
    select(User).where((user) => sql<boolean>`lower(${user.name}) = ${"x"}`);
    select(User).orderBy((user) => sql`length(${user.name})`);
    select(User).orderBy((user) => [user.name.asc(), user.id.desc()]);
    const byName = select(User).where((user) => user.name.eq(bindparam("name")));
    await session.scalars(byName, { name: "sandy" });
  });

  test("that write rows take values by attribute, and answer with how many they have written", async () => {
    const result = await session.execute(insert(User), [{ name: "sandy", email: "s@x", nickname: null }]);
    expectTypeOf(result.rowCount).toEqualTypeOf<number>();
    expectTypeOf(result.all()).toEqualTypeOf<never[]>();
    await session.execute(insert(User), { name: "sandy", kind: "premium" });
    await session.execute(
      update(User)
        .where({ name: "sandy" })
        .values({ nickname: null, email: attributes(User).name, public: sql<boolean>`not public` }),
    );
    await session.execute(update(User).values((user) => ({ name: user.email, id: sql`${user.id} + 1` })));
    const rename = update(User).values({ name: bindparam("name") });
    await session.execute(rename, { name: "sandy" }, { executionOptions: { synchronizeSession: "fetch" } });
    const old = deleteFrom(User).where((user) => user.createdAt.lt(new Date()));
    expectTypeOf(await session.execute(old.executionOptions({ synchronizeSession: false }))).toHaveProperty("rowCount");
  });

  test("that write rows are refused with unknown names or values of the wrong type", () => {
    // @ts-expect-error no such column
    void session.execute(insert(User), [{ nme: "x" }]);
    // @ts-expect-error name is a string
    void session.execute(insert(User), { name: 3 });
    // @ts-expect-error a transient property is no column
    void session.execute(insert(User), { password: "x" });
    // @ts-expect-error no such column
    update(User).values({ nme: "x" });
    // @ts-expect-error name is a string
    update(User).values({ name: 3 });
    // @ts-expect-error name cannot be null
    update(User).values({ name: null });
    // @ts-expect-error id is a number
    update(User).values((user) => ({ id: user.name }));
    // @ts-expect-error no such column
    deleteFrom(User).where({ nme: "x" });
    // @ts-expect-error no such way
    deleteFrom(User).executionOptions({ synchronizeSession: "sometimes" });
    // @ts-expect-error a table of its own is no model
    insert(postTags);
  });

  test("of raw SQL has rows of the type that it declares", async () => {
    const result = await session.execute(sql<{ id: number; name: string }>`select id, name from users`);
    expectTypeOf(result.all()).toEqualTypeOf<{ id: number; name: string }[]>();
    const rows = await connection.execute(sql<{ total: number }>`select count(*) as total from users`);
    expectTypeOf(rows.one().total).toEqualTypeOf<number>();
  });

  test("with unknown names or values of the wrong type is refused", () => {
    // @ts-expect-error no such column
    select(User).where({ nme: "x" });
    // @ts-expect-error name is a string
    select(User).where({ name: 3 });
    // @ts-expect-error a transient property is in no table
    select(User).where({ password: "x" });
    // @ts-expect-error no such column
    select(User).where((user) => user.nme.eq("x"));
    // @ts-expect-error id is a number
    select(User).where((user) => user.id.eq("1"));
    // @ts-expect-error id is a number
    select(User).where((user) => user.id.in(["1"]));
    // @ts-expect-error unknown kind
    select(User).where((user) => user.kind.eq("gold"));
    // @ts-expect-error a condition is an expression: === compares in JavaScript
    select(User).where((user) => user.name === "x");
    // @ts-expect-error text is no condition
    select(User).where("name = 'x'");
    // @ts-expect-error a table of its own is no model
    select(postTags);
    // @ts-expect-error text is no statement
    void session.execute("select 1");
    // @ts-expect-error text is no statement
    void connection.execute("select 1");
  });
});

describe("a session", () => {
  test("gets an instance of the class that it is asked for, by a key of one part or several", async () => {
    expectTypeOf(await session.get(User, 1)).toEqualTypeOf<User | null>();
    expectTypeOf(await session.get(PremiumUser, 1)).toEqualTypeOf<PremiumUser | null>();
    await session.get(User, [1]);
    await session.get(User, { id: 1 });
  });

  test("takes instances of models and nothing else", () => {
    session.add(new User());
    session.addAll([new User(), new Post()]);
    void session.delete(new PremiumUser());
    // @ts-expect-error not a mapped instance
    session.add({});
    // @ts-expect-error not a mapped instance, though it has the columns of one
    session.add({ id: 1, name: "Ann", email: "ann@x" });
    // @ts-expect-error not one instance
    session.add([new User()]);
    // @ts-expect-error a class is no instance
    session.add(User);
  });

  test("of a block of work answers with what the work returned", async () => {
    const id = await SessionLocal.begin(async (session) => {
      const user = new User({ name: "Ann" });
      session.add(user);
      await session.flush();
      return user.id;
    });
    expectTypeOf(id).toEqualTypeOf<number>();
  });
});

describe("inspection", () => {
  test("of an instance knows its attributes", () => {
    const inspection = inspect(new User());
    expectTypeOf(inspection).toEqualTypeOf<InstanceInspection<User>>();
    expectTypeOf(inspection.attributes.email.history).toEqualTypeOf<History<string>>();
    expectTypeOf(inspection.attributes.email.loadedValue).toEqualTypeOf<string | undefined>();
    expectTypeOf(inspection.persistent).toEqualTypeOf<boolean>();
    // @ts-expect-error a method is no attribute
    inspection.attributes.greet;
    const ofAny = inspect(new User() as Instance);
    expectTypeOf(Object.values(ofAny.attributes)).toEqualTypeOf<AttributeInspection[]>();
  });

  test("of a class is its mapper", () => {
    expectTypeOf(inspect(User)).toEqualTypeOf<Mapper<User>>();
    expectTypeOf(inspect(User).table.name).toEqualTypeOf<string>();
  });
});

describe("session.get", () => {
  class Seat extends model("seats", {
    row: text().primaryKey(),
    number: integer().primaryKey().named("no"),
    note: text(),
  }) {}
  class Ticket extends model("tickets", { id: integer().primaryKey(), kind: text() }, { polymorphicOn: "kind" }) {}
  class DayTicket extends inherit(Ticket, { identity: "day" }, { day: date().nullable() }) {}

  test("takes the key that the model declares", () => {
    void session.get(User, 1);
    void session.get(User, { id: 1 });
    void session.get(DayTicket, 1);
    void session.get(Seat, ["a", 1]);
    void session.get(Seat, { row: "a", number: 1 });
    // @ts-expect-error -- a number
    void session.get(User, "1");
    // @ts-expect-error -- a number, inherited
    void session.get(DayTicket, "1");
    // @ts-expect-error -- of two columns
    void session.get(Seat, "a");
    // @ts-expect-error -- both of them
    void session.get(Seat, { row: "a" });
    // @ts-expect-error -- neither is a date
    void session.get(Seat, [new Date(), 1]);
    expectTypeOf<PrimaryKey<typeof Seat>>().toEqualTypeOf<
      readonly (string | number)[] | { readonly row: string; readonly number: number }
    >();
  });
});

describe("generic code", () => {
  test("works for any model", async () => {
    class Repository<C extends AnyModel> {
      readonly model: C;
      readonly session: Session;

      constructor(ofModel: C, onSession: Session) {
        this.model = ofModel;
        this.session = onSession;
      }

      find(key: number): Promise<InstanceType<C> | null> {
        return this.session.get(this.model, key);
      }

      async all(): Promise<InstanceType<C>[]> {
        return (await this.session.scalars(select(this.model))).all();
      }
    }
    const repository = new Repository(User, session);
    expectTypeOf(await repository.find(1)).toEqualTypeOf<User | null>();
    expectTypeOf(await repository.all()).toEqualTypeOf<User[]>();
  });

  test("works for any attribute of a kind of value", () => {
    const trimmed = <O>(attribute: Attribute<O, string, "column">) =>
      listen(attribute, "set", ({ value }: { value: string }) => value.trim(), { retval: true });
    trimmed(attributes(User).name);
    trimmed(attributes(Post).title);
    // @ts-expect-error an id is no string
    trimmed(attributes(User).id);
    // @ts-expect-error a transient property is no column
    trimmed(attributes(User).password);
  });
});
