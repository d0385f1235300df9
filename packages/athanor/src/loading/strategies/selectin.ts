import type { Instance } from "../../instance/instance.ts";
import type { RelatedAttribute } from "../../instance/instance-attribute.ts";
import type { InstanceState } from "../../instance/instance-state.ts";
import { compositeKey } from "../../mapping/identity.ts";
import { type ColumnProperty, mapperOfState } from "../../mapping/mapper.ts";
import type { RelationshipProperty } from "../../mapping/relationship-property.ts";
import { ColumnExpression } from "../../sql/column-expression.ts";
import { and, conjunction, or } from "../../sql/conditions.ts";
import type { Expression } from "../../sql/expression.ts";
import type { LoadingPlan } from "../../sql/loading-plan.ts";
import { relatedCondition } from "../../sql/related-condition.ts";
import { Select } from "../../sql/select.ts";
import type { AfterLoad } from "../after-loads.ts";
import type { LoaderStrategy } from "../loader-strategy.ts";
import { immediateLoad } from "./immediate.ts";

/** How many instances one statement finds the related ones of. Databases limit the number of parameters. */
const CHUNK_SIZE = 500;

/** Related instances are found by one further statement for all, with the keys in an IN. */
export const selectin: LoaderStrategy = {
  arrange(entity, node) {
    const { criteria, userDefined, isRefresh } = entity.statement;
    const { property, related } = node;
    const plan = { tree: related, criteria, userDefined, path: [...entity.path, property] };
    entity.loadAfter(property, isRefresh ? immediateLoad(property) : selectinLoad(property, plan));
  },
};

/** Instances whose related ones have the same key. */
interface Seeking {
  readonly key: readonly unknown[];
  readonly states: InstanceState[];
}

/** @param plan what the statement for the related instances says in turn */
function selectinLoad(property: RelationshipProperty, plan: LoadingPlan): AfterLoad {
  const local = localProperties(property);
  const types = local.map(({ source }) => source.column.type);
  return async (states, loads) => {
    const { populateExisting } = loads;
    const seeking = new Map<unknown, Seeking>();
    const without: InstanceState[] = [];
    for (const state of states) {
      const key = local.map((column) => keyValue(state, column));
      if (key.some((value) => value == null)) {
        without.push(state);
        continue;
      }
      const text = compositeKey(types, key);
      const known = seeking.get(text);
      if (known === undefined) seeking.set(text, { key, states: [state] });
      else known.states.push(state);
    }
    const entries = [...seeking];
    for (let start = 0; start < entries.length; start += CHUNK_SIZE) {
      const chunk = entries.slice(start, start + CHUNK_SIZE);
      const statement = relatedSelect(
        property,
        plan,
        chunk.map(([, { key }]) => key),
        populateExisting,
      );
      const found = new Map<unknown, Instance[]>();
      for (const row of await loads.find(statement)) {
        const [instance] = row;
        const text = compositeKey(types, types.length === 1 ? [row[1]] : row.slice(1));
        const related = found.get(text);
        if (related === undefined) found.set(text, [instance]);
        else related.push(instance);
      }
      for (const [text, { states: seekers }] of chunk)
        for (const state of seekers) fill(state, property, found.get(text) ?? [], populateExisting);
    }
    for (const state of without) fill(state, property, [], populateExisting);
  };
}

/** What was loaded meanwhile is left alone. */
function fill(
  state: InstanceState,
  { slot }: RelationshipProperty,
  related: readonly Instance[],
  populateExisting: boolean,
): void {
  if (!populateExisting && state.values[slot] !== undefined) return;
  const attribute = state.instrumentation.attributes[slot] as RelatedAttribute;
  if (state.values[slot] !== undefined) attribute.expire(state);
  attribute.setLoaded(state, related);
}

/** The attributes whose values the related rows are linked to. */
function localProperties({ pairs, secondary }: RelationshipProperty): readonly ColumnProperty[] {
  return secondary === undefined ? pairs.map(({ local }) => local) : secondary.parent.map(({ property }) => property);
}

/** The value by which related rows are found; of a key it is what the row has, whatever was assigned since. */
function keyValue(state: InstanceState, { slot }: ColumnProperty): unknown {
  const index = mapperOfState(state).primaryKey.findIndex((part) => part.slot === slot);
  return index === -1 ? state.values[slot] : state.identityValues[index];
}

/** The statement that finds the related rows of several keys. */
function relatedSelect(
  property: RelationshipProperty,
  plan: LoadingPlan,
  keys: readonly (readonly unknown[])[],
  populateExisting: boolean,
): Select<unknown> {
  const { secondary, target } = property;
  const links =
    secondary === undefined
      ? property.pairs.map(({ remote }) => new ColumnExpression(remote.source.table, remote.source.column))
      : secondary.parent.map(({ column }) => new ColumnExpression(secondary.table, column));
  let where: Expression<boolean> = isOneOf(links, keys);
  for (const { column, property: part } of secondary?.target ?? []) {
    const between = new ColumnExpression((secondary as NonNullable<typeof secondary>).table, column);
    where = conjunction(where, new ColumnExpression(part.source.table, part.source.column).eq(between));
  }
  const own = relatedCondition(property);
  return new Select(target.class as never, {
    where: own === undefined ? where : conjunction(where, own),
    orderBy: property.orderBy.map(({ source }) => new ColumnExpression(source.table, source.column)),
    executionOptions: populateExisting ? { populateExisting } : {},
    from: secondary === undefined ? undefined : [secondary.table],
    links,
    plan,
  });
}

function isOneOf(columns: readonly ColumnExpression[], keys: readonly (readonly unknown[])[]): Expression<boolean> {
  const [only, ...more] = columns;
  if (only !== undefined && more.length === 0) return only.in(keys.map(([value]) => value));
  // Not every database compares tuples.
  return or(...keys.map((key) => and(...columns.map((column, index) => column.eq(key[index])))));
}
