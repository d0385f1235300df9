import { ArgumentError } from "../event/errors.ts";
import { unknownAttribute } from "../instance/instrumentation.ts";
import { describeAccepted, isAccepted } from "../mapping/column-type.ts";
import type { Column } from "../mapping/column.ts";
import { mapperOf } from "../mapping/configure-mappers.ts";
import type { ColumnProperty, Mapper } from "../mapping/mapper.ts";
import type { Class, PropertiesOf, ValueOf } from "../mapping/model-types.ts";
import { type Attributes, attributes } from "./attribute.ts";
import { type FilteredParts, FilteredStatement } from "./bulk-statement.ts";
import {
  BoundValue,
  describeGiven,
  type Expression,
  expectExpression,
  isExpression,
  type Operand,
} from "./expression.ts";

/** The new values of an UPDATE by attribute: values in memory, or expressions of the row's columns. */
export type UpdateValues<TModel> = {
  readonly [K in keyof PropertiesOf<TModel> as PropertiesOf<TModel>[K] extends Column<any, any> ? K : never]?: Operand<
    ValueOf<PropertiesOf<TModel>[K]>
  >;
};

interface UpdateParts extends FilteredParts {
  /** What is assigned, in the order in which it was given. */
  readonly values: ReadonlyMap<ColumnProperty, Expression<unknown>>;
}

/** An UPDATE of all rows of a class, or of those that a condition chooses. */
export class Update<TModel> extends FilteredStatement<TModel, UpdateParts> {
  /**
   * Sets columns, by attribute: to values, or to expressions, which a function can make of the row's attributes. Further calls add to the first.
   *
   * @throws ArgumentError for a name that the class does not have, or a value that its column cannot hold.
   * @example
   * update(Post).values((post) => ({ views: sql`${post.views} + 1`, title: "Read" }));
   */
  values(given: UpdateValues<TModel> | ((entity: Attributes<TModel>) => UpdateValues<TModel>)): this {
    const named: unknown = typeof given === "function" ? given(attributes(this.entity as never) as never) : given;
    if (typeof named !== "object" || named === null) {
      throw new ArgumentError(
        `values() takes an object with values by attribute, and got ${describeGiven(named)}. ` +
          `Write update(${this.entity.name}).values({ ${this.mapper.columnProperties.at(-1)?.key ?? ""}: … }).`,
      );
    }
    const values = new Map(this.parts.values);
    for (const [key, value] of Object.entries(named)) {
      const property = expectColumn(this.mapper, key);
      if (value !== undefined) values.set(property, assigned(this.mapper, property, value));
    }
    return this.with({ values });
  }

  protected with(parts: Partial<UpdateParts>): this {
    return new Update(this.entity, { ...this.parts, ...parts }) as this;
  }
}

/**
 * Starts an UPDATE of rows of a class, by one statement instead of instance by instance: no row event runs, but the session's `afterBulkUpdate`; `onupdate` values are
 * filled in, and a version counter stays as it is unless `values` sets it. Without `where` it updates every row.
 *
 * Instances that the session has of those rows get the new values too, as `synchronizeSession` in the execution options says.
 *
 * SQLAlchemy: ORM UPDATE and DELETE with Custom WHERE Criteria.
 *
 * @example
 * await session.execute(update(User).where({ country: "GB" }).values({ currency: "GBP" }));
 */
export function update<TModel extends { readonly "~properties": unknown } & Class>(entity: TModel): Update<TModel> {
  mapperOf(entity as never);
  return new Update(entity as never, { values: new Map(), executionOptions: {} });
}

/** The column of that name. Throws ArgumentError, with the likely name, for what is none. */
export function expectColumn(mapper: Mapper, key: string): ColumnProperty {
  const property = mapper.column(key);
  if (property !== undefined) return property;
  const { instrumentation } = mapper;
  const attribute = instrumentation.find(key);
  if (attribute === undefined) throw unknownAttribute(instrumentation, key);
  throw new ArgumentError(
    `${mapper.class.name}.${key} is ${attribute.isTransient ? "transient" : "a relationship"}, and insert() and update() write columns only. ` +
      (attribute.isTransient
        ? `Name the column that its value ends in.`
        : `Name the column of its foreign key, or change the instances themselves, which the next flush writes.`),
  );
}

function assigned(mapper: Mapper, { key, source }: ColumnProperty, value: unknown): Expression<unknown> {
  const { type } = source.column;
  if (value instanceof BoundValue && value.bind.name !== undefined)
    return new BoundValue(undefined, type, { name: value.bind.name });
  if (isExpression(value)) return expectExpression(value);
  if (value === null || isAccepted(type, value)) return new BoundValue(value, type);
  throw new ArgumentError(
    `${mapper.class.name}.${key} was to be set to ${describeGiven(value)}, and holds ${describeAccepted(type)}. Convert the value first.`,
  );
}
