import type { ColumnProperty, Mapper } from "../mapping/mapper.ts";
import { type Attribute, attributes } from "./attribute.ts";
import { conjunction } from "./conditions.ts";
import type { Expression } from "./expression.ts";
import { emptyPlan, type LoadingPlan } from "./loading-plan.ts";
import { Select } from "./select.ts";

/** The SELECT of one row by its key: what `get` and the loads of single attributes run. */
export function selectByKey(
  mapper: Mapper,
  key: readonly unknown[],
  columns?: readonly ColumnProperty[],
): Select<unknown> {
  const scope = attributes(mapper.class as never) as Record<string, Attribute<unknown, unknown>>;
  const conditions = mapper.primaryKey.map((property, index) =>
    (scope[property.key] as Attribute<unknown, unknown>).eq(key[index]),
  );
  const where = conditions.reduce<Expression<boolean> | undefined>(conjunction, undefined);
  return new Select(mapper.class as never, { where, columns, orderBy: [], executionOptions: {}, plan: rootPlan });
}

/** It loads what the program asked for, by itself. */
const rootPlan: LoadingPlan = { ...emptyPlan, path: [] };
