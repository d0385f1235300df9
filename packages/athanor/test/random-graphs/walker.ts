import { deepStrictEqual } from "node:assert/strict";
import {
  type Engine,
  inspect,
  type Instance,
  listen,
  type Listening,
  load,
  type Session,
  type SessionTransaction,
  sessionmaker,
} from "../../src/index.ts";
import { type Edge, kinds } from "./models.ts";
import type { Manner } from "./operations.ts";
import { clearTables } from "./stored.ts";
import { relationshipsOf, type Stale, type Thing, World } from "./world.ts";

/** Where a rollback leads to. */
export interface Mark {
  readonly world: World;
  /** How many things there had been by then. */
  readonly labels: number;
  /** The savepoint; undefined for what was committed last. */
  readonly savepoint: SessionTransaction | undefined;
  /** What the flushes since have made others forget: a rollback to a savepoint expires what was changed since, and not what was loaded. */
  readonly forgotten: Stale[];
}

/** A session, and beside it the world as it should be: what all operations have at hand. */
export class Walker {
  readonly engine: Engine;
  readonly manner: Manner;
  readonly session: Session;
  world: World = new World();
  /** Of everything in the world, and of what was in it at any mark. */
  readonly instances: Map<number, Instance> = new Map();
  marks: Mark[] = [{ world: new World(), labels: 0, savepoint: undefined, forgotten: [] }];
  /** Attributes that hold something that goes with the next flush. */
  stale: Stale[] = [];
  /** Whether anything was deleted since the last flush. */
  isDeleting = false;
  /** Both ends of references and links that were made since the last flush. */
  readonly fresh: Set<number> = new Set();
  /** Parents that folders have had since the last flush. */
  #ties: (readonly [child: number, parent: number])[] = [];
  /** What had to be loaded again, as another instance. */
  readonly regained: Set<number> = new Set();
  readonly warnings: string[] = [];
  /** How many things there have been. */
  labels = 0;
  /** How many statements succeed before one fails. */
  statementsLeft = Infinity;
  /** What was done, for the reader of a failure. */
  readonly journal: string[] = [];
  readonly #listening: Listening;

