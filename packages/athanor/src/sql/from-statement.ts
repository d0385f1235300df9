import type { OperationNode } from "kysely";
import { ArgumentError } from "../event/errors.ts";
import type { InstrumentedClass } from "../instance/instrumentation.ts";
import { mapperOf } from "../mapping/configure-mappers.ts";
import type { Mapper } from "../mapping/mapper.ts";
import { type ColumnDescription, describeColumns } from "./column-descriptions.ts";
import type { ExecutionOptions } from "./execution-options.ts";
import { describeGiven, Expression } from "./expression.ts";
import { emptyPlan, type LoaderOption, type LoadingPlan, planWith } from "./loading-plan.ts";
import type { SelectParts } from "./select-parts.ts";
import { SelectedEntity } from "./selected-entity.ts";

/** SQL that Kysely compiles: its `sql` tag, or a query that its builders made. */
export interface WrittenStatement {
  toOperationNode(): OperationNode;
}

/**
 * SQL of your own whose rows are instances of a class: what `select(User).fromStatement(…)` makes. It is a value: each method returns a new one.
 *
 * SQLAlchemy: ORM Querying Guide, Getting ORM Results from Textual Statements.
 */
export class FromStatement<out TRow> {
  declare readonly "~row": TRow;
  readonly entity: InstrumentedClass;
  /** What is sent to the database, as it is. */
  readonly statement: WrittenStatement;
  readonly parts: { readonly executionOptions: ExecutionOptions; readonly plan: LoadingPlan };

  constructor(entity: InstrumentedClass, statement: WrittenStatement, parts: FromStatement<TRow>["parts"]) {
    this.entity = entity;
    this.statement = statement;
    this.parts = parts;
  }

  /** The mapper of the class. */
  get mapper(): Mapper {
    return mapperOf(this.entity);
  }

  /** What each row consists of: one instance. */
  get columnDescriptions(): readonly ColumnDescription[] {
    return describeColumns([new SelectedEntity(this.mapper.ownColumns, undefined)], undefined);
  }

  /**
   * Says how related instances are loaded along; all calls together. Nothing can be joined to SQL of your own, so what `joinedLoad` and `subqueryLoad` ask for is loaded as
   * `selectinLoad` does. Criteria hide none of its rows; what is loaded along and later keeps to them.
   *
   * @throws ArgumentError for an option of a class that has nothing to do with this one.
   */
  options(...options: readonly LoaderOption[]): FromStatement<TRow> {
    return this.#with({ plan: planWith(this.parts.plan, options, [this.mapper]) });
  }

  /** Options for the execution, for the session and for listeners. */
  executionOptions(options: ExecutionOptions): FromStatement<TRow> {
    return this.#with({ executionOptions: { ...this.parts.executionOptions, ...options } });
  }

  #with(parts: Partial<FromStatement<TRow>["parts"]>): FromStatement<TRow> {
    return new FromStatement(this.entity, this.statement, { ...this.parts, ...parts });
  }
}

/** What a SELECT says that is not about its own text. */
type Kept = "executionOptions" | "plan";

const besides: Readonly<
  Record<Exclude<keyof SelectParts, Kept | "from" | "columns" | "links" | "joins" | "isWritten" | "without">, string>
> = {
  alias: "aliased()",
  polymorphic: "withPolymorphic()",
  derived: "a subquery",
  where: "where()",
  orderBy: "orderBy()",
  limit: "limit()",
  offset: "offset()",
  selected: "columns()",
  groupBy: "groupBy()",
  having: "having()",
  isDistinct: "distinct()",
  sources: "join()",
  lock: "forUpdate()",
};

/** Takes what users give to `fromStatement` of a SELECT. */
export function fromWritten<TRow>(
  entity: InstrumentedClass,
  parts: SelectParts,
  statement: unknown,
): FromStatement<TRow> {
  const { name } = mapperOf(entity).class;
  if (
    typeof statement !== "object" ||
    statement === null ||
    !("toOperationNode" in statement) ||
    statement instanceof Expression ||
    "expectOneColumn" in statement
  ) {
    throw new ArgumentError(
      `select(${name}).fromStatement() takes SQL of your own, such as sql\`select * from users\`, and got ${describeGiven(statement)}. ` +
        `A statement of Athanor's is executed by itself; what it finds is read by select(statement.subquery("name")).`,
    );
  }
  const said = Object.entries(besides).find(([part]) => {
    const value = parts[part as keyof SelectParts];
    return value !== undefined && !(Array.isArray(value) && value.length === 0);
  });
  if (said !== undefined) {
    throw new ArgumentError(
      `select(${name}).fromStatement() sends SQL as it is, so what ${said[1]} says would be lost. Say it in the SQL, and only options() and executionOptions() beside it.`,
    );
  }
  const { executionOptions, plan = emptyPlan } = parts;
  return new FromStatement(entity, statement as WrittenStatement, { executionOptions, plan });
}
