import { AliasNode, IdentifierNode, type OperationNode, TableNode } from "kysely";
import { ArgumentError } from "../event/errors.ts";
import type { Restriction } from "./expression.ts";
import type { RowStatement } from "./row-source.ts";
import type { RowKind } from "./scope.ts";
import type { Select } from "./select.ts";
import { SetOperation } from "./set-operation.ts";
import type { CommonTable, Structure } from "./structure.ts";
import { Subquery } from "./table-subquery.ts";

/**
 * The rows that a statement finds, as a table that stands before the statements which read it: WITH … AS. It is found once, however often it is read.
 *
 * SQLAlchemy: SELECT and Related Constructs, `CTE`.
 */
export class CTE<out TRow, out TEntity = unknown, out TResult extends RowKind = "columns">
  extends Subquery<TRow, TEntity, TResult>
  implements CommonTable
{
  readonly tableName: string;
  readonly isRecursive: boolean;

  constructor(name: string, statement: RowStatement, isRecursive: boolean, tableName = name) {
    super(name, statement);
    this.tableName = tableName;
    this.isRecursive = isRecursive;
  }

  override alias(name: string): CTE<TRow, TEntity, TResult> {
    return new CTE(name, this.statement, this.isRecursive, this.tableName);
  }

  override structure(into: Structure): void {
    into.define(this);
    into.add(` ${this.tableName} as ${this.name}`);
  }

  override sourceNode(): OperationNode {
    return tableNamed(this.tableName, this.name);
  }

  override restrictedBy(restriction: Restriction): CTE<TRow, TEntity, TResult> {
    return new CTE(this.name, this.statement.restrictedBy(restriction), this.isRecursive, this.tableName);
  }
}

/** A common table expression inside of itself: the rows that were found one step before. */
export class RecursiveRows<out TRow, out TEntity, out TResult extends RowKind> extends Subquery<
  TRow,
  TEntity,
  TResult
> {
  readonly #tableName: string;

  constructor(name: string, statement: RowStatement, tableName = name) {
    super(name, statement);
    this.#tableName = tableName;
  }

  override alias(name: string): RecursiveRows<TRow, TEntity, TResult> {
    return new RecursiveRows(name, this.statement, this.#tableName);
  }

  override structure(into: Structure): void {
    into.add(` ${this.#tableName} before as ${this.name}`);
  }

  override sourceNode(): OperationNode {
    return tableNamed(this.#tableName, this.name);
  }

  override restrictedBy(): this {
    return this;
  }
}

/** How a common table finds more rows from those that it found before: see `Select.cte`. */
export type Recursion<TRow, TEntity, TResult extends RowKind> =
  | { readonly unionAll: RecursiveStep<TRow, TEntity, TResult>; readonly union?: undefined }
  | { readonly union: RecursiveStep<TRow, TEntity, TResult>; readonly unionAll?: undefined };

type RecursiveStep<TRow, TEntity, TResult extends RowKind> = (
  found: Subquery<TRow, TEntity, TResult>,
) => Select<TRow, any, TResult>;

/** Takes what users give to `cte`. */
export function commonTable(
  name: string,
  first: Select<unknown, any, any>,
  recursion: Recursion<unknown, unknown, any> | undefined,
): CTE<unknown, unknown, any> {
  const { declaration } = first.mapper;
  if (declaration.metadata.tables.has(name)) {
    throw new ArgumentError(
      `cte("${name}") has the name of a table, which nothing in the statement could read any more. Give it another name.`,
    );
  }
  if (recursion === undefined) return new CTE(name, first, false);
  const step = recursion.unionAll ?? recursion.union;
  if (typeof step !== "function") {
    throw new ArgumentError(
      `cte("${name}", …) takes { unionAll: (found) => … } or { union: (found) => … }, with a function that returns the statement which finds more rows from those that were found.`,
    );
  }
  const next = step(new RecursiveRows(name, first));
  return new CTE(name, new SetOperation("union", recursion.unionAll !== undefined, [first, next]), true);
}

function tableNamed(table: string, name: string): OperationNode {
  const node = TableNode.create(table);
  return table === name ? node : AliasNode.create(node, IdentifierNode.create(name));
}
