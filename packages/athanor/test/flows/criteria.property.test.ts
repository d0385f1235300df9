import { expect, test } from "vitest";
import {
  aliased,
  and,
  attributes,
  type Condition,
  createAll,
  type Engine,
  exists,
  func,
  immediateLoad,
  inherit,
  inspect,
  integer,
  InvalidRequestError,
  joinedLoad,
  listen,
  load,
  many,
  Metadata,
  mixin,
  type Model,
  model,
  not,
  one,
  or,
  Select,
  select,
  selectinLoad,
  type Session,
  sessionmaker,
  subqueryLoad,
  table,
  text,
  timestamp,
  update,
  Update,
  withLoaderCriteria,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { Random } from "../random-program.ts";

// Whatever a session asks under criteria, it gets what it would get if the hidden rows were not there: random statements and loads are run on tables with hidden
// rows, and on copies of those that lack them.

const Owned = mixin({ tenant: text() });
const SoftDeletes = mixin({ deletedAt: timestamp().nullable() });

/** The same models on tables of their own. Without foreign keys, so that a row may refer to one that was left out. */
function makeWorld(prefix: string) {
  const metadata = new Metadata();
  class Owner extends model(
    `${prefix}_owners`,
    {
      id: integer().primaryKey(),
      kind: text(),
      size: integer().nullable(),
      chiefId: integer().nullable(),
      get items() {
        return many(Item, { foreignKey: { ownerId: "id" }, backPopulates: "owner", orderBy: "id" });
      },
      get chief() {
        return one(Owner, { foreignKey: { chiefId: "id" }, backPopulates: "staff" });
      },
      get staff() {
        return many(Owner, { foreignKey: { chiefId: "id" }, backPopulates: "chief", orderBy: "id" });
      },
    },
    { metadata, mixins: [Owned], polymorphicOn: "kind", identity: "owner" },
  ) {}
  class Boss extends inherit(
    Owner,
    { identity: "boss", table: `${prefix}_bosses`, mixins: [SoftDeletes] },
    { id: integer().primaryKey().references(`${prefix}_owners.id`), level: integer() },
  ) {}
  class Temp extends inherit(Owner, { identity: "temp" }, { until: integer().nullable() }) {}
  const links = table(
    `${prefix}_links`,
    {
      item_id: integer().primaryKey().references(`${prefix}_items.id`),
      label_id: integer().primaryKey().references(`${prefix}_labels.id`),
    },
    { metadata },
  );
  class Item extends model(
    `${prefix}_items`,
    {
      id: integer().primaryKey(),
      size: integer().nullable(),
      ownerId: integer().nullable(),
      get owner() {
        return one(Owner, { foreignKey: { ownerId: "id" }, backPopulates: "items" });
      },
      get labels() {
        return many(Label, { secondary: links, backPopulates: "items", orderBy: "id" });
      },
    },
    { metadata, mixins: [Owned, SoftDeletes] },
  ) {}
  class Label extends model(
    `${prefix}_labels`,
    {
      id: integer().primaryKey(),
      size: integer().nullable(),
      get items() {
        return many(Item, { secondary: links, backPopulates: "labels", orderBy: "id" });
      },
    },
    { metadata, mixins: [SoftDeletes] },
  ) {}
  return { metadata, links, Owner, Boss, Temp, Item, Label };
}

const worlds = { full: makeWorld("full"), shown: makeWorld("shown") };
type World = typeof worlds.full;
type Name = "Owner" | "Boss" | "Temp" | "Item" | "Label";

const names: readonly Name[] = ["Owner", "Boss", "Temp", "Item", "Label"];

const relationships: Readonly<Record<Name, readonly (readonly [name: string, target: Name, many: boolean])[]>> = {
  Owner: [
    ["items", "Item", true],
    ["chief", "Owner", false],
    ["staff", "Owner", true],
  ],
  Boss: [
    ["items", "Item", true],
    ["chief", "Owner", false],
  ],
  Temp: [["staff", "Owner", true]],
  Item: [
    ["owner", "Owner", false],
    ["labels", "Label", true],
  ],
  Label: [["items", "Item", true]],
};

const own: Readonly<Record<Name, readonly string[]>> = {
  Owner: ["id", "size", "chiefId"],
  Boss: ["id", "size", "level"],
  Temp: ["id", "size", "until"],
  Item: ["id", "size", "ownerId"],
  Label: ["id", "size"],
};

interface RowValues {
  readonly kind: Name;
  readonly values: Record<string, number | string | Date | null>;
}

interface Contents {
  readonly rows: readonly RowValues[];
  /** The keys of an item and of a label of it. */
  readonly links: readonly (readonly number[])[];
}

const gone = new Date("2026-01-01T00:00:00Z");

/** What the rules below say of a row by itself. */
function isShown({ kind, values }: RowValues): boolean {
  if (kind !== "Label" && values["tenant"] !== "us") return false;
  if (["Boss", "Item", "Label"].includes(kind) && values["deletedAt"] !== null) return false;
  return kind !== "Temp" || (values["until"] as number) > 0;
}

const rules = [
  withLoaderCriteria(Owned, (entity) => entity.tenant.eq("us")),
  withLoaderCriteria(SoftDeletes, (entity) => entity.deletedAt.isNull()),
  withLoaderCriteria(worlds.full.Temp, attributes(worlds.full.Temp).until.gt(0)),
  // Only the database can tell.
  withLoaderCriteria(worlds.full.Label, (label) => label.items.any()),
];

/** The rows that rules leave: a label is hidden whose items all are. */
function withoutHidden({ rows, links }: Contents): Contents {
  const shown = rows.filter(isShown);
  const items = new Set(shown.filter(({ kind }) => kind === "Item").map(({ values }) => values["id"]));
  const labelled = new Set(links.flatMap(([item, label]) => (items.has(item as number) ? [label] : [])));
  return { rows: shown.filter(({ kind, values }) => kind !== "Label" || labelled.has(values["id"] as number)), links };
}

/** Random rows: a third of each class is hidden. */
function makeRows(random: Random): Contents {
  const rows: RowValues[] = [];
  const number = (): number | null => random.pick([null, 0, 1, 2, 3]) ?? null;
  for (let id = 1; id <= 12; id++) {
    const tenant = random.pick(["us", "us", "us", "us", "them"]) as string;
    const deletedAt = random.pick([null, null, null, gone]) ?? null;
    const kind = random.pick(["Owner", "Boss", "Temp"] as const) as Name;
    const extra: Record<string, never> = (
      kind === "Boss"
        ? { deletedAt, level: random.below(4) }
        : kind === "Temp"
          ? { until: random.pick([0, 1, 2]) ?? 0 }
          : {}
    ) as never;
    const chiefId = id === 1 ? null : random.below(id - 1) + 1;
    rows.push({ kind, values: { id, tenant, size: number(), chiefId, ...extra } });
    rows.push({ kind: "Item", values: { id, tenant, deletedAt, size: number(), ownerId: random.below(12) + 1 } });
    rows.push({ kind: "Label", values: { id, deletedAt: random.pick([null, null, gone]) ?? null, size: number() } });
  }
  const links = Array.from({ length: 40 }, () => [random.below(12) + 1, random.below(12) + 1]);
  return { rows, links: [...new Map(links.map((link) => [link.join(), link])).values()] };
}

/** Puts rows into the tables of a world, and links between those that it has. */
async function fill(engine: Engine, world: World, { rows, links }: Contents): Promise<void> {
  await sessionmaker(engine).begin(async (session) => {
    const made = new Map<string, Model>();
    for (const { kind, values } of rows) {
      const instance = new world[kind](values as never);
      made.set(`${kind}${values["id"]}`, instance);
      session.add(instance);
    }
    for (const [item, label] of links) {
      const [left, right] = [made.get(`Item${item}`), made.get(`Label${label}`)];
      if (left !== undefined && right !== undefined)
        (left as InstanceType<World["Item"]>).labels.push(right as InstanceType<World["Label"]>);
    }
    await session.flush();
  });
}

/** One thing that a program asks for. The same choices are made for both worlds. */
class Asking {
  readonly world: World;
  readonly random: Random;
  #names = 0;

  constructor(world: World, random: Random) {
    this.world = world;
    this.random = random;
  }

  /** Runs something, and tells what it found in a way that can be compared. */
  async ask(session: Session): Promise<unknown> {
    const kinds = [
      "columns",
      "columns",
      "instances",
      "instances",
      "found",
      "found",
      "get",
      "load",
      "refresh",
      "merge",
      "update",
      "hide",
    ] as const;
    const kind = this.random.pick(kinds);
    if (kind === "columns") return this.#rows(session);
    if (kind === "instances") return this.#instances(session);
    if (kind === "found") return this.#found(session);
    if (kind === "update") return this.#update(session);
    if (kind === "get") return this.#get(session);
    if (kind === "load") return this.#load(session);
    if (kind === "refresh") return this.#refresh(session);
    return kind === "merge" ? this.#merge(session) : this.#hide(session);
  }

  async #rows(session: Session): Promise<unknown> {
    const { random } = this;
    const name = random.pick(names) as Name;
    const kinds: Name[] = [name];
    let statement = this.#select(name) as Select<any, any, any>;
    for (let joins = random.below(3); joins > 0; joins--) {
      const [relationship, target] = random.pick(relationships[name]) as (typeof relationships)[Name][number];
      statement =
        random.below(2) === 0 ? statement.join(relationship as never) : statement.outerJoin(relationship as never);
      kinds.push(target);
    }
    const at = random.below(kinds.length);
    const condition = random.below(3) === 0 ? undefined : this.#conditionMaker(kinds[at] as Name, 2);
    if (condition !== undefined)
      statement = statement.where((...entities: unknown[]) => condition(entities[at] as never) as never);
    if (random.below(4) === 0) {
      const [counted] = (await session.execute(statement.columns(() => [func.count()] as never))).all();
      return counted;
    }
    const subquery = random.below(3) === 0 ? this.#counted() : undefined;
    const ids = statement.columns(
      (...entities: any[]) => [...entities.map(({ id }) => id), ...(subquery === undefined ? [] : [subquery])] as never,
    );
    const place = random.below(4);
    const rows = await session.execute(
      place === 0
        ? select(ids.subquery(this.#name()))
        : place === 1
          ? select(ids.cte(this.#name()))
          : place === 2
            ? ids.unionAll(ids)
            : ids,
    );
    return (rows.all() as unknown[]).map((row) => JSON.stringify(row)).toSorted();
  }

  async #instances(session: Session): Promise<unknown> {
    const { random } = this;
    const name = random.pick(names) as Name;
    const [relationship, target] = random.pick(relationships[name]) as (typeof relationships)[Name][number];
    const [next] = random.pick(relationships[target]) as (typeof relationships)[Name][number];
    const along = random.pick([selectinLoad, joinedLoad, subqueryLoad, immediateLoad]) as typeof selectinLoad;
    const path: any = along(this.world[name] as any, relationship as never);
    const statement = this.#select(name, false) as Select<any, any>;
    const condition = this.#conditionMaker(name, 2);
    const asked = this.#elsewhere(
      statement.where((entity: never) => condition(entity) as never),
      name,
    ).options(random.below(2) === 0 ? path : path.selectinLoad(next));
    // What is loaded already is not read anew.
    for (const each of session.identityMap) {
      const { relationships: declared } = inspect(each).mapper;
      session.expire(
        each,
        declared.map(({ key }) => key),
      );
    }
    const found = (await session.scalars(asked)).all() as any[];
    return found.map((each) => `${each.id}: ${idsOf(each[relationship]).join()}`).toSorted();
  }

  /** From what statements find: as a table, as a common table, put together, compared. */
  async #found(session: Session): Promise<unknown> {
    const { random } = this;
    const one = this.#values();
    const kind = random.below(5);
    if (kind < 2) {
      const table = kind === 0 ? one.subquery("found") : one.cte("found");
      const name = random.pick(names) as Name;
      const joined = this.#select(name) as Select<any, any>;
      const rows = await session.execute(
        joined
          .outerJoin(table as never, ((entity: any, found: any) => found.size.eq(entity.size)) as never)
          .columns(((entity: any, found: any) => [entity.id, found.id]) as never),
      );
      return (rows.all() as unknown[]).map((row) => JSON.stringify(row)).toSorted();
    }
    const other = this.#values();
    const both = kind === 2 ? one.union(other) : kind === 3 ? one.intersect(other) : one.except(other);
    return (await session.execute(both))
      .all()
      .map((row) => JSON.stringify(row))
      .toSorted();
  }

  /** The key and size of the rows of some class that fulfil something. */
  #values() {
    const name = this.random.pick(names) as Name;
    const condition = this.#conditionMaker(name, 2);
    const statement = this.#select(name) as Select<InstanceType<World["Owner"]>, [World["Owner"]]>;
    return statement.where((entity) => condition(entity)).columns((entity) => ({ id: entity.id, size: entity.size }));
  }

  /** The same instances, or others of their class, as what another statement finds. */
  #elsewhere(statement: Select<any, any>, name: Name): Select<any, any> {
    const { random } = this;
    const condition = this.#conditionMaker(name, 1);
    const other = (this.#select(name, false) as Select<any, any>).where((entity: never) => condition(entity) as never);
    const below = (found: any) =>
      (this.#select("Owner", false) as Select<any, any>).join(found, ((owner: any, above: any) =>
        owner.chiefId.eq(above.id)) as never);
    const places = [
      () => select(statement.subquery(this.#name())),
      () => select(statement.cte(this.#name())),
      () => statement.union(other),
      () => statement.intersect(other),
      () => statement.except(other),
      () => (name === "Owner" ? select(statement.cte(this.#name(), { union: below as never })) : statement),
      () => statement,
      () => statement,
    ];
    return (random.pick(places) as () => Select<any, any>)();
  }

  async #get(session: Session): Promise<unknown> {
    const model = this.world[this.random.pick(names) as Name] as World["Owner"];
    const found = await session.get(model, this.random.below(14));
    return idsOf(found as never);
  }

  async #load(session: Session): Promise<unknown> {
    const name = this.random.pick(names) as Name;
    const id = this.random.below(12) + 1;
    const [relationship] = this.random.pick(relationships[name]) as (typeof relationships)[Name][number];
    const found = await session.get(this.world[name] as World["Owner"], id);
    if (found === null) return null;
    session.expire(found, [relationship]);
    return idsOf(await load(found, relationship as "staff"));
  }

  async #refresh(session: Session): Promise<unknown> {
    const name = this.random.pick(names) as Name;
    const id = this.random.below(12) + 1;
    const isExpired = this.random.below(2) === 0;
    // Whoever holds it asks for it; whoever does not, does not.
    const held = [...session.identityMap].find(
      (each) => each instanceof this.world[name] && (each as unknown as { id: number }).id === id,
    );
    if (held === undefined) return "hidden or not there";
    try {
      if (isExpired) {
        session.expire(held, ["size"]);
        return await load(held, "size" as never);
      }
      await session.refresh(held);
      return (held as unknown as { size: number }).size;
    } catch (error) {
      if (error instanceof InvalidRequestError) return "hidden or not there";
      throw error;
    } finally {
      if (inspect(held).unloaded.has("size")) session.expunge(held);
    }
  }

  /** Of a row that is there: another would be inserted. */
  async #merge(session: Session): Promise<unknown> {
    const name = this.random.pick(["Item", "Label"] as const) as "Item";
    const id = this.random.below(12) + 1;
    const Class = this.world[name];
    try {
      const merged = await session.merge(new Class({ id }));
      const isNew = session.new.has(merged);
      if (isNew) session.expunge(merged);
      return isNew ? "hidden or not there" : merged.size;
    } catch (error) {
      if (error instanceof InvalidRequestError) return "hidden or not there";
      throw error;
    }
  }

  async #update(session: Session): Promise<unknown> {
    const name = this.random.pick(names) as Name;
    const condition = this.#conditionMaker(name, 2);
    const size = this.random.below(4);
    const statement = update(this.world[name] as World["Owner"])
      .where((entity) => condition(entity))
      .values({ size });
    return (await session.execute(statement)).rowCount;
  }

  /** Deletes softly what is there, where rows are hidden; and where they are not, for good. */
  async #hide(session: Session): Promise<unknown> {
    const name = this.random.pick(["Item", "Label", "Boss"] as const) as "Item";
    const found = await session.get(this.world[name], this.random.below(12) + 1);
    if (found === null) return null;
    if (this.world === worlds.full) {
      found.deletedAt = gone;
      await session.flush();
      return found.id;
    }
    // A delete by the session would empty the foreign keys of what refers to it, which stay as they are where it is hidden.
    session.expunge(found);
    const connection = await session.connection();
    const parts = {
      Item: ["links.item_id", "items.id"],
      Label: ["links.label_id", "labels.id"],
      Boss: ["bosses.id", "owners.id"],
    };
    for (const part of parts[name]) {
      const [rows, key] = part.split(".");
      await connection.run(`delete from shown_${rows} where ${key} = ${found.id}`);
    }
    const { rows } = await connection.run(
      "select id from shown_labels where id not in (select label_id from shown_links)",
    );
    const unused = rows.map(([id]) => Number(id));
    for (const each of session.identityMap)
      if (each instanceof this.world.Label && unused.includes(each.id)) session.expunge(each);
    for (const id of unused) await connection.run(`delete from shown_labels where id = ${id}`);
    return found.id;
  }

  /** @param isNamed whether it may stand under another name */
  #select(name: Name, isNamed = true): unknown {
    const Class = this.world[name] as World["Owner"];
    return isNamed && this.random.below(3) === 0 ? select(aliased(Class, this.#name())) : select(Class);
  }

  #name(): string {
    this.#names++;
    return `other_${this.#names}`;
  }

  /** How many rows of some class fulfil something. */
  #counted(): unknown {
    const name = this.random.pick(names) as Name;
    const condition = this.#conditionMaker(name, 1);
    return select(aliased(this.world[name] as World["Owner"], this.#name()))
      .where((entity) => condition(entity as never))
      .columns(() => [func.count()])
      .scalarSubquery();
  }

  /** A random condition on a class. All choices are made before it is asked of an entity. */
  #conditionMaker(name: Name, depth: number): (entity: any) => Condition {
    const { random } = this;
    const kind = random.below(depth === 0 ? 3 : 9);
    if (kind < 3) {
      const column = random.pick(own[name]) as string;
      const value = random.below(5);
      if (kind === 0) return (entity) => entity[column].eq(value);
      return kind === 1 ? (entity) => entity[column].gt(value) : (entity) => entity[column].isNull();
    }
    const first = this.#conditionMaker(name, depth - 1);
    if (kind === 3) return (entity) => not(first(entity));
    if (kind === 4) {
      const second = this.#conditionMaker(name, depth - 1);
      return random.below(2) === 0
        ? (entity) => and(first(entity), second(entity))
        : (entity) => or(first(entity), second(entity));
    }
    if (kind < 7) {
      const [relationship, target, isMany] = random.pick(relationships[name]) as (typeof relationships)[Name][number];
      const related = this.#conditionMaker(target, depth - 1);
      const isAnything = random.below(3) === 0;
      return (entity) => {
        const attribute = entity[relationship];
        const condition = isAnything ? undefined : related;
        return isMany ? attribute.any(condition) : attribute.has(condition);
      };
    }
    const of = random.pick(names) as Name;
    const inner = this.#conditionMaker(of, depth - 1);
    const Other = aliased(this.world[of] as World["Owner"], this.#name());
    const subquery = select(Other).where((entity) => inner(entity));
    if (kind === 7) {
      const isIn = random.below(2) === 0;
      const ids = subquery.columns((entity) => [entity.id]);
      return (entity) => (isIn ? entity.id.in(ids) : entity.id.notIn(ids));
    }
    return (entity) => exists(subquery.where((other) => other.size.eq(entity.size)));
  }
}

function idsOf(related: { readonly id: number } | readonly { readonly id: number }[] | null): readonly number[] {
  return related === null ? [] : [related].flat().map(({ id }) => id);
}

forEachDatabase((db) => {
  test.each([1, 2, 3, 4, 5])(
    "a strict session finds what it would find if hidden rows were not there (seed %i)",
    async (seed) => {
      const random = new Random(seed);
      const contents = makeRows(random);
      const engine = db.engine();
      for (const world of Object.values(worlds)) await createAll(engine, { metadata: world.metadata });
      const strict = sessionmaker(engine, { criteria: "strict", models: names.map((name) => worlds.full[name]) })();
      const plain = sessionmaker(engine, { models: names.map((name) => worlds.shown[name]) })();
      await fill(engine, worlds.full, contents);
      await fill(engine, worlds.shown, withoutHidden(contents));
      // Half of the programs have everything in memory already.
      const prepared = seed % 2 === 0 ? names : [];
      for (const name of prepared) await strict.scalars(select(worlds.full[name] as World["Owner"]));
      await strict.commit();
      for (const name of prepared) await plain.scalars(select(worlds.shown[name] as World["Owner"]));
      await plain.commit();
      listen(strict, "doOrmExecute", (event) => {
        const { statement, isColumnLoad, isRelationshipLoad } = event;
        if (isColumnLoad || isRelationshipLoad) return;
        if (statement instanceof Select || statement instanceof Update) event.statement = statement.options(...rules);
      });
      for (let step = 0; step < 150; step++) {
        const choices = random.fork();
        random.below(2);
        const asked = await new Asking(worlds.full, choices.fork()).ask(strict);
        // SQLite and PGlite have one connection.
        await strict.commit();
        const expected = await new Asking(worlds.shown, choices.fork()).ask(plain);
        await plain.commit();
        expect([step, asked]).toEqual([step, expected]);
      }
      await strict.close();
      await plain.close();
    },
  );
});
