import { inspect, type Instance, load, type Session } from "../src/index.ts";
import { Badge, Car, Node, Owner, Pet, Seat, Toy, type World } from "./many-kinds.ts";

/** Numbers that look random, and are the same for the same seed. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** A copy that goes on with the same numbers. */
  fork(): Random {
    return new Random(this.#state);
  }

  /** From 0 to below the limit. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) % limit;
  }

  pick<T>(items: readonly T[]): T | undefined {
    return items[this.below(Math.max(1, items.length))];
  }

  some<T>(items: readonly T[]): T[] {
    return items.filter(() => this.below(2) === 0);
  }
}

/** What a program does its operations to. */
interface Work {
  readonly session: Session;
  random: Random;
  world: World;
  /** Every instance that the program has constructed. */
  readonly made: Instance[];
  /** How many names and places were given. */
  count: number;
  /** Nodes that were moved or lost a child: they are not moved again, so that no two change places. */
  still: Set<Node>;
}

/** It has a row, or had one: a deleted instance stays in the collections that are loaded. */
const isSaved = (instance: Instance): boolean => ["persistent", "deleted"].includes(inspect(instance).lifecycle);

function make<T extends Instance>(work: Work, instance: T): T {
  work.made.push(instance);
  return instance;
}

function nameOf(work: Work, kind: string): string {
  return `new ${kind} ${++work.count}`;
}

function forget(work: Work, gone: Iterable<Instance>): void {
  const doomed = new Set(gone);
  const { world } = work;
  const keep = <T extends Instance>(instances: readonly T[]): T[] => instances.filter((each) => !doomed.has(each));
  work.world = {
    owners: keep(world.owners),
    pets: keep(world.pets),
    toys: keep(world.toys),
    badges: keep(world.badges),
    nodes: keep(world.nodes),
    vehicles: keep(world.vehicles),
    cars: keep(world.cars),
    seats: keep(world.seats),
  };
}

/** A row that somebody's favourite refers to cannot go. */
async function clearFavorites(work: Work, pets: readonly Pet[]): Promise<void> {
  for (const owner of work.world.owners)
    if (pets.includes((await load(owner, "favorite")) as Pet)) owner.favorite = null;
}

async function subtree(node: Node): Promise<Node[]> {
  const children = await load(node, "children");
  const below: Node[] = [];
  for (const child of children) below.push(...(await subtree(child)));
  return [node, ...below];
}

function newPet(work: Work): Pet {
  const toys = work.random.below(2) === 0 ? [] : [make(work, new Toy({ name: nameOf(work, "toy") }))];
  work.world.toys.push(...toys);
  const pet = make(work, new Pet({ name: nameOf(work, "pet"), toys }));
  work.world.pets.push(pet);
  return pet;
}

function addOwner(work: Work, badges: readonly Badge[]): void {
  const pets = [newPet(work), newPet(work)];
  const owner = make(work, new Owner({ name: nameOf(work, "owner"), pets, badges: [...badges] }));
  if (work.random.below(2) === 0) owner.favorite = pets[1] as Pet;
  work.world.owners.push(owner);
  work.session.add(owner);
}

function addTree(work: Work, parent: Node | null): void {
  const children = [1, 2].map(() => make(work, new Node({ name: nameOf(work, "node") })));
  const node = make(work, new Node({ name: nameOf(work, "node"), parent, children }));
  work.world.nodes.push(node, ...children);
  work.session.add(node);
}

function addCar(work: Work): void {
  const seats = [1, 2].map((place) => make(work, new Seat({ place, name: nameOf(work, "seat") })));
  const car = make(work, new Car({ name: nameOf(work, "car"), doors: 3, seats }));
  work.world.cars.push(car);
  work.world.seats.push(...seats);
  work.session.add(car);
}

type Operation = (work: Work) => unknown;

/** New graphs that have nothing to do with what is there. */
export const additions: readonly Operation[] = [(work) => addOwner(work, []), (work) => addTree(work, null), addCar];

const operations: readonly Operation[] = [
  (work) => {
    const kinds = Object.values(work.world) as readonly (readonly { name: string }[])[];
    const named = work.random.pick(work.random.pick(kinds) ?? []);
    if (named !== undefined) named.name = nameOf(work, "name");
  },
  (work) => addOwner(work, work.random.some(work.world.badges)),
  async (work) => {
    const owner = work.random.pick(work.world.owners);
    if (owner === undefined) return;
    if (work.random.below(2) === 0) (await load(owner, "pets")).push(newPet(work));
    else {
      const pet = newPet(work);
      pet.owner = owner;
      work.session.add(pet);
    }
  },
  (work) => {
    const [pet, owner] = [work.random.pick(work.world.pets), work.random.pick(work.world.owners)];
    if (pet !== undefined && owner !== undefined) pet.owner = owner;
  },
  async (work) => {
    const pet = work.random.pick(work.world.pets);
    if (pet === undefined) return;
    const owner = (await load(pet, "owner")) as Owner;
    const pets = await load(owner, "pets");
    const toys = await load(pet, "toys");
    if (!isSaved(pet) || !toys.every(isSaved)) return;
    await clearFavorites(work, [pet]);
    if (work.random.below(2) === 0) pets.splice(pets.indexOf(pet), 1);
    else await work.session.delete(pet);
    forget(work, [pet]);
  },
  async (work) => {
    const owner = work.random.pick(work.world.owners);
    if (owner === undefined || !isSaved(owner)) return;
    const pets = await load(owner, "pets");
    for (const pet of pets) if (!(await load(pet, "toys")).every(isSaved)) return;
    if (![...pets, ...(await load(owner, "badges"))].every(isSaved)) return;
    await clearFavorites(work, pets);
    forget(work, [owner, ...pets]);
    await work.session.delete(owner);
  },
  (work) => {
    const owner = work.random.pick(work.world.owners);
    if (owner !== undefined)
      owner.favorite = work.random.below(3) === 0 ? null : (work.random.pick(work.world.pets) ?? null);
  },
  async (work) => {
    const owner = work.random.pick(work.world.owners);
    if (owner === undefined) return;
    await load(owner, "badges");
    owner.badges = work.random.some(work.world.badges);
  },
  (work) => {
    const badge = make(work, new Badge({ name: nameOf(work, "badge"), owners: work.random.some(work.world.owners) }));
    work.world.badges.push(badge);
    work.session.add(badge);
  },
  async (work) => {
    const badge = work.random.pick(work.world.badges);
    if (badge === undefined || !isSaved(badge) || !(await load(badge, "owners")).every(isSaved)) return;
    forget(work, [badge]);
    await work.session.delete(badge);
  },
  (work) => addTree(work, work.random.pick(work.world.nodes) ?? null),
  async (work) => {
    const [node, parent] = [work.random.pick(work.world.nodes), work.random.pick(work.world.nodes)];
    if (node === undefined || parent === undefined || work.still.has(node)) return;
    for (let above: Node | null = parent; above !== null; above = await load(above, "parent"))
      if (above === node) return;
    const old = await load(node, "parent");
    for (const each of [node, parent, old]) if (each !== null) work.still.add(each);
    node.parent = parent;
  },
  async (work) => {
    const node = work.random.pick(work.world.nodes);
    if (node === undefined) return;
    const nodes = await subtree(node);
    if (!nodes.every(isSaved) || nodes.length > 3) return;
    forget(work, nodes);
    await work.session.delete(node);
  },
  addCar,
  async (work) => {
    const car = work.random.pick(work.world.cars);
    if (car === undefined) return;
    car.doors = (await load(car, "doors")) + 1;
    const seat = make(work, new Seat({ place: 10 + ++work.count, name: nameOf(work, "seat") }));
    work.world.seats.push(seat);
    (await load(car, "seats")).push(seat);
  },
  async (work) => {
    const car = work.random.pick(work.world.cars);
    if (car === undefined) return;
    const [seat] = (await load(car, "seats")).splice(0, 1);
    if (seat !== undefined) forget(work, [seat]);
  },
  async (work) => {
    const car = work.random.pick(work.world.cars);
    if (car === undefined || !isSaved(car)) return;
    const seats = await load(car, "seats");
    if (!seats.every(isSaved)) return;
    forget(work, [car, ...seats]);
    await work.session.delete(car);
  },
  (work) => {
    const [toy, pet] = [work.random.pick(work.world.toys), work.random.pick(work.world.pets)];
    if (toy !== undefined) toy.pet = work.random.below(3) === 0 ? null : (pet ?? null);
  },
  async (work) => {
    const toy = work.random.pick(work.world.toys);
    if (toy === undefined || !isSaved(toy)) return;
    forget(work, [toy]);
    await work.session.delete(toy);
  },
];

/** What a program has constructed, and whether a savepoint that failed was rolled back and repeated. */
export interface Progress {
  readonly made: Instance[];
  hasRecovered: boolean;
}

/**
 * Does random things to a graph, the same for the same seed, and commits: some of it in flushes of their own, some inside of savepoints, of which some are rolled back.
 *
 * @param recovers whether it repeats a savepoint that fails, instead of giving up
 */
export async function runProgram(
  seed: number,
  session: Session,
  world: World,
  { recovers = false, progress = { made: [], hasRecovered: false } }: { recovers?: boolean; progress?: Progress } = {},
): Promise<void> {
  const work: Work = {
    session,
    random: new Random(seed),
    world,
    made: progress.made,
    count: 0,
    still: new Set(),
  };
  // The lists are the program's own.
  forget(work, []);
  const isAddition = seed % 8 === 0;
  const phases = isAddition ? 1 : 1 + work.random.below(3);
  for (let phase = 0; phase < phases; phase++) {
    if (isAddition) for (const addition of additions) await addition(work);
    else if (work.random.below(2) === 0) await operate(work);
    else await operateInside(work, recovers, progress);
    if (work.random.below(3) === 0) await session.flush();
  }
  await session.commit();
}

async function operate(work: Work): Promise<void> {
  for (let left = 2 + work.random.below(4); left > 0; left--) await work.random.pick(operations)?.(work);
}

/** Operations inside of a savepoint. */
async function operateInside(work: Work, recovers: boolean, progress: Progress): Promise<void> {
  const start = { world: work.world, count: work.count, random: work.random.fork(), still: new Set(work.still) };
  const attempt = async (again: Work): Promise<void> => {
    forget(again, []);
    const savepoint = await again.session.beginNested();
    try {
      await operate(again);
      if (again.random.below(3) > 0) return await savepoint.commit();
      await savepoint.rollback();
      again.world = start.world;
    } catch (error) {
      if (!recovers) throw error;
      if (!savepoint.isClosed) await savepoint.rollback();
      throw error;
    }
  };
  try {
    await attempt(work);
  } catch (error) {
    if (!recovers || !work.session.isActive || !work.session.inTransaction()) throw error;
    progress.hasRecovered = true;
    Object.assign(work, start);
    // What is assigned to an expired instance is written even if it equals the row, so nothing must be expired that was not before.
    for (const instance of Object.values(work.world).flat() as { name: string }[] & Instance[])
      if (isSaved(instance)) await load(instance as Toy, "name");
    await attempt(work);
  }
}
