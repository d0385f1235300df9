import { ArgumentError } from "../event/errors.ts";
import type { InstrumentedClass } from "../instance/instrumentation.ts";
import { checkDeclaration, expectForeignKey, expectOwnColumns, expectProperty } from "./check-declaration.ts";
import { Column, Transient } from "./column.ts";
import { columnName } from "./column-name.ts";
import type { Metadata } from "./metadata.ts";
import type { Mixin } from "./mixin.ts";
import type { Relationship } from "./relationship.ts";
import { type ForeignKey, Table, type TableColumn } from "./table.ts";

/** What a property of a model can be. */
export type Property = Column<unknown, "required" | "optional"> | Transient<unknown> | (() => AnyRelationship);

/** One property of a declared class, inherited ones included. */
export interface PropertyDeclaration {
  readonly key: string;
  readonly slot: number;
  /** Undefined for what is stored in no column. */
  readonly column: Column<unknown, "required" | "optional"> | undefined;
  /** Of a relationship: its getter, which runs once, when every class exists. */
  readonly relationship: (() => AnyRelationship) | undefined;
  /** Where the value is stored: a key of a joined subclass stands in two tables. */
  readonly stored: readonly { readonly table: Table; readonly column: TableColumn }[];
}

export type AnyRelationship = Relationship<any, "many" | "one", any, any>;

/** What a class declares beside its properties. */
export interface DeclarationOptions {
  readonly table: string | undefined;
  readonly metadata: Metadata;
  readonly mixins: readonly Mixin<unknown>[];
  readonly identity: string | undefined;
  readonly polymorphicOn: string | undefined;
  readonly polymorphicLoad: "inline" | "selectin" | undefined;
  readonly withPolymorphic: "*" | undefined;
  readonly version: string | undefined;
  readonly schema: string | undefined;
  readonly batch: boolean;
  readonly unique: readonly (readonly string[])[];
  readonly foreignKeys: readonly { readonly columns: readonly string[]; readonly references: readonly string[] }[];
}

/** What a class inherits from. */
export interface DeclaredParent {
  readonly declaration: Declaration;
  readonly class: InstrumentedClass;
  /** Its rows have no part in the parent's. */
  readonly isConcrete?: boolean;
}

/** Where a class made by model() or inherit() keeps its declaration; the user's classes inherit it. */
const DECLARATION: unique symbol = Symbol("declaration");

/**
 * What `model()` or `inherit()` was told, known before any class of the user's is: its properties in slots, its table,
 * its identity among its relatives.
 */
export class Declaration {
  /** The class that model() or inherit() returned. */
  readonly base: InstrumentedClass;
  /** What its rows are a part of. */
  readonly parent: Declaration | undefined;
  /** Of a concrete subclass, what it inherits columns, listeners and methods from; its rows are no part of that. */
  readonly concreteParent: Declaration | undefined;
  /** Concrete subclasses of it. */
  readonly concreteChildren: Declaration[] = [];
  /** Names of the parent's that are none of its own: relationships of a concrete subclass's parent. */
  readonly notInherited: readonly string[];
  /** The class of the user's that inherit() was called with. */
  readonly parentClass: InstrumentedClass | undefined;
  readonly table: Table;
  /** False for a subclass that shares its parent's table. */
  readonly hasOwnTable: boolean;
  /** By slot: the parent's first, then its own columns, relationships and transient ones. A loaded row is so its values. */
  readonly properties: readonly PropertyDeclaration[];
  readonly identity: string | undefined;
  readonly polymorphicOn: string | undefined;
  /** How statements that read a class above it load its columns along; undefined where they do not. */
  readonly polymorphicLoad: "inline" | "selectin" | undefined;
  /** Statements that read it read the columns of its subclasses. */
  readonly withPolymorphic: "*" | undefined;
  readonly version: string | undefined;
  readonly batch: boolean;
  readonly metadata: Metadata;
  readonly mixins: ReadonlySet<Mixin<unknown>>;
  /** Of a whole hierarchy: who has which identity. */
  readonly identities: Map<string, Declaration>;
  /** The user's class, once it was used. */
  mappedClass: InstrumentedClass | undefined = undefined;

