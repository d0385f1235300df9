import { AliasNode, IdentifierNode, type OperationNode } from "kysely";
import { closestName } from "../event/closest-name.ts";
import { ArgumentError } from "../event/errors.ts";
import type { InstrumentedClass } from "../instance/instrumentation.ts";
import { mapperOf } from "../mapping/configure-mappers.ts";
import type { Mapper } from "../mapping/mapper.ts";
import { Mixin } from "../mapping/mixin.ts";
import { Attribute, attributesOf } from "./attribute.ts";
import { DerivedColumn } from "./derived-column.ts";
import { EntityAlias } from "./entity-alias.ts";
import type { Restriction } from "./expression.ts";
import type { RowSource, RowStatement } from "./row-source.ts";
import type { RowKind } from "./scope.ts";
import { columnName, type RowItem, SelectedColumns } from "./selected-columns.ts";
import { SelectedEntity } from "./selected-entity.ts";
import type { Structure } from "./structure.ts";

/**
 * The rows that a statement finds, as a table that others read: select from it, join it. What it is made of has the names and the types that the rows have, and instances
 * are instances again.
 *
 * SQLAlchemy: SELECT and Related Constructs, `Subquery`.
 */
export class Subquery<out TRow, out TEntity = unknown, out TResult extends RowKind = "columns"> implements RowSource {
  declare readonly "~row": TRow;
  declare readonly "~entity": TEntity;
  declare readonly "~result": TResult;
  /** The name under which it stands in the statements that read it. */
  readonly name: string;
  readonly statement: RowStatement;
  #source: RowSource | undefined;
  #selected: SelectedColumns | undefined;

  constructor(name: string, statement: RowStatement) {
    if (typeof name !== "string" || name.trim() === "")
      throw new ArgumentError("A subquery takes the name under which it stands in the statements that read it.");
    this.name = name;
    this.statement = statement;
  }

  /** The same rows under another name, for a statement that reads them twice. */
  alias(name: string): Subquery<TRow, TEntity, TResult> {
    return new Subquery(name, this.statement);
  }

  /** Undefined: it stands for values. Where it stands for instances, `source` does. */
  get mapper(): undefined {
    return undefined;
  }

  /** What a statement reads: a class, where the rows are its instances, or itself. */
  get source(): RowSource {
    const { entityColumns: columns, mapper, polymorphic, selected } = this.statement;
    return (this.#source ??=
      selected === undefined
        ? new EntityAlias(mapper, this.name, undefined, polymorphic, { of: this, columns })
        : this);
  }

  /**
   * A class whose columns are among its own: all of them, each under the attribute that it is, or under the attribute's name.
   *
   * @throws ArgumentError where one is not
   */
  entityOf(mapper: Mapper): EntityAlias {
    const { source, selected, name } = this;
    if (selected === undefined && this.statement.mapper === mapper) return source as EntityAlias;
    const items = this.statement.selected?.items ?? [];
    const whole = selected?.items.find((item) => item instanceof SelectedEntity && item.mapper === mapper);
    if (whole instanceof SelectedEntity && whole.alias !== undefined) return whole.alias;
    const columns = mapper.ownColumns;
    const names = columns.properties.map(({ key }) => {
      const isIt = (item: RowItem): boolean => isAttribute(item, mapper, key);
      const found = items.findIndex(isIt);
      const index = found === -1 ? (this.statement.selected?.names?.indexOf(key) ?? -1) : found;
      if (index !== -1 && !(items[index] instanceof SelectedEntity)) return columnName(index);
      throw new ArgumentError(
        `aliased(${mapper.class.name}, …) reads ${mapper.class.name} from the subquery "${name}", which has no column for ${mapper.class.name}.${key}. ` +
          `Select the class itself there, as in .columns((${nameInCode(mapper)}) => ({ ${nameInCode(mapper)}, … })), or all of its columns.`,
      );
    });
    return new EntityAlias(mapper, name, undefined, undefined, { of: this, columns, names });
  }

  /** What a statement that reads nothing else has in its rows; undefined where those are instances. */
  get selected(): SelectedColumns | undefined {
    const { selected } = this.statement;
    if (selected === undefined) return undefined;
    return (this.#selected ??= new SelectedColumns(
      selected.items.map((item, index) => this.#itemOf(item, index)),
      selected.names,
    ));
  }

  /** What a function that is given the classes of a statement sees of it. */
  get scope(): object {
    const { source, selected } = this;
    if (selected === undefined) return attributesOf(source as EntityAlias);
    const parts = selected.items.map((item) =>
      item instanceof SelectedEntity ? attributesOf(item.alias as EntityAlias) : item,
    );
    return selected.names === undefined ? parts : this.#named(selected.names, parts);
  }

  structure(into: Structure): void {
    into.add(" (").includeRows(this.statement);
    into.add(`) as ${this.name}`);
  }

  sourceNode(keepBinds: boolean): OperationNode {
    return AliasNode.create(this.statement.toOperationNode(keepBinds), IdentifierNode.create(this.name));
  }

  restrictedBy(restriction: Restriction): Subquery<TRow, TEntity, TResult> {
    return new Subquery(this.name, this.statement.restrictedBy(restriction));
  }

  #itemOf(item: RowItem, index: number): RowItem {
    const column = columnName(index);
    if (!(item instanceof SelectedEntity))
      return new DerivedColumn(this.name, this.statement.selected?.names?.[index] ?? String(index), column, item);
    const found = { of: this, columns: item.columns, names: item.names(column) };
    return new SelectedEntity(
      item.columns,
      new EntityAlias(item.mapper, this.name, undefined, item.alias?.polymorphic, found),
    );
  }

  #named(names: readonly string[], parts: readonly unknown[]): object {
    const byName = Object.fromEntries(names.map((name, index) => [name, parts[index]]));
    return new Proxy(Object.freeze(byName), {
      get: (target, name) => {
        if (typeof name !== "string" || Object.hasOwn(target, name)) return target[name as string];
        // A promise check, a debugger or a test's printer asks for these, and means no column.
        if (name === "then" || name === "toJSON" || name in Object.prototype) return undefined;
        const closest = closestName(name, names);
        throw new ArgumentError(
          `The subquery "${this.name}" has no column "${name}". ${closest === undefined ? `It has ${names.join(", ")}.` : `Did you mean "${closest}"?`}`,
        );
      },
    });
  }
}

function isAttribute(item: RowItem, mapper: Mapper, key: string): boolean {
  if (item instanceof DerivedColumn) return isAttribute(item.of, mapper, key);
  if (!(item instanceof Attribute) || item.key !== key || item.owner instanceof Mixin) return false;
  return mapper.isA(mapperOf(item.owner as InstrumentedClass));
}

function nameInCode({ class: { name } }: Mapper): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

/** What a function that is given the classes of a statement sees of one of them. */
export function scopeOf(rows: RowSource): object {
  return rows instanceof EntityAlias ? attributesOf(rows) : (rows as Subquery<unknown>).scope;
}
