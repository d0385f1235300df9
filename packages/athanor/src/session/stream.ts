import type { Connection } from "../engine/connection.ts";
import type { Cursor } from "../engine/cursor.ts";
import type { RunQuery } from "../engine/raw-statement.ts";
import { Result } from "../engine/result.ts";
import { ArgumentError, InvalidRequestError } from "../event/errors.ts";
import { BulkStatement } from "../sql/bulk-statement.ts";
import { type Execution, execute, flushBefore, readStatement } from "./execute.ts";
import { letGo } from "./let-go.ts";
import { populatesExisting } from "./populates-existing.ts";
import type { SessionState } from "./session-state.ts";

/**
 * The rows of one statement on their way from the database, portion by portion. Between two portions no operation of the session is running, so that others have their
 * turn.
 */
export class Stream {
  readonly #core: SessionState;
  readonly #asked: Execution;
  #isTaken = false;
  /** The statement as listeners have left it, and where it runs. */
  #execution: Execution | undefined;
  #connection: Connection | undefined;
  #cursor: Cursor | undefined;
  #isExhausted = false;
  /** What a listener has answered with, instead of the database. */
  #answer: unknown[] | undefined;
  /** There is a portion that a loop has not passed yet. */
  #hasBrought = false;
  /** What the session had before that portion. */
  #marks: ReturnType<SessionState["identityMap"]["marks"]> = new Map();

  constructor(core: SessionState, execution: Execution) {
    if (execution.statement instanceof BulkStatement) {
      throw new ArgumentError(
        `stream() takes a statement that reads, and got one that writes rows of ${execution.statement.mapper.class.name}. Execute it with session.execute().`,
      );
    }
    this.#core = core;
    this.#asked = execution;
  }

  /** How many rows are fetched at a time, where nothing else is said. */
  get portion(): number {
    const { statement, options } = this.#asked;
    const parts = "parts" in statement ? statement.parts : undefined;
    return options.yieldPer ?? parts?.executionOptions.yieldPer ?? 1000;
  }

  /** The rows, so many at a time. What has come into the session since the last ones is held weakly when the next ones are asked for. */
  async *portions(count: number): AsyncGenerator<readonly unknown[], void, undefined> {
    if (!Number.isSafeInteger(count) || count < 1) {
      throw new ArgumentError(
        `A stream fetches a whole number of rows at a time, from 1 on, and was to fetch ${String(count)}.`,
      );
    }
    if (this.#isTaken) {
      throw new InvalidRequestError(
        "The stream was read already: its rows are not kept, so it can be read once. Call session.stream() again, which executes the statement again; or session.execute(), whose result is in memory.",
      );
    }
    this.#isTaken = true;
    const core = this.#core;
    const overwrites = populatesExisting(this.#asked.statement, this.#asked.options);
    const next = (): Promise<readonly unknown[]> => this.#next(count);
    try {
      for (;;) {
        const rows = await (overwrites ? core.runDropping("session.stream()", "all", next) : core.run(next));
        if (rows.length === 0) return;
        yield rows;
        // A database that answers at once would keep everything else in the process waiting.
        await nextTurn();
      }
    } finally {
      // What a loop was left with stays in the session: it is not through with it.
      await core.run(() => this.#cursor?.close());
    }
  }

  async #next(count: number): Promise<readonly unknown[]> {
    const core = this.#core;
    if (this.#execution === undefined && this.#answer === undefined) await this.#begin(count);
    // What the loop has changed is written, as before any statement, and so it need not stay.
    else await flushBefore(core, this.#execution ?? this.#asked);
    if (this.#hasBrought) letGo(core, core.identityMap.since(this.#marks));
    this.#hasBrought = false;
    if (this.#answer !== undefined) return this.#answer.splice(0, count);
    if (this.#isExhausted) return [];
    this.#connection ??= await core.autobegin().connect();
    const connection = this.#connection;
    this.#marks = core.identityMap.marks();
    const fetch: RunQuery = async (sql, parameters) => {
      this.#cursor ??= await connection.openCursor(sql, parameters);
      const portion = await this.#cursor.fetch(count);
      this.#isExhausted = portion.rows.length < count;
      return portion;
    };
    const result = await readStatement(core, connection, { ...(this.#execution as Execution), fetch });
    this.#hasBrought = true;
    return result.all();
  }

  /** Takes the statement through the listeners of `doOrmExecute`. */
  async #begin(count: number): Promise<void> {
    const core = this.#core;
    const options = { ...this.#asked.options, yieldPer: count };
    let executed: Execution | undefined;
    const result = await execute(core, { ...this.#asked, options }, async (_, execution) => {
      await flushBefore(core, execution);
      executed = execution;
      return unread;
    });
    if (result === unread) this.#execution = executed;
    else if (executed === undefined) this.#answer = result.all();
    else {
      throw new InvalidRequestError(
        "A listener of doOrmExecute has executed the statement of a stream, and returned another result than that of invokeStatement(). The rows come later, portion by portion. " +
          "A listener finds out by event.executionOptions.yieldPer; let it change event.statement, or return a result without executing.",
      );
    }
  }
}

/** What listeners get for the result of a stream: its rows are not there yet. */
const unread = new Proxy(new Result<unknown>([], 0), {
  get(_, name) {
    if (name === "then" || name === "constructor") return undefined;
    throw new InvalidRequestError(
      `A listener of doOrmExecute asked for ${String(name)} of the result of a stream, whose rows come later, portion by portion. ` +
        `It finds out by event.executionOptions.yieldPer, and returns the result as it is.`,
    );
  },
});

/** Lets the rest of the process have its turn. */
function nextTurn(): Promise<void> {
  const { setImmediate = setTimeout } = globalThis as { readonly setImmediate?: (then: () => void) => unknown };
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
