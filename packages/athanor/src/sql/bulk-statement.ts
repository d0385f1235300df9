import { ArgumentError } from "../event/errors.ts";
import type { InstrumentedClass } from "../instance/instrumentation.ts";
import { mapperOf } from "../mapping/configure-mappers.ts";
import type { Mapper } from "../mapping/mapper.ts";
import { type Attributes, attributes } from "./attribute.ts";
import type { LoaderCriteria } from "../loading/loader-criteria.ts";
import { conjunction } from "./conditions.ts";
import { type Condition, describeGiven, type Expression } from "./expression.ts";
import { conditionFor, type Filter } from "./filter.ts";
import { emptyPlan, LoaderOption, type LoadingPlan } from "./loading-plan.ts";
import type { ExecutionOptions } from "./execution-options.ts";
import type { Returning } from "./returning.ts";
import { UserDefinedOption } from "./user-defined-option.ts";

/** What every statement that writes rows of a class by itself consists of. */
export interface BulkParts {
  readonly executionOptions: ExecutionOptions;
  /** Which rows it must not see: what options said. */
  readonly plan?: LoadingPlan | undefined;
  /** What it answers with, where that is more than a number of rows. */
  readonly returning?: Returning | undefined;
}

/** Of one that chooses its rows. */
export interface FilteredParts extends BulkParts {
  readonly where?: Expression<boolean> | undefined;
}

/**
 * A statement that writes rows of a class without its instances: no instance is loaded for it, and no row event is raised.
 *
 * It is a value: each method returns a new one. SQLAlchemy: ORM-Enabled INSERT, UPDATE, and DELETE statements.
 */
export abstract class BulkStatement<TModel, TParts extends BulkParts = BulkParts, out TRow = never> {
  declare readonly "~model": TModel;
  declare readonly "~row": TRow;
  readonly entity: InstrumentedClass;
  readonly parts: TParts;

  constructor(entity: InstrumentedClass, parts: TParts) {
    this.entity = entity;
    this.parts = parts;
  }

  /** The mapper of the class. */
  get mapper(): Mapper {
    return mapperOf(this.entity);
  }

  /** Options for the execution, for the session and for listeners. */
  executionOptions(options: ExecutionOptions): this {
    return this.with({ executionOptions: { ...this.parts.executionOptions, ...options } } as Partial<TParts>);
  }

  /**
   * Says which rows must not be touched, nor seen by what it asks of others, and whatever listeners are to find; all calls together. Instances of those rows stay as
   * they are too.
   *
   * @throws ArgumentError for an option that says how a SELECT loads what it finds: this statement loads nothing.
   * @example
   * deleteFrom(Post).where({ authorId: 7 }).options(withLoaderCriteria(Post, (post) => post.tenant.eq(tenant)))
   */
  options(...options: readonly (LoaderCriteria | UserDefinedOption)[]): this {
    const plan = options.reduce<LoadingPlan>(
      (before, option) => this.#expectOption(option).addTo(before, [this.mapper]),
      this.parts.plan ?? emptyPlan,
    );
    return this.with({ plan } as Partial<TParts>);
  }

  #expectOption(option: unknown): LoaderOption {
    if (option instanceof UserDefinedOption || (option instanceof LoaderOption && option.isCriteria)) return option;
    const name = this.entity.name;
    const what =
      option instanceof LoaderOption
        ? `an option that says how a SELECT loads what it finds. A statement that writes rows loads nothing, so there is nothing for it to say: ` +
          `leave it out; or, to load the instances first, give it to select(${name})`
        : describeGiven(option);
    throw new ArgumentError(
      `options() of a statement that writes rows of ${name} takes what withLoaderCriteria() returns, or a UserDefinedOption, and got ${what}.`,
    );
  }

  /** The same statement with other parts. */
  protected abstract with(parts: Partial<TParts>): this;
}

/** One that chooses its rows by a condition. */
export abstract class FilteredStatement<
  TModel,
  TParts extends FilteredParts = FilteredParts,
  out TRow = never,
> extends BulkStatement<TModel, TParts, TRow> {
  /**
   * Touches only the rows for which the condition holds; several are combined by AND. A statement without any touches every row of the class.
   *
   * @throws ArgumentError for a name that the class does not have, or a value that its column cannot hold.
   */
  where(condition: Filter<TModel> | Condition | ((entity: Attributes<TModel>) => Condition)): this {
    const where = conjunction(this.parts.where, conditionFor(condition, [attributes(this.entity as never)]));
    return this.with({ where } as Partial<TParts>);
  }
}
