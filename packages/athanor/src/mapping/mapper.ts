import { InvalidRequestError } from "../event/errors.ts";
import { type EventNode, eventTarget } from "../event/event-node.ts";
import { Instance, type stateOf } from "../instance/instance.ts";
import { type InstrumentedClass, Instrumentation } from "../instance/instrumentation.ts";
import { CollectionAttribute } from "../instance/collection-attribute.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import { ReferenceAttribute } from "../instance/reference-attribute.ts";
import { ScalarAttribute } from "../instance/scalar-attribute.ts";
import { WriteOnlyAttribute } from "../instance/write-only-attribute.ts";
import { attributeNode } from "./attribute-node.ts";
import type { Column } from "./column.ts";
import type { Declaration, PropertyDeclaration } from "./declaration.ts";
import { EntityColumns } from "./entity-columns.ts";
import { expectRowOfTarget } from "./concrete.ts";
import { collectionKind } from "./collection-kind.ts";
import { unloadedAs } from "./lazy.ts";
import type { RelationshipProperty } from "./relationship-property.ts";
import type { Table, TableColumn } from "./table.ts";

/** One attribute that is stored in a column, as its mapper knows it. */
export interface ColumnProperty extends PropertyDeclaration {
  readonly column: Column<unknown, "required" | "optional">;
  /** The column that is read: the parent's where a key stands in two tables. */
  readonly source: { readonly table: Table; readonly column: TableColumn };
}

/** What is loaded of the instances of a class where statements say nothing of it. */
interface LoadedBySelf {
  /** How many of its subclasses were used by then. */
  readonly known: number;
  readonly columns: EntityColumns;
  readonly selectin: readonly Mapper[];
}

/** Where a mapped class keeps its mapper. */
export const MAPPER: unique symbol = Symbol("mapper");

/**
 * How a class is stored: its tables, its columns by attribute, its key, its place in a hierarchy. `inspect(User)` returns it.
 *
 * SQLAlchemy: Class Mapping API, `Mapper`.
 */
export class Mapper<TInstance = unknown> {
  static #count = 0;
  /** Tells mappers apart where names cannot: tables of two Metadata may have one name. */
  readonly serial: number = ++Mapper.#count;
  readonly class: abstract new (...args: never[]) => TInstance;
  readonly declaration: Declaration;
  /** The mapper of the parent class; undefined for a concrete subclass, whose rows are no part of its parent's. */
  readonly inherits: Mapper | undefined;
  /** The mapper of the class at the top of the hierarchy; its instances share one range of keys. */
  readonly baseMapper: Mapper;
  /** The table of this very class: its own, or the one that it shares. */
  readonly table: Table;
  /** Every table that holds a part of its instances, the parent's first. */
  readonly tables: readonly Table[];
  /** The attributes that are stored, by slot. */
  readonly columnProperties: readonly ColumnProperty[];
  /** The attributes that together are the key. */
  readonly primaryKey: readonly ColumnProperty[];
  /** The key is one column whose values are equal where `===` says so: each is its own identity key. */
  readonly hasPlainKey: boolean;
  readonly polymorphicOn: ColumnProperty | undefined;
  readonly polymorphicIdentity: string | undefined;
  readonly version: ColumnProperty | undefined;
  /** False: a flush raises the events of each instance around its own statement, instead of around the batch. */
  readonly batch: boolean;
  readonly instrumentation: Instrumentation;
  /** Relationships of other classes whose parts its instances are: without one of those they are orphans. */
  readonly wholes: RelationshipProperty[] = [];
  /** All that is stored of its instances, and nothing of what subclasses add. */
  readonly ownColumns: EntityColumns;
  readonly #columnsWith = new Map<string, EntityColumns>();
  #loaded: LoadedBySelf | undefined = undefined;
  /** Its relationships, its own before inherited ones, as in SQLAlchemy; known when the mapper is configured. */
  relationships: readonly RelationshipProperty[] = [];

  /** The mappers of the classes that inherit from it, and from those in turn, each after its parent's: as far as they were used. */
  readonly subclasses: Mapper[] = [];
  /** Its relationships, and those of its subclasses, that are loaded along with its instances unless a statement says otherwise. */
  readonly loadedAlong: RelationshipProperty[] = [];

  static get [eventTarget](): EventNode {
    return Instance[eventTarget];
  }

