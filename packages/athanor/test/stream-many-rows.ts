import { createEngine, integer, model, select, sessionmaker, sql, text } from "../src/index.ts";

// Streams the rows of a view of the database in the first argument, as many as the second says, and prints how many it saw and the most that the heap held after a portion.
// Run with little memory: it ends with an error where rows are kept.

class Entry extends model("entries", { id: integer().primaryKey(), name: text(), note: text() }) {}

const [url = "sqlite::memory:", count = "1000000"] = process.argv.slice(2);
const rows = sql.raw(
  url.startsWith("sqlite")
    ? `with recursive n(id) as (select 1 union all select id + 1 from n where id < ${count}) select id from n`
    : `select id from generate_series(1, ${count}) as n(id)`,
);
const engine = createEngine(url);
await using session = sessionmaker(engine, { models: [Entry] })();
await session.execute(
  sql`create temporary view entries as select id, 'name ' || id as name, 'some more text, so that rows weigh something' as note from (${rows}) as rows`,
);

let seen = 0;
let most = 0;
const begun = performance.now();
for await (const entries of session.stream(select(Entry)).partitions(1000)) {
  seen += entries.length;
  if (entries.at(-1)?.name !== `name ${seen}`) throw new Error(`Row ${seen} is another one.`);
  most = Math.max(most, process.memoryUsage().heapUsed);
}
// oxlint-disable-next-line no-console -- what the test reads
console.log(
  JSON.stringify({
    seen,
    megabytes: Math.round(most / 2 ** 20),
    milliseconds: Math.round(performance.now() - begun),
    kept: session.identityMap.size,
  }),
);
await session.close();
await engine.dispose();
