import { ArgumentError } from "../event/errors.ts";
import { unknownAttribute } from "../instance/instrumentation.ts";
import { describeAccepted, isAccepted } from "../mapping/column-type.ts";
import type { Column } from "../mapping/column.ts";
import type { ColumnProperty, Mapper } from "../mapping/mapper.ts";
import type { PropertiesOf, ValueOf } from "../mapping/model-types.ts";
import {
  BoundValue,
  describeGiven,
  type Expression,
  expectExpression,
  isExpression,
  type Operand,
} from "./expression.ts";

/** A row or a part of one: values of columns by attribute. They are in memory, or expressions. */
export type AssignedValues<TModel> = {
  readonly [K in keyof PropertiesOf<TModel> as PropertiesOf<TModel>[K] extends Column<any, any> ? K : never]?: Operand<
    ValueOf<PropertiesOf<TModel>[K]>
  >;
};

/** What columns are set to. */
export type Assignments = ReadonlyMap<ColumnProperty, Expression<unknown>>;

/**
 * Takes what users give for values by attribute; undefined counts as not given.
 *
 * @param use the call, for messages: "values()"
 * @throws ArgumentError for a name that the class does not have, or a value that its column cannot hold
 */
export function assignmentsOf(mapper: Mapper, given: unknown, use: string): Assignments {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new ArgumentError(
      `${use} takes an object with values by attribute of ${mapper.class.name}, and got ${describeGiven(given)}. ` +
        `Write { ${mapper.columnProperties.at(-1)?.key ?? ""}: … }.`,
    );
  }
  const assigned = new Map<ColumnProperty, Expression<unknown>>();
  for (const [key, value] of Object.entries(given)) {
    const property = expectColumn(mapper, key);
    if (value !== undefined) assigned.set(property, assignedValue(mapper, property, value));
  }
  return assigned;
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

function assignedValue(mapper: Mapper, { key, source }: ColumnProperty, value: unknown): Expression<unknown> {
  const { type } = source.column;
  if (value instanceof BoundValue && value.bind.name !== undefined)
    return new BoundValue(undefined, type, { name: value.bind.name });
  if (isExpression(value)) return expectExpression(value);
  if (value === null || isAccepted(type, value)) return new BoundValue(value, type);
  throw new ArgumentError(
    `${mapper.class.name}.${key} was to be set to ${describeGiven(value)}, and holds ${describeAccepted(type)}. Convert the value first.`,
  );
}