  constructor(declaration: Declaration, mappedClass: InstrumentedClass, inherits: Mapper | undefined) {
    this.class = mappedClass as never;
    this.declaration = declaration;
    this.inherits = inherits;
    this.baseMapper = inherits?.baseMapper ?? this;
    this.table = declaration.table;
    this.tables = inherits === undefined ? [this.table] : [...new Set([...inherits.tables, this.table])];
    this.columnProperties = declaration.properties.filter(isColumnProperty).map(columnProperty);
    this.primaryKey = this.columnProperties.filter(({ source }) => source.column.primaryKey);
    this.hasPlainKey = this.primaryKey.length === 1 && this.primaryKey.every(isPlain);
    this.polymorphicOn = this.#columnOf(declaration.polymorphicOn);
    this.polymorphicIdentity = declaration.identity;
    this.version = this.#columnOf(declaration.version);
    this.batch = declaration.batch;
    this.instrumentation = this.#instrument(mappedClass);
    this.ownColumns = this.columnsWith([]);
  }

  /** The concrete classes below it. Throws where one of them was declared and not used yet: its rows would be missing. */
  get concreteDescendants(): readonly Mapper[] {
    return this.declaration.concreteChildren.flatMap(({ mappedClass, table }) => {
      const mapper = mappedClass === undefined ? undefined : knownMapper(mappedClass);
      if (mapper !== undefined) return [mapper, ...mapper.concreteDescendants];
      throw new InvalidRequestError(
        `A concrete subclass of ${this.class.name}, of the table "${table.name}", is declared but was never used, so its rows would be missing. Name it once: sessionmaker(engine, { models: [${this.class.name}, …] }).`,
      );
    });
  }

  /** What is read of its instances where the columns that these subclasses add are read along. */
  columnsWith(subclasses: readonly Mapper[]): EntityColumns {
    const key = subclasses.map(({ serial }) => serial).join();
    let columns = this.#columnsWith.get(key);
    if (columns === undefined) this.#columnsWith.set(key, (columns = new EntityColumns(this as Mapper, subclasses)));
    return columns;
  }

  /** What statements read of its instances, where they do not say themselves: what is declared to be read along comes with it. */
  get columns(): EntityColumns {
    return this.#loadedBySelf().columns;
  }

  /** The subclasses whose columns are loaded along by a further statement, where they are not read anyway. */
  get selectinSubclasses(): readonly Mapper[] {
    return this.#loadedBySelf().selectin;
  }

  /** Whether further statements follow one for its instances, or it joins what is related to them, though nothing says so there. */
  get loadsAlong(): boolean {
    return this.loadedAlong.length > 0 || this.selectinSubclasses.length > 0;
  }

  #loadedBySelf(): LoadedBySelf {
    const { subclasses } = this;
    const known = subclasses.length;
    // Classes that are used later come in later.
    if (this.#loaded?.known === known) return this.#loaded;
    const isInline = ({ declaration }: Mapper): boolean =>
      this.declaration.withPolymorphic === "*" || declaration.polymorphicLoad === "inline";
    const columns = this.columnsWith(subclasses.filter(isInline));
    const selectin = subclasses.filter(
      (subclass) => subclass.declaration.polymorphicLoad === "selectin" && !columns.covers(subclass),
    );
    return (this.#loaded = { known, columns, selectin });
  }

  get [eventTarget](): EventNode {
    return (this.class as unknown as typeof Instance)[eventTarget];
  }

  /** The attribute of that name, if it is stored in a column. */
  column(key: string): ColumnProperty | undefined {
    return this.columnProperties.find((property) => property.key === key);
  }

  /** Whether instances of this class are instances of the other mapper's class too. */
  isA(other: Mapper): boolean {
    for (let mapper: Mapper | undefined = this as Mapper; mapper !== undefined; mapper = mapper.inherits)
      if (mapper === other) return true;
    return false;
  }

  /** The mapper of the class with that identity in this hierarchy. Throws where no class of it was used yet. */
  withIdentity(identity: unknown): Mapper {
    if (identity === this.polymorphicIdentity) return this as Mapper;
    const declaration = this.declaration.identities.get(identity as string);
    const known = declaration?.mappedClass === undefined ? undefined : knownMapper(declaration.mappedClass);
    if (known !== undefined) return known;
    const names = [...this.declaration.identities.keys()].map((name) => `"${name}"`).join(", ");
    throw new InvalidRequestError(
      declaration === undefined
        ? `A row of "${this.table.name}" has the ${this.polymorphicOn?.key ?? "identity"} "${String(identity)}", which no class declares (known are ${names}). ` +
            `Import the file with its class, or correct the row.`
        : `A row of "${this.table.name}" has the ${this.polymorphicOn?.key ?? "identity"} "${String(identity)}", and its class is declared but was never used. ` +
            `Name it once: sessionmaker(engine, { models: [${this.class.name}, …] }).`,
    );
  }

  #scalarAttribute({ column, key, slot }: PropertyDeclaration, mappedClass: InstrumentedClass): ScalarAttribute {
    const keyIndex = this.primaryKey.findIndex((property) => property.key === key);
    const node = attributeNode(mappedClass, key);
    const attribute = new ScalarAttribute(
      {
        key,
        slot,
        isStored: column !== undefined,
        isEqual: column?.options.type.isEqual ?? Object.is,
        keyIndex: keyIndex === -1 ? undefined : keyIndex,
        activeHistory: column?.options.primaryKey === true || this.declaration.version === key,
        unloadedAs: column?.options.deferred?.raiseLoad === true ? "refused" : "asked",
      },
      node.dispatch,
    );
    node.onRegistration = (_, { options }) => {
      if (options.activeHistory === true) attribute.activeHistory = true;
    };
    return attribute;
  }

