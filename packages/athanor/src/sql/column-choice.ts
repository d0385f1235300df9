import type { Deferral } from "../mapping/column.ts";
import type { ColumnProperty } from "../mapping/mapper.ts";

/** What options say of the columns of one class: which of them its instances are loaded with. */
export interface ColumnChoice {
  /** Those that are loaded, where the others are left out. */
  readonly only?: ReadonlySet<string>;
  /** By name, how a column is left out; false: it is not. "*" stands for those that are not named. */
  readonly named?: ReadonlyMap<string, Deferral | false>;
  /** Groups that are not left out. */
  readonly groups?: ReadonlySet<string>;
}

/** What both say. Where they contradict each other, the other one holds, which was said later. */
export function mergedChoice(before: ColumnChoice, later: ColumnChoice): ColumnChoice {
  return {
    ...((before.only ?? later.only) && { only: new Set([...(before.only ?? []), ...(later.only ?? [])]) }),
    named: new Map([...(before.named ?? []), ...(later.named ?? [])]),
    groups: new Set([...(before.groups ?? []), ...(later.groups ?? [])]),
  };
}

/** How a column is left out by a choice, given how it is without: what is said of it by name holds, and then what is said of its group. */
export function chosenDeferral(
  { key, column }: ColumnProperty,
  { only, named, groups }: ColumnChoice,
  before: Deferral | undefined,
): Deferral | undefined {
  const said = named?.get(key);
  if (said !== undefined) return said === false ? undefined : { group: column.options.deferred?.group, ...said };
  const { group } = column.options.deferred ?? {};
  if (group !== undefined && groups?.has(group) === true) return undefined;
  if (only?.has(key) === true) return undefined;
  const ofAll = named?.get("*");
  if (ofAll !== undefined) return ofAll === false ? undefined : (before ?? ofAll);
  return only === undefined ? before : (before ?? {});
}
