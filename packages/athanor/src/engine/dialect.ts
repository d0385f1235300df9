import type {
  ColumnDefinitionBuilder,
  DatabaseIntrospector,
  DialectAdapter,
  IsolationLevel,
  Kysely,
  OperationNode,
  QueryCompiler,
} from "kysely";
import type { ColumnType } from "../mapping/column-type.ts";
import type { MaybePromise } from "./maybe-promise.ts";

export type { MaybePromise } from "./maybe-promise.ts";

/**
 * How one column type is stored: its name in CREATE TABLE, and the conversions between the user's values and the driver's.
 *
 * A missing conversion means that the value goes as it is. Neither conversion ever gets null or undefined.
 */
export interface Codec {
  readonly ddl: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- a codec is looked up by its column's type, which says what its values are
  readonly toDriver?: (value: any) => unknown;
  /** Of a value that is compared or computed with, where it is another than of one that is stored: a column rounds what it stores. */
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  readonly toCompared?: (value: any) => unknown;
  /** What CAST is given in place of an expression of another type, where what the database has for that would not become a value of this one. */
  readonly toCast?: (expression: OperationNode, from: ColumnType | undefined) => OperationNode;
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  readonly fromDriver?: (value: any) => unknown;
}

/** What a database can do, and what is fast on it: shared code asks these, never the dialect's name. */
export interface Traits {
  /** INSERT, UPDATE and DELETE can answer with rows. */
  readonly returning: boolean;
  /** An INSERT can say what happens where a row is there already. */
  readonly onConflict: boolean;
  /** The fastest way to insert many rows: `each` by its own run of one prepared statement, or many `together` in one statement. */
  readonly insertRows: "each" | "together";
  /** An INSERT without RETURNING tells the integer key that the database generated. */
  readonly insertId: boolean;
  /** How many parameters one statement can have. */
  readonly maxParameters: number;
  /** Rows come as the database sends them. Where this is false, two result columns of one name collapse into one: each needs its own alias. */
  readonly duplicateColumnNames: boolean;
  /** A SELECT can lock the rows that it finds: FOR UPDATE. */
  readonly rowLocks: boolean;
  /** INTERSECT ALL and EXCEPT ALL count how often a row is found. */
  readonly setOperationsAll: boolean;
  /** ALTER TABLE can add and drop foreign keys. Where it cannot, a table may refer to one that does not exist yet. */
  readonly alterForeignKeys: boolean;
  /** Schemas can be created, and tables put into them. */
  readonly schemas: boolean;
}

/** How a transaction is to behave. */
export interface TransactionOptions {
  /**
   * What concurrent transactions see of each other. A database that always gives at least as much accepts the level and gives more: every transaction
   * of SQLite is serializable.
   */
  readonly isolationLevel?: IsolationLevel | undefined;
  /** Refuses every statement that writes. */
  readonly readOnly?: boolean | undefined;
}

/** What a statement answered, its rows as arrays. */
export interface RawResult {
  readonly rows: unknown[][];
  /** Column names in the order of the values, where the driver knows them. */
  readonly columns: readonly string[];
  /** Rows changed by INSERT, UPDATE and DELETE; rows found by SELECT. */
  readonly rowCount: number;
  /** The key that the database generated for the last row of an INSERT, where it tells. Without meaning after other statements. */
  readonly insertId?: number | bigint;
}

/** What one statement answered to many parameter sets. */
export interface EachResult {
  /** Where the statement returns rows, one for each parameter set; undefined for a set that matched none. */
  readonly rows?: (unknown[] | undefined)[];
  /** Of an INSERT whose database tells the keys it generated: one for each parameter set. */
  readonly insertIds?: (number | bigint)[];
  /** The rows that each parameter set changed; undefined when every one changed exactly one. */
  readonly rowCounts?: number[];
}

/** Which parameter set of `runEach` failed, and why, by its `cause`. Drivers throw it; a connection translates it. */
export class FailedSet extends Error {
  readonly index: number;

  constructor(index: number, cause: unknown) {
    super(`Parameter set ${index} failed.`, { cause });
    this.index = index;
  }
}

/** The rows of a SELECT while they are fetched. */
export interface DriverCursor {
  /** The next rows, at most so many; none: there are no more. */
  fetch(count: number): MaybePromise<RawResult>;
  close(): MaybePromise<void>;
}

/** One open connection, as a driver implements it. Its errors are the driver's own. */
export interface DriverConnection {
  /** Whether the connection cannot be used any more, and must not go back to its pool. */
  readonly isBroken: boolean;
  /** Whether the database itself says that a transaction is open, also one that was begun by a statement; undefined where it does not say. */
  readonly isInTransaction?: boolean | undefined;
  run(sql: string, parameters: readonly unknown[]): MaybePromise<RawResult>;
  /** Runs one statement once for each parameter set, in their order. Throws {@link FailedSet}; in no transaction, what ran before stays. */
  runEach(sql: string, parameterSets: readonly (readonly unknown[])[]): MaybePromise<EachResult>;
  /** Opens a SELECT inside of a transaction, to be read portion by portion. Other statements may run between the portions. */
  openCursor(sql: string, parameters: readonly unknown[]): MaybePromise<DriverCursor>;
  begin(options?: TransactionOptions): MaybePromise<void>;
  commit(): MaybePromise<void>;
  rollback(): MaybePromise<void>;
  savepoint(name: string): MaybePromise<void>;
  rollbackToSavepoint(name: string): MaybePromise<void>;
  releaseSavepoint(name: string): MaybePromise<void>;
  /**
   * Told by the pool when someone begins to use it, except for the first time. Answers whether another connection stands behind it now, which was just
   * opened.
   */
  beginUse?(): MaybePromise<boolean>;
  /** Told by the pool when nobody uses it any more: it must not keep the process from ending. */
  endUse?(): void;
  close(): MaybePromise<void>;
}

/** What CREATE TABLE and DROP TABLE need to know about a database beyond {@link Traits}. */
export interface DdlRules {
  /** Lets the database generate the values of an integer key. */
  generatedKey(column: ColumnDefinitionBuilder): ColumnDefinitionBuilder;
  /** Run before the first DROP TABLE, so that tables which refer to each other in a circle can go. */
  readonly beforeDrop: readonly string[];
  /** Longer names of constraints and indexes are cut, and made unique by a checksum. */
  readonly maxNameLength: number;
}

/** One kind of database behind one driver. */
export interface Dialect {
  /** "sqlite", "postgresql": for messages and for users. Shared code asks `traits`. */
  readonly name: string;
  readonly traits: Traits;
  readonly ddl: DdlRules;
  /** Turns Kysely's operation nodes into SQL. It is synchronous and resets itself, so one serves for everything. */
  readonly compiler: QueryCompiler;
  readonly adapter: DialectAdapter;
  /** How many connections a pool opens at most if its user does not say. */
  readonly poolSize: number;
  /** All work must share one connection, because each new one would be another, empty database. */
  readonly isSingleConnection: boolean;
  // oxlint-disable-next-line typescript/no-explicit-any -- as Kysely declares it: an instance with any tables
  createIntrospector(kysely: Kysely<any>): DatabaseIntrospector;
  /** How a column type is stored. The same type gets the same codec. */
  codec(type: ColumnType): Codec;
  connect(): Promise<DriverConnection>;
  /** Turns an error of the driver, or one of connecting, into one of ours. An error that is ours already is returned as it is. */
  translateError(error: unknown, context: { readonly sql?: string | undefined }): Error;
  /** Lets go of whatever the connections share. Called once, when all of them are closed. */
  dispose(): MaybePromise<void>;
}
