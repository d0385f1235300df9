import {
  deleteFrom,
  flagModified,
  insert,
  inspect,
  type Instance,
  joinedLoad,
  load,
  type LoaderOption,
  makeTransient,
  makeTransientToDetached,
  select,
  selectinLoad,
  type Session,
  type SessionTransaction,
  sql,
  update,
} from "../../src/index.ts";
import type { Labels } from "./labels.ts";
import { type Family, type Holding, type Kind, kindNamed } from "./models.ts";
import type { Json, StepRecord } from "./program.ts";
import { historyOf } from "./recorder.ts";

/** What the steps of one program work on. */
export interface Stage {
  readonly session: Session;
  readonly family: Family;
  readonly labels: Labels;
  /** The savepoints that are open, the innermost one last. */
  readonly savepoints: SessionTransaction[];
}

type Values = Readonly<Record<string, Json>>;
type Conditions = readonly (readonly [key: string, operator: string, value: Json])[];

/** An instance or class whose members are named by data. */
// oxlint-disable-next-line typescript/no-explicit-any -- programs name attributes, and some are made to fail
type Anything = any;

/** Does what a step says. Answers with its result, if it has one. */
export async function runStep(stage: Stage, [name, ...values]: StepRecord["step"]): Promise<unknown> {
  const step = steps[name];
  if (step === undefined) throw new Error(`There is no step called "${name}".`);
  return await step(stage, ...values);
}

const steps: Readonly<Record<string, (stage: Stage, ...values: Anything[]) => unknown>> = {
  new({ family, labels }, label: string, className: string, values: Values) {
    const kind = kindNamed(family, className);
    const given = Object.entries(values).map(([key, value]) => [key, valueFor(labels, kind, key, value)]);
    const Class = kind.model as unknown as new (values: object) => Instance;
    labels.construct(label, () => new Class(Object.fromEntries(given)));
  },

  add({ session, labels }, label: string) {
    session.add(labels.find(label));
  },

  addAll({ session, labels }, names: readonly string[]) {
    session.addAll(names.map((label) => labels.find(label)));
  },

  async delete({ session, labels }, label: string) {
    await session.delete(labels.find(label));
  },

  expunge({ session, labels }, label: string) {
    session.expunge(labels.find(label));
  },

  expungeAll({ session }) {
    session.expungeAll();
  },

  async close({ session, savepoints }) {
    savepoints.length = 0;
    await session.close();
  },

  set({ family, labels }, label: string, key: string, value: Json) {
    const target: Anything = labels.find(label);
    target[key] = valueFor(labels, kindOf(family, target), key, value);
  },

  append({ labels }, label: string, key: string, member: string) {
    const { collection, value } = membership(labels, label, key, member);
    if (collection instanceof Set) collection.add(value);
    else if (collection instanceof Map) collection.set(value.key, value);
    else collection.push(value);
  },

  insertAt({ labels }, label: string, key: string, index: number, member: string) {
    const { collection, value } = membership(labels, label, key, member);
    collection.splice(index, 0, value);
  },

  remove({ labels }, label: string, key: string, member: string) {
    const { collection, value } = membership(labels, label, key, member);
    if (collection instanceof Set) collection.delete(value);
    else if (collection instanceof Map) collection.delete(value.key);
    else collection.splice(collection.indexOf(value), 1);
  },

  pop({ labels }, label: string, key: string, index: number) {
    const target: Anything = labels.find(label);
    const collection: object[] = target[key];
    // As a program would: arrays have a pop of their own for the end alone.
    if (index === collection.length - 1) collection.pop();
    else collection.splice(index, 1);
  },

  async load({ labels }, label: string, key: string) {
    return (await load(labels.find(label), key as never)) ?? null;
  },

  flush: ({ session }) => session.flush(),

  async commit({ session, savepoints }) {
    await session.commit();
    savepoints.length = 0;
  },

  async rollback({ session, savepoints }) {
    savepoints.length = 0;
    await session.rollback();
  },

  async begin({ session }) {
    await session.begin();
  },

  async beginNested({ session, savepoints }) {
    savepoints.push(await session.beginNested());
  },

  nestedCommit: ({ savepoints }) => innermost(savepoints).commit(),

  nestedRollback: ({ savepoints }) => innermost(savepoints).rollback(),

  expire({ session, labels }, label: string, keys: readonly string[] | null) {
    session.expire(labels.find(label), keys ?? undefined);
  },

  expireAll({ session }) {
    session.expireAll();
  },

  async refresh({ session, labels }, label: string, keys: readonly string[] | null) {
    await session.refresh(labels.find(label), keys ?? undefined);
  },

  get: ({ session, family }, className: string, key: Json) =>
    session.get(kindNamed(family, className).model, key as never),

  async select({ session, family }, className: string, parts: Anything) {
    const { model } = kindNamed(family, className);
    let statement: Anything = select(model as Anything).orderBy((entity) => keysOf(model, entity as Anything));
    for (const condition of (parts.where ?? []) as Conditions) statement = statement.where(holds(condition));
    for (const path of (parts.options ?? []) as readonly string[][])
      statement = statement.options(loaderPath(model, path));
    if (parts.populateExisting) statement = statement.executionOptions({ populateExisting: true });
    return [...new Set((await session.scalars(statement)).all())];
  },

  async merge({ session, labels }, label: string, given: string) {
    const merged = await session.merge(labels.find(given));
    labels.suggest(label, merged);
    return merged;
  },

  makeTransient({ labels }, label: string) {
    makeTransient(labels.find(label));
  },

  makeTransientToDetached({ labels }, label: string) {
    makeTransientToDetached(labels.find(label));
  },

  flagModified({ labels }, label: string, key: string) {
    flagModified(labels.find(label), key);
  },

  history({ family, labels }, label: string, key: string) {
    const target = labels.find(label);
    return historyOf(target, key, kindOf(family, target).relationships[key]);
  },

  isModified: ({ session, labels }, label: string) => session.isModified(labels.find(label)),

  async bulkInsert({ session, family }, className: string, rows: readonly Values[]) {
    await session.execute(insert<Anything>(kindNamed(family, className).model), rows);
  },

  async bulkUpdate({ session, family }, className: string, where: Conditions, values: Values, sync: Json) {
    let statement = update<Anything>(kindNamed(family, className).model);
    for (const condition of where) statement = statement.where(holds(condition));
    return (await session.execute(statement.values(values), undefined, synchronizing(sync))).rowCount;
  },

  async bulkDelete({ session, family }, className: string, where: Conditions, sync: Json) {
    let statement = deleteFrom<Anything>(kindNamed(family, className).model);
    for (const condition of where) statement = statement.where(holds(condition));
    return (await session.execute(statement, undefined, synchronizing(sync))).rowCount;
  },

  async sql({ session }, text: string) {
    await session.execute(sql.raw(text));
  },
};

