import { ArgumentError } from "../event/errors.ts";
import type { ColumnProperty, Mapper } from "../mapping/mapper.ts";
import { type AssignedValues, type Assignments, assignmentsOf, expectColumn } from "./assigned.ts";
import { type Attributes, attributes, attributesOf } from "./attribute.ts";
import { EntityAlias } from "./entity-alias.ts";
import { type Condition, type Expression, expectExpression } from "./expression.ts";

/** What an INSERT does about a row that is there already. */
export interface Conflict {
  /** What is unique about it; none: whatever is. */
  readonly columns: readonly ColumnProperty[];
  /** For which rows that is unique, where not for all. */
  readonly among: Expression<boolean> | undefined;
  /** What that row is set to; undefined: it stays as it is. */
  readonly values: Assignments | undefined;
  /** Which of such rows are set. */
  readonly where: Expression<boolean> | undefined;
}

/** What the row is set to that is there already: values, or a function of the row that was to be inserted and of the one that is there. */
export type ConflictValues<TModel> =
  | AssignedValues<TModel>
  | ((excluded: Attributes<TModel>, present: Attributes<TModel>) => AssignedValues<TModel>);

/** Which of the rows that are there already are updated. */
export interface ConflictUpdateOptions<TModel> {
  readonly where?: (excluded: Attributes<TModel>, present: Attributes<TModel>) => Condition;
}

/** More about what is unique. */
export interface ConflictOptions<TModel> {
  /** The rows that a partial index is about, as its own WHERE says it: `{ where: (user) => user.deletedAt.isNull() }`. */
  readonly where?: (present: Attributes<TModel>) => Condition;
}

/** An INSERT that is about to say what it does about rows that are there already. */
export class OnConflict<TModel, out TInsert> {
  declare readonly "~model": TModel;
  readonly #mapper: Mapper;
  readonly #columns: readonly ColumnProperty[];
  readonly #among: Expression<boolean> | undefined;
  readonly #complete: (conflict: Conflict) => TInsert;

  constructor(
    mapper: Mapper,
    names: readonly string[],
    { where }: ConflictOptions<TModel>,
    complete: (conflict: Conflict) => TInsert,
  ) {
    this.#mapper = mapper;
    const present = attributes(mapper.class as never) as Attributes<TModel>;
    this.#among = where === undefined ? undefined : expectExpression(where(present));
    this.#columns = names.map((name) => expectColumn(mapper, name));
    this.#complete = complete;
  }

  /** Leaves the row as it is. With `returning` nothing is answered for it. */
  doNothing(): TInsert {
    return this.#complete({ columns: this.#columns, among: this.#among, values: undefined, where: undefined });
  }

  /**
   * Updates the row that is there. What every UPDATE sets by itself is set too; a version counter stays as it is unless it is named.
   *
   * @throws ArgumentError where `onConflict` named no column, for a name that the class does not have, or a value that its column cannot hold.
   * @example
   * insert(Visit).onConflict("page").doUpdate((excluded, visit) => ({ count: visit.count.plus(excluded.count) }))
   */
  doUpdate(set: ConflictValues<TModel>, { where }: ConflictUpdateOptions<TModel> = {}): TInsert {
    const { name } = this.#mapper.class;
    if (this.#columns.length === 0) {
      throw new ArgumentError(
        `onConflict() of insert(${name}) names no column, and doUpdate() has to know which row is meant: onConflict("…").doUpdate(…), with the columns of a key or of a unique constraint.`,
      );
    }
    const excluded = attributesOf(new EntityAlias(this.#mapper, "excluded")) as Attributes<TModel>;
    const present = attributes(this.#mapper.class as never) as Attributes<TModel>;
    const values = assignmentsOf(this.#mapper, typeof set === "function" ? set(excluded, present) : set, "doUpdate()");
    if (values.size === 0) {
      throw new ArgumentError(
        `doUpdate() of insert(${name}) was given nothing to set. Name what changes, or leave the row as it is with doNothing().`,
      );
    }
    return this.#complete({
      columns: this.#columns,
      among: this.#among,
      values,
      where: where === undefined ? undefined : expectExpression(where(excluded, present)),
    });
  }
}
