import type { InstrumentedClass } from "../instance/instrumentation.ts";
import { ArgumentError } from "../event/errors.ts";
import { attributes } from "./attribute.ts";
import { type ColumnValues, type SelectableValue, type SelectedColumns, selectedColumns } from "./selected-columns.ts";

/** What a statement that writes rows answers with for each of them: an instance of its class, or what was chosen. */
export type Returning = "instances" | SelectedColumns;

/** What can be chosen of each row that a statement writes. */
export type ReturnedColumns = readonly SelectableValue[] | Readonly<Record<string, SelectableValue>>;

/** The rows of a statement with `returning`: of instances, where nothing was chosen. */
export type ReturnedRow<TModel, TColumns> = [TColumns] extends [never]
  ? readonly [TModel extends abstract new (...given: never) => infer I ? I : never]
  : ColumnValues<TColumns>;

/** Takes what users give to `returning`. */
export function returningOf(entity: InstrumentedClass, choose: ((entity: never) => unknown) | undefined): Returning {
  if (choose === undefined) return "instances";
  const own = attributes(entity as never);
  return selectedColumns(choose(own as never), () => {
    throw new ArgumentError(
      `returning() was given a whole class beside other columns. It answers with instances of ${entity.name} where it is given no function, and else with columns: returning((${nameOf(entity)}) => [${nameOf(entity)}.…]).`,
    );
  });
}

function nameOf({ name }: InstrumentedClass): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}
