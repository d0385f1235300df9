import type { Class, ColumnName } from "../mapping/model-types.ts";
import { type DeferOptions, type Every, LoaderPath } from "./loader-path.ts";

type Loadable = { readonly "~properties": unknown } & Class;

/**
 * Leaves a column out of the rows that instances are read from: `load(user, "bio")` loads it. With `{ raiseLoad: true }` that is refused as well, so that nobody sends a
 * statement for each of many. `defer(User, "*")` leaves out all that are not named; the key always comes along.
 *
 * SQLAlchemy: Column Loading Options, Using defer() to omit specific columns.
 *
 * @throws ArgumentError for a name that is no column of the class.
 * @example
 * const users = await session.scalars(select(User).options(defer(User, "bio")));
 */
export function defer<TModel extends Loadable, const TName extends ColumnName<TModel> | Every>(
  model: TModel,
  name: TName,
  options?: DeferOptions,
): LoaderPath<TModel> {
  return LoaderPath.from(model).defer(name, options);
}

/**
 * Loads a column along that is `deferred()`, or left out by another option. `undefer(User, "*")` is for all of them.
 *
 * SQLAlchemy: Column Loading Options, Using undefer() to eagerly load deferred columns.
 *
 * @throws ArgumentError for a name that is no column of the class.
 * @example
 * const users = await session.scalars(select(User).options(undefer(User, "bio")));
 */
export function undefer<TModel extends Loadable, const TName extends ColumnName<TModel> | Every>(
  model: TModel,
  name: TName,
): LoaderPath<TModel> {
  return LoaderPath.from(model).undefer(name);
}

/**
 * Loads the columns along that are `deferred("…")` in a group.
 *
 * SQLAlchemy: Column Loading Options, Loading deferred columns in groups.
 *
 * @throws ArgumentError for a group that the class does not have.
 * @example
 * const users = await session.scalars(select(User).options(undeferGroup(User, "files")));
 */
export function undeferGroup<TModel extends Loadable>(model: TModel, group: string): LoaderPath<TModel> {
  return LoaderPath.from(model).undeferGroup(group);
}

/**
 * Loads instances with these columns alone, and their key: the others are left to `load()`. For lists that show little of much.
 *
 * SQLAlchemy: Column Loading Options, Using load_only() to reduce loaded columns.
 *
 * @throws ArgumentError for a name that is no column of the class.
 * @example
 * const users = await session.scalars(select(User).options(loadOnly(User, "name", "email")));
 */
export function loadOnly<TModel extends Loadable, const TNames extends readonly ColumnName<TModel>[]>(
  model: TModel,
  ...names: TNames
): LoaderPath<TModel> {
  return LoaderPath.from(model).loadOnly(...names);
}
