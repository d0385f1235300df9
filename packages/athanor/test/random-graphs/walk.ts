import { deepStrictEqual } from "node:assert/strict";
import {
  type Engine,
  inspect,
  type Instance,
  listen,
  load,
  select,
  selectinLoad,
  type Session,
  type SessionTransaction,
  sessionmaker,
} from "../../src/index.ts";
import { assign, itemsIn, putIn, replaceAll, takeOut, valueOf } from "./contents.ts";
import { columns, type Edge, edges, isA, kinds, links } from "./models.ts";
import type { Operation, Route } from "./operations.ts";
import { clearTables, readStored } from "./stored.ts";
import { type Picture, relationshipsOf, type Stale, type Thing, World } from "./world.ts";

/** More would only make it slow. */
const maxThings = 12;
const kindNames = Object.keys(kinds);

/** Where a rollback leads to. */
interface Mark {
  readonly world: World;
  /** How many things there had been by then. */
  readonly labels: number;
  /** The savepoint; undefined for what was committed last. */
  readonly savepoint: SessionTransaction | undefined;
  /** What the flushes since have made others forget: a rollback to a savepoint expires what was changed since, and not what was loaded. */
  readonly forgotten: Stale[];
}

/** A session that does one operation after another, and beside it the world as it should be then. */
export class Walk {
  readonly #engine: Engine;
  readonly #session: Session;
  #world = new World();
  /** Of everything in the world, and of what was in it at any mark. */
  readonly #instances = new Map<number, Instance>();
  #marks: Mark[] = [{ world: new World(), labels: 0, savepoint: undefined, forgotten: [] }];
  /** Attributes that hold something that goes with the next flush. */
  #stale: Stale[] = [];
  /** Whether anything was deleted since the last flush. */
  #isDeleting = false;
  /** References and links that were made since the last flush, by the label that they lead to. */
  #fresh = new Set<number>();
  /** Parents that folders have, or had since the last flush: their rows must not form a circle. */
  #ties: (readonly [child: number, parent: number])[] = [];
  /** What had to be loaded again, as another instance. */
  readonly #regained = new Set<number>();
  readonly #warnings: string[] = [];
  #labels = 0;
  /** What was done, for the reader of a failure. */
  readonly journal: string[] = [];

