import { Result } from "../engine/result.ts";
import { ArgumentError } from "../event/errors.ts";
import type { Mapper } from "../mapping/mapper.ts";
import { describeGiven } from "../sql/expression.ts";
import type { Insert } from "../sql/insert.ts";
import { expectColumn } from "../sql/update.ts";
import { defaultsOf, valueOf } from "../unit-of-work/column-defaults.ts";
import { insertRows, type NewRow } from "../unit-of-work/insert-rows.ts";
import type { SessionState } from "./session-state.ts";

/** Executes `insert(User)` with the rows that it was given. No instance is made of them. */
export async function runInsert(
  core: SessionState,
  statement: Insert<unknown>,
  given: unknown,
): Promise<Result<unknown>> {
  const { mapper } = statement;
  const rows = expectRows(mapper, given).map((row) => newRow(mapper, row));
  const connection = await core.autobegin().connect();
  for (const table of mapper.tables) {
    for (const row of rows) row.state.written = false;
    await insertRows(rows, table, connection);
  }
  return new Result<unknown>([], rows.length);
}

function expectRows(mapper: Mapper, given: unknown): readonly Readonly<Record<string, unknown>>[] {
  const rows: readonly unknown[] = Array.isArray(given) ? given : [given];
  for (const row of rows) {
    if (typeof row === "object" && row !== null && !Array.isArray(row)) continue;
    throw new ArgumentError(
      `insert(${mapper.class.name}) was executed with ${given === undefined ? "no rows" : `${describeGiven(row)} for a row`}. ` +
        `Give it one object with values by attribute, or a list of them: session.execute(insert(${mapper.class.name}), [{ … }, { … }]).`,
    );
  }
  return rows as readonly Readonly<Record<string, unknown>>[];
}

/** The values of a row by slot, with what the program left out: its class's identity, defaults, the first version. */
function newRow(mapper: Mapper, given: Readonly<Record<string, unknown>>): NewRow {
  const values: unknown[] = mapper.instrumentation.empty.slice();
  for (const key in given) {
    const { slot } = expectColumn(mapper, key);
    values[slot] = given[key];
  }
  const { polymorphicOn, polymorphicIdentity, version } = mapper;
  if (polymorphicOn !== undefined) values[polymorphicOn.slot] ??= polymorphicIdentity;
  // As when instances are written, null counts as not set where there is a default.
  for (const { property, options } of defaultsOf(mapper)) values[property.slot] ??= valueOf(options);
  if (version !== undefined) values[version.slot] ??= 1;
  return { mapper, state: { values, written: false }, refreshed: undefined, isInserted: false };
}
