import type { ExecutionOptions } from "../sql/execution-options.ts";
import { Insert } from "../sql/insert.ts";
import { isOrmStatement, type Statement } from "./orm-execute-state.ts";

/**
 * Whether the rows of a statement overwrite what is in memory: as the execution or the statement says; where neither does, those of an INSERT that has updated rows which were
 * there already.
 */
export function populatesExisting(statement: Statement, options: ExecutionOptions): boolean {
  const ofStatement = isOrmStatement(statement) ? statement.parts.executionOptions.populateExisting : undefined;
  return options.populateExisting ?? ofStatement ?? (statement instanceof Insert && isUpsert(statement));
}

function isUpsert({ parts: { conflict, returning } }: Insert<unknown, unknown>): boolean {
  return conflict?.values !== undefined && returning === "instances";
}