  constructor(engine: Engine, { expireOnCommit }: Pick<Route, "expireOnCommit">) {
    this.#engine = engine;
    this.#session = sessionmaker(engine, {
      expireOnCommit,
      onWarning: ({ message }) => this.#warnings.push(message),
    })();
    listen(this.#session, "afterFlushPostexec", () => this.#settle());
  }

  async take(operation: Operation): Promise<void> {
    const { a, b, c } = operation;
    switch (operation.kind) {
      case "create":
        return this.#create(a, b, c);
      case "set":
        return this.#set(a, b);
      case "refer":
        return this.#refer(edges[a % edges.length] as Edge, b, c);
      case "collect":
        return this.#collect(edges[a % edges.length] as Edge, b, c, a >> 4);
      case "relate":
        return this.#relate(a, b, c);
      case "delete":
        return this.#delete(a);
      case "flush":
        return this.#flush();
      case "commit":
        return this.commit(a);
      case "rollback":
        return this.#rollback();
      case "savepoint":
        return this.#openSavepoint();
      case "release":
        return this.#release();
      case "roll back to savepoint":
        return this.#rollbackToSavepoint();
      case "expire":
        return this.#expire(a, b);
      case "expunge":
        return this.#expunge(a, b);
      case "load":
        return this.#load(a, b);
      case "select":
        return this.#select(a, b);
      case "fail":
        return this.#fail(a);
    }
  }

  async close(): Promise<void> {
    await this.#session.close();
    await using connection = await this.#engine.connect();
    await clearTables(connection);
  }

  // Changes of the graph

  async #create(a: number, b: number, c: number): Promise<void> {
    if (this.#world.things.size >= maxThings) return;
    const kind = kindNames[a % kindNames.length] as string;
    const values: Record<string, unknown> = {};
    for (const [column, choices] of Object.entries(columns[kind] ?? {})) values[column] = choices[b % choices.length];
    const thing: Thing = {
      label: ++this.#labels,
      kind,
      values,
      parents: {},
      linked: {},
      isSaved: false,
      isCutOff: false,
    };
    const parents: [Edge, Thing][] = [];
    for (const [index, edge] of edges.entries()) {
      if (!isA(kind, edge.child)) continue;
      thing.parents[edge.reference] = null;
      const parent = this.#pick(edge.parent, (c >> (index % 4)) + b);
      if (parent === undefined && !edge.nullable) return;
      if (parent === undefined || (edge.nullable && (c >> index) % 2 === 0)) continue;
      parents.push([edge, parent]);
    }
    for (const { table, left } of links) if (isA(kind, left.kind)) thing.linked[table] = [];
    if (kind === "Review" && this.#hasReview(parents)) return;
    const way = (a >> 4) % 3;
    // A parent that takes it in draws it into the session.
    const drawn = way === 2 ? parents[0] : undefined;
    for (const [edge, parent] of parents) {
      const isPlaceTaken = edge.holding === "one" || edge.holding === "map";
      if ((isPlaceTaken || edge === drawn?.[0]) && !(await this.#ready(parent, edge.collection))) return;
    }
    if (!parents.every(([, parent]) => this.#isHere(parent))) return;
    const related = Object.fromEntries(
      parents.filter((pair) => pair !== drawn).map(([edge, parent]) => [edge.reference, this.#instance(parent)]),
    );
    this.#note(
      `new ${kind} ${thing.label}`,
      values,
      Object.fromEntries(parents.map(([{ reference }, parent]) => [reference, parent.label])),
      ["constructor", "assigned", "drawn in"][way],
    );
    const instance = this.#construct(kind, { label: thing.label, ...values, ...(way === 1 ? {} : related) });
    this.#instances.set(thing.label, instance);
    this.#world.things.set(thing.label, thing);
    if (drawn === undefined) this.#session.add(instance);
    else putIn(this.#instance(drawn[1]), drawn[0].collection, drawn[0].holding, instance);
    if (way === 1) for (const [key, value] of Object.entries(related)) assign(instance, key, value);
    const isTaken = parents.some(([edge, parent]) => this.#isTaken(edge, thing, parent));
    for (const [edge, parent] of parents) this.#place(edge, thing, parent);
    if (isTaken) await this.#flush();
  }

  #construct(kind: string, values: Record<string, unknown>): Instance {
    const Model = kinds[kind] as unknown as new (values: Record<string, unknown>) => Instance;
    return new Model(values);
  }

  #hasReview(parents: readonly [Edge, Thing][]): boolean {
    return this.#world
      .ofKind("Review")
      .some((review) => parents.every(([{ reference }, parent]) => review.parents[reference] === parent.label));
  }

  async #set(a: number, b: number): Promise<void> {
    const thing = this.#pickAny(a);
    if (thing === undefined) return;
    const choices = Object.entries(columns[thing.kind] ?? {}).filter(([column]) => column !== "key");
    const [column, values] = choices[b % choices.length] ?? ["", []];
    const value = values[(b >> 2) % values.length];
    this.#note(`set ${thing.label}`, column, value);
    assign(this.#instance(thing), column, value);
    thing.values[column] = value;
  }

  /** Changes a reference of a child. */
  async #refer(edge: Edge, b: number, c: number): Promise<void> {
    const child = this.#pick(edge.child, b);
    const parent = c % 4 === 0 ? null : this.#pick(edge.parent, c >> 2);
    if (child === undefined || parent === undefined || edge.isKey) return;
    if (parent !== null && !this.#mayPlace(edge, child, parent)) return;
    if (!(await this.#ready(child, edge.reference))) return;
    const isPlaceTaken = edge.holding === "one" || edge.holding === "map";
    if (parent !== null && isPlaceTaken && !(await this.#ready(parent, edge.collection))) return;
    if (!this.#isHere(child) || (parent !== null && !this.#isHere(parent))) return;
    this.#note(`${child.kind} ${child.label}.${edge.reference} =`, parent?.label ?? null);
    assign(this.#instance(child), edge.reference, parent === null ? null : this.#instance(parent));
    const isTaken = parent !== null && this.#isTaken(edge, child, parent);
    this.#place(edge, child, parent);
    if (isTaken) await this.#flush();
  }

  /** Changes what a parent holds. */
  async #collect(edge: Edge, b: number, c: number, d: number): Promise<void> {
    const { collection, holding } = edge;
    const parent = this.#pick(edge.parent, b);
    if (parent === undefined) return;
    const entering = edge.isKey ? [] : this.#world.ofKind(edge.child).filter((_, index) => (c >> index) % 2 === 1);
    if (!(await this.#ready(parent, collection))) return;
    for (const child of entering) if (!(await this.#ready(child, edge.reference))) return;
    if (!this.#isHere(parent) || !entering.every((child) => this.#isHere(child))) return;
    const instance = this.#instance(parent);
    const there = this.#world.children(edge, parent);
    const fitting: Thing[] = [];
    for (const child of entering) {
      if (!this.#mayPlace(edge, child, parent)) continue;
      const isPlaceTaken = fitting.some((other) => holding === "one" || other.values["key"] === child.values["key"]);
      if (!(isPlaceTaken && (holding === "one" || holding === "map"))) fitting.push(child);
    }
    // One that is a part of two wholes and never had a row would stay in the other.
    const leaving = there.filter((child) => child.isSaved || !edge.isKey);
    switch (d % 4) {
      case 0: {
        const [child] = fitting.filter((other) => !there.includes(other));
        if (child === undefined) return;
        this.#note(`${parent.kind} ${parent.label}.${collection} + ${child.label}`);
        putIn(instance, collection, holding, this.#instance(child));
        const before = child.parents[edge.reference];
        this.#place(edge, child, parent);
        if (holding !== "one" || before == null) return;
        // As in SQLAlchemy, the former parent of a one-to-one holds it still.
        this.#stale.push([before, collection]);
        return this.#flush();
      }
      case 1: {
        const child = leaving[c % leaving.length];
        if (child === undefined) return;
        this.#note(`${parent.kind} ${parent.label}.${collection} - ${child.label}`);
        takeOut(instance, collection, holding, this.#instance(child));
        return this.#place(edge, child, null);
      }
      case 2: {
        if (leaving.length < there.length || (edge.isKey && c % 2 === 0)) return;
        this.#note(`${parent.kind} ${parent.label}.${collection} = [${fitting.map(({ label }) => label).join()}]`);
        if (holding === "one" && fitting.some((child) => child.parents[edge.reference] != null)) return;
        replaceAll(
          instance,
          collection,
          holding,
          fitting.map((child) => this.#instance(child)),
        );
        for (const child of there) if (!fitting.includes(child)) this.#place(edge, child, null);
        for (const child of fitting) this.#place(edge, child, parent);
        return;
      }
      default: {
        if (holding !== "array" || leaving.length < there.length) return;
        const array = valueOf(instance, collection) as Instance[];
        const start = c % (array.length + 1);
        const gone = array.slice(start, start + 1);
        const news = fitting.filter((child) => !there.includes(child)).slice(0, 2);
        this.#note(
          `${parent.kind} ${parent.label}.${collection}.splice(${start}, 1, ${news.map(({ label }) => label).join()})`,
        );
        array.splice(start, 1, ...news.map((child) => this.#instance(child)));
        for (const child of there) if (gone.includes(this.#instance(child))) this.#place(edge, child, null);
        for (const child of news) this.#place(edge, child, parent);
      }
    }
  }

  /** Changes what is linked by a table in between. */
  async #relate(a: number, b: number, c: number): Promise<void> {
    const link = links[a % links.length]!;
    const isFromLeft = (a >> 1) % 2 === 0;
    const [here, there] = isFromLeft ? [link.left, link.right] : [link.right, link.left];
    const thing = this.#pick(here.kind, b);
    const others = this.#world.ofKind(there.kind);
    if (thing === undefined || others.length === 0 || !(await this.#ready(thing, here.attribute))) return;
    if (!this.#isHere(thing) || !others.every((other) => this.#isHere(other))) return;
    const instance = this.#instance(thing);
    const linked = (other: Thing): boolean =>
      isFromLeft ? thing.linked[link.table]!.includes(other.label) : other.linked[link.table]!.includes(thing.label);
    const change = (other: Thing, isLinked: boolean): void => {
      if (isLinked && !linked(other)) this.#fresh.add(other.label).add(thing.label);
      if (isFromLeft) this.#world.link(link, thing, other, isLinked);
      else this.#world.link(link, other, thing, isLinked);
    };
    if ((a >> 2) % 3 === 0) {
      const chosen = others.filter((_, index) => (c >> index) % 2 === 1);
      this.#note(`${thing.kind} ${thing.label}.${here.attribute} = [${chosen.map(({ label }) => label).join()}]`);
      replaceAll(
        instance,
        here.attribute,
        here.holding,
        chosen.map((other) => this.#instance(other)),
      );
      for (const other of others) change(other, chosen.includes(other));
      return;
    }
    const other = others[c % others.length] as Thing;
    const isLinked = !linked(other);
    this.#note(`${thing.kind} ${thing.label}.${here.attribute} ${isLinked ? "+" : "-"} ${other.label}`);
    (isLinked ? putIn : takeOut)(instance, here.attribute, here.holding, this.#instance(other));
    change(other, isLinked);
  }

  async #delete(a: number): Promise<void> {
    const first = this.#pickAny(a);
    if (first === undefined) return;
    const going = [...this.#world.goingWith(first)];
    // What is referred to and deleted in one flush would be written into foreign keys before it goes. And loading what goes along flushes: what was to be
    // deleted before is gone then, and a collection that is in memory still leads to it.
    const isFlushed = going.some(({ isSaved, label }) => !isSaved || this.#fresh.has(label));
    if (isFlushed || (this.#hasDeletions() && going.some((thing) => this.#mustLoadParts(thing)))) await this.#flush();
    const thing = this.#world.things.get(first.label);
    if (thing === undefined) return;
    this.#note(`delete ${thing.kind} ${thing.label}`);
    await this.#session.delete(this.#instance(thing));
    this.#stale.push(...this.#world.remove(thing));
    this.#isDeleting = true;
  }

  // What a session does

  async #flush(): Promise<void> {
    this.#note("flush");
    await this.#session.flush();
  }

  /** What the world is after a flush. Called by each. */
  #settle(): void {
    this.#stale.push(...this.#world.settle());
    this.#fresh.clear();
    this.#isDeleting = false;
    this.#ties = [];
    for (const [label, attribute] of this.#stale) this.#forget(label, attribute);
    for (const mark of this.#marks) mark.forgotten.push(...this.#stale);
    this.#stale = [];
    for (const [label, instance] of this.#instances) {
      // The database deletes what the session has not loaded: it is told to forget it too.
      if (this.#world.things.has(label) || !this.#session.has(instance)) continue;
      this.#note(`expunge what the database has deleted: ${label}`);
      this.#session.expunge(instance);
      this.#instances.delete(label);
    }
  }

  #forget(label: number, attribute: string): void {
    const instance = this.#world.things.has(label) ? this.#instances.get(label) : undefined;
    if (instance !== undefined && inspect(instance).persistent) this.#session.expire(instance, [attribute]);
  }

  async commit(a: number): Promise<void> {
    this.#note("commit");
    await this.#session.commit();
    deepStrictEqual(this.#warnings, []);
    this.#marks = [{ world: this.#world.copy(), labels: this.#labels, savepoint: undefined, forgotten: [] }];
    for (const [label, instance] of this.#instances) {
      if (this.#world.things.has(label)) continue;
      deepStrictEqual([label, inspect(instance).lifecycle], [label, "detached"]);
      this.#instances.delete(label);
    }
    await this.#expectStored();
    if (a % 4 === 0) await this.#expectElsewhere();
    await this.#expectObjects();
    if (a % 3 !== 0) return;
    this.#session.expireAll();
    await this.#expectObjects(true);
  }

  async #rollback(): Promise<void> {
    this.#note("rollback");
    await this.#session.rollback();
    await this.#returnTo(this.#marks[0] as Mark, 1);
  }

  async #openSavepoint(): Promise<void> {
    if (this.#marks.length > 3) return;
    this.#note("savepoint");
    const savepoint = await this.#session.beginNested();
    this.#marks.push({ world: this.#world.copy(), labels: this.#labels, savepoint, forgotten: [] });
  }

  async #release(): Promise<void> {
    const { savepoint } = this.#marks.at(-1) as Mark;
    if (savepoint === undefined) return;
    this.#note("release");
    await savepoint.commit();
    this.#marks.pop();
  }

  async #rollbackToSavepoint(): Promise<void> {
    const mark = this.#marks.at(-1) as Mark;
    if (mark.savepoint === undefined) return;
    this.#note("roll back to savepoint");
    await mark.savepoint.rollback();
    await this.#returnTo(mark, this.#marks.length - 1);
  }

  /** What a rollback does to the world, and what is to be as it was then. */
  async #returnTo(mark: Mark, marks: number): Promise<void> {
    this.#marks = this.#marks.slice(0, marks);
    this.#world = mark.world.copy();
    this.#stale = [];
    this.#fresh.clear();
    this.#isDeleting = false;
    this.#ties = [];
    for (const [label, instance] of this.#instances) {
      const isHere = this.#world.things.has(label);
      if (!isHere && this.#regained.delete(label)) {
        // It is an instance of a row that was there already, as far as the session knows.
        if (this.#session.has(instance)) this.#session.expunge(instance);
        this.#instances.delete(label);
        continue;
      }
      const expected = isHere ? "persistent" : label > mark.labels ? "transient" : "deleted";
      deepStrictEqual([label, inspect(instance).lifecycle], [label, expected]);
      if (expected === "transient") this.#instances.delete(label);
    }
    if (mark.savepoint === undefined) await this.#expectStored();
    else for (const [label, attribute] of mark.forgotten) this.#forget(label, attribute);
    await this.#regain();
    await this.#expectObjects();
  }

  async #expire(a: number, b: number): Promise<void> {
    const first = this.#pickAny(a);
    if (first === undefined) return;
    // What was not flushed would be lost, as it should be.
    await this.#flush();
    const thing = this.#world.things.get(first.label);
    if (thing === undefined) return;
    const attributes = relationshipsOf(thing.kind);
    const attribute = attributes[b % attributes.length] as string;
    const ways: [string, () => void | Promise<void>][] = [
      [`expire ${thing.label}`, () => this.#session.expire(this.#instance(thing))],
      [`expire ${thing.label}.${attribute}`, () => this.#session.expire(this.#instance(thing), [attribute])],
      ["expire all", () => this.#session.expireAll()],
      [`refresh ${thing.label}`, () => this.#session.refresh(this.#instance(thing))],
      [`refresh ${thing.label}.${attribute}`, () => this.#session.refresh(this.#instance(thing), [attribute])],
    ];
    const [what, work] = ways[(b >> 4) % ways.length]!;
    this.#note(what);
    await work();
  }

  async #expunge(a: number, b: number): Promise<void> {
    const first = this.#pickAny(a);
    if (first === undefined) return;
    await this.#flush();
    const thing = this.#world.things.get(first.label);
    if (thing === undefined) return;
    // Of what has left, a rollback does not know that its row goes.
    const committed = this.#marks[0] as Mark;
    if (![...this.#world.goingWith(thing)].every(({ label }) => committed.world.things.has(label))) return;
    const instance = this.#instance(thing);
    this.#note(`expunge ${thing.kind} ${thing.label}`);
    this.#session.expunge(instance);
    deepStrictEqual(inspect(instance).lifecycle, "detached");
    // A deleted instance may refer to the one that has left, and a rollback to a savepoint does not load everything anew.
    if (b % 2 === 0 || this.#marks.length > 1) {
      this.#note(`add it again`);
      this.#session.add(instance);
    } else {
      // Others may hold the instance that has left.
      this.#session.expireAll();
    }
    await this.#regain();
  }

  /** Gets what was taken out of the session since the world was as it is now. */
  async #regain(): Promise<void> {
    for (const thing of this.#world.things.values()) {
      const held = this.#instances.get(thing.label);
      if (held !== undefined && this.#session.has(held)) continue;
      const found = await this.#session.scalars(select(this.#model(thing.kind)).where({ label: thing.label } as never));
      this.#instances.set(thing.label, found.one() as Instance);
      this.#regained.add(thing.label);
    }
  }

  async #load(a: number, b: number): Promise<void> {
    const thing = this.#pickAny(a);
    if (thing === undefined) return;
    const attributes = relationshipsOf(thing.kind);
    const attribute = attributes[b % attributes.length] as string;
    this.#note(`load ${thing.kind} ${thing.label}.${attribute}`);
    if (!(await this.#ready(thing, attribute)) || this.#stale.length > 0) return;
    const labels = this.#labelsOf(itemsIn(this.#instance(thing), attribute));
    const expected = this.#world.picture()[`${thing.kind} ${thing.label}`]?.[attribute];
    deepStrictEqual(ascending(labels), ascending([expected ?? []].flat() as number[]));
  }

  /** Finds all of one class, perhaps with what one relationship of theirs leads to. */
  async #select(a: number, b: number): Promise<void> {
    const kind = kindNames[a % kindNames.length] as string;
    const attributes = relationshipsOf(kind);
    const attribute = attributes[b % attributes.length] as string;
    const isEager = (b >> 4) % 2 === 0;
    this.#note(`select ${kind}${isEager ? ` with ${attribute}` : ""}`);
    const statement = select(this.#model(kind));
    const found = await this.#session.scalars(
      isEager ? statement.options(selectinLoad(this.#model(kind), attribute as never)) : statement,
    );
    const labels = this.#labelsOf(found.all() as Instance[]);
    deepStrictEqual(ascending(labels), ascending(this.#world.ofKind(kind).map(({ label }) => label)));
  }

  /** A flush that the database refuses leaves nothing behind. */
  async #fail(a: number): Promise<void> {
    this.#note("a flush that fails");
    this.#session.add(this.#construct("Author", { label: null }));
    await this.#session.flush().then(
      () => {
        throw new Error("The flush was not refused.");
      },
      () => undefined,
    );
    if (a % 2 === 0 || this.#marks.length === 1) await this.#rollback();
    else await this.#rollbackToSavepoint();
  }

  // What is expected

  async #expectStored(): Promise<void> {
    await using connection = await this.#engine.connect();
    const { world } = await readStored(connection);
    expectSame("the tables", world.picture(), this.#world.picture());
  }

  /** A session of its own finds the same, in order. */
  async #expectElsewhere(): Promise<void> {
    await using session = sessionmaker(this.#engine)();
    const instances = new Map<number, Instance>();
    for (const kind of kindNames) {
      if (kind === "Novel") continue;
      for (const instance of (await session.scalars(select(this.#model(kind)))).all() as Instance[])
        instances.set(valueOf(instance, "label") as number, instance);
    }
    expectSame("another session's objects", await this.#pictureOf(instances, true), this.#world.picture());
  }

  async #expectObjects(isFresh = false): Promise<void> {
    const session = this.#session;
    const waiting = [...session.new, ...session.dirty, ...session.deleted];
    deepStrictEqual(this.#labelsOf(waiting), []);
    const held = [...session.identityMap.values()];
    const here = new Map([...this.#world.things.values()].map((thing) => [thing.label, this.#instance(thing)]));
    deepStrictEqual(new Set(held), new Set(here.values()));
    const picture = await this.#pictureOf(here, isFresh);
    expectSame("the objects", picture, this.#world.picture());
  }

  async #pictureOf(instances: ReadonlyMap<number, Instance>, isFresh: boolean): Promise<Picture> {
    const picture: Picture = {};
    const world = this.#world.picture();
    const labelOf = new Map([...instances].map(([label, instance]) => [instance, label]));
    for (const [label, instance] of [...instances].toSorted(([one], [other]) => one - other)) {
      const kind = instance.constructor.name;
      const names = relationshipsOf(kind);
      await (load as (instance: Instance, ...keys: string[]) => Promise<unknown>)(instance, "label", ...names);
      const attributes: Record<string, unknown> = {};
      for (const column of Object.keys(columns[kind] ?? {})) attributes[column] = valueOf(instance, column);
      for (const name of names) {
        const value = valueOf(instance, name);
        const labels = itemsIn(instance, name).map((item) => labelOf.get(item) ?? Number.NaN);
        const expected = world[`${kind} ${label}`]?.[name];
        // A set and a map have no order, and what was changed in memory is not sorted anew.
        const isOrdered = Array.isArray(value) && isFresh;
        if (Array.isArray(expected) && !isOrdered)
          labels.sort((one, other) => expected.indexOf(one) - expected.indexOf(other));
        const isMany = Array.isArray(value) || value instanceof Set || value instanceof Map;
        attributes[name] = isMany ? labels : (labels[0] ?? null);
      }
      picture[`${kind} ${label}`] = attributes;
    }
    return picture;
  }

  // Words for all this

  #model(kind: string): never {
    return kinds[kind] as never;
  }

  #pick(kind: string, choice: number): Thing | undefined {
    const things = this.#world.ofKind(kind);
    return things[choice % things.length];
  }

  #pickAny(choice: number): Thing | undefined {
    const things = [...this.#world.things.values()];
    return things[choice % things.length];
  }

  #instance({ label }: Thing): Instance {
    const instance = this.#instances.get(label);
    if (instance === undefined) throw new Error(`Nobody holds ${label}.`);
    return instance;
  }

  #labelsOf(instances: readonly Instance[]): number[] {
    const labels = new Map([...this.#instances].map(([label, instance]) => [instance, label]));
    return instances.map((instance) => labels.get(instance) ?? Number.NaN);
  }

  #isHere(thing: Thing): boolean {
    return this.#world.things.get(thing.label) === thing;
  }

  #mustLoadParts(thing: Thing): boolean {
    const { attributes } = inspect(this.#instance(thing));
    return edges.some(
      ({ parent, rule, collection }) =>
        rule !== "forget" &&
        isA(thing.kind, parent) &&
        (attributes as Record<string, { readonly loadedValue: unknown }>)[collection]?.loadedValue === undefined,
    );
  }

  /** Whether the next flush deletes anything. */
  #hasDeletions(): boolean {
    return this.#isDeleting || [...this.#world.things.values()].some(({ isCutOff }) => isCutOff);
  }

  /** Loads an attribute. What it belongs to may go by the flush that comes before. */
  async #ready(thing: Thing, attribute: string): Promise<boolean> {
    await (load as (instance: Instance, key: string) => Promise<unknown>)(this.#instance(thing), attribute);
    return this.#isHere(thing);
  }

  /** Parents of parents of a folder must not be the folder itself, nor may rows wait for each other in a flush. */
  #mayPlace(edge: Edge, child: Thing, parent: Thing): boolean {
    if (edge.reference !== "parent") return true;
    const ties = [...this.#ties];
    for (const { label, parents } of this.#world.ofKind("Folder"))
      if (parents["parent"] != null) ties.push([label, parents["parent"]]);
    const reached = new Set([parent.label]);
    for (const label of reached) for (const [from, to] of ties) if (from === label) reached.add(to);
    return !reached.has(child.label);
  }

  /** Whether a child takes the place of another, which refers to the parent until it is deleted: so it is in SQLAlchemy, too. */
  #isTaken(edge: Edge, child: Thing, parent: Thing): boolean {
    return this.#world.inTheWay(edge, child, parent).length > 0;
  }

  #place(edge: Edge, child: Thing, parent: Thing | null): void {
    if (parent !== null) this.#fresh.add(parent.label).add(child.label);
    const before = child.parents[edge.reference];
    // As in SQLAlchemy, a new part leaves the session with its whole, and whether another whole draws it in again depends on the side.
    if (parent !== null && before !== null && !child.isSaved) this.#session.add(this.#instance(child));
    if (edge.reference === "parent") {
      if (before != null) this.#ties.push([child.label, before]);
      if (parent !== null) this.#ties.push([child.label, parent.label]);
    }
    for (const { label } of this.#world.place(edge, child, parent)) {
      deepStrictEqual([label, inspect(this.#instances.get(label) as Instance).lifecycle], [label, "transient"]);
      this.#instances.delete(label);
    }
  }

  #note(...words: unknown[]): void {
    this.journal.push(words.map((word) => (typeof word === "string" ? word : JSON.stringify(word))).join(" "));
  }
}

function ascending(labels: readonly number[]): number[] {
  return labels.toSorted((one, other) => one - other);
}

function expectSame(what: string, actual: Picture, expected: Picture): void {
  const keys = (picture: Picture): string => JSON.stringify(picture, (_, value: unknown) => sorted(value));
  if (keys(actual) === keys(expected)) return;
  deepStrictEqual({ [what]: actual }, { [what]: expected });
}

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

/** Takes a route, and compares at the end as after every commit. */
export async function walk(engine: Engine, route: Route): Promise<void> {
  const walking = new Walk(engine, route);
  try {
    for (const operation of route.operations) await walking.take(operation);
    await walking.commit(0);
  } catch (error) {
    const steps = walking.journal.map((line) => `  ${line}`).join("\n");
    throw new Error(
      `${error instanceof Error ? error.stack : String(error)}\nAfter these steps (expireOnCommit: ${route.expireOnCommit}):\n${steps}`,
      { cause: error },
    );
  } finally {
    await walking.close();
  }
}
