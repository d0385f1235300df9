import { describe, expect, test } from "vitest";
import {
  ArgumentError,
  attributes,
  type AnyModel,
  bigint,
  boolean,
  bytes,
  customType,
  date,
  defaultMetadata,
  enumeration,
  inherit,
  inspect,
  integer,
  InvalidRequestError,
  json,
  listen,
  Mapper,
  Metadata,
  mixin,
  Model,
  model,
  numeric,
  real,
  select,
  sql,
  table,
  text,
  timestamp,
  transient,
  uuid,
  varchar,
} from "../../src/index.ts";

const id = integer().primaryKey();
const any = (value: unknown): never => value as never;

describe("a model's table", () => {
  test("has a column for each property, named in snake_case or as it says", () => {
    class User extends model(
      "users",
      {
        id,
        passwordHash: text(),
        lastURL: text(),
        address2Line: text(),
        isHTMLMail: boolean(),
        x: integer().named("theX"),
        secret: transient<string>(),
      },
      { metadata: new Metadata() },
    ) {}
    const mapper = inspect(User);
    expect(mapper.table.columns.map(({ name }) => name)).toEqual([
      "id",
      "password_hash",
      "last_url",
      "address2_line",
      "is_html_mail",
      "theX",
    ]);
    expect(mapper.columnProperties.map(({ key }) => key)).toEqual([
      "id",
      "passwordHash",
      "lastURL",
      "address2Line",
      "isHTMLMail",
      "x",
    ]);
    expect(mapper.column("passwordHash")?.source.column.name).toBe("password_hash");
    expect(mapper.column("secret")).toBeUndefined();
  });

  test("knows what was said of each column", () => {
    class Everything extends model(
      "everything",
      {
        id,
        a: bigint().nullable(),
        b: real().unique(),
        c: numeric(10, 2).index(),
        d: varchar(20).serverDefault("x"),
        e: boolean().serverDefault(sql`true`),
        f: date(),
        g: json(),
        h: uuid(),
        i: bytes(),
        j: timestamp(),
        k: enumeration("small", "large"),
        l: text().references("others.code", { onDelete: "cascade", onUpdate: "set null" }),
      },
      { metadata: new Metadata(), unique: [["f", "h"]], schema: "main" },
    ) {}
    const { table: made } = inspect(Everything);
    const column = (name: string) => made.columns.find((other) => other.name === name);
    expect(made.fullName).toBe("main.everything");
    expect(made.columns.map(({ type }) => type.kind)).toEqual([
      "integer",
      "bigint",
      "real",
      "numeric",
      "varchar",
      "boolean",
      "date",
      "json",
      "uuid",
      "bytes",
      "timestamp",
      "enumeration",
      "text",
    ]);
    expect(column("id")).toMatchObject({ primaryKey: true, autoincrement: true, nullable: false });
    expect(column("a")).toMatchObject({ nullable: true, unique: false, index: false });
    expect(column("b")).toMatchObject({ unique: true });
    expect(column("c")).toMatchObject({ index: true, type: { precision: 10, scale: 2 } });
    expect(column("d")).toMatchObject({ serverDefault: "x", type: { length: 20 } });
    expect(column("e")?.serverDefault).toHaveProperty("toOperationNode");
    expect(column("k")?.type.values).toEqual(["small", "large"]);
    expect(made.uniques).toEqual([["f", "h"]]);
    expect(made.foreignKeys).toEqual([
      {
        columns: ["l"],
        referencedTable: "others",
        referencedColumns: ["code"],
        onDelete: "cascade",
        onUpdate: "set null",
      },
    ]);
  });

  test("generates its key unless it is of several parts, has a default, or refers to another", () => {
    const generates = (properties: object): boolean[] =>
      inspect(
        class Made extends model("made", properties, { metadata: new Metadata() }) {} as AnyModel,
      ).table.columns.map(({ autoincrement }) => autoincrement);
    expect(generates({ id: integer().primaryKey() })).toEqual([true]);
    expect(generates({ id: bigint().primaryKey() })).toEqual([true]);
    expect(generates({ id: integer().primaryKey().default(7) })).toEqual([false]);
    expect(generates({ id: integer().primaryKey().references("others.id") })).toEqual([false]);
    expect(generates({ id: uuid().primaryKey() })).toEqual([false]);
    expect(generates({ a: integer().primaryKey(), b: integer().primaryKey() })).toEqual([false, false]);
  });

  test("may have foreign keys of several columns", () => {
    class Line extends model(
      "lines",
      { id, partCode: text(), partRevision: integer() },
      {
        metadata: new Metadata(),
        foreignKeys: [{ columns: ["partCode", "partRevision"], references: ["parts.code", "parts.revision"] }],
      },
    ) {}
    expect(inspect(Line).table.foreignKeys).toEqual([
      { columns: ["part_code", "part_revision"], referencedTable: "parts", referencedColumns: ["code", "revision"] },
    ]);
  });

  test("is known to its metadata at once, before the class is used", () => {
    const metadata = new Metadata();
    class Known extends model("known", { id }, { metadata }) {}
    expect([...metadata.tables.keys()]).toEqual(["known"]);
    expect(defaultMetadata.tables.has("known")).toBe(false);
    expect(inspect(Known).table).toBe(metadata.tables.get("known"));
    table("plain", { a: integer() }, { metadata });
    expect(metadata.tables.get("plain")?.columns.map(({ name }) => name)).toEqual(["a"]);
  });

  test("is put behind the tables that it refers to, and circles are told apart", () => {
    const metadata = new Metadata();
    table("c", { id, bId: integer().references("b.id") }, { metadata });
    table("b", { id, aId: integer().references("a.id"), self: integer().references("b.id") }, { metadata });
    table("a", { id }, { metadata });
    expect(metadata.sorted().tables.map(({ name }) => name)).toEqual(["a", "b", "c"]);
    expect(metadata.sorted().circular).toEqual([]);
    table("x", { id, y: integer().references("y.id") }, { metadata });
    table("y", { id, x: integer().references("x.id") }, { metadata });
    expect(metadata.sorted().circular).toHaveLength(1);
  });
});

