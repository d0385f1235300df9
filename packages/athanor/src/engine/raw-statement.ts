import type { RawBuilder } from "kysely";
import { ArgumentError } from "../event/errors.ts";
import { compileForeign } from "../sql/compile.ts";
import type { Dialect, RawResult } from "./dialect.ts";
import type { MaybePromise } from "./maybe-promise.ts";
import { Result } from "./result.ts";

/** Finds rows by SQL and its parameters, all of them or a portion. */
export type RunQuery = (sql: string, parameters: readonly unknown[]) => MaybePromise<RawResult>;

/** Executes a statement written with the `sql` tag. Its rows are objects by name, with the values that the driver has. */
export async function executeRaw<TRow>(
  statement: RawBuilder<TRow>,
  dialect: Dialect,
  run: RunQuery,
): Promise<Result<TRow>> {
  if (typeof statement !== "object" || statement === null || !("toOperationNode" in statement)) {
    throw new ArgumentError(
      `execute() takes a statement written with the sql tag, such as sql\`delete from logs where id = \${id}\`, and got a ${typeof statement}. ` +
        `The tag makes parameters of its values, so that none of them can become SQL.`,
    );
  }
  const { sql, parameters } = compileForeign(statement.toOperationNode(), dialect);
  const { rows, columns, rowCount } = await run(sql, parameters);
  return new Result(
    rows.map((row) => Object.fromEntries(columns.map((name, index) => [name, row[index]])) as TRow),
    rowCount,
    [...new Set(columns)],
  );
}
