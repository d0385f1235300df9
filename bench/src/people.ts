import { createHash } from "node:crypto";
import { seededRandom } from "./seeded-random.ts";

/** What a person is made of, before the database gives it a key. */
export interface PersonValues {
  readonly name: string;
  readonly email: string;
  readonly city: string;
  readonly bio: string;
  readonly age: number;
  readonly visits: number;
  readonly score: number;
  readonly active: boolean;
  readonly createdAt: Date;
}

/** A person as every contender must hand it out: ten columns, typed as JavaScript has them. */
export interface Person {
  readonly id: number;
  readonly name: string;
  readonly email: string;
  readonly city: string;
  readonly bio: string;
  readonly age: number;
  readonly visits: number;
  readonly score: number;
  readonly active: boolean;
  readonly createdAt: Date;
}

/** What the update workload assigns to one person. */
export interface PersonChange {
  readonly city: string;
  readonly visits: number;
}

/** What is asked for in a search: the first few active people behind a key who are old enough, as a page of a list is. */
export interface Search {
  readonly after: number;
  readonly minAge: number;
}

/** How many people a search finds at most. */
export const pageSize = 5;

const firstNames = ["Ann", "Boris", "Chiara", "Dmitri", "Eun-ji", "Fatima", "Grégoire", "Hana", "Ishaan", "Jürgen"];
const lastNames = ["Abe", "Brown", "Costa", "Diallo", "Evans", "Fischer", "García", "Huang", "Ivanova", "Jensen"];
const cities = ["Porto", "Zürich", "Osaka", "Dakar", "Leeds", "Pune", "Quito", "Turku", "Lyon", "Split"];
const words = "gold iron salt fire water glass lead vapour ash copper mercury flask bellows ember crucible".split(" ");

/** So many people, the same on every run and every machine. */
export function makePeople(count: number): PersonValues[] {
  const random = seededRandom(20_260_101);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  return Array.from({ length: count }, (_, index) => ({
    name: `${pick(firstNames)} ${pick(lastNames)}`,
    email: `person${index}@example.com`,
    city: pick(cities),
    bio: Array.from({ length: 8 }, () => pick(words)).join(" "),
    age: 18 + Math.floor(random() * 70),
    visits: Math.floor(random() * 1000),
    score: Math.round(random() * 1e6) / 1e4,
    active: random() < 0.7,
    createdAt: new Date(1_700_000_000_000 + Math.floor(random() * 60_000_000_000)),
  }));
}

/** So many searches, other ones in each round. */
export function makeSearches(count: number, among: number, round: number): Search[] {
  return Array.from({ length: count }, (_, index) => ({
    after: ((index + round) * 7919) % among,
    minAge: 20 + ((index * 31 + round) % 30),
  }));
}

/** The change of the person at this index in this round: two values that differ from those of any round before. */
export function changeOf(index: number, round: number): PersonChange {
  return { city: `${cities[(index + round) % cities.length]} ${round}`, visits: 1000 + round * 10 + (index % 10) };
}

/** A digest of people in their order. It refuses a value that is not of its type, so that nobody skips the conversions. */
export function digest(people: Iterable<Person>): string {
  const hash = createHash("sha256");
  for (const { id, name, email, city, bio, age, visits, score, active, createdAt } of people) {
    const isTyped =
      Number.isInteger(id) && typeof score === "number" && typeof active === "boolean" && createdAt instanceof Date;
    if (!isTyped) throw new TypeError(`The person ${String(id)} has a value that was not converted.`);
    hash.update(JSON.stringify([id, name, email, city, bio, age, visits, score, active, createdAt]));
  }
  return hash.digest("hex");
}