describe("a mixin", () => {
  const HasTimes = mixin({ createdAt: timestamp(), updatedAt: timestamp().nullable() });
  const HasName = mixin({ name: text().nullable(), hint: transient<string>() });

  test("gives its columns to each model that has it, after the model's own", () => {
    class User extends model(
      "users",
      { id, email: text() },
      { metadata: new Metadata(), mixins: [HasTimes, HasName] },
    ) {}
    expect(inspect(User).columnProperties.map(({ key }) => key)).toEqual([
      "id",
      "email",
      "createdAt",
      "updatedAt",
      "name",
    ]);
    const user = new User({ name: "ann", hint: "x" });
    expect([user.name, user.hint]).toEqual(["ann", "x"]);
  });

  test("gives way to a property of the model with the same name", () => {
    class User extends model("users", { id, name: varchar(5) }, { metadata: new Metadata(), mixins: [HasName] }) {}
    expect(inspect(User).column("name")?.source.column.type.kind).toBe("varchar");
  });

  test("is what instanceof asks for, in subclasses too", () => {
    class User extends model(
      "users",
      { id, kind: text() },
      { metadata: new Metadata(), mixins: [HasTimes], polymorphicOn: "kind", identity: "user" },
    ) {}
    class Premium extends inherit(User, { identity: "premium", mixins: [HasName] }, {}) {}
    expect(new User() instanceof HasTimes).toBe(true);
    expect(new User() instanceof HasName).toBe(false);
    expect(new Premium() instanceof HasTimes).toBe(true);
    expect(new Premium() instanceof HasName).toBe(true);
    for (const other of [{}, null, undefined, 1, User, User.prototype])
      expect(HasTimes[Symbol.hasInstance](other)).toBe(false);
  });

  test("is listened to for every model that has it, declared before or after", () => {
    const seen: string[] = [];
    const Tagged = mixin({ tag: text().nullable() });
    class Before extends model("before", { id }, { metadata: new Metadata(), mixins: [Tagged] }) {}
    using _ = listen(Tagged, "init", ({ target }) => seen.push(target.constructor.name));
    class After extends model("after", { id }, { metadata: new Metadata(), mixins: [Tagged] }) {}
    class Without extends model("without", { id }, { metadata: new Metadata() }) {}
    new Before();
    new After();
    new Without();
    expect(seen).toEqual(["Before", "After"]);
  });
});

