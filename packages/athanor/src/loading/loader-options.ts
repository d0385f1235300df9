import type { AnyModel, Class, RelationshipName, TargetOf } from "../mapping/model-types.ts";
import { LoaderOption, type LoadingPlan } from "../sql/loading-plan.ts";
import type { SubclassOf } from "../sql/scope.ts";
import {
  type Every,
  LoaderPath,
  type PathTo,
  type RaiseLoadOptions,
  raisingBy,
  type RelatedLoadOptions,
} from "./loader-path.ts";
import type { LoaderStrategy } from "./loader-strategy.ts";
import { immediate } from "./strategies/immediate.ts";
import { joined } from "./strategies/joined.ts";
import { lazy } from "./strategies/lazy.ts";
import { noLoading } from "./strategies/no-load.ts";
import { selectin } from "./strategies/selectin.ts";
import { subquery } from "./strategies/subquery.ts";

/** Says of all relationships, of whatever class, how they are loaded. */
class EverywhereOption extends LoaderOption {
  readonly #strategy: LoaderStrategy;

  constructor(strategy: LoaderStrategy) {
    super();
    this.#strategy = strategy;
  }

  override addTo(plan: LoadingPlan): LoadingPlan {
    return { ...plan, tree: plan.tree.withEverywhere(this.#strategy) };
  }
}

type AnyOptions = RelatedLoadOptions<any, any>;

/** A class whose relationships can be loaded along. */
type Loadable = { readonly "~properties": unknown } & Class;

/**
 * Loads a relationship along with the instances of a statement, by one further SELECT for all of them, with their keys in an IN. The first choice for collections.
 *
 * `selectinLoad(User, "*")` is for all relationships of the class, and `selectinLoad("*")` for all of every class, until they come back to a class that they came from; what
 * another option says of one by its name holds for that. With `{ where: … }` only some of the related rows are loaded. The same goes for the other ways to load relationships.
 *
 * SQLAlchemy: Relationship Loading Techniques, Select IN loading.
 *
 * @throws ArgumentError for a name that is no relationship of the class.
 * @example
 * const users = await session.scalars(select(User).options(selectinLoad(User, "posts").selectinLoad("tags")));
 * const authors = await session.scalars(select(User).options(selectinLoad(User, "posts", { where: (post) => post.published.eq(true) })));
 */
export function selectinLoad(name: Every): LoaderOption;
export function selectinLoad<TModel extends Loadable, const TName extends RelationshipName<TModel> | Every>(
  model: TModel,
  name: TName,
  options?: RelatedLoadOptions<TModel, TName>,
): PathTo<TModel, TName>;
export function selectinLoad(model: Loadable | Every, name: Every = "*", options?: AnyOptions): LoaderOption {
  return model === "*" ? new EverywhereOption(selectin) : LoaderPath.from(model).selectinLoad(name, options);
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
export function joinedLoad(name: Every): LoaderOption;
export function joinedLoad<TModel extends Loadable, const TName extends RelationshipName<TModel> | Every>(
  model: TModel,
  name: TName,
  options?: RelatedLoadOptions<TModel, TName>,
): PathTo<TModel, TName>;
export function joinedLoad(model: Loadable | Every, name: Every = "*", options?: AnyOptions): LoaderOption {
  return model === "*" ? new EverywhereOption(joined) : LoaderPath.from(model).joinedLoad(name, options);
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
export function subqueryLoad(name: Every): LoaderOption;
export function subqueryLoad<TModel extends Loadable, const TName extends RelationshipName<TModel> | Every>(
  model: TModel,
  name: TName,
  options?: RelatedLoadOptions<TModel, TName>,
): PathTo<TModel, TName>;
export function subqueryLoad(model: Loadable | Every, name: Every = "*", options?: AnyOptions): LoaderOption {
  return model === "*" ? new EverywhereOption(subquery) : LoaderPath.from(model).subqueryLoad(name, options);
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
export function immediateLoad(name: Every): LoaderOption;
export function immediateLoad<TModel extends Loadable, const TName extends RelationshipName<TModel> | Every>(
  model: TModel,
  name: TName,
  options?: RelatedLoadOptions<TModel, TName>,
): PathTo<TModel, TName>;
export function immediateLoad(model: Loadable | Every, name: Every = "*", options?: AnyOptions): LoaderOption {
  return model === "*" ? new EverywhereOption(immediate) : LoaderPath.from(model).immediateLoad(name, options);
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
export function lazyLoad(name: Every): LoaderOption;
export function lazyLoad<TModel extends Loadable, const TName extends RelationshipName<TModel> | Every>(
  model: TModel,
  name: TName,
  options?: RelatedLoadOptions<TModel, TName>,
): PathTo<TModel, TName>;
export function lazyLoad(model: Loadable | Every, name: Every = "*", options?: AnyOptions): LoaderOption {
  return model === "*" ? new EverywhereOption(lazy) : LoaderPath.from(model).lazyLoad(name, options);
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
 * const users = await session.scalars(select(User).options(selectinLoad(User, "posts"), raiseLoad("*"))); // no load() of anything but posts
 */
export function raiseLoad(name: Every, options?: RaiseLoadOptions): LoaderOption;
export function raiseLoad<TModel extends Loadable, const TName extends RelationshipName<TModel> | Every>(
  model: TModel,
  name: TName,
  options?: RaiseLoadOptions,
): PathTo<TModel, TName>;
export function raiseLoad(
  model: Loadable | Every,
  name: Every | RaiseLoadOptions | undefined,
  options?: RaiseLoadOptions,
): LoaderOption {
  if (model === "*") return new EverywhereOption(raisingBy(name as RaiseLoadOptions | undefined));
  return LoaderPath.from(model).raiseLoad(name as Every, options);
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
export function noLoad(name: Every): LoaderOption;
export function noLoad<TModel extends Loadable, const TName extends RelationshipName<TModel> | Every>(
  model: TModel,
  name: TName,
): PathTo<TModel, TName>;
export function noLoad(model: Loadable | Every, name: Every = "*"): LoaderOption {
  return model === "*" ? new EverywhereOption(noLoading) : LoaderPath.from(model).noLoad(name);
}

/**
 * Loads a relationship as it would be loaded anyway, and leads on from there: to say something of the related instances without saying how they themselves are loaded.
 *
 * SQLAlchemy: Query API, `defaultload`.
 *
 * @throws ArgumentError for a name that is no relationship of the class.
 * @example
 * const users = await session.scalars(select(User).options(defaultLoad(User, "posts").raiseLoad("*")));
 */
export function defaultLoad<TModel extends Loadable, const TName extends RelationshipName<TModel>>(
  model: TModel,
  name: TName,
): LoaderPath<TargetOf<TModel, TName>> {
  return LoaderPath.from(model).defaultLoad(name);
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
