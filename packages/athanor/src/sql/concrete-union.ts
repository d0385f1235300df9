import type { EntityColumns } from "../mapping/entity-columns.ts";
import type { ColumnProperty, Mapper } from "../mapping/mapper.ts";
import { UnionColumns } from "../mapping/union-columns.ts";
import { CastExpression } from "./cast-expression.ts";
import { ColumnExpression } from "./column-expression.ts";
import { EntityAlias } from "./entity-alias.ts";
import { BoundValue, type Expression } from "./expression.ts";
import { PolymorphicEntity } from "./polymorphic-entity.ts";
import { Select } from "./select.ts";
import { columnName, SelectedColumns } from "./selected-columns.ts";
import { SetOperation } from "./set-operation.ts";
import { Subquery } from "./table-subquery.ts";

const known = new WeakMap<Mapper, Map<string, UnionColumns>>();

/** Kept, because what reads rows is made for them once. */
function unionColumns(mapper: Mapper, subclasses: readonly Mapper[]): UnionColumns {
  let bySubclasses = known.get(mapper);
  if (bySubclasses === undefined) known.set(mapper, (bySubclasses = new Map()));
  const key = subclasses.map(({ serial }) => serial).join();
  let columns = bySubclasses.get(key);
  if (columns === undefined) bySubclasses.set(key, (columns = new UnionColumns(mapper, subclasses, columnName)));
  return columns;
}

/** A class together with concrete subclasses of it: the rows of their tables, one below the other, as SQLAlchemy's `polymorphic_union` puts them. */
export class ConcreteUnion extends PolymorphicEntity {
  readonly #columns: UnionColumns;

  constructor(mapper: Mapper, subclasses: readonly Mapper[], names?: ReadonlyMap<string, Mapper>) {
    super(mapper, subclasses, names);
    this.#columns = unionColumns(mapper, subclasses);
  }

  override get columns(): EntityColumns {
    return this.#columns;
  }

  override aliasAs(name: string, givenName?: string): EntityAlias {
    const members = [...this.#columns.members].map(([table, member]) => this.#rowsOf(member, table));
    const rows = new Subquery(name, new SetOperation("union", true, members));
    return new EntityAlias(this.mapper, name, givenName, this, { of: rows, columns: this.#columns });
  }

  /** The rows of one class, with NULL for what only others have. */
  #rowsOf(member: Mapper, table: string): Select<unknown> {
    const own = new Map(member.columnProperties.map((property) => [this.#columns.indexOf(property), property]));
    const { properties, discriminator } = this.#columns;
    const items = properties.map((property, index): Expression<unknown> => {
      const { source }: ColumnProperty = own.get(index) ?? property;
      if (own.has(index)) return new ColumnExpression(source.table, source.column);
      const value = property === discriminator.property ? table : null;
      return new CastExpression(new BoundValue(value, source.column.type), source.column.type, true);
    });
    return new Select(member.class as never, {
      selected: new SelectedColumns(items, undefined),
      orderBy: [],
      executionOptions: {},
    });
  }
}
