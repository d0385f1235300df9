import { EntityColumns, type RowDiscriminator } from "./entity-columns.ts";
import type { ColumnProperty, Mapper } from "./mapper.ts";

/** The type of the column that says which table a row is of. */
const tableName = { kind: "text" } as const;

/**
 * The columns of rows of several tables together, of a class and of concrete subclasses of it: each attribute is one column, whichever tables have it, and the last column names
 * the table.
 */
export class UnionColumns extends EntityColumns {
  override readonly subclasses: readonly Mapper[];
  override readonly properties: readonly ColumnProperty[];
  /** The classes, by what the last column says. */
  readonly members: ReadonlyMap<string, Mapper>;
  readonly #discriminator: RowDiscriminator;
  readonly #indexes = new Map<ColumnProperty["source"], number>();

  /** @param name what a column of the rows is called, by its index */
  constructor(mapper: Mapper, subclasses: readonly Mapper[], name: (index: number) => string) {
    super(mapper, []);
    this.subclasses = subclasses;
    this.members = new Map([mapper, ...subclasses].map((member) => [member.table.fullName, member]));
    const properties: ColumnProperty[] = [];
    const named = (property: ColumnProperty, index: number): ColumnProperty => {
      const { table, column } = property.source;
      return { ...property, source: { table, column: { ...column, name: name(index) } } };
    };
    for (const member of this.members.values()) {
      for (const property of member.columnProperties) {
        let index = properties.findIndex((other) => isSame(other, property));
        if (index === -1) index = properties.push(named(property, properties.length)) - 1;
        this.#indexes.set(property.source, index);
      }
    }
    const [first] = properties as [ColumnProperty];
    const last = named(first, properties.length);
    const told = {
      ...last,
      key: "",
      slot: -1,
      source: { ...last.source, column: { ...last.source.column, type: tableName } },
    };
    this.properties = [...properties, told];
    this.properties.forEach(({ source }, index) => this.#indexes.set(source, index));
    this.#discriminator = { property: told, find: (value) => this.members.get(value as string) as Mapper };
  }

  override get discriminator(): RowDiscriminator {
    return this.#discriminator;
  }

  /** Each table has keys of its own. */
  override get sharesKeys(): boolean {
    return false;
  }

  override indexOf({ source }: ColumnProperty): number {
    return this.#indexes.get(source) ?? -1;
  }

  override get structureKey(): string {
    return `union ${super.structureKey}`;
  }
}

/** Attributes of one name in two classes are one column, if they hold the same. */
function isSame(left: ColumnProperty, right: ColumnProperty): boolean {
  const [one, other] = [left.column.options.type, right.column.options.type];
  return left.key === right.key && (one === other || (one.kind === other.kind && !one.toDatabase && !other.toDatabase));
}
