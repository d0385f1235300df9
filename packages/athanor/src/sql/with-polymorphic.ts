import { ArgumentError } from "../event/errors.ts";
import { mapperOf } from "../mapping/configure-mappers.ts";
import type { Mapper } from "../mapping/mapper.ts";
import type { AnyModel } from "../mapping/model-types.ts";
import { Aliased } from "./aliased.ts";
import { EntityAlias } from "./entity-alias.ts";
import { describeGiven } from "./expression.ts";
import { PolymorphicEntity } from "./polymorphic-entity.ts";
import type { SubclassOf, WithSubclasses } from "./scope.ts";

/** The subclasses that are read along with a class: some of them by names of your own, a list, or all. */
export type Subclasses<TModel extends AnyModel> =
  | Readonly<Record<string, SubclassOf<TModel>>>
  | readonly SubclassOf<TModel>[]
  | "*";

/**
 * A class together with subclasses of it, for a statement that reads the columns of all of them at once: one SELECT, with an outer join to the table of each subclass that
 * has one, and every instance is complete. Given by name, as in `{ Engineer, Manager }`, the subclasses' attributes stand in the statement's functions under these names, and are
 * null in rows of other classes; a list, or `"*"` for all that are in use, is read along only.
 *
 * It is selected and joined like a class; with a name of its own, where the statement reads the class twice. Where many subclasses have tables of their own,
 * {@link selectinPolymorphic} is easier on the database. SQLAlchemy: Writing SELECT statements for Inheritance Mappings, `with_polymorphic`.
 *
 * @throws ArgumentError for what is no model, for a class that is no subclass of it, and for a name that is none or that an attribute has.
 * @example
 * const staff = withPolymorphic(Employee, { Engineer, Manager });
 * select(staff).where((employee) => or(employee.Engineer.language.eq("ts"), employee.Manager.level.gt(2)))
 */
export function withPolymorphic<TModel extends AnyModel, const TSubclasses extends Subclasses<TModel>>(
  model: TModel,
  subclasses: TSubclasses,
  name?: string,
): Aliased<WithSubclasses<TModel, TSubclasses>> {
  const mapper = mapperOf(model as never);
  const entity = polymorphicEntity(mapper, subclasses, "withPolymorphic");
  if (name === undefined) return new Aliased(mapper, undefined, entity);
  if (typeof name === "string" && name.trim() !== "")
    return new Aliased(mapper, new EntityAlias(mapper, name, name, entity), entity);
  throw new ArgumentError(
    `withPolymorphic(${mapper.class.name}, …) takes as its third argument the name under which the classes stand in the statement.`,
  );
}

/** Takes what users give for subclasses. Throws ArgumentError for any that is none. */
export function polymorphicEntity(mapper: Mapper, subclasses: unknown, use: string): PolymorphicEntity {
  if (subclasses === "*") return new PolymorphicEntity(mapper, "*");
  const { name } = mapper.class;
  if (typeof subclasses !== "object" || subclasses === null) {
    throw new ArgumentError(
      `${use}(${name}, …) takes subclasses of ${name}, by name as in { Engineer, Manager } or as a list, or "*" for all of them, and got ${describeGiven(subclasses)}.`,
    );
  }
  if (Array.isArray(subclasses)) return new PolymorphicEntity(mapper, expectSubclasses(mapper, subclasses, use));
  const names = new Map<string, Mapper>();
  for (const [key, subclass] of Object.entries(subclasses)) {
    if (mapper.instrumentation.find(key) !== undefined) {
      throw new ArgumentError(
        `${use}(${name}, { ${key}: … }) gives a subclass the name of an attribute of ${name}. Give it another one.`,
      );
    }
    names.set(key, expectSubclass(mapper, subclass, `${use}(${name}, …)`));
  }
  return new PolymorphicEntity(mapper, [...names.values()], names);
}

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

function noSubclass(mapper: Mapper, given: Mapper, use: string): ArgumentError {
  return new ArgumentError(
    `${use} was given ${given.class.name}, which is no subclass of ${mapper.class.name}: no row of the one is an instance of the other.`,
  );
}
