import { expect, test } from "vitest";
import {
  aliased,
  and,
  ArgumentError,
  attributes,
  func,
  joinedLoad,
  listen,
  or,
  select,
  selectinLoad,
  withLoaderCriteria,
  withPolymorphic,
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

forEachDatabase((db) => {
  test("every instance is complete after one SELECT of all subclasses", async () => {
    const { session, selects } = await openCompany(db);
    const staff = select(withPolymorphic(Employee, "*")).orderBy((employee) => employee.id);
    const found = (await session.scalars(staff)).all();
    expect(inMemory(found)).toEqual(everyone);
    expect(selects()).toEqual(["employees engineers managers directors"]);
    await session.close();
  });

  test("a list of subclasses is read along with those between them and the class, and no others", async () => {
    const { session, selects } = await openCompany(db);
    const staff = select(withPolymorphic(Employee, [Director, Clerk])).orderBy((employee) => employee.id);
    expect(inMemory((await session.scalars(staff)).all())).toEqual([
      ["Employee", 1, "employee", "eve"],
      ["Engineer", 2, "engineer", "ed", "no language", "no since"],
      ["Architect", 3, "architect", "ada", "no language", "no since", "no style"],
      ["Manager", 4, "manager", "max", 2, 1],
      ["Director", 5, "director", "dan", 5, 1, "red"],
      ["Clerk", 6, "clerk", "cleo", 7],
    ]);
    expect(selects()).toEqual(["employees managers directors"]);
    await session.close();
  });

  test("of a subclass those below it are read, with its own tables", async () => {
    const { session, selects } = await openCompany(db);
    const managers = select(withPolymorphic(Manager, { Director })).where((manager) => manager.level.gt(1));
    const found = (await session.scalars(managers.orderBy((manager) => manager.Director.car.asc().nullsFirst()))).all();
    expect(inMemory(found)).toEqual([everyone[3], everyone[4]]);
    expect(selects()).toEqual(["employees managers directors"]);
    await session.close();
  });

  test("attributes of subclasses are compared, ordered by and selected under the names that were given", async () => {
    const { session } = await openCompany(db);
    const staff = select(withPolymorphic(Employee, { Engineer, Architect, Boss: Manager, Clerk }));
    const chosen = staff
      .where(({ Boss, Clerk: clerk, Architect: architect }) =>
        or(Boss.level.gte(2), clerk.desk.eq(7), architect.style.eq("gothic")),
      )
      .orderBy((employee) => [employee.Boss.level.desc().nullsLast(), employee.id]);
    expect((await session.scalars(chosen)).all().map(({ name }) => name)).toEqual(["dan", "max", "ada", "cleo"]);
    const rows = await session.execute(
      staff
        .columns((employee) => ({ employee, language: employee.Engineer.language, level: employee.Boss.level }))
        .where((employee) => employee.id.in([2, 4]))
        .orderBy((employee) => employee.id),
    );
    expect(rows.all().map(({ employee, language, level }) => [employee.name, language, level])).toEqual([
      ["ed", "ts", null],
      ["max", null, 2],
    ]);
    const counted = await session.execute(
      staff
        .columns((employee) => ({ level: employee.Boss.level, count: func.count() }))
        .groupBy((employee) => employee.Boss.level)
        .orderBy((employee) => employee.Boss.level.asc().nullsFirst()),
    );
    expect(counted.all()).toEqual([
      { level: null, count: 4 },
      { level: 2, count: 1 },
      { level: 5, count: 1 },
    ]);
    await session.close();
  });

  test("a class without a name is compared by the attributes of its subclasses themselves, too", async () => {
    const { session } = await openCompany(db);
    const staff = select(withPolymorphic(Employee, "*"));
    const found = await session.scalars(staff.where(() => attributes(Engineer).language.eq("ts")));
    expect(found.one().name).toBe("ed");
    await session.close();
  });

  test("the same class stands twice in a statement under two names", async () => {
    const { session, selects } = await openCompany(db);
    const staff = withPolymorphic(Employee, { Engineer }, "staff");
    const other = withPolymorphic(Employee, { Manager, Engineer }, "other");
    const pairs = select(staff)
      .join(other, (one, two) => and(one.companyId.eq(two.companyId), one.Engineer.language.isNotNull()))
      .where((_, two) => two.Manager.level.gt(0))
      .columns((one, two) => [one, two])
      .orderBy((one) => one.id);
    const found = (await session.execute(pairs)).all();
    expect(found.map((row) => inMemory(row))).toEqual([
      [everyone[1], everyone[3]],
      [
        ["Architect", 3, "architect", "ada", "c", null, "no style"],
        ["Director", 5, "director", "dan", 5, 1, "no car"],
      ],
    ]);
    expect(selects()).toHaveLength(1);
    const unnamed = select(aliased(Employee, "first")).join(withPolymorphic(Employee, { Engineer }), (first, second) =>
      first.id.lt(second.id),
    );
    const languages = unnamed.columns((_, second) => [second.Engineer.language]).where((first) => first.id.eq(2));
    const seconds = (await session.execute(languages.orderBy((_, second) => second.id))).all();
    expect(seconds).toEqual([["c"], [null], [null], [null]]);
    await session.close();
  });

  test("relationships of subclasses are joined and loaded along, with limits and without", async () => {
    const { session, selects } = await openCompany(db);
    const staff = select(withPolymorphic(Employee, { Engineer, Manager }))
      .orderBy((employee) => employee.name)
      .options(joinedLoad(Manager, "office"), joinedLoad(Engineer, "projects"), joinedLoad(Employee, "company"));
    const expected = [
      ["ada", "bucket", ["tower"]],
      ["cleo", "krab"],
      ["dan", "bucket", "oslo"],
      ["ed", "krab", ["bridge", "tunnel"]],
      ["eve", "krab"],
      ["max", "krab", "oslo"],
    ];
    const told = (found: readonly Employee[]): unknown[] =>
      found.map((employee) => [
        employee.name,
        employee.company?.name,
        ...(employee instanceof Engineer ? [employee.projects.map(({ title }) => title)] : []),
        ...(employee instanceof Manager ? [employee.office?.city] : []),
      ]);
    expect(told((await session.scalars(staff)).all())).toEqual(expected);
    expect(selects()).toHaveLength(1);
    session.expungeAll();
    expect(told((await session.scalars(staff.offset(1).limit(4))).all())).toEqual(expected.slice(1, 5));
    expect(selects()).toHaveLength(1);
    session.expungeAll();
    const bySelects = select(withPolymorphic(Employee, "*", "staff"))
      .orderBy((employee) => employee.name)
      .limit(4)
      .options(selectinLoad(Manager, "office"), selectinLoad(Engineer, "projects"), joinedLoad(Employee, "company"));
    expect(told((await session.scalars(bySelects)).all())).toEqual(expected.slice(0, 4));
    expect(selects()).toHaveLength(3);
    const joined = select(withPolymorphic(Employee, { Engineer })).join(Engineer, "projects");
    const builders = joined.where((_, project) => project.title.like("t%")).orderBy((_, project) => project.id);
    expect((await session.scalars(builders)).all().map(({ name }) => name)).toEqual(["ada", "ed"]);
    await session.close();
  });

  test("a later row completes an instance that is there: one refresh event, and no value that was changed is lost", async () => {
    const { session } = await openCompany(db);
    const found = (await session.scalars(select(Employee).orderBy((employee) => employee.id))).all();
    const events: unknown[] = [];
    using _ = listen(Employee, "load", ({ target }) => events.push(`load ${target.name}`));
    using __ = listen(Employee, "refresh", ({ target, attrs }) => events.push([target.constructor.name, attrs]));
    (found[1] as Engineer).language = "go";
    found[3]!.name = "mia";
    expect((await session.scalars(select(withPolymorphic(Employee, { Engineer, Manager })))).all()).toHaveLength(6);
    expect((found[1] as Engineer).language).toBe("go");
    expect(inMemory([found[3]!])).toEqual([["Manager", 4, "manager", "mia", 2, 1]]);
    expect(events).toContainEqual(["Manager", ["company", "level", "officeId", "office"]]);
    expect(events.filter((event) => typeof event === "string")).toEqual([]);
    await session.flush();
    await session.scalars(select(withPolymorphic(Employee, "*")).executionOptions({ populateExisting: true }));
    expect(inMemory([found[1]!, found[3]!, found[4]!])).toEqual([
      ["Engineer", 2, "engineer", "ed", "go", new Date(0)],
      ["Manager", 4, "manager", "mia", 2, 1],
      everyone[4],
    ]);
    await session.close();
  });

  test("what is written after it goes to the tables that it concerns", async () => {
    const { session, SessionLocal } = await openCompany(db);
    const found = (
      await session.scalars(select(withPolymorphic(Employee, "*")).orderBy((employee) => employee.id))
    ).all();
    (found[2] as Architect).style = "baroque";
    (found[4] as Director).level = 6;
    (found[5] as Clerk).desk = 8;
    await session.delete(found[3]!);
    await session.commit();
    await session.close();
    await using again = SessionLocal();
    const left = await again.scalars(select(withPolymorphic(Employee, "*")).orderBy((employee) => employee.id));
    expect(inMemory(left.all()).slice(2)).toEqual([
      ["Architect", 3, "architect", "ada", "c", null, "baroque"],
      ["Director", 5, "director", "dan", 6, 1, "red"],
      ["Clerk", 6, "clerk", "cleo", 8],
    ]);
  });

  test("criteria of a subclass hold for its rows, wherever the class above it stands", async () => {
    const { session } = await openCompany(db);
    const options = [
      withLoaderCriteria(Manager, (manager) => manager.level.lt(3)),
      withLoaderCriteria(Engineer, (engineer) => engineer.language.ne("ts")),
      withLoaderCriteria(Clerk, (clerk) => clerk.desk.isNull()),
    ];
    for (const staff of [withPolymorphic(Employee, "*"), withPolymorphic(Employee, "*", "staff")]) {
      const seen = await session.scalars(
        select(staff)
          .orderBy((employee) => employee.id)
          .options(...options),
      );
      expect(seen.all().map(({ name }) => name)).toEqual(["eve", "ada", "max"]);
    }
    const projects = select(Project)
      .join(withPolymorphic(Employee, { Engineer }), (project, employee) => project.engineerId.eq(employee.id))
      .options(...options);
    expect((await session.scalars(projects)).all().map(({ title }) => title)).toEqual(["tower"]);
    await session.close();
  });

  test("a lock is on the rows of the class itself", async () => {
    const { session } = await openCompany(db);
    const locked = select(withPolymorphic(Employee, "*")).where({ id: 5 }).forUpdate();
    expect(inMemory((await session.scalars(locked)).all())).toEqual([everyone[4]]);
    await session.close();
  });

  test("what is no subclass is refused, and so is the name of an attribute", () => {
    expect(() => withPolymorphic(Employee, [Company as never])).toThrow(ArgumentError);
    expect(() => withPolymorphic(Employee, [Company as never])).toThrow("no subclass of Employee");
    expect(() => select(withPolymorphic(Employee, { Manager })).join(Engineer, "projects")).toThrow(
      "starts at Engineer, which the statement does not read",
    );
    expect(() => withPolymorphic(Employee, { name: Engineer })).toThrow("the name of an attribute of Employee");
    expect(() => withPolymorphic(Employee, "all" as never)).toThrow('or "*" for all of them');
    expect(() => withPolymorphic(Employee, "*", " ")).toThrow("third argument the name");
    expect(() =>
      select(withPolymorphic(Employee, { Engineer })).columns(({ Engineer: engineer }) => [engineer as never]),
    ).toThrow("which the statement does not read under that name");
    expect(() =>
      select(withPolymorphic(Employee, { Engineer })).where((employee) => (employee as any).Manager),
    ).toThrow('Employee has no attribute "Manager"');
  });
});
