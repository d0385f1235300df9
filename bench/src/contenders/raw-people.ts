import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { PendingUpdate, PeopleContender } from "../contender.ts";
import { pageSize, type Person, type PersonChange, type PersonValues, type Search } from "../people.ts";

/** A row as the driver has it: SQLite knows neither booleans nor dates. */
interface PersonRow extends Omit<Person, "active" | "createdAt"> {
  active: boolean | number;
  createdAt: Date | string;
}

type PersonRowArray = readonly [number, string, string, string, string, number, number, number, number, string];

const columns = `id, name, email, city, bio, age, visits, score, active, created_at as "createdAt"`;

/** What someone writes by hand: prepared statements that are kept, plain objects, one transaction for what is written. */
export class RawPeople implements PeopleContender {
  readonly name: "raw" | "rawArrays" = "raw";
  readonly #database = new DatabaseSync(":memory:");
  readonly #insert: StatementSync;
  readonly #update: StatementSync;
  protected readonly selectAll: StatementSync;
  protected readonly selectFirst: StatementSync;
  protected readonly selectOne: StatementSync;
  protected readonly selectPage: StatementSync;

  constructor() {
    this.#database.exec(
      "create table people (id integer primary key, name text not null, email text not null, city text not null, bio text not null, " +
        "age integer not null, visits integer not null, score real not null, active integer not null, created_at text not null)",
    );
    const prepare = (sql: string): StatementSync => this.#database.prepare(sql);
    this.#insert = prepare(
      "insert into people (name, email, city, bio, age, visits, score, active, created_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    this.#update = prepare("update people set city = ?, visits = ? where id = ?");
    this.selectAll = prepare(`select ${columns} from people order by id`);
    this.selectFirst = prepare(`select ${columns} from people order by id limit ?`);
    this.selectOne = prepare(`select ${columns} from people where id = ?`);
    this.selectPage = prepare(
      `select ${columns} from people where active = ? and id > ? and age >= ? order by id limit ?`,
    );
  }

  async clear(): Promise<void> {
    this.#database.exec("delete from people");
  }

  insert(people: readonly PersonValues[]): readonly (number | bigint)[] {
    const ids: (number | bigint)[] = [];
    this.#inTransaction(() => {
      for (const { name, email, city, bio, age, visits, score, active, createdAt } of people) {
        const { lastInsertRowid } = this.#insert.run(
          name,
          email,
          city,
          bio,
          age,
          visits,
          score,
          active ? 1 : 0,
          createdAt.toISOString(),
        );
        ids.push(lastInsertRowid);
      }
    });
    return ids;
  }

  load(): readonly Person[] {
    return this.selectAll.all().map((row) => personOf(row as unknown as PersonRow));
  }

  async openUpdate(count: number): Promise<PendingUpdate> {
    const people = this.selectFirst.all(count).map((row) => personOf(row as unknown as PersonRow));
    return { run: (changes) => this.#saveChanges(people, changes) };
  }

  get(ids: readonly number[]): readonly Person[] {
    return ids.map((id) => personOf(this.selectOne.get(id) as unknown as PersonRow));
  }

  search(searches: readonly Search[]): readonly Person[] {
    const found: Person[] = [];
    for (const { after, minAge } of searches)
      for (const row of this.selectPage.all(1, after, minAge, pageSize))
        found.push(personOf(row as unknown as PersonRow));
    return found;
  }

  #saveChanges(people: readonly Person[], changes: readonly PersonChange[]): void {
    this.#inTransaction(() => {
      people.forEach((person, index) => {
        const { city, visits } = Object.assign(person, changes[index]);
        this.#update.run(city, visits, person.id);
      });
    });
  }

  #inTransaction(work: () => void): void {
    this.#database.exec("begin");
    work();
    this.#database.exec("commit");
  }
}

/**
 * The same by someone who knows that the driver makes arrays more quickly than objects, and builds the objects from those: as fast as reading gets
 * without an ORM. No target refers to it.
 */
export class RawArraysPeople extends RawPeople {
  override readonly name = "rawArrays";

  constructor() {
    super();
    for (const statement of [this.selectAll, this.selectFirst, this.selectOne, this.selectPage])
      statement.setReturnArrays(true);
  }

  override load(): readonly Person[] {
    return this.selectAll.all().map((row) => personOfArray(row as unknown as PersonRowArray));
  }

  override get(ids: readonly number[]): readonly Person[] {
    return ids.map((id) => personOfArray(this.selectOne.get(id) as unknown as PersonRowArray));
  }

  override search(searches: readonly Search[]): readonly Person[] {
    const found: Person[] = [];
    for (const { after, minAge } of searches)
      for (const row of this.selectPage.all(1, after, minAge, pageSize))
        found.push(personOfArray(row as unknown as PersonRowArray));
    return found;
  }
}

/** The row itself, its two values converted in place: quicker than a copy. */
function personOf(row: PersonRow): Person {
  row.active = row.active === 1;
  row.createdAt = new Date(row.createdAt);
  return row as Person;
}

function personOfArray(row: PersonRowArray): Person {
  const [id, name, email, city, bio, age, visits, score, active, createdAt] = row;
  return { id, name, email, city, bio, age, visits, score, active: active === 1, createdAt: new Date(createdAt) };
}
