import { expectState, type Instance } from "../instance/instance.ts";
import type { History } from "../instance/history.ts";
import type { InstanceState, Lifecycle } from "../instance/instance-state.ts";
import { mapperOf } from "./configure-mappers.ts";
import { type Mapper, mapperOfState } from "./mapper.ts";
import type { AnyModel, AttributeName } from "./model-types.ts";

/** One attribute of one instance, as `inspect(user).attributes.email` shows it. */
export interface AttributeInspection<TValue = unknown> {
  readonly key: string;
  /** The value in memory; undefined where none is. Loads nothing. */
  readonly loadedValue: TValue | undefined;
  /** What a flush would write for it. Loads nothing. */
  readonly history: History<TValue>;
}

/** Every attribute of an instance by name. */
export type AttributeInspections<TInstance> = {
  readonly [K in AttributeName<TInstance>]: AttributeInspection<K extends keyof TInstance ? TInstance[K] : unknown>;
};

/**
 * What Athanor knows of an instance.
 *
 * SQLAlchemy: ORM Examples, Inspection of Mapped Instances, `InstanceState`.
 */
export interface InstanceInspection<TInstance> {
  readonly mapper: Mapper<TInstance>;
  readonly lifecycle: Lifecycle;
  /** New, and in no session. */
  readonly transient: boolean;
  /** New, and in a session. */
  readonly pending: boolean;
  /** In a session, with a row. */
  readonly persistent: boolean;
  /** Its DELETE is flushed and not committed. */
  readonly deleted: boolean;
  /** It has a row, and no session. */
  readonly detached: boolean;
  /** It was deleted, in this transaction or one before. */
  readonly wasDeleted: boolean;
  /** Whether something was set since it was loaded or flushed. */
  readonly modified: boolean;
  /** The key of its row, in the order of the key's columns; undefined where there is none. */
  readonly identity: readonly unknown[] | undefined;
  /** The names of the stored attributes that are not in memory. */
  readonly unloaded: ReadonlySet<string>;
  readonly attributes: AttributeInspections<TInstance>;
}

/** What `inspect` answers with: a mapper for a class, an inspection for an instance. */
export type Inspection<TTarget> = TTarget extends AnyModel
  ? Mapper<InstanceType<TTarget>>
  : TTarget extends Instance
    ? InstanceInspection<TTarget>
    : never;

/**
 * Tells what Athanor knows: of a class, its mapper (tables, columns, key); of an instance, its state (where it stands, its histories).
 *
 * SQLAlchemy: Runtime Inspection API, `inspect`.
 *
 * @example
 * inspect(User).table.name; // "users"
 * inspect(user).persistent; // true
 * inspect(user).attributes.email.history.hasChanges();
 */
export function inspect<TTarget extends AnyModel | Instance>(target: TTarget): Inspection<TTarget> {
  return (
    typeof target === "function" ? mapperOf(target) : inspectInstance(expectState(target))
  ) as Inspection<TTarget>;
}

function inspectInstance(state: InstanceState): InstanceInspection<unknown> {
  const { lifecycle } = state;
  const attributes: Record<string, AttributeInspection> = {};
  for (const attribute of state.instrumentation.attributes) {
    attributes[attribute.key] = {
      key: attribute.key,
      loadedValue: attribute.loadedValue(state),
      get history() {
        return attribute.history(state);
      },
    };
  }
  return {
    mapper: mapperOfState(state),
    lifecycle,
    transient: lifecycle === "transient",
    pending: lifecycle === "pending",
    persistent: lifecycle === "persistent",
    deleted: lifecycle === "deleted",
    detached: lifecycle === "detached",
    wasDeleted: state.deleted,
    modified: state.modified,
    identity: state.key === undefined ? undefined : state.identityValues,
    unloaded: new Set(state.unreadNames()),
    attributes: attributes as never,
  };
}