  #related(key: string): RelationshipProperty {
    return this.relationships.find((property) => property.key === key) as RelationshipProperty;
  }

  #columnOf(key: string | undefined): ColumnProperty | undefined {
    return key === undefined ? undefined : this.column(key);
  }

  #instrument(mappedClass: InstrumentedClass): Instrumentation {
    const attributes = this.declaration.properties.map((property) => {
      const { relationship, key } = property;
      const { dispatch } = attributeNode(mappedClass, key);
      if (relationship === undefined) return this.#scalarAttribute(property, mappedClass);
      const declared = relationship();
      const options = {
        key,
        slot: property.slot,
        targetClass: () => this.#related(key).targetClass as never,
        expectRelated: (value: Instance) => expectRowOfTarget(this.#related(key), value),
        known: (state: InstanceState, by: "now" | "row") => this.#related(key).findKnown(state, by),
        parentage: () => this.#related(key).parentage,
        activeHistory: () => declared.options.singleParent === true,
        isViewOnly: declared.options.viewOnly === true,
        unloadedAs: unloadedAs(declared.options.lazy),
      };
      if (declared.options.lazy === "writeOnly") return new WriteOnlyAttribute(options, dispatch);
      if (declared.container === "one") return new ReferenceAttribute(options, dispatch);
      return new CollectionAttribute(options, collectionKind(declared), dispatch);
    });
    const identity =
      this.polymorphicOn !== undefined && this.polymorphicIdentity !== undefined
        ? { key: this.polymorphicOn.key, value: this.polymorphicIdentity }
        : undefined;
    return new Instrumentation(
      mappedClass,
      attributes,
      (mappedClass as typeof Instance)[eventTarget].dispatch,
      identity,
    );
  }
}

/** The mapper that an instance's class has, found by its state. */
export function mapperOfState(state: ReturnType<typeof stateOf>): Mapper {
  return knownMapper(state.instrumentation.class) as Mapper;
}

/** The mapper of a class that was used already. */
export function knownMapper(target: object): Mapper | undefined {
  const mapper = (target as { [MAPPER]?: Mapper } | undefined | null)?.[MAPPER];
  return mapper !== undefined && (mapper.class as unknown) === target ? mapper : undefined;
}

function isColumnProperty(
  property: PropertyDeclaration,
): property is PropertyDeclaration & { readonly column: Column<unknown, any> } {
  return property.column !== undefined;
}

function isPlain({ column }: ColumnProperty): boolean {
  const { kind, toDatabase } = column.options.type;
  return toDatabase === undefined && !["timestamp", "bytes", "json", "uuid"].includes(kind);
}

function columnProperty(property: PropertyDeclaration & { readonly column: Column<unknown, any> }): ColumnProperty {
  const [source] = property.stored;
  return { ...property, source: source as ColumnProperty["source"] };
}
