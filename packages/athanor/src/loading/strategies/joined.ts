import { ArgumentError } from "../../event/errors.ts";
import type { LoaderStrategy } from "../loader-strategy.ts";

/** Related instances are read from the same rows, by an outer join. */
export const joined: LoaderStrategy = {
  unloadedAs: "asked",
  arrange(entity, { property, related }) {
    if (!entity.columns.covers(property.parent)) {
      throw new ArgumentError(
        `joinedLoad(${property.parent.class.name}, "${property.key}") cannot be part of rows of ${entity.mapper.class.name}, which do not hold what the subclass adds. Use selectinLoad, or read the subclass along: select(withPolymorphic(${entity.mapper.class.name}, { ${property.parent.class.name} })).`,
      );
    }
    entity.statement.join(entity, property, related);
  },
};
