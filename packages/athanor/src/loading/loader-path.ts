import { closestName, didYouMean } from "../event/closest-name.ts";
import { ArgumentError } from "../event/errors.ts";
import { mapperOf } from "../mapping/configure-mappers.ts";
import type { Mapper } from "../mapping/mapper.ts";
import type { AnyModel, ColumnName, RelationshipName, TargetOf } from "../mapping/model-types.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import type { Aliased } from "../sql/aliased.ts";
import type { Attributes } from "../sql/attribute.ts";
import type { ColumnChoice } from "../sql/column-choice.ts";
import { ConcreteUnion } from "../sql/concrete-union.ts";
import { type Condition, describeGiven } from "../sql/expression.ts";
import type { AnySubclassOf, ModelOf } from "../sql/scope.ts";
import { concerns, LoaderTree } from "../sql/loader-tree.ts";
import { expectOfType, expectSubclasses } from "../sql/of-type.ts";
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

/** Every relationship that is not named. */
export type Every = "*";

/** Where a step of a path leads: to the class at the other end of a relationship; with "*", nowhere. */
export type PathTo<TModel, TName> = TName extends Every ? LoaderPath<TModel> : LoaderPath<TargetOf<TModel, TName>>;

/** Which related rows are loaded. */
export interface RelatedLoadOptions<TModel, TName> {
  /**
   * The related rows that are meant: `{ where: (post) => post.published.eq(true) }`. An instance none of whose related rows fulfils it is found all the same, with none. What
   * is loaded stands for the whole relationship in memory until it is loaded anew; a flush and cascades load what they must know of the rest.
   */
  readonly where?: (related: Attributes<TargetOf<TModel, TName>>) => Condition;
}

/** How a column is left out. */
export interface DeferOptions {
  /** `load()` refuses it too, so that only a query loads it. False unless you say so. */
  readonly raiseLoad?: boolean;
}

/** How strict `raiseLoad` is. */
export interface RaiseLoadOptions {
  /** Refuses only what would send a statement: a reference to an instance that the session has may be read. False unless you say so. */
  readonly sqlOnly?: boolean;
}

