// What users write about hierarchies, and the mistakes that the compiler must catch.
import { expectTypeOf, test } from "vitest";
import {
  and,
  inherit,
  integer,
  many,
  model,
  one,
  or,
  select,
  selectinLoad,
  selectinPolymorphic,
  type LoaderPath,
  type Session,
  text,
  withPolymorphic,
} from "../../src/index.ts";

class Employee extends model(
  "employees",
  { id: integer().primaryKey(), kind: text(), name: text() },
  { polymorphicOn: "kind", identity: "employee" },
) {}
class Engineer extends inherit(
  Employee,
  { identity: "engineer" },
  {
    language: text().nullable(),
    get projects() {
      return many(Project);
    },
  },
) {}
class Manager extends inherit(Employee, { identity: "manager" }, { level: integer().nullable() }) {}
class Project extends model("projects", {
  id: integer().primaryKey(),
  title: text(),
  get lead() {
    return one(Employee);
  },
}) {}

declare const session: Session;

test("a class is selected with its subclasses, whose attributes have the names that they were given", async () => {
  const staff = withPolymorphic(Employee, { Engineer, Boss: Manager });
  const statement = select(staff).where((employee) =>
    or(employee.name.eq("ed"), employee.Engineer.language.eq("ts"), employee.Boss.level.gt(1)),
  );
  expectTypeOf((await session.scalars(statement)).all()).toEqualTypeOf<Employee[]>();
  const rows = await session.execute(statement.columns(({ name, Boss }) => ({ name, level: Boss.level })));
  expectTypeOf(rows.all()).toEqualTypeOf<{ name: string; level: number | null }[]>();
  const tuples = await session.execute(statement.columns((employee) => [employee, employee.Engineer.id]));
  expectTypeOf(tuples.all()).toEqualTypeOf<[Employee, number | null][]>();
  // @ts-expect-error Property 'levle' does not exist on type
  select(staff).where((employee) => employee.Boss.levle.gt(1));
  // @ts-expect-error Property 'Manager' does not exist on type
  select(staff).where((employee) => employee.Manager.level.gt(1));
  // @ts-expect-error the attributes of a subclass are no part of a row
  select(staff).columns((employee) => [employee.Boss]);
});

test("a list of subclasses, and all of them, bring no names", () => {
  const listed = select(withPolymorphic(Employee, [Engineer, Manager])).where((employee) => employee.name.eq("ed"));
  expectTypeOf<(typeof listed)["~row"]>().toEqualTypeOf<Employee>();
  const all = select(withPolymorphic(Employee, "*")).where((employee) => employee.name.eq("ed"));
  expectTypeOf<(typeof all)["~row"]>().toEqualTypeOf<Employee>();
  // @ts-expect-error Property 'Engineer' does not exist on type
  select(withPolymorphic(Employee, "*")).where((employee) => employee.Engineer.language.eq("ts"));
});

test("relationships lead on from the class and from subclasses that are read along", () => {
  select(withPolymorphic(Employee, { Engineer }))
    .join(Engineer, "projects")
    .where((employee, project) => or(employee.Engineer.language.eq("ts"), project.title.eq("x")));
  select(withPolymorphic(Employee, [Engineer])).join(Engineer, "projects");
  select(withPolymorphic(Employee, "*")).join(Engineer, "projects");
  // @ts-expect-error "boss" is no relationship of Engineer
  select(withPolymorphic(Employee, { Engineer })).join(Engineer, "boss");
});

test("it is joined like a class", () => {
  select(Project)
    .join(withPolymorphic(Employee, { Engineer }, "staff"), (project, employee) => employee.Engineer.id.eq(project.id))
    .where((_, employee) => employee.Engineer.language.eq("ts"));
  select(Project)
    .outerJoin(withPolymorphic(Employee, { Engineer }), (project, employee) => employee.Engineer.id.eq(project.id))
    .columns((_, employee) => [employee, employee.Engineer.language]);
});

test("what is no subclass is refused", () => {
  // @ts-expect-error Project is no Employee
  withPolymorphic(Employee, { Project });
  // @ts-expect-error Project is no Employee
  withPolymorphic(Employee, [Project]);
  // @ts-expect-error there are no other words for it
  withPolymorphic(Employee, "all");
});

test("subclasses are loaded along, of a class and at the end of a path", () => {
  select(Employee).options(selectinPolymorphic(Employee, [Engineer, Manager]));
  select(Project).options(selectinLoad(Project, "lead").selectinPolymorphic([Engineer]));
  // @ts-expect-error Project is no Employee
  selectinPolymorphic(Employee, [Project]);
  // @ts-expect-error Project is no Employee
  selectinLoad(Project, "lead").selectinPolymorphic([Project]);
});

test("joins, any, has and paths lead to a subclass", async () => {
  const led = select(Project).join("lead", { ofType: Engineer });
  const rows = await session.execute(
    led
      .columns((project, engineer) => [project.title, engineer.language, engineer])
      .orderBy((_, lead) => lead.language),
  );
  expectTypeOf(rows.all()).toEqualTypeOf<[string, string | null, Engineer][]>();
  select(Project)
    .join(Project, "lead", { ofType: withPolymorphic(Employee, { Engineer }) })
    .where((_, lead) => and(lead.name.eq("ed"), lead.Engineer.language.eq("ts")));
  const outer = select(Project)
    .outerJoin("lead", { ofType: Manager })
    .columns((_, manager) => [manager, manager.name]);
  expectTypeOf((await session.execute(outer)).all()).toEqualTypeOf<[Manager | null, string | null][]>();
  select(Project).where((project) => project.lead.ofType(Engineer).has((engineer) => engineer.language.eq("ts")));
  select(Project).where((project) => project.lead.ofType(Manager).has({ level: 3 }));
  const path = selectinLoad(Project, "lead").ofType(Engineer);
  expectTypeOf(path).toEqualTypeOf<LoaderPath<typeof Engineer>>();
  path.selectinLoad("projects");
  expectTypeOf(selectinLoad(Project, "lead").ofType(withPolymorphic(Employee, "*"))).toEqualTypeOf<
    LoaderPath<typeof Employee>
  >();
  // @ts-expect-error Project is no Employee
  select(Project).join("lead", { ofType: Project });
  // @ts-expect-error Project is no Employee
  selectinLoad(Project, "lead").ofType(Project);
  // @ts-expect-error Project is no Employee
  select(Project).where((project) => project.lead.ofType(Project).has());
  // @ts-expect-error title is no relationship
  select(Project).where((project) => project.title.ofType(Project));
});

class Shape extends model("shapes", { id: integer().primaryKey(), name: text() }) {}
class Circle extends inherit(Shape, { concrete: true, table: "circles" }, { radius: integer() }) {}

test("a concrete subclass has all columns, and is read together with its parent", async () => {
  new Circle({ name: "c", radius: 1 });
  expectTypeOf((await session.scalars(select(Circle).where({ name: "c", radius: 1 }))).all()).toEqualTypeOf<Circle[]>();
  const shapes = select(withPolymorphic(Shape, { Circle })).columns((shape) => [shape, shape.Circle.radius]);
  expectTypeOf((await session.execute(shapes)).all()).toEqualTypeOf<[Shape, number | null][]>();
  // @ts-expect-error it has a table of its own
  inherit(Shape, { concrete: true }, {});
  // @ts-expect-error nothing tells its rows apart, because nothing has to
  inherit(Shape, { concrete: true, table: "squares", identity: "square" }, {});
  // @ts-expect-error a subclass has an identity, or is concrete
  inherit(Shape, { table: "squares" }, {});
});