describe("a class that becomes mapped", () => {
  test("tells it at its first use, in order, to those who listened before", () => {
    const log: string[] = [];
    class User extends model("users", { id, name: text() }, { metadata: new Metadata() }) {}
    listen(User, "instrumentClass", ({ mapper }) => log.push(`instrumentClass ${mapper.class.name}`));
    listen(User, "classInstrument", (event) => log.push(`classInstrument ${event.class.name}`));
    listen(User, "afterMapperConstructed", ({ mapper }) =>
      log.push(`afterMapperConstructed ${mapper.columnProperties.length}`),
    );
    listen(User, "beforeMapperConfigured", () => log.push("beforeMapperConfigured"));
    listen(User, "attributeInstrument", ({ key }) => log.push(`attributeInstrument ${key}`));
    listen(User, "mapperConfigured", () => log.push("mapperConfigured"));
    using _before = listen(Mapper, "beforeConfigured", () => log.push("beforeConfigured"));
    using _after = listen(Model, "afterConfigured", () => log.push("afterConfigured"));
    listen(User, "init", () => log.push("init"));
    expect(log).toEqual([]);
    new User();
    expect(log).toEqual([
      "instrumentClass User",
      "classInstrument User",
      "afterMapperConstructed 2",
      "beforeConfigured",
      "beforeMapperConfigured",
      "attributeInstrument id",
      "attributeInstrument name",
      "mapperConfigured",
      "afterConfigured",
      "init",
    ]);
    log.length = 0;
    new User();
    select(User);
    expect(log).toEqual(["init"]);
  });

  test("is used by select, inspect and a constructor, and not by listening or naming its attributes", () => {
    for (const use of [(used: AnyModel) => select(used as never), inspect, (Used: any) => new Used()]) {
      let mapped = 0;
      class User extends model("users", { id, name: text() }, { metadata: new Metadata() }) {}
      listen(User, "mapperConfigured", () => mapped++);
      listen(attributes(User).name, "set", () => {});
      attributes(User).name.eq("x");
      expect(mapped).toBe(0);
      use(User);
      expect(mapped).toBe(1);
    }
  });

  test("may be used in its own events, and so may others", () => {
    const metadata = new Metadata();
    class Other extends model("others", { id }, { metadata }) {}
    class User extends model("users", { id }, { metadata }) {}
    const made: unknown[] = [];
    listen(User, "afterMapperConstructed", () => made.push(new Other()));
    listen(User, "mapperConfigured", () => made.push(new User()));
    new User();
    expect(made.map((instance) => (instance as object).constructor)).toEqual([Other, User]);
  });

  test("hears listeners of every attribute that are added when it tells of them", () => {
    const seen: unknown[] = [];
    class User extends model("users", { id, name: text(), email: text() }, { metadata: new Metadata() }) {}
    listen(User, "attributeInstrument", (event) => {
      const attribute = attributes(event.class as typeof User)[event.key as "name"];
      listen(attribute, "set", ({ value }) => seen.push([event.key, value]));
    });
    new User({ name: "ann", email: "ann@x" });
    expect(seen).toEqual([
      ["name", "ann"],
      ["email", "ann@x"],
    ]);
  });

  test("tells its subclass's mapping to those who listen to the parent, unless they listen to it alone", () => {
    const log: string[] = [];
    class User extends model(
      "users",
      { id, kind: text() },
      { metadata: new Metadata(), polymorphicOn: "kind", identity: "user" },
    ) {}
    listen(User, "mapperConfigured", (event) => log.push(`all ${event.class.name}`));
    listen(User, "mapperConfigured", (event) => log.push(`own ${event.class.name}`), { propagate: false });
    class Premium extends inherit(User, { identity: "premium" }, {}) {}
    new Premium();
    expect(log).toEqual(["all User", "own User", "all Premium"]);
  });
});