/**
 * How relationships are loaded along with the instances of a statement, and what is loaded along with those in turn. `selectinLoad`, `joinedLoad` and their like make
 * one; its methods lead on, to relationships of the class at the other end. Each takes `"*"` for all of its relationships, and then stays: what is said of one by its name
 * holds for that, wherever it stands.
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
  selectinLoad<const TName extends RelationshipName<TModel> | Every>(
    name: TName,
    options?: RelatedLoadOptions<TModel, TName>,
  ): PathTo<TModel, TName> {
    return this.#with<TName>(name, selectin, options);
  }

  /** Loads a relationship of these related instances by an outer join: see {@link joinedLoad}. */
  joinedLoad<const TName extends RelationshipName<TModel> | Every>(
    name: TName,
    options?: RelatedLoadOptions<TModel, TName>,
  ): PathTo<TModel, TName> {
    return this.#with<TName>(name, joined, options);
  }

  /** Loads a relationship of these related instances by one further statement, with this one inside of it: see {@link subqueryLoad}. */
  subqueryLoad<const TName extends RelationshipName<TModel> | Every>(
    name: TName,
    options?: RelatedLoadOptions<TModel, TName>,
  ): PathTo<TModel, TName> {
    return this.#with<TName>(name, subquery, options);
  }

  /** Loads a relationship of each of these related instances by itself: see {@link immediateLoad}. */
  immediateLoad<const TName extends RelationshipName<TModel> | Every>(
    name: TName,
    options?: RelatedLoadOptions<TModel, TName>,
  ): PathTo<TModel, TName> {
    return this.#with<TName>(name, immediate, options);
  }

  /** Leaves a relationship of these related instances to `load()`: see {@link lazyLoad}. */
  lazyLoad<const TName extends RelationshipName<TModel> | Every>(
    name: TName,
    options?: RelatedLoadOptions<TModel, TName>,
  ): PathTo<TModel, TName> {
    return this.#with<TName>(name, lazy, options);
  }

  /** Lets `load()` refuse a relationship of these related instances: see {@link raiseLoad}. */
  raiseLoad<const TName extends RelationshipName<TModel> | Every>(
    name: TName,
    options?: RaiseLoadOptions,
  ): PathTo<TModel, TName> {
    return this.#with<TName>(name, raisingBy(options));
  }

  /** Lets a relationship of these related instances read as if there were nothing: see {@link noLoad}. */
  noLoad<const TName extends RelationshipName<TModel> | Every>(name: TName): PathTo<TModel, TName> {
    return this.#with<TName>(name, noLoading);
  }

  /** Loads a relationship of these related instances as it would be anyway, to lead on from there: see {@link defaultLoad}. */
  defaultLoad<const TName extends RelationshipName<TModel>>(name: TName): LoaderPath<TargetOf<TModel, TName>> {
    return this.#to(relationshipOf(this.#target, name), this.#tree);
  }

  /** Leaves a column of these related instances to `load()`: see {@link defer}. */
  defer<const TName extends ColumnName<TModel> | Every>(
    name: TName,
    { raiseLoad }: DeferOptions = {},
  ): LoaderPath<TModel> {
    return this.#choosing({ named: new Map([[this.#column(name), { raiseLoad }]]) });
  }

  /** Loads a column of these related instances along that is left to `load()` otherwise: see {@link undefer}. */
  undefer<const TName extends ColumnName<TModel> | Every>(name: TName): LoaderPath<TModel> {
    return this.#choosing({ named: new Map([[this.#column(name), false as const]]) });
  }

  /** Loads the columns of a group of these related instances along: see {@link undeferGroup}. */
  undeferGroup(group: string): LoaderPath<TModel> {
    const { class: model, columnProperties, subclasses } = this.#target;
    const columns = [...columnProperties, ...subclasses.flatMap((subclass) => subclass.columnProperties)];
    const groups = columns.flatMap(({ column }) => column.options.deferred?.group ?? []);
    if (groups.includes(group)) return this.#choosing({ groups: new Set([group]) });
    throw new ArgumentError(
      `${model.name} has no deferred group "${group}".${didYouMean(group, groups)} It has ${[...new Set(groups)].join(", ") || "none"}: a column is in one by .deferred("…").`,
    );
  }

  /** Leaves all columns of these related instances to `load()` but these: see {@link loadOnly}. */
  loadOnly<const TNames extends readonly ColumnName<TModel>[]>(...names: TNames): LoaderPath<TModel> {
    return this.#choosing({ only: new Set(names.map((name) => this.#column(name))) });
  }

  /**
   * Says several things of these related instances: paths that begin with their class.
   *
   * SQLAlchemy: Query API, `Load.options`.
   *
   * @throws ArgumentError for a path that begins with another class.
   * @example
   * select(User).options(selectinLoad(User, "posts").options(joinedLoad(Post, "category"), selectinLoad(Post, "tags")))
   */
  options(...options: readonly LoaderPath<any>[]): LoaderPath<TModel> {
    const tree = options.reduce((before, option) => before.mergedWith(this.#expectBeneath(option)), LoaderTree.empty);
    return this.#saying((at) => at.mergedWith(tree));
  }

  /** Takes a relationship of these related instances from a join of the statement: see {@link containsEager}. */
  containsEager<const TName extends RelationshipName<TModel>>(
    name: TName,
    join?: Aliased<AnyModel>,
  ): LoaderPath<TargetOf<TModel, TName>> {
    return this.#with<TName>(name, contained(join?.alias)) as never;
  }

  /** Loads what these subclasses add to the related instances, by one further statement for each: see {@link selectinPolymorphic}. */
  selectinPolymorphic(subclasses: readonly AnySubclassOf<TModel>[]): LoaderPath<TModel> {
    const selectin = expectSubclasses(this.#target, subclasses, "selectinPolymorphic");
    return this.#saying((at) => at.withSubclasses({ selectin }));
  }

  /**
   * Leads on from a subclass: what it adds is read along with the related instances, and the next methods name its relationships. The other instances are loaded as well. With
   * what `withPolymorphic` made, several subclasses are read along.
   *
   * SQLAlchemy: Writing SELECT statements for Inheritance Mappings, Eager Loading of Polymorphic Subtypes.
   *
   * @throws ArgumentError for what is no subclass of the class at the other end.
   * @example
   * select(Company).options(selectinLoad(Company, "employees").ofType(Engineer).selectinLoad("projects"))
   */
  ofType<TSubclass extends AnySubclassOf<TModel>>(
    subclass: TSubclass | Aliased<TSubclass>,
  ): LoaderPath<ModelOf<TSubclass>> {
    const { mapper, polymorphic } = expectOfType(this.#target, subclass, "ofType(…)");
    if (polymorphic instanceof ConcreteUnion) {
      throw new ArgumentError(
        `ofType(…) of a loader path was given concrete subclasses of ${mapper.class.name}. A relationship is loaded with the rows of one table; declare one to each of them: get managers() { return many(Manager); }.`,
      );
    }
    const along = [mapper, ...(polymorphic?.columns.subclasses ?? [])].filter((each) => each !== this.#target);
    const tree = this.#changed((at) =>
      at.withSubclasses({ inline: along.filter((each) => !at.subclasses.selectin.includes(each)) }),
    );
    return new LoaderPath<any>(this.#root, this.#path, tree, mapper);
  }

  override addTo(plan: LoadingPlan, mappers: readonly Mapper[]): LoadingPlan {
    if (!mappers.some((mapper) => concerns(this.#root, mapper))) {
      const { name } = (mappers[0] as Mapper).class;
      const [label, next] = this.#said;
      throw new ArgumentError(
        `${label} cannot be loaded along with a statement that selects ${name}. Name a relationship of ${name} first, and lead on from there: selectinLoad(${name}, "…").${next}.`,
      );
    }
    return { ...plan, tree: plan.tree.mergedWith(this.#tree) };
  }

  /** What it says something of, and the step that says it, for messages. */
  get #said(): readonly [label: string, step: string] {
    const [property] = this.#tree.named;
    const { name } = this.#root.class;
    if (property !== undefined) return [property.label, `selectinLoad("${property.key}")`];
    return this.#tree.hasOthers
      ? [`What ${name} refers to`, `selectinLoad("*")`]
      : this.#tree.hasColumns
        ? [`A column of ${name}`, `defer("…")`]
        : [`What subclasses of ${name} add`, `selectinPolymorphic([…])`];
  }

  #with<TName>(
    name: string,
    strategy: LoaderStrategy,
    options: RelatedLoadOptions<any, any> = {},
  ): PathTo<TModel, TName> {
    const mapper = this.#target;
    const { where } = options;
    expectFilter(name, where);
    if (name === "*") return this.#saying((at) => at.withOthers(mapper, strategy)) as never;
    const property = relationshipOf(mapper, name);
    if (property.options.lazy === "writeOnly") throw notLoadedError(property);
    const tree = this.#changed((at) => at.withStrategy(property, strategy, where));
    return this.#to(property, tree) as never;
  }

  #to(property: RelationshipProperty, tree: LoaderTree): LoaderPath<any> {
    return new LoaderPath(this.#root, [...this.#path, property], tree);
  }

  #saying(change: (at: LoaderTree) => LoaderTree): LoaderPath<TModel> {
    return new LoaderPath(this.#root, this.#path, this.#changed(change), this.#target);
  }

  #changed(change: (at: LoaderTree) => LoaderTree): LoaderTree {
    return this.#tree.changedAt(this.#path, change);
  }

  #choosing(choice: ColumnChoice): LoaderPath<TModel> {
    const target = this.#target;
    return this.#saying((at) => at.withColumns(target, choice));
  }

  #column(name: string): string {
    const { class: model, columnProperties } = this.#target;
    const names = columnProperties.map(({ key }) => key);
    if (name === "*" || names.includes(name)) return name;
    throw new ArgumentError(
      `${model.name} has no column "${name}".${didYouMean(name, names)} It has ${names.join(", ")}.`,
    );
  }

  #expectBeneath(option: unknown): LoaderTree {
    const { name } = this.#target.class;
    if (!(option instanceof LoaderPath)) {
      throw new ArgumentError(
        `options() of a path takes what selectinLoad(${name}, "…") and its like return, and got ${describeGiven(option)}. Anything else is for options() of the statement.`,
      );
    }
    if (concerns(option.#root, this.#target)) return option.#tree;
    const { name: given } = option.#root.class;
    throw new ArgumentError(
      `options() of a path that leads to ${name} got one that begins with ${given}. Begin it with ${name}, as in selectinLoad(${name}, "…").`,
    );
  }
}

/** The strategy of `raiseLoad`. */
export function raisingBy({ sqlOnly = false }: RaiseLoadOptions = {}): LoaderStrategy {
  return sqlOnly ? raisingOnSql : raising;
}

function expectFilter(name: string, where: unknown): void {
  if (where === undefined || (typeof where === "function" && name !== "*")) return;
  throw new ArgumentError(
    name === "*"
      ? `"*" stands for relationships to several classes, of which where cannot say one thing. Name the relationship that it is about.`
      : `where takes a function that returns a condition, as in { where: (post) => post.published.eq(true) }, and got ${describeGiven(where)}.`,
  );
}

function relationshipOf(mapper: Mapper, name: string): RelationshipProperty {
  const property = mapper.relationships.find(({ key }) => key === name);
  if (property !== undefined) return property;
  const names = mapper.relationships.map(({ key }) => key);
  const closest = closestName(name, names);
  const hint = closest === undefined ? `It has ${names.join(", ") || "none"}.` : `Did you mean "${closest}"?`;
  throw new ArgumentError(`${mapper.class.name} has no relationship "${name}". ${hint}`);
}

function notLoadedError({ label, key }: RelationshipProperty): ArgumentError {
  return new ArgumentError(
    `${label} is write-only, so no option can load it, nor say how it is loaded. Ask for what you need of it with a statement of its own, session.scalars(instance.${key}.select()).`,
  );
}
