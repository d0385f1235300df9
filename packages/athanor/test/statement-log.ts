import { type AnyModel, type CursorEvent, type Engine, inspect, type Instance, listen } from "../src/index.ts";

const rowEvents = [
  "beforeInsert",
  "afterInsert",
  "beforeUpdate",
  "afterUpdate",
  "beforeDelete",
  "afterDelete",
] as const;

/**
 * Writes down the statements of an engine with their parameters, and the row events between them:
 *
 *     beforeInsert ann
 *     INSERT users (name) ["ann"]
 *     UPDATE posts SET author_id WHERE id [null,1] [null,2]
 *     DELETE users WHERE id, version [1,3]
 *
 * Each row has its brackets: whether a database runs one statement for each or one for all of them is not what tests of an order are about, so neighbours
 * of one text are one line. Quotes, placeholders and RETURNING are left out, which databases write differently.
 */
export class StatementLog {
  #lines: { readonly text: string; readonly rows: string[] }[] = [];
  readonly #names = new Map<object, string>();

  constructor(engine: Engine, models: readonly AnyModel[]) {
    listen(engine, "beforeCursorExecute", (event) => this.#writeStatement(event));
    for (const model of models)
      for (const name of rowEvents) listen(model, name, ({ target }) => this.write(`${name} ${this.#nameOf(target)}`));
  }

  /** What was written since the last time this was asked. */
  take(): string[] {
    return this.#lines.splice(0).map(({ text, rows }) => [text, ...rows].join(" "));
  }

  /** Adds a line of the test's own. */
  write(line: string): void {
    this.#lines.push({ text: line, rows: [] });
  }

  /** Gives an instance the name under which it appears; without one it is its class and key. */
  name<T extends Instance>(name: string, instance: T): T {
    this.#names.set(instance, name);
    return instance;
  }

  #nameOf(instance: Instance): string {
    const { mapper, identity } = inspect(instance);
    return this.#names.get(instance) ?? `${mapper.class.name}(${identity?.join(",") ?? ""})`;
  }

  #writeStatement({ statement, parameters, executemany }: CursorEvent): void {
    const { text, width } = shapeOf(statement.replaceAll('"', ""));
    const values = (executemany ? parameters.flat() : parameters) as readonly unknown[];
    const rows: string[] = [];
    for (let start = 0; start < values.length; start += width ?? values.length)
      rows.push(JSON.stringify(values.slice(start, start + (width ?? values.length))));
    const last = this.#lines.at(-1);
    if (last?.text === text) last.rows.push(...rows);
    else this.#lines.push({ text, rows });
  }
}

/** What a statement does to which columns, and how many parameters one row of it has. */
function shapeOf(sql: string): { readonly text: string; readonly width?: number } {
  const insert = /^insert into (\w+) (?:\(([^)]*)\) values|default values)/.exec(sql);
  if (insert !== null) {
    const columns = names(insert[2]);
    return { text: `INSERT ${insert[1]} (${columns.join(", ")})`, width: columns.length };
  }
  const update = /^update (\w+) set (.*) where (.*)$/.exec(sql);
  if (update !== null) {
    const [changed, found] = [assigned(update[2]), assigned(update[3])];
    const text = `UPDATE ${update[1]} SET ${changed.join(", ")} WHERE ${found.join(", ")}`;
    return { text, width: changed.length + found.length };
  }
  const removal = /^delete from (\w+) where (.*)$/.exec(sql);
  if (removal !== null) {
    const found = assigned(removal[2]);
    return { text: `DELETE ${removal[1]} WHERE ${found.join(", ")}`, width: found.length };
  }
  return { text: sql.replace(/^select .*? from (\w+).*$/, "SELECT $1") };
}

function names(list = ""): string[] {
  return list.split(",").map((name) => name.trim());
}

function assigned(list = ""): string[] {
  return [...list.matchAll(/(\w+) = /g)].map(([, name]) => name as string);
}
