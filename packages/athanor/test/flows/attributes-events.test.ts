import { afterEach, describe, expect, test, vi } from "vitest";
import {
  ArgumentError,
  AsyncListenerError,
  attributes,
  createAll,
  delAttribute,
  flagDirty,
  flagModified,
  getAttribute,
  getHistory,
  inherit,
  inspect,
  integer,
  InvalidRequestError,
  json,
  listen,
  type Listening,
  load,
  Metadata,
  mixin,
  model,
  NO_VALUE,
  select,
  sessionmaker,
  setAttribute,
  setCommittedValue,
  text,
  timestamp,
  transient,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";

const metadata = new Metadata();
const HasColour = mixin({ colour: text().nullable() });

class User extends model(
  "users",
  {
    id: integer().primaryKey(),
    kind: text(),
    name: text(),
    email: text().nullable(),
    settings: json<{ theme: string }>().nullable(),
    seenAt: timestamp().nullable(),
    password: transient<string>(),
  },
  { metadata, mixins: [HasColour], polymorphicOn: "kind", identity: "user" },
) {}
class PremiumUser extends inherit(User, { identity: "premium" }, { tier: integer().nullable() }) {}

const listenings: Listening[] = [];
afterEach(() => {
  for (const listening of listenings.splice(0)) listening.remove();
});

/** Writes down what happens to `User.name` and `User.email`. */
function record(target: typeof User = User): string[] {
  const log: string[] = [];
  const shown = (value: unknown): string => (value === NO_VALUE ? "NO_VALUE" : String(value));
  for (const key of ["name", "email"] as const) {
    const attribute = attributes(target)[key];
    listenings.push(
      listen(attribute, "set", ({ value, oldValue, initiator }) => {
        log.push(`set ${key} ${shown(oldValue)} -> ${shown(value)} (${initiator.operation} ${initiator.key})`);
      }),
      listen(attribute, "remove", ({ value, initiator }) => {
        log.push(`remove ${key} ${shown(value)} (${initiator.operation} ${initiator.key})`);
      }),
      listen(attribute, "modified", ({ initiator }) => log.push(`modified ${initiator.key} (${initiator.operation})`)),
    );
  }
  return log;
}

describe("an assignment", () => {
  test("tells the new and the old value, and NO_VALUE where there was none", () => {
    const log = record();
    const user = new User();
    user.name = "Ann";
    user.name = "Bob";
    expect(log).toEqual(["set name NO_VALUE -> Ann (replace name)", "set name Ann -> Bob (replace name)"]);
  });

  test("is told before it takes effect", () => {
    const seen: unknown[] = [];
    listenings.push(listen(attributes(User).name, "set", ({ target }) => seen.push(target.name)));
    new User({ name: "Ann" }).name = "Bob";
    expect(seen).toEqual([undefined, "Ann"]);
  });

  test("of an equal value is told too", () => {
    const log = record();
    const user = new User({ name: "Ann" });
    user.name = "Ann";
    expect(log).toEqual(["set name NO_VALUE -> Ann (replace name)", "set name Ann -> Ann (replace name)"]);
  });

  test("by the constructor is told in the order of its values", () => {
    const log = record();
    new User({ email: "ann@x", name: "Ann" });
    expect(log).toEqual(["set email NO_VALUE -> ann@x (replace email)", "set name NO_VALUE -> Ann (replace name)"]);
  });

  test("of undefined by the constructor counts as not given", () => {
    const log = record();
    const values: object = { name: undefined, email: "ann@x" };
    const user = new User(values);
    expect(log).toEqual(["set email NO_VALUE -> ann@x (replace email)"]);
    expect(getHistory(user, "name").isEmpty).toBe(true);
  });

  test("of null is a value like others", () => {
    const user = new User({ email: null });
    expect(user.email).toBeNull();
    expect(getHistory(user, "email").added).toEqual([null]);
  });

  test("to a transient property is told too", () => {
    const seen: unknown[] = [];
    listenings.push(listen(attributes(User).password, "set", ({ value }) => seen.push(value)));
    const user = new User({ password: "secret" });
    user.password = undefined;
    expect(seen).toEqual(["secret", undefined]);
    expect(user.password).toBeUndefined();
  });

  test("by name does the same as by property", () => {
    const log = record();
    const user = new User();
    setAttribute(user, "name", "Ann");
    expect(log).toEqual(["set name NO_VALUE -> Ann (replace name)"]);
    expect(getAttribute(user, "name")).toBe("Ann");
    setAttribute(user, "email", null);
    expect(getAttribute(user, "email")).toBeNull();
  });

  test("to an unknown name is refused with the name that was probably meant", () => {
    const user = new User();
    expect(() => setAttribute(user, "emial", "x")).toThrow(ArgumentError);
    expect(() => setAttribute(user, "emial", "x")).toThrow('User has no attribute "emial". Did you mean "email"?');
  });
});

describe("a set listener", () => {
  test("with retval replaces the value, for the next listener too", () => {
    const seen: string[] = [];
    const { name } = attributes(User);
    listenings.push(
      listen(name, "set", ({ value }) => value.trim(), { retval: true }),
      listen(name, "set", ({ value }) => value.toLowerCase(), { retval: true }),
      listen(name, "set", ({ value }) => seen.push(value)),
    );
    expect(new User({ name: "  Ann " }).name).toBe("ann");
    expect(seen).toEqual(["ann"]);
  });

  test("with retval keeps the value by returning undefined, and stores null by returning null", () => {
    const { email } = attributes(User);
    listenings.push(listen(email, "set", ({ value }) => (value === "" ? null : undefined), { retval: true }));
    expect(new User({ email: "" }).email).toBeNull();
    expect(new User({ email: "ann@x" }).email).toBe("ann@x");
  });

  test("without retval replaces nothing", () => {
    listenings.push(listen(attributes(User).name, "set", () => "other"));
    expect(new User({ name: "Ann" }).name).toBe("Ann");
  });

  test("that throws changes nothing, and the object is not dirty", () => {
    const user = new User({ name: "Ann" });
    listenings.push(
      listen(attributes(User).name, "set", () => {
        throw new RangeError("no");
      }),
    );
    expect(() => {
      user.name = "Bob";
    }).toThrow(RangeError);
    expect(user.name).toBe("Ann");
    expect(getHistory(user, "name").added).toEqual(["Ann"]);
  });

  test("may set other attributes, and itself, with events of their own", () => {
    const log = record();
    listenings.push(
      listen(attributes(User).name, "set", ({ target, value }) => {
        target.email = `${value}@x`;
        if (value === "ann") target.name = "nested";
      }),
    );
    const user = new User({ name: "ann" });
    expect(user.name).toBe("ann");
    expect(user.email).toBe("nested@x");
    expect(log).toEqual([
      "set name NO_VALUE -> ann (replace name)",
      "set email NO_VALUE -> ann@x (replace email)",
      "set name NO_VALUE -> nested (replace name)",
      "set email ann@x -> nested@x (replace email)",
    ]);
  });

  test("that returns a promise is refused, and nothing is changed", () => {
    const promising = (): unknown => Promise.resolve();
    listenings.push(listen(attributes(User).name, "set", promising as () => undefined));
    const user = new User();
    expect(() => {
      user.name = "Ann";
    }).toThrow(AsyncListenerError);
    expect(user.name).toBeUndefined();
  });

  test("hears a change of the class and of its subclasses, with the instance of the subclass", () => {
    const seen: unknown[] = [];
    listenings.push(listen(attributes(User).name, "set", ({ target }) => seen.push(target.constructor)));
    new User({ name: "Ann" });
    new PremiumUser({ name: "Bob" });
    expect(seen).toEqual([User, PremiumUser]);
  });

  test("with propagate: false hears the class alone", () => {
    const seen: unknown[] = [];
    listenings.push(
      listen(attributes(User).name, "set", ({ target }) => seen.push(target.constructor), { propagate: false }),
    );
    new User({ name: "Ann" });
    new PremiumUser({ name: "Bob" });
    expect(seen).toEqual([User]);
  });

  test("of a subclass's attribute hears nothing of the parent's", () => {
    const seen: unknown[] = [];
    listenings.push(listen(attributes(PremiumUser).name, "set", ({ target }) => seen.push(target.constructor)));
    new User({ name: "Ann" });
    new PremiumUser({ name: "Bob" });
    expect(seen).toEqual([PremiumUser]);
  });

  test("reaches subclasses that are declared later", () => {
    const seen: unknown[] = [];
    listenings.push(listen(attributes(User).name, "set", ({ value }) => seen.push(value)));
    class GoldUser extends inherit(User, { identity: "gold" }, {}) {}
    new GoldUser({ name: "Eve" });
    expect(seen).toEqual(["Eve"]);
  });

  test("of a mixin's attribute hears every model that has the mixin, and their subclasses", () => {
    const seen: unknown[] = [];
    listenings.push(
      listen(attributes(HasColour).colour, "set", ({ value, target }) => seen.push(value, target.constructor)),
    );
    class Car extends model(
      "cars",
      { id: integer().primaryKey() },
      { metadata: new Metadata(), mixins: [HasColour] },
    ) {}
    new Car({ colour: "red" });
    new PremiumUser({ colour: "blue" });
    expect(seen).toEqual(["red", Car, "blue", PremiumUser]);
  });

  test("hears once what it was told of by parent and mixin both", () => {
    const listener = vi.fn();
    listenings.push(
      listen(attributes(HasColour).colour, "set", listener),
      listen(attributes(User).colour, "set", ({ value }) => listener(value)),
    );
    new PremiumUser({ colour: "blue" });
    expect(listener).toHaveBeenCalledTimes(2);
  });

  test("ends with its block", () => {
    const listener = vi.fn();
    {
      using _ = listen(attributes(User).name, "set", listener);
      new User({ name: "Ann" });
    }
    new User({ name: "Bob" });
    expect(listener).toHaveBeenCalledOnce();
  });

  test("that was added before the class was first used is heard like any other", () => {
    class Early extends model("early", { id: integer().primaryKey(), name: text() }, { metadata: new Metadata() }) {}
    const seen: string[] = [];
    listen(attributes(Early).name, "set", ({ value }) => seen.push(value));
    new Early({ name: "Ann" });
    expect(seen).toEqual(["Ann"]);
  });
});

describe("a value that is deleted", () => {
  test("is told, and is gone", () => {
    const user = new User({ name: "Ann" });
    const log = record();
    delAttribute(user, "name");
    expect(log).toEqual(["remove name Ann (remove name)"]);
    expect(user.name).toBeUndefined();
  });

  test("where there is none is told, and then is an error", () => {
    const log = record();
    const user = new User();
    expect(() => delAttribute(user, "name")).toThrow(InvalidRequestError);
    expect(log).toEqual(["remove name NO_VALUE (remove name)"]);
  });

  test("stays when the listener refuses", () => {
    const user = new User({ name: "Ann" });
    listenings.push(
      listen(attributes(User).name, "remove", () => {
        throw new RangeError("no");
      }),
    );
    expect(() => delAttribute(user, "name")).toThrow(RangeError);
    expect(user.name).toBe("Ann");
  });
});

describe("reading a value that was never set", () => {
  test("asks initScalar's listeners, whose result is read and not kept", () => {
    const user = new User();
    let count = 0;
    listenings.push(listen(attributes(User).name, "initScalar", () => `unnamed ${++count}`, { retval: true }));
    expect(user.name).toBe("unnamed 1");
    expect(user.name).toBe("unnamed 2");
    expect(getHistory(user, "name").isEmpty).toBe(true);
  });

  test("hands one listener's result to the next", () => {
    const { name } = attributes(User);
    listenings.push(
      listen(name, "initScalar", () => "a", { retval: true }),
      listen(name, "initScalar", ({ value }) => `${value}b`, { retval: true }),
    );
    expect(new User().name).toBe("ab");
  });

  test("keeps what a listener wrote into the instance's values, without a set event", () => {
    const log = record();
    listenings.push(
      listen(
        attributes(User).name,
        "initScalar",
        ({ dict }) => {
          dict["name"] = "unnamed";
          expect("name" in dict).toBe(true);
          expect(Object.keys(dict)).toContain("name");
          return "unnamed";
        },
        { retval: true },
      ),
    );
    const user = new User();
    expect(user.name).toBe("unnamed");
    for (const listening of listenings.splice(0)) listening.remove();
    expect(user.name).toBe("unnamed");
    expect(log).toEqual([]);
  });

  test("reads undefined where no listener has a value", () => {
    const listener = vi.fn();
    listenings.push(listen(attributes(User).name, "initScalar", listener));
    expect(new User().name).toBeUndefined();
    expect(listener).toHaveBeenCalledOnce();
  });
});

describe("flagModified", () => {
  test("raises modified, and needs a value", () => {
    const log = record();
    const user = new User({ name: "Ann" });
    log.length = 0;
    flagModified(user, "name");
    expect(log).toEqual(["modified name (modified)"]);
    expect(() => flagModified(user, "email")).toThrow(InvalidRequestError);
    expect(log).toEqual(["modified name (modified)", "modified email (modified)"]);
  });
});

forEachDatabase((db) => {
  async function open(): Promise<ReturnType<typeof sessionmaker>> {
    const engine = db.engine();
    await createAll(engine, { metadata });
    return sessionmaker(engine, { models: [PremiumUser] });
  }

  test("loading, refreshing, expiring and what a flush writes back raise no attribute event", async () => {
    const SessionLocal = await open();
    const log = record();
    const user = new User({ name: "Ann" });
    log.length = 0;
    await SessionLocal.begin((session) => session.add(user));
    await using session = SessionLocal();
    const loaded = (await session.get(User, user.id))!;
    await session.refresh(loaded);
    session.expire(loaded);
    await load(loaded, "name");
    setCommittedValue(loaded, "name", "quiet");
    expect(log).toEqual([]);
    expect(loaded.name).toBe("quiet");
    expect(session.isModified(loaded)).toBe(false);
  });

  test("an assignment to an expired attribute does not load, and knows no old value", async () => {
    const SessionLocal = await open();
    const user = new User({ name: "Ann" });
    await SessionLocal.begin((session) => session.add(user));
    await using session = SessionLocal();
    const loaded = (await session.get(User, user.id))!;
    session.expire(loaded);
    const log = record();
    loaded.name = "Bob";
    expect(log).toEqual(["set name NO_VALUE -> Bob (replace name)"]);
    const { history } = inspect(loaded).attributes.name;
    expect([history.added, history.unchanged, history.deleted]).toEqual([["Bob"], [], []]);
    await session.commit();
    expect((await session.scalars(select(User))).one().name).toBe("Bob");
  });

  test("a listener with activeHistory has the old value in the history by the time of the flush", async () => {
    const SessionLocal = await open();
    const user = new User({ name: "Ann" });
    await SessionLocal.begin((session) => session.add(user));
    const seen: unknown[] = [];
    const olds: unknown[] = [];
    listenings.push(
      listen(attributes(User).name, "set", ({ oldValue }) => olds.push(oldValue), { activeHistory: true }),
      listen(User, "beforeUpdate", ({ target }) => seen.push(...getHistory(target, "name").deleted)),
    );
    await using session = SessionLocal();
    const loaded = (await session.get(User, user.id))!;
    session.expire(loaded);
    loaded.name = "Bob";
    await session.commit();
    expect(seen).toEqual(["Ann"]);
    expect(olds).toEqual([NO_VALUE]);
  });

  test("undefined assigned to a stored attribute of a row is null", async () => {
    const SessionLocal = await open();
    const user = new User({ name: "Ann", email: "ann@x" });
    await SessionLocal.begin((session) => session.add(user));
    await using session = SessionLocal();
    const loaded = (await session.get(User, user.id))!;
    setAttribute(loaded, "email", undefined);
    expect(loaded.email).toBeNull();
    await session.commit();
    session.expire(loaded);
    expect(await load(loaded, "email")).toBeNull();
  });

  test("a value that is deleted is NULL after the flush", async () => {
    const SessionLocal = await open();
    const user = new User({ name: "Ann", email: "ann@x" });
    await SessionLocal.begin((session) => session.add(user));
    await using session = SessionLocal();
    const loaded = (await session.get(User, user.id))!;
    delAttribute(loaded, "email");
    const { history } = inspect(loaded).attributes.email;
    expect([history.added, history.unchanged, history.deleted]).toEqual([[], [], ["ann@x"]]);
    await session.commit();
    expect(loaded.email).toBeNull();
    await session.refresh(loaded);
    expect(loaded.email).toBeNull();
  });

  test("setting an equal value makes an instance dirty, and no UPDATE follows", async () => {
    const engine = db.engine();
    await createAll(engine, { metadata });
    const SessionLocal = sessionmaker(engine);
    const user = new User({ name: "Ann", seenAt: new Date(1000), settings: { theme: "dark" } });
    await SessionLocal.begin((session) => session.add(user));
    const updates: string[] = [];
    listen(engine, "beforeCursorExecute", ({ statement }) => {
      if (statement.startsWith("update")) updates.push(statement);
    });
    await using session = SessionLocal();
    const loaded = (await session.get(User, user.id))!;
    loaded.name = "Ann";
    loaded.seenAt = new Date(1000);
    loaded.settings = { theme: "dark" };
    expect(session.dirty.has(loaded)).toBe(true);
    expect(session.isModified(loaded)).toBe(false);
    await session.commit();
    expect(updates).toEqual([]);
  });

  test("flagModified writes a value that was changed in place, and one that was set and set back", async () => {
    const engine = db.engine();
    await createAll(engine, { metadata });
    const SessionLocal = sessionmaker(engine);
    const user = new User({ name: "Ann", settings: { theme: "dark" } });
    await SessionLocal.begin((session) => session.add(user));
    await using session = SessionLocal();
    const loaded = (await session.get(User, user.id))!;
    loaded.settings!.theme = "light";
    flagModified(loaded, "settings");
    const { history } = inspect(loaded).attributes.settings;
    expect([history.added, history.unchanged, history.deleted]).toEqual([[{ theme: "light" }], [], []]);
    await session.commit();
    await session.refresh(loaded);
    expect(loaded.settings).toEqual({ theme: "light" });

    const updates: string[] = [];
    listen(engine, "beforeCursorExecute", ({ statement }) => {
      if (statement.startsWith("update")) updates.push(statement);
    });
    loaded.name = "Bob";
    loaded.name = "Ann";
    flagModified(loaded, "name");
    expect(inspect(loaded).attributes.name.history.added).toEqual(["Ann"]);
    await session.commit();
    expect(updates).toHaveLength(1);
  });

  test("flagDirty raises the events of an update, and no UPDATE follows", async () => {
    const engine = db.engine();
    await createAll(engine, { metadata });
    const SessionLocal = sessionmaker(engine);
    const user = new User({ name: "Ann" });
    await SessionLocal.begin((session) => session.add(user));
    await using session = SessionLocal();
    const loaded = (await session.get(User, user.id))!;
    const log: string[] = [];
    listenings.push(listen(User, "beforeUpdate", () => log.push("beforeUpdate")));
    listen(engine, "beforeCursorExecute", ({ statement }) => {
      if (statement.startsWith("update")) log.push(statement);
    });
    flagDirty(loaded);
    expect(session.dirty.has(loaded)).toBe(true);
    await session.commit();
    expect(log).toEqual(["beforeUpdate"]);
  });

  test("a class field that shadows an attribute is refused when the instance is added, with both remedies", async () => {
    class Field extends model("fields", { id: integer().primaryKey(), name: text() }, { metadata: new Metadata() }) {
      override name = "shadow";
    }
    const SessionLocal = await open();
    await using session = SessionLocal();
    const field = new Field({ name: "Ann" });
    expect(() => session.add(field)).toThrow(InvalidRequestError);
    expect(() => session.add(field)).toThrow(/Field.*name/s);
    expect(() => session.add(field)).toThrow(/declare name/);
    expect(() => session.add(field)).toThrow(/remove|leave/i);
  });

  test("a class field with declare shadows nothing", async () => {
    class Field extends model("fields", { id: integer().primaryKey(), name: text() }, { metadata: new Metadata() }) {
      declare name: "a" | "b";
    }
    const SessionLocal = await open();
    await using session = SessionLocal();
    const field = new Field({ name: "a" });
    session.add(field);
    expect(field.name).toBe("a");
  });
});
