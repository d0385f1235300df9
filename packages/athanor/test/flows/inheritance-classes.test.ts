import { describe, expect, test } from "vitest";
import {
  attributes,
  createAll,
  enumeration,
  inherit,
  inspect,
  integer,
  InvalidRequestError,
  listen,
  load,
  Metadata,
  mixin,
  model,
  select,
  sessionmaker,
  type SessionMaker,
  sql,
  text,
  transient,
  validates,
} from "../../src/index.ts";
import { type Database, forEachDatabase } from "../databases.ts";

/** A hierarchy with both kinds of subclasses, and one of one kind below each of the other. */
function declare() {
  const metadata = new Metadata();
  const HasBadge = mixin({ badge: text().nullable() });
  class Employee extends model(
    "employees",
    { id: integer().primaryKey(), kind: text(), name: text(), secret: transient<string>() },
    { metadata, polymorphicOn: "kind", identity: "employee" },
  ) {
    greet(): string {
      return `I am ${this.name}`;
    }
  }
  class Manager extends inherit(
    Employee,
    { identity: "manager", table: "managers", mixins: [HasBadge] },
    { id: integer().primaryKey().references("employees.id"), level: integer().default(1) },
  ) {
    override greet(): string {
      return `${super.greet()}, level ${this.level}`;
    }
  }
  class SalesRep extends inherit(Employee, { identity: "salesrep" }, { quota: integer().nullable() }) {}
  class Director extends inherit(
    Manager,
    { identity: "director", table: "directors" },
    { id: integer().primaryKey().references("managers.id"), car: text().nullable() },
  ) {}
  class Trainee extends inherit(SalesRep, { identity: "trainee" }, { mentor: text().nullable() }) {}
  class Assistant extends inherit(Manager, { identity: "assistant" }, {}) {}
  const models = [Employee, Manager, SalesRep, Director, Trainee, Assistant] as const;
  return { metadata, HasBadge, Employee, Manager, SalesRep, Director, Trainee, Assistant, models };
}

type Declared = ReturnType<typeof declare>;

async function open(db: Database, { metadata, models }: Declared): Promise<SessionMaker> {
  const engine = db.engine();
  await createAll(engine, { metadata });
  return sessionmaker(engine, { models });
}

async function fill(SessionLocal: SessionMaker, declared: Declared): Promise<void> {
  const { Employee, Manager, SalesRep, Director, Trainee, Assistant } = declared;
  await SessionLocal.begin((session) =>
    session.addAll([
      new Employee({ id: 1, name: "eve" }),
      new Manager({ id: 2, name: "max", level: 2, badge: "m" }),
      new SalesRep({ id: 3, name: "sam", quota: 10 }),
      new Director({ id: 4, name: "dan", car: "red", level: 5 }),
      new Trainee({ id: 5, name: "tim", mentor: "sam", quota: 1 }),
      new Assistant({ id: 6, name: "ann" }),
    ]),
  );
}

