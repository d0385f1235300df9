import { ArgumentError } from "../event/errors.ts";
import { mapperOf } from "../mapping/configure-mappers.ts";
import type { Mapper } from "../mapping/mapper.ts";
import type { AnyModel, PropertiesOf } from "../mapping/model-types.ts";
import { EntityAlias } from "./entity-alias.ts";
import type { Subquery } from "./table-subquery.ts";
import type { PolymorphicEntity } from "./polymorphic-entity.ts";

/**
 * A model as a statement reads it: under another name, as {@link aliased} makes it for a statement that reads the same class twice, or with its subclasses, as
 * {@link withPolymorphic} does.
 */
export class Aliased<out TModel> {
  declare readonly "~model": TModel;
  declare readonly "~properties": PropertiesOf<TModel>;
  readonly mapper: Mapper;
  /** Its name; undefined: a statement that selects it reads it under the names of its tables, and one that joins it finds a name. */
  readonly alias: EntityAlias | undefined;
  /** The subclasses that are read along. */
  readonly polymorphic: PolymorphicEntity | undefined;

  constructor(mapper: Mapper, alias: EntityAlias | undefined, polymorphic?: PolymorphicEntity) {
    this.mapper = mapper;
    this.alias = alias;
    this.polymorphic = polymorphic;
  }
}

/**
 * A model under another name, for a statement that reads the same class twice: a subquery of the class that the statement around it selects, a join of a class
 * with itself. The name stands in the SQL, and must be another one for each use in one statement.
 *
 * Or a model as what another statement finds, where that is columns: `aliased(Folder, tree)` has the attributes of the class, and is read as its instances. All columns
 * of the class must be among them.
 *
 * SQLAlchemy: ORM Querying Guide, Selecting ORM Aliases.
 *
 * @throws ArgumentError for what is no model, for a name that is none, and for a subquery that lacks columns of the class.
 * @example
 * const colleague = aliased(Employee, "colleague");
 * select(Employee).where((employee) =>
 *   employee.salary.gt(
 *     select(colleague)
 *       .where((other) => other.team.eq(employee.team))
 *       .columns((other) => [func.avg(other.salary)])
 *       .scalarSubquery(),
 *   ),
 * );
 */
export function aliased<TModel extends AnyModel>(
  model: TModel,
  name: string | Subquery<unknown, unknown, any>,
): Aliased<TModel> {
  if (typeof name === "object" && name !== null && "entityOf" in name) {
    const mapper = mapperOf(model as never);
    return new Aliased(mapper, name.entityOf(mapper));
  }
  if (typeof name !== "string" || name.trim() === "")
    throw new ArgumentError(`aliased(${model.name}, …) takes the name under which the class stands in the statement.`);
  const mapper = mapperOf(model as never);
  return new Aliased(mapper, new EntityAlias(mapper, name, name));
}
