import { deleteGraph, deleteUnloaded, joined, saveGraph, selectin } from "./orders-workloads.ts";
import { get, insert, load, search, update } from "./people-workloads.ts";
import type { Workload } from "./workload.ts";

/** Everything that is measured, in the order of the report. */
export const workloads = {
  insert,
  load,
  update,
  get,
  search,
  saveGraph,
  deleteGraph,
  deleteUnloaded,
  selectin,
  joined,
} satisfies Readonly<Record<string, Workload>>;

export type WorkloadName = keyof typeof workloads;

export const workloadNames = Object.keys(workloads) as readonly WorkloadName[];
