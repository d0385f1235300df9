import { type Attribute, attributes } from "../src/sql/attribute.ts";
import type { Engine } from "../src/engine/engine.ts";
import { listen } from "../src/event/listen.ts";
import type { Instance } from "../src/instance/instance.ts";
import { NO_VALUE } from "../src/instance/history.ts";
import { inspect } from "../src/mapping/inspect.ts";
import type { AnyModel } from "../src/mapping/model-types.ts";
import type { LifecycleEvent } from "../src/session/session-events.ts";
import type { SessionMaker } from "../src/session/sessionmaker.ts";
import type { SessionTransaction } from "../src/session/session-transaction.ts";

const lifecycleEvents = [
  "beforeAttach",
  "afterAttach",
  "transientToPending",
  "pendingToTransient",
  "pendingToPersistent",
  "persistentToTransient",
  "loadedAsPersistent",
  "persistentToDeleted",
  "deletedToPersistent",
  "deletedToDetached",
  "persistentToDetached",
  "detachedToPersistent",
] as const;

const plainSessionEvents = [
  "beforeFlush",
  "afterFlush",
  "afterFlushPostexec",
  "beforeCommit",
  "afterCommit",
  "beforeSavepointRelease",
  "afterSavepointRelease",
  "afterRollback",
] as const;

const rowEvents = [
  "beforeInsert",
  "afterInsert",
  "beforeUpdate",
  "afterUpdate",
  "beforeDelete",
  "afterDelete",
] as const;

/** What an event log listens to. */
export interface Watched {
  readonly engine: Engine;
  readonly sessions: SessionMaker;
  readonly models: readonly AnyModel[];
}

/**
 * Writes down everything that happens to an engine, the sessions of a sessionmaker and the instances of some models, a line an event:
 * `BEGIN`, `INSERT users`, `beforeFlush`, `afterBegin root`, `beforeInsert ann`, `set ann.name "a" → "b"`.
 *
 * `afterTransactionCreate` and the like say which transaction: `root`, `savepoint`, or `flush`, the one that each flush opens inside another.
 */
export class EventLog {
  #lines: string[] = [];
  readonly #names = new Map<object, string>();

  constructor({ engine, sessions, models }: Watched) {
    this.#watchEngine(engine);
    this.#watchSessions(sessions);
    for (const model of models) this.#watchModel(model);
  }

  /** What was written since the last time this was asked. */
  take(): string[] {
    return this.#lines.splice(0);
  }

  /** Adds a line of the test's own. */
  write(line: string): void {
    this.#lines.push(line);
  }

  /** Gives an instance the name under which it appears; without one it is its class and key. */
  name<T extends Instance>(name: string, instance: T): T {
    this.#names.set(instance, name);
    return instance;
  }

  nameOf(instance: Instance): string {
    const { mapper, identity } = inspect(instance);
    return this.#names.get(instance) ?? `${mapper.class.name}(${identity?.join(",") ?? ""})`;
  }

  #watchEngine(engine: Engine): void {
    listen(engine, "begin", () => this.write("BEGIN"));
    listen(engine, "commit", () => this.write("COMMIT"));
    listen(engine, "rollback", () => this.write("ROLLBACK"));
    listen(engine, "checkin", () => this.write("checkin"));
    listen(engine, "beforeCursorExecute", ({ statement }) => {
      const line = summary(statement);
      // Some databases insert several rows by one statement and others each by its own, which is not what these tests are about.
      if (this.#lines.at(-1) !== line) this.write(line);
    });
  }

  #watchSessions(sessions: SessionMaker): void {
    for (const name of plainSessionEvents) listen(sessions, name, () => this.write(name));
    for (const name of lifecycleEvents)
      listen(sessions, name, ({ target }: LifecycleEvent) => this.write(`${name} ${this.nameOf(target)}`));
    listen(sessions, "afterTransactionCreate", ({ transaction }) =>
      this.write(`afterTransactionCreate ${kindOf(transaction)}`),
    );
    listen(sessions, "afterTransactionEnd", ({ transaction }) =>
      this.write(`afterTransactionEnd ${kindOf(transaction)}`),
    );
    listen(sessions, "afterBegin", ({ transaction }) => this.write(`afterBegin ${kindOf(transaction)}`));
    listen(sessions, "afterSoftRollback", ({ previousTransaction }) =>
      this.write(`afterSoftRollback ${kindOf(previousTransaction)}`),
    );
    listen(sessions, "doOrmExecute", ({ isColumnLoad }) =>
      this.write(`doOrmExecute${isColumnLoad ? " column load" : ""}`),
    );
  }

  #watchModel(model: AnyModel): void {
    for (const name of rowEvents) listen(model, name, ({ target }) => this.write(`${name} ${this.nameOf(target)}`));
    listen(model, "init", () => this.write(`init ${model.name}`));
    listen(model, "load", ({ target }) => this.write(`load ${this.nameOf(target)}`));
    const write = (name: string, target: Instance, attrs: readonly string[] | undefined): void =>
      this.write(`${name} ${this.nameOf(target)}${attrs === undefined ? "" : ` [${attrs.join(", ")}]`}`);
    listen(model, "refresh", ({ target, attrs }) => write("refresh", target, attrs));
    listen(model, "expire", ({ target, attrs }) => write("expire", target, attrs));
    listen(model, "refreshFlush", ({ target, attrs }) => write("refreshFlush", target, attrs));
    const all = attributes(model) as unknown as Readonly<Record<string, Attribute<Instance, unknown, "column">>>;
    for (const attribute of Object.values(all)) {
      listen(attribute, "set", ({ target, value, oldValue }) =>
        this.write(`set ${this.nameOf(target)}.${attribute.key} ${shown(oldValue)} → ${shown(value)}`),
      );
    }
  }
}

function kindOf({ origin }: SessionTransaction): string {
  return origin === "subtransaction" ? "flush" : origin === "beginNested" ? "savepoint" : "root";
}

function shown(value: unknown): string {
  return value === NO_VALUE ? "NO_VALUE" : (JSON.stringify(value) ?? String(value));
}

/** What a statement does, and to which table. */
function summary(statement: string): string {
  const [, verb, table] =
    /^(insert) into "(\w+)"/.exec(statement) ??
    /^(update) "(\w+)"/.exec(statement) ??
    /^(delete|select) .*?\bfrom "(\w+)"/.exec(statement) ??
    [];
  return verb === undefined ? statement.replace(/ ".*$/, "").toUpperCase() : `${verb.toUpperCase()} ${table}`;
}
