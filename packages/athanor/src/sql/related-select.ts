import type { InstanceState } from "../instance/instance-state.ts";
import type { ColumnProperty } from "../mapping/mapper.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import { ColumnExpression } from "./column-expression.ts";
import { conjunction } from "./conditions.ts";
import type { Expression } from "./expression.ts";
import type { RelatedFilter } from "./loader-tree.ts";
import { relatedCondition } from "./related-condition.ts";
import { Select } from "./select.ts";

/** The statement that finds the related rows of one key. */
export function relatedSelect(
  property: RelationshipProperty,
  key: readonly unknown[],
  meant?: RelatedFilter,
): Select<unknown> {
  const { secondary, target } = property;
  let where: Expression<boolean> | undefined;
  if (secondary === undefined) {
    property.pairs.forEach(({ remote }, index) => {
      where = conjunction(where, new ColumnExpression(remote.source.table, remote.source.column).eq(key[index]));
    });
  } else {
    secondary.parent.forEach(({ column }, index) => {
      where = conjunction(where, new ColumnExpression(secondary.table, column).eq(key[index]));
    });
    for (const { column, property: part } of secondary.target) {
      where = conjunction(
        where,
        new ColumnExpression(part.source.table, part.source.column).eq(new ColumnExpression(secondary.table, column)),
      );
    }
  }
  const own = relatedCondition(property, undefined, meant);
  if (own !== undefined) where = conjunction(where, own);
  const orderBy = property.orderBy.map(({ source }) => new ColumnExpression(source.table, source.column));
  return new Select(target.class as never, {
    where,
    orderBy,
    executionOptions: {},
    from: secondary === undefined ? undefined : [secondary.table],
  });
}

/** The values of an instance that the related rows hold. */
export function localValues(state: InstanceState, property: RelationshipProperty): readonly unknown[] {
  return localColumns(property).map(({ slot }) => {
    const value = state.instrumentation.attributes[slot]?.loadedValue(state);
    return value === undefined ? keyPart(state, slot) : value;
  });
}

/** The columns of the instance that tell which rows are related. */
export function localColumns({ pairs, secondary }: RelationshipProperty): readonly ColumnProperty[] {
  return secondary === undefined ? pairs.map(({ local }) => local) : secondary.parent.map(({ property }) => property);
}

/** A part of the key is known although the instance is expired. */
function keyPart(state: InstanceState, slot: number): unknown {
  return state.key === undefined || state.isChanged(slot)
    ? undefined
    : (state.instrumentation.attributes[slot]?.readMissing(state) ?? undefined);
}
