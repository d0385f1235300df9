import type { EntityColumns } from "../mapping/entity-columns.ts";
import type { Mapper } from "../mapping/mapper.ts";
import { EntityAlias } from "./entity-alias.ts";

/** A class together with subclasses of it, whose columns a statement reads too: what `withPolymorphic` makes. */
export class PolymorphicEntity {
  readonly mapper: Mapper;
  /** The names under which a statement's functions find the attributes of subclasses. */
  readonly names: ReadonlyMap<string, Mapper>;
  readonly #subclasses: "*" | readonly Mapper[];

  constructor(mapper: Mapper, subclasses: "*" | readonly Mapper[], names: ReadonlyMap<string, Mapper> = new Map()) {
    this.mapper = mapper;
    this.names = names;
    this.#subclasses = subclasses;
  }

  /** The class under a name in a statement. */
  aliasAs(name: string, givenName?: string): EntityAlias {
    return new EntityAlias(this.mapper, name, givenName, this);
  }

  /** What is read of them. All subclasses are those that were used by then. */
  get columns(): EntityColumns {
    const subclasses = this.#subclasses === "*" ? this.mapper.subclasses : this.#subclasses;
    return this.mapper.columnsWith(subclasses);
  }
}
