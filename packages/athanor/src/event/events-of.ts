import type { CollectionEvents, ScalarEvents } from "../instance/attribute-events.ts";
import type { InstanceEvents } from "../instance/instance-events.ts";
import type { InstrumentationEvents, MapperConfigurationEvents } from "../mapping/mapper-events.ts";
import type { Mapper } from "../mapping/mapper.ts";
import type { Mixin } from "../mapping/mixin.ts";
import type { Instance, Mapped } from "../mapping/model-types.ts";
import type { SessionEvents } from "../session/session-events.ts";
import type { Session } from "../session/session.ts";
import type { SessionMaker } from "../session/sessionmaker.ts";
import type { Attribute } from "../sql/attribute.ts";
import type { MapperFlushEvents } from "../unit-of-work/mapper-flush-events.ts";

/** The events of a model class, or of everything that has a mixin. */
export interface ModelEvents<TInstance>
  extends InstanceEvents<TInstance>, MapperFlushEvents<TInstance>, InstrumentationEvents, MapperConfigurationEvents {}

/** The events of what has none: its only name says so in the compiler's message. */
export interface NoEvents {
  "This cannot be listened to. Listen to a model class, an attribute, a mixin, a sessionmaker, Session, a session, Model, Mapper or an engine": never;
}

type ElementOf<TCollection> =
  TCollection extends Map<any, infer E>
    ? E
    : TCollection extends Iterable<infer E> | { readonly "~member": infer E }
      ? E
      : never;

/**
 * The events that a target has: what can be listened to on it, and what each listener gets.
 *
 * One conditional type for one `listen`: TypeScript 7 reports only the last of several overloads.
 */
export type EventsOf<TTarget, TRetval = false> = [TTarget] extends [Attribute<infer O, infer V, infer K>]
  ? [K] extends ["many"]
    ? CollectionEvents<O, ElementOf<V>, TRetval>
    : ScalarEvents<O, V, TRetval>
  : [TTarget] extends [SessionMaker | Session | typeof Session]
    ? SessionEvents
    : [TTarget] extends [Mixin<infer M>]
      ? ModelEvents<Mapped<M> & Instance>
      : [TTarget] extends [{ readonly "~events": infer E }]
        ? E
        : [TTarget] extends [typeof Mapper]
          ? ModelEvents<Instance>
          : [TTarget] extends [Mapper<infer I>]
            ? ModelEvents<I>
            : [TTarget] extends [abstract new (...args: any[]) => Instance]
              ? ModelEvents<InstanceType<TTarget>>
              : NoEvents;
