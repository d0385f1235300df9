import { ArgumentError } from "../event/errors.ts";
import { NO_VALUE, PASSIVE_NO_RESULT } from "../instance/history.ts";
import type { Instance } from "../instance/instance.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import type { InstrumentedClass } from "../instance/instrumentation.ts";
import type { Cascade } from "./cascade.ts";
import type { AnyRelationship } from "./declaration.ts";
import { identityKey } from "./identity.ts";
import { expectLazy } from "./lazy.ts";
import type { ColumnProperty, Mapper } from "./mapper.ts";
import type { Metadata } from "./metadata.ts";
import type { RelationshipContainer, RelationshipOptions } from "./relationship.ts";
import type { ForeignKey, Table, TableColumn } from "./table.ts";

/** Where the foreign key is, seen from the declaring class: there, here, or in a table between. */
export type Direction = "oneToMany" | "manyToOne" | "manyToMany";

/** Two attributes that hold the same value in related rows. */
export interface KeyPair {
  /** The attribute of the declaring class. */
  readonly local: ColumnProperty;
  /** The attribute of the other class. */
  readonly remote: ColumnProperty;
}

/** A column of a table between, and the attribute whose value it holds. */
export interface SecondaryPair {
  readonly column: TableColumn;
  readonly property: ColumnProperty;
}

/** A relationship that knows its other end: what `many()` or `one()` said, resolved when all classes exist. */
export class RelationshipProperty {
  readonly key: string;
  readonly slot: number;
  /** The mapper of the class that declares it. */
  readonly parent: Mapper;
  readonly target: Mapper;
  readonly direction: Direction;
  readonly container: RelationshipContainer;
  /** The attribute of the related instances that is their key in a map. */
  readonly keyedByAttribute: string | undefined;
  readonly cascade: Cascade;
  readonly options: RelationshipOptions;
  /** Of a foreign key in one of the two classes. */
  readonly pairs: readonly KeyPair[];
  /** Of a table between. */
  readonly secondary:
    | { readonly table: Table; readonly parent: readonly SecondaryPair[]; readonly target: readonly SecondaryPair[] }
    | undefined;
  readonly orderBy: readonly ColumnProperty[];
  /** The same relationship, seen from the other class. */
  inverse: RelationshipProperty | undefined = undefined;

  constructor(parent: Mapper, target: Mapper, key: string, slot: number, relationship: AnyRelationship) {
    this.parent = parent;
    this.target = target;
    this.key = key;
    this.slot = slot;
    this.container = relationship.container;
    this.keyedByAttribute = relationship.keyedByAttribute;
    this.cascade = relationship.cascade;
    this.options = relationship.options;
    expectLazy(relationship.options.lazy, this.label);
    expectDepth(relationship.options.joinDepth, this.label);
    const { secondary, foreignKey, orderBy } = relationship.options;
    if (secondary !== undefined) {
      const table =
        typeof secondary === "string" ? findTable(parent.declaration.metadata, secondary, this.label) : secondary;
      this.direction = "manyToMany";
      this.secondary = { table, ...this.#secondaryPairs(table) };
      this.pairs = [];
    } else {
      const found = isReferences(foreignKey)
        ? this.#statedKey(relationship.kind, Object.entries(foreignKey))
        : this.#foreignKey(relationship.kind, typeof foreignKey === "string" ? [foreignKey] : foreignKey);
      this.direction = found.direction;
      this.pairs = found.pairs;
      this.secondary = undefined;
    }
    this.orderBy = (orderBy === undefined ? [] : typeof orderBy === "string" ? [orderBy] : orderBy).map((name) =>
      this.#columnOf(this.target, name),
    );
    this.#check();
  }

  /** "User.posts", for messages. */
  get label(): string {
    return `${this.parent.class.name}.${this.key}`;
  }

  get isCollection(): boolean {
    return this.container !== "one";
  }

  get isViewOnly(): boolean {
    return this.options.viewOnly === true;
  }

  get targetClass(): InstrumentedClass {
    return this.target.class as unknown as InstrumentedClass;
  }

  /** What stands for it where its parts are noted to have a parent. */
  get parentage(): object | undefined {
    return this.direction === "oneToMany" || this.options.singleParent === true ? this : undefined;
  }

  /**
   * What the reference of an instance with a row is, as far as that is known without asking the database: null where its foreign key is, an instance that
   * the session has, NO_VALUE where the foreign key was never set, PASSIVE_NO_RESULT where only the database knows. A foreign key that was assigned by hand tells what
   * is referred to now; what is replaced is told by that of the row.
   */
  findKnown(state: InstanceState, by: "now" | "row"): Instance | null | typeof NO_VALUE | typeof PASSIVE_NO_RESULT {
    if (state.owner === undefined || !this.refersToKey) return PASSIVE_NO_RESULT;
    const values = this.pairs.map(({ local: { slot } }) =>
      by === "now" ? state.values[slot] : state.committedValue(slot),
    );
    if (values.includes(undefined)) {
      return this.pairs.some(({ local }) => state.isUnread(local.slot)) ? PASSIVE_NO_RESULT : NO_VALUE;
    }
    if (values.every((value) => value === null)) return null;
    const byKey = this.target.primaryKey.map(
      (key) => values[this.pairs.findIndex(({ remote }) => remote.slot === key.slot)],
    );
    return state.owner.findByKey(this.target, identityKey(this.target, byKey)) ?? PASSIVE_NO_RESULT;
  }

  /** Whether the foreign key here holds the whole primary key there, and that is all there is to it, so that the identity map can be asked. */
  get refersToKey(): boolean {
    return (
      this.direction === "manyToOne" &&
      this.options.where === undefined &&
      this.target.primaryKey.every((key) => this.pairs.some(({ remote }) => remote.slot === key.slot))
    );
  }

  /** Finds the relationship of the other class that names this one; undefined until that one is resolved too. */
  linkInverse(): RelationshipProperty | undefined {
    const { backPopulates } = this.options;
    if (backPopulates === undefined || this.inverse !== undefined) return undefined;
    const other = this.target.relationships.find(({ key }) => key === backPopulates);
    // Not configured yet: it links both when its turn comes.
    if (other === undefined) {
      this.#expectDeclared(backPopulates);
      return undefined;
    }
    this.inverse = other;
    other.inverse = this;
    return other;
  }

  #expectDeclared(key: string): void {
    if (this.target.declaration.find(key)?.relationship !== undefined) return;
    throw new ArgumentError(
      `${this.label} has backPopulates: "${key}", and ${this.target.class.name} has no relationship of that name. Declare it there: get ${key}() { return …(${this.parent.class.name}, { backPopulates: "${this.key}" }); }.`,
    );
  }

