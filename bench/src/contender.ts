import type { Person, PersonChange, PersonValues } from "./people.ts";

/** One way to store people, with a SQLite database in memory of its own. */
export interface Contender {
  readonly name: ContenderName;
  /** Empties the table, so that the next key is 1 again. Not timed. */
  clear(): Promise<void>;
  /** Saves new people in their order, in one transaction. */
  insert(people: readonly PersonValues[]): unknown;
  /** Everybody, by key, read afresh. */
  load(): readonly Person[] | Promise<readonly Person[]>;
  /** Loads the first people by key, so that they can be changed. Not timed. */
  openUpdate(count: number): Promise<PendingUpdate>;
  /** Each person by key, on its own: with an ORM, in a session of its own. */
  get(ids: readonly number[]): readonly Person[] | Promise<readonly Person[]>;
}

/** The names under which results are reported. */
export type ContenderName = "raw" | "rawArrays" | "athanor" | "athanorListeners" | "mikroorm";

/** People in memory that are about to be changed. */
export interface PendingUpdate {
  /** Assigns each its change, in their order, saves all of them in one transaction, and lets go of them. */
  run(changes: readonly PersonChange[]): unknown;
}
