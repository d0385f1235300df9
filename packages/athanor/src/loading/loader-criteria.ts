import { ArgumentError, InvalidRequestError } from "../event/errors.ts";
import { Instance } from "../instance/instance.ts";
import { mapperOf } from "../mapping/configure-mappers.ts";
import type { Declaration } from "../mapping/declaration.ts";
import { knownMapper, type Mapper } from "../mapping/mapper.ts";
import { Mixin } from "../mapping/mixin.ts";
import type { Class } from "../mapping/model-types.ts";
import { type Attribute, type Attributes, attributes, attributesOf } from "../sql/attribute.ts";
import type { EntityAlias } from "../sql/entity-alias.ts";
import { conjunction } from "../sql/conditions.ts";
import { type Condition, type Expression, expectExpression } from "../sql/expression.ts";
import { type EntityCriteria, LoaderOption, type LoadingPlan, withCriteria } from "../sql/loading-plan.ts";
import { MovedEntity } from "../sql/moved-entity.ts";
import { SubclassCondition } from "../sql/subclass-condition.ts";

/** How far criteria reach. */
export interface LoaderCriteriaOptions {
  /** Whether they hold for the class where the statement reads it under a name of `aliased()` too. True unless you say otherwise. */
  readonly includeAliases?: boolean;
  /** Whether relationships that are loaded later, of instances that the statement found, keep to them too. True unless you say otherwise. */
  readonly propagateToLoaders?: boolean;
}

/** What criteria can be about: a model with its subclasses, whatever has a mixin, or with `Model` every class. */
export type CriteriaTarget = ({ readonly "~properties": unknown } & Class) | Mixin<any> | typeof Instance;

/** The attributes that a criterion's function gets. Of every class they are known when it is called, and not before. */
export type CriteriaAttributes<TTarget> = TTarget extends { readonly "~properties": unknown } | Mixin<any>
  ? Attributes<TTarget>
  : Readonly<Record<string, Attribute<unknown, any, any>>>;

/** What `withLoaderCriteria` returns. SQLAlchemy: Query API, `with_loader_criteria`. */
export class LoaderCriteria extends LoaderOption implements EntityCriteria {
  override readonly isCriteria = true;
  readonly propagatesToLoaders: boolean;
  readonly #includesAliases: boolean;
  readonly #target: Declaration | Mixin<unknown> | undefined;
  readonly #where: ((entity: never) => unknown) | Expression<boolean>;

  /** @param target undefined: every class */
  constructor(
    target: Declaration | Mixin<unknown> | undefined,
    where: ((entity: never) => unknown) | Expression<boolean>,
    { includeAliases = true, propagateToLoaders = true }: LoaderCriteriaOptions,
  ) {
    super();
    this.#target = target;
    this.#where = where;
    this.#includesAliases = includeAliases;
    this.propagatesToLoaders = propagateToLoaders;
  }

  override addTo(plan: LoadingPlan): LoadingPlan {
    return withCriteria(plan, [this]);
  }

  conditionFor(mapper: Mapper, alias?: EntityAlias): Expression<boolean> | undefined {
    if (alias?.givenName !== undefined && !this.#includesAliases) return undefined;
    if (this.#covers(mapper.declaration)) return this.#conditionOf(mapper, alias);
    return this.#subclassesOf(mapper).reduce<Expression<boolean> | undefined>(
      (before, subclass) =>
        conjunction(before, new SubclassCondition(mapper, alias, subclass, (...place) => this.#conditionOf(...place))),
      undefined,
    );
  }

  #conditionOf(mapper: Mapper, alias?: EntityAlias): Expression<boolean> {
    const where = this.#where;
    if (typeof where === "function")
      return expectExpression(
        where((alias === undefined ? attributes(mapper.class as never) : attributesOf(alias)) as never),
      );
    return movedTo(where, new MovedEntity(mapper, alias));
  }

  #covers(declaration: Declaration): boolean {
    const target = this.#target;
    if (target === undefined) return true;
    return target instanceof Mixin ? declaration.mixins.has(target) : declaration.isA(target);
  }

  /** The classes below one that it does not cover, which it covers with all that is below them. */
  #subclassesOf(mapper: Mapper): readonly Mapper[] {
    const { declaration } = mapper;
    return [...declaration.identities.values()].flatMap((each) => {
      const isFirst = each !== declaration && each.isA(declaration) && this.#covers(each) && !this.#coversParent(each);
      return isFirst ? [mapperOfDeclaration(each)] : [];
    });
  }

