import type { InstanceState } from "../instance/instance-state.ts";
import { mapperOfState, type Mapper } from "../mapping/mapper.ts";
import type { FlushWork } from "./flush.ts";

/** An instance on its way into the database. */
export interface Save {
  readonly state: InstanceState;
  readonly mapper: Mapper;
  readonly isInsert: boolean;
  /** Attributes whose value came from a default, from `onupdate`, from the version counter or from the database. */
  refreshed: string[] | undefined;
  /** Its key came from a default. */
  hasDefaultKey: boolean;
  /** Its row is inserted: a failure from here on is none of its INSERT. */
  isInserted: boolean;
}

/** The instances of one hierarchy of classes that a flush writes. */
export interface HierarchyWork {
  readonly mapper: Mapper;
  /** New ones in the order in which they were added, then changed ones by key. */
  readonly saves: Save[];
  readonly deletes: InstanceState[];
}

/**
 * Sorts the work of a flush by hierarchy, so that the rows that others refer to are written before those that refer to them.
 * Hierarchies that have nothing to do with each other go by class name: every run is the same.
 */
export function orderHierarchies(work: Pick<FlushWork, "inserts" | "updates" | "deletes">): HierarchyWork[] {
  const byMapper = new Map<Mapper, HierarchyWork>();
  const hierarchyOf = ({ baseMapper }: Mapper): HierarchyWork => {
    let hierarchy = byMapper.get(baseMapper);
    if (hierarchy === undefined) byMapper.set(baseMapper, (hierarchy = { mapper: baseMapper, saves: [], deletes: [] }));
    return hierarchy;
  };
  const save = (state: InstanceState, isInsert: boolean): void => {
    const mapper = mapperOfState(state);
    hierarchyOf(mapper).saves.push({
      state,
      mapper,
      isInsert,
      refreshed: undefined,
      hasDefaultKey: false,
      isInserted: false,
    });
  };
  for (const state of work.inserts) save(state, true);
  for (const state of work.updates.toSorted(byKey)) save(state, false);
  for (const state of work.deletes.toSorted(byKey)) hierarchyOf(mapperOfState(state)).deletes.push(state);
  if (byMapper.size < 2) return [...byMapper.values()];
  const hierarchies = [...byMapper.values()].sort((left, right) =>
    compareText(left.mapper.class.name, right.mapper.class.name),
  );
  return parentsFirst(hierarchies);
}

/** Orders by foreign keys, and otherwise leaves the order. A circle of tables is cut where it closes. */
function parentsFirst(hierarchies: readonly HierarchyWork[]): HierarchyWork[] {
  const holders = new Map<string, HierarchyWork>();
  for (const hierarchy of hierarchies) for (const name of tablesOf(hierarchy).names) holders.set(name, hierarchy);
  const sorted: HierarchyWork[] = [];
  const visited = new Set<HierarchyWork>();
  const visit = (hierarchy: HierarchyWork): void => {
    if (visited.has(hierarchy)) return;
    visited.add(hierarchy);
    const parents = tablesOf(hierarchy).referenced.map((name) => holders.get(name));
    for (const parent of hierarchies) if (parents.includes(parent)) visit(parent);
    sorted.push(hierarchy);
  };
  for (const hierarchy of hierarchies) visit(hierarchy);
  return sorted;
}

function tablesOf({ saves, deletes }: HierarchyWork): {
  readonly names: readonly string[];
  readonly referenced: readonly string[];
} {
  const mappers = new Set([...saves.map(({ mapper }) => mapper), ...deletes.map(mapperOfState)]);
  const tables = [...new Set([...mappers].flatMap((mapper) => mapper.tables))];
  return {
    names: tables.map((table) => table.fullName),
    referenced: tables.flatMap((table) =>
      table.foreignKeys.map(({ referencedSchema, referencedTable }) =>
        referencedSchema === undefined ? referencedTable : `${referencedSchema}.${referencedTable}`,
      ),
    ),
  };
}

/** By the values of the key, one after another. */
function byKey(left: InstanceState, right: InstanceState): number {
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
function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
