import type { Mapper } from "../mapping/mapper.ts";
import { Mixin } from "../mapping/mixin.ts";
import { mapperOf } from "../mapping/configure-mappers.ts";
import type { InstrumentedClass } from "../instance/instrumentation.ts";
import type { EntityAlias } from "./entity-alias.ts";

/**
 * Where a class stands in a statement, for an expression that was written about the class itself: the attributes that it names are to be those of the class there,
 * under the name that it has there.
 */
export class MovedEntity {
  /** Undefined: it stands nowhere yet. */
  readonly mapper: Mapper | undefined;
  /** Undefined: it stands under the names of its tables. */
  readonly alias: EntityAlias | undefined;

  constructor(mapper: Mapper | undefined, alias: EntityAlias | undefined) {
    this.mapper = mapper;
    this.alias = alias;
  }

  /** Whether attributes of this owner are attributes of the class: it is the class, one that it inherits from, or a mixin of it. */
  isOf(owner: object): boolean {
    if (this.mapper === undefined) return false;
    return owner instanceof Mixin
      ? this.mapper.declaration.mixins.has(owner)
      : this.mapper.declaration.isA(mapperOf(owner as InstrumentedClass).declaration);
  }
}
