import { NO_VALUE } from "../instance/history.ts";
import { stateOf } from "../instance/instance.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import { FLAGGED, UNCHANGED } from "../instance/instance-state.ts";
import { mapperOfState } from "../mapping/mapper.ts";
import type { Instance } from "../mapping/model-types.ts";
import { isSameValue } from "../unit-of-work/same-value.ts";

/** What a committed transaction did to one instance. */
export interface Change {
  readonly target: Instance;
  readonly operation: "insert" | "update" | "delete";
  /**
   * By attribute: of an insert every stored value, of an update those that changed, of a delete those that were in memory. There is no `old` of an insert, no `new` of
   * a delete, and `old` is NO_VALUE where the old value was never loaded.
   */
  readonly values: Readonly<Record<string, { readonly old: unknown; readonly new: unknown }>>;
}

/** Tells what the flush did to an instance. Asked before its state takes the new values for granted. */
export function changeOf(state: InstanceState, operation: Change["operation"]): Change {
  const values: Record<string, { old: unknown; new: unknown }> = {};
  const written = state.writtenValues();
  for (const { key, slot, column } of mapperOfState(state).columnProperties) {
    const current = written[slot];
    if (operation === "insert") values[key] = { old: undefined, new: current ?? null };
    else if (operation === "delete") {
      if (current !== undefined) values[key] = { old: current, new: undefined };
    } else {
      const old = state.committed === undefined ? UNCHANGED : state.committed[slot];
      if (old !== UNCHANGED && !isSameValue(column.options.type.isEqual, old, current))
        values[key] = { old: old === FLAGGED ? NO_VALUE : old, new: current ?? null };
    }
  }
  return { target: state.instance, operation, values };
}

/**
 * What several flushes did, told as one: an instance that was inserted and then updated was inserted with its last values, one that was inserted and then
 * deleted was never there, and a value that was changed and changed back did not change. One that was deleted and, made transient, inserted again is told
 * twice: of a row that is gone and of a new one.
 */
export function consolidate(changes: readonly Change[]): readonly Change[] {
  const gone: Change[] = [];
  const byTarget = new Map<Instance, Change>();
  for (const change of changes) {
    const earlier = byTarget.get(change.target);
    if (earlier === undefined) byTarget.set(change.target, change);
    else if (earlier.operation === "insert" && change.operation === "delete") byTarget.delete(change.target);
    else if (earlier.operation === "delete") {
      gone.push(earlier);
      byTarget.delete(change.target);
      byTarget.set(change.target, change);
    } else byTarget.set(change.target, combine(earlier, change));
  }
  // A row of an update that changed nothing is no change.
  return [...gone, ...byTarget.values()].filter(
    ({ operation, values }) => operation !== "update" || Object.keys(values).length > 0,
  );
}

function combine(earlier: Change, later: Change): Change {
  const values = later.operation === "delete" ? { ...later.values } : { ...earlier.values, ...later.values };
  for (const key of Object.keys(values)) {
    const before = earlier.values[key];
    const after = later.values[key];
    if (before !== undefined && after !== undefined) values[key] = { old: before.old, new: after.new };
  }
  const operation = earlier.operation === "insert" ? "insert" : later.operation;
  if (operation === "update") dropUnchanged(later.target, values);
  return { target: later.target, operation, values };
}

function dropUnchanged(target: Instance, values: Record<string, Change["values"][string]>): void {
  const mapper = mapperOfState(stateOf(target));
  for (const [key, { old, new: current }] of Object.entries(values))
    if (isSameValue(mapper.column(key)?.column.options.type.isEqual, old, current)) delete values[key];
}
