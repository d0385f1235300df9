import { ArgumentError } from "../event/errors.ts";
import type { Session } from "./session.ts";

/** Something odd that is no error: by default it is printed. */
export interface SessionWarning {
  readonly message: string;
  readonly session: Session;
}

/** How the sessions of a sessionmaker behave. */
export interface SessionOptions {
  /** Whether commit drops the values of all instances, so that the next transaction loads them anew. False unless you say so. */
  readonly expireOnCommit?: boolean;
  /** Whether statements flush pending changes first, so that they see them. True unless you say otherwise. */
  readonly autoflush?: boolean;
  /** Gets what is odd and no error, such as a DELETE that found no row. Throwing makes it an error. */
  readonly onWarning?: (warning: SessionWarning) => void;
  /**
   * What happens where a bulk statement (`insert`, `update`, `deleteFrom`) writes rows of a class, or of its subclasses, that someone listens to row events of
   * (`beforeInsert` … `afterDelete`), because it calls none of those listeners: "warn", unless you say otherwise, once for each class and kind of statement;
   * "error", and the statement is not executed; "ignore". An execution option of the same name says it for one statement.
   */
  readonly onSkippedEvents?: "ignore" | "warn" | "error";
  /**
   * How far `withLoaderCriteria` reaches. `"statements"`, which is the default and SQLAlchemy's way: to what statements find, load and change. What the session has in
   * memory, and anew the row of an instance that it has, is there for whoever asks for it.
   *
   * `"strict"`: to those too. What must not be seen reads as not there: `get` answers null, a reference becomes null, `refresh` and the load of expired or left out
   * columns fail as for a row that is gone (`ObjectDeletedError` with `isHidden`), and `merge` throws rather than insert the row once more. The criteria are those that
   * the instance was found with, and those that your listeners of `doOrmExecute` add to a statement of the program's own about its class, also where they leave
   * loads of columns and relationships alone: the session asks them with a statement that finds nothing (`limit(0)`) and is not sent.
   *
   * It costs a call of those listeners for each `get`, reference, refresh and lazy load that would have been answered without. The condition is tested on the values in
   * memory; where those do not tell (SQL of your own, `any`, a subquery, an expired value) one SELECT asks the database. A reference that is not loaded cannot be read
   * without `await load(instance, "author")`, although the session has what it refers to.
   *
   * Instances that your program holds stay what they are, and so do collections and references that are loaded, `session.identityMap`, and old values in events; load
   * them anew with `populateExisting`, or close the session. A flush writes what was changed, and a delete cascades, as without it. Raw SQL and `connection.kysely()`
   * pass, as always.
   */
  readonly criteria?: "statements" | "strict";
  /** Anything that listeners should find on the session: the user who asks, the tenant. */
  readonly info?: Readonly<Record<string, unknown>>;
}

const choices: Readonly<Partial<Record<keyof SessionOptions, readonly unknown[]>>> = {
  expireOnCommit: [true, false],
  autoflush: [true, false],
  onSkippedEvents: ["ignore", "warn", "error"],
  criteria: ["statements", "strict"],
};

/**
 * Refuses an option that says something else than it can: whoever writes `criteria: "Strict"` believes that rows are hidden.
 *
 * @throws ArgumentError
 */
export function expectSessionOptions(options: SessionOptions): void {
  for (const [name, allowed] of Object.entries(choices)) {
    const given = options[name as keyof SessionOptions];
    if (given === undefined || allowed.includes(given)) continue;
    throw new ArgumentError(
      `The option ${name} of a session is ${allowed.map((each) => JSON.stringify(each)).join(" or ")}, and was ${JSON.stringify(given) ?? String(given)}.`,
    );
  }
}
