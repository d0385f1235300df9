import type { ColumnProperty } from "../mapping/mapper.ts";
import type { Table } from "../mapping/table.ts";
import type { EagerJoin } from "./eager-join.ts";
import type { EntityAlias } from "./entity-alias.ts";
import type { ExecutionOptions } from "./execution-options.ts";
import type { Expression } from "./expression.ts";
import type { LoadingPlan } from "./loading-plan.ts";
import type { PolymorphicEntity } from "./polymorphic-entity.ts";
import type { SelectSource } from "./select-source.ts";
import type { SelectedColumns } from "./selected-columns.ts";
import type { Bind } from "./structure.ts";
import type { Subquery } from "./table-subquery.ts";

/** How a SELECT locks the rows that it finds. */
export interface LockOptions {
  /** `"share"` lets others read with the same lock, and nobody write; `"update"`, which is the default, is for one alone. */
  readonly strength?: "update" | "share";
  /** What is done about rows that another transaction has locked: wait for it, which is the default, fail at once, or leave them out. */
  readonly locked?: "wait" | "fail" | "skip";
}

/** What a SELECT is made of. */
export interface SelectParts {
  /** The rows of the selected class are locked until the transaction ends. */
  readonly lock?: LockOptions | undefined;
  /** The name under which the class stands in the statement, where that is not its table's. */
  readonly alias?: EntityAlias | undefined;
  /** The subclasses that are read along with it, where the program named them and the class stands under the names of its tables. */
  readonly polymorphic?: PolymorphicEntity | undefined;
  /** Instead of the class: what another statement finds, where that is values. */
  readonly derived?: Subquery<unknown, unknown, any> | undefined;
  readonly where?: Expression<boolean> | undefined;
  readonly orderBy: readonly Expression<unknown>[];
  readonly limit?: Bind | undefined;
  readonly offset?: Bind | undefined;
  readonly executionOptions: ExecutionOptions;
  /** What its rows consist of, where that is not instances. */
  readonly selected?: SelectedColumns | undefined;
  readonly groupBy?: readonly Expression<unknown>[] | undefined;
  readonly having?: Expression<boolean> | undefined;
  /** Rows without double ones. */
  readonly isDistinct?: boolean | undefined;
  /** Classes whose rows stand beside those of the entity. */
  readonly sources?: readonly SelectSource[] | undefined;
  /** Tables beside those of the entity, which the condition ties to it. */
  readonly from?: readonly Table[] | undefined;
  /** Its rows come from SQL of users' own, to which nothing can be added. */
  readonly isWritten?: boolean | undefined;
  /** Of a load of single attributes: only these columns. */
  readonly columns?: readonly ColumnProperty[] | undefined;
  /** Columns of its class that its rows are without. */
  readonly without?: ReadonlySet<ColumnProperty> | undefined;
  /** What is loaded along with its instances, and what it must not see: what options said. `loading/` turns it into joins and conditions. */
  readonly plan?: LoadingPlan | undefined;
  /** Columns behind those of the entity, which say what each row is related to. */
  readonly links?: readonly Expression<unknown>[] | undefined;
  /** Related rows that are read beside those of the entity. */
  readonly joins?: readonly EagerJoin[] | undefined;
}
