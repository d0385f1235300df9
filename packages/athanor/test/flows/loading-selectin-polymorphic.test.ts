import { expect, test } from "vitest";
import {
  ArgumentError,
  joinedLoad,
  listen,
  load,
  select,
  selectinLoad,
  selectinPolymorphic,
  subqueryLoad,
  withLoaderCriteria,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import {
  Architect,
  Clerk,
  Company,
  Director,
  Employee,
  Engineer,
  everyone,
  inMemory,
  Manager,
  openCompany,
  Project,
} from "./company.ts";

const subclasses = [Engineer, Architect, Manager, Director, Clerk] as const;
const inOrder = select(Employee).orderBy((employee) => employee.id);

forEachDatabase((db) => {
  test("one further SELECT for each subclass of which there are any completes its instances", async () => {
    const { session, selects } = await openCompany(db);
    const staff = inOrder.options(selectinPolymorphic(Employee, subclasses));
    expect(inMemory((await session.scalars(staff)).all())).toEqual(everyone);
    expect(selects()).toEqual([
      "employees",
      "employees engineers",
      "employees engineers",
      "employees managers",
      "employees managers directors",
      "employees",
    ]);
    expect((await session.scalars(staff)).all()).toHaveLength(6);
    expect(selects()).toEqual(["employees"]);
    session.expungeAll();
    expect(inMemory((await session.scalars(staff.where({ companyId: 2 }))).all())).toEqual([everyone[2], everyone[4]]);
    expect(selects()).toHaveLength(3);
    session.expungeAll();
    expect(inMemory((await session.scalars(staff.offset(1).limit(1))).all())).toEqual([everyone[1]]);
    expect(selects()).toHaveLength(2);
    await session.close();
  });

  test("an instance is complete as far as the nearest class that is listed goes, and others are left alone", async () => {
    const { session, selects } = await openCompany(db);
    const staff = inOrder.options(selectinPolymorphic(Employee, [Engineer, Director]));
    expect(inMemory((await session.scalars(staff)).all())).toEqual([
      everyone[0],
      everyone[1],
      ["Architect", 3, "architect", "ada", "c", null, "no style"],
      ["Manager", 4, "manager", "max", "no level", "no officeId"],
      everyone[4],
      ["Clerk", 6, "clerk", "cleo", "no desk"],
    ]);
    expect(selects()).toEqual(["employees", "employees engineers", "employees managers directors"]);
    await session.close();
  });

  test("listeners hear a load of each instance, a statement of each subclass, and a refresh with what was missing", async () => {
    const { session, SessionLocal } = await openCompany(db);
    const events: unknown[] = [];
    using _ = listen(Employee, "load", ({ target }) => events.push(`load ${target.constructor.name} ${target.name}`));
    using __ = listen(Employee, "refresh", ({ target, attrs }) => events.push([target.constructor.name, attrs]));
    using ___ = listen(SessionLocal, "doOrmExecute", (event) => {
      events.push({
        isSelect: event.isSelect,
        isColumnLoad: event.isColumnLoad,
        isRelationshipLoad: event.isRelationshipLoad,
        bindMapper: event.bindMapper?.class.name,
        path: event.loaderStrategyPath?.map(String).length,
        lazyLoadedFrom: event.lazyLoadedFrom,
      });
    });
    const seen = { isSelect: true, isColumnLoad: false, isRelationshipLoad: false, lazyLoadedFrom: undefined };
    const option = selectinPolymorphic(Employee, [Engineer, Manager]);
    await session.scalars(inOrder.where((employee) => employee.id.in([2, 5])).options(option));
    expect(events).toEqual([
      { ...seen, bindMapper: "Employee", path: undefined },
      "load Engineer ed",
      "load Director dan",
      { ...seen, bindMapper: "Engineer", path: 0 },
      ["Engineer", ["company", "language", "since", "projects"]],
      { ...seen, bindMapper: "Manager", path: 0 },
      ["Director", ["company", "level", "officeId", "office", "car"]],
    ]);
    await session.close();
  });

  test("relationships of subclasses are loaded beside it, also by a column that only the subclass has", async () => {
    const { session, selects } = await openCompany(db);
    const told = (found: readonly Employee[]): unknown[] =>
      found.flatMap((employee) => [
        ...(employee instanceof Engineer ? [employee.projects.map(({ title }) => title)] : []),
        ...(employee instanceof Manager ? [[employee.office?.city, employee.level]] : []),
      ]);
    const expected = [["bridge", "tunnel"], ["tower"], ["oslo", 2], ["oslo", 5]];
    const managers = selectinPolymorphic(Employee, [Manager]);
    for (const load of [selectinLoad, joinedLoad, subqueryLoad]) {
      session.expungeAll();
      const staff = inOrder.options(managers, selectinLoad(Engineer, "projects"), load(Manager, "office"));
      expect(told((await session.scalars(staff)).all())).toEqual(expected);
      expect(selects()).toHaveLength(load === joinedLoad ? 3 : 4);
    }
    session.expungeAll();
    const unasked = inOrder.options(selectinLoad(Engineer, "projects"), selectinLoad(Manager, "office"));
    const incomplete = (await session.scalars(unasked)).all();
    expect((incomplete[4] as Director).office?.city).toBe("oslo");
    const complete = inOrder.options(managers, joinedLoad(Manager, "office"));
    session.expungeAll();
    const known = (await session.scalars(inOrder.options(managers))).all();
    await session.scalars(complete);
    expect((known[3] as Manager).office?.city).toBe("oslo");
    await expect(session.scalars(inOrder.options(joinedLoad(Manager, "office")))).rejects.toThrow(
      "selectinPolymorphic(Employee, [Manager])",
    );
    await session.close();
  });

  test("it leads on from a relationship, however that is loaded, and holds for later loads of it", async () => {
    const { session, selects } = await openCompany(db);
    const krab = [everyone[0], everyone[1], everyone[3], everyone[5]];
    for (const load of [selectinLoad, joinedLoad, subqueryLoad]) {
      session.expungeAll();
      const option = load(Company, "employees").selectinPolymorphic([Engineer, Manager, Clerk]);
      const [company] = (await session.scalars(select(Company).where({ id: 1 }).options(option))).all();
      expect(inMemory(company!.employees)).toEqual(krab);
      expect(selects()).toHaveLength(load === joinedLoad ? 4 : 5);
    }
    session.expungeAll();
    const deferred = selectinLoad(Company, "employees").selectinPolymorphic([Engineer, Manager, Clerk]);
    const company = (await session.scalars(select(Company).where({ id: 1 }).options(deferred))).one();
    session.expunge(company.employees[1]!);
    session.expire(company, ["employees"]);
    selects();
    expect(inMemory(await load(company, "employees"))).toEqual(krab);
    expect(selects()).toEqual(["employees", "employees engineers"]);
    await session.close();
  });

  test("a value that was changed stays, populateExisting loads all anew, and a refresh asks for nothing else", async () => {
    const { session, selects } = await openCompany(db);
    const found = (await session.scalars(inOrder)).all();
    (found[1] as Engineer).language = "go";
    const staff = inOrder.options(selectinPolymorphic(Employee, subclasses));
    await session.scalars(staff);
    expect((found[1] as Engineer).language).toBe("go");
    expect(inMemory([found[1]!])).toEqual([["Engineer", 2, "engineer", "ed", "go", new Date(0)]]);
    await session.rollback();
    selects();
    await session.scalars(staff.executionOptions({ populateExisting: true }));
    expect(inMemory(found)).toEqual(everyone);
    expect(selects()).toHaveLength(6);
    session.expungeAll();
    const again = (await session.scalars(inOrder.options(selectinPolymorphic(Employee, [Manager])))).all();
    selects();
    await session.refresh(again[4]!, ["name"]);
    expect(selects()).toHaveLength(1);
    await session.refresh(again[4]!);
    expect(selects()).toHaveLength(1);
    expect(inMemory([again[4]!])).toEqual([everyone[4]]);
    session.expungeAll();
    const options = [selectinPolymorphic(Employee, [Manager]), selectinLoad(Manager, "office")];
    const clerk = (await session.scalars(inOrder.where({ id: 6 }).options(...options))).one();
    await session.refresh(clerk);
    expect(inMemory([clerk])).toEqual([everyone[5]]);
    await session.close();
  });

  test("criteria hold for what it loads", async () => {
    const { session } = await openCompany(db);
    const staff = inOrder.options(
      selectinPolymorphic(Employee, [Manager]),
      withLoaderCriteria(Project, (project) => project.id.gt(1)),
      selectinLoad(Engineer, "projects"),
      withLoaderCriteria(Manager, (manager) => manager.level.gt(2)),
    );
    const found = (await session.scalars(staff)).all();
    expect(found.map(({ name }) => name)).toEqual(["eve", "ed", "ada", "dan", "cleo"]);
    expect((found[1] as Engineer).projects.map(({ title }) => title)).toEqual(["tunnel"]);
    await session.close();
  });

  test("more instances than one statement takes are complete too", async () => {
    const { session, SessionLocal, selects } = await openCompany(db);
    await SessionLocal.begin((other) =>
      other.addAll(
        Array.from({ length: 600 }, (_, index) => new Clerk({ id: 100 + index, name: `c${index}`, desk: index })),
      ),
    );
    const clerks = inOrder
      .where((employee) => employee.name.like("c%"))
      .options(selectinPolymorphic(Employee, [Clerk]));
    const found = (await session.scalars(clerks)).all() as Clerk[];
    expect(found.slice(1).map(({ desk }) => desk)).toEqual(Array.from({ length: 600 }, (_, index) => index));
    expect(selects()).toEqual(["employees", "employees", "employees"]);
    await session.close();
  });

  test("what is no subclass is refused, and so is an option for rows that hold none", async () => {
    const { session } = await openCompany(db);
    expect(() => selectinPolymorphic(Employee, [Project as never])).toThrow(ArgumentError);
    expect(() => selectinPolymorphic(Employee, [Project as never])).toThrow("no subclass of Employee");
    expect(() => select(Company).options(selectinPolymorphic(Employee, [Engineer]))).toThrow(
      'What subclasses of Employee add cannot be loaded along with a statement that selects Company. Name a relationship of Company first, and lead on from there: selectinLoad(Company, "…").selectinPolymorphic([…]).',
    );
    const joined = select(Company)
      .join("employees")
      .options(selectinPolymorphic(Employee, [Engineer]));
    await expect(session.scalars(joined)).rejects.toThrow("how what Engineer adds is loaded");
    await session.close();
  });
});
