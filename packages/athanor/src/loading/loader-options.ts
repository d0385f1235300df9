import type { AnyModel, Class, RelationshipName, TargetOf } from "../mapping/model-types.ts";
import type { SubclassOf } from "../sql/scope.ts";
import { LoaderPath, type RaiseLoadOptions } from "./loader-path.ts";

/** A class whose relationships can be loaded along. */
type Loadable = { readonly "~properties": unknown } & Class;

/**
 * Loads a relationship along with the instances of a statement, by one further SELECT for all of them, with their keys in an IN. The first choice for collections.
 *
 * SQLAlchemy: Relationship Loading Techniques, Select IN loading.
 *
 * @throws ArgumentError for a name that is no relationship of the class.
 * @example
 * const users = await session.scalars(select(User).options(selectinLoad(User, "posts").selectinLoad("tags")));
 */
export function selectinLoad<TModel extends Loadable, const TName extends RelationshipName<TModel>>(
  model: TModel,
  name: TName,
): LoaderPath<TargetOf<TModel, TName>> {
  return LoaderPath.from(model).selectinLoad(name);
}

/**
 * Loads a relationship along with the instances of a statement, in the same rows, by a LEFT OUTER JOIN. The first choice for references.
 *
 * Instances of which there are several rows are found once, and a limit counts instances. SQLAlchemy: Relationship Loading Techniques, Joined Eager Loading.
 *
 * @throws ArgumentError for a name that is no relationship of the class.
 * @example
 * const posts = await session.scalars(select(Post).options(joinedLoad(Post, "author").selectinLoad("posts")));
 */
export function joinedLoad<TModel extends Loadable, const TName extends RelationshipName<TModel>>(
  model: TModel,
  name: TName,
): LoaderPath<TargetOf<TModel, TName>> {
  return LoaderPath.from(model).joinedLoad(name);
}

/**
 * Loads a relationship along with the instances of a statement, by one further SELECT that has the statement itself inside of it, instead of the keys that it found. For
 * very many instances, and for composite keys; with a limit give the statement an order, so that both find the same.
 *
 * SQLAlchemy: Relationship Loading Techniques, Subquery Eager Loading.
 *
 * @throws ArgumentError for a name that is no relationship of the class.
 * @example
 * const plots = await session.scalars(select(Plot).where({ street: "elm" }).options(subqueryLoad(Plot, "trees")));
 */
export function subqueryLoad<TModel extends Loadable, const TName extends RelationshipName<TModel>>(
  model: TModel,
  name: TName,
): LoaderPath<TargetOf<TModel, TName>> {
  return LoaderPath.from(model).subqueryLoad(name);
}

/**
 * Loads a relationship along with the instances of a statement as `load()` would, for each instance by itself: a reference to an instance that the session has sends no
 * statement, and anything else one for each. For references whose instances are mostly there.
 *
 * SQLAlchemy: Relationship Loading Techniques, `immediateload`.
 *
 * @throws ArgumentError for a name that is no relationship of the class.
 * @example
 * const cities = await session.scalars(select(City).options(immediateLoad(City, "country")));
 */
export function immediateLoad<TModel extends Loadable, const TName extends RelationshipName<TModel>>(
  model: TModel,
  name: TName,
): LoaderPath<TargetOf<TModel, TName>> {
  return LoaderPath.from(model).immediateLoad(name);
}

/**
 * Does not load a relationship along: it is left to `load()`. That is so anyway, unless the relationship or another option says otherwise; and the path leads on, to say how
 * what `load()` finds is loaded.
 *
 * SQLAlchemy: Relationship Loading Techniques, Lazy Loading.
 *
 * @throws ArgumentError for a name that is no relationship of the class.
 * @example
 * const [user] = (await session.scalars(select(User).options(lazyLoad(User, "posts").selectinLoad("tags")))).all();
 * const posts = await load(user, "posts"); // with their tags
 */
export function lazyLoad<TModel extends Loadable, const TName extends RelationshipName<TModel>>(
  model: TModel,
  name: TName,
): LoaderPath<TargetOf<TModel, TName>> {
  return LoaderPath.from(model).lazyLoad(name);
}

/**
 * Keeps a relationship from being loaded by itself: `load(instance, name)` refuses, and so does reading, also where the session has the instance that a reference refers to.
 * For code that must know how many statements it sends: what it needs is named in the query, and a `load()` in a loop, however deep, is an error at once instead of a
 * statement for each. With `{ sqlOnly: true }` only what would send a statement is refused.
 *
 * Whoever names the relationship in `session.refresh(instance, [name])` gets it, and a flush, a cascade or `merge` loads what it must know. SQLAlchemy: Relationship Loading
 * Techniques, Preventing unwanted lazy loads using raiseload.
 *
 * @throws ArgumentError for a name that is no relationship of the class.
 * @example
 * const users = await session.scalars(select(User).options(selectinLoad(User, "posts"), raiseLoad(User, "profile")));
 */
export function raiseLoad<TModel extends Loadable, const TName extends RelationshipName<TModel>>(
  model: TModel,
  name: TName,
  options?: RaiseLoadOptions,
): LoaderPath<TargetOf<TModel, TName>> {
  return LoaderPath.from(model).raiseLoad(name, options);
}

/**
 * Lets a relationship read as if there were nothing, an empty collection or null, without any statement: for a page that shows none of it. `load()` loads it all the same.
 *
 * Nothing is lost: what is put into such a collection is saved beside what is there, what a flush or a cascade must know it loads, and assigning another collection, which
 * would take out what nobody has seen, is an error. SQLAlchemy has it as `noload`, where the empty value counts as the content.
 *
 * @throws ArgumentError for a name that is no relationship of the class.
 * @example
 * const users = await session.scalars(select(User).options(noLoad(User, "posts")));
 */
export function noLoad<TModel extends Loadable, const TName extends RelationshipName<TModel>>(
  model: TModel,
  name: TName,
): LoaderPath<TargetOf<TModel, TName>> {
  return LoaderPath.from(model).noLoad(name);
}

/**
 * Loads what subclasses add to the instances of a statement, by one further SELECT for each subclass of which there are any. Each instance is complete by the nearest of the
 * listed classes that it is of. Relationships of the subclasses are options beside it: `selectinLoad(Engineer, "projects")`.
 *
 * For one SELECT of all, and to compare with what subclasses add, there is {@link withPolymorphic}. SQLAlchemy: Writing SELECT statements for Inheritance Mappings,
 * `selectin_polymorphic`.
 *
 * @throws ArgumentError for a class that is no subclass.
 * @example
 * const staff = await session.scalars(select(Employee).options(selectinPolymorphic(Employee, [Engineer, Manager]), selectinLoad(Engineer, "projects")));
 */
export function selectinPolymorphic<TModel extends Loadable & AnyModel>(
  model: TModel,
  subclasses: readonly SubclassOf<TModel>[],
): LoaderPath<TModel> {
  return LoaderPath.from(model).selectinPolymorphic(subclasses as never);
}
