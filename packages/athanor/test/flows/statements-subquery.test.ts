import { describe, expect, test } from "vitest";
import {
  aliased,
  attributes,
  exists,
  func,
  integer,
  listen,
  many,
  Metadata,
  model,
  one,
  Select,
  select,
  type Session,
  text,
  update,
  withLoaderCriteria,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { type OpenSessions, openSessions } from "./open-sessions.ts";

const metadata = new Metadata();

class Team extends model(
  "teams",
  {
    id: integer().primaryKey(),
    name: text(),
    get members() {
      return many(Employee, { backPopulates: "team", orderBy: "id" });
    },
  },
  { metadata },
) {}

class Employee extends model(
  "employees",
  {
    id: integer().primaryKey(),
    name: text(),
    salary: integer(),
    teamId: integer().nullable().references("teams.id"),
    get team() {
      return one(Team, { backPopulates: "members" });
    },
  },
  { metadata },
) {}

async function story(opened: OpenSessions): Promise<Session> {
  const session = opened.SessionLocal();
  const [red, blue] = [new Team({ name: "red" }), new Team({ name: "blue" })];
  session.addAll([
    red,
    blue,
    new Employee({ name: "ann", salary: 10, team: red }),
    new Employee({ name: "bob", salary: 30, team: red }),
    new Employee({ name: "cid", salary: 20 }),
  ]);
  await session.commit();
  return session;
}

const names = async (session: Session, statement: Select<{ name: string }>): Promise<string[]> =>
  (await session.scalars(statement))
    .all()
    .map(({ name }) => name)
    .toSorted();

forEachDatabase((db) => {
  const open = (): Promise<OpenSessions> => openSessions(db, metadata, [Team, Employee]);

  describe("a subquery", () => {
    test("gives a list of values to in and notIn", async () => {
      await using session = await story(await open());
      const paid = (least: number): Select<[number | null], [typeof Employee], "columns"> =>
        select(Employee)
          .where((employee) => employee.salary.gte(least))
          .where((employee) => employee.teamId.isNotNull())
          .columns((employee) => [employee.teamId]);
      const teams = select(Team);
      expect(
        await names(
          session,
          teams.where((team) => team.id.in(paid(20))),
        ),
      ).toEqual(["red"]);
      expect(
        await names(
          session,
          teams.where((team) => team.id.in(paid(40))),
        ),
      ).toEqual([]);
      expect(
        await names(
          session,
          teams.where((team) => team.id.notIn(paid(20))),
        ),
      ).toEqual(["blue"]);
    });

    test("of one row is a value, and may compare with the statement around it", async () => {
      await using session = await story(await open());
      const rows = await session.execute(
        select(Team)
          .orderBy((team) => team.name)
          .columns((team) => ({
            name: team.name,
            members: select(Employee)
              .where((employee) => employee.teamId.eq(team.id))
              .columns(() => [func.count()])
              .scalarSubquery(),
          })),
      );
      expect(rows.all()).toEqual([
        { name: "blue", members: 0 },
        { name: "red", members: 2 },
      ]);
      const largest = select(Employee)
        .columns((employee) => [func.max(employee.salary)])
        .scalarSubquery();
      const colleagues = select(Team).where((team) =>
        exists(
          select(Employee)
            .where((employee) => employee.teamId.eq(team.id))
            .where((employee) => employee.salary.eq(30)),
        ),
      );
      expect(await names(session, colleagues)).toEqual(["red"]);
      const other = aliased(Employee, "other");
      const top = select(other).where((employee) => employee.salary.eq(largest));
      expect((await session.scalars(top)).all().map(({ name }) => name)).toEqual(["bob"]);
    });

    test("of the class around it needs another name, and says so", async () => {
      await using session = await story(await open());
      const other = aliased(Employee, "other");
      const above = select(Employee).where((employee) =>
        employee.salary.gt(
          select(other)
            .where((colleague) => colleague.teamId.eq(employee.teamId))
            .columns((colleague) => [func.avg(colleague.salary)])
            .scalarSubquery(),
        ),
      );
      expect(await names(session, above)).toEqual(["bob"]);
      const shadowed = select(Employee).where((employee) =>
        exists(select(Employee).where((colleague) => colleague.salary.gt(employee.salary))),
      );
      await expect(session.scalars(shadowed)).rejects.toThrow(
        'A subquery of Employee reads "employees", and so does the statement around it',
      );
      const raise = (than: typeof Employee | typeof other) =>
        update(Employee)
          .values({ salary: 100 })
          .where((employee) =>
            employee.salary.lt(
              select(than as typeof Employee)
                .where((colleague) => colleague.teamId.eq(employee.teamId))
                .columns((colleague) => [func.avg(colleague.salary)])
                .scalarSubquery(),
            ),
          );
      await expect(session.execute(raise(Employee))).rejects.toThrow(
        /so what it compares would be compared with itself/,
      );
      expect((await session.execute(raise(other))).rowCount).toBe(1);
      await session.rollback();
      const pairs = select(Employee)
        .join(other, (employee, colleague) => colleague.teamId.eq(employee.teamId))
        .where(() => attributes(other).salary.gt(20));
      expect(await names(session, pairs)).toEqual(["ann", "bob"]);
    });

    test("keeps to the criteria of the statement around it", async () => {
      await using session = await story(await open());
      listen(session, "doOrmExecute", (event) => {
        if (event.statement instanceof Select)
          event.statement = event.statement.options(
            withLoaderCriteria(Employee, (employee) => employee.name.ne("bob")),
          );
      });
      const teamIds = select(Employee)
        .where((employee) => employee.salary.gte(20))
        .columns((employee) => [employee.teamId]);
      expect(
        await names(
          session,
          select(Team).where((team) => team.id.in(teamIds)),
        ),
      ).toEqual([]);
      const members = select(Team)
        .where({ name: "red" })
        .columns((team) => [
          select(Employee)
            .where((employee) => employee.teamId.eq(team.id))
            .columns(() => [func.count()])
            .scalarSubquery(),
        ]);
      expect(await session.scalar(members)).toBe(1);
      const other = aliased(Employee, "other");
      expect(await names(session, select(other) as never)).toEqual(["ann", "cid"]);
      expect(
        await names(
          session,
          select(Team).where((team) =>
            exists(
              select(other)
                .where((employee) => employee.teamId.eq(team.id))
                .where({ name: "bob" }),
            ),
          ),
        ),
      ).toEqual([]);
    });

    test("that is no column, or has options of its own, is refused", async () => {
      await using session = await story(await open());
      expect(() => select(Employee).scalarSubquery()).toThrow(
        /takes a statement of one column, and this one of Employee selects instances/,
      );
      expect(() => attributes(Team).id.in(select(Employee) as never)).toThrow(/in\(\) takes a statement of one column/);
      const filtered = select(Employee).options(withLoaderCriteria(Employee, (employee) => employee.salary.gt(1)));
      await expect(session.scalars(select(Team).where(() => exists(filtered)))).rejects.toThrow(/has options/);
    });
  });
});
