// Listening
export { contains, listen, type Listening, listensFor, remove } from "./event/listen.ts";
export type { ListenOptions } from "./event/event-node.ts";
export type { EventsOf, ModelEvents } from "./event/events-of.ts";
export type { Async, Sync } from "./event/listener-result.ts";

// Models
export {
  bigint,
  boolean,
  bytes,
  Column,
  type Deferral,
  type ColumnOptions,
  customType,
  date,
  enumeration,
  integer,
  json,
  numeric,
  real,
  text,
  timestamp,
  Transient,
  transient,
  uuid,
  varchar,
} from "./mapping/column.ts";
export type { ColumnKind, ColumnType } from "./mapping/column-type.ts";
export {
  type ConcreteOptions,
  inherit,
  type InheritOptions,
  model,
  type ModelOptions,
  table,
} from "./mapping/model.ts";
export { many, one, type RelatedAttributes, Relationship, type RelationshipOptions } from "./mapping/relationship.ts";
export type { Lazy } from "./mapping/lazy.ts";
export { Mixin, mixin } from "./mapping/mixin.ts";
export { defaultMetadata, Metadata } from "./mapping/metadata.ts";
export type { ForeignKey, ReferentialAction, Table, TableColumn } from "./mapping/table.ts";
export { type ColumnProperty, Mapper } from "./mapping/mapper.ts";
export {
  type AttributeInspection,
  type AttributeInspections,
  inspect,
  type Inspection,
  type InstanceInspection,
} from "./mapping/inspect.ts";
export { validates, type Validation } from "./mapping/validates.ts";
export type { RelationshipProperty } from "./mapping/relationship-property.ts";
export type {
  AnyModel,
  AttributeName,
  Instance,
  Mapped,
  ModelClass,
  PropertiesOf,
  RelationshipName,
  TargetOf,
  ValueOf,
} from "./mapping/model-types.ts";
export type {
  AttributeInstrumentEvent,
  ClassEvent,
  InstrumentationEvents,
  MapperConfigurationEvents,
  MapperEvent,
} from "./mapping/mapper-events.ts";

// Instances
export { Instance as Model } from "./instance/instance.ts";
export { History, NO_VALUE, PASSIVE_NO_RESULT } from "./instance/history.ts";
export type {
  BulkReplaceEvent,
  CollectionContainerEvent,
  CollectionEvent,
  CollectionEvents,
  Initiator,
  InitScalarEvent,
  ModifiedEvent,
  RemoveEvent,
  ScalarEvents,
  SetEvent,
} from "./instance/attribute-events.ts";
export type {
  AttributesEvent,
  InitEvent,
  InstanceEvent,
  InstanceEvents,
  RefreshFlushEvent,
  SerializeEvent,
} from "./instance/instance-events.ts";
export type { Lifecycle } from "./instance/instance-state.ts";
export {
  delAttribute,
  flagDirty,
  flagModified,
  getAttribute,
  getHistory,
  setAttribute,
  setCommittedValue,
} from "./instance/attribute-access.ts";

// Statements
export {
  type Attribute,
  type AttributeKind,
  type Attributes,
  attributes,
  type InstanceAttributes,
  type InstanceFilter,
  type OuterAttributes,
  type OuterInstanceAttributes,
  type SubclassAttributes,
  type SelectableEntity,
} from "./sql/attribute.ts";
export { and, not, or } from "./sql/conditions.ts";
export { bindparam, type Condition, type Expression, type Operand, type OrderBy } from "./sql/expression.ts";
export type { Ordering } from "./sql/ordering.ts";
export type { ColumnDescription } from "./sql/column-descriptions.ts";
export { DeleteFrom, deleteFrom } from "./sql/delete-from.ts";
export { type Aliased, aliased } from "./sql/aliased.ts";
export { WriteOnlyCollection } from "./sql/write-only-collection.ts";
export { type Subclasses, withPolymorphic } from "./sql/with-polymorphic.ts";
export { exists, type ScalarSubquery } from "./sql/subquery.ts";
export type { Filter } from "./sql/filter.ts";
export { type Argument, func, type Functions, type KnownFunctions, type WindowFunction } from "./sql/func.ts";
export type { FunctionExpression } from "./sql/function-expression.ts";
export type { FrameBounds, OverOptions } from "./sql/window.ts";
export { type CaseExpression, caseOf, caseWhen, type EmptyCase, type OpenCase } from "./sql/case-expression.ts";
export { cast, type CastExpression, typeCoerce } from "./sql/cast-expression.ts";
export { type Literal, literal } from "./sql/literal.ts";
export type { ColumnValues, Selectable, SelectableValue } from "./sql/selected-columns.ts";
export type { AssignedValues } from "./sql/assigned.ts";
export { Insert, insert, type InsertValues } from "./sql/insert.ts";
export type { ConflictOptions, ConflictUpdateOptions, ConflictValues, OnConflict } from "./sql/on-conflict.ts";
export type { ReturnedColumns, ReturnedRow } from "./sql/returning.ts";
export type {
  AnySubclassOf,
  Columns,
  ColumnsOf,
  OfType,
  Outer,
  RowKind,
  Scope,
  SubclassOf,
  WithSubclasses,
} from "./sql/scope.ts";
export type { ExecutionOptions } from "./sql/execution-options.ts";
export type { LockOptions } from "./sql/select-parts.ts";
export { FromStatement, type WrittenStatement } from "./sql/from-statement.ts";
export { Select, select } from "./sql/select.ts";
export type { CTE, Recursion } from "./sql/common-table.ts";
export type { Subquery } from "./sql/table-subquery.ts";
export type { DerivedColumn } from "./sql/derived-column.ts";
export { Update, update, type UpdateValues } from "./sql/update.ts";
export { type RawBuilder as Sql, sql } from "kysely";
export { LoaderOption } from "./sql/loading-plan.ts";
export { UserDefinedOption } from "./sql/user-defined-option.ts";
export { defer, loadOnly, undefer, undeferGroup } from "./loading/column-options.ts";
export { containsEager } from "./loading/contains-eager.ts";
export {
  defaultLoad,
  immediateLoad,
  joinedLoad,
  lazyLoad,
  noLoad,
  raiseLoad,
  selectinLoad,
  selectinPolymorphic,
  subqueryLoad,
} from "./loading/loader-options.ts";
export {
  type DeferOptions,
  type Every,
  LoaderPath,
  type PathTo,
  type RaiseLoadOptions,
  type RelatedLoadOptions,
} from "./loading/loader-path.ts";
export {
  type CriteriaAttributes,
  type CriteriaTarget,
  type LoaderCriteria,
  type LoaderCriteriaOptions,
  withLoaderCriteria,
} from "./loading/loader-criteria.ts";

