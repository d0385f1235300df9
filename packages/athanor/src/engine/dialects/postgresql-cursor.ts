import type { DriverCursor, RawResult } from "../dialect.ts";
import { quote } from "../quote.ts";

type Run = (sql: string, parameters: readonly unknown[]) => Promise<RawResult>;

/** Opens a cursor of the database's own: the rows that it finds are those of the moment when it was opened. */
export async function openPostgresqlCursor(
  run: Run,
  name: string,
  sql: string,
  parameters: readonly unknown[],
): Promise<DriverCursor> {
  const cursor = quote(name);
  await run(`declare ${cursor} no scroll cursor for ${sql}`, parameters);
  return {
    fetch: (count) => run(`fetch forward ${count} from ${cursor}`, []),
    close: async () => void (await run(`close ${cursor}`, [])),
  };
}
