import type { Sync } from "../event/listener-result.ts";
import type { InstrumentedClass } from "../instance/instrumentation.ts";
import type { Mapper } from "./mapper.ts";

/** A class is becoming instrumented. */
export interface ClassEvent {
  readonly class: InstrumentedClass;
}

/** An attribute of a class became functional. */
export interface AttributeInstrumentEvent extends ClassEvent {
  readonly key: string;
}

/** A class is becoming mapped. */
export interface MapperEvent extends ClassEvent {
  readonly mapper: Mapper;
}

/**
 * Events of a class becoming instrumented. They reach subclasses unless `propagate: false`; listen on `Model` for all classes.
 *
 * SQLAlchemy: ORM Events, Instrumentation Events.
 */
export interface InstrumentationEvents {
  /** Fires when a class got its instrumentation, at its first use. Out of any transaction's business; synchronous. Changes nothing. */
  classInstrument(event: ClassEvent): Sync;
  /** Fires for each attribute of a class, inherited ones too, when it became functional. Synchronous: the place to listen to every attribute. */
  attributeInstrument(event: AttributeInstrumentEvent): Sync;
}

/**
 * Events of a class becoming mapped, which it does when it is first used, not when it is declared.
 *
 * SQLAlchemy: ORM Events, Mapper Events.
 */
export interface MapperConfigurationEvents {
  /** Fires first, when the mapper has a class and nothing else. Synchronous. */
  instrumentClass(event: MapperEvent): Sync;
  /** Fires when the mapper knows its properties. Synchronous. Other classes may be used here. */
  afterMapperConstructed(event: MapperEvent): Sync;
  /** Fires before this mapper is configured. Synchronous. */
  beforeMapperConfigured(event: MapperEvent): Sync;
  /** Fires when this mapper is configured and its attributes work. Synchronous. */
  mapperConfigured(event: MapperEvent): Sync;
  /** Fires before new mappers are configured; only on `Model` or `Mapper`. Synchronous. */
  beforeConfigured(event: object): Sync;
  /** Fires after new mappers were configured; only on `Model` or `Mapper`. Synchronous. */
  afterConfigured(event: object): Sync;
}