function kindOf(family: Family, instance: Instance): Kind {
  return kindNamed(family, instance.constructor.name);
}

/** The value for an attribute: a list of a program becomes what the relationship holds its members in. */
function valueFor(labels: Labels, { relationships }: Kind, key: string, given: Json): unknown {
  const value = labels.decode(given);
  return Array.isArray(value) ? collected(value, relationships[key]) : value;
}

function collected(members: readonly Anything[], holding: Holding | undefined): unknown {
  if (holding === "set") return new Set(members);
  return holding === "map" ? new Map(members.map((member) => [member.key, member])) : members;
}

function membership(
  labels: Labels,
  label: string,
  key: string,
  member: string,
): Record<"collection" | "value", Anything> {
  const target: Anything = labels.find(label);
  return { collection: target[key], value: labels.decode(member) };
}

function innermost(savepoints: SessionTransaction[]): SessionTransaction {
  const savepoint = savepoints.pop();
  if (savepoint === undefined) throw new Error("No savepoint is open.");
  return savepoint;
}

/** A condition of a program, for `where`. */
function holds([key, operator, value]: Conditions[number]): (entity: Anything) => Anything {
  return (entity) => entity[key][operator](value);
}

/** The attributes that make up the key of a class, to order by. */
function keysOf(model: Kind["model"], entity: Anything): Anything[] {
  return inspect(model).primaryKey.map(({ key }) => entity[key]);
}

function loaderPath(model: Anything, [strategy, ...keys]: readonly string[]): LoaderOption {
  const root = { joinedLoad, selectinLoad } as Anything;
  const name = `${strategy}Load`;
  return keys.slice(1).reduce((path, key) => path[name](key), root[name](model, keys[0]));
}

function synchronizing(synchronizeSession: Json): Anything {
  return { executionOptions: { synchronizeSession } };
}
