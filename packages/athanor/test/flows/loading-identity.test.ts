import { describe, expect, test } from "vitest";
import {
  bytes,
  createAll,
  customType,
  date,
  inherit,
  inspect,
  integer,
  listen,
  load,
  Metadata,
  model,
  select,
  type Session,
  sessionmaker,
  sql,
  text,
  timestamp,
  transient,
  UnloadedAttributeError,
  uuid,
} from "../../src/index.ts";
import { type Database, forEachDatabase } from "../databases.ts";

class Code {
  readonly #text: string;
  constructor(value: string) {
    this.#text = value;
  }
  toString(): string {
    return this.#text;
  }
}
const code = () =>
  customType(text(), { toDatabase: (value: Code) => value.toString(), fromDatabase: (value) => new Code(value) });

const metadata = new Metadata();
class User extends model(
  "users",
  { id: integer().primaryKey(), name: text(), nickname: text().nullable(), password: transient<string>() },
  { metadata },
) {}
class ByUuid extends model("by_uuid", { id: uuid().primaryKey(), name: text() }, { metadata }) {}
class ByTime extends model("by_time", { at: timestamp().primaryKey(), name: text() }, { metadata }) {}
class ByBytes extends model("by_bytes", { hash: bytes().primaryKey(), name: text() }, { metadata }) {}
class ByCode extends model("by_code", { code: code().primaryKey(), name: text() }, { metadata }) {}
class ByPair extends model(
  "by_pair",
  { left: text().primaryKey(), right: text().primaryKey(), name: text().nullable() },
  { metadata },
) {}
class ByDay extends model(
  "by_day",
  { day: date().primaryKey(), room: integer().primaryKey(), name: text() },
  { metadata },
) {}
class Animal extends model(
  "animals",
  { id: integer().primaryKey(), kind: text(), name: text() },
  { metadata, polymorphicOn: "kind", identity: "animal" },
) {}
class Dog extends inherit(
  Animal,
  { identity: "dog", table: "dogs" },
  { id: integer().primaryKey().references("animals.id"), breed: text().nullable(), tricks: text().nullable() },
) {}

async function open(db: Database): Promise<ReturnType<typeof sessionmaker>> {
  const engine = db.engine();
  await createAll(engine, { metadata });
  return sessionmaker(engine, { models: [Dog] });
}

