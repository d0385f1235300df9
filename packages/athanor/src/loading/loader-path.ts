import { closestName } from "../event/closest-name.ts";
import { ArgumentError } from "../event/errors.ts";
import { mapperOf } from "../mapping/configure-mappers.ts";
import type { Mapper } from "../mapping/mapper.ts";
import type { AnyModel, Class, RelationshipName, TargetOf } from "../mapping/model-types.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import type { Aliased } from "../sql/aliased.ts";
import { isOf, LoaderOption, type LoaderNode, type LoaderTree, type LoadingPlan } from "../sql/loading-plan.ts";
import type { LoaderStrategy } from "./loader-strategy.ts";
import { contained } from "./strategies/contained.ts";
import { joined } from "./strategies/joined.ts";
import { selectin } from "./strategies/selectin.ts";

interface Step {
  readonly property: RelationshipProperty;
  readonly strategy: LoaderStrategy;
}

/**
 * How a relationship is loaded along with the instances of a statement, and what is loaded along with those in turn. `selectinLoad` and `joinedLoad` make
 * one; its methods lead on, to relationships of the class at the other end.
 *
 * SQLAlchemy: Relationship Loading Techniques, `Load`.
 */
export class LoaderPath<in out TModel> extends LoaderOption {
  declare readonly "~target": TModel;
  readonly #steps: readonly Step[];

  constructor(steps: readonly Step[]) {
    super();
    this.#steps = steps;
  }

  /** A path that begins with a relationship of a class. */
  static from(model: object, name: string, strategy: LoaderStrategy): LoaderPath<any> {
    return new LoaderPath([{ property: relationshipOf(mapperOf(model as never), name), strategy }]);
  }

  /** Loads a relationship of these related instances by one further statement: see {@link selectinLoad}. */
  selectinLoad<const TName extends RelationshipName<TModel>>(name: TName): LoaderPath<TargetOf<TModel, TName>> {
    return this.#with(name, selectin);
  }

  /** Loads a relationship of these related instances by an outer join: see {@link joinedLoad}. */
  joinedLoad<const TName extends RelationshipName<TModel>>(name: TName): LoaderPath<TargetOf<TModel, TName>> {
    return this.#with(name, joined);
  }

  /** Takes a relationship of these related instances from a join of the statement: see {@link containsEager}. */
  containsEager<const TName extends RelationshipName<TModel>>(
    name: TName,
    join?: Aliased<AnyModel>,
  ): LoaderPath<TargetOf<TModel, TName>> {
    return this.#with(name, contained(join?.alias));
  }

  override addTo(plan: LoadingPlan, mappers: readonly Mapper[]): LoadingPlan {
    const { property } = this.#steps[0] as Step;
    if (!mappers.some((mapper) => isOf(property, mapper))) {
      const { label, key } = property;
      const { name } = (mappers[0] as Mapper).class;
      throw new ArgumentError(
        `${label} cannot be loaded along with a statement that selects ${name}. Name a relationship of ${name} first, and lead on from there: selectinLoad(${name}, "…").selectinLoad("${key}").`,
      );
    }
    return { ...plan, tree: withPath(plan.tree, this.#steps) };
  }

  #with(name: string, strategy: LoaderStrategy): LoaderPath<any> {
    const { property } = this.#steps.at(-1) as Step;
    return new LoaderPath([...this.#steps, { property: relationshipOf(property.target, name), strategy }]);
  }
}

/**
 * Loads a relationship along with the instances of a statement, by one further SELECT for all of them, with their keys in an IN. The first choice for collections.
 *
 * SQLAlchemy: Relationship Loading Techniques, Select IN loading.
 *
 * @throws ArgumentError for a name that is no relationship of the class.
 * @example
 * const users = await session.scalars(select(User).options(selectinLoad(User, "posts").selectinLoad("tags")));
 */
export function selectinLoad<
  TModel extends { readonly "~properties": unknown } & Class,
  const TName extends RelationshipName<TModel>,
>(model: TModel, name: TName): LoaderPath<TargetOf<TModel, TName>> {
  return LoaderPath.from(model, name, selectin);
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
export function joinedLoad<
  TModel extends { readonly "~properties": unknown } & Class,
  const TName extends RelationshipName<TModel>,
>(model: TModel, name: TName): LoaderPath<TargetOf<TModel, TName>> {
  return LoaderPath.from(model, name, joined);
}

function relationshipOf(mapper: Mapper, name: string): RelationshipProperty {
  const property = mapper.relationships.find(({ key }) => key === name);
  if (property !== undefined) return property;
  const names = mapper.relationships.map(({ key }) => key);
  const closest = closestName(name, names);
  const hint = closest === undefined ? `It has ${names.join(", ") || "none"}.` : `Did you mean "${closest}"?`;
  throw new ArgumentError(`${mapper.class.name} has no relationship "${name}". ${hint}`);
}

/** A tree with one more path. Where it goes an old way, what is said last holds. */
function withPath(tree: LoaderTree, [step, ...rest]: readonly Step[]): LoaderTree {
  if (step === undefined) return tree;
  const { property, strategy } = step;
  const related = withPath(tree.get(property)?.related ?? new Map<RelationshipProperty, LoaderNode>(), rest);
  return new Map(tree).set(property, { property, strategy, related });
}
