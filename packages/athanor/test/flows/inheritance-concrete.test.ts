import { describe, expect, test } from "vitest";
import {
  ArgumentError,
  attributes,
  createAll,
  deleteFrom,
  func,
  inherit,
  insert,
  inspect,
  integer,
  InvalidRequestError,
  joinedLoad,
  listen,
  load,
  many,
  Metadata,
  mixin,
  model,
  one,
  or,
  select,
  selectinLoad,
  selectinPolymorphic,
  sessionmaker,
  text,
  timestamp,
  transient,
  update,
  validates,
  withLoaderCriteria,
  withPolymorphic,
} from "../../src/index.ts";
import { type Database, forEachDatabase } from "../databases.ts";

const metadata = new Metadata();
const Noted = mixin({ note: text().nullable() });

class Company extends model(
  "companies",
  {
    id: integer().primaryKey(),
    get employees() {
      return many(Employee, { backPopulates: "company", orderBy: "id" });
    },
    get managers() {
      return many(Manager, { backPopulates: "company", orderBy: "id" });
    },
  },
  { metadata },
) {}

class Employee extends model(
  "employees",
  {
    id: integer().primaryKey(),
    name: text(),
    secret: transient<string>(),
    companyId: integer().nullable().references("companies.id"),
    get company() {
      return one(Company, { backPopulates: "employees" });
    },
    get badges() {
      return many(Badge);
    },
  },
  { metadata, mixins: [Noted] },
) {
  greet(): string {
    return `I am ${this.name}`;
  }
}

class Manager extends inherit(
  Employee,
  { concrete: true, table: "managers" },
  {
    level: integer().default(1),
    since: timestamp().nullable(),
    officeId: integer().nullable().references("offices.id"),
    get company() {
      return one(Company, { backPopulates: "managers" });
    },
    get office() {
      return one(Office);
    },
  },
) {
  override greet(): string {
    return `${super.greet()}, level ${this.level}`;
  }
}

class Director extends inherit(Manager, { concrete: true, table: "directors" }, { car: text().nullable() }) {}
class Engineer extends inherit(
  Employee,
  { concrete: true, table: "engineers" },
  { level: text().nullable(), language: text() },
) {}
class Office extends model("offices", { id: integer().primaryKey(), city: text() }, { metadata }) {}
class Badge extends model(
  "badges",
  { id: integer().primaryKey(), employeeId: integer().nullable().references("employees.id") },
  { metadata },
) {}

const models = [Company, Employee, Manager, Director, Engineer, Office, Badge] as const;

async function open(db: Database) {
  const engine = db.engine();
  await createAll(engine, { metadata });
  const SessionLocal = sessionmaker(engine, { models });
  await SessionLocal.begin((session) => {
    session.addAll([new Company({ id: 1 }), new Office({ id: 7, city: "oslo" })]);
    session.addAll([
      new Employee({ id: 1, name: "eve", companyId: 1, note: "n" }),
      new Employee({ id: 2, name: "eli" }),
      new Manager({ id: 1, name: "max", level: 2, since: new Date(0), companyId: 1, officeId: 7 }),
      new Director({ id: 1, name: "dan", level: 5, car: "red", officeId: 7 }),
      new Engineer({ id: 2, name: "ed", language: "ts", level: "senior" }),
    ]);
  });
  const statements: string[] = [];
  listen(engine, "beforeCursorExecute", ({ statement }) => statements.push(statement));
  return { engine, SessionLocal, session: SessionLocal(), statements };
}

function told(found: readonly Employee[]): unknown[] {
  return found.map((employee) => [
    employee.constructor.name,
    employee.id,
    employee.name,
    ...(employee instanceof Manager ? [employee.level, employee.since] : []),
    ...(employee instanceof Director ? [employee.car] : []),
    ...(employee instanceof Engineer ? [employee.level, employee.language] : []),
  ]);
}

const everyone = [
  ["Director", 1, "dan", 5, null, "red"],
  ["Engineer", 2, "ed", "senior", "ts"],
  ["Employee", 2, "eli"],
  ["Employee", 1, "eve"],
  ["Manager", 1, "max", 2, new Date(0)],
];

