import {
  ColumnNode,
  ColumnUpdateNode,
  InsertQueryNode,
  OnConflictNode,
  type OperationNode,
  ReturningNode,
  SelectionNode,
  ValueListNode,
  ValuesNode,
} from "kysely";
import type { Dialect } from "../engine/dialect.ts";
import type { ColumnProperty, Mapper } from "../mapping/mapper.ts";
import { compileCached } from "./compile.ts";
import { conditionNode, type Expression } from "./expression.ts";
import type { Conflict } from "./on-conflict.ts";
import type { Select } from "./select.ts";
import type { SelectedColumns } from "./selected-columns.ts";
import { Structure } from "./structure.ts";
import { tableNode } from "./table-node.ts";

/** An INSERT into the one table of a class. */
export interface RowsInsert {
  readonly mapper: Mapper;
  /** What is set. */
  readonly columns: readonly ColumnProperty[];
  /** The values of each row, in the order of the columns; or the statement that finds them. */
  readonly rows: readonly (readonly Expression<unknown>[])[] | Select<unknown, any, any>;
  readonly conflict: Conflict | undefined;
  /** The columns that it answers with, and what it answers with behind them. */
  readonly returning: readonly ColumnProperty[];
  readonly selected: SelectedColumns | undefined;
}

/** The text of an INSERT, kept by its structure, and the parameters for this very one. */
export function compileInsert(
  insert: RowsInsert,
  dialect: Dialect,
): { readonly sql: string; readonly parameters: unknown[] } {
  return compileCached(structureOf(insert), () => insertNode(insert), dialect, undefined);
}

function structureOf({ mapper, columns, rows, conflict, returning, selected }: RowsInsert): Structure {
  const into = new Structure();
  into.add(`insert ${mapper.serial} (${names(columns)}) `);
  if (!isList(rows)) rows.structure(into);
  else {
    for (const row of rows) {
      into.add("(");
      for (const value of row) value.structure(into.add(","));
      into.add(")");
    }
  }
  // A subquery of the same class would compare with itself from here on.
  into.enter({ sourceNames: mapper.tables.map(({ name }) => name), expectOtherNames: () => {} });
  if (conflict !== undefined) {
    into.add(` on conflict (${names(conflict.columns)})`);
    conflict.among?.structure(into.add(" among "));
    for (const [{ slot }, value] of conflict.values ?? []) value.structure(into.add(` set ${slot} = `));
    conflict.where?.structure(into.add(" where "));
  }
  into.add(` returning ${names(returning)}`);
  selected?.structure(into);
  into.leave();
  return into;
}

function names(columns: readonly ColumnProperty[]): string {
  return columns.map(({ slot }) => slot).join();
}

function isList<TItem>(rows: readonly TItem[] | Select<unknown, any, any>): rows is readonly TItem[] {
  return Array.isArray(rows);
}

function insertNode({ mapper, columns, rows, conflict, returning, selected }: RowsInsert): InsertQueryNode {
  const into = InsertQueryNode.create(tableNode(mapper.table));
  const returned = [
    ...returning.map((each) => SelectionNode.create(nameNode(each))),
    ...(selected?.selectionNodes(true) ?? []),
  ];
  return InsertQueryNode.cloneWith(into, {
    ...(columns.length === 0 ? { defaultValues: true } : { columns: columns.map(nameNode), values: valuesNode(rows) }),
    ...(conflict === undefined ? {} : { onConflict: conflictNode(conflict) }),
    ...(returned.length === 0 ? {} : { returning: ReturningNode.create(returned) }),
  });
}

function nameNode({ source }: ColumnProperty): ColumnNode {
  return ColumnNode.create(source.column.name);
}

function valuesNode(rows: RowsInsert["rows"]): OperationNode {
  if (!isList(rows)) return rows.toOperationNode(true);
  return ValuesNode.create(
    rows.map((row) => ValueListNode.create(row.map((value) => value.toOperationNode(true)))) as never,
  );
}

function conflictNode({ columns, among, values, where }: Conflict): OnConflictNode {
  let node = OnConflictNode.cloneWith(OnConflictNode.create(), {
    ...(columns.length === 0 ? {} : { columns: columns.map(nameNode) }),
    ...(values === undefined
      ? { doNothing: true }
      : {
          updates: [...values].map(([property, value]) =>
            ColumnUpdateNode.create(nameNode(property), value.toOperationNode(true)),
          ),
        }),
  });
  if (among !== undefined) node = OnConflictNode.cloneWithIndexWhere(node, conditionNode(among, true));
  return where === undefined ? node : OnConflictNode.cloneWithUpdateWhere(node, conditionNode(where, true));
}
