import type { InstrumentedClass } from "../instance/instrumentation.ts";
import { mapperOf } from "../mapping/configure-mappers.ts";
import type { Mapper } from "../mapping/mapper.ts";
import { type Attributes, attributes } from "./attribute.ts";
import { type Condition, conjunction, type Expression } from "./expression.ts";
import { conditionFor, type Filter } from "./filter.ts";
import type { ExecutionOptions } from "./select.ts";

/** What every statement that writes rows of a class by itself consists of. */
export interface BulkParts {
  readonly executionOptions: ExecutionOptions;
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
export abstract class BulkStatement<TModel, TParts extends BulkParts = BulkParts> {
  declare readonly "~model": TModel;
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

  /** The same statement with other parts. */
  protected abstract with(parts: Partial<TParts>): this;
}

/** One that chooses its rows by a condition. */
export abstract class FilteredStatement<TModel, TParts extends FilteredParts = FilteredParts> extends BulkStatement<
  TModel,
  TParts
> {
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
