import { expect, test } from "vitest";
import {
  and,
  ArgumentError,
  containsEager,
  joinedLoad,
  load,
  select,
  selectinLoad,
  subqueryLoad,
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

const companies = select(Company).orderBy((company) => company.id);
const krab = [everyone[0], everyone[1], everyone[3], everyone[5]];
const bucket = [everyone[2], everyone[4]];

forEachDatabase((db) => {
  test("a join along a relationship leads to rows of a subclass alone, whichever tables it has", async () => {
    const { session } = await openCompany(db);
    const names = async (statement: typeof companies): Promise<string[]> =>
      (await session.scalars(statement)).all().map(({ name }) => name);
    const engineers = companies.join("employees", { ofType: Engineer });
    expect(await names(engineers as never)).toEqual(["krab", "bucket"]);
    expect(await names(engineers.where((_, engineer) => engineer.language.eq("ts")) as never)).toEqual(["krab"]);
    const clerks = companies.join(Company, "employees", { ofType: Clerk });
    expect(await names(clerks.where((_, clerk) => clerk.desk.gt(1)) as never)).toEqual(["krab"]);
    const architects = companies.outerJoin("employees", { ofType: Architect });
    const rows = await session.execute(architects.columns((company, architect) => [company.name, architect.style]));
    expect(rows.all()).toEqual([
      ["krab", null],
      ["bucket", "gothic"],
    ]);
    const further = companies
      .join("employees", { ofType: Engineer })
      .join(Engineer, "projects")
      .where((_, engineer, project) => and(project.title.like("t%"), engineer.name.eq("ed")));
    expect(await names(further as never)).toEqual(["krab"]);
    await session.close();
  });

  test("a join leads to a class with its subclasses", async () => {
    const { session } = await openCompany(db);
    const staff = withPolymorphic(Employee, { Engineer, Manager });
    const joined = select(Company)
      .join("employees", { ofType: staff })
      .columns((company, employee) => [company.name, employee, employee.Engineer.language, employee.Manager.level])
      .orderBy((_, employee) => employee.id);
    const rows = (await session.execute(joined)).all();
    expect(rows.map(([company, , language, level]) => [company, language, level])).toEqual([
      ["krab", null, null],
      ["krab", "ts", null],
      ["bucket", "c", null],
      ["krab", null, 2],
      ["bucket", null, 5],
      ["krab", null, null],
    ]);
    expect(inMemory(rows.map(([, employee]) => employee)).slice(1, 4)).toEqual([
      everyone[1],
      ["Architect", 3, "architect", "ada", "c", null, "no style"],
      everyone[3],
    ]);
    session.expungeAll();
    const contained = companies
      .outerJoin("employees", { ofType: withPolymorphic(Employee, "*", "staff") })
      .orderBy((_, employee) => employee.id)
      .options(containsEager(Company, "employees"));
    const found = (await session.scalars(contained)).unique().all();
    expect(found.map(({ employees }) => inMemory(employees))).toEqual([krab, bucket]);
    await session.close();
  });

  test("any and has ask for instances of a subclass", async () => {
    const { session } = await openCompany(db);
    const found = select(Company).where((company) =>
      company.employees.ofType(Engineer).any((engineer) => engineer.language.eq("ts")),
    );
    expect((await session.scalars(found)).all().map(({ name }) => name)).toEqual(["krab"]);
    const directed = select(Company).where((company) => company.employees.ofType(Director).any());
    expect((await session.scalars(directed)).all().map(({ name }) => name)).toEqual(["bucket"]);
    const desks = select(Company).where((company) => company.employees.ofType(Clerk).any({ desk: 7 }));
    expect((await session.scalars(desks)).all().map(({ name }) => name)).toEqual(["krab"]);
    const drawn = select(Project).where((project) => project.engineer.ofType(Architect).has({ style: "gothic" }));
    expect((await session.scalars(drawn)).all().map(({ title }) => title)).toEqual(["tower"]);
    await session.close();
  });

  test("a path leads on from a subclass: its columns come along, its relationships are loaded, and nobody is left out", async () => {
    const { session, selects } = await openCompany(db);
    const expected = [
      [
        everyone[0],
        everyone[1],
        ["Manager", 4, "manager", "max", "no level", "no officeId"],
        ["Clerk", 6, "clerk", "cleo", "no desk"],
      ],
      [
        ["Architect", 3, "architect", "ada", "c", null, "no style"],
        ["Director", 5, "director", "dan", "no level", "no officeId", "no car"],
      ],
    ];
    const ways = [
      [selectinLoad(Company, "employees").ofType(Engineer).selectinLoad("projects"), 3],
      [joinedLoad(Company, "employees").ofType(Engineer).joinedLoad("projects"), 1],
      [joinedLoad(Company, "employees").ofType(Engineer).selectinLoad("projects"), 2],
      [subqueryLoad(Company, "employees").ofType(Engineer).subqueryLoad("projects"), 3],
    ] as const;
    for (const [way, count] of ways) {
      for (const statement of [companies, companies.limit(2)]) {
        session.expungeAll();
        const found = (await session.scalars(statement.options(way))).all();
        expect(found.map(({ employees }) => inMemory(employees))).toEqual(expected);
        const projects = found.map(({ employees }) =>
          employees.flatMap((employee) =>
            employee instanceof Engineer ? employee.projects.map(({ title }) => title) : [],
          ),
        );
        expect(projects).toEqual([["bridge", "tunnel"], ["tower"]]);
        expect(selects()).toHaveLength(count);
      }
    }
    await session.close();
  });

  test("a path takes a class with all its subclasses, and holds for later loads of the relationship", async () => {
    const { session, selects } = await openCompany(db);
    for (const along of [selectinLoad, joinedLoad]) {
      session.expungeAll();
      const option = along(Company, "employees").ofType(withPolymorphic(Employee, "*"));
      const found = (await session.scalars(companies.options(option))).all();
      expect(found.map(({ employees }) => inMemory(employees))).toEqual([krab, bucket]);
      expect(selects()).toHaveLength(along === joinedLoad ? 1 : 2);
      for (const employee of found[0]!.employees) session.expunge(employee);
      session.expire(found[0]!, ["employees"]);
      expect(inMemory(await load(found[0]!, "employees"))).toEqual(krab);
      expect(selects()).toHaveLength(1);
    }
    session.expungeAll();
    const mixed = selectinLoad(Company, "employees")
      .selectinPolymorphic([Engineer])
      .ofType(Engineer)
      .selectinLoad("projects");
    const [company] = (await session.scalars(companies.options(mixed))).all();
    expect((company!.employees[1] as Engineer).projects).toHaveLength(2);
    expect(selects()).toEqual(["companies", "employees", "employees engineers", "projects"]);
    await session.close();
  });

  test("criteria of a subclass hold in joins, any and paths to it", async () => {
    const { session } = await openCompany(db);
    const noTs = withLoaderCriteria(Engineer, (engineer) => engineer.language.ne("ts"));
    const joined = companies.join("employees", { ofType: Engineer }).options(noTs);
    expect((await session.scalars(joined)).all().map(({ name }) => name)).toEqual(["bucket"]);
    const any = companies.where((company) => company.employees.ofType(Engineer).any()).options(noTs);
    expect((await session.scalars(any)).all().map(({ name }) => name)).toEqual(["bucket"]);
    for (const along of [selectinLoad, joinedLoad]) {
      session.expungeAll();
      const path = companies.options(along(Company, "employees").ofType(Engineer), noTs);
      const found = (await session.scalars(path)).all();
      expect(found.map(({ employees }) => employees.map(({ name }) => name))).toEqual([
        ["eve", "max", "cleo"],
        ["ada", "dan"],
      ]);
    }
    await session.close();
  });

  test("what is no subclass of the class at the other end is refused", () => {
    const refused = (work: () => unknown): string => {
      expect(work).toThrow(ArgumentError);
      try {
        work();
      } catch (error) {
        return (error as Error).message;
      }
      return "";
    };
    expect(refused(() => companies.join("employees", { ofType: Project as never }))).toContain(
      'join("employees", { ofType: … }) was given Project, which is no subclass of Employee',
    );
    expect(refused(() => companies.join("employees", Engineer as never))).toContain("takes an option, { ofType: … }");
    expect(refused(() => selectinLoad(Company, "employees").ofType(Project as never))).toContain(
      "no subclass of Employee",
    );
    expect(refused(() => companies.where((company) => company.employees.ofType(Project as never).any()))).toContain(
      "Company.employees.ofType(…) was given Project",
    );
    expect(refused(() => companies.where((company) => (company.name as any).ofType(Project).any()))).toContain(
      "Company.name is no relationship",
    );
  });
});