forEachDatabase((db) => {
  test("rows come back as instances of their own class, with its methods and values", async () => {
    const declared = declare();
    const { Employee, Manager, SalesRep, Director, Trainee, Assistant } = declared;
    const SessionLocal = await open(db, declared);
    await fill(SessionLocal, declared);
    await using session = SessionLocal();
    const all = (await session.scalars(select(Employee).orderBy((employee) => employee.id))).all();
    expect(all.map((employee) => employee.constructor)).toEqual([
      Employee,
      Manager,
      SalesRep,
      Director,
      Trainee,
      Assistant,
    ]);
    expect(all.map(({ kind }) => kind)).toEqual([
      "employee",
      "manager",
      "salesrep",
      "director",
      "trainee",
      "assistant",
    ]);
    expect(all[0]!.greet()).toBe("I am eve");
    const director = all[3] as InstanceType<typeof Director>;
    expect(await load(director, "car", "level")).toEqual(["red", 5]);
    expect(director.greet()).toBe("I am dan, level 5");
    expect(all.every((employee) => employee instanceof Employee)).toBe(true);
    expect(director instanceof Manager).toBe(true);
    expect(director instanceof declared.HasBadge).toBe(true);
  });

  test("a query for a subclass finds its rows and those of its own subclasses, whole", async () => {
    const declared = declare();
    const { Manager, SalesRep, Director, Trainee, Assistant } = declared;
    const SessionLocal = await open(db, declared);
    await fill(SessionLocal, declared);
    const found = async (model: (typeof declared.models)[number]): Promise<unknown[]> => {
      await using session = SessionLocal();
      const all = (await session.scalars(select(model).orderBy((row) => row.id))).all();
      return all.map((row) => [row.id, row.constructor.name, [...inspect(row).unloaded].toSorted()]);
    };
    expect(await found(Manager)).toEqual([
      [2, "Manager", []],
      [4, "Director", ["car"]],
      [6, "Assistant", []],
    ]);
    expect(await found(SalesRep)).toEqual([
      [3, "SalesRep", []],
      [5, "Trainee", ["mentor"]],
    ]);
    expect(await found(Director)).toEqual([[4, "Director", []]]);
    expect(await found(Trainee)).toEqual([[5, "Trainee", []]]);
    expect(await found(Assistant)).toEqual([[6, "Assistant", []]]);
  });

  test("conditions, orders and limits take attributes of parent and subclass", async () => {
    const declared = declare();
    const { Manager, SalesRep } = declared;
    const SessionLocal = await open(db, declared);
    await fill(SessionLocal, declared);
    await using session = SessionLocal();
    const managers = select(Manager)
      .where((manager) => manager.level.gte(2))
      .orderBy((manager) => manager.name.desc());
    expect((await session.scalars(managers)).all().map(({ name }) => name)).toEqual(["max", "dan"]);
    expect((await session.scalars(managers.where({ name: "dan" }).limit(1))).one().id).toBe(4);
    expect((await session.scalars(select(SalesRep).where({ quota: 10, name: "sam" }))).one().id).toBe(3);
    expect((await session.scalars(select(Manager).where((manager) => manager.id.in([1, 2, 3])))).one().id).toBe(2);
  });

  test("get finds a row by its key for its class and its parents only, in memory as in the database", async () => {
    const declared = declare();
    const { Employee, Manager, SalesRep, Director, Trainee, Assistant } = declared;
    const SessionLocal = await open(db, declared);
    await fill(SessionLocal, declared);
    const expected: readonly [number, (typeof declared.models)[number][]][] = [
      [1, [Employee]],
      [2, [Employee, Manager]],
      [3, [Employee, SalesRep]],
      [4, [Employee, Manager, Director]],
      [5, [Employee, SalesRep, Trainee]],
      [6, [Employee, Manager, Assistant]],
    ];
    for (const [id, classes] of expected) {
      for (const model of declared.models) {
        await using fresh = SessionLocal();
        expect([id, model.name, (await fresh.get(model, id))?.id]).toEqual([
          id,
          model.name,
          classes.includes(model) ? id : undefined,
        ]);
        const known = await fresh.get(Employee, id);
        expect(await fresh.get(model, id)).toBe(classes.includes(model) ? known : null);
      }
    }
  });

  test("an insert, an update and a delete touch the tables that they concern", async () => {
    const declared = declare();
    const { Director } = declared;
    const engine = db.engine();
    await createAll(engine, { metadata: declared.metadata });
    const SessionLocal = sessionmaker(engine, { models: declared.models });
    const log: string[] = [];
    listen(engine, "beforeCursorExecute", ({ statement }) =>
      log.push(statement.replace(/^(\w+ (?:into|from)?\s?"\w+").*/, "$1")),
    );
    for (const event of [
      "beforeInsert",
      "afterInsert",
      "beforeUpdate",
      "afterUpdate",
      "beforeDelete",
      "afterDelete",
    ] as const) {
      listen(declared.Employee, event, ({ target, mapper }) =>
        log.push(`${event} ${target.constructor.name} ${mapper.class.name}`),
      );
    }
    await using session = SessionLocal();
    const director = new Director({ name: "dan", car: "red" });
    session.add(director);
    await session.flush();
    expect(log.splice(0)).toEqual([
      "beforeInsert Director Director",
      'insert into "employees"',
      'insert into "managers"',
      'insert into "directors"',
      "afterInsert Director Director",
    ]);
    expect([director.id, director.level, director.kind]).toEqual([1, 1, "director"]);
    director.car = "blue";
    director.name = "don";
    await session.flush();
    expect(log.splice(0)).toEqual([
      "beforeUpdate Director Director",
      'update "employees"',
      'update "directors"',
      "afterUpdate Director Director",
    ]);
    director.level = 9;
    await session.flush();
    expect(log.splice(0)).toEqual([
      "beforeUpdate Director Director",
      'update "managers"',
      "afterUpdate Director Director",
    ]);
    await session.refresh(director);
    expect([director.name, director.level, director.car]).toEqual(["don", 9, "blue"]);
    log.length = 0;
    await session.delete(director);
    await session.flush();
    expect(log).toEqual([
      "beforeDelete Director Director",
      'delete from "directors"',
      'delete from "managers"',
      'delete from "employees"',
      "afterDelete Director Director",
    ]);
  });

  test("instances of one hierarchy share their keys, and the identity map", async () => {
    const declared = declare();
    const SessionLocal = await open(db, declared);
    await using session = SessionLocal();
    const employees = declared.models.map((model) => new model({ name: model.name }));
    session.addAll(employees);
    await session.commit();
    expect(new Set(employees.map(({ id }) => id))).toEqual(new Set([1, 2, 3, 4, 5, 6]));
    const found = (await session.scalars(select(declared.Employee))).all();
    expect(new Set(found)).toEqual(new Set(employees));
  });

  test("a row whose class was declared and never used is an error that names the remedy", async () => {
    const declared = declare();
    const engine = db.engine();
    await createAll(engine, { metadata: declared.metadata });
    await fill(sessionmaker(engine, { models: declared.models }), declared);
    const again = declare();
    const SessionLocal = sessionmaker(engine, { models: [again.Manager] });
    await using session = SessionLocal();
    const all = session.scalars(select(again.Employee));
    await expect(all).rejects.toThrow(InvalidRequestError);
    await expect(all).rejects.toThrow(
      'A row of "employees" has the kind "salesrep", and its class is declared but was never used. Name it once: sessionmaker(engine, { models: [',
    );
    sessionmaker(engine, { models: again.models });
    expect((await session.scalars(select(again.Employee))).all()).toHaveLength(6);
  });

  test("a row whose class nobody declares is an error, never an instance of another class", async () => {
    const declared = declare();
    const SessionLocal = await open(db, declared);
    await fill(SessionLocal, declared);
    await using session = SessionLocal();
    await session.execute(sql`update employees set kind = 'pirate' where id = 1`);
    const all = session.scalars(select(declared.Employee));
    await expect(all).rejects.toThrow(InvalidRequestError);
    await expect(all).rejects.toThrow(
      'has the kind "pirate", which no class declares (known are "employee", "manager", "salesrep", "director", "trainee", "assistant").',
    );
  });
});

