import { closestName } from "../event/closest-name.ts";
import { ArgumentError } from "../event/errors.ts";
import { mapperOf } from "../mapping/configure-mappers.ts";
import type { Mapper } from "../mapping/mapper.ts";
import type { AnyModel, RelationshipName, TargetOf } from "../mapping/model-types.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import type { Aliased } from "../sql/aliased.ts";
import type { SubclassOf } from "../sql/scope.ts";
import { expectSubclasses } from "../sql/with-polymorphic.ts";
import { isOf, LoaderTree } from "../sql/loader-tree.ts";
import { LoaderOption, type LoadingPlan } from "../sql/loading-plan.ts";
import type { LoaderStrategy } from "./loader-strategy.ts";
import { contained } from "./strategies/contained.ts";
import { immediate } from "./strategies/immediate.ts";
import { joined } from "./strategies/joined.ts";
import { lazy } from "./strategies/lazy.ts";
import { noLoading } from "./strategies/no-load.ts";
import { raising, raisingOnSql } from "./strategies/raise.ts";
import { selectin } from "./strategies/selectin.ts";
import { subquery } from "./strategies/subquery.ts";

/** How strict `raiseLoad` is. */
export interface RaiseLoadOptions {
  /** Refuses only what would send a statement: a reference to an instance that the session has may be read. False unless you say so. */
  readonly sqlOnly?: boolean;
}

/**
 * How relationships are loaded along with the instances of a statement, and what is loaded along with those in turn. `selectinLoad`, `joinedLoad` and their like make
 * one; its methods lead on, to relationships of the class at the other end.
 *
 * SQLAlchemy: Relationship Loading Techniques, `Load`.
 */
export class LoaderPath<in out TModel> extends LoaderOption {
  declare readonly "~target": TModel;
  readonly #root: Mapper;
  /** The class whose relationships the methods name: the one that the path leads to, or a subclass of it. */
  readonly #target: Mapper;
  /** The relationships that lead there from the first class. */
  readonly #path: readonly RelationshipProperty[];
  readonly #tree: LoaderTree;

  private constructor(root: Mapper, path: readonly RelationshipProperty[], tree: LoaderTree, target?: Mapper) {
    super();
    this.#root = root;
    this.#target = target ?? path.at(-1)?.target ?? root;
    this.#path = path;
    this.#tree = tree;
  }

  /** The path from a class that leads nowhere yet. */
  static from<TModel>(model: TModel): LoaderPath<TModel> {
    return new LoaderPath<TModel>(mapperOf(model as never), [], LoaderTree.empty);
  }

  /** Loads a relationship of these related instances by one further statement: see {@link selectinLoad}. */
  selectinLoad<const TName extends RelationshipName<TModel>>(name: TName): LoaderPath<TargetOf<TModel, TName>> {
    return this.#with(name, selectin);
  }

  /** Loads a relationship of these related instances by an outer join: see {@link joinedLoad}. */
  joinedLoad<const TName extends RelationshipName<TModel>>(name: TName): LoaderPath<TargetOf<TModel, TName>> {
    return this.#with(name, joined);
  }

  /** Loads a relationship of these related instances by one further statement, with this one inside of it: see {@link subqueryLoad}. */
  subqueryLoad<const TName extends RelationshipName<TModel>>(name: TName): LoaderPath<TargetOf<TModel, TName>> {
    return this.#with(name, subquery);
  }

  /** Loads a relationship of each of these related instances by itself: see {@link immediateLoad}. */
  immediateLoad<const TName extends RelationshipName<TModel>>(name: TName): LoaderPath<TargetOf<TModel, TName>> {
    return this.#with(name, immediate);
  }

  /** Leaves a relationship of these related instances to `load()`: see {@link lazyLoad}. */
  lazyLoad<const TName extends RelationshipName<TModel>>(name: TName): LoaderPath<TargetOf<TModel, TName>> {
    return this.#with(name, lazy);
  }

  /** Lets `load()` refuse a relationship of these related instances: see {@link raiseLoad}. */
  raiseLoad<const TName extends RelationshipName<TModel>>(
    name: TName,
    { sqlOnly = false }: RaiseLoadOptions = {},
  ): LoaderPath<TargetOf<TModel, TName>> {
    return this.#with(name, sqlOnly ? raisingOnSql : raising);
  }

  /** Lets a relationship of these related instances read as if there were nothing: see {@link noLoad}. */
  noLoad<const TName extends RelationshipName<TModel>>(name: TName): LoaderPath<TargetOf<TModel, TName>> {
    return this.#with(name, noLoading);
  }

  /** Takes a relationship of these related instances from a join of the statement: see {@link containsEager}. */
  containsEager<const TName extends RelationshipName<TModel>>(
    name: TName,
    join?: Aliased<AnyModel>,
  ): LoaderPath<TargetOf<TModel, TName>> {
    return this.#with(name, contained(join?.alias));
  }

  /** Loads what these subclasses add to the related instances, by one further statement for each: see {@link selectinPolymorphic}. */
  selectinPolymorphic(subclasses: TModel extends AnyModel ? readonly SubclassOf<TModel>[] : never): LoaderPath<TModel> {
    const selectin = expectSubclasses(this.#target, subclasses, "selectinPolymorphic");
    return new LoaderPath(
      this.#root,
      this.#path,
      this.#tree.changedAt(this.#path, (at) => at.withSubclasses({ selectin })),
    );
  }

  override addTo(plan: LoadingPlan, mappers: readonly Mapper[]): LoadingPlan {
    const [property] = this.#tree.nodes.keys();
    const isThere = (mapper: Mapper): boolean =>
      property === undefined ? this.#root.isA(mapper) || mapper.isA(this.#root) : isOf(property, mapper);
    if (!mappers.some(isThere)) {
      const { name } = (mappers[0] as Mapper).class;
      const [label, next] =
        property === undefined
          ? [`What subclasses of ${this.#root.class.name} add`, `selectinPolymorphic([…])`]
          : [property.label, `selectinLoad("${property.key}")`];
      throw new ArgumentError(
        `${label} cannot be loaded along with a statement that selects ${name}. Name a relationship of ${name} first, and lead on from there: selectinLoad(${name}, "…").${next}.`,
      );
    }
    return { ...plan, tree: plan.tree.mergedWith(this.#tree) };
  }

  #with(name: string, strategy: LoaderStrategy): LoaderPath<any> {
    const property = relationshipOf(this.#target, name);
    const tree = this.#tree.changedAt(this.#path, (at) => at.withStrategy(property, strategy));
    return new LoaderPath(this.#root, [...this.#path, property], tree);
  }
}

function relationshipOf(mapper: Mapper, name: string): RelationshipProperty {
  const property = mapper.relationships.find(({ key }) => key === name);
  if (property !== undefined) return property;
  const names = mapper.relationships.map(({ key }) => key);
  const closest = closestName(name, names);
  const hint = closest === undefined ? `It has ${names.join(", ") || "none"}.` : `Did you mean "${closest}"?`;
  throw new ArgumentError(`${mapper.class.name} has no relationship "${name}". ${hint}`);
}
