import {
  type AnyModel,
  attributes,
  getHistory,
  inspect,
  type Instance,
  listen,
  type Listening,
  type Session,
  type SessionMaker,
} from "../../src/index.ts";
import type { Labels } from "./labels.ts";
import { type Family, type Holding, type Kind, kindNamed } from "./models.ts";
import type { EventRecord, Json, StepRecord } from "./program.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- events of many kinds are read by name
type AnyEvent = any;

/** `listen` for targets and events that are named by data. */
export const listenTo = listen as unknown as (
  target: unknown,
  name: string,
  listener: (event: AnyEvent) => unknown,
  options?: { readonly retval?: boolean },
) => Listening;

/** SQLAlchemy's name of an event or operation: `beforeFlush` is before_flush. */
function spelled(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Ours of one of SQLAlchemy's events. A savepoint's release has its own here and shares those of commit there. */
export function namesOf(spelling: string): string[] {
  const name = spelling.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  if (name === "beforeCommit") return [name, "beforeSavepointRelease"];
  return name === "afterCommit" ? [name, "afterSavepointRelease"] : [name];
}

/** Row events, as SQLAlchemy spells them. */
export const rowEvents = [
  "before_insert",
  "after_insert",
  "before_update",
  "after_update",
  "before_delete",
  "after_delete",
] as const;

const lifecycleEvents = [
  "before_attach",
  "after_attach",
  "transient_to_pending",
  "pending_to_transient",
  "pending_to_persistent",
  "persistent_to_transient",
  "loaded_as_persistent",
  "persistent_to_deleted",
  "deleted_to_persistent",
  "deleted_to_detached",
  "persistent_to_detached",
  "detached_to_persistent",
];

const flushEvents = ["before_flush", "after_flush", "after_flush_postexec"];
const plainSessionEvents = ["before_commit", "after_commit", "after_rollback"];
const transactionEvents = ["after_transaction_create", "after_transaction_end", "after_begin", "after_soft_rollback"];

/** Writes down what the models and the session of one program do, step by step. */
export class Recorder {
  readonly labels: Labels;
  readonly #family: Family;
  #events: EventRecord[] = [];
  readonly #states = new Map<string, string>();

  constructor(family: Family, labels: Labels) {
    this.#family = family;
    this.labels = labels;
  }

  /** Adds an event to the record of the running step. */
  record(name: string, ...fields: unknown[]): void {
    this.#events.push([name, ...fields.map((field) => this.labels.encode(field))]);
  }

  /** Listens to the sessions that a program's sessionmaker makes. */
  watchSessions(sessions: SessionMaker): void {
    const watch = (spelling: string, fieldsOf: (event: AnyEvent) => unknown[]): void => {
      for (const name of namesOf(spelling))
        listenTo(sessions, name, (event) => this.record(spelling, ...fieldsOf(event)));
    };
    for (const name of lifecycleEvents) watch(name, ({ target }) => [target]);
    for (const name of plainSessionEvents) watch(name, () => []);
    for (const name of flushEvents) watch(name, ({ session }) => Object.values(this.#sets(session)));
    for (const name of transactionEvents)
      watch(name, ({ transaction, previousTransaction }) => [transactionKind(transaction ?? previousTransaction)]);
    watch("do_orm_execute", (event) => [statementKind(event), event.bindMapper?.class.name ?? null, purpose(event)]);
  }

  /** The record of a step that has ended: everything that happened since the one before. */
  take(step: StepRecord["step"], session: Session, outcome: Pick<StepRecord, "result" | "error">): StepRecord {
    const events = this.#events;
    this.#events = [];
    const state = this.#changedStates();
    const sets = Object.entries(this.#sets(session)).filter(([, labels]) => labels.length > 0);
    return { step, ...outcome, events, state, ...Object.fromEntries(sets) };
  }

  #sets(session: Session): Record<"new" | "dirty" | "deleted", string[]> {
    return {
      new: this.labels.sorted(session.new),
      dirty: this.labels.sorted(session.dirty),
      deleted: this.labels.sorted(session.deleted),
    };
  }

  #changedStates(): StepRecord["state"] {
    const changed: Record<string, Json> = {};
    for (const [label, instance] of this.labels.instances) {
      const state = this.#stateOf(instance);
      const text = JSON.stringify(state);
      if (this.#states.get(label) === text) continue;
      this.#states.set(label, text);
      changed[label] = state;
    }
    return changed;
  }

  /** Where the instance stands, with what it has in memory. */
  #stateOf(instance: Instance): Json {
    const { relationships } = kindNamed(this.#family, instance.constructor.name);
    const inspected = inspect(instance);
    const held: Record<string, Json> = {};
    for (const { key, loadedValue } of Object.values(inspected.attributes)) {
      if (loadedValue !== undefined && relationships[key] !== "one") held[key] = this.labels.encode(loadedValue);
    }
    return [inspected.lifecycle, held];
  }
}

let current: Recorder | undefined;
const watched = new Set<Family>();

/** Sends what happens to a family's models to this recorder, until another one, or none, takes over. */
export function recordModels(family: Family, recorder: Recorder | undefined): void {
  current = recorder;
  if (watched.has(family)) return;
  watched.add(family);
  const kinds = Object.entries(family.kinds);
  for (const [, { model }] of kinds) inspect(model);
  for (const [name, kind] of kinds) {
    if (name === kind.base) watchClass(kind.model);
    watchAttributes(kind, kindNamed(family, kind.base));
  }
}

function watchClass(model: AnyModel): void {
  listenTo(model, "init", ({ target, values }) => current?.record("init", target, Object.keys(values).sort()));
  listenTo(model, "load", ({ target }) => current?.record("load", target));
  for (const name of ["refresh", "expire"])
    listenTo(model, name, ({ target, attrs }: { target: Instance; attrs: readonly string[] | undefined }) =>
      current?.record(name, target, attrs === undefined ? null : [...attrs].sort()),
    );
  for (const spelling of rowEvents) {
    for (const name of namesOf(spelling))
      listenTo(model, name, ({ target }) => current?.record(spelling, target, target.constructor.name));
  }
}

/** Listens to each attribute on the class that declares it: what a subclass repeats, it has from its base. */
function watchAttributes({ model, relationships }: Kind, base: Kind): void {
  const all = attributes(model) as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(all)) {
    if (base.model !== model && key in attributes(base.model)) continue;
    const holding = relationships[key];
    if (holding === undefined || holding === "one") watchScalar(all[key]);
    else watchCollection(all[key], holding);
  }
}

function watchScalar(attribute: unknown): void {
  const { key } = attribute as { key: string };
  listenTo(attribute, "set", ({ target, value, oldValue, initiator }) =>
    current?.record("set", target, key, value, oldValue, initiatorText(initiator)),
  );
  listenTo(attribute, "remove", ({ target, value, initiator }) =>
    current?.record("remove", target, key, value, initiatorText(initiator)),
  );
}

function watchCollection(attribute: unknown, holding: Holding): void {
  const { key } = attribute as { key: string };
  for (const name of ["append", "remove"]) {
    listenTo(attribute, name, ({ target, value, initiator }) =>
      current?.record(name, target, key, value, initiatorText(initiator)),
    );
  }
  listenTo(attribute, "bulkReplace", ({ target, values, initiator }) => {
    const members: unknown[] = [...(values instanceof Map ? values.values() : values)];
    const given = holding === "set" ? new Set(members) : members;
    current?.record("bulk_replace", target, key, given, initiatorText(initiator));
  });
}

function initiatorText({ key, operation }: { readonly key: string; readonly operation: string }): string {
  return `${key}:${spelled(operation)}`;
}

function transactionKind({ origin, nested }: { readonly origin: string; readonly nested: boolean }): string {
  return nested ? "nested" : origin === "subtransaction" ? "sub" : "root";
}

function statementKind(event: AnyEvent): string {
  const { isSelect, isInsert, isUpdate, isDelete } = event;
  return isSelect ? "select" : isInsert ? "insert" : isUpdate ? "update" : isDelete ? "delete" : "other";
}

function purpose({ isRelationshipLoad, isColumnLoad }: AnyEvent): string {
  return isRelationshipLoad ? "relationship_load" : isColumnLoad ? "column_load" : "top";
}

/** What a flush would write for an attribute: added, unchanged, deleted, sorted where the collection has no order. */
export function historyOf(instance: Instance, key: string, holding: Holding | undefined): readonly unknown[] {
  const { added, unchanged, deleted } = getHistory(instance, key);
  const isUnordered = holding === "set" || holding === "map";
  return [added, unchanged, deleted].map((part) => (isUnordered ? new Set(part) : part));
}
