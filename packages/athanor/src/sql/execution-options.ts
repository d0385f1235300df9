/** Options that accompany the execution of a statement; listeners of `doOrmExecute` see them, and may add their own. */
export interface ExecutionOptions {
  /** Overwrites what is in memory, changes too, with what the rows say. */
  readonly populateExisting?: boolean;
  /** Whether pending changes are flushed first; true unless the session says otherwise. */
  readonly autoflush?: boolean;
  /**
   * How the session's instances learn what an `update` or `deleteFrom` did: `"evaluate"` tests the condition on them in memory, `"fetch"` asks the database
   * which rows it changed, `"auto"`, which is the default, does the first where it can and else the second, and `false` leaves them as they are. After the `doUpdate` of an
   * `insert` they follow too, unless this is `false`: by the rows that it returns or, without them, in memory.
   */
  readonly synchronizeSession?: "auto" | "evaluate" | "fetch" | false;
  /**
   * Whether listeners of `afterBulkUpdate` and `afterBulkDelete` get the rows that an `update` or `deleteFrom` changes: as they were before, or as they are after it.
   * Nothing is read where nobody listens.
   */
  readonly rows?: "before" | "after";
  /** What happens where an `insert`, `update` or `deleteFrom` writes rows past listeners of their row events: what the session says, unless it is given. */
  readonly onSkippedEvents?: "ignore" | "warn" | "error";
  /** Of a stream: how many rows are fetched, and instances kept in memory, at a time; 1000 unless it is given. */
  readonly yieldPer?: number;
  readonly [option: string]: unknown;
}
