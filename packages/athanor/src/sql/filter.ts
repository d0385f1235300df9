import { ArgumentError } from "../event/errors.ts";
import type { Column } from "../mapping/column.ts";
import type { PropertiesOf, ValueOf } from "../mapping/model-types.ts";
import type { Attribute } from "./attribute.ts";
import type { Columns } from "./scope.ts";
import { conjunction } from "./conditions.ts";
import { type Expression, expectExpression } from "./expression.ts";

/** The columns of a model, or of a subquery, with the values they are to equal. */
export type Filter<TModel> = TModel extends Columns<infer R> ? { readonly [K in keyof R]?: R[K] } : ModelFilter<TModel>;

type ModelFilter<TModel> = {
  readonly [K in keyof PropertiesOf<TModel> as PropertiesOf<TModel>[K] extends Column<any, any> ? K : never]?: ValueOf<
    PropertiesOf<TModel>[K]
  >;
};

/**
 * The condition that users give to `where`, `any` and `has`: an expression, a function of the entities' attributes, or the values that columns of the first entity are to equal.
 */
export function conditionFor(condition: unknown, scope: readonly unknown[], use = "where"): Expression<boolean> {
  if (typeof condition === "function")
    return expectExpression((condition as (...entities: readonly unknown[]) => unknown)(...scope));
  if (typeof condition !== "object" || condition === null || "toOperationNode" in condition)
    return expectExpression(condition);
  const entity = scope[0] as Record<string, Attribute<unknown, unknown>>;
  const tests = Object.entries(condition).map(([key, value]) => (entity[key] as Attribute<unknown, unknown>).eq(value));
  const [first, ...rest] = tests;
  if (first === undefined) {
    throw new ArgumentError(
      `${use}({}) says nothing, so every row would match. ${use === "where" ? "Leave where() out" : `Write ${use}()`}, or name an attribute.`,
    );
  }
  return rest.reduce<Expression<boolean>>(conjunction, first);
}