  #columnOf(mapper: Mapper, name: string): ColumnProperty {
    const property = mapper.column(name);
    if (property !== undefined) return property;
    throw new ArgumentError(`${this.label} names "${name}", which is no column of ${mapper.class.name}.`);
  }

  #foreignKey(
    kind: "many" | "one",
    keys: readonly string[] | undefined,
  ): { readonly direction: Direction; readonly pairs: readonly KeyPair[] } {
    const here = kind === "many" ? [] : this.#candidates(this.parent, this.target, keys);
    const there = here.length > 0 ? [] : this.#candidates(this.target, this.parent, keys);
    const found = here.length > 0 ? here : there;
    const [only] = found;
    const hint = `Say which attribute holds it: ${kind}(${this.target.class.name}, { foreignKey: "…" }).`;
    if (only === undefined) {
      throw new ArgumentError(
        `${this.label} finds no foreign key between ${this.parent.class.name} and ${this.target.class.name}${keys === undefined ? "" : ` in ${keys.join(", ")}`}. ` +
          `Add .references("…") to a column, name a table between with secondary, or say which attributes belong together: foreignKey: { … }.`,
      );
    }
    if (found.length > 1) {
      throw new ArgumentError(
        `${this.label} finds several foreign keys between ${this.parent.class.name} and ${this.target.class.name}. ${hint}`,
      );
    }
    return here.length > 0
      ? { direction: "manyToOne", pairs: only.map(([local, remote]) => ({ local, remote })) }
      : { direction: "oneToMany", pairs: only.map(([remote, local]) => ({ local, remote })) };
  }

  /** A key that no constraint of the database tells. */
  #statedKey(
    kind: "many" | "one",
    references: readonly (readonly [string, string])[],
  ): { readonly direction: Direction; readonly pairs: readonly KeyPair[] } {
    const isHere = kind === "one" && references.every(([key]) => this.parent.column(key) !== undefined);
    const [holding, other] = isHere ? [this.parent, this.target] : [this.target, this.parent];
    const pairs = references.map(([key, referred]) => {
      const [foreign, primary] = [this.#columnOf(holding, key), this.#columnOf(other, referred)];
      return isHere ? { local: foreign, remote: primary } : { local: primary, remote: foreign };
    });
    return { direction: isHere ? "manyToOne" : "oneToMany", pairs };
  }

  /** Each foreign key from the tables of one class to those of another, as pairs of attributes: the referring one, the referred one. */
  #candidates(
    from: Mapper,
    to: Mapper,
    keys: readonly string[] | undefined,
  ): (readonly (readonly [ColumnProperty, ColumnProperty])[])[] {
    const candidates: (readonly (readonly [ColumnProperty, ColumnProperty])[])[] = [];
    for (const table of from.tables) {
      for (const foreignKey of table.foreignKeys) {
        const referred = to.tables.find((candidate) => isReferred(foreignKey, candidate));
        // What joins a subclass's table to its parent's is no relationship.
        if (referred === undefined || (from.tables.includes(referred) && isInheritance(table, foreignKey))) continue;
        const pairs = foreignKey.columns.map(
          (column, index) =>
            [
              propertyOf(from, table, column),
              propertyOf(to, referred, foreignKey.referencedColumns[index] ?? ""),
            ] as const,
        );
        if (pairs.some(([left, right]) => left === undefined || right === undefined)) continue;
        const resolved = pairs as (readonly [ColumnProperty, ColumnProperty])[];
        if (keys !== undefined && !keys.every((key) => resolved.some(([left]) => left.key === key))) continue;
        candidates.push(resolved);
      }
    }
    return candidates;
  }

  #secondaryPairs(table: Table): {
    readonly parent: readonly SecondaryPair[];
    readonly target: readonly SecondaryPair[];
  } {
    const sides = table.foreignKeys.map((foreignKey) => ({
      parent: secondarySide(table, foreignKey, this.parent),
      target: secondarySide(table, foreignKey, this.target),
    }));
    const { foreignKey } = this.options;
    if (isReferences(foreignKey)) {
      throw new ArgumentError(
        `${this.label} goes through the table "${table.fullName}", whose own foreign keys say what belongs together. Name the one to ${this.parent.class.name} where there are several: foreignKey: "…".`,
      );
    }
    const keys = foreignKey === undefined ? undefined : [foreignKey].flat();
    const isOwn = (pairs: readonly SecondaryPair[]): boolean =>
      keys === undefined || keys.every((key) => pairs.some(({ column }) => column.name === key));
    const parentIndex = sides.findIndex(({ parent }) => parent !== undefined && isOwn(parent));
    const targetIndex = sides.findIndex(({ target }, index) => target !== undefined && index !== parentIndex);
    const parent = sides[parentIndex]?.parent;
    const target = sides[targetIndex]?.target;
    if (parent !== undefined && target !== undefined) return { parent, target };
    throw new ArgumentError(
      `The table "${table.fullName}" between the two ends of ${this.label} needs a foreign key to each of ${this.parent.class.name} and ${this.target.class.name}.`,
    );
  }

  #check(): void {
    if (this.options.lazy === "writeOnly" && this.container !== "array") {
      const said = this.container === "one" ? "one()" : this.container === "set" ? "asSet()" : "keyedBy()";
      throw new ArgumentError(
        `${this.label} has lazy: "writeOnly", which is for collections that are never loaded, and ${said} says what it is in memory. Leave out one of the two.`,
      );
    }
    if (this.cascade.has("delete-orphan") && this.direction !== "oneToMany" && this.options.singleParent !== true) {
      throw new ArgumentError(
        `${this.label} has the cascade delete-orphan at the end where several may refer to one ${this.target.class.name}. Say singleParent: true if only one ever does, or put the cascade on the other side.`,
      );
    }
    if (this.container !== "one" && this.direction === "manyToOne") {
      throw new ArgumentError(
        `${this.label} is a collection, and its foreign key allows one ${this.target.class.name} only. Declare it with one().`,
      );
    }
  }
}

