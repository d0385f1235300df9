import { expect, test } from "vitest";
import { createAll, inherit, integer, many, Metadata, model, one, sessionmaker, text } from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { StatementLog } from "../statement-log.ts";

const metadata = new Metadata();
const id = integer().primaryKey();

class Vehicle extends model(
  "vehicles",
  {
    id,
    kind: text(),
    name: text(),
    owner_id: integer().nullable().references("owners.id"),
    get owner() {
      return one(Owner, { backPopulates: "vehicles" });
    },
  },
  { metadata, polymorphicOn: "kind", identity: "vehicle" },
) {}
class Car extends inherit(
  Vehicle,
  { identity: "car", table: "cars" },
  { id: integer().primaryKey().references("vehicles.id"), doors: integer() },
) {}
class Taxi extends inherit(
  Car,
  { identity: "taxi", table: "taxis" },
  { id: integer().primaryKey().references("cars.id"), sign: text() },
) {}
class Van extends inherit(Vehicle, { identity: "van" }, { load: integer().nullable() }) {}

class Owner extends model(
  "owners",
  {
    id,
    name: text(),
    get vehicles() {
      return many(Vehicle, { backPopulates: "owner", cascade: "all, delete-orphan", orderBy: "id" });
    },
  },
  { metadata },
) {}

forEachDatabase((db) => {
  test("a hierarchy over several tables is one batch: parents' tables are written first, and deleted from last", async () => {
    const engine = db.engine();
    await createAll(engine, { metadata });
    const log = new StatementLog(engine, [Owner, Vehicle]);
    await using session = sessionmaker(engine, { autoflush: false, models: [Owner, Vehicle, Car, Taxi, Van] })();
    const car = log.name("car", new Car({ name: "c", doors: 4 }));
    const taxi = log.name("taxi", new Taxi({ name: "t", doors: 5, sign: "s" }));
    const plain = log.name("plain", new Vehicle({ name: "p" }));
    const van = log.name("van", new Van({ name: "v", load: 9 }));
    const owner = log.name("o", new Owner({ name: "o", vehicles: [van, taxi, plain, car] }));
    session.add(owner);
    await session.flush();
    expect(log.take()).toEqual([
      "beforeInsert o",
      'INSERT owners (name) ["o"]',
      "afterInsert o",
      "beforeInsert van",
      "beforeInsert taxi",
      "beforeInsert plain",
      "beforeInsert car",
      'INSERT vehicles (kind, name, owner_id, load) ["van","v",1,9]',
      'INSERT vehicles (kind, name, owner_id) ["taxi","t",1] ["vehicle","p",1] ["car","c",1]',
      "INSERT cars (id, doors) [2,5] [4,4]",
      'INSERT taxis (id, sign) [2,"s"]',
      "afterInsert van",
      "afterInsert taxi",
      "afterInsert plain",
      "afterInsert car",
    ]);
    taxi.sign = "S";
    taxi.name = "T";
    car.doors = 2;
    van.load = 8;
    await session.flush();
    expect(log.take()).toEqual([
      "beforeUpdate van",
      "beforeUpdate taxi",
      "beforeUpdate car",
      "UPDATE vehicles SET load WHERE id [8,1]",
      'UPDATE vehicles SET name WHERE id ["T",2]',
      "UPDATE cars SET doors WHERE id [2,4]",
      'UPDATE taxis SET sign WHERE id ["S",2]',
      "afterUpdate van",
      "afterUpdate taxi",
      "afterUpdate car",
    ]);
    taxi.doors = 3;
    await session.flush();
    expect(log.take()).toEqual(["beforeUpdate taxi", "UPDATE cars SET doors WHERE id [3,2]", "afterUpdate taxi"]);
    owner.vehicles.push(log.name("c2", new Car({ name: "c2", doors: 1 })));
    owner.vehicles.splice(owner.vehicles.indexOf(plain), 1);
    taxi.sign = "x";
    await session.flush();
    expect(log.take()).toEqual([
      "beforeUpdate o",
      "afterUpdate o",
      "beforeInsert c2",
      "beforeUpdate taxi",
      'INSERT vehicles (kind, name, owner_id) ["car","c2",1]',
      "INSERT cars (id, doors) [5,1]",
      'UPDATE taxis SET sign WHERE id ["x",2]',
      "afterInsert c2",
      "afterUpdate taxi",
      "beforeDelete plain",
      "DELETE vehicles WHERE id [3]",
      "afterDelete plain",
    ]);
    await session.delete(owner);
    await session.flush();
    expect(log.take()).toEqual([
      "beforeDelete van",
      "beforeDelete taxi",
      "beforeDelete car",
      "beforeDelete c2",
      "DELETE taxis WHERE id [2]",
      "DELETE cars WHERE id [2] [4] [5]",
      "DELETE vehicles WHERE id [1] [2] [4] [5]",
      "afterDelete van",
      "afterDelete taxi",
      "afterDelete car",
      "afterDelete c2",
      "beforeDelete o",
      "DELETE owners WHERE id [1]",
      "afterDelete o",
    ]);
  });
});
