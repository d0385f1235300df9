import type { Dialect } from "../engine/dialect.ts";
import { distinct } from "../engine/distinct.ts";
import { type Instance, stateOf } from "../instance/instance.ts";
import type { RelatedAttribute } from "../instance/instance-attribute.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import { type ColumnProperty, type Mapper, mapperOfState } from "../mapping/mapper.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import type { Expression } from "../sql/expression.ts";
import type { LoadingPlan } from "../sql/loading-plan.ts";
import { SelectedEntity } from "../sql/selected-entity.ts";
import type { AfterLoads, RelatedLoads } from "./after-loads.ts";
import { carry, planToCarry } from "./carried-options.ts";
import type { PlannedEntity } from "./planned-entity.ts";
import { announce, instanceOfRow, type LoadContext, revisit, type RowReader, rowReader } from "./row-loader.ts";
import type { StatementPlan } from "./statement-plan.ts";

/** What was found in a row: its instances and values, and the values of the columns that link it. */
export type FoundRow = readonly unknown[];

/** Reads the rows of a statement that loads more than instances of its own class. */
export function readPlannedRows(
  plan: StatementPlan,
  rows: readonly unknown[][],
  context: LoadContext,
  dialect: Dialect,
): { readonly found: readonly FoundRow[]; enqueue(afterLoads: AfterLoads, loads: RelatedLoads): void } {
  const reading = new PlannedRows(plan, context, dialect);
  const found = reading.read(rows);
  return { found, enqueue: (afterLoads, loads) => reading.enqueue(afterLoads, loads) };
}

/** What is known of an instance that stands in these rows. */
interface Visit {
  /** The names that it was missing when it was first seen; undefined: everything is taken from the rows. */
  readonly missing: ReadonlySet<string> | undefined;
  /** How many relationships lead from the instances that the rows consist of to the nearest place where it was seen. */
  depth: number;
  /** By slot, what the rows so far have of its collections. */
  collections: Map<number, Set<Instance>> | undefined;
}

class PlannedRows {
  readonly context: LoadContext;
  readonly visits = new Map<InstanceState, Visit>();
  /** No instance stands in several rows, so nothing has to be known of those that were read. */
  readonly isDistinct: boolean;
  readonly #plan: StatementPlan;
  readonly #items: readonly ((row: unknown[]) => unknown)[];
  readonly #entities = new Map<PlannedEntity, EntityRows>();

  constructor(plan: StatementPlan, context: LoadContext, dialect: Dialect) {
    this.#plan = plan;
    this.isDistinct = plan.isDistinct;
    this.context = context;
    const { properties: columns, parts } = plan.select;
    const entities = [...plan.entities];
    let offset = 0;
    const take = (entity: PlannedEntity, properties: readonly ColumnProperty[]): EntityRows => {
      const rows = new EntityRows(entity, properties, offset, dialect, this);
      this.#entities.set(entity, rows);
      offset += properties.length;
      return rows;
    };
    const takeEntity = (properties?: readonly ColumnProperty[]): ((row: unknown[]) => unknown) => {
      const entity = entities.shift() as PlannedEntity;
      const rows = take(entity, properties ?? entity.properties);
      return (row) => rows.read(row);
    };
    const takeValue = (item: Expression<unknown>): ((row: unknown[]) => unknown) => {
      const at = offset++;
      const read = item.reader(dialect);
      return (row) => (read === undefined || row[at] === null ? row[at] : read(row[at]));
    };
    this.#items = [
      ...(parts.selected?.items.map((item) => (item instanceof SelectedEntity ? takeEntity() : takeValue(item))) ?? [
        takeEntity(columns),
      ]),
      ...(parts.links ?? []).map(takeValue),
    ];
    for (const entity of plan.entities.flatMap(joinedTo)) take(entity, entity.properties);
    for (const rows of this.#entities.values()) rows.connect(this.#entities);
  }

