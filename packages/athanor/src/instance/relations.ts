import type { Instance } from "./instance.ts";
import type { InstanceState } from "./instance-state.ts";

/** Changes of a collection that is not loaded: the other side of a relationship made them, and the load will take them up. */
export interface PendingChanges {
  readonly added: Set<Instance>;
  readonly removed: Set<Instance>;
}

/** What only instances with relationships have; made when it is first needed. */
export class Relations {
  /** Changes of collections that are not loaded, by slot. */
  readonly pending = new Map<number, PendingChanges>();
  /** Empty collections that were read and never changed, by slot: they count as not set. */
  readonly untouched = new Map<number, object>();
  /** It lost its whole while it was in no session, or was saved already. */
  isCutOff = false;
  /** By relationship, the instance that has this one; null where it was taken away. Of those that can leave orphans. */
  readonly parents = new Map<object, InstanceState | null>();
}
