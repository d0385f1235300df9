import type { Instance } from "../../instance/instance.ts";
import type { RelatedAttribute } from "../../instance/instance-attribute.ts";
import type { InstanceState } from "../../instance/instance-state.ts";
import type { ColumnType } from "../../mapping/column-type.ts";
import { compositeKey } from "../../mapping/identity.ts";
import { type ColumnProperty, mapperOfState } from "../../mapping/mapper.ts";
import type { RelationshipProperty } from "../../mapping/relationship-property.ts";
import { ColumnExpression } from "../../sql/column-expression.ts";
import { type Attribute, attributesOf } from "../../sql/attribute.ts";
import type { ComparableExpression } from "../../sql/comparable-expression.ts";
import { and, conjunction } from "../../sql/conditions.ts";
import { EntityAlias } from "../../sql/entity-alias.ts";
import type { Expression } from "../../sql/expression.ts";
import type { RelatedPlan } from "../../sql/loading-plan.ts";
import { relatedCondition } from "../../sql/related-condition.ts";
import { Select } from "../../sql/select.ts";
import type { SelectParts } from "../../sql/select-parts.ts";
import { SelectSource } from "../../sql/select-source.ts";
import type { RelatedLoads } from "../after-loads.ts";

/** Instances whose related ones have the same key. */
export interface Seeking {
  readonly key: readonly unknown[];
  readonly states: InstanceState[];
}

/** Instances by the key under which the rows of a relationship are found, which rows of a statement for several of them are told apart by. */
export class RelatedByKey {
  readonly seeking: readonly Seeking[];
  readonly #byText: ReadonlyMap<unknown, Seeking>;
  /** Those that have no such key, and so nothing that is related. */
  readonly #without: readonly InstanceState[];
  readonly #property: RelationshipProperty;
  readonly #types: readonly ColumnType[];

