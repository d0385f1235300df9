import type { OperationNode } from "kysely";
import type { InstrumentedClass } from "../instance/instrumentation.ts";
import type { EntityColumns } from "../mapping/entity-columns.ts";
import type { Mapper } from "../mapping/mapper.ts";
import type { Restriction } from "./expression.ts";
import type { PolymorphicEntity } from "./polymorphic-entity.ts";
import type { SelectedColumns } from "./selected-columns.ts";
import type { StatementPart, Structure } from "./structure.ts";

/** What a statement reads rows from, under a name: a class, or what another statement finds. */
export interface RowSource {
  readonly name: string;
  /** The class whose instances its rows are; undefined where they are values. */
  readonly mapper: Mapper | undefined;
  structure(into: Structure): void;
  /** What stands behind FROM and JOIN. */
  sourceNode(keepBinds: boolean): OperationNode;
  /** The same without rows that must not be seen. */
  restrictedBy(restriction: Restriction): RowSource;
}

/** A statement that finds rows, which another one reads. */
export interface RowStatement extends StatementPart {
  /** The class that it selects, or whose columns. */
  readonly entity: InstrumentedClass;
  readonly mapper: Mapper;
  /** What it reads of that class. */
  readonly entityColumns: EntityColumns;
  /** The subclasses that the program named with it. */
  readonly polymorphic: PolymorphicEntity | undefined;
  /** What its rows consist of, where that is not instances. */
  readonly selected: SelectedColumns | undefined;
  restrictedBy(restriction: Restriction): RowStatement;
}
