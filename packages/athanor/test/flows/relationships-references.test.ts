import { describe, expect, test } from "vitest";
import {
  createAll,
  inherit,
  inspect,
  integer,
  listen,
  load,
  many,
  Metadata,
  model,
  one,
  select,
  sessionmaker,
  text,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";

const metadata = new Metadata();

class Author extends model("authors", { id: integer().primaryKey(), name: text() }, { metadata }) {}
class Book extends model(
  "books",
  {
    id: integer().primaryKey(),
    get author() {
      return one(Author, { foreignKey: "author_id" });
    },
    author_id: integer().nullable().references("authors.id"),
  },
  { metadata },
) {}

class Employee extends model(
  "employees",
  {
    id: integer().primaryKey(),
    kind: text(),
    manager_id: integer().nullable().references("managers.id"),
    get manager() {
      return one(Manager, { backPopulates: "reports", foreignKey: "manager_id" });
    },
  },
  { metadata, polymorphicOn: "kind", identity: "employee" },
) {}
class Manager extends inherit(
  Employee,
  { identity: "manager", table: "managers" },
  {
    id: integer().primaryKey().references("employees.id"),
    level: integer().nullable(),
    get reports() {
      return many(Employee, { backPopulates: "manager", foreignKey: "manager_id", orderBy: "id" });
    },
  },
) {}

let changes = 0;

class Team extends model(
  "teams",
  {
    id: integer().primaryKey(),
    captain_id: integer().nullable().references("players.id"),
    get captain() {
      return one(Player, { foreignKey: "captain_id", postUpdate: true });
    },
    changes: integer()
      .default(0)
      .onupdate(() => ++changes),
  },
  { metadata },
) {}
class Player extends model(
  "players",
  {
    id: integer().primaryKey(),
    team_id: integer().nullable().references("teams.id"),
    get team() {
      return one(Team, { foreignKey: "team_id" });
    },
  },
  { metadata },
) {}

test("a subclass that its parent class refers to may be the first class that is used", () => {
  // The tests below do not touch Manager before, and neither do their imports.
  expect(new Manager({}).kind).toBe("manager");
});

describe("references", () => {
  forEachDatabase((database) => {
    test("a reference that was emptied and written can be assigned again", async () => {
      const engine = database.engine();
      await createAll(engine, { metadata });
      await using session = sessionmaker(engine)();
      const author = new Author({ name: "Ada" });
      const book = new Book({ author });
      session.add(book);
      await session.flush();
      book.author = null;
      await session.flush();
      expect(book.author_id).toBe(null);
      book.author = author;
      await session.flush();
      expect(book.author_id).toBe(author.id);
    });

    test("a reference that is written alone wins over a foreign key that was assigned beside it", async () => {
      const engine = database.engine();
      await createAll(engine, { metadata });
      await using session = sessionmaker(engine)();
      const [ann, bob] = [new Player({}), new Player({})];
      const team = new Team({ captain: ann });
      session.addAll([ann, bob, team]);
      await session.commit();
      await session.refresh(team);
      team.captain_id = bob.id;
      team.captain = null;
      await session.commit();
      await session.refresh(team);
      expect(team.captain_id).toBe(null);

      // Back to what the row had before: the UPDATE of the row itself has written the key in between.
      team.captain = ann;
      await session.commit();
      await load(team, "captain");
      const before = team.captain;
      team.captain = bob;
      await session.flush();
      team.captain_id = ann.id;
      team.captain = before;
      team.captain_id = bob.id;
      await session.commit();
      await session.refresh(team);
      expect(team.captain_id).toBe(ann.id);

      const late = new Team({ captain_id: ann.id, captain: null });
      session.add(late);
      await session.commit();
      await session.refresh(late);
      expect(late.captain_id).toBe(null);
    });

    test("a reference to nothing is loaded where other columns of the subclass are not", async () => {
      const engine = database.engine();
      await createAll(engine, { metadata });
      await sessionmaker(engine).begin((session) => session.add(new Manager({})));

      await using session = sessionmaker(engine)();
      const manager = (await session.scalars(select(Employee))).one();
      expect(inspect(manager).unloaded).toContain("level");
      expect(await load(manager, "manager")).toBeNull();
    });

    test("a reference that is written alone counts as an update of its row", async () => {
      const engine = database.engine();
      await createAll(engine, { metadata });
      await using session = sessionmaker(engine)();
      const team = new Team({});
      session.addAll([team, new Player({ team })]);
      await session.flush();
      expect(team.changes).toBe(0);
      changes = 0;
      const refreshed: unknown[] = [];
      using _listening = listen(Team, "refreshFlush", ({ attrs }) => refreshed.push(attrs));
      const player = (await session.get(Player, 1)) as Player;
      team.captain = player;
      await session.flush();
      expect([team.changes, refreshed]).toEqual([1, [["changes"]]]);

      // What the program has set stays.
      team.captain = null;
      team.changes = 7;
      await session.commit();
      await session.refresh(team);
      expect([team.captain_id, team.changes]).toEqual([null, 7]);

      const late = new Team({ captain: player });
      session.add(late);
      await session.delete(team);
      player.team = null;
      await session.commit();
      await session.refresh(late);
      expect([late.captain_id, late.changes]).toEqual([player.id, 2]);
    });

    test("a member that left an unloaded collection and was added again is referred to again", async () => {
      const engine = database.engine();
      await createAll(engine, { metadata });
      await using session = sessionmaker(engine)();
      const boss = new Manager({});
      const employee = new Employee({ manager: boss });
      session.add(employee);
      await session.commit();
      employee.manager = null;
      await session.flush();
      session.add(new Employee({ manager: boss }));
      employee.manager = boss;
      await session.commit();
      await session.refresh(employee);
      expect(employee.manager_id).toBe(boss.id);
    });
  });
});