export { deserialize } from "./loading/deserialize.ts";
export { serialize } from "./loading/serialize.ts";

// Engines
export { createEngine, type EngineOptions } from "./engine/create-engine.ts";
export { Engine, type PoolOptions } from "./engine/engine.ts";
export type { Connection } from "./engine/connection.ts";
export { FrozenResult } from "./engine/frozen-result.ts";
export { createAll, dropAll, type DdlOptions } from "./engine/ddl.ts";
export type {
  ConnectionEvent,
  ConnectionEvents,
  CursorEvent,
  EngineEvents,
  ErrorEvent,
  PoolEvent,
  PoolEvents,
  SavepointEvent,
} from "./engine/events.ts";
export type { DriverConnection, EachResult, RawResult, TransactionOptions } from "./engine/dialect.ts";
export {
  type FirstOf,
  MultipleResultsFound,
  NoResultFound,
  Result,
  ScalarResult,
  type TupleOf,
} from "./engine/result.ts";

// Sessions
export { mergeFrozenResult } from "./session/merge-frozen-result.ts";
export { Session, type ExecuteOptions, type ParametersOf, type RowOf, type StreamedOf } from "./session/session.ts";
export type { ResultStream } from "./session/result-stream.ts";
export { type SessionMaker, sessionmaker, type SessionMakerOptions } from "./session/sessionmaker.ts";
export type { SessionOptions, SessionWarning } from "./session/session-options.ts";
export type { AfterBulkDeleteEvent, AfterBulkUpdateEvent } from "./session/bulk-events.ts";
export { SessionTransaction, type TransactionOrigin } from "./session/session-transaction.ts";
export type {
  AfterBeginEvent,
  AfterCommitEvent,
  AfterSoftRollbackEvent,
  LifecycleEvent,
  SessionEvent,
  SessionEvents,
  SessionTransactionEvent,
} from "./session/session-events.ts";
export type { PrimaryKey } from "./session/get.ts";
export type { IdentityMap } from "./loading/identity-map.ts";
export type { Change } from "./session/change-log.ts";
export {
  isOrmStatement,
  type LoadOptions,
  ORMExecuteState,
  type OrmStatement,
  type Statement,
  type UpdateDeleteOptions,
} from "./session/orm-execute-state.ts";
export { load, type Loaded } from "./session/load.ts";
export { objectSession } from "./session/object-session.ts";
export { makeTransient, makeTransientToDetached } from "./session/make-transient.ts";
export type { MergeOptions } from "./session/merge.ts";
export type { FlushRowEvent, MapperFlushEvents } from "./unit-of-work/mapper-flush-events.ts";

// Errors
export { ArgumentError, AsyncListenerError, AthanorError, InvalidRequestError } from "./event/errors.ts";
export { DetachedInstanceError, UnloadedAttributeError, UnmappedInstanceError } from "./instance/errors.ts";
export {
  ConnectionLostError,
  DatabaseError,
  type DatabaseErrorDetails,
  DataError,
  IntegrityError,
  type IntegrityErrorDetails,
  type IntegrityErrorKind,
  MissingDriverError,
  OperationalError,
  PoolExhaustedError,
  PoolTimeoutError,
  ProgrammingError,
  UnreachableDatabaseError,
} from "./engine/errors.ts";
export { CircularDependencyError, FlushError, FlushInProgressError, StaleDataError } from "./unit-of-work/errors.ts";
export {
  AfterCommitError,
  ConcurrentOperationError,
  IllegalStateChangeError,
  ObjectDeletedError,
  PendingRollbackError,
  ResourceClosedError,
} from "./session/errors.ts";