describe("an instance is refused", () => {
  class User extends model("users", { id, name: text() }, { metadata: new Metadata() }) {}

  test("of a class that extends a mapped class without inherit()", () => {
    class Special extends User {}
    expect(() => new Special()).toThrow(InvalidRequestError);
    expect(() => new Special()).toThrow(
      'Special shares the declaration of User, and one declaration has one class. To map a subclass write class Special extends inherit(User, { identity: "…" }, { … }).',
    );
    expect(() => select(Special)).toThrow(InvalidRequestError);
  });

  test("of two classes that extend one and the same declaration", () => {
    const Base = model("shared", { id }, { metadata: new Metadata() });
    class First extends Base {}
    class Second extends Base {}
    new First();
    expect(() => new Second()).toThrow("Second shares the declaration of First");
  });

  test("of a class that extends Model itself", () => {
    class Bare extends (Model as unknown as new () => object) {}
    expect(() => new Bare()).toThrow(
      'Bare is not a model. It extends Model itself; a model extends what model("table", { … }) returns.',
    );
  });

  test("with an unknown name, and the likely one is named", () => {
    expect(() => new User(any({ nme: "x" }))).toThrow(ArgumentError);
    expect(() => new User(any({ nme: "x" }))).toThrow('User has no attribute "nme". Did you mean "name"?');
  });

  test.each([["ann"], [3], [null], [true]])("with %o instead of an object", (given) => {
    expect(() => new User(any(given))).toThrow(ArgumentError);
    expect(() => new User(any(given))).toThrow(
      "It takes an object with values by attribute, such as new User({ id: … }).",
    );
  });

  test("and initFailure is told, when a value is refused; not when a listener of init throws", () => {
    class Strict extends model("strict", { id, name: text() }, { metadata: new Metadata() }) {}
    const log: unknown[] = [];
    listen(Strict, "initFailure", ({ values }) => log.push(values));
    using refusing = listen(attributes(Strict).name, "set", () => {
      throw new RangeError("no");
    });
    expect(() => new Strict({ name: "x" })).toThrow(RangeError);
    expect(log).toEqual([{ name: "x" }]);
    refusing.remove();
    using _ = listen(Strict, "init", () => {
      throw new TypeError("not at all");
    });
    expect(() => new Strict({ name: "x" })).toThrow(TypeError);
    expect(log).toHaveLength(1);
  });

  test("no more when init's listeners have corrected its values", () => {
    class Loose extends model("loose", { id, name: text() }, { metadata: new Metadata() }) {}
    listen(Loose, "init", ({ values }) => {
      values["name"] = values["nme"];
      delete values["nme"];
    });
    const given = { nme: "ann" };
    expect(new Loose(any(given)).name).toBe("ann");
    expect(given).toEqual({ nme: "ann" });
    expect(new Loose().name).toBeUndefined();
  });
});

