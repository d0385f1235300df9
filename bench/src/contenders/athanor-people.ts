import {
  and,
  attributes,
  boolean,
  createAll,
  createEngine,
  integer,
  listen,
  Metadata,
  model,
  real,
  select,
  type SessionMaker,
  sessionmaker,
  sql,
  text,
  timestamp,
} from "athanor";
import type { ContenderName, PendingUpdate, PeopleContender } from "../contender.ts";
import { pageSize, type Person, type PersonChange, type PersonValues, type Search } from "../people.ts";

const columns = {
  id: integer().primaryKey(),
  name: text(),
  email: text(),
  city: text(),
  bio: text(),
  age: integer(),
  visits: integer(),
  score: real(),
  active: boolean(),
  createdAt: timestamp(),
};

/** A class for each contender, so that the listeners of one are not the other's. */
const unheard = new Metadata();
class UnheardPerson extends model("people", columns, { metadata: unheard }) {}

const heard = new Metadata();
class HeardPerson extends model("people", columns, { metadata: heard }) {}

/** Athanor as its users write it. */
export class AthanorPeople implements PeopleContender {
  readonly name: ContenderName;
  readonly #class: typeof UnheardPerson | typeof HeardPerson;
  readonly #sessions: SessionMaker;

  constructor(name: ContenderName, personClass: typeof UnheardPerson | typeof HeardPerson, sessions: SessionMaker) {
    this.name = name;
    this.#class = personClass;
    this.#sessions = sessions;
  }

  async clear(): Promise<void> {
    await this.#sessions.engine.begin((connection) => connection.execute(sql`delete from people`));
  }

  async insert(people: readonly PersonValues[]): Promise<void> {
    await using session = this.#sessions();
    const Person = this.#class;
    session.addAll(people.map((values) => new Person(values)));
    await session.commit();
  }

  async load(): Promise<readonly Person[]> {
    await using session = this.#sessions();
    const everybody = select(this.#class).orderBy((person) => person.id);
    return (await session.scalars(everybody)).all();
  }

  async openUpdate(count: number): Promise<PendingUpdate> {
    const session = this.#sessions();
    const first = select(this.#class).orderBy((person) => person.id);
    const people = (await session.scalars(first.limit(count))).all();
    return {
      run: async (changes: readonly PersonChange[]) => {
        people.forEach((person, index) => {
          const { city, visits } = changes[index] as PersonChange;
          person.city = city;
          person.visits = visits;
        });
        await session.commit();
        await session.close();
      },
    };
  }

  async get(ids: readonly number[]): Promise<readonly Person[]> {
    const people: Person[] = [];
    for (const id of ids) {
      const session = this.#sessions();
      people.push((await session.get(this.#class, id)) as Person);
      await session.close();
    }
    return people;
  }

  async search(searches: readonly Search[]): Promise<readonly Person[]> {
    const found: Person[] = [];
    for (const { after, minAge } of searches) {
      const session = this.#sessions();
      const page = select(this.#class)
        .where({ active: true })
        .where((person) => and(person.id.gt(after), person.age.gte(minAge)))
        .orderBy((person) => person.id)
        .limit(pageSize);
      found.push(...(await session.scalars(page)).all());
      await session.close();
    }
    return found;
  }
}

/** Athanor where nobody listens. */
export async function openAthanorPeople(): Promise<PeopleContender> {
  const engine = createEngine("sqlite::memory:");
  await createAll(engine, { metadata: unheard });
  return new AthanorPeople("athanor", UnheardPerson, sessionmaker(engine));
}

/** Athanor with a listener that does nothing on each event that the insert and update workloads raise most. */
export async function openAthanorPeopleWithListeners(): Promise<PeopleContender> {
  const engine = createEngine("sqlite::memory:");
  await createAll(engine, { metadata: heard });
  listen(HeardPerson, "beforeInsert", () => {});
  listen(HeardPerson, "afterInsert", () => {});
  listen(attributes(HeardPerson).city, "set", () => {});
  return new AthanorPeople("athanorListeners", HeardPerson, sessionmaker(engine));
}
