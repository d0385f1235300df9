import type { ExecutionOptions } from "../sql/execution-options.ts";
import { isOrmStatement, type Statement } from "./orm-execute-state.ts";

/** Whether the rows of a statement overwrite what is in memory, changes too: as the execution or the statement says. */
export function populatesExisting(statement: Statement, options: ExecutionOptions): boolean {
  const ofStatement = isOrmStatement(statement) ? statement.parts.executionOptions.populateExisting : undefined;
  return options.populateExisting ?? ofStatement ?? false;
}
