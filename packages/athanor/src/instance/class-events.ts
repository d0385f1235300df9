import type { EventFamily } from "../event/event-node.ts";
import type { InstrumentationEvents, MapperConfigurationEvents } from "../mapping/mapper-events.ts";
import type { MapperFlushEvents } from "../unit-of-work/mapper-flush-events.ts";
import type { InstanceEvents } from "./instance-events.ts";

type ClassEvents = InstanceEvents<unknown> &
  MapperFlushEvents<unknown> &
  InstrumentationEvents &
  MapperConfigurationEvents;

/** Every event that a class can be listened to for. What each means stands beside the code that raises it. */
export const classEvents: EventFamily = {
  name: "class",
  events: {
    init: "sync",
    initFailure: "sync",
    load: "sync",
    refresh: "sync",
    refreshFlush: "sync",
    expire: "sync",
    serialize: "sync",
    deserialize: "sync",
    classInstrument: "sync",
    attributeInstrument: "sync",
    instrumentClass: "sync",
    afterMapperConstructed: "sync",
    beforeMapperConfigured: "sync",
    mapperConfigured: "sync",
    beforeConfigured: "sync",
    afterConfigured: "sync",
    beforeInsert: "awaited",
    afterInsert: "awaited",
    beforeUpdate: "awaited",
    afterUpdate: "awaited",
    beforeDelete: "awaited",
    afterDelete: "awaited",
  } satisfies Record<keyof ClassEvents, "sync" | "awaited">,
};