function expectDepth(depth: number | undefined, label: string): void {
  if (depth === undefined || (Number.isSafeInteger(depth) && depth > 0)) return;
  throw new ArgumentError(`${label} has joinDepth: ${String(depth)}, which is no whole number from 1 on.`);
}

/** Whether a foreign key is told with what it holds, and not by its name alone. */
function isReferences(
  foreignKey: AnyRelationship["options"]["foreignKey"],
): foreignKey is Readonly<Record<string, string>> {
  return typeof foreignKey === "object" && !Array.isArray(foreignKey);
}

function secondarySide(table: Table, foreignKey: ForeignKey, mapper: Mapper): readonly SecondaryPair[] | undefined {
  const referred = mapper.tables.find((candidate) => isReferred(foreignKey, candidate));
  if (referred === undefined) return undefined;
  return foreignKey.columns.map((name, index) => ({
    column: table.columns.find((column) => column.name === name) as TableColumn,
    property: propertyOf(mapper, referred, foreignKey.referencedColumns[index] ?? "") as ColumnProperty,
  }));
}

function isReferred(foreignKey: ForeignKey, table: Table): boolean {
  return (
    foreignKey.referencedTable === table.name &&
    (foreignKey.referencedSchema === undefined || foreignKey.referencedSchema === table.schema)
  );
}

function isInheritance(table: Table, foreignKey: ForeignKey): boolean {
  return (
    foreignKey.columns.every((name) => table.primaryKey.some((column) => column.name === name)) &&
    foreignKey.columns.length === table.primaryKey.length &&
    foreignKey.referencedTable !== table.name
  );
}

function propertyOf(mapper: Mapper, table: Table, column: string): ColumnProperty | undefined {
  return mapper.columnProperties.find(({ stored }) =>
    stored.some((place) => place.table === table && place.column.name === column),
  );
}

function findTable(metadata: Metadata, name: string, label: string): Table {
  const table = metadata.tables.get(name);
  if (table !== undefined) return table;
  throw new ArgumentError(
    `${label} names the table "${name}" between, which does not exist. Declare it with table("${name}", { … }).`,
  );
}
