import {
  createAll,
  type Engine,
  inherit,
  inspect,
  integer,
  listen,
  many,
  Metadata,
  model,
  one,
  type Session,
  type SessionMaker,
  sessionmaker,
  text,
  timestamp,
} from "../../src/index.ts";
import type { Database } from "../databases.ts";

/** SQLAlchemy's company: a hierarchy with tables of their own and shared ones, above each other in both ways, whose classes have relationships. */
export const metadata = new Metadata();
const id = integer().primaryKey();

export class Company extends model(
  "companies",
  {
    id,
    name: text(),
    get employees() {
      return many(Employee, { backPopulates: "company", orderBy: "id" });
    },
  },
  { metadata },
) {}

export class Employee extends model(
  "employees",
  {
    id,
    kind: text(),
    name: text(),
    companyId: integer().nullable().references("companies.id"),
    get company() {
      return one(Company, { backPopulates: "employees" });
    },
  },
  { metadata, polymorphicOn: "kind", identity: "employee" },
) {}

export class Engineer extends inherit(
  Employee,
  { identity: "engineer", table: "engineers" },
  {
    id: integer().primaryKey().references("employees.id"),
    language: text(),
    since: timestamp().nullable(),
    get projects() {
      return many(Project, { backPopulates: "engineer", orderBy: "id" });
    },
  },
) {}

/** In the table of engineers. */
export class Architect extends inherit(Engineer, { identity: "architect" }, { style: text().nullable() }) {}

export class Manager extends inherit(
  Employee,
  { identity: "manager", table: "managers" },
  {
    id: integer().primaryKey().references("employees.id"),
    level: integer().default(1),
    officeId: integer().nullable().references("offices.id"),
    get office() {
      return one(Office);
    },
  },
) {}

export class Director extends inherit(
  Manager,
  { identity: "director", table: "directors" },
  { id: integer().primaryKey().references("managers.id"), car: text() },
) {}

/** In the table of all employees. */
export class Clerk extends inherit(Employee, { identity: "clerk" }, { desk: integer().nullable() }) {}

export class Project extends model(
  "projects",
  {
    id,
    title: text(),
    engineerId: integer().nullable().references("engineers.id"),
    get engineer() {
      return one(Engineer, { backPopulates: "projects" });
    },
  },
  { metadata },
) {}

export class Office extends model("offices", { id, city: text() }, { metadata }) {}

export const models = [Company, Employee, Engineer, Architect, Manager, Director, Clerk, Project, Office] as const;

/** An open company, and what its sessions ask. */
export interface OpenCompany {
  readonly engine: Engine;
  readonly SessionLocal: SessionMaker;
  readonly session: Session;
  /** The tables of the SELECTs since the last time, one entry for each statement. */
  readonly selects: () => string[];
}

/** One of each class in two companies, and a session that has seen none of them. */
export async function openCompany(db: Database): Promise<OpenCompany> {
  const engine = db.engine();
  await createAll(engine, { metadata });
  const SessionLocal = sessionmaker(engine, { models });
  await SessionLocal.begin((session) => {
    const oslo = new Office({ id: 1, city: "oslo" });
    session.addAll([
      oslo,
      new Company({ id: 1, name: "krab" }),
      new Company({ id: 2, name: "bucket" }),
      new Employee({ id: 1, name: "eve", companyId: 1 }),
      new Engineer({ id: 2, name: "ed", companyId: 1, language: "ts", since: new Date(0) }),
      new Architect({ id: 3, name: "ada", companyId: 2, language: "c", style: "gothic" }),
      new Manager({ id: 4, name: "max", companyId: 1, level: 2, office: oslo }),
      new Director({ id: 5, name: "dan", companyId: 2, level: 5, car: "red", office: oslo }),
      new Clerk({ id: 6, name: "cleo", companyId: 1, desk: 7 }),
    ]);
    session.addAll([
      new Project({ id: 1, title: "bridge", engineerId: 2 }),
      new Project({ id: 2, title: "tower", engineerId: 3 }),
      new Project({ id: 3, title: "tunnel", engineerId: 2 }),
    ]);
  });
  const statements: string[] = [];
  listen(engine, "beforeCursorExecute", ({ statement }) => {
    if (statement.startsWith("select"))
      statements.push([...new Set(statement.match(/(?<=(?:from|join) ")\w+/g))].join(" "));
  });
  return { engine, SessionLocal, session: SessionLocal(), selects: () => statements.splice(0) };
}

/** What is in memory of employees: class, then the values that are loaded. */
export function inMemory(employees: Iterable<Employee>): unknown[] {
  return [...employees].map((employee) => {
    const unloaded = inspect(employee).unloaded;
    const values = inspect(employee).mapper.columnProperties.flatMap(({ key }) =>
      ["id", "kind", "name", "companyId"].includes(key)
        ? []
        : [unloaded.has(key) ? `no ${key}` : (employee as unknown as Record<string, unknown>)[key]],
    );
    return [employee.constructor.name, employee.id, employee.kind, employee.name, ...values];
  });
}

/** Everything in memory of everyone. */
export const everyone: readonly unknown[] = [
  ["Employee", 1, "employee", "eve"],
  ["Engineer", 2, "engineer", "ed", "ts", new Date(0)],
  ["Architect", 3, "architect", "ada", "c", null, "gothic"],
  ["Manager", 4, "manager", "max", 2, 1],
  ["Director", 5, "director", "dan", 5, 1, "red"],
  ["Clerk", 6, "clerk", "cleo", 7],
];
