import type { Expression as KyselyExpression } from "kysely";
import type { Dialect } from "../engine/dialect.ts";
import { ArgumentError } from "../event/errors.ts";
import { describeGiven, type Expression, expectExpression, type Restriction } from "./expression.ts";
import { Structure } from "./structure.ts";

/** What a row of a statement may consist of: attributes, functions of them, comparisons, SQL written with Kysely's `sql`. */
export type Selectable = KyselyExpression<unknown>;

/** The row that these columns make: a tuple of a list, an object of an object. */
export type ColumnValues<TColumns> = {
  -readonly [K in keyof TColumns]: TColumns[K] extends KyselyExpression<infer V> ? V : never;
};

/** The values that the rows of a statement consist of, in their order, with their names where the rows are objects. */
export class SelectedColumns {
  readonly expressions: readonly Expression<unknown>[];
  readonly names: readonly string[] | undefined;

  constructor(expressions: readonly Expression<unknown>[], names: readonly string[] | undefined) {
    this.expressions = expressions;
    this.names = names;
  }

  /**
   * The name of the column that is this very expression with these very values; undefined where none is. Rows are grouped and ordered by it: written out once more its
   * values would be other parameters, and so, for a database, it would be another expression.
   */
  nameOf(expression: Expression<unknown>): string | undefined {
    const wanted = structureOf(expression);
    if (!wanted.isCacheable || wanted.binds.length === 0) return undefined;
    const index = this.expressions.findIndex((each) => isSame(structureOf(each), wanted));
    return index === -1 ? undefined : columnName(index);
  }

  structure(into: Structure): void {
    for (const expression of this.expressions) expression.structure(into.add(" column "));
  }

  restrictedBy(restriction: Restriction): SelectedColumns {
    return new SelectedColumns(
      this.expressions.map((expression) => expression.restrictedBy(restriction)),
      this.names,
    );
  }

  /** Makes what the user sees of what the driver gives. */
  read(rows: readonly unknown[][], dialect: Dialect): unknown[] {
    const readers = this.expressions.map((expression) => expression.reader(dialect));
    const { names } = this;
    return rows.map((row) => {
      const values = row.map((raw, index) => (raw === null ? null : (readers[index]?.(raw) ?? raw)));
      return names === undefined ? values : Object.fromEntries(names.map((name, index) => [name, values[index]]));
    });
  }
}

/** The name of a column of such a statement. */
export function columnName(index: number): string {
  return `column_${index + 1}`;
}

function structureOf(expression: Expression<unknown>): Structure {
  const structure = new Structure();
  expression.structure(structure);
  return structure;
}

function isSame(left: Structure, right: Structure): boolean {
  return (
    left.key === right.key &&
    left.binds.every(
      ({ value, name }, index) => value === right.binds[index]?.value && name === right.binds[index]?.name,
    )
  );
}

/** Takes what users give to `columns`. */
export function selectedColumns(given: unknown): SelectedColumns {
  if (Array.isArray(given) && given.length > 0) return new SelectedColumns(given.map(expectSelectable), undefined);
  const isObject =
    typeof given === "object" && given !== null && !Array.isArray(given) && !("toOperationNode" in given);
  const names = isObject ? Object.keys(given) : [];
  if (!isObject || names.length === 0) {
    throw new ArgumentError(
      `columns() takes a function that returns what a row consists of, as a list or by name: columns((user) => ({ name: user.name })), and it returned ${
        Array.isArray(given) ? "an empty list" : isObject ? "an empty object" : describeGiven(given)
      }.`,
    );
  }
  return new SelectedColumns(Object.values(given as object).map(expectSelectable), names);
}

function expectSelectable(value: unknown): Expression<unknown> {
  if (typeof value === "object" && value !== null && "toOperationNode" in value) {
    const expression = expectExpression(value);
    // What is in no table is refused here, with its name, and not when the statement is executed.
    expression.toOperationNode(true);
    return expression;
  }
  throw new ArgumentError(
    `A column of a row is an attribute, a function of one, or a piece of SQL, such as user.name, func.count() or sql\`…\`, and columns() was given ${describeGiven(value)}.`,
  );
}
