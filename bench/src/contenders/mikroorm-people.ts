import { defineEntity, type EntityManager, MikroORM, NodeSqliteDialect, p, SqliteDriver } from "@mikro-orm/sql";
import type { PendingUpdate, PeopleContender } from "../contender.ts";
import { pageSize, type Person, type PersonChange, type PersonValues, type Search } from "../people.ts";

const MikroPersonSchema = defineEntity({
  name: "MikroPerson",
  tableName: "people",
  properties: {
    id: p.integer().primary(),
    name: p.text(),
    email: p.text(),
    city: p.text(),
    bio: p.text(),
    age: p.integer(),
    visits: p.integer(),
    score: p.float(),
    active: p.boolean(),
    createdAt: p.datetime(),
  },
});

class MikroPerson extends MikroPersonSchema.class {}
MikroPersonSchema.setClass(MikroPerson);

/** MikroORM as its documentation shows it: a fork of the entity manager for each piece of work. */
class MikroOrmPeople implements PeopleContender {
  readonly name = "mikroorm";
  readonly #orm: MikroORM;

  constructor(orm: MikroORM) {
    this.#orm = orm;
  }

  async clear(): Promise<void> {
    await this.#fork().nativeDelete(MikroPerson, {});
    // Its table is created with AUTOINCREMENT, which goes on counting where the deleted rows ended.
    await this.#orm.em.getConnection().execute("delete from sqlite_sequence");
  }

  async insert(people: readonly PersonValues[]): Promise<void> {
    const em = this.#fork();
    em.persist(people.map((values) => em.create(MikroPerson, values)));
    await em.flush();
  }

  load(): Promise<readonly Person[]> {
    return this.#fork().find(MikroPerson, {}, { orderBy: { id: "asc" } });
  }

  async openUpdate(count: number): Promise<PendingUpdate> {
    const em = this.#fork();
    const people = await em.find(MikroPerson, {}, { orderBy: { id: "asc" }, limit: count });
    return {
      run: (changes: readonly PersonChange[]) => {
        people.forEach((person, index) => {
          const { city, visits } = changes[index] as PersonChange;
          person.city = city;
          person.visits = visits;
        });
        return em.flush();
      },
    };
  }

  async get(ids: readonly number[]): Promise<readonly Person[]> {
    const people: Person[] = [];
    for (const id of ids) people.push(await this.#fork().findOneOrFail(MikroPerson, id));
    return people;
  }

  async search(searches: readonly Search[]): Promise<readonly Person[]> {
    const found: Person[] = [];
    for (const { after, minAge } of searches) {
      const where = { active: true, id: { $gt: after }, age: { $gte: minAge } };
      found.push(...(await this.#fork().find(MikroPerson, where, { orderBy: { id: "asc" }, limit: pageSize })));
    }
    return found;
  }

  #fork(): EntityManager {
    return this.#orm.em.fork();
  }
}

/** MikroORM on the driver that the others use. */
export async function openMikroOrmPeople(): Promise<PeopleContender> {
  const orm = await MikroORM.init({
    driver: SqliteDriver,
    dbName: ":memory:",
    driverOptions: new NodeSqliteDialect(":memory:"),
    entities: [MikroPerson],
  });
  await orm.schema.create();
  return new MikroOrmPeople(orm as unknown as MikroORM);
}