  constructor(engine: Engine, manner: Manner) {
    this.engine = engine;
    this.manner = manner;
    this.session = sessionmaker(engine, {
      ...manner,
      onWarning: ({ message }) => this.warnings.push(message),
    })();
    listen(this.session, "afterFlushPostexec", () => this.#settle());
    this.#listening = listen(engine, "beforeCursorExecute", () => {
      if (this.statementsLeft-- === 0) throw new Error("This statement was to fail.");
    });
  }

  async close(): Promise<void> {
    this.#listening.remove();
    await this.session.close();
    await using connection = await this.engine.connect();
    await clearTables(connection);
  }

  note(...words: unknown[]): void {
    this.journal.push(words.map((word) => (typeof word === "string" ? word : JSON.stringify(word))).join(" "));
  }

  // Finding

  pick(kind: string, choice: number): Thing | undefined {
    const things = this.world.ofKind(kind);
    return things[choice % things.length];
  }

  pickAny(choice: number): Thing | undefined {
    const things = [...this.world.things.values()];
    return things[choice % things.length];
  }

  instance({ label }: Thing): Instance {
    const instance = this.instances.get(label);
    if (instance === undefined) throw new Error(`Nobody holds ${label}.`);
    return instance;
  }

  model(kind: string): never {
    return kinds[kind] as never;
  }

  construct(kind: string, values: Readonly<Record<string, unknown>>): Instance {
    const Model = kinds[kind] as unknown as new (values: Readonly<Record<string, unknown>>) => Instance;
    return new Model(values);
  }

  labelsOf(instances: readonly Instance[]): number[] {
    const labels = new Map([...this.instances].map(([label, instance]) => [instance, label]));
    return instances.map((instance) => labels.get(instance) ?? Number.NaN);
  }

  isHere(thing: Thing): boolean {
    return this.world.things.get(thing.label) === thing;
  }

  /** Whether an attribute is in memory. */
  isLoaded(thing: Thing, attribute: string): boolean {
    const attributes: Record<string, { readonly loadedValue: unknown }> = inspect(this.instance(thing)).attributes;
    return attributes[attribute]?.loadedValue !== undefined;
  }

  /** Loads an attribute. What it belongs to may go by the flush that comes before. */
  async ready(thing: Thing, attribute: string): Promise<boolean> {
    // The flush that comes before the load would delete it.
    if (thing.isCutOff && this.manner.autoflush && !this.isLoaded(thing, attribute)) await this.flush();
    else await (load as (instance: Instance, key: string) => Promise<unknown>)(this.instance(thing), attribute);
    return this.isHere(thing);
  }

  /** Loads several. A flush that came with one load might expire what was loaded before, so it comes first. */
  async readyAll(needed: readonly (readonly [thing: Thing, attribute: string])[]): Promise<boolean> {
    const isMissing = needed.some(([thing, attribute]) => !this.isLoaded(thing, attribute));
    if (isMissing && this.hasDeletions()) await this.flush();
    for (const [thing, attribute] of needed)
      if (!this.isHere(thing) || !(await this.ready(thing, attribute))) return false;
    return needed.every(([thing]) => this.isHere(thing));
  }

  // What follows in the world

  /** Whether the next flush deletes anything. */
  hasDeletions(): boolean {
    return this.isDeleting || [...this.world.things.values()].some(({ isCutOff }) => isCutOff);
  }

  /** Parents of parents of a folder must not be the folder itself, nor may rows wait for each other in a flush. */
  mayPlace(edge: Edge, child: Thing, parent: Thing): boolean {
    if (edge.reference !== "parent") return true;
    const ties = [...this.#ties];
    for (const { label, parents } of this.world.ofKind("Folder"))
      if (parents["parent"] != null) ties.push([label, parents["parent"]]);
    const reached = new Set([parent.label]);
    for (const label of reached) for (const [from, to] of ties) if (from === label) reached.add(to);
    return !reached.has(child.label);
  }

  /** Gives a child a parent in the world, or none. */
  place(edge: Edge, child: Thing, parent: Thing | null): void {
    if (parent !== null) this.fresh.add(parent.label).add(child.label);
    const before = child.parents[edge.reference];
    // As in SQLAlchemy, a new part leaves the session with its whole, and whether another whole draws it in again depends on the side.
    if (parent !== null && before !== null && !child.isSaved) this.session.add(this.instance(child));
    if (edge.reference === "parent") {
      if (before != null) this.#ties.push([child.label, before]);
      if (parent !== null) this.#ties.push([child.label, parent.label]);
    }
    for (const { label } of this.world.place(edge, child, parent)) {
      deepStrictEqual([label, inspect(this.instances.get(label) as Instance).lifecycle], [label, "transient"]);
      this.instances.delete(label);
    }
  }

  /** The world is another one, in which nothing is pending. */
  returnTo(world: World): void {
    this.world = world;
    this.stale = [];
    this.isDeleting = false;
    this.fresh.clear();
    this.#ties = [];
  }

  async flush(): Promise<void> {
    this.note("flush");
    await this.session.flush();
  }

  /** What the world is after a flush: called by each. */
  #settle(): void {
    this.stale.push(...this.world.settle());
    this.isDeleting = false;
    this.fresh.clear();
    this.#ties = [];
    this.forgetStale();
    for (const [label, instance] of this.instances) {
      if (this.world.things.has(label) || !this.session.has(instance)) continue;
      // The database deletes what the session has not loaded: it is told to forget it too.
      deepStrictEqual([label, instance.constructor.name], [label, "Entry"]);
      this.note(`expunge what the database has deleted: ${label}`);
      this.session.expunge(instance);
      this.instances.delete(label);
    }
  }

  /** Expires what holds something that is gone. */
  forgetStale(): void {
    for (const [label, attribute] of this.stale) this.forget(label, attribute);
    for (const mark of this.marks) mark.forgotten.push(...this.stale);
    this.stale = [];
  }

  forget(label: number, attribute: string): void {
    const instance = this.world.things.has(label) ? this.instances.get(label) : undefined;
    if (instance === undefined || !relationshipsOf(instance.constructor.name).includes(attribute)) return;
    if (inspect(instance).persistent) this.session.expire(instance, [attribute]);
  }
}
