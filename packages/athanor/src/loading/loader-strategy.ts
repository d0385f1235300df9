import type { UnloadedAs } from "../instance/unloaded-as.ts";
import type { LoaderNode } from "../sql/loader-tree.ts";
import type { PlannedEntity } from "./planned-entity.ts";

/** One way to load a relationship, or not to load it, along with the instances of a statement: the contract that each way implements in a file of its own. */
export interface LoaderStrategy {
  /** What the relationship is to those who ask for it while it is not loaded. */
  readonly unloadedAs: UnloadedAs;
  /** Arranges what is needed where the instances of an entity are read: columns beside theirs, or something to do afterwards. */
  arrange(entity: PlannedEntity, node: LoaderNode): void;
  /** It is about the joins of one statement, so instances that this finds are loaded later without it. */
  readonly isOfStatement?: boolean;
}
