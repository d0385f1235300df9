import type { Order, OrderValues } from "./orders.ts";
import type { Person, PersonChange, PersonValues, Search } from "./people.ts";

/** The names under which results are reported. */
export type ContenderName = "raw" | "rawArrays" | "athanor" | "athanorListeners" | "mikroorm";

/** One way to store people, with a SQLite database in memory of its own. */
export interface PeopleContender {
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
  /** The people that each search finds, one search after another: with an ORM, in a session of its own, by a statement that is put together anew. */
  search(searches: readonly Search[]): readonly Person[] | Promise<readonly Person[]>;
}

/** People in memory that are about to be changed. */
export interface PendingUpdate {
  /** Assigns each its change, in their order, saves all of them in one transaction, and lets go of them. */
  run(changes: readonly PersonChange[]): unknown;
}

/** One way to store orders and their lines, with a SQLite database in memory of its own. */
export interface OrdersContender {
  readonly name: ContenderName;
  /** Empties both tables, so that the next keys are 1 again. Not timed. */
  clear(): Promise<void>;
  /** Makes new orders with their lines and saves them, in one transaction. Answers with what the program holds then, keys included. */
  save(orders: readonly OrderValues[]): readonly Order[] | Promise<readonly Order[]>;
  /** All orders by key with their lines by key, read afresh by one statement for the orders and one (or few) for the lines. */
  loadBySelectin(): readonly Order[] | Promise<readonly Order[]>;
  /** The same by one statement that joins the tables. */
  loadByJoin(): readonly Order[] | Promise<readonly Order[]>;
  /** Loads all orders, with their lines or without, so that they can be deleted. Not timed. */
  openDelete(withLines: boolean): Promise<PendingDelete>;
}

/** Orders in memory that are about to be deleted. */
export interface PendingDelete {
  /** Deletes each order and its lines, all in one transaction, and lets go of them. */
  run(): unknown;
}