describe("a subclass", () => {
  test("sets its discriminator with an event, before init", () => {
    const { Employee, Manager } = declare();
    const log: string[] = [];
    listen(attributes(Employee).kind, "set", ({ value }) => log.push(`set kind ${value}`));
    listen(attributes(Employee).name, "set", ({ value }) => log.push(`set name ${value}`));
    listen(Employee, "init", ({ target, values }) => log.push(`init ${target.kind} ${Object.keys(values).join()}`));
    const manager = new Manager({ name: "max" });
    expect(manager.kind).toBe("manager");
    expect(log).toEqual(["set kind manager", "init manager name", "set name max"]);
  });

  test("is constructed as its parent's constructor says", () => {
    const metadata = new Metadata();
    class User extends model(
      "users",
      { id: integer().primaryKey(), kind: enumeration("user", "premium"), name: text() },
      { metadata, polymorphicOn: "kind", identity: "user" },
    ) {
      constructed = "by User";
      constructor(name: string) {
        super({ name: name.trim() });
      }
    }
    class PremiumUser extends inherit(User, { identity: "premium" }, { tier: integer().nullable() }) {
      constructor(name: string) {
        super(name as never);
      }
    }
    const user = new User(" ann ");
    const premium = new PremiumUser(" bob ");
    expect([user.name, user.kind, user.constructed]).toEqual(["ann", "user", "by User"]);
    expect([premium.name, premium.kind, premium.constructed]).toEqual(["bob", "premium", "by User"]);
    premium.tier = 3;
    expect(premium.tier).toBe(3);
    expect(premium instanceof User).toBe(true);
  });

  test("with a constructor of its own calls its parent's", () => {
    const metadata = new Metadata();
    class User extends model(
      "users",
      { id: integer().primaryKey(), kind: text(), name: text() },
      { metadata, polymorphicOn: "kind", identity: "user" },
    ) {}
    class PremiumUser extends inherit(User, { identity: "premium" }, { tier: integer().nullable() }) {
      constructor(name: string) {
        super({ name, tier: 1 });
      }
    }
    expect(new PremiumUser("ann")).toMatchObject({ name: "ann", tier: 1, kind: "premium" });
  });

  test("has its parent's listeners and validators, whenever they were added, but those with propagate: false", () => {
    const { Employee, Manager, Director } = declare();
    const log: string[] = [];
    listen(Employee, "init", () => log.push("before"));
    new Director({ name: "x" });
    listen(Employee, "init", () => log.push("after"));
    listen(Employee, "init", () => log.push("alone"), { propagate: false });
    listen(Manager, "init", () => log.push("manager"));
    validates(Employee, "name", ({ value }) => value.toUpperCase());
    log.length = 0;
    expect(new Director({ name: "dan" }).name).toBe("DAN");
    expect(log).toEqual(["before", "after", "manager"]);
    log.length = 0;
    new Employee({ name: "eve" });
    expect(log).toEqual(["before", "after", "alone"]);
  });

  test("knows its tables, its parents and its key", () => {
    const { Employee, Manager, SalesRep, Director, Assistant } = declare();
    expect(inspect(Director).tables.map(({ name }) => name)).toEqual(["employees", "managers", "directors"]);
    expect(inspect(Assistant).tables.map(({ name }) => name)).toEqual(["employees", "managers"]);
    expect(inspect(SalesRep).table).toBe(inspect(Employee).table);
    expect(inspect(Director).inherits).toBe(inspect(Manager));
    expect(inspect(Director).baseMapper).toBe(inspect(Employee));
    expect(inspect(Director).isA(inspect(Employee) as never)).toBe(true);
    expect(inspect(Employee).isA(inspect(Director) as never)).toBe(false);
    expect(inspect(Director).primaryKey.map(({ key }) => key)).toEqual(["id"]);
    expect(inspect(Director).polymorphicIdentity).toBe("director");
    expect(inspect(Employee).table.columns.map(({ name, nullable }) => [name, nullable])).toEqual([
      ["id", false],
      ["kind", false],
      ["name", false],
      ["quota", true],
      ["mentor", true],
    ]);
  });

  test("may have a mixin that its parent has, once", () => {
    const { Manager, HasBadge } = declare();
    class Chief extends inherit(Manager, { identity: "chief", mixins: [HasBadge] }, {}) {}
    expect(new Chief({ badge: "c" }).badge).toBe("c");
    let count = 0;
    listen(HasBadge, "init", () => count++);
    listen(attributes(HasBadge).badge, "set", () => count++);
    new Chief({ badge: "d" });
    expect(count).toBe(2);
  });
});
