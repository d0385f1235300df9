import { ArgumentError } from "../event/errors.ts";
import type { Column } from "../mapping/column.ts";
import { mapperOf } from "../mapping/configure-mappers.ts";
import type { ColumnProperty } from "../mapping/mapper.ts";
import type { Class, PropertiesOf, ValueOf } from "../mapping/model-types.ts";
import { type AssignedValues, type Assignments, assignmentsOf, expectColumn } from "./assigned.ts";
import type { Attributes } from "./attribute.ts";
import { type BulkParts, BulkStatement } from "./bulk-statement.ts";
import { describeGiven } from "./expression.ts";
import { type Conflict, type ConflictOptions, OnConflict } from "./on-conflict.ts";
import { type ReturnedColumns, type ReturnedRow, returningOf } from "./returning.ts";
import { Select } from "./select.ts";

/** A row for `insert(User)`: the values of its columns by attribute. */
export type InsertValues<TModel> = {
  readonly [K in keyof PropertiesOf<TModel> as PropertiesOf<TModel>[K] extends Column<any, any> ? K : never]?: ValueOf<
    PropertiesOf<TModel>[K]
  >;
};

/** Rows whose values fit columns, in their order; of rows that are objects only the database says. */
type SelectedRow<TModel, TNames extends readonly string[]> =
  | {
      readonly [I in keyof TNames]: TNames[I] extends keyof InsertValues<TModel>
        ? InsertValues<TModel>[TNames[I]]
        : never;
    }
  | Readonly<Record<string, unknown>>;

/** The rows that an INSERT takes from a SELECT. */
export interface InsertSource {
  readonly columns: readonly ColumnProperty[];
  readonly select: Select<unknown, any, any>;
}

interface InsertParts extends BulkParts {
  /** The rows that the statement itself has. */
  readonly rows?: readonly Assignments[] | undefined;
  readonly source?: InsertSource | undefined;
  readonly conflict?: Conflict | undefined;
}

/** An INSERT of rows that it has, that are given when it is executed, or that it selects. */
export class Insert<TModel, out TRow = never> extends BulkStatement<TModel, InsertParts, TRow> {
  /**
   * The rows, one or a list, where they are not given with the execution. Their values may be expressions. Further calls add rows.
   *
   * @throws ArgumentError for a name that the class does not have, or a value that its column cannot hold.
   * @example
   * insert(User).values([{ name: "sandy", joinedAt: sql`current_timestamp` }, { name: "patrick" }])
   */
  values(rows: AssignedValues<TModel> | readonly AssignedValues<TModel>[]): this {
    if (this.parts.source !== undefined) throw this.#hasTwoSources();
    const list: readonly unknown[] = Array.isArray(rows) ? rows : [rows];
    const added = list.map((row) => assignmentsOf(this.mapper, row, "values()"));
    return this.with({ rows: [...(this.parts.rows ?? []), ...added] });
  }

  /**
   * Inserts what another statement finds: its columns into these attributes, in their order. Defaults fill in the others, one value for all rows.
   *
   * SQLAlchemy: Insert, Updates, Deletes, `Insert.from_select`.
   *
   * @throws ArgumentError for a statement of instances, or of another number of columns.
   * @example
   * insert(Archived).fromSelect(["id", "title"], select(Post).where({ state: "old" }).columns((post) => [post.id, post.title]))
   */
  fromSelect<const TNames extends readonly (keyof InsertValues<TModel> & string)[]>(
    names: TNames,
    statement: Select<SelectedRow<TModel, TNames>, any, "columns">,
  ): this {
    if (this.parts.rows !== undefined) throw this.#hasTwoSources();
    const name = this.entity.name;
    if (!(statement instanceof Select)) {
      throw new ArgumentError(
        `fromSelect() of insert(${name}) takes the attributes that are set and a SELECT, and got ${describeGiven(statement)} for the second.`,
      );
    }
    const columns = names.map((each) => expectColumn(this.mapper, each));
    const { selected } = statement.parts;
    if (selected?.items.length !== columns.length || selected.entities.length > 0) {
      const what =
        selected === undefined || selected.entities.length > 0 ? "instances" : `${selected.items.length} columns`;
      throw new ArgumentError(
        `fromSelect() of insert(${name}) names ${columns.length} attributes, and the statement selects ${what}. Choose its columns, in the same order, with columns().`,
      );
    }
    return this.with({ source: { columns, select: statement } });
  }

  /**
   * Says what happens where a row is there already: `.doNothing()` or `.doUpdate(…)`. Without it, that is an IntegrityError.
   *
   * SQLAlchemy: PostgreSQL and SQLite, INSERT…ON CONFLICT (Upsert).
   *
   * @param columns what is unique about it: the attributes of the key, or of a unique constraint. None: whatever is, for `doNothing`.
   * @example
   * insert(User).values(rows).onConflict("email").doUpdate((excluded) => ({ name: excluded.name })).returning()
   */
  onConflict<const TName extends keyof InsertValues<TModel> & string>(
    columns: TName | readonly TName[] = [],
    options: ConflictOptions<TModel> = {},
  ): OnConflict<TModel, Insert<TModel, TRow>> {
    const names = typeof columns === "string" ? [columns] : columns;
    return new OnConflict(this.mapper, names, options, (conflict) => this.with({ conflict }));
  }

  /**
   * Answers with the rows that it has written, in the order in which they were given: with instances of the class, or with what a function chooses of each row.
   *
   * Rows come as the database answers, which is no promised order, where values are expressions, where they are selected, and with `onConflict`; and then there is none
   * for a row that was left as it is. Of instances that the session has already, what `doUpdate` has set counts, and their other changes are kept; with or
   * without `returning`, unless the execution option `synchronizeSession` is false.
   *
   * SQLAlchemy: ORM-Enabled INSERT, UPDATE, and DELETE statements, Getting new objects with RETURNING.
   *
   * @example
   * const users = (await session.scalars(insert(User).returning(), [{ name: "sandy" }, { name: "patrick" }])).all();
   */
  returning<const TColumns extends ReturnedColumns = never>(
    choose?: (entity: Attributes<TModel>) => TColumns,
  ): Insert<TModel, ReturnedRow<TModel, TColumns>> {
    return this.with({ returning: returningOf(this.entity, choose) }) as never;
  }

  protected with(parts: Partial<InsertParts>): this {
    return new Insert(this.entity, { ...this.parts, ...parts }) as this;
  }

  #hasTwoSources(): ArgumentError {
    return new ArgumentError(
      `insert(${this.entity.name}) was given rows by values() and a SELECT by fromSelect(). Make two statements of it.`,
    );
  }
}

/**
 * Starts an INSERT of rows of a class, which are given with the execution, one or a list, or with `values`.
 *
 * It is the quick way to write many rows that nobody needs as instances: values are converted and defaults filled in, but no instance is made, no
 * constructor, validator or row event runs. Use `session.addAll` where those matter.
 *
 * SQLAlchemy: ORM Bulk INSERT Statements.
 *
 * @example
 * await session.execute(insert(User), [{ name: "sandy" }, { name: "patrick" }]);
 */
export function insert<TModel extends { readonly "~properties": unknown } & Class>(entity: TModel): Insert<TModel> {
  mapperOf(entity as never);
  return new Insert(entity as never, { executionOptions: {} });
}