forEachDatabase((db) => {
  test("each class has its own rows and its own keys, in a table with all columns", async () => {
    const { session, statements } = await open(db);
    expect(told((await session.scalars(select(Employee).orderBy((employee) => employee.id))).all())).toEqual([
      ["Employee", 1, "eve"],
      ["Employee", 2, "eli"],
    ]);
    expect(told((await session.scalars(select(Manager))).all())).toEqual([everyone[4]]);
    expect(statements.splice(0)).toHaveLength(2);
    const [employee, manager, director] = [
      await session.get(Employee, 1),
      await session.get(Manager, 1),
      await session.get(Director, 1),
    ];
    expect([employee, manager, director].map((each) => each?.greet())).toEqual([
      "I am eve",
      "I am max, level 2",
      "I am dan, level 5",
    ]);
    expect(await session.get(Employee, 3)).toBe(null);
    expect(await session.get(Engineer, 1)).toBe(null);
    expect(manager instanceof Employee).toBe(true);
    expect(inspect(Manager).tables.map(({ name }) => name)).toEqual(["managers"]);
    expect(inspect(Manager).columnProperties.map(({ key }) => key)).toEqual([
      "id",
      "name",
      "companyId",
      "note",
      "level",
      "since",
      "officeId",
    ]);
    session.expire(manager!);
    expect(await load(manager!, "name", "level")).toEqual(["max", 2]);
    await session.refresh(director!);
    expect(director!.car).toBe("red");
    await session.close();
  });

  test("a flush writes each to its own table, and bulk statements change those of one class", async () => {
    const { session, SessionLocal } = await open(db);
    const log: string[] = [];
    using _ = listen(Employee, "beforeInsert", ({ target }) => log.push(`beforeInsert ${target.name}`));
    using __ = listen(attributes(Employee).name, "set", ({ value }) => log.push(`set ${value}`));
    const manager = new Manager({ id: 5, name: "mia" });
    session.add(manager);
    const director = (await session.get(Director, 1))!;
    director.car = "blue";
    director.name = "don";
    await session.delete((await session.get(Engineer, 2))!);
    await session.commit();
    expect(log).toEqual(["set mia", "beforeInsert mia", "set don"]);
    expect(manager.level).toBe(1);
    await session.execute(update(Employee).values({ name: "x" }));
    await session.execute(insert(Director).executionOptions({ onSkippedEvents: "ignore" }), [
      { id: 9, name: "dot", level: 3 },
    ]);
    await session.execute(deleteFrom(Manager).where({ name: "mia" }));
    await session.commit();
    await session.close();
    await using other = SessionLocal();
    const all = withPolymorphic(Employee, "*");
    const found = await other.scalars(select(all).orderBy((each) => [each.name, each.id]));
    expect(told(found.all())).toEqual([
      ["Director", 1, "don", 5, null, "blue"],
      ["Director", 9, "dot", 3, null, null],
      ["Manager", 1, "max", 2, new Date(0)],
      ["Employee", 1, "x"],
      ["Employee", 2, "x"],
    ]);
  });

  test("the rows of all classes are read together, as instances of their own classes", async () => {
    const { session, statements } = await open(db);
    const all = select(withPolymorphic(Employee, "*")).orderBy((employee) => employee.name);
    const found = (await session.scalars(all)).all();
    expect(told(found)).toEqual(everyone);
    expect(statements.splice(0)).toHaveLength(1);
    expect(
      found.map((each) => [...inspect(each).unloaded].filter((key) => !/company|badges|office/.test(key))),
    ).toEqual(everyone.map(() => []));
    expect(found[4]).toBe(await session.get(Manager, 1));
    expect(told((await session.scalars(all.offset(1).limit(2))).all())).toEqual(everyone.slice(1, 3));
    expect(told((await session.scalars(all.where({ name: "ed" }))).all())).toEqual([everyone[1]]);
    const some = select(withPolymorphic(Employee, [Manager])).orderBy((employee) => employee.name);
    expect(told((await session.scalars(some)).all())).toEqual(everyone.slice(2));
    const managers = select(withPolymorphic(Manager, "*")).orderBy((manager) => manager.level);
    expect(told((await session.scalars(managers)).all())).toEqual([everyone[4], everyone[0]]);
    found[4]!.name = "mo";
    await session.flush();
    await session.scalars(all.executionOptions({ populateExisting: true }));
    expect(found[4]!.name).toBe("mo");
    await session.close();
  });

  test("attributes of subclasses are compared and selected, also where two hold other values under one name", async () => {
    const { session } = await open(db);
    const all = select(withPolymorphic(Employee, { Manager, Director, Engineer })).orderBy((employee) => employee.name);
    const chosen = all.where((employee) => or(employee.Manager.level.gt(3), employee.Engineer.level.eq("senior")));
    expect(told((await session.scalars(chosen)).all())).toEqual([everyone[0], everyone[1]]);
    const rows = await session.execute(
      all.columns((employee) => ({
        name: employee.name,
        number: employee.Manager.level,
        word: employee.Engineer.level,
      })),
    );
    expect(rows.all()).toEqual([
      { name: "dan", number: 5, word: null },
      { name: "ed", number: null, word: "senior" },
      { name: "eli", number: null, word: null },
      { name: "eve", number: null, word: null },
      { name: "max", number: 2, word: null },
    ]);
    const counted = select(withPolymorphic(Employee, "*")).columns(() => [func.count()]);
    expect((await session.execute(counted)).scalar()).toBe(5);
    const joined = select(Company)
      .join(withPolymorphic(Employee, "*"), (company, employee) => employee.companyId.eq(company.id))
      .columns((company, employee) => [company, employee])
      .orderBy((_, employee) => employee.name);
    expect(told((await session.execute(joined)).all().map(([, employee]) => employee))).toEqual([
      everyone[3],
      everyone[4],
    ]);
    const along = select(Company)
      .join("employees", { ofType: withPolymorphic(Employee, "*", "staff") })
      .columns((_, employee) => [employee.name])
      .orderBy((_, employee) => employee.name);
    expect((await session.execute(along)).all()).toEqual([["eve"], ["max"]]);
    const named = withPolymorphic(Employee, { Manager }, "others");
    const pairs = select(withPolymorphic(Employee, { Manager }))
      .join(named, (one, other) => one.name.lt(other.name))
      .columns((one, other) => [one.name, other.name])
      .where((_, other) => other.Manager.level.eq(2));
    expect((await session.execute(pairs.orderBy((one) => one.name))).all()).toEqual([
      ["eli", "max"],
      ["eve", "max"],
    ]);
    const sub = select(withPolymorphic(Employee, "*"))
      .where((employee) => employee.name.like("e%"))
      .subquery("sub");
    const read = await session.scalars(select(sub).orderBy((employee) => employee.name));
    expect(told(read.all() as Employee[])).toEqual(everyone.slice(1, 4));
    await session.close();
  });

  test("relationships are each class's own, in memory and in rows", async () => {
    const { session, SessionLocal, statements } = await open(db);
    const company = (await session.get(Company, 1))!;
    expect(told(await load(company, "employees"))).toEqual([everyone[3]]);
    expect(told(await load(company, "managers"))).toEqual([everyone[4]]);
    const manager = new Manager({ id: 5, name: "mia", company });
    session.add(manager);
    expect(company.managers.at(-1)).toBe(manager);
    expect(company.employees).toHaveLength(1);
    await session.commit();
    await session.close();
    await using other = SessionLocal();
    statements.length = 0;
    for (const along of [selectinLoad, joinedLoad]) {
      other.expungeAll();
      const all = select(withPolymorphic(Employee, "*"))
        .orderBy((employee) => employee.name)
        .options(along(Manager, "office"), along(Employee, "company"));
      const found = (await other.scalars(all)).all();
      expect(
        found.map((each) => (each instanceof Manager && !(each instanceof Director) ? each.office?.city : "")),
      ).toEqual(["", "", "", "", "oslo", undefined]);
      expect((found[3] as Employee).company?.id).toBe(1);
      expect((found[4] as Manager).company).toBe((found[3] as Employee).company);
      expect(statements.splice(0)).toHaveLength(along === joinedLoad ? 1 : 3);
      other.expungeAll();
      const page = (await other.scalars(all.offset(4).limit(1))).all();
      expect((page[0] as Manager).office?.city).toBe("oslo");
      statements.length = 0;
    }
    const companies = select(Company).options(selectinLoad(Company, "managers").selectinLoad("office"));
    const [loaded] = (await other.scalars(companies)).all();
    expect(loaded!.managers.map(({ office }) => office?.city)).toEqual(["oslo", undefined]);
  });

  test("an option about rows that a statement does not read is refused, and one that it has carried is left out", async () => {
    const { session } = await open(db);
    const unread = select(Employee).options(selectinLoad(Manager, "office"));
    await expect(session.scalars(unread)).rejects.toThrow("select(withPolymorphic(Employee, [Manager]))");
    expect(() => select(Manager).options(selectinLoad(Employee, "company"))).toThrow(
      "cannot be loaded along with a statement that selects Manager",
    );
    const both = [selectinLoad(Manager, "office"), selectinLoad(Employee, "badges")];
    const all = select(withPolymorphic(Employee, "*")).options(...both);
    for (const employee of (await session.scalars(all)).all()) await session.refresh(employee);
    await session.close();
  });

  test("criteria of a class hold for its concrete subclasses, by themselves and together", async () => {
    const { session } = await open(db);
    const names = async (statement: { readonly "~row": Employee } & object): Promise<string[]> =>
      (await session.scalars(statement as never)).all().map((each) => (each as Employee).name);
    const all = select(withPolymorphic(Employee, "*")).orderBy((employee) => employee.name);
    const noM = withLoaderCriteria(Employee, (employee) => employee.name.ne("max"));
    const noD = withLoaderCriteria(Director, (director) => director.car.isNull());
    const highLevel = withLoaderCriteria(Manager, (manager) => manager.level.gt(3));
    const expression = withLoaderCriteria(Employee, attributes(Employee).name.ne("max"));
    expect(await names(all.options(noM))).toEqual(["dan", "ed", "eli", "eve"]);
    expect(await names(all.options(expression))).toEqual(["dan", "ed", "eli", "eve"]);
    expect(await names(all.options(noD))).toEqual(["ed", "eli", "eve", "max"]);
    expect(await names(all.options(highLevel))).toEqual(["dan", "ed", "eli", "eve"]);
    expect(await names(select(Manager).options(noM))).toEqual([]);
    expect(await names(select(Manager).options(expression))).toEqual([]);
    const joined = select(Company)
      .join(withPolymorphic(Employee, "*"), (company, employee) => employee.companyId.eq(company.id))
      .columns((_, employee) => [employee.name])
      .options(highLevel);
    expect((await session.execute(joined)).all()).toEqual([["eve"]]);
    await session.execute(update(Manager).values({ note: "x" }).options(noM));
    expect((await session.execute(select(Manager).columns((manager) => [manager.note]))).all()).toEqual([[null]]);
    await session.close();
  });
});