describe("a declaration is refused", () => {
  const options = (): { metadata: Metadata } => ({ metadata: new Metadata() });
  const parent = () =>
    model(
      "users",
      { id, kind: text() },
      { ...options(), polymorphicOn: "kind", identity: "user" },
    ) as unknown as AnyModel;

  test.each<[string, () => unknown, string]>([
    [
      "without a key",
      () => model("logs", { text: text() }, options()),
      'The model of the table "logs" has no primary key, so its rows could not be told apart. Add .primaryKey() to a column.',
    ],
    [
      "with a property that is no column",
      () => model("users", { id, name: String }, options()),
      'The property "name" of a model is neither a column, nor transient(), nor a getter with a relationship. Declare it as name: text()',
    ],
    [
      "with a function that was not called",
      () => model("users", { id, name: text }, options()),
      "Call it: name: text().",
    ],
    [
      "with a mixin's property that is no column",
      () => model("users", { id }, { ...options(), mixins: [mixin({ name: "x" })] }),
      'The property "name"',
    ],
    ["without properties", () => model("users", any(undefined), options()), "The properties of a model are an object"],
    ["without a name", () => model(any(undefined), { id }, options()), "needs the name of its table"],
    [
      "with a discriminator that is no column",
      () => model("users", { id }, { ...options(), polymorphicOn: "kind" }),
      'The option polymorphicOn: "kind" of the model of "users" names no column of it.',
    ],
    [
      "with a version that is no column",
      () => model("users", { id }, { ...options(), version: "version" }),
      'The option version: "version"',
    ],
    [
      "with a version that is no whole number",
      () => model("users", { id, version: text() }, { ...options(), version: "version" }),
      "is no integer()",
    ],
    [
      "with an identity and no discriminator",
      () => model("users", { id }, { ...options(), identity: "user" }),
      "polymorphicOn",
    ],
    [
      "with an identity that the discriminator cannot hold",
      () =>
        model("users", { id, kind: enumeration("a", "b") }, { ...options(), polymorphicOn: "kind", identity: "user" }),
      '"a" or "b"',
    ],
    [
      "with an unknown option",
      () => model("users", { id }, any({ ...options(), identiy: "x" })),
      '"identiy" is not an option of a model. Did you mean "identity"?',
    ],
    [
      "with an unknown option of inherit()",
      () => inherit(parent(), any({ identity: "x", tabel: "x" }), {}),
      '"tabel" is not an option of inherit(). Did you mean "table"?',
    ],
    [
      "with two properties for one column",
      () => model("users", { id, fullName: text(), full_name: text() }, options()),
      'The properties "fullName" and "full_name" of the table "users" are the same column "full_name".',
    ],
    [
      "with a name that every instance has already",
      () => model("users", { id, toJSON: text() }, options()),
      '"toJSON"',
    ],
    [
      "with a name that every object has already",
      () => model("users", { id, constructor: text() }, options()),
      '"constructor"',
    ],
    [
      "with a constraint over an unknown column",
      () => model("users", { id }, { ...options(), unique: [["idd"]] }),
      'names "idd", which is no column of the model.',
    ],
    [
      "with a foreign key from an unknown column",
      () => model("users", { id }, { ...options(), foreignKeys: [{ columns: ["x"], references: ["a.b"] }] }),
      'names "x", which is no column of the model.',
    ],
    [
      "with a foreign key to less columns than it has",
      () =>
        model(
          "users",
          { id, a: text() },
          { ...options(), foreignKeys: [{ columns: ["id", "a"], references: ["a.b"] }] },
        ),
      "as many",
    ],
    [
      "with a foreign key to two tables",
      () =>
        model(
          "users",
          { id, a: text() },
          { ...options(), foreignKeys: [{ columns: ["id", "a"], references: ["a.b", "c.d"] }] },
        ),
      "one table",
    ],
    [
      "with a foreign key to no column",
      () => text().references("users"),
      'references("users") names no column. Write the table and the column, as in references("users.id").',
    ],
    [
      "with an identity that is taken",
      () => inherit(parent(), { identity: "user" }, {}),
      'The identity "user" is taken twice in one hierarchy',
    ],
    [
      "of a subclass of what is no model",
      () => inherit(any(Date), { identity: "x" }, {}),
      "inherit() needs a model class to inherit from, and got Date.",
    ],
    [
      "of a subclass of what is not defined yet",
      () => inherit(any(undefined), { identity: "x" }, {}),
      "inherit() needs a model class to inherit from, and got undefined.",
    ],
    ["of a subclass without an identity", () => inherit(parent(), any({}), {}), "identity"],
    [
      "of a subclass of a class without a discriminator",
      () => inherit(model("users", { id }, options()), { identity: "x" }, {}),
      "Give the parent a discriminator",
    ],
    [
      "of a subclass with a table that does not refer to its parent's",
      () => inherit(parent(), { identity: "x", table: "xs" }, { id }),
      'id: integer().primaryKey().references("users.id")',
    ],
    [
      "of a subclass with a table without a key",
      () => inherit(parent(), { identity: "x", table: "xs" }, { tier: integer() }),
      "has no primary key",
    ],
    [
      "of a subclass that repeats a column of the table that it shares",
      () => inherit(parent(), { identity: "x" }, { id }),
      'The column "id"',
    ],
  ])("%s", (_, declare, message) => {
    expect(declare).toThrow(ArgumentError);
    expect(declare).toThrow(message);
  });

  test("with a table that another model has, in the same metadata", () => {
    const metadata = new Metadata();
    model("users", { id }, { metadata });
    expect(() => model("users", { id }, { metadata })).toThrow(InvalidRequestError);
    expect(() => model("users", { id }, { metadata })).toThrow('The table "users" is defined twice.');
    expect(() => table("users", { id }, { metadata })).toThrow('The table "users" is defined twice.');
    expect(() => model("users", { id }, { metadata, schema: "other" })).not.toThrow();
    expect(() => model("users", { id }, { metadata: new Metadata() })).not.toThrow();
  });

  test("of two subclasses that share a table and have a column of the same name", () => {
    const base = parent();
    inherit(base, { identity: "a" }, { tier: integer() });
    expect(() => inherit(base, { identity: "b" }, { tier: integer() })).toThrow(ArgumentError);
    expect(() => inherit(base, { identity: "c" }, { tier: integer() })).toThrow(/"tier".*parent/s);
  });

  test("and leaves nothing behind", () => {
    const metadata = new Metadata();
    expect(() => model("users", { id, kind: text() }, { metadata, polymorphicOn: "knd" })).toThrow(ArgumentError);
    expect(metadata.tables.size).toBe(0);
    const Base = model("users", { id, kind: text() }, { metadata, polymorphicOn: "kind", identity: "user" });
    expect(() => inherit(Base, { identity: "user" }, { tier: integer() })).toThrow(ArgumentError);
    expect(() => inherit(Base, { identity: "premium", table: "premium" }, { id })).toThrow(ArgumentError);
    expect([...metadata.tables.keys()]).toEqual(["users"]);
    expect(metadata.tables.get("users")?.columns.map(({ name }) => name)).toEqual(["id", "kind"]);
    inherit(Base, { identity: "premium" }, { tier: integer() });
  });
});

describe("a custom type", () => {
  class Money {
    readonly cents: number;
    constructor(cents: number) {
      this.cents = cents;
    }
  }

  test("is compared by what is stored, or as it says, and never sees null", () => {
    const stored = customType(integer(), {
      toDatabase: (value: Money) => value.cents,
      fromDatabase: (cents) => new Money(cents),
    });
    const rounded = customType(integer(), {
      toDatabase: (value: Money) => value.cents,
      fromDatabase: (cents) => new Money(cents),
      isEqual: (left, right) => Math.round(left.cents / 100) === Math.round(right.cents / 100),
    });
    const { isEqual } = stored.options.type;
    expect(isEqual?.(new Money(5), new Money(5))).toBe(true);
    expect(isEqual?.(new Money(5), new Money(6))).toBe(false);
    expect(isEqual?.(null, new Money(6))).toBe(false);
    expect(rounded.options.type.isEqual?.(new Money(101), new Money(99))).toBe(true);
    expect(rounded.options.type.isEqual?.(new Money(101), null)).toBe(false);
    expect(rounded.options.type.isEqual?.(null, null)).toBe(true);
  });
});
