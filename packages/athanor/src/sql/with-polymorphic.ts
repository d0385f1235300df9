import { ArgumentError } from "../event/errors.ts";
import { mapperOf } from "../mapping/configure-mappers.ts";
import type { Mapper } from "../mapping/mapper.ts";
import type { AnyModel } from "../mapping/model-types.ts";
import { Aliased } from "./aliased.ts";
import { ConcreteUnion } from "./concrete-union.ts";
import { describeGiven } from "./expression.ts";
import { expectSubclassInAnyTable } from "./of-type.ts";
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
 * Of concrete subclasses it is the rows of all their tables, one below the other: UNION ALL. What only some of the classes have is null in the others' rows.
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
  if (name !== undefined && (typeof name !== "string" || name.trim() === "")) {
    throw new ArgumentError(
      `withPolymorphic(${mapper.class.name}, …) takes as its third argument the name under which the classes stand in the statement.`,
    );
  }
  const entity = polymorphicEntity(mapper, subclasses);
  // Rows of several tables have no table's name.
  const given = name ?? (entity instanceof ConcreteUnion ? `all_${mapper.table.name}` : undefined);
  return new Aliased(mapper, given === undefined ? undefined : entity.aliasAs(given, given), entity);
}

/** Takes what users give for subclasses. Throws ArgumentError for any that is none. */
function polymorphicEntity(mapper: Mapper, subclasses: unknown): PolymorphicEntity {
  const { name } = mapper.class;
  if (subclasses === "*") {
    const { concreteDescendants } = mapper;
    return concreteDescendants.length > 0
      ? new ConcreteUnion(mapper, concreteDescendants)
      : new PolymorphicEntity(mapper, "*");
  }
  if (typeof subclasses !== "object" || subclasses === null) {
    throw new ArgumentError(
      `withPolymorphic(${name}, …) takes subclasses of ${name}, by name as in { Engineer, Manager } or as a list, or "*" for all of them, and got ${describeGiven(subclasses)}.`,
    );
  }
  const isList = Array.isArray(subclasses);
  for (const key of isList ? [] : Object.keys(subclasses)) {
    if (mapper.instrumentation.find(key) === undefined) continue;
    throw new ArgumentError(
      `withPolymorphic(${name}, { ${key}: … }) gives a subclass the name of an attribute of ${name}. Give it another one.`,
    );
  }
  const found = Object.entries(subclasses).map(
    ([key, subclass]) => [key, expectSubclassInAnyTable(mapper, subclass, `withPolymorphic(${name}, …)`)] as const,
  );
  const mappers = [...new Set(found.map(([, subclass]) => subclass))].filter((subclass) => subclass !== mapper);
  const names: ReadonlyMap<string, Mapper> = new Map(isList ? [] : found);
  const isConcrete = mappers.some((subclass) => !subclass.isA(mapper));
  return isConcrete ? new ConcreteUnion(mapper, mappers, names) : new PolymorphicEntity(mapper, mappers, names);
}
