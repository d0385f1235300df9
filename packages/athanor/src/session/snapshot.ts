import type { InstanceState } from "../instance/instance-state.ts";
import type { Change } from "./change-log.ts";

/** The key that an instance had. */
export interface OldKey {
  readonly key: unknown;
  readonly identity: readonly unknown[] | undefined;
}

/**
 * What a transaction did to which instances, so that a rollback can put them back and a commit can tell.
 *
 * Most transactions only read, and sets are dear: each is made when something first goes in.
 */
export class Snapshot {
  #newStates: Set<InstanceState> | undefined = undefined;
  #deletedStates: Set<InstanceState> | undefined = undefined;
  #dirtyStates: Set<InstanceState> | undefined = undefined;
  #oldKeys: Map<InstanceState, OldKey> | undefined = undefined;
  #changes: Change[] | undefined = undefined;

  /** Inserted by the transaction. */
  get newStates(): Set<InstanceState> {
    return (this.#newStates ??= new Set());
  }

  /** Deleted by the transaction. */
  get deletedStates(): Set<InstanceState> {
    return (this.#deletedStates ??= new Set());
  }

  /** Updated by the transaction. */
  get dirtyStates(): Set<InstanceState> {
    return (this.#dirtyStates ??= new Set());
  }

  /** The keys that instances had before the transaction changed them. */
  get oldKeys(): Map<InstanceState, OldKey> {
    return (this.#oldKeys ??= new Map());
  }

  /** What each flush did, for `afterCommit`; recorded only while someone listens. */
  get changes(): Change[] {
    return (this.#changes ??= []);
  }

  /** Takes over a set of inserted instances, which nobody else uses any more. */
  addNew(states: Set<InstanceState>): void {
    if (this.#newStates === undefined) this.#newStates = states;
    else for (const state of states) this.#newStates.add(state);
  }

  /** The same of deleted instances. */
  addDeleted(states: Set<InstanceState>): void {
    if (this.#deletedStates === undefined) this.#deletedStates = states;
    else for (const state of states) this.#deletedStates.add(state);
  }

  /** Takes over what a released savepoint did. */
  absorb(released: Snapshot): void {
    for (const state of released.newStates) this.newStates.add(state);
    for (const state of released.dirtyStates) this.dirtyStates.add(state);
    for (const state of released.deletedStates) this.deletedStates.add(state);
    for (const [state, key] of released.oldKeys) if (!this.oldKeys.has(state)) this.oldKeys.set(state, key);
    for (const change of released.changes) this.changes.push(change);
  }

  clear(): void {
    this.#newStates = undefined;
    this.#deletedStates = undefined;
    this.#dirtyStates = undefined;
    this.#oldKeys = undefined;
    this.#changes = undefined;
  }
}
