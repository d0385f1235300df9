import { inherit, integer, many, Metadata, model, one, select, type Session, table, text } from "../src/index.ts";

/** Models with a relationship of every kind, versions, a hierarchy over two tables, and a key of two columns. */
export const metadata = new Metadata();
const id = integer().primaryKey();

export class Owner extends model(
  "owners",
  {
    id,
    name: text(),
    version: integer(),
    favorite_id: integer().nullable().references("pets.id"),
    get pets() {
      return many(Pet, {
        backPopulates: "owner",
        foreignKey: "owner_id",
        cascade: "all, delete-orphan",
        orderBy: "id",
      });
    },
    get favorite() {
      return one(Pet, { foreignKey: "favorite_id", postUpdate: true });
    },
    get badges() {
      return many(Badge, { secondary: "owner_badges", backPopulates: "owners", orderBy: "id" });
    },
  },
  { metadata, version: "version" },
) {}

export class Pet extends model(
  "pets",
  {
    id,
    name: text(),
    owner_id: integer().references("owners.id"),
    note: text().default("none"),
    changes: integer().nullable().onupdate(7),
    get owner() {
      return one(Owner, { backPopulates: "pets", foreignKey: "owner_id" });
    },
    get toys() {
      return many(Toy, { backPopulates: "pet", orderBy: "id" });
    },
  },
  { metadata },
) {}

export class Toy extends model(
  "toys",
  {
    id,
    name: text(),
    pet_id: integer().nullable().references("pets.id"),
    get pet() {
      return one(Pet, { backPopulates: "toys" });
    },
  },
  { metadata },
) {}

export class Badge extends model(
  "badges",
  {
    id,
    name: text(),
    get owners() {
      return many(Owner, { secondary: "owner_badges", backPopulates: "badges", orderBy: "id" });
    },
  },
  { metadata },
) {}

table(
  "owner_badges",
  {
    owner_id: integer().primaryKey().references("owners.id"),
    badge_id: integer().primaryKey().references("badges.id"),
  },
  { metadata },
);

export class Node extends model(
  "nodes",
  {
    id,
    name: text(),
    parent_id: integer().nullable().references("nodes.id"),
    get parent() {
      return one(Node, { backPopulates: "children" });
    },
    get children() {
      return many(Node, { backPopulates: "parent", cascade: "all", orderBy: "id" });
    },
  },
  { metadata },
) {}

export class Vehicle extends model(
  "vehicles",
  { id, kind: text(), name: text(), version: integer() },
  { metadata, polymorphicOn: "kind", identity: "vehicle", version: "version" },
) {}

export class Car extends inherit(
  Vehicle,
  { identity: "car", table: "cars" },
  {
    id: integer().primaryKey().references("vehicles.id"),
    doors: integer(),
    get seats() {
      return many(Seat, { backPopulates: "car", cascade: "all, delete-orphan", orderBy: "place" });
    },
  },
) {}

export class Seat extends model(
  "seats",
  {
    car_id: integer().primaryKey().references("cars.id"),
    place: integer().primaryKey(),
    name: text(),
    get car() {
      return one(Car, { backPopulates: "seats" });
    },
  },
  { metadata },
) {}

export const models = [Owner, Pet, Toy, Badge, Node, Vehicle, Car, Seat] as const;

/** Each relationship by the name of its class. */
export const relationships: Readonly<Record<string, readonly string[]>> = {
  Owner: ["pets", "favorite", "badges"],
  Pet: ["owner", "toys"],
  Toy: ["pet"],
  Badge: ["owners"],
  Node: ["parent", "children"],
  Vehicle: [],
  Car: ["seats"],
  Seat: ["car"],
};

/** The instances that a program may still use, by class. */
export interface World {
  owners: Owner[];
  pets: Pet[];
  toys: Toy[];
  badges: Badge[];
  nodes: Node[];
  vehicles: Vehicle[];
  cars: Car[];
  seats: Seat[];
}

/** Saves what every program starts from. */
export function saveWorld(session: Session): void {
  const badges = ["badge 1", "badge 2", "badge 3"].map((name) => new Badge({ name }));
  for (const number of [1, 2, 3]) {
    const pets = ["a", "b"].map((letter) => new Pet({ name: `pet ${number}${letter}` }));
    pets[0]?.toys.push(new Toy({ name: `toy ${number}` }));
    const owner = new Owner({ name: `owner ${number}`, pets, badges: badges.slice(0, number) });
    if (number < 3) owner.favorite = pets[1] as Pet;
    session.add(owner);
  }
  const root = new Node({ name: "root" });
  for (const name of ["left", "right"])
    root.children.push(new Node({ name, children: [new Node({ name: `${name} child` })] }));
  session.add(root);
  session.add(new Vehicle({ name: "cart" }));
  for (const number of [1, 2]) {
    const seats = [1, 2].map((place) => new Seat({ place, name: `seat ${number}${place}` }));
    session.add(new Car({ name: `car ${number}`, doors: number + 1, seats }));
  }
}

/** Loads all of it, without relationships. */
export async function loadWorld(session: Session): Promise<World> {
  const vehicles = (await session.scalars(select(Vehicle).orderBy(({ id: key }) => key))).all();
  return {
    owners: (await session.scalars(select(Owner).orderBy(({ id: key }) => key))).all(),
    pets: (await session.scalars(select(Pet).orderBy(({ id: key }) => key))).all(),
    toys: (await session.scalars(select(Toy).orderBy(({ id: key }) => key))).all(),
    badges: (await session.scalars(select(Badge).orderBy(({ id: key }) => key))).all(),
    nodes: (await session.scalars(select(Node).orderBy(({ id: key }) => key))).all(),
    vehicles: vehicles.filter((vehicle) => !(vehicle instanceof Car)),
    cars: vehicles.filter((vehicle) => vehicle instanceof Car),
    seats: (await session.scalars(select(Seat).orderBy(({ name }) => name))).all(),
  };
}