  read(rows: readonly unknown[][]): FoundRow[] {
    const items = this.#items;
    const found = rows.map((row) => {
      const values: unknown[] = [];
      for (let at = 0; at < items.length; at++) values.push((items[at] as (row: unknown[]) => unknown)(row));
      return values;
    });
    for (const [state, { collections }] of this.visits) {
      for (const [slot, items] of collections ?? []) {
        const attribute = state.instrumentation.attributes[slot] as RelatedAttribute;
        if (state.values[slot] !== undefined) attribute.expire(state);
        attribute.setLoaded(state, [...items]);
      }
    }
    // A row for each of its related ones is one instance, and so it is with each that it is linked to.
    return this.#plan.joins.length > 0 ? distinct(found, (row) => (row.length === 1 ? row[0] : row)) : found;
  }

  enqueue(afterLoads: AfterLoads, loads: RelatedLoads): void {
    for (const entity of this.#plan.withAfter) {
      const states = [...(this.#entities.get(entity) as EntityRows).states];
      for (const { of, load } of entity.after) {
        // Rows of a hierarchy are of several classes, and not each has what a subclass adds.
        const having = states.filter((state) => mapperOfState(state).isA(of));
        afterLoads.add(load, having, loads);
      }
    }
  }
}

/** The part of each row that holds one entity. */
class EntityRows {
  /** The instances that were read, in the order of the rows. */
  readonly states = new Set<InstanceState>();
  readonly #entity: PlannedEntity;
  readonly #mapper: Mapper;
  readonly #rows: PlannedRows;
  readonly #reader: RowReader;
  readonly #offset: number;
  readonly #end: number;
  readonly #keyIndexes: readonly number[];
  readonly #plan: LoadingPlan | undefined;
  /** The statement has options for later loads, if not for the instances in this part of its rows. */
  readonly #carries: boolean;
  readonly #context: LoadContext;
  #related: readonly { readonly property: RelationshipProperty; readonly rows: EntityRows }[] = [];
  /** The key and instance of the row before: rows of one parent follow each other. */
  #lastKey: unknown = undefined;
  #last: InstanceState | undefined = undefined;

  constructor(
    entity: PlannedEntity,
    properties: readonly ColumnProperty[],
    offset: number,
    dialect: Dialect,
    rows: PlannedRows,
  ) {
    const { mapper } = entity;
    this.#entity = entity;
    this.#mapper = mapper;
    this.#rows = rows;
    this.#reader = rowReader(entity.columns, properties, dialect);
    this.#offset = offset;
    this.#end = offset + properties.length;
    this.#keyIndexes = mapper.primaryKey.map(
      ({ slot }) => offset + properties.findIndex((property) => property.slot === slot),
    );
    this.#plan = planToCarry(entity);
    // A statement that follows an option is part of what that option says, also where nothing more is to follow.
    const { entities, select } = entity.statement;
    this.#carries = entities.some((each) => planToCarry(each) !== undefined) || select.parts.links !== undefined;
    // A refresh overwrites the instance that it was asked for, and no other.
    const isOverwritten = !entity.statement.isRefresh || entity === entities[0];
    this.#context = isOverwritten
      ? rows.context
      : { ...rows.context, populateExisting: false, onlyKeys: undefined, asking: undefined };
  }

  connect(all: ReadonlyMap<PlannedEntity, EntityRows>): void {
    this.#related = this.#entity.joined.map(({ property, entity }) => ({
      property,
      rows: all.get(entity) as EntityRows,
    }));
  }

  /** The instance in a row; null where an outer join found none. */
  read(row: unknown[]): Instance | null {
    const [keyIndex, ...more] = this.#keyIndexes;
    const rawKey = row[keyIndex as number];
    if (rawKey === null || more.some((index) => row[index] === null)) return null;
    if (this.#last !== undefined && more.length === 0 && rawKey === this.#lastKey) {
      this.#readAgain(this.#last, row);
      return this.#last.instance;
    }
    const state = this.#readEntity(row);
    if (!this.#rows.isDistinct && this.#entity.columns.sharesKeys) {
      this.#lastKey = rawKey;
      this.#last = state;
    }
    if (this.#entity.after.length > 0) this.states.add(state);
    return state.instance;
  }

  #readEntity(row: unknown[]): InstanceState {
    const { visits, isDistinct } = this.#rows;
    const context = this.#context;
    // What stands behind the columns of an entity is left as it is, so only what stands before them is in the way.
    const values = this.#offset === 0 ? row : row.slice(this.#offset, this.#end);
    const mapper = this.#reader.discriminate?.(values) ?? this.#mapper;
    this.#reader.convert(values);
    const key = this.#reader.key(values);
    const existing = context.asking?.instance ?? context.identityMap.of(mapper).get(key);
    if (existing === undefined) {
      const instance = instanceOfRow(mapper, this.#reader, values, key, context);
      const state = stateOf(instance);
      if (this.#plan !== undefined) carry(state, this.#plan);
      if (!isDistinct) {
        visits.set(state, { missing: undefined, depth: this.#entity.depth, collections: undefined });
        this.#takeRelated(state, row, true);
      }
      announce(instance, context);
      return state;
    }
    const state = stateOf(existing);
    const visit = isDistinct ? undefined : visits.get(state);
    if (visit !== undefined) {
      this.#carryFromHere(state, visit);
      if (state.unread !== undefined) fillUp(state, this.#reader, values);
      this.#readAgain(state, row);
      return state;
    }
    if (context.populateExisting && this.#carries) carry(state, this.#plan);
    if (!isDistinct) {
      const missing = context.populateExisting ? undefined : new Set(state.unloadedNames());
      visits.set(state, { missing, depth: this.#entity.depth, collections: undefined });
    }
    const takeRelated = this.#related.length === 0 ? undefined : () => this.#takeRelated(state, row, true);
    revisit(state, this.#reader, values, context, takeRelated);
    return state;
  }

  /** One that stands in several places of the rows is loaded later as in the nearest of them, whichever came first. */
  #carryFromHere(state: InstanceState, visit: Visit): void {
    const { depth } = this.#entity;
    if (!this.#carries || visit.missing !== undefined || depth >= visit.depth) return;
    visit.depth = depth;
    carry(state, this.#plan);
  }

  /** A further row of an instance. */
  #readAgain(state: InstanceState, row: unknown[]): void {
    this.#takeRelated(state, row, false);
  }

  /** Takes up the related instances of a row, as far as they were missing; the others are read all the same, and left where they are. */
  #takeRelated(state: InstanceState, row: unknown[], isFirst: boolean): void {
    if (this.#related.length === 0) return;
    const visit = this.#rows.visits.get(state) as Visit;
    const mapper = mapperOfState(state);
    for (const { property, rows } of this.#related) {
      const { slot, key } = property;
      // Rows of a hierarchy are of several classes, and not each has what a subclass adds.
      if (!mapper.isA(property.parent)) continue;
      const instance = rows.read(row);
      if (visit.missing?.has(key) === false) continue;
      if (property.isCollection) {
        const collections = (visit.collections ??= new Map());
        let items = collections.get(slot);
        if (items === undefined) collections.set(slot, (items = new Set()));
        if (instance !== null) items.add(instance);
      } else if (isFirst || state.values[slot] === undefined) {
        const attribute = state.instrumentation.attributes[slot] as RelatedAttribute;
        attribute.setLoaded(state, instance === null ? [] : [instance]);
      }
    }
  }
}

/** What is joined to an entity, and to that in turn, in the order of its columns. */
function joinedTo({ joined }: PlannedEntity): readonly PlannedEntity[] {
  return joined.flatMap(({ entity }) => [entity, ...joinedTo(entity)]);
}

/** Gives an instance that these rows have told of already what only this row has: one query, one event. */
function fillUp(state: InstanceState, reader: RowReader, values: readonly unknown[]): void {
  const filled: number[] = [];
  for (const { slot, index } of reader.columnsOf(mapperOfState(state))) {
    if (state.values[slot] !== undefined || state.isChanged(slot)) continue;
    state.values[slot] = values[index];
    filled.push(slot);
  }
  state.commitSlots(filled);
}