  constructor(base: InstrumentedClass, properties: object, options: DeclarationOptions, above?: DeclaredParent) {
    this.base = base;
    this.parent = above?.isConcrete === true ? undefined : above?.declaration;
    this.concreteParent = above?.isConcrete === true ? above.declaration : undefined;
    this.parentClass = above?.class;
    const inherited: ReadonlySet<Mixin<unknown>> = above?.declaration.mixins ?? new Set();
    this.metadata = above?.declaration.metadata ?? options.metadata;
    this.mixins = new Set([...inherited, ...options.mixins]);
    this.identity = options.identity;
    this.polymorphicOn = options.polymorphicOn ?? this.parent?.polymorphicOn;
    this.polymorphicLoad = options.polymorphicLoad;
    this.withPolymorphic = options.withPolymorphic ?? this.parent?.withPolymorphic;
    this.version = options.version ?? above?.declaration.version;
    this.batch = options.batch;
    this.identities = this.parent?.identities ?? new Map();
    const mixins = options.mixins.filter((mixin) => !inherited.has(mixin));
    const own = collectProperties([properties, ...mixins.map((mixin) => mixin.properties)]);
    const declared = new Map([...copiedProperties(this.concreteParent), ...own]);
    this.notInherited = (this.concreteParent?.properties ?? []).flatMap(({ key, relationship }) =>
      relationship === undefined || declared.has(key) ? [] : [key],
    );
    this.hasOwnTable = options.table !== undefined;
    const table = this.#ownTable(declared, options);
    this.table = this.parent !== undefined && options.table === undefined ? this.parent.table : table;
    this.properties = this.#properties(declared, table.columns);
    if (this.table !== table) expectNewColumns(this.table, table.columns);
    checkDeclaration(this, options.table);
    // Nothing above has changed anything outside, so a declaration that is refused leaves nothing behind.
    if (this.hasOwnTable) this.metadata.add(this.table);
    else this.table.extend(table.columns, table.foreignKeys, table.uniques);
    if (this.identity !== undefined) this.identities.set(this.identity, this);
    this.concreteParent?.concreteChildren.push(this);
    Object.defineProperty(base, DECLARATION, { value: this });
  }

  /** What to call it in messages, before its class is known too. */
  get label(): string {
    return this.mappedClass?.name ?? `the model of the table "${this.table.name}"`;
  }

  find(key: string): PropertyDeclaration | undefined {
    return this.properties.find((property) => property.key === key);
  }

  /** Whether it declares the other one's class, or one below that, be it a concrete one. */
  isA(other: Declaration): boolean {
    let current: Declaration | undefined = this as Declaration;
    for (; current !== undefined; current = current.parent ?? current.concreteParent)
      if (current === other) return true;
    return false;
  }

  /** A table of what this class declares itself; where it shares its parent's, that is what it adds. */
  #ownTable(declared: ReadonlyMap<string, Property>, options: DeclarationOptions): Table {
    const name = options.table ?? this.parent?.table.name ?? "";
    expectOwnColumns(name, declared);
    const columns: TableColumn[] = [];
    const foreignKeys: ForeignKey[] = [];
    const keys = [...declared].filter(
      ([, property]) => property instanceof Column && property.options.primaryKey === true,
    );
    for (const [key, property] of declared) {
      if (!(property instanceof Column)) continue;
      const column = tableColumn(key, property, keys.length === 1);
      columns.push(!this.parent || options.table !== undefined ? column : { ...column, nullable: true });
      const { references } = property.options;
      if (references !== undefined)
        foreignKeys.push({ columns: [column.name], ...referenced([references.column]), ...actions(references) });
    }
    const nameOf = (key: string): string => {
      const property = declared.get(key);
      const inherited = this.parent?.find(key)?.stored[0]?.column.name;
      if (property instanceof Column) return columnName(key, property);
      if (inherited !== undefined) return inherited;
      throw new ArgumentError(
        `A constraint of the table "${options.table ?? ""}" names "${key}", which is no column of the model.`,
      );
    };
    for (const { columns: local, references } of options.foreignKeys) {
      expectForeignKey(local, references);
      foreignKeys.push({ columns: local.map(nameOf), ...referenced(references) });
    }
    const uniques = options.unique.map((unique) => unique.map(nameOf));
    return new Table(name, columns, {
      schema: options.schema ?? this.parent?.table.schema,
      uniques,
      foreignKeys,
    });
  }

  #properties(
    declared: ReadonlyMap<string, Property>,
    columns: readonly TableColumn[],
  ): readonly PropertyDeclaration[] {
    const properties = [...(this.parent?.properties ?? [])];
    const rank = (property: Property): number =>
      property instanceof Column ? 0 : property instanceof Transient ? 2 : 1;
    const ordered = [...declared].sort(([, left], [, right]) => rank(left) - rank(right));
    for (const [key, property] of ordered) {
      const inherited = properties.findIndex((other) => other.key === key);
      const slot = inherited === -1 ? properties.length : inherited;
      const column = property instanceof Column ? property : undefined;
      const stored = [...(properties[slot]?.stored ?? [])];
      if (column !== undefined) {
        const name = columnName(key, column);
        const tableColumn = columns.find((other) => other.name === name);
        if (tableColumn !== undefined) stored.push({ table: this.table, column: tableColumn });
      }
      const relationship = typeof property === "function" ? property : undefined;
      properties[slot] = { key, slot, column: properties[slot]?.column ?? column, relationship, stored };
    }
    return properties;
  }
}

