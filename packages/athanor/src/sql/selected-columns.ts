import { AliasNode, type Expression as KyselyExpression, IdentifierNode, SelectionNode } from "kysely";
import type { Dialect } from "../engine/dialect.ts";
import { ArgumentError } from "../event/errors.ts";
import type { ColumnProperty } from "../mapping/mapper.ts";
import { type EntityInStatement, entityOfAttributes, type SelectableEntity } from "./attribute.ts";
import { describeGiven, Expression, expectExpression, type Restriction } from "./expression.ts";
import { SelectedEntity } from "./selected-entity.ts";
import { type Structure, structureOf } from "./structure.ts";

/**
 * What a row of a statement may consist of: attributes, functions of them, comparisons, SQL written with Kysely's `sql`, and whole classes that the statement reads, which
 * are instances in the row.
 */
export type Selectable = SelectableValue | SelectableEntity<unknown>;

/** The same without whole classes. A relationship is no column, though its attribute can be compared. */
export type SelectableValue = KyselyExpression<unknown> & { readonly "~attribute"?: "column" };

/** The row that these columns make: a tuple of a list, an object of an object. */
// With {}, so that messages write it out instead of naming the attributes that it was made of.
export type ColumnValues<TColumns> = {
  -readonly [K in keyof TColumns]: TColumns[K] extends SelectableEntity<infer I>
    ? I
    : TColumns[K] extends KyselyExpression<infer V>
      ? V
      : never;
} & {};

/** A part of each row: a value, or an instance. */
export type RowItem = Expression<unknown> | SelectedEntity;

/** What the rows of a statement consist of, in its order, with names where the rows are objects. */
export class SelectedColumns {
  readonly items: readonly RowItem[];
  readonly names: readonly string[] | undefined;

  constructor(items: readonly RowItem[], names: readonly string[] | undefined) {
    this.items = items;
    this.names = names;
  }

  /** The classes whose instances stand in the rows. */
  get entities(): readonly SelectedEntity[] {
    return this.items.filter((item) => item instanceof SelectedEntity);
  }

  /**
   * The name of the column that is this very expression with these very values; undefined where none is. Rows are grouped and ordered by it: written out once more its
   * values would be other parameters, and so, for a database, it would be another expression.
   */
  nameOf(expression: Expression<unknown>): string | undefined {
    const wanted = structureOf(expression);
    if (!wanted.isCacheable || wanted.binds.length === 0) return undefined;
    const index = this.items.findIndex((each) => each instanceof Expression && structureOf(each).equals(wanted));
    return index === -1 ? undefined : columnName(index);
  }

  /** The same in the order of others of the same names; undefined where they are not as many, or have other names. */
  inOrderOf({ names, items }: SelectedColumns): SelectedColumns | undefined {
    const own = this.names;
    if (items.length !== this.items.length || (names === undefined) !== (own === undefined)) return undefined;
    if (names === undefined || own === undefined || names.every((name, index) => name === own[index])) return this;
    if (!names.every((name) => own.includes(name))) return undefined;
    return new SelectedColumns(
      names.map((name) => this.items[own.indexOf(name)] as RowItem),
      names,
    );
  }

  structure(into: Structure): void {
    for (const item of this.items) item.structure(into.add(" column "));
  }

  selectionNodes(keepBinds: boolean): readonly SelectionNode[] {
    return this.items.flatMap((item, index) => {
      const name = columnName(index);
      if (item instanceof SelectedEntity) return item.selectionNodes(name);
      return SelectionNode.create(
        AliasNode.create(item.toOperationNode(keepBinds), IdentifierNode.create(name)) as never,
      );
    });
  }

  /** The same without some columns of each of its classes, in their order. */
  without(columns: readonly (ReadonlySet<ColumnProperty> | undefined)[]): SelectedColumns {
    if (columns.every((each) => each === undefined)) return this;
    let index = 0;
    const items = this.items.map((item) =>
      item instanceof SelectedEntity ? new SelectedEntity(item.columns, item.alias, columns[index++]) : item,
    );
    return new SelectedColumns(items, this.names);
  }

  restrictedBy(restriction: Restriction): SelectedColumns {
    return new SelectedColumns(
      this.items.map((item) => (item instanceof SelectedEntity ? item : item.restrictedBy(restriction))),
      this.names,
    );
  }

  /** Makes what the user sees of what the driver gives, where rows consist of values alone. */
  read(rows: readonly unknown[][], dialect: Dialect): unknown[] {
    const readers = this.items.map((item) => (item as Expression<unknown>).reader(dialect));
    return rows.map((row) =>
      this.rowOf(row.map((raw, index) => (raw === null ? null : (readers[index]?.(raw) ?? raw)))),
    );
  }

  /** The row with these values. */
  rowOf(values: readonly unknown[]): unknown {
    const { names } = this;
    return names === undefined ? values : Object.fromEntries(names.map((name, index) => [name, values[index]]));
  }
}

/** The name of a column of such a statement; of an instance, what the names of its columns begin with. */
export function columnName(index: number): string {
  return `column_${index + 1}`;
}

type FindEntity = (entity: EntityInStatement) => SelectedEntity | undefined;

/**
 * Takes what users give to `columns`.
 *
 * @param find the class as the statement reads it; undefined where it does not
 */
export function selectedColumns(given: unknown, find: FindEntity): SelectedColumns {
  const itemOf = (value: unknown): RowItem => expectSelectable(value, find);
  if (Array.isArray(given) && given.length > 0) return new SelectedColumns(given.map(itemOf), undefined);
  const isObject = typeof given === "object" && given !== null && !Array.isArray(given) && !isPart(given);
  const names = isObject ? Object.keys(given) : [];
  if (!isObject || names.length === 0) {
    throw new ArgumentError(
      `columns() takes a function that returns what a row consists of, as a list or by name: columns((user) => ({ name: user.name })), and it returned ${
        Array.isArray(given)
          ? "an empty list"
          : isObject
            ? "an empty object"
            : typeof given === "object" && given !== null
              ? "one thing by itself, which belongs into a list: [user]"
              : describeGiven(given)
      }.`,
    );
  }
  return new SelectedColumns(Object.values(given as object).map(itemOf), names);
}

function isPart(value: object): boolean {
  return "toOperationNode" in value || entityOfAttributes(value) !== undefined;
}

function expectSelectable(value: unknown, find: FindEntity): RowItem {
  const entity = typeof value === "object" && value !== null ? entityOfAttributes(value) : undefined;
  if (entity !== undefined) return expectRead(entity, find);
  if (typeof value === "object" && value !== null && "toOperationNode" in value) {
    const expression = expectExpression(value);
    // What is in no table is refused here, with its name, and not when the statement is executed.
    expression.toOperationNode(true);
    return expression;
  }
  throw new ArgumentError(
    `A column of a row is an attribute, a function of one, a piece of SQL, or a class that the statement reads, such as user.name, func.count(), sql\`…\` or user, and columns() was given ${describeGiven(value)}.`,
  );
}

function expectRead(entity: EntityInStatement, find: FindEntity): SelectedEntity {
  const found = find(entity);
  if (found !== undefined) return found;
  const { name = "a mixin" } = entity.owner as { readonly name?: string };
  throw new ArgumentError(
    `columns() was given the attributes of ${name}, which the statement does not read under that name. Take what its function is given: columns((user, post) => [user, post]), ` +
      `of classes that select(), join() and outerJoin() name.`,
  );
}
