import type { MaybePromise } from "../engine/maybe-promise.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import { ScalarAttribute } from "../instance/scalar-attribute.ts";
import type { ColumnProperty } from "../mapping/mapper.ts";
import type { KeyPair, RelationshipProperty } from "../mapping/relationship-property.ts";
import { FlushError } from "./errors.ts";
import type { FlushPlan } from "./flush-plan.ts";

/** A column whose value is copied, and where to. */
export interface CopiedColumn {
  readonly from: ColumnProperty;
  readonly to: ColumnProperty;
}

/** Copies the key of one row into the foreign key of another, as an assignment: its listeners hear it. An expired source is loaded for it. */
export function copyKey(
  plan: FlushPlan,
  columns: readonly CopiedColumn[],
  source: InstanceState,
  target: InstanceState,
): MaybePromise<void> {
  if (source.unread !== undefined || target.unread !== undefined) return loadAndCopyKey(plan, columns, source, target);
  for (let index = 0; index < columns.length; index++) {
    const { from, to } = columns[index] as CopiedColumn;
    assign(target, to, source.values[from.slot] ?? null);
  }
}

async function loadAndCopyKey(
  plan: FlushPlan,
  columns: readonly CopiedColumn[],
  source: InstanceState,
  target: InstanceState,
): Promise<void> {
  await loadAbsent(
    plan,
    source,
    columns.map(({ from }) => from),
  );
  for (const { from, to } of columns) {
    if (isOldValueAbsent(target, to)) await plan.work.loadColumns(target, [to]);
    assign(target, to, source.values[from.slot] ?? null);
  }
}

/** Empties the foreign key of a row whose reference is gone. */
export async function clearKey(
  plan: FlushPlan,
  property: RelationshipProperty,
  columns: readonly ColumnProperty[],
  target: InstanceState,
): Promise<void> {
  for (const column of columns) {
    if (isOldValueAbsent(target, column)) await plan.work.loadColumns(target, [column]);
    if (column.source.column.primaryKey && target.values[column.slot] != null) {
      throw new FlushError(
        `${property.label} would empty ${target.instrumentation.class.name}.${column.key}, which is part of the key of ${target.describe()}: a row cannot be without its key. ` +
          `Delete it along with its parent: cascade: "all, delete-orphan".`,
      );
    }
    assign(target, column, null);
  }
}

/** The columns of a relationship from the referred class to the referring one. */
export function fromTo(pairs: readonly KeyPair[], direction: "localToRemote" | "remoteToLocal"): CopiedColumn[] {
  return pairs.map(({ local, remote }) =>
    direction === "localToRemote" ? { from: local, to: remote } : { from: remote, to: local },
  );
}

function assign(target: InstanceState, column: ColumnProperty, value: unknown): void {
  target.instrumentation.attributes[column.slot]?.set(target, value);
}

/** Where an old value has to be known, and is not in memory: the whole instance is loaded before the new one is assigned. */
function isOldValueAbsent(target: InstanceState, column: ColumnProperty): boolean {
  const attribute = target.instrumentation.attributes[column.slot];
  return attribute instanceof ScalarAttribute && attribute.activeHistory && isAbsent(target, column);
}

/** Loads an instance some of whose columns the flush must know and memory has not. */
export async function loadAbsent(
  plan: FlushPlan,
  state: InstanceState,
  columns: readonly ColumnProperty[],
): Promise<void> {
  if (columns.some((column) => isAbsent(state, column))) await plan.work.loadColumns(state, columns);
}

function isAbsent(state: InstanceState, { slot }: ColumnProperty): boolean {
  return state.key !== undefined && state.isUnread(slot);
}
