import type { Instance } from "./instance.ts";
import type { InstanceState } from "./instance-state.ts";
import { SmallMap } from "./small-map.ts";
import type { UnloadedAs } from "./unloaded-as.ts";

/** Changes of a collection that is not loaded: the other side of a relationship made them, and the load will take them up. */
export interface PendingChanges {
  readonly added: Set<Instance>;
  readonly removed: Set<Instance>;
}

/** What only instances with relationships have; made when it is first needed, and so is each of its maps. */
export class Relations {
  /** Changes of collections that are not loaded, by slot. */
  pending: Map<number, PendingChanges> | undefined = undefined;
  /** Of an instance that was inserted and not expired since: what such changes had added when they were flushed, by slot. */
  settled: Map<number, Set<Instance>> | undefined = undefined;
  /** Empty collections that were read and never changed, by slot: they count as not set. */
  untouched: SmallMap<number, object> | undefined = undefined;
  /** By slot, what relationships and columns that are not in memory are, where the statement that loaded the instance said so. */
  unloadedAs: ReadonlyMap<number, UnloadedAs> | undefined = undefined;
  /** It lost its whole where no session could let go of it, and was not added since: a flush does not take it for new. */
  isCutOff = false;
  /** By relationship, the instance that has this one; null where it was taken away. Of those that can leave orphans. */
  readonly parents = new SmallMap<object, InstanceState | null>();

  /** The pending changes were flushed, so a load will find them. */
  settlePending(isInserted: boolean): void {
    if (isInserted) {
      for (const [slot, { added, removed }] of this.pending ?? []) {
        const settled = this.settled?.get(slot) ?? new Set();
        for (const item of removed) settled.delete(item);
        for (const item of added) settled.add(item);
        (this.settled ??= new Map()).set(slot, settled);
      }
    }
    this.pending = undefined;
  }
}
