import { mapperOf } from "../mapping/configure-mappers.ts";
import type { Class } from "../mapping/model-types.ts";
import type { Attributes } from "./attribute.ts";
import { type ReturnedColumns, type ReturnedRow, returningOf } from "./returning.ts";
import { type FilteredParts, FilteredStatement } from "./bulk-statement.ts";

/** A DELETE of all rows of a class, or of those that a condition chooses. */
export class DeleteFrom<TModel, out TRow = never> extends FilteredStatement<TModel, FilteredParts, TRow> {
  /**
   * Answers with the rows that it has deleted: with instances of the class, which are the session's own where it has them, or with what a function chooses of each row.
   *
   * SQLAlchemy: ORM-Enabled INSERT, UPDATE, and DELETE statements, RETURNING.
   *
   * The instances are deleted ones, all of them; a rollback makes them persistent, as it does with others.
   *
   * @example
   * const gone = (await session.execute(deleteFrom(Job).where({ state: "done" }).returning((job) => ({ id: job.id })))).all();
   */
  returning<const TColumns extends ReturnedColumns = never>(
    choose?: (entity: Attributes<TModel>) => TColumns,
  ): DeleteFrom<TModel, ReturnedRow<TModel, TColumns>> {
    return this.with({ returning: returningOf(this.entity, choose) }) as never;
  }

  protected with(parts: Partial<FilteredParts>): this {
    return new DeleteFrom(this.entity, { ...this.parts, ...parts }) as this;
  }
}

/**
 * Starts a DELETE of rows of a class, by one statement instead of instance by instance: no cascade of its relationships and no row event runs, but the session's
 * `afterBulkDelete`; what the database itself cascades, it does. Without `where` it deletes every row.
 *
 * Instances that the session has of those rows become deleted, as `synchronizeSession` in the execution options says.
 *
 * SQLAlchemy: ORM UPDATE and DELETE with Custom WHERE Criteria.
 *
 * @example
 * const { rowCount } = await session.execute(deleteFrom(User).where((user) => user.lastSeen.lt(longAgo)));
 */
export function deleteFrom<TModel extends { readonly "~properties": unknown } & Class>(
  entity: TModel,
): DeleteFrom<TModel> {
  mapperOf(entity as never);
  return new DeleteFrom(entity as never, { executionOptions: {} });
}