/** A concrete subclass has the columns of its parent in its own table. */
function copiedProperties(parent: Declaration | undefined): (readonly [string, Property])[] {
  return (parent?.properties ?? []).flatMap(({ key, column, relationship }) =>
    relationship === undefined ? [[key, column ?? new Transient()] as const] : [],
  );
}

function expectNewColumns(table: Table, columns: readonly TableColumn[]): void {
  for (const { name } of columns) {
    if (!table.columns.some((other) => other.name === name)) continue;
    throw new ArgumentError(
      `The column "${name}" of the table "${table.name}" is declared twice, the second time by a subclass that shares the table. Declare it once, in the parent, ` +
        `or give the subclass a table of its own: { table: "…" }.`,
    );
  }
}

/** The declaration that a class has or inherits. */
export function declarationOf(target: unknown): Declaration | undefined {
  return (target as { [DECLARATION]?: Declaration } | null | undefined)?.[DECLARATION];
}

/** Columns of a `table()`, which has no class. */
export function tableColumns(columns: Readonly<Record<string, Column<unknown, any>>>): {
  columns: TableColumn[];
  foreignKeys: ForeignKey[];
} {
  const keys = Object.values(columns).filter((column) => column.options.primaryKey === true);
  const foreignKeys: ForeignKey[] = [];
  const made = Object.entries(columns).map(([key, column]) => {
    const made = tableColumn(key, column, keys.length === 1);
    const { references } = column.options;
    if (references !== undefined)
      foreignKeys.push({ columns: [made.name], ...referenced([references.column]), ...actions(references) });
    return made;
  });
  return { columns: made, foreignKeys };
}

function tableColumn(key: string, column: Column<unknown, any>, isOnlyKey: boolean): TableColumn {
  const { options } = column;
  const isKey = options.primaryKey === true;
  return {
    name: columnName(key, column),
    type: options.type,
    nullable: options.nullable === true && !isKey,
    primaryKey: isKey,
    unique: options.unique === true,
    index: options.index === true,
    autoincrement:
      isKey &&
      isOnlyKey &&
      (options.type.kind === "integer" || options.type.kind === "bigint") &&
      options.default === undefined &&
      options.serverDefault === undefined &&
      options.references === undefined,
    ...(options.serverDefault !== undefined && { serverDefault: options.serverDefault }),
  };
}

function referenced(
  columns: readonly string[],
): Pick<ForeignKey, "referencedTable" | "referencedSchema" | "referencedColumns"> {
  const parts = columns.map((column) => column.split("."));
  const [first] = parts;
  const schema = first?.length === 3 ? first[0] : undefined;
  return {
    referencedTable: first?.at(-2) ?? "",
    ...(schema !== undefined && { referencedSchema: schema }),
    referencedColumns: parts.map((part) => part.at(-1) ?? ""),
  };
}

function actions(references: {
  readonly onDelete?: ForeignKey["onDelete"];
  readonly onUpdate?: ForeignKey["onUpdate"];
}): Pick<ForeignKey, "onDelete" | "onUpdate"> {
  return {
    ...(references.onDelete !== undefined && { onDelete: references.onDelete }),
    ...(references.onUpdate !== undefined && { onUpdate: references.onUpdate }),
  };
}

/** Reads the objects by their descriptors, so that no getter runs. The class's own come first and win over its mixins'. */
function collectProperties(objects: readonly unknown[]): Map<string, Property> {
  const collected = new Map<string, Property>();
  for (const object of objects) {
    if (typeof object !== "object" || object === null) {
      throw new ArgumentError(
        `The properties of a model are an object, such as { id: integer().primaryKey() }, and not ${object === null ? "null" : `of type ${typeof object}`}.`,
      );
    }
    for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(object))) {
      if (collected.has(key)) continue;
      collected.set(key, expectProperty(key, descriptor, object));
    }
  }
  return collected;
}
