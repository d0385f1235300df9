import type { AnyModel, Class, RelationshipName, TargetOf } from "../mapping/model-types.ts";
import type { Aliased } from "../sql/aliased.ts";
import { LoaderPath } from "./loader-path.ts";

/**
 * Says that a join of the statement leads to a relationship, and takes the related instances from its rows: no further statement, and only those that the statement
 * finds. So a collection may be a part of what the database has; add `executionOptions({ populateExisting: true })` to see it also where the session has loaded it before.
 *
 * It means the last join along the relationship, or else the last one that reads the class at its other end by a condition; give the `aliased` class to name another.
 * Instances of which there are several rows are found once, and a limit counts rows. SQLAlchemy: Relationship Loading Techniques, Routing Explicit Joins/Statements into
 * Eagerly Loaded Collections.
 *
 * @throws ArgumentError for a name that is no relationship of the class; the execution for a statement that has no such join.
 * @example
 * select(User).join("posts").where((user, post) => post.title.like("a%")).options(containsEager(User, "posts"))
 */
export function containsEager<
  TModel extends { readonly "~properties": unknown } & Class,
  const TName extends RelationshipName<TModel>,
>(model: TModel, name: TName, join?: Aliased<AnyModel>): LoaderPath<TargetOf<TModel, TName>> {
  return LoaderPath.from(model).containsEager(name, join);
}
