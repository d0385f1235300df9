import {
  AliasNode,
  BinaryOperationNode,
  type ColumnNode,
  FromNode,
  IdentifierNode,
  type OperationNode,
  OperatorNode,
  QueryNode,
  RawNode,
  SelectionNode,
  type SelectQueryNode,
  UnaryOperationNode,
} from "kysely";
import type { ColumnProperty } from "../mapping/mapper.ts";
import { attributes, attributesOf } from "./attribute.ts";
import type { ComparableExpression } from "./comparable-expression.ts";
import { aliasColumn, type EntityAlias } from "./entity-alias.ts";
import { selectedNames } from "./entity-node.ts";
import type { Expression, Restriction } from "./expression.ts";
import { Predicate } from "./conditions.ts";
import { allOf } from "./related-rows.ts";
import { Select } from "./select.ts";
import { columnName, SelectedColumns } from "./selected-columns.ts";
import { SelectedEntity } from "./selected-entity.ts";
import type { Structure } from "./structure.ts";

/** Under which name what the other statement finds stands in this one. */
const found = "parents";

/** Whether columns hold the key of an instance that another statement finds. That statement compares itself with nothing around it. */
class KeyFoundBy extends Predicate {
  readonly #columns: readonly ComparableExpression<unknown>[];
  readonly #select: Select<unknown>;
  /** The names of the other statement's columns that make up the key. */
  readonly #names: readonly string[];

  constructor(columns: readonly ComparableExpression<unknown>[], select: Select<unknown>, names: readonly string[]) {
    super();
    this.#columns = columns;
    this.#select = select;
    this.#names = names;
  }

  structure(into: Structure): void {
    for (const column of this.#columns) column.structure(into.add(" key "));
    into.add(` found as ${this.#names.join()} by (`);
    into.include(this.#select);
    into.add(")");
  }

  toOperationNode(keepBinds = false): OperationNode {
    const rows = AliasNode.create(this.#select.toOperationNode(keepBinds), IdentifierNode.create(found));
    const columns = this.#columns.map((column) => column.toOperationNode());
    const keys = this.#names.map((name) => aliasColumn(found, name));
    const [column, ...more] = columns;
    const [key] = keys;
    if (more.length === 0)
      return BinaryOperationNode.create(column as OperationNode, OperatorNode.create("in"), select(key as never, rows));
    // Not every database compares tuples.
    const equal = columns.map((each, index) =>
      BinaryOperationNode.create(each, OperatorNode.create("="), keys[index] as OperationNode),
    );
    const any = QueryNode.cloneWithWhere(select(RawNode.createWithSql("1") as never, rows), allOf(equal));
    return UnaryOperationNode.create(OperatorNode.create("exists"), any);
  }

  override restrictedBy(restriction: Restriction): KeyFoundBy {
    return new KeyFoundBy(this.#columns, this.#select.restrictedBy(restriction), this.#names);
  }
}

function select(selection: ColumnNode, from: OperationNode): SelectQueryNode {
  return { kind: "SelectQueryNode", from: FromNode.create([from]), selections: [SelectionNode.create(selection)] };
}

/**
 * Whether columns hold the key of an instance that a statement finds.
 *
 * @param named the name that its class has there, where that is not the statement's own class
 * @param keys its attributes that make up the key, in the order of the columns
 */
export function keyFoundBy(
  columns: readonly ComparableExpression<unknown>[],
  { entity, parts }: Select<unknown>,
  named: EntityAlias | undefined,
  keys: readonly ColumnProperty[],
): Expression<boolean> {
  const { selected, where, groupBy, having, isDistinct, sources, from, limit, offset } = parts;
  const alias = named ?? parts.alias;
  const isLimited = limit !== undefined || offset !== undefined;
  const asked = {
    alias: parts.alias,
    derived: parts.derived,
    where,
    groupBy,
    having,
    sources,
    from,
    limit,
    offset,
    // Only with a limit does the order decide what is found.
    orderBy: isLimited ? parts.orderBy : [],
    executionOptions: {},
  };
  // Rows without double ones are limited by, and ordered by, what they consist of.
  if (isLimited && isDistinct === true) {
    const whole = new Select<unknown>(entity, { ...asked, isDistinct, selected });
    return new KeyFoundBy(
      columns,
      whole,
      keys.map((key) => nameWithin(whole, alias, key)),
    );
  }
  const scope = (alias === undefined ? attributes(entity as never) : attributesOf(alias)) as Record<string, never>;
  const keyColumns = new SelectedColumns(
    keys.map(({ key }) => scope[key] as never),
    undefined,
  );
  const names = keys.map((_, index) => columnName(index));
  return new KeyFoundBy(columns, new Select<unknown>(entity, { ...asked, selected: keyColumns }), names);
}

/** The name of a column in the rows of a statement of instances. */
function nameWithin(
  { properties, parts: { selected } }: Select<unknown>,
  alias: EntityAlias | undefined,
  { slot }: ColumnProperty,
): string {
  const index = selected?.items.findIndex((item) => item instanceof SelectedEntity && item.alias === alias) ?? -1;
  const item = selected?.items[index];
  const [own, names] =
    item instanceof SelectedEntity
      ? [item.properties, item.names(columnName(index))]
      : [properties, selectedNames(properties)];
  return names[own.findIndex((property) => property.slot === slot)] as string;
}