  #coversParent({ parent }: Declaration): boolean {
    return parent !== undefined && this.#covers(parent);
  }
}

/** A class that was declared and never used has no attributes yet to say anything of; nor must its rows be seen because of that. */
function mapperOfDeclaration(declaration: Declaration): Mapper {
  const { mappedClass } = declaration;
  const mapper = mappedClass === undefined ? undefined : knownMapper(mappedClass);
  if (mapper !== undefined) return mapper;
  throw new InvalidRequestError(
    `withLoaderCriteria() is about the class with the identity "${String(declaration.identity)}" in the table "${declaration.table.name}" too, which is declared but was never used, ` +
      `and the statement may find its rows. Name the class once: sessionmaker(engine, { models: [User, …] }).`,
  );
}

/**
 * Adds a condition on a class wherever a statement, or what is loaded along with it or later of its instances, reads that class, in joins, subqueries, `any` and `has`
 * too, and to the rows that an `update` or `deleteFrom` touches: soft deletes, tenants.
 *
 * It is about a model, about every model with a mixin, or with `Model` about every one; subclasses are always meant too. Where a statement reads a parent class, rows
 * that are of the subclass must fulfil it all the same. The condition is a function of the entity, or an expression of its own attributes, which is moved to wherever
 * the class stands. For `Model` the function is asked of each class by itself, and answers `and()`, which is always true, for one that has nothing to hide.
 *
 * A parent whose related rows are all hidden is found, with none. What a condition asks of other rows, `any`, `has` or a subquery, is kept to the other criteria of the
 * statement and not to itself, so that it ends. Given in a listener of `doOrmExecute`, for statements that load no columns or relationships, it reaches all that a
 * session selects, updates and deletes by statements.
 *
 * A refresh, and an instance that the session has already and that `get`, `merge` or a reference leads to, are not filtered unless the session has the option
 * `criteria: "strict"`. Of an INSERT they are about the SELECT that it takes rows from, and the rows that `onConflict` would update. Raw SQL is never filtered: `sql` as a
 * statement or as a part of one, what `fromStatement` is given, `connection.execute()`, `connection.kysely()`. An option on a subquery is refused; give it to the statement
 * around it. SQLAlchemy: Query API, `with_loader_criteria`.
 *
 * @throws ArgumentError for what is no model or mixin, for anything but a condition or a function, and for an expression that holds SQL of your own.
 * @example
 * const SoftDeletes = mixin({ deletedAt: timestamp().nullable() });
 * const visible = withLoaderCriteria(SoftDeletes, (entity) => entity.deletedAt.isNull());
 * listen(SessionLocal, "doOrmExecute", (event) => {
 *   if (event.isColumnLoad || event.isRelationshipLoad || !isOrmStatement(event.statement)) return;
 *   event.statement = event.statement.options(visible);
 * });
 */
export function withLoaderCriteria<TTarget extends CriteriaTarget>(
  entity: TTarget,
  where: Condition | ((entity: CriteriaAttributes<TTarget>) => Condition),
  options: LoaderCriteriaOptions = {},
): LoaderCriteria {
  const target = expectTarget(entity);
  if (typeof where === "function") return new LoaderCriteria(target, where as (entity: never) => unknown, options);
  if (typeof where !== "object" || where === null || !("toOperationNode" in where)) {
    throw new ArgumentError(
      `withLoaderCriteria() takes a condition or a function that returns one, as in withLoaderCriteria(Post, (post) => post.title.ne("hidden")), and got ${where === null ? "null" : `a ${typeof where}`}.`,
    );
  }
  const expression: Expression<boolean> = expectExpression(where);
  // What cannot be moved is refused now, and not where it first has to be.
  movedTo(expression, new MovedEntity(undefined, undefined));
  return new LoaderCriteria(target, expression, options);
}

function expectTarget(entity: CriteriaTarget): Declaration | Mixin<unknown> | undefined {
  if ((entity as unknown) === Instance) return undefined;
  return entity instanceof Mixin ? entity : mapperOf(entity as never).declaration;
}

/** An expression of a class's own attributes, as it reads where the class stands. */
function movedTo(expression: Expression<boolean>, moved: MovedEntity): Expression<boolean> {
  return expression.restrictedBy(Object.assign(() => undefined, { moved }));
}