forEachDatabase((db) => {
  describe("an instance", () => {
    test("is the same for the same row, however often and however it is loaded", async () => {
      const SessionLocal = await open(db);
      const added = new User({ name: "ann" });
      await using session = SessionLocal();
      session.add(added);
      await session.commit();
      expect(await session.get(User, added.id)).toBe(added);
      expect((await session.scalars(select(User))).one()).toBe(added);
      await session.refresh(added);
      expect((await session.scalars(select(User))).one()).toBe(added);
      session.expire(added);
      expect((await session.scalars(select(User))).one()).toBe(added);
      expect(added.name).toBe("ann");
      await session.commit();
      await using other = SessionLocal();
      expect(await other.get(User, added.id)).not.toBe(added);
    });

    test("keeps what is in memory when a query meets it again, changes too", async () => {
      const SessionLocal = await open(db);
      await SessionLocal.begin((session) => session.add(new User({ id: 1, name: "ann" })));
      await using session = SessionLocal({ autoflush: false });
      const user = (await session.get(User, 1))!;
      user.nickname = "mine";
      await session.execute(sql`update users set name = 'theirs', nickname = 'theirs'`);
      await session.scalars(select(User));
      expect([user.name, user.nickname]).toEqual(["ann", "mine"]);
    });

    test.each([
      ["a UUID, in any case", ByUuid, "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
      ["a date", ByTime, new Date(1234567890123), new Date(1234567890123)],
      ["bytes", ByBytes, new Uint8Array([1, 255]), new Uint8Array([1, 255])],
      ["a type of one's own", ByCode, new Code("x"), new Code("x")],
    ])("is found by a key that is %s", async (_, Model, key, same) => {
      const SessionLocal = await open(db);
      const [property] = inspect(Model as typeof ByUuid).primaryKey;
      await using session = SessionLocal();
      const added = new (Model as unknown as new (values: object) => ByUuid)({ [property!.key]: key, name: "one" });
      session.add(added);
      await session.commit();
      expect(await session.get(Model as typeof ByUuid, same as string)).toBe(added);
      expect((await session.scalars(select(Model as typeof ByUuid))).one()).toBe(added);
      await session.commit();
      await using other = SessionLocal();
      const loaded = (await other.get(Model as typeof ByUuid, same as string))!;
      expect(await other.get(Model as typeof ByUuid, key as string)).toBe(loaded);
      loaded.name = "two";
      await other.commit();
      await session.refresh(added);
      expect(added.name).toBe("two");
      await session.delete(added);
      await session.commit();
      expect(await session.get(Model as typeof ByUuid, same as string)).toBeNull();
    });

    test("of a type of one's own is told from others of the same type", async () => {
      const SessionLocal = await open(db);
      await SessionLocal.begin((session) =>
        session.addAll([
          new ByCode({ code: new Code("a"), name: "A" }),
          new ByCode({ code: new Code("b"), name: "B" }),
        ]),
      );
      await using session = SessionLocal();
      const all = (await session.scalars(select(ByCode).orderBy((row) => row.name))).all();
      expect(all.map(({ name }) => name)).toEqual(["A", "B"]);
    });

    test("with a key of several parts is found by a list and by names, and told from similar ones", async () => {
      const SessionLocal = await open(db);
      const keys = [
        ["a,b", "c"],
        ["a", "b,c"],
        ["a\\", "b"],
        ["a", "\\b"],
        ["a", "b"],
      ] as const;
      await SessionLocal.begin((session) => {
        session.addAll(keys.map(([left, right]) => new ByPair({ left, right })));
        session.add(new ByDay({ day: "2026-02-28", room: 7, name: "x" }));
      });
      await using session = SessionLocal();
      const all = (await session.scalars(select(ByPair))).all();
      expect(new Set(all).size).toBe(keys.length);
      for (const [left, right] of keys) {
        const found = (await session.get(ByPair, [left, right]))!;
        expect([found.left, found.right]).toEqual([left, right]);
        expect(all).toContain(found);
        expect(await session.get(ByPair, { right, left })).toBe(found);
      }
      expect((await session.get(ByDay, ["2026-02-28", 7]))?.name).toBe("x");
      expect(inspect((await session.get(ByDay, { day: "2026-02-28", room: 7 }))!).identity).toEqual(["2026-02-28", 7]);
    });

    test("of a key that is not there is null", async () => {
      const SessionLocal = await open(db);
      await using session = SessionLocal();
      expect(await session.get(User, 99)).toBeNull();
      expect(await session.get(ByPair, ["x", "y"])).toBeNull();
    });

    test("is not looked for by a key of the wrong shape or type", async () => {
      const SessionLocal = await open(db);
      await using session = SessionLocal();
      // @ts-expect-error -- the types refuse it too
      await expect(session.get(User, "1")).rejects.toThrow("User.id is a whole number up to 2^53");
      // @ts-expect-error -- the types refuse it too
      await expect(session.get(ByPair, "x")).rejects.toThrow(
        "The key of ByPair has 2 parts (left, right), and 1 were given.",
      );
      // @ts-expect-error -- the types refuse it too
      await expect(session.get(ByPair, { left: "x" })).rejects.toThrow("ByPair.right");
      await expect(session.get(User, [1, 2])).rejects.toThrow("The key of User has one part (id), and 2 were given.");
    });
  });

  describe("load", () => {
    async function recorded(session: Session): Promise<string[]> {
      const log: string[] = [];
      listen(session, "loadedAsPersistent", ({ target }) => log.push(`loadedAsPersistent ${(target as User).name}`));
      return log;
    }

    test("is raised once for each instance, when its values are there, and loadedAsPersistent after it", async () => {
      const SessionLocal = await open(db);
      await SessionLocal.begin((session) =>
        session.addAll([new User({ id: 1, name: "ann" }), new User({ id: 2, name: "bob" })]),
      );
      await using session = SessionLocal();
      const log = await recorded(session);
      using _ = listen(User, "load", ({ target }) => log.push(`load ${target.name} ${inspect(target).lifecycle}`));
      await session.scalars(select(User).orderBy((user) => user.id));
      expect(log).toEqual([
        "load ann persistent",
        "loadedAsPersistent ann",
        "load bob persistent",
        "loadedAsPersistent bob",
      ]);
      await session.scalars(select(User));
      await session.get(User, 1);
      await session.refresh((await session.get(User, 1))!);
      expect(log).toHaveLength(4);
      session.expungeAll();
      await session.get(User, 1);
      expect(log).toHaveLength(6);
    });

    test("is not raised for what is constructed, and init not for what is loaded", async () => {
      const SessionLocal = await open(db);
      const log: string[] = [];
      using _load = listen(User, "load", () => log.push("load"));
      using _init = listen(User, "init", () => log.push("init"));
      await SessionLocal.begin((session) => session.add(new User({ id: 1, name: "ann" })));
      await using session = SessionLocal();
      await session.get(User, 1);
      expect(log).toEqual(["init", "load"]);
    });

    test("may set values that count as loaded", async () => {
      const SessionLocal = await open(db);
      await SessionLocal.begin((session) => session.add(new User({ id: 1, name: "ann" })));
      using _ = listen(User, "load", ({ target }) => {
        target.nickname = "set in load";
        target.password = "secret";
      });
      await using session = SessionLocal();
      const user = (await session.get(User, 1))!;
      expect([user.nickname, user.password]).toEqual(["set in load", "secret"]);
      expect(session.dirty.size).toBe(0);
      expect(session.isModified(user)).toBe(false);
      expect(inspect(user).attributes.nickname.history.unchanged).toEqual(["set in load"]);
      user.name = "bob";
      await session.commit();
      expect((await session.scalar(sql`select nickname from users`)) ?? null).toBeNull();
    });

    test("that throws fails the query, and leaves the session usable and without the instance", async () => {
      const SessionLocal = await open(db);
      await SessionLocal.begin((session) => session.add(new User({ id: 1, name: "ann" })));
      await using session = SessionLocal();
      {
        using _ = listen(User, "load", () => {
          throw new RangeError("no");
        });
        await expect(session.get(User, 1)).rejects.toThrow(RangeError);
      }
      expect(session.identityMap.size).toBe(0);
      const seen: string[] = [];
      using _ = listen(User, "load", ({ target }) => seen.push(target.name));
      expect((await session.get(User, 1))?.name).toBe("ann");
      expect(seen).toEqual(["ann"]);
    });
  });

  describe("refresh", () => {
    test("is raised for what is loaded anew, with the names that were asked for", async () => {
      const SessionLocal = await open(db);
      await SessionLocal.begin((session) => session.add(new User({ id: 1, name: "ann", nickname: "a" })));
      await using session = SessionLocal();
      const user = (await session.get(User, 1))!;
      const log: unknown[] = [];
      using _refresh = listen(User, "refresh", ({ attrs }) => log.push(["refresh", attrs && [...attrs].toSorted()]));
      using _expire = listen(User, "expire", ({ attrs }) => log.push(["expire", attrs && [...attrs].toSorted()]));
      await session.refresh(user);
      expect(log.splice(0).at(-1)).toEqual(["refresh", undefined]);
      await session.refresh(user, ["name"]);
      expect(log.splice(0).at(-1)).toEqual(["refresh", ["name"]]);
      session.expire(user);
      expect(log.splice(0)).toEqual([["expire", undefined]]);
      await load(user, "name");
      expect(log.splice(0)).toEqual([["refresh", ["id", "name", "nickname"]]]);
      session.expire(user, ["nickname"]);
      expect(log.splice(0)).toEqual([["expire", ["nickname"]]]);
      await session.scalars(select(User));
      expect(log.splice(0)).toEqual([["refresh", ["nickname"]]]);
      await session.scalars(select(User).executionOptions({ populateExisting: true }));
      expect(log.splice(0)).toEqual([["refresh", undefined]]);
      await session.scalars(select(User));
      expect(log).toEqual([]);
    });

    test("may set values that count as loaded, of those that were asked for; others are changes", async () => {
      const SessionLocal = await open(db);
      await SessionLocal.begin((session) => session.add(new User({ id: 1, name: "ann", nickname: "a" })));
      await using session = SessionLocal();
      const user = (await session.get(User, 1))!;
      using _ = listen(User, "refresh", ({ target }) => {
        target.name = "set in refresh";
        target.nickname = "too";
      });
      await session.refresh(user, ["name"]);
      expect(inspect(user).attributes.name.history.hasChanges()).toBe(false);
      expect(inspect(user).attributes.nickname.history.added).toEqual(["too"]);
      expect(session.dirty.has(user)).toBe(true);
    });
  });

  describe("a row of a hierarchy", () => {
    test("becomes an instance of its class, and what its own table holds is loaded on demand", async () => {
      const SessionLocal = await open(db);
      await SessionLocal.begin((session) =>
        session.addAll([new Animal({ id: 1, name: "cat" }), new Dog({ id: 2, name: "rex", breed: "collie" })]),
      );
      await using session = SessionLocal();
      const all = (await session.scalars(select(Animal).orderBy((animal) => animal.id))).all();
      expect(all.map((animal) => animal.constructor)).toEqual([Animal, Dog]);
      const dog = all[1] as Dog;
      expect(dog.name).toBe("rex");
      expect(() => dog.breed).toThrow(UnloadedAttributeError);
      expect(() => dog.breed).toThrow(/Dog\.breed is not loaded\..*await load\(instance, "breed"\)/);
      expect([...inspect(dog).unloaded].toSorted()).toEqual(["breed", "tricks"]);
      const seen: unknown[] = [];
      using _ = listen(Dog, "refresh", ({ attrs }) => seen.push(attrs && [...attrs].toSorted()));
      expect(await load(dog, "breed")).toBe("collie");
      expect(seen).toEqual([["breed", "tricks"]]);
      expect(dog.tricks).toBeNull();
      expect(inspect(dog).unloaded.size).toBe(0);
    });

    test("that is partly loaded is completed by a query for its class, and keeps its changes", async () => {
      const SessionLocal = await open(db);
      await SessionLocal.begin((session) =>
        session.add(new Dog({ id: 2, name: "rex", breed: "collie", tricks: "sit" })),
      );
      await using session = SessionLocal({ autoflush: false });
      const dog = (await session.scalars(select(Animal))).one() as Dog;
      dog.breed = "mine";
      expect(await load(dog, "tricks")).toBe("sit");
      expect(dog.breed).toBe("mine");
      await session.scalars(select(Dog));
      expect(dog.breed).toBe("mine");
      await session.commit();
      await session.refresh(dog);
      expect(dog.breed).toBe("mine");
    });

    test("is found by get for its class or a parent, and not for another one", async () => {
      const SessionLocal = await open(db);
      await SessionLocal.begin((session) =>
        session.addAll([new Animal({ id: 1, name: "cat" }), new Dog({ id: 2, name: "rex" })]),
      );
      await using session = SessionLocal();
      expect(await session.get(Dog, 1)).toBeNull();
      const dog = await session.get(Animal, 2);
      expect(dog).toBeInstanceOf(Dog);
      expect(await session.get(Dog, 2)).toBe(dog);
      await session.get(Animal, 1);
      expect(await session.get(Dog, 1)).toBeNull();
    });

    test("does not change with a date or bytes that it was made from, or that are read of it", async () => {
      const SessionLocal = await open(db);
      await using session = SessionLocal();
      const at = new Date(5_000);
      const hash = Uint8Array.of(1, 2);
      const byTime = new ByTime({ at, name: "five" });
      const byBytes = new ByBytes({ hash, name: "one two" });
      session.addAll([byTime, byBytes]);
      await session.commit();
      at.setTime(9_000);
      hash[0] = 9;
      session.expireAll();
      byTime.at.setTime(8_000);
      byBytes.hash[1] = 8;
      expect([byTime.at, byBytes.hash]).toEqual([new Date(5_000), Uint8Array.of(1, 2)]);
      expect(await session.get(ByTime, new Date(5_000))).toBe(byTime);
      byTime.name = "changed";
      byBytes.name = "changed";
      await session.commit();
      session.expunge(byTime);
      session.expunge(byBytes);
      expect((await session.get(ByTime, new Date(5_000)))?.name).toBe("changed");
      expect((await session.get(ByBytes, Uint8Array.of(1, 2)))?.name).toBe("changed");
    });
  });
});
