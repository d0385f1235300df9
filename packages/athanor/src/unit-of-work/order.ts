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
    hierarchyOf(mapper).saves.push({ state, mapper, isInsert, refreshed: undefined });
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

function byKey(left: InstanceState, right: InstanceState): number {
  const [one, other] = [left.key, right.key];
  if (
    (typeof one === "number" || typeof one === "bigint") &&
    (typeof other === "number" || typeof other === "bigint")
  ) {
    return one < other ? -1 : one > other ? 1 : 0;
  }
  return compareText(String(one), String(other));
}

/** By code unit: the same on every machine, whatever its language. */
function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
