import type { InstrumentedClass } from "../instance/instrumentation.ts";
import type { ColumnType } from "../mapping/column-type.ts";
import { Mixin } from "../mapping/mixin.ts";
import { Attribute } from "./attribute.ts";
import { DerivedColumn } from "./derived-column.ts";
import type { Expression } from "./expression.ts";
import type { RowItem } from "./selected-columns.ts";
import { SelectedEntity } from "./selected-entity.ts";

/** One part of each row of a statement. SQLAlchemy: ORM Querying Guide, Inspecting entities and columns from ORM-enabled SELECT and DML statements. */
export interface ColumnDescription {
  /** What it is called: its class, its name in the row, its attribute, or the name that the class has in the statement; undefined for what has none. */
  readonly name: string | undefined;
  /** Of instances their class; of values what their column holds; undefined where only the database knows. */
  readonly type: InstrumentedClass | ColumnType | undefined;
  /** The class that it is an instance or an attribute of; undefined for functions and SQL. */
  readonly entity: InstrumentedClass | undefined;
  /** The class, or the expression. */
  readonly expr: InstrumentedClass | Expression<unknown>;
}

/** Describes what the rows of a SELECT consist of. */
export function describeColumns(
  items: readonly RowItem[],
  names: readonly string[] | undefined,
): readonly ColumnDescription[] {
  return items.map((expr, index) => {
    if (expr instanceof SelectedEntity) {
      const entity = expr.mapper.class as InstrumentedClass;
      return { name: names?.[index] ?? expr.alias?.givenName ?? entity.name, type: entity, entity, expr: entity };
    }
    const attribute = expr instanceof Attribute ? expr : undefined;
    return {
      name: names?.[index] ?? (expr instanceof DerivedColumn ? expr : attribute)?.key,
      type: expr.columnType,
      entity:
        attribute === undefined || attribute.owner instanceof Mixin
          ? undefined
          : (attribute.owner as InstrumentedClass),
      expr,
    };
  });
}
