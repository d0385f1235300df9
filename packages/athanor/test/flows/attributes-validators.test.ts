import { describe, expect, test } from "vitest";
import {
  ArgumentError,
  attributes,
  createAll,
  createEngine,
  delAttribute,
  inherit,
  integer,
  listen,
  load,
  Metadata,
  mixin,
  model,
  NO_VALUE,
  sessionmaker,
  setCommittedValue,
  text,
  validates,
} from "../../src/index.ts";

/** Validators cannot be taken away, so each test has classes of its own. */
function declare() {
  const metadata = new Metadata();
  const HasSlug = mixin({ slug: text().nullable() });
  class User extends model(
    "users",
    { id: integer().primaryKey(), kind: text(), username: text(), email: text().nullable() },
    { metadata, mixins: [HasSlug], polymorphicOn: "kind", identity: "user" },
  ) {}
  class PremiumUser extends inherit(User, { identity: "premium" }, {}) {}
  return { metadata, HasSlug, User, PremiumUser };
}

describe("a validator", () => {
  test("refuses a bad value in an assignment and in the constructor, with its own error, and changes nothing", () => {
    const { User } = declare();
    validates(User, "username", ({ value }) => {
      if (!/^\w+$/.test(value)) throw new TypeError("A username is made of letters, digits and _.");
    });
    const user = new User({ username: "ann" });
    expect(() => {
      user.username = "a b";
    }).toThrow(TypeError);
    expect(user.username).toBe("ann");
    expect(() => new User({ username: "a b" })).toThrow("A username is made of letters, digits and _.");
  });

  test("may return another value, or nothing to keep it", () => {
    const { User } = declare();
    validates(User, "username", ({ value }) => (value === "keep" ? undefined : value.trim()));
    expect(new User({ username: " ann " }).username).toBe("ann");
    expect(new User({ username: "keep" }).username).toBe("keep");
  });

  test("is told the instance, the name and the value, for each of several names", () => {
    const { User } = declare();
    const seen: unknown[] = [];
    validates(User, ["username", "email"], ({ target, key, value, isRemove }) => {
      seen.push([target instanceof User, key, value, isRemove]);
    });
    new User({ username: "ann", email: null });
    expect(seen).toEqual([
      [true, "username", "ann", false],
      [true, "email", null, false],
    ]);
  });

  test("holds for subclasses, and for those declared later", () => {
    const { User, PremiumUser } = declare();
    validates(User, "username", () => "validated");
    class GoldUser extends inherit(PremiumUser, { identity: "gold" }, {}) {}
    expect(new PremiumUser({ username: "x" }).username).toBe("validated");
    expect(new GoldUser({ username: "x" }).username).toBe("validated");
  });

  test("of a subclass says nothing of its parent", () => {
    const { User, PremiumUser } = declare();
    validates(PremiumUser, "username", () => "validated");
    expect(new PremiumUser({ username: "x" }).username).toBe("validated");
    expect(new User({ username: "x" }).username).toBe("x");
  });

  test("of a mixin holds for every model that has it", () => {
    const { HasSlug, User } = declare();
    validates(HasSlug, "slug", ({ value }) => value?.toLowerCase());
    expect(new User({ slug: "ABC" }).slug).toBe("abc");
  });

  test("runs before all listeners, whenever they were added, but for those with insert: true", () => {
    const { User } = declare();
    const order: string[] = [];
    const { username } = attributes(User);
    listen(username, "set", ({ value }) => order.push(`first ${value}`));
    validates(User, "username", ({ value }) => {
      order.push(`validator ${value}`);
      return "valid";
    });
    listen(username, "set", ({ value }) => order.push(`second ${value}`));
    listen(username, "set", ({ value }) => order.push(`inserted ${value}`), { insert: true });
    new User({ username: "ann" });
    expect(order).toEqual(["inserted ann", "validator ann", "first valid", "second valid"]);
  });

  test("sees no removal unless it asks for them", () => {
    const { User } = declare();
    const seen: unknown[] = [];
    validates(User, "username", ({ isRemove }) => {
      seen.push(["username", isRemove]);
    });
    validates(
      User,
      "email",
      ({ value, isRemove }) => {
        seen.push(["email", value, isRemove]);
      },
      { includeRemoves: true },
    );
    const user = new User({ username: "ann", email: "ann@x" });
    seen.length = 0;
    user.email = "bob@x";
    user.email = null;
    user.email = "eve@x";
    seen.length = 0;
    delAttribute(user, "username");
    delAttribute(user, "email");
    expect(seen).toEqual([["email", "eve@x", true]]);
    expect(NO_VALUE).toBeTypeOf("symbol");
  });

  test("may refuse a removal", () => {
    const { User } = declare();
    validates(
      User,
      "email",
      ({ isRemove }) => {
        if (isRemove) throw new TypeError("An email stays.");
      },
      { includeRemoves: true },
    );
    const user = new User({ email: "ann@x" });
    expect(() => delAttribute(user, "email")).toThrow("An email stays.");
    expect(user.email).toBe("ann@x");
  });

  test("does not see what the database loads, nor setCommittedValue", async () => {
    const { metadata, User, PremiumUser } = declare();
    await using engine = createEngine("sqlite::memory:");
    await createAll(engine, { metadata });
    const SessionLocal = sessionmaker(engine, { models: [PremiumUser] });
    await SessionLocal.begin((session) => session.add(new User({ id: 1, username: "a b" })));
    validates(User, "username", () => {
      throw new TypeError("refused");
    });
    await using session = SessionLocal();
    const user = (await session.get(User, 1))!;
    await session.refresh(user);
    session.expire(user);
    expect(await load(user, "username")).toBe("a b");
    setCommittedValue(user, "username", "c d");
    expect(user.username).toBe("c d");
  });

  test("of a name that the class does not have is refused, with the one that was probably meant", () => {
    const { User } = declare();
    expect(() => validates(User, "usernme" as "username", () => {})).toThrow(ArgumentError);
    expect(() => validates(User, "usernme" as "username", () => {})).toThrow('Did you mean "username"?');
    expect(() => validates(Date as never, "x" as never, () => {})).toThrow(
      "validates() takes a model class or a mixin, and got Date.",
    );
  });
});