describe("a concrete subclass", () => {
  test("has its parent's methods, validators and transient properties", () => {
    validates(Employee, "name", ({ value }) => value.trim());
    const director = new Director({ name: " dan ", level: 3, secret: "s", note: "n" });
    expect([director.greet(), director.secret, director.note]).toEqual(["I am dan, level 3", "s", "n"]);
    expect(director instanceof Noted).toBe(true);
  });

  test("refuses relationships of its parent's that it has not declared", () => {
    const engineer = new Engineer({ name: "ed" });
    expect(() => engineer.company).toThrow(InvalidRequestError);
    expect(() => engineer.company).toThrow(
      "Engineer.company is a relationship of Employee, and Engineer is a concrete subclass, which does not inherit it",
    );
    expect(() => (engineer.badges = [])).toThrow("Engineer.badges");
    expect(() => new Director({ name: "d" }).company).toThrow("Director.company is a relationship of Manager");
    expect(() => select(Engineer).join("badges")).toThrow('"badges" is none of Engineer');
  });

  test("is no member of a relationship that leads to rows of its parent", () => {
    const company = new Company({ id: 1 });
    expect(() => company.employees.push(new Manager({ name: "max" }))).toThrow(ArgumentError);
    expect(() => company.employees.push(new Manager({ name: "max" }))).toThrow(
      'Company.employees leads to rows of the table "employees", and was given an instance of Manager, a concrete subclass of Employee whose rows are in "managers". Declare a relationship to Manager for it.',
    );
    expect(() => company.managers.push(new Director({ name: "dan" }))).toThrow("Company.managers leads to rows");
    company.managers.push(new Manager({ name: "mia" }));
    expect(company.managers[0]?.company).toBe(company);
  });

  test("is not left out of what is read together because it was never used", () => {
    const own = new Metadata();
    class Shape extends model("shapes", { id: integer().primaryKey() }, { metadata: own }) {}
    class Circle extends inherit(Shape, { concrete: true, table: "circles" }, {}) {}
    expect(() => withPolymorphic(Shape, "*")).toThrow(
      'A concrete subclass of Shape, of the table "circles", is declared but was never used, so its rows would be missing.',
    );
    expect(new Circle()).toBeInstanceOf(Shape);
    expect(() => withPolymorphic(Shape, "*")).not.toThrow();
  });

  test("is refused where it cannot be one, and where something leads to rows of its parent", () => {
    const own = new Metadata();
    class Kind extends model(
      "kinds",
      { id: integer().primaryKey(), kind: text() },
      { metadata: own, polymorphicOn: "kind", identity: "kind" },
    ) {}
    class Plain extends model("plains", { id: integer().primaryKey() }, { metadata: own }) {}
    const refused: readonly [() => unknown, string][] = [
      [() => inherit(Kind, { concrete: true, table: "x" }, {}), "has the discriminator kind"],
      [() => inherit(Plain, { concrete: true } as never, {}), "got no name for it"],
      [() => inherit(Plain, { concrete: "yes", table: "y" } as never, {}), "is true or left out"],
      [() => inherit(Plain, { concrete: true, table: "z", identity: "z" } as never, {}), "has no option identity"],
      [() => inherit(Plain, { concrete: true, table: "w" }, { code: text().primaryKey() }), "has the key id, code"],
      [() => selectinPolymorphic(Employee, [Manager]), "concrete subclass of Employee"],
      [() => selectinLoad(Company, "employees").ofType(Manager), "concrete subclass of Employee"],
      [() => selectinLoad(Company, "employees").ofType(withPolymorphic(Employee, "*")), "the rows of one table"],
      [() => select(Company).join("employees", { ofType: Manager }), "concrete subclass of Employee"],
      [() => select(withPolymorphic(Employee, "*")).forUpdate(), "several tables at once"],
    ];
    for (const [work, message] of refused) {
      expect(work).toThrow(ArgumentError);
      expect(work).toThrow(message);
    }
  });
});
