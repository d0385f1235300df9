import { ArgumentError } from "../event/errors.ts";
import { mapperOf } from "../mapping/configure-mappers.ts";
import type { Mapper } from "../mapping/mapper.ts";
import { Aliased } from "./aliased.ts";

/** The mappers of subclasses that users list. Throws ArgumentError for any that is none. */
export function expectSubclasses(mapper: Mapper, subclasses: readonly unknown[], use: string): readonly Mapper[] {
  return subclasses.map((subclass) => expectSubclass(mapper, subclass, `${use}(${mapper.class.name}, …)`));
}

/** The class that users mean by `ofType`, with its subclasses or without. Throws ArgumentError for one that has nothing to do with the other class. */
export function expectOfType(mapper: Mapper, given: unknown, use: string): Aliased<unknown> {
  if (!(given instanceof Aliased)) return new Aliased(expectSubclass(mapper, given, use), undefined);
  if (given.mapper.isA(mapper)) return given;
  throw noSubclass(mapper, given.mapper, use);
}

function expectSubclass(mapper: Mapper, subclass: unknown, use: string): Mapper {
  const found = mapperOf(subclass as never);
  if (found.isA(mapper)) return found;
  throw noSubclass(mapper, found, use);
}

/** The same, and concrete subclasses too, whose rows are in tables of their own. */
export function expectSubclassInAnyTable(mapper: Mapper, subclass: unknown, use: string): Mapper {
  const found = mapperOf(subclass as never);
  if (found.declaration.isA(mapper.declaration)) return found;
  throw noSubclass(mapper, found, use);
}

function noSubclass(mapper: Mapper, given: Mapper, use: string): ArgumentError {
  if (given.declaration.isA(mapper.declaration)) {
    return new ArgumentError(
      `${use} was given ${given.class.name}, which is a concrete subclass of ${mapper.class.name}: its rows are in a table of its own, where nothing leads that is about ${mapper.class.name}. ` +
        `Select it by itself, or all of them together: select(withPolymorphic(${mapper.class.name}, "*")).`,
    );
  }
  return new ArgumentError(
    `${use} was given ${given.class.name}, which is no subclass of ${mapper.class.name}: no row of the one is an instance of the other.`,
  );
}
