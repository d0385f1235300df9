import { FrozenResult } from "../engine/frozen-result.ts";
import type { Result } from "../engine/result.ts";
import { ArgumentError } from "../event/errors.ts";
import { stateOf } from "../instance/instance.ts";
import { carryAlong } from "../loading/carried-options.ts";
import { describeGiven } from "../sql/expression.ts";
import { FromStatement } from "../sql/from-statement.ts";
import { Select } from "../sql/select.ts";
import { mergeFound, type MergeOptions } from "./merge.ts";
import type { Statement } from "./orm-execute-state.ts";
import type { RowOf, Session } from "./session.ts";
import { SessionState } from "./session-state.ts";

/**
 * Gives a session what a statement found at another time, or in another session: its rows, with the session's own instances. With `load: false` the rows are
 * taken for what the database has, and no statement is run; otherwise each row is looked up, and what differs is a change.
 *
 * What the session has changed and not flushed stays as it is. Later loads of the instances keep to the options of the statement, as if it had found them.
 *
 * SQLAlchemy: Session API, Re-Executing Statements; `merge_frozen_result`.
 *
 * @throws ArgumentError for anything that `Result.freeze()` did not return.
 * @example
 * listen(SessionLocal, "doOrmExecute", async (event) => {
 *   const { cacheKey } = event.executionOptions;
 *   if (typeof cacheKey !== "string") return;
 *   const frozen = cache.get(cacheKey);
 *   if (frozen !== undefined) return mergeFrozenResult(event.session, event.statement, frozen, { load: false });
 *   const result = await event.invokeStatement();
 *   cache.set(cacheKey, result.freeze());
 *   return result;
 * });
 */
export function mergeFrozenResult<TStatement extends Statement>(
  session: Session,
  statement: TStatement,
  frozen: FrozenResult<unknown>,
  options: MergeOptions = {},
): Promise<Result<RowOf<TStatement>>> {
  if (!(frozen instanceof FrozenResult)) {
    throw new ArgumentError(
      `mergeFrozenResult() takes what Result.freeze() returns, and got ${describeGiven(frozen)}. Keep (await session.execute(statement)).freeze() in the cache.`,
    );
  }
  const core = SessionState.of(session);
  const plan = statement instanceof Select || statement instanceof FromStatement ? statement.parts.plan : undefined;
  return frozen.resultWith((detached) =>
    core.runDropping("mergeFrozenResult()", [], async () => {
      const merged = await mergeFound(core, detached.map(stateOf), options);
      if (plan !== undefined) carryAlong(merged.map(stateOf), plan);
      return merged;
    }),
  ) as Promise<Result<RowOf<TStatement>>>;
}
