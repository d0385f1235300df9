import { ArgumentError } from "../event/errors.ts";
import { mapperOf } from "../mapping/configure-mappers.ts";
import type { AnyModel, PropertiesOf } from "../mapping/model-types.ts";
import { EntityAlias } from "./entity-alias.ts";

/** A model under another name, as {@link aliased} makes it: for a statement that reads the same class twice. */
export class Aliased<out TModel> {
  declare readonly "~model": TModel;
  declare readonly "~properties": PropertiesOf<TModel>;
  readonly alias: EntityAlias;

  constructor(alias: EntityAlias) {
    this.alias = alias;
  }
}

/**
 * A model under another name, for a statement that reads the same class twice: a subquery of the class that the statement around it selects, a join of a class
 * with itself. The name stands in the SQL, and must be another one for each use in one statement.
 *
 * SQLAlchemy: ORM Querying Guide, Selecting ORM Aliases.
 *
 * @throws ArgumentError for what is no model, and for a name that is none.
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
export function aliased<TModel extends AnyModel>(model: TModel, name: string): Aliased<TModel> {
  if (typeof name !== "string" || name.trim() === "")
    throw new ArgumentError(`aliased(${model.name}, …) takes the name under which the class stands in the statement.`);
  return new Aliased(new EntityAlias(mapperOf(model as never), name, name));
}
