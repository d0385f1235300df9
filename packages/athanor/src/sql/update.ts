import { mapperOf } from "../mapping/configure-mappers.ts";
import type { Class } from "../mapping/model-types.ts";
import { type AssignedValues, type Assignments, assignmentsOf } from "./assigned.ts";
import { type Attributes, attributes } from "./attribute.ts";
import { type FilteredParts, FilteredStatement } from "./bulk-statement.ts";
import { type ReturnedColumns, type ReturnedRow, returningOf } from "./returning.ts";

/** The new values of an UPDATE by attribute: values in memory, or expressions of the row's columns. */
export type UpdateValues<TModel> = AssignedValues<TModel>;

interface UpdateParts extends FilteredParts {
  /** What is assigned, in the order in which it was given. */
  readonly values: Assignments;
}

/** An UPDATE of all rows of a class, or of those that a condition chooses. */
export class Update<TModel, out TRow = never> extends FilteredStatement<TModel, UpdateParts, TRow> {
  /**
   * Sets columns, by attribute: to values, or to expressions, which a function can make of the row's attributes. Further calls add to the first.
   *
   * @throws ArgumentError for a name that the class does not have, or a value that its column cannot hold.
   * @example
   * update(Post).values((post) => ({ views: sql`${post.views} + 1`, title: "Read" }));
   */
  values(given: UpdateValues<TModel> | ((entity: Attributes<TModel>) => UpdateValues<TModel>)): this {
    const named: unknown = typeof given === "function" ? given(attributes(this.entity as never) as never) : given;
    const values = new Map([...this.parts.values, ...assignmentsOf(this.mapper, named, "values()")]);
    return this.with({ values });
  }

  /**
   * Answers with the rows that it has changed: with instances of the class, which are the session's own where it has them, or with what a function chooses of each row.
   *
   * SQLAlchemy: ORM-Enabled INSERT, UPDATE, and DELETE statements, RETURNING.
   *
   * @example
   * const raised = (await session.scalars(update(User).where({ team: 7 }).values({ level: 2 }).returning())).all();
   */
  returning<const TColumns extends ReturnedColumns = never>(
    choose?: (entity: Attributes<TModel>) => TColumns,
  ): Update<TModel, ReturnedRow<TModel, TColumns>> {
    return this.with({ returning: returningOf(this.entity, choose) }) as never;
  }

  protected with(parts: Partial<UpdateParts>): this {
    return new Update(this.entity, { ...this.parts, ...parts }) as this;
  }
}

/**
 * Starts an UPDATE of rows of a class, by one statement instead of instance by instance: no row event runs, but the session's `afterBulkUpdate`; `onupdate` values are
 * filled in, and a version counter stays as it is unless `values` sets it. Without `where` it updates every row.
 *
 * Instances that the session has of those rows get the new values too, as `synchronizeSession` in the execution options says.
 *
 * Executed with a list of rows it changes each of them by itself: its key says which one it is, and the rest what it is set to; of a versioned class the version is the one
 * that the row has as far as you know. A row that is not there is a StaleDataError.
 *
 * SQLAlchemy: ORM UPDATE and DELETE with Custom WHERE Criteria; ORM Bulk UPDATE by Primary Key.
 *
 * @example
 * await session.execute(update(User), [{ id: 1, name: "sandy" }, { id: 2, name: "patrick" }]);
 * await session.execute(update(User).where({ country: "GB" }).values({ currency: "GBP" }));
 */
export function update<TModel extends { readonly "~properties": unknown } & Class>(entity: TModel): Update<TModel> {
  mapperOf(entity as never);
  return new Update(entity as never, { values: new Map(), executionOptions: {} });
}
