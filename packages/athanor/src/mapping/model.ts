import { eventTarget } from "../event/event-node.ts";
import { ArgumentError } from "../event/errors.ts";
import { defineAccessors } from "../instance/accessors.ts";
import { Instance, INSTRUMENT } from "../instance/instance.ts";
import type { InstrumentedClass, Instrumentation } from "../instance/instrumentation.ts";
import { expectOptions, expectTableName } from "./check-declaration.ts";
import { defineRefusal, expectConcrete } from "./concrete.ts";
import {
  Declaration,
  type DeclarationOptions,
  declarationOf,
  type DeclaredParent,
  tableColumns,
} from "./declaration.ts";
import type { Column } from "./column.ts";
import { mapperOf } from "./configure-mappers.ts";
import { defaultMetadata, type Metadata } from "./metadata.ts";
import type { Mixin } from "./mixin.ts";
import type { AnyModel, GivenValue, Mapped, MixedIn, ModelClass } from "./model-types.ts";
import { Table } from "./table.ts";

/** What concerns a whole class: inheritance, version counter, constraints. */
export interface ModelOptions<TMixins extends readonly Mixin<any>[] = readonly Mixin<any>[]> {
  /** Properties that it shares with other models. */
  readonly mixins?: TMixins;
  /** The column that says which class a row belongs to; with it the class can be inherited from. */
  readonly polymorphicOn?: string;
  /** The value of that column for instances of this very class. */
  readonly identity?: string;
  /**
   * "*": statements that read the class read its subclasses' columns too, by an outer join to each table of theirs, unless they say otherwise. It holds for the classes
   * below it. See {@link withPolymorphic}; a subclass alone asks for it with `polymorphicLoad`.
   */
  readonly withPolymorphic?: "*";
  /** An integer column that counts the updates of a row; an UPDATE of a row that somebody else changed is then a StaleDataError. */
  readonly version?: string;
  /** The schema of its table, where the database has schemas. */
  readonly schema?: string;
  /** False: a flush raises the events of each instance around its own statement. */
  readonly batch?: boolean;
  /** Unique constraints over several attributes. */
  readonly unique?: readonly (readonly string[])[];
  /** Foreign keys over several attributes, to "table.column"s. */
  readonly foreignKeys?: readonly { readonly columns: readonly string[]; readonly references: readonly string[] }[];
  /** The collection of tables that it belongs to, if not the common one. */
  readonly metadata?: Metadata;
}

/** What concerns a whole subclass: its identity, and its table if it has one of its own. */
export interface InheritOptions<TMixins extends readonly Mixin<any>[] = readonly Mixin<any>[]> extends Omit<
  ModelOptions<TMixins>,
  "metadata" | "polymorphicOn"
> {
  /** The value of the parent's discriminator for instances of this class. */
  readonly identity: string;
  /**
   * Whether statements that read a class above it load its columns along: from the same rows ("inline", an outer join to its table), or by one further SELECT for all of its
   * instances ("selectin"). Otherwise `load()` loads them for each instance. See {@link withPolymorphic} and {@link selectinPolymorphic}.
   */
  readonly polymorphicLoad?: "inline" | "selectin";
  /** Whether its instances are rows of a table of their own alone: see {@link ConcreteOptions}. */
  readonly concrete?: false;
  /** A table of its own, joined to the parent's by its key; without it the class shares the parent's table. */
  readonly table?: string;
}

/**
 * Declares a model: the table, its columns, and so the attributes of the class that extends the result.
 *
 * Its table is known to `createAll` at once. SQLAlchemy: ORM Quick Start, Declarative Mapping.
 *
 * @throws ArgumentError for a property that is no column, or a table without a key.
 * @example
 * class User extends model("users", { id: integer().primaryKey(), email: text().unique() }) {}
 */
export function model<TProperties extends object, const TMixins extends readonly Mixin<any>[] = []>(
  table: string,
  properties: TProperties,
  options: ModelOptions<TMixins> = {},
): ModelClass<TProperties & MixedIn<TMixins>> {
  expectTableName(table);
  expectOptions("a model", options);
  const Base = class extends Instance {};
  declare(Base, properties, { ...complete(options), table });
  return Base as never;
}

/** What concerns a subclass whose instances are in a table of their own, with all of their columns. */
export interface ConcreteOptions<TMixins extends readonly Mixin<any>[] = readonly Mixin<any>[]> extends Omit<
  ModelOptions<TMixins>,
  "metadata" | "polymorphicOn" | "identity" | "withPolymorphic"
