import { emit } from "../event/dispatch.ts";
import { InvalidRequestError } from "../event/errors.ts";
import { type EventNode, eventTarget } from "../event/event-node.ts";
import { Instance, INSTRUMENTATION, type stateOf } from "../instance/instance.ts";
import { type InstrumentedClass, Instrumentation } from "../instance/instrumentation.ts";
import { ScalarAttribute } from "../instance/scalar-attribute.ts";
import { attributeNode } from "./attribute-node.ts";
import type { Column } from "./column.ts";
import { type Declaration, declarationOf, type PropertyDeclaration } from "./declaration.ts";
import type { Table, TableColumn } from "./table.ts";

/** One attribute that is stored in a column, as its mapper knows it. */
export interface ColumnProperty extends PropertyDeclaration {
  readonly column: Column<unknown, "required" | "optional">;
  /** The column that is read: the parent's where a key stands in two tables. */
  readonly source: { readonly table: Table; readonly column: TableColumn };
}

/** Where a mapped class keeps its mapper. */
const MAPPER: unique symbol = Symbol("mapper");

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
  /** The mapper of the parent class. */
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
    if (declaration?.mappedClass !== undefined) return mapperOf(declaration.mappedClass);
    const known = [...this.declaration.identities.keys()].map((name) => `"${name}"`).join(", ");
    throw new InvalidRequestError(
      declaration === undefined
        ? `A row of "${this.table.name}" has the ${this.polymorphicOn?.key ?? "identity"} "${String(identity)}", which no class declares (known are ${known}). ` +
            `Import the file with its class, or correct the row.`
        : `A row of "${this.table.name}" has the ${this.polymorphicOn?.key ?? "identity"} "${String(identity)}", and its class is declared but was never used. ` +
            `Name it once: sessionmaker(engine, { models: [${this.class.name}, …] }).`,
    );
  }

  #columnOf(key: string | undefined): ColumnProperty | undefined {
    return key === undefined ? undefined : this.column(key);
  }

  #instrument(mappedClass: InstrumentedClass): Instrumentation {
    const keys = this.primaryKey.map(({ key }) => key);
    const attributes = this.declaration.properties.map((property) => {
      const { column, key, slot } = property;
      const node = attributeNode(mappedClass, key);
      const attribute = new ScalarAttribute(
        {
          key,
          slot,
          isStored: column !== undefined,
          isEqual: column?.options.type.isEqual ?? Object.is,
          keyIndex: keys.includes(key) ? keys.indexOf(key) : undefined,
          activeHistory: column?.options.primaryKey === true || this.declaration.version === key,
        },
        node.dispatch,
      );
      node.onRegistration = (_, { options }) => {
        if (options.activeHistory === true) attribute.activeHistory = true;
      };
      return attribute;
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

/**
 * The mapper of a model class, which is made when the class is first used.
 *
 * @throws InvalidRequestError for a class that no model() declared, or that extends a mapped class without inherit().
 */
export function mapperOf(target: InstrumentedClass): Mapper {
  const own = mapperOrUndefined(target);
  if (own !== undefined) return own;
  const declaration = declarationOf(target);
  if (declaration === undefined) {
    const name = typeof target === "function" ? target.name || "This class" : String(target);
    throw new InvalidRequestError(
      `${name} is not a model. A model is a class that extends model("table", { … }) or inherit(Parent, …).`,
    );
  }
  const mappedClass = directSubclass(declaration, target);
  if (mappedClass !== target || (declaration.mappedClass ?? target) !== target) {
    throw new InvalidRequestError(
      `${target.name} shares the declaration of ${(declaration.mappedClass ?? mappedClass).name}, and one declaration has one class. ` +
        `To map a subclass write class ${target.name} extends inherit(${(declaration.mappedClass ?? mappedClass).name}, { identity: "…" }, { … }).`,
    );
  }
  const inherits = declaration.parentClass === undefined ? undefined : mapperOf(declaration.parentClass);
  declaration.mappedClass = target;
  const mapper = new Mapper(declaration, target, inherits);
  Object.defineProperty(target, MAPPER, { value: mapper });
  Object.defineProperty(target, INSTRUMENTATION, { value: mapper.instrumentation });
  configure(mapper, target as typeof Instance);
  return mapper;
}

/** The mapper that an instance's class has, found by its state. */
export function mapperOfState(state: ReturnType<typeof stateOf>): Mapper {
  return mapperOrUndefined(state.instrumentation.class) as Mapper;
}

function mapperOrUndefined(target: object): Mapper | undefined {
  const mapper = (target as { [MAPPER]?: Mapper } | undefined | null)?.[MAPPER];
  return mapper !== undefined && (mapper.class as unknown) === target ? mapper : undefined;
}

/** Raises the events of a new mapper. The class has it already, so that listeners may use the class. */
function configure(mapper: Mapper, target: typeof Instance): void {
  const { dispatch } = target[eventTarget];
  const everywhere = Instance[eventTarget].dispatch;
  emit(dispatch["instrumentClass"], { mapper, class: target });
  emit(dispatch["classInstrument"], { class: target });
  emit(dispatch["afterMapperConstructed"], { mapper, class: target });
  emit(everywhere["beforeConfigured"], {});
  emit(dispatch["beforeMapperConfigured"], { mapper, class: target });
  const { attributeInstrument } = dispatch;
  if (attributeInstrument !== undefined) {
    for (const { key } of mapper.instrumentation.attributes) emit(attributeInstrument, { class: target, key });
  }
  emit(dispatch["mapperConfigured"], { mapper, class: target });
  emit(everywhere["afterConfigured"], {});
}

/** The user's class of a declaration: the one right above the class that model() returned, or that class itself. */
function directSubclass(declaration: Declaration, target: InstrumentedClass): InstrumentedClass {
  let current = target as object;
  if (current === declaration.base) return target;
  while (Object.getPrototypeOf(current) !== declaration.base) {
    const next = Object.getPrototypeOf(current) as object | null;
    if (next === null) throw new InvalidRequestError(`${target.name} does not extend ${declaration.label}.`);
    current = next;
  }
  return current as InstrumentedClass;
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
