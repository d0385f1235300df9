import type { History } from "../instance/history.ts";
import type { Instance } from "../instance/instance.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import type { SmallMap } from "../instance/small-map.ts";
import type { Mapper } from "../mapping/mapper.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";

/** Related instances that a relationship gained, kept and lost; null stands for a reference to nothing. */
export type RelatedHistory = History<Instance | null>;

/** What a flush is to do with one instance. */
export interface Entry {
  readonly state: InstanceState;
  readonly mapper: Mapper;
  /** It had no row when the flush began. */
  readonly isInsert: boolean;
  isDelete: boolean;
  /** The instance whose row becomes that of this new one: it is deleted in the same flush, and has the same key. */
  takesOver: InstanceState | undefined;
  /** A new instance has taken its row over, so there is nothing to delete. */
  isTakenOver: boolean;
  /** Attributes whose value came from a default, from `onupdate`, from the version counter or from the database. */
  refreshed: string[] | undefined;
  /** Its key came from a default. */
  hasDefaultKey: boolean;
  /** Where a default took the place of a null that had been set, by slot. */
  nulls: number[] | undefined;
  /** Its row is inserted: a failure from here on is none of its INSERT. */
  isInserted: boolean;
  /** The histories of its relationships, as far as the flush has asked for them. */
  histories: SmallMap<RelationshipProperty, RelatedHistory> | undefined;
  /** Those that it asked for to be loaded. */
  loadedHistories: SmallMap<RelationshipProperty, RelatedHistory> | undefined;
}
