import type { ColumnProperty, Mapper } from "./mapper.ts";
import type { Table } from "./table.ts";

/** A table that has a row for some of the instances that a statement reads: those of a subclass. */
export interface SubclassTable {
  readonly table: Table;
  /** A class whose instances have a row in it. */
  readonly mapper: Mapper;
}

/** The column of a row that says which class the row is of, and how. */
export interface RowDiscriminator {
  readonly property: ColumnProperty;
  find(value: unknown): Mapper;
}

/**
 * The columns that a statement reads of the instances of a class: those of the class, and what subclasses of it add, as far as they are read along.
 *
 * SQLAlchemy: `with_polymorphic`.
 */
export class EntityColumns {
  readonly mapper: Mapper;
  /** The subclasses whose columns are read along, each after the one that it inherits from. */
  readonly subclasses: readonly Mapper[];
  /** The columns of a row: the class's own in the order of its attributes, then what each subclass adds. Slots are a class's own, so two of them may have the same. */
  readonly properties: readonly ColumnProperty[];
  /** Tables of subclasses, which the rows of other classes have no part in. */
  readonly subclassTables: readonly SubclassTable[];
  #deferred: readonly ColumnProperty[] | undefined;
  readonly #places: ReadonlyMap<ColumnProperty["source"], number>;

  /** @param subclasses whose columns are read along; those between them and the class come with them */
  constructor(mapper: Mapper, subclasses: readonly Mapper[]) {
    this.mapper = mapper;
    this.subclasses = withThoseBetween(mapper, subclasses);
    const properties = [...mapper.columnProperties];
    const places = new Map(properties.map(({ source }, index) => [source, index]));
    const tables = new Set(mapper.tables);
    const subclassTables: SubclassTable[] = [];
    for (const subclass of this.subclasses) {
      if (!tables.has(subclass.table)) subclassTables.push({ table: subclass.table, mapper: subclass });
      tables.add(subclass.table);
      for (const property of subclass.columnProperties) {
        if (places.has(property.source)) continue;
        places.set(property.source, properties.length);
        properties.push(property);
      }
    }
    this.properties = properties;
    this.subclassTables = subclassTables;
    this.#places = places;
  }

  /** Undefined: all rows are of the class itself. */
  get discriminator(): RowDiscriminator | undefined {
    const { mapper } = this;
    const { polymorphicOn: property } = mapper;
    return property && { property, find: (identity) => mapper.withIdentity(identity) };
  }

  /** Whether two rows of one key are one instance, be it of this class or of a subclass. */
  get sharesKeys(): boolean {
    return true;
  }

  /** Where a column stands in a row, whichever class's attribute it is; -1 where it does not. */
  indexOf({ source }: ColumnProperty): number {
    return this.#places.get(source) ?? -1;
  }

  /** Whether the columns of a class are among them: it is the class itself, one above it, or a subclass that is read along. */
  covers(mapper: Mapper): boolean {
    return this.mapper.isA(mapper) || this.subclasses.includes(mapper);
  }

  /** Those that are left out of the rows unless a statement says otherwise. */
  get deferred(): readonly ColumnProperty[] {
    return (this.#deferred ??= this.properties.filter(({ column }) => column.options.deferred !== undefined));
  }

  /** The tables that are read. */
  get tables(): readonly Table[] {
    return [...this.mapper.tables, ...this.subclassTables.map(({ table }) => table)];
  }

  /** What tells it from others in the structure of a statement. Classes that are declared later may share its table, and conditions name all of them. */
  get structureKey(): string {
    const { serial, declaration } = this.mapper;
    return [`${serial}:${declaration.identities.size}`, ...this.subclasses.map((subclass) => subclass.serial)].join(
      "+",
    );
  }
}

function withThoseBetween(mapper: Mapper, subclasses: readonly Mapper[]): readonly Mapper[] {
  const all = new Set<Mapper>();
  const add = (subclass: Mapper): void => {
    if (subclass === mapper || all.has(subclass)) return;
    add(subclass.inherits as Mapper);
    all.add(subclass);
  };
  for (const subclass of subclasses) add(subclass);
  return [...all];
}
