import { ArgumentError } from "../../event/errors.ts";
import type { LoaderStrategy } from "../loader-strategy.ts";
import { selectin } from "./selectin.ts";

/** Related instances are read from the same rows, by an outer join. */
export const joined: LoaderStrategy = {
  unloadedAs: "asked",
  arrange(entity, node) {
    const { property } = node;
    if (entity.statement.isWritten) return selectin.arrange(entity, node);
    if (entity.columns.covers(property.parent)) {
      entity.statement.join(entity, node);
      return;
    }
    if (!entity.subclassesToLoad.has(property.parent)) {
      throw new ArgumentError(
        `joinedLoad(${property.parent.class.name}, "${property.key}") cannot be part of rows of ${entity.mapper.class.name}, which do not hold what the subclass adds. Use selectinLoad, or load the subclass along: selectinPolymorphic(${entity.mapper.class.name}, [${property.parent.class.name}]), or select(withPolymorphic(${entity.mapper.class.name}, { ${property.parent.class.name} })).`,
      );
    }
    entity.leftToSubclasses.push(node);
  },
};
