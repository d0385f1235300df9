import type { Column } from "../mapping/column.ts";
import { mapperOf } from "../mapping/configure-mappers.ts";
import type { Class, PropertiesOf, ValueOf } from "../mapping/model-types.ts";
import { type BulkParts, BulkStatement } from "./bulk-statement.ts";

/** A row for `insert(User)`: the values of its columns by attribute. */
export type InsertValues<TModel> = {
  readonly [K in keyof PropertiesOf<TModel> as PropertiesOf<TModel>[K] extends Column<any, any> ? K : never]?: ValueOf<
    PropertiesOf<TModel>[K]
  >;
};

/** An INSERT of rows that are given when it is executed. */
export class Insert<TModel> extends BulkStatement<TModel> {
  protected with(parts: Partial<BulkParts>): this {
    return new Insert(this.entity, { ...this.parts, ...parts }) as this;
  }
}

/**
 * Starts an INSERT of rows of a class, which are given with the execution: one, or a list.
 *
 * It is the quick way to write many rows that nobody needs as instances: values are converted and defaults filled in, but no instance is made, no
 * constructor, validator or row event runs. Use `session.addAll` where those matter.
 *
 * SQLAlchemy: ORM Bulk INSERT Statements.
 *
 * @example
 * await session.execute(insert(User), [{ name: "sandy" }, { name: "patrick" }]);
 */
export function insert<TModel extends { readonly "~properties": unknown } & Class>(entity: TModel): Insert<TModel> {
  mapperOf(entity as never);
  return new Insert(entity as never, { executionOptions: {} });
}
