import type { OperationNode, RawBuilder } from "kysely";
import type { ColumnType } from "../mapping/column-type.ts";
import type { Column } from "../mapping/column.ts";
import { conversionNode } from "./column-type-node.ts";
import { ComparableExpression } from "./comparable-expression.ts";
import { BoundValue, type Expression, expectExpression, isExpression, type Restriction } from "./expression.ts";
import type { Structure } from "./structure.ts";
import { typeKey, typeOfValue } from "./value-type.ts";

/** Null, where a value of this kind may be null. */
type NullOf<TValue> = unknown extends TValue ? null : Extract<TValue, null>;

/** An expression whose values are of another type than they would be. */
export class CastExpression<out TValue> extends ComparableExpression<TValue> {
  readonly #expression: Expression<unknown>;
  readonly columnType: ColumnType;
  /** Whether the database makes them so; else they are of that type already, and only read so. */
  readonly #isConverted: boolean;

  constructor(expression: Expression<unknown>, columnType: ColumnType, isConverted: boolean) {
    super();
    this.#expression = expression;
    this.columnType = columnType;
    this.#isConverted = isConverted;
  }

  get label(): string {
    return "A cast";
  }

  structure(into: Structure): void {
    this.#expression.structure(into.add("cast("));
    into.add(` as ${this.#isConverted ? "" : "read "}${typeKey(this.columnType)})`);
  }

  toOperationNode(keepBinds = false): OperationNode {
    const node = this.#expression.toOperationNode(keepBinds);
    return this.#isConverted ? conversionNode(node, this.#expression.columnType, this.columnType) : node;
  }

  restrictedBy(restriction: Restriction): CastExpression<TValue> {
    return new CastExpression(this.#expression.restrictedBy(restriction), this.columnType, this.#isConverted);
  }
}

/**
 * Lets the database convert a value: `CAST(… AS …)`. The result is read as a column of that type is. On every database a moment becomes its day, a day its first moment,
 * and true the text "true".
 *
 * What else the conversion does to a value is the database's own. PostgreSQL rounds 2.7 to the integer 3, rounds to the scale of a `numeric`, cuts texts off at the length of a
 * `varchar`, refuses a text that is nothing of the type, and takes the day of a moment in the connection's time zone. SQLite makes 2.7 the integer 2, compares and computes
 * with what it has not rounded, leaves texts as long as they are, makes 0, false or null of a text that is no number, truth value or day, of "true" too, and takes the day in UTC.
 *
 * SQLAlchemy: Column Elements and Expressions, `cast`.
 *
 * @example
 * select(Order).columns((order) => [cast(order.country, varchar(2)), cast(order.price, integer())])
 */
export function cast<TFrom, TValue>(
  expression: Expression<TFrom> | RawBuilder<TFrom> | TFrom,
  column: Column<TValue, any, any>,
): CastExpression<TValue | NullOf<TFrom>> {
  const given = isExpression(expression)
    ? expectExpression(expression)
    : new BoundValue(expression, typeOfValue(expression), { isAlone: true });
  return new CastExpression(given, column.options.type, true);
}

/**
 * Says what type the values of an expression have where only you know: of a function of the database's, or of SQL of your own. Nothing changes in the SQL; the values are
 * read, compared and typed as those of such a column.
 *
 * SQLAlchemy: Column Elements and Expressions, `type_coerce`.
 *
 * @example
 * select(Visit).columns((visit) => [typeCoerce(func("date_trunc", "day", visit.at), timestamp())])
 */
export function typeCoerce<TFrom, TValue>(
  expression: Expression<TFrom> | RawBuilder<TFrom>,
  column: Column<TValue, any, any>,
): CastExpression<TValue | Extract<TFrom, null>> {
  return new CastExpression(expectExpression(expression), column.options.type, false);
}
