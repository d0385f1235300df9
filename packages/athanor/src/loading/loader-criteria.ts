import { ArgumentError } from "../event/errors.ts";
import { mapperOf } from "../mapping/configure-mappers.ts";
import type { Mapper } from "../mapping/mapper.ts";
import type { Class } from "../mapping/model-types.ts";
import { type Attributes, attributes, attributesOf } from "../sql/attribute.ts";
import type { EntityAlias } from "../sql/entity-alias.ts";
import { type Condition, type Expression, expectExpression } from "../sql/expression.ts";
import { type EntityCriteria, LoaderOption, type LoadingPlan } from "../sql/loading-plan.ts";

/** How far criteria reach. */
export interface LoaderCriteriaOptions {
  /** Whether relationships that are loaded later, of instances that the statement found, keep to them too. True unless you say otherwise. */
  readonly propagateToLoaders?: boolean;
}

/** What `withLoaderCriteria` returns. SQLAlchemy: Query API, `with_loader_criteria`. */
export class LoaderCriteria extends LoaderOption implements EntityCriteria {
  override readonly isCriteria = true;
  readonly propagatesToLoaders: boolean;
  readonly #mapper: Mapper;
  readonly #where: (entity: never) => unknown;

  constructor(mapper: Mapper, where: (entity: never) => unknown, options: LoaderCriteriaOptions) {
    super();
    this.#mapper = mapper;
    this.#where = where;
    this.propagatesToLoaders = options.propagateToLoaders ?? true;
  }

  override addTo(plan: LoadingPlan): LoadingPlan {
    return { ...plan, criteria: [...plan.criteria, this] };
  }

  conditionFor(mapper: Mapper, alias?: EntityAlias): Expression<boolean> | undefined {
    if (!mapper.isA(this.#mapper)) return undefined;
    const entity = alias === undefined ? attributes(mapper.class as never) : attributesOf(alias);
    return expectExpression(this.#where(entity as never));
  }
}

/**
 * Adds a condition on a class wherever a statement, or what is loaded along with it or later of its instances, reads that class, in joins, subqueries, `any` and `has`
 * too, and to the rows that an `update` or `deleteFrom` touches: soft deletes, tenants.
 *
 * It holds for subclasses too. A parent whose related rows are all hidden is found, with none. Given in a listener of `doOrmExecute`, for statements that load no
 * columns or relationships, it reaches all that a session selects, updates and deletes by statements. A refresh, and a reference to an instance that the session has,
 * are not filtered; an INSERT has no rows to filter; raw SQL and `connection.kysely()` never are. SQLAlchemy: Query API, `with_loader_criteria`.
 *
 * @throws ArgumentError for anything that is no model, or no function.
 * @example
 * const visible = withLoaderCriteria(Post, (post) => post.deletedAt.isNull());
 * listen(SessionLocal, "doOrmExecute", (event) => {
 *   const { statement } = event;
 *   if (event.isColumnLoad || event.isRelationshipLoad) return;
 *   if (statement instanceof Select || statement instanceof Update || statement instanceof DeleteFrom)
 *     event.statement = statement.options(visible);
 * });
 */
export function withLoaderCriteria<TModel extends { readonly "~properties": unknown } & Class>(
  model: TModel,
  where: (entity: Attributes<TModel>) => Condition,
  options: LoaderCriteriaOptions = {},
): LoaderCriteria {
  if (typeof where !== "function") {
    throw new ArgumentError(
      `withLoaderCriteria() takes a function that returns a condition, as in withLoaderCriteria(Post, (post) => post.title.ne("hidden")), and got ${where === null ? "null" : `a ${typeof where}`}.`,
    );
  }
  return new LoaderCriteria(mapperOf(model as never), where as (entity: never) => unknown, options);
}