  /** @param keys the attributes of the instances that make up the key */
  constructor(property: RelationshipProperty, states: readonly InstanceState[], keys: readonly ColumnProperty[]) {
    this.#property = property;
    this.#types = keys.map(({ source }) => source.column.type);
    const byText = new Map<unknown, Seeking>();
    const without: InstanceState[] = [];
    for (const state of states) {
      const key = keys.map((column) => keyValue(state, column));
      if (key.some((value) => value == null)) {
        without.push(state);
        continue;
      }
      const text = compositeKey(this.#types, key);
      const known = byText.get(text);
      if (known === undefined) byText.set(text, { key, states: [state] });
      else known.states.push(state);
    }
    this.#byText = byText;
    this.#without = without;
    this.seeking = [...byText.values()];
  }

  /**
   * Gives instances what was found for them.
   *
   * @param rows of each row: the related instance, and the key that it was found under
   */
  fill(
    seeking: readonly Seeking[],
    rows: readonly (readonly [Instance, ...unknown[]])[],
    { populateExisting }: RelatedLoads,
  ): void {
    const types = this.#types;
    const found = new Map<Seeking, Instance[]>();
    for (const row of rows) {
      const [instance] = row;
      const seeker = this.#byText.get(compositeKey(types, types.length === 1 ? [row[1]] : row.slice(1)));
      // Somebody may have written rows for others meanwhile.
      if (seeker === undefined) continue;
      const related = found.get(seeker);
      if (related === undefined) found.set(seeker, [instance]);
      else related.push(instance);
    }
    for (const each of seeking)
      for (const state of each.states) fill(state, this.#property, found.get(each) ?? [], populateExisting);
  }

  /** Those that have no key have nothing. */
  fillOthers({ populateExisting }: RelatedLoads): void {
    for (const state of this.#without) fill(state, this.#property, [], populateExisting);
  }
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
export function localProperties({ pairs, secondary }: RelationshipProperty): readonly ColumnProperty[] {
  return secondary === undefined ? pairs.map(({ local }) => local) : secondary.parent.map(({ property }) => property);
}

/**
 * Instances that know the key of their related rows, and those that do not: they may have been read without it, as a row of a parent class is that a subclass adds to.
 * Told before anything is loaded, which may bring the key.
 */
export function byKnowledge(
  states: readonly InstanceState[],
  property: RelationshipProperty,
): { readonly knowing: readonly InstanceState[]; readonly unknowing: readonly InstanceState[] } {
  const local = localProperties(property);
  const knowsKey = (state: InstanceState): boolean =>
    local.every(({ slot }) => !state.isUnread(slot) || isPartOfKey(state, slot));
  const knowing = states.filter(knowsKey);
  return { knowing, unknowing: knowing.length === states.length ? [] : states.filter((state) => !knowsKey(state)) };
}

function isPartOfKey(state: InstanceState, slot: number): boolean {
  return mapperOfState(state).primaryKey.some((part) => part.slot === slot);
}

/** The value by which related rows are found; of a key it is what the row has, whatever was assigned since. */
function keyValue(state: InstanceState, { slot }: ColumnProperty): unknown {
  const index = mapperOfState(state).primaryKey.findIndex((part) => part.slot === slot);
  return index === -1 ? state.values[slot] : state.identityValues[index];
}

/** The condition on the columns that hold the key of what rows are related to. */
export type IsWanted = (links: readonly ComparableExpression<unknown>[]) => Expression<boolean>;

/** The statement that finds the related rows of several instances, each with the key that links it. */
export function relatedSelect(
  property: RelationshipProperty,
  plan: RelatedPlan,
  isWanted: IsWanted,
  populateExisting: boolean,
): Select<unknown> {
  const links = linkingColumns(property);
  return selectOf(property, plan, populateExisting, { where: isWanted(links), links });
}

/** The same by the keys of the instances themselves, where they do not know what links them: their rows are read once more. */
export function relatedSelectByParents(
  property: RelationshipProperty,
  plan: RelatedPlan,
  isWanted: IsWanted,
  populateExisting: boolean,
): Select<unknown> {
  const { parent } = property;
  const alias = new EntityAlias(parent, "parents");
  const scope = attributesOf(alias) as Readonly<Record<string, Attribute<unknown, unknown>>>;
  const attribute = ({ key }: ColumnProperty): Attribute<unknown, unknown> => scope[key] as Attribute<unknown, unknown>;
  const local = localProperties(property);
  const on = and(...linkingColumns(property).map((link, index) => attribute(local[index] as ColumnProperty).eq(link)));
  const links = parent.primaryKey.map(attribute);
  return selectOf(property, plan, populateExisting, {
    where: isWanted(links),
    links,
    sources: [new SelectSource({ rows: alias, isOuter: false, along: undefined, on })],
  });
}

/** The columns of related rows, or of the table between, that refer to what they are related to. */
function linkingColumns({ pairs, secondary }: RelationshipProperty): readonly ColumnExpression[] {
  return secondary === undefined
    ? pairs.map(({ remote }) => new ColumnExpression(remote.source.table, remote.source.column))
    : secondary.parent.map(({ column }) => new ColumnExpression(secondary.table, column));
}

function selectOf(
  property: RelationshipProperty,
  plan: RelatedPlan,
  populateExisting: boolean,
  parts: Pick<SelectParts, "links" | "sources"> & { readonly where: Expression<boolean> },
): Select<unknown> {
  const { secondary, target } = property;
  const own = relatedCondition(property, undefined, plan.where);
  let { where } = parts;
  for (const { column, property: part } of secondary?.target ?? []) {
    const between = new ColumnExpression((secondary as NonNullable<typeof secondary>).table, column);
    where = conjunction(where, new ColumnExpression(part.source.table, part.source.column).eq(between));
  }
  return new Select(target.class as never, {
    ...parts,
    where: own === undefined ? where : conjunction(where, own),
    orderBy: property.orderBy.map(({ source }) => new ColumnExpression(source.table, source.column)),
    executionOptions: populateExisting ? { populateExisting } : {},
    from: secondary === undefined ? undefined : [secondary.table],
    plan,
  });
}
