import type { InstanceState } from "../instance/instance-state.ts";
import type { Mapper } from "../mapping/mapper.ts";
import type { Entry } from "./entry.ts";
import type { FlushPlan } from "./flush-plan.ts";

/** The instances to be saved in the order in which their rows are written: new ones as they were added, then changed ones by key. */
export function saveOrder(entries: readonly Entry[]): Entry[] {
  const inserts = entries.filter(({ isInsert }) => isInsert);
  if (inserts.length === entries.length) return inserts;
  const updates = entries.filter(({ isInsert }) => !isInsert);
  updates.sort((left, right) => byKey(left.state, right.state));
  return [...inserts, ...updates];
}

/** The instances to be deleted by key. */
export function deleteOrder(entries: readonly Entry[]): InstanceState[] {
  return entries.map(({ state }) => state).sort(byKey);
}

/** Pairs of hierarchies of which the second has a table that refers to one of the first. */
export function tableOrder(plan: FlushPlan): (readonly [Mapper, Mapper])[] {
  const holders = new Map<string, Mapper>();
  const referenced = new Map<Mapper, Set<string>>();
  for (const mapper of plan.mappers) {
    for (const table of mapper.tables) {
      holders.set(table.fullName, mapper.baseMapper);
      const names = referenced.get(mapper.baseMapper) ?? new Set<string>();
      for (const { referencedSchema, referencedTable } of table.foreignKeys)
        names.add(referencedSchema === undefined ? referencedTable : `${referencedSchema}.${referencedTable}`);
      referenced.set(mapper.baseMapper, names);
    }
  }
  const pairs: (readonly [Mapper, Mapper])[] = [];
  const mappers = [...referenced.keys()].sort((left, right) => compareText(left.class.name, right.class.name));
  for (const mapper of mappers) {
    for (const name of referenced.get(mapper) ?? []) {
      const holder = holders.get(name);
      if (holder !== undefined && holder !== mapper) pairs.push([holder, mapper]);
    }
  }
  return pairs;
}

/** By the values of the key, one after another. */
export function byKey(left: InstanceState, right: InstanceState): number {
  if (left.identity === undefined && right.identity === undefined) return compareValues(left.key, right.key);
  const others = right.identityValues;
  for (const [index, value] of left.identityValues.entries()) {
    const order = compareValues(value, others[index]);
    if (order !== 0) return order;
  }
  return 0;
}

function compareValues(left: unknown, right: unknown): number {
  const isOrdered = (isNumeric(left) && isNumeric(right)) || (left instanceof Date && right instanceof Date);
  if (!isOrdered) return compareText(String(left), String(right));
  return (left as number) < (right as number) ? -1 : (left as number) > (right as number) ? 1 : 0;
}

function isNumeric(value: unknown): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

/** By code unit: the same on every machine, whatever its language. */
export function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
