import type { Sync } from "../event/listener-result.ts";
import type { InstrumentedClass } from "../instance/instrumentation.ts";
import type { Mapper } from "./mapper.ts";

/**
 * Events of a class becoming instrumented. They reach subclasses unless `propagate: false`; listen on `Model` for all classes.
 *
 * SQLAlchemy: ORM Events, Instrumentation Events.
 */
export interface InstrumentationEvents {
  /** Fires when a class got its instrumentation, at its first use. Out of any transaction's business; synchronous. Changes nothing. */
  classInstrument(event: { readonly class: InstrumentedClass }): Sync;
  /** Fires for each attribute of a class, inherited ones too, when it became functional. Synchronous: the place to listen to every attribute. */
  attributeInstrument(event: { readonly class: InstrumentedClass; readonly key: string }): Sync;
}

/**
 * Events of a class becoming mapped, which it does when it is first used, not when it is declared.
 *
 * SQLAlchemy: ORM Events, Mapper Events.
 */
export interface MapperConfigurationEvents {
  /** Fires first, when the mapper has a class and nothing else. Synchronous. */
  instrumentClass(event: { readonly mapper: Mapper; readonly class: InstrumentedClass }): Sync;
  /** Fires when the mapper knows its properties. Synchronous. Other classes may be used here. */
  afterMapperConstructed(event: { readonly mapper: Mapper; readonly class: InstrumentedClass }): Sync;
  /** Fires before this mapper is configured. Synchronous. */
  beforeMapperConfigured(event: { readonly mapper: Mapper; readonly class: InstrumentedClass }): Sync;
  /** Fires when this mapper is configured and its attributes work. Synchronous. */
  mapperConfigured(event: { readonly mapper: Mapper; readonly class: InstrumentedClass }): Sync;
  /** Fires before new mappers are configured; only on `Model` or `Mapper`. Synchronous. */
  beforeConfigured(event: object): Sync;
  /** Fires after new mappers were configured; only on `Model` or `Mapper`. Synchronous. */
  afterConfigured(event: object): Sync;
}