> {
  /** Its rows hold everything: no row of the parent's table belongs to them. */
  readonly concrete: true;
  /** Its table, which gets the columns of the parent too. */
  readonly table: string;
}

/**
 * Declares a subclass of a model: with `table` it has a table of its own that refers to its parent's (joined-table inheritance),
 * without it shares the parent's.
 *
 * The parent's constructor, methods, listeners and validators hold for it. With `concrete: true` it has a table of its own with all of its columns, those that the parent
 * declares too, and its instances are in no way rows of the parent: each class has keys of its own, statements about the parent do not find them unless they ask for
 * {@link withPolymorphic}, and relationships are not inherited. SQLAlchemy: Mapping Class Inheritance Hierarchies.
 *
 * @example
 * class PremiumUser extends inherit(User, { identity: "premium_user", table: "premium_users" }, {
 *   id: integer().primaryKey().references("users.id"),
 *   tier: integer(),
 * }) {}
 */
export function inherit<
  TBase extends AnyModel,
  TProperties extends object,
  const TMixins extends readonly Mixin<any>[] = [],
>(
  base: TBase,
  options: ConcreteOptions<TMixins> | InheritOptions<TMixins>,
  properties: TProperties,
): {
  // Not what the parent's own constructor takes: asking for that while the subclass is being declared is a circle, where the parent refers to the subclass.
  new (values?: {
    -readonly [K in keyof (TBase["~properties"] & TProperties & MixedIn<TMixins>)]?: GivenValue<
      (TBase["~properties"] & TProperties & MixedIn<TMixins>)[K]
    >;
  }): InstanceType<TBase> & Mapped<TProperties & MixedIn<TMixins>>;
  readonly "~properties": TBase["~properties"] & TProperties & MixedIn<TMixins>;
} & Omit<TBase, "~properties" | "prototype"> {
  const declaration = declarationOf(base);
  if (declaration === undefined) {
    throw new ArgumentError(
      `inherit() needs a model class to inherit from, and got ${(base as { name?: string } | undefined)?.name ?? String(base)}.`,
    );
  }
  expectOptions("inherit()", options);
  const Parent = base as unknown as typeof Instance;
  const Base = class extends Parent {};
  const isConcrete = (options.concrete ?? false) !== false;
  if (isConcrete) expectConcrete(options, declaration);
  declare(
    Base,
    properties,
    { ...complete(options), table: options.table },
    { declaration, class: base as never, isConcrete },
  );
  return Base as never;
}

/**
 * A table without a class, as between two sides of a many-to-many.
 *
 * SQLAlchemy: Describing Databases with MetaData, `Table`.
 */
export function table(
  name: string,
  columns: Readonly<Record<string, Column<any, any>>>,
  options: { readonly schema?: string; readonly metadata?: Metadata } = {},
): Table {
  const made = new Table(name, tableColumns(columns).columns, {
    schema: options.schema,
    foreignKeys: tableColumns(columns).foreignKeys,
  });
  (options.metadata ?? defaultMetadata).add(made);
  return made;
}

function complete(
  options: Partial<Omit<InheritOptions, "concrete">> & ModelOptions,
): Omit<DeclarationOptions, "table"> {
  return {
    metadata: options.metadata ?? defaultMetadata,
    mixins: options.mixins ?? [],
    identity: options.identity,
    polymorphicOn: options.polymorphicOn,
    polymorphicLoad: options.polymorphicLoad,
    withPolymorphic: options.withPolymorphic,
    version: options.version,
    schema: options.schema,
    batch: options.batch ?? true,
    unique: options.unique ?? [],
    foreignKeys: options.foreignKeys ?? [],
  };
}

function declare(
  base: typeof Instance,
  properties: object,
  options: DeclarationOptions,
  parent?: DeclaredParent,
): void {
  const declaration = new Declaration(base as InstrumentedClass, properties, options, parent);
  Object.defineProperty(base, "name", { value: `model("${declaration.table.name}")`, configurable: true });
  Object.defineProperty(base, INSTRUMENT, {
    value: (target: InstrumentedClass): Instrumentation => mapperOf(target).instrumentation,
  });
  const inherited = declaration.parent?.properties.length ?? 0;
  defineAccessors(
    base.prototype,
    declaration.properties.slice(inherited).map(({ key, slot, column, relationship }) => ({
      key,
      slot,
      isTransient: column === undefined && relationship === undefined,
    })),
  );
  for (const key of declaration.notInherited) defineRefusal(base.prototype, declaration, key);
  for (const mixin of options.mixins) base[eventTarget].addParent(mixin[eventTarget]);
}
