import { commonTable, type CTE, type Recursion } from "./common-table.ts";
import type { DerivedEntity, RowKind } from "./scope.ts";
import type { Select } from "./select.ts";
import type { SetOperator } from "./set-operation.ts";
import { Subquery } from "./table-subquery.ts";

/** A statement whose rows others go on with: put together with those of other statements, or read as a table. */
// What is asked of `this` is not part of what a statement is: one that finds less can stand where more would be found.
export abstract class CombinableStatement {
  /** The statement of the rows of this one and of others. */
  abstract combinedWith(
    operator: SetOperator,
    isAll: boolean,
    others: readonly Select<unknown, any, any>[],
  ): Select<any, any, any>;

  /**
   * The rows of this statement and of the others, without those that are equal to another one. They are of one kind: instances of one class, or the same columns.
   * What follows, `orderBy`, `limit`, `where` or `columns`, is about all of them; what came before, about the one.
   *
   * SQLAlchemy: SELECT and Related Constructs, `Select.union`.
   *
   * @throws ArgumentError for statements whose rows are of another kind.
   * @example
   * select(User).where({ name: "sandy" }).union(select(User).join("posts").limit(10)).orderBy((user) => user.id)
   */
  union<TRow, TEntities extends readonly unknown[], TResult extends RowKind>(
    this: Select<TRow, TEntities, TResult>,
    ...others: readonly Select<TRow, any, TResult>[]
  ): Select<TRow, [DerivedEntity<TRow, TEntities, TResult>], TResult> {
    return this.combinedWith("union", false, others);
  }

  /** The same as {@link union}, with those that are equal to another one: each as often as the statements find it. */
  unionAll<TRow, TEntities extends readonly unknown[], TResult extends RowKind>(
    this: Select<TRow, TEntities, TResult>,
    ...others: readonly Select<TRow, any, TResult>[]
  ): Select<TRow, [DerivedEntity<TRow, TEntities, TResult>], TResult> {
    return this.combinedWith("union", true, others);
  }

  /** The rows that this statement and all others find: see {@link union}. */
  intersect<TRow, TEntities extends readonly unknown[], TResult extends RowKind>(
    this: Select<TRow, TEntities, TResult>,
    ...others: readonly Select<TRow, any, TResult>[]
  ): Select<TRow, [DerivedEntity<TRow, TEntities, TResult>], TResult> {
    return this.combinedWith("intersect", false, others);
  }

  /** The same as {@link intersect}, each as often as all of them find it. SQLite has no such thing. */
  intersectAll<TRow, TEntities extends readonly unknown[], TResult extends RowKind>(
    this: Select<TRow, TEntities, TResult>,
    ...others: readonly Select<TRow, any, TResult>[]
  ): Select<TRow, [DerivedEntity<TRow, TEntities, TResult>], TResult> {
    return this.combinedWith("intersect", true, others);
  }

  /** The rows of this statement that none of the others finds: see {@link union}. */
  except<TRow, TEntities extends readonly unknown[], TResult extends RowKind>(
    this: Select<TRow, TEntities, TResult>,
    ...others: readonly Select<TRow, any, TResult>[]
  ): Select<TRow, [DerivedEntity<TRow, TEntities, TResult>], TResult> {
    return this.combinedWith("except", false, others);
  }

  /** The same as {@link except}, each as often as the others do not find it. SQLite has no such thing. */
  exceptAll<TRow, TEntities extends readonly unknown[], TResult extends RowKind>(
    this: Select<TRow, TEntities, TResult>,
    ...others: readonly Select<TRow, any, TResult>[]
  ): Select<TRow, [DerivedEntity<TRow, TEntities, TResult>], TResult> {
    return this.combinedWith("except", true, others);
  }

  /**
   * Its rows as a table that other statements select from and join. Columns have the names and the types that they have in the rows; instances are instances again.
   *
   * SQLAlchemy: SELECT and Related Constructs, `Select.subquery`.
   *
   * @throws ArgumentError for a name that is none.
   * @example
   * const counts = select(Post).columns((post) => ({ authorId: post.authorId, posts: func.count() })).groupBy((post) => post.authorId).subquery("counts");
   * select(User).join(counts, (user, count) => count.authorId.eq(user.id)).columns((user, count) => [user, count.posts])
   */
  subquery<TRow, TEntities extends readonly unknown[], TResult extends RowKind>(
    this: Select<TRow, TEntities, TResult>,
    name: string,
  ): Subquery<TRow, DerivedEntity<TRow, TEntities, TResult>, TResult> {
    return new Subquery(name, this);
  }

  /**
   * The same as {@link subquery}, found once before the statements that read it: WITH … AS. With a function it is recursive: that is given the rows which the step before
   * found, first those of this statement, and returns the statement that finds the next ones from them, until there are none. `unionAll` keeps all, `union` leaves
   * out those that were found before, so that it ends where rows lead in a circle.
   *
   * SQLAlchemy: SELECT and Related Constructs, `Select.cte`.
   *
   * @throws ArgumentError for a name that is none, and for a function that returns rows of another kind.
   * @example
   * const below = select(Folder).where({ name: "home" }).cte("below", {
   *   unionAll: (found) => select(Folder).join(found, (folder, parent) => folder.parentId.eq(parent.id)),
   * });
   * const folders = (await session.scalars(select(below))).all(); // Folder[]
   */
  cte<TRow, TEntities extends readonly unknown[], TResult extends RowKind>(
    this: Select<TRow, TEntities, TResult>,
    name: string,
    recursion?: Recursion<TRow, DerivedEntity<TRow, TEntities, TResult>, TResult>,
  ): CTE<TRow, DerivedEntity<TRow, TEntities, TResult>, TResult> {
    return commonTable(name, this as never, recursion as never) as never;
  }
}
