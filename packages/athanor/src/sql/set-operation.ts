import {
  AliasNode,
  FromNode,
  IdentifierNode,
  type OperationNode,
  SelectAllNode,
  SelectionNode,
  type SelectQueryNode,
  SetOperationNode,
} from "kysely";
import { ArgumentError } from "../event/errors.ts";
import type { InstrumentedClass } from "../instance/instrumentation.ts";
import type { ColumnKind } from "../mapping/column-type.ts";
import type { EntityColumns } from "../mapping/entity-columns.ts";
import type { Mapper } from "../mapping/mapper.ts";
import { Expression, type Restriction } from "./expression.ts";
import type { PolymorphicEntity } from "./polymorphic-entity.ts";
import type { RowStatement } from "./row-source.ts";
import type { Select } from "./select.ts";
import { type RowItem, SelectedColumns } from "./selected-columns.ts";
import { SelectedEntity } from "./selected-entity.ts";
import type { Structure } from "./structure.ts";

/** How the rows of several statements become those of one. */
export type SetOperator = "union" | "intersect" | "except";

type AnySelect = Select<unknown, any, any>;

/** Statements whose rows are put together, or compared. */
export class SetOperation implements RowStatement {
  readonly selected: SelectedColumns | undefined;
  readonly #operator: SetOperator;
  /** Rows that are equal to another stay. */
  readonly #isAll: boolean;
  readonly #members: readonly AnySelect[];

  /** @throws ArgumentError for statements whose rows are not of one kind */
  constructor(operator: SetOperator, isAll: boolean, members: readonly AnySelect[]) {
    const [first, ...others] = members as [AnySelect, ...AnySelect[]];
    this.#operator = operator;
    this.#isAll = isAll;
    this.#members = [first, ...others.map((other) => asRowsOf(first, other, operator))];
    this.selected = commonColumns(this.#members);
  }

  get entity(): InstrumentedClass {
    return this.#first.entity;
  }

  get mapper(): Mapper {
    return this.#first.mapper;
  }

  get entityColumns(): EntityColumns {
    return this.#first.entityColumns;
  }

  get polymorphic(): PolymorphicEntity | undefined {
    return this.#first.polymorphic;
  }

  structure(into: Structure): void {
    if (this.#isAll && this.#operator !== "union") into.special = `${this.#operator} all`;
    this.#members.forEach((member, index) => {
      member.structure(index === 0 ? into : into.add(` ${this.#operator}${this.#isAll ? " all" : ""} `));
    });
  }

  toOperationNode(keepBinds = false): OperationNode {
    const [first, ...others] = this.#members.map((member) => memberNode(member, keepBinds));
    const operations = others.map((node) => SetOperationNode.create(this.#operator, node, this.#isAll));
    return { ...(first as SelectQueryNode), setOperations: operations } as OperationNode;
  }

  restrictedBy(restriction: Restriction): SetOperation {
    return new SetOperation(
      this.#operator,
      this.#isAll,
      this.#members.map((member) => member.restrictedBy(restriction)),
    );
  }

  get #first(): AnySelect {
    return this.#members[0] as AnySelect;
  }
}

/** What a member orders by and limits is its own: behind the last member it would be about all of them, and not every database takes it in parentheses. */
function memberNode(member: AnySelect, keepBinds: boolean): OperationNode {
  const node = member.toOperationNode(keepBinds) as SelectQueryNode;
  if (node.orderBy === undefined && node.limit === undefined && node.offset === undefined && node.with === undefined)
    return node;
  return {
    kind: "SelectQueryNode",
    from: FromNode.create([AliasNode.create(node, IdentifierNode.create("member"))]),
    selections: [SelectionNode.create(SelectAllNode.create() as never)],
  } as SelectQueryNode;
}

/** A member with its columns in the order of the first one's. */
function asRowsOf(first: AnySelect, other: AnySelect, operator: SetOperator): AnySelect {
  const [wanted, given] = [first.selected, other.selected];
  const fail = (problem: string): ArgumentError =>
    new ArgumentError(`${operator}() takes statements whose rows are of one kind, and ${problem}.`);
  if (wanted === undefined && given === undefined) {
    if (first.entityColumns.structureKey === other.entityColumns.structureKey) return other;
    throw fail(
      `one selects ${first.mapper.class.name} and another ${other.mapper.class.name}. Select the columns that they have in common: .columns((entity) => ({ … }))`,
    );
  }
  if (wanted === undefined || given === undefined)
    throw fail(`one selects instances of ${first.mapper.class.name} and another columns`);
  const ordered = given.inOrderOf(wanted);
  if (ordered === undefined) throw fail(`one has the columns ${namesOf(wanted)}, and another ${namesOf(given)}`);
  ordered.items.forEach((item, index) => {
    const place = wanted.names?.[index] ?? index + 1;
    const [left, right] = [kindOf(wanted.items[index] as RowItem), kindOf(item)];
    if (left !== undefined && right !== undefined && left !== right)
      throw fail(`"${place}" is ${left} in one and ${right} in another`);
  });
  return ordered === given ? other : other.withSelected(ordered);
}

function namesOf({ names, items }: SelectedColumns): string {
  return names?.join(", ") ?? `1 to ${items.length}`;
}

/** What JavaScript has for a column, where that is no string. */
const values: Partial<Record<ColumnKind, string>> = {
  integer: "a number",
  real: "a number",
  bigint: "a bigint",
  boolean: "a boolean",
  timestamp: "a Date",
  json: "JSON",
  bytes: "bytes",
};

function kindOf(item: RowItem): string | undefined {
  if (item instanceof SelectedEntity) return `an instance of ${item.mapper.class.name}`;
  return item.columnType === undefined ? undefined : (values[item.columnType.kind] ?? "a string");
}

/** How the values are read: as those of the first member whose column says it. */
function commonColumns(members: readonly AnySelect[]): SelectedColumns | undefined {
  const [first] = members as [AnySelect];
  if (first.selected === undefined) return undefined;
  const items = first.selected.items.map((item, index) => {
    if (item instanceof SelectedEntity || item.columnType !== undefined) return item;
    const telling = members.map((member) => member.selected?.items[index]);
    return telling.find((each) => each instanceof Expression && each.columnType !== undefined) ?? item;
  });
  return new SelectedColumns(items, first.selected.names);
}
