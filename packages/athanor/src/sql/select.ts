import type { OperationNode } from "kysely";
import { ArgumentError } from "../event/errors.ts";
import type { InstrumentedClass } from "../instance/instrumentation.ts";
import { mapperOf } from "../mapping/configure-mappers.ts";
import type { EntityColumns } from "../mapping/entity-columns.ts";
import type { ColumnProperty, Mapper } from "../mapping/mapper.ts";
import type { AnyModel, Class, RelationshipName, TargetOf } from "../mapping/model-types.ts";
import { type EntityInStatement, rootAttributes } from "./attribute.ts";
import { CombinableStatement } from "./combinable-statement.ts";
import { conditionFor, type Filter } from "./filter.ts";
import { conjunction } from "./conditions.ts";
import { type Condition, expectExpression, type OrderBy, type Restriction } from "./expression.ts";
import { type ColumnDescription, describeColumns } from "./column-descriptions.ts";
import { emptyPlan, isEmptyPlan, type LoaderOption, type LoadingPlan, planWith } from "./loading-plan.ts";
import { Aliased } from "./aliased.ts";
import { selectNode } from "./select-node.ts";
import type { EntityAlias } from "./entity-alias.ts";
import { type FromStatement, fromWritten, type WrittenStatement } from "./from-statement.ts";
import type { PolymorphicEntity } from "./polymorphic-entity.ts";
import type { ExecutionOptions } from "./execution-options.ts";
import type { LockOptions, SelectParts } from "./select-parts.ts";
import type { AnySubclassOf, Columns, ModelOf, OfType, Outer, RowKind, Scope } from "./scope.ts";
import { hiddenOf, newSource, SelectSource } from "./select-source.ts";
import { addStructure } from "./select-structure.ts";
import { ScalarSubquery } from "./subquery.ts";
import { type ColumnValues, type Selectable, type SelectedColumns, selectedColumns } from "./selected-columns.ts";
import { SelectedEntity } from "./selected-entity.ts";
import { SetOperation, type SetOperator } from "./set-operation.ts";
import { Bind, type Structure, structureOf } from "./structure.ts";
import { scopeOf, Subquery } from "./table-subquery.ts";
import { withCommonTables } from "./with-common-tables.ts";

/**
 * A SELECT, as a value: each method returns a new one, so a statement can be kept, shared and extended.
 *
 * SQLAlchemy: ORM Querying Guide, Writing SELECT statements.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- "of whatever classes": what takes any statement says no more of it
export class Select<
  out TRow,
  in out TEntities extends readonly unknown[] = any,
  out TResult extends RowKind = "instances",
> extends CombinableStatement {
  declare readonly "~row": TRow;
  declare readonly "~entities": TEntities;
  declare readonly "~result": TResult;
  readonly entity: InstrumentedClass;
  readonly parts: SelectParts;

  constructor(entity: InstrumentedClass, parts: SelectParts = { orderBy: [], executionOptions: {} }) {
    super();
    this.entity = entity;
    this.parts = parts;
  }

  /** The mapper of the selected class. */
  get mapper(): Mapper {
    return mapperOf(this.entity);
  }

  /** The subclasses that are read along with its class, where the program named them. */
  get polymorphic(): PolymorphicEntity | undefined {
    const { alias, polymorphic } = this.parts;
    return alias?.polymorphic ?? polymorphic;
  }

  /** What its rows consist of, where that is not instances. */
  get selected(): SelectedColumns | undefined {
    return this.parts.selected;
  }

  /** What functions are given: the attributes of each class, and the columns of each subquery, that it reads. */
  get scope(): Scope<TEntities> {
    const { derived, sources = [] } = this.parts;
    const first = derived === undefined ? rootAttributes(this) : scopeOf(derived);
    return [first, ...sources.map(({ parts }) => scopeOf(parts.rows))] as never;
  }

  /** What it reads of what other statements find, where that is no class by itself. */
  get subqueries(): readonly Subquery<unknown, unknown, any>[] {
    const { derived, sources = [] } = this.parts;
    return [derived, ...sources.map(({ parts }) => parts.rows)].filter((rows) => rows instanceof Subquery);
  }

  /** The mappers of all classes that it reads by name, its own first. */
  get mappers(): readonly Mapper[] {
    const beside = (this.parts.sources ?? []).flatMap(({ parts }) => parts.rows.mapper ?? []);
    const inRows = this.subqueries.flatMap(({ selected }) => selected?.entities.map(({ mapper }) => mapper) ?? []);
    return [this.mapper, ...beside, ...inRows];
  }

  /**
   * Keeps only the rows for which the condition holds; several are combined by AND.
   *
   * @throws ArgumentError for a name that the class does not have, or a value that its column cannot hold.
   * @example
   * select(User).where({ name: "sandy" }).where((user) => user.email.like("%@example.com"))
   */
  where(condition: Filter<TEntities[0]> | Condition | ((...entities: Scope<TEntities>) => Condition)): this {
    return this.#with({ where: conjunction(this.parts.where, conditionFor(condition, this.scope)) });
  }

  /**
   * Puts the rows of another class beside each row, to compare with and to order by: along a relationship of the first class, or of another that the statement reads
   * already (the last one of that class), or of any class where a condition holds. Rows that have none beside them are not found; those that have several are
   * found as often, unless `distinct()` says otherwise. What is selected stays the first class.
   *
   * SQLAlchemy: ORM Querying Guide, Joins.
   *
   * @throws ArgumentError for a name that is no relationship, and for a class that the statement does not read.
   * @example
   * select(User).join("posts").where((user, post) => post.title.like("a%")).distinct()
   * select(User).join("posts").join(Post, "tags").where((user, post, tag) => tag.label.eq("new"))
   * select(User).join(Ban, (user, ban) => ban.email.eq(user.email))
   * select(User).join(select(Ban).where({ isOver: false }).subquery("bans"), (user, ban) => ban.email.eq(user.email))
   * select(Company).join("employees", { ofType: Engineer }).where((company, engineer) => engineer.language.eq("ts"))
   */
  join<const TName extends RelationshipName<TEntities[0]>>(
    name: TName,
  ): Select<TRow, [...TEntities, TargetOf<TEntities[0], TName>], TResult>;
  join<
    const TName extends RelationshipName<TEntities[0]>,
    TSubclass extends AnySubclassOf<TargetOf<TEntities[0], TName>>,
  >(name: TName, options: OfType<TSubclass>): Select<TRow, [...TEntities, TSubclass], TResult>;
  join<
    TModel extends ModelOf<TEntities[number]>,
    const TName extends RelationshipName<TModel>,
    TSubclass extends AnySubclassOf<TargetOf<TModel, TName>>,
  >(model: TModel, name: TName, options: OfType<TSubclass>): Select<TRow, [...TEntities, TSubclass], TResult>;
  join<TModel extends ModelOf<TEntities[number]>, const TName extends RelationshipName<TModel>>(
    model: TModel,
    name: TName,
  ): Select<TRow, [...TEntities, TargetOf<TModel, TName>], TResult>;
  join<TModel extends AnyModel | Columns<unknown>>(
    model: TModel | Aliased<TModel> | Subquery<unknown, TModel, any>,
    on: (...entities: Scope<[...TEntities, TModel]>) => Condition,
  ): Select<TRow, [...TEntities, TModel], TResult>;
  join(...given: readonly unknown[]): Select<TRow, any, TResult> {
    return this.#beside("join", given);
  }

  /** The same as {@link join}, but rows that have none beside them are found too: what is compared with is NULL there. */
  outerJoin<const TName extends RelationshipName<TEntities[0]>>(
    name: TName,
  ): Select<TRow, [...TEntities, Outer<TargetOf<TEntities[0], TName>>], TResult>;
  outerJoin<
    const TName extends RelationshipName<TEntities[0]>,
    TSubclass extends AnySubclassOf<TargetOf<TEntities[0], TName>>,
  >(name: TName, options: OfType<TSubclass>): Select<TRow, [...TEntities, Outer<TSubclass>], TResult>;
  outerJoin<
    TModel extends ModelOf<TEntities[number]>,
    const TName extends RelationshipName<TModel>,
    TSubclass extends AnySubclassOf<TargetOf<TModel, TName>>,
  >(model: TModel, name: TName, options: OfType<TSubclass>): Select<TRow, [...TEntities, Outer<TSubclass>], TResult>;
  outerJoin<TModel extends ModelOf<TEntities[number]>, const TName extends RelationshipName<TModel>>(
    model: TModel,
    name: TName,
  ): Select<TRow, [...TEntities, Outer<TargetOf<TModel, TName>>], TResult>;
  outerJoin<TModel extends AnyModel | Columns<unknown>>(
    model: TModel | Aliased<TModel> | Subquery<unknown, TModel, any>,
    on: (...entities: Scope<[...TEntities, TModel]>) => Condition,
  ): Select<TRow, [...TEntities, Outer<TModel>], TResult>;
  outerJoin(...given: readonly unknown[]): Select<TRow, any, TResult> {
    return this.#beside("outerJoin", given);
  }

  /**
   * Selects what each row consists of: a list makes tuples, an object makes objects. An attribute, a function or SQL is a value in it, which does not change with the
   * instances of the session; a class that the statement reads is an instance, the session's own. Of an outer join they may be null.
   *
   * SQLAlchemy: ORM Querying Guide, Selecting ORM Entities and Attributes.
   *
   * @throws ArgumentError for what is no column, such as a relationship, and for classes that the statement does not read.
   * @example
   * const pairs = (await session.execute(select(User).join("posts").columns((user, post) => ({ user, post })))).all(); // { user: User; post: Post }[]
   * const rows = (await session.execute(
   *   select(User).outerJoin("posts").columns((user, post) => ({ name: user.name, posts: func.count(post.id) })).groupBy((user) => user.id),
   * )).all(); // { name: string; posts: number }[]
   */
  columns<const TColumns extends readonly Selectable[] | Readonly<Record<string, Selectable>>>(
    choose: (...entities: Scope<TEntities>) => TColumns,
  ): Select<ColumnValues<TColumns>, TEntities, "columns"> {
    return this.#with({
      selected: selectedColumns(choose(...this.scope), (entity) => this.#find(entity)),
    }) as never;
  }

  /** Makes one row of all that are equal in these attributes or expressions; with functions such as `func.count()` in `columns`. Further calls add to the first. */
  groupBy(by: (...entities: Scope<TEntities>) => OrderBy | readonly OrderBy[]): this {
    const given = by(...this.scope);
    const grouped = (Array.isArray(given) ? given : [given]) as readonly unknown[];
    return this.#with({ groupBy: [...(this.parts.groupBy ?? []), ...grouped.map(expectExpression)] });
  }

  /** Keeps only the groups for which the condition holds: `having((user, post) => func.count(post.id).gt(1))`. Several are combined by AND. */
  having(condition: Condition | ((...entities: Scope<TEntities>) => Condition)): this {
    return this.#with({ having: conjunction(this.parts.having, conditionFor(condition, this.scope)) });
  }

  /**
   * Locks the rows of the selected class that it finds, until the transaction ends: nobody else changes them, or locks them too. What is joined or loaded along is
   * not locked. An instance that the session has already keeps the values that it has: add `executionOptions({ populateExisting: true })` where a decision hangs on them.
   * SQLite locks no rows, and needs none to: while one transaction writes, no other does.
   *
   * SQLAlchemy: SELECT and Related Constructs, `with_for_update`.
   *
   * @example
   * const [job] = (await session.scalars(select(Job).where({ state: "open" }).limit(1).forUpdate({ locked: "skip" }))).all();
   */
  forUpdate(options: LockOptions = {}): this {
    const { strength = "update", locked = "wait", ...unknown } = options;
    if (!this.entityColumns.sharesKeys) {
      throw new ArgumentError(
        `The rows of ${this.mapper.class.name} and its concrete subclasses come from several tables at once, and no database locks those. Lock the rows of each class by a statement of its own.`,
      );
    }
    const isKnown = ["update", "share"].includes(strength) && ["wait", "fail", "skip"].includes(locked);
    // Who expects rows that others have locked to be skipped would wait for them.
    if (isKnown && Object.keys(unknown).length === 0) return this.#with({ lock: { strength, locked } });
    throw new ArgumentError(
      `forUpdate() takes { strength: "update" | "share", locked: "wait" | "fail" | "skip" }, and got ${JSON.stringify(options)}.`,
    );
  }

  /** Leaves out rows that are equal to another, as those are that a join makes several of. */
  distinct(): this {
    return this.#with({ isDistinct: true });
  }

  /** Orders by an attribute or several: `.orderBy((user) => user.name.desc())`. A further call orders within the first. */
  orderBy(by: (...entities: Scope<TEntities>) => OrderBy | readonly OrderBy[]): this {
    const given = by(...this.scope);
    const orderings = (Array.isArray(given) ? given : [given]) as readonly unknown[];
    return this.#with({ orderBy: [...this.parts.orderBy, ...orderings.map(expectExpression)] });
  }

  /** At most so many rows. */
  limit(count: number): this {
    return this.#with({ limit: countBind("limit", count) });
  }

  /** Leaves out the first rows. */
  offset(count: number): this {
    return this.#with({ offset: countBind("offset", count) });
  }

  /**
   * Says how related instances are loaded along, and which rows must not be seen; all calls together.
   *
   * SQLAlchemy: Relationship Loading Techniques.
   *
   * @throws ArgumentError for an option of a class that has nothing to do with this one.
   * @example
   * select(User).options(selectinLoad(User, "posts").selectinLoad("tags"), joinedLoad(User, "profile"))
   * select(User).join("posts").columns((user, post) => [user, post]).options(selectinLoad(Post, "tags"))
   */
  options(...options: readonly LoaderOption[]): this {
    return this.#with({ plan: planWith(this.parts.plan ?? emptyPlan, options, this.mappers) });
  }

  /**
   * Takes the instances from the rows of SQL of your own, which is sent as it is: Kysely's `sql`, or a query of its builders. The columns of the class are found by their
   * names in the table, or by those of its attributes; what the rows do not have counts as not loaded. The key must be among them, and of a hierarchy what tells the class.
   *
   * Criteria do not reach SQL of your own: `withLoaderCriteria` hides none of its rows, and holds for what is loaded along with them and later. Say in the SQL which
   * rows must not be seen.
   *
   * SQLAlchemy: ORM Querying Guide, Getting ORM Results from Textual Statements.
   *
   * @throws ArgumentError for anything but SQL, and beside where(), join() and what else would be lost; the execution where the rows do not have the key.
   * @example
   * const statement = sql`select * from users where search @@ to_tsquery(${words})`;
   * const users = (await session.scalars(select(User).fromStatement(statement).options(selectinLoad(User, "posts")))).all();
   */
  fromStatement<TInstance>(
    this: Select<TInstance, any, "instances">,
    statement: WrittenStatement,
  ): FromStatement<TInstance> {
    return fromWritten(this.entity, this.parts, statement);
  }

  /** Takes over what another statement said of loading along, and of what must not be seen. */
  withPlan(plan: LoadingPlan): this {
    const { path = this.parts.plan?.path } = plan;
    return isEmptyPlan(plan) && path === this.parts.plan?.path ? this : this.#with({ plan: { ...plan, path } });
  }

  /** Options for the execution, for the session and for listeners. */
  executionOptions(options: ExecutionOptions): this {
    return this.#with({ executionOptions: { ...this.parts.executionOptions, ...options } });
  }

  /**
   * What each row consists of, in its order: one instance, or the columns and classes that were chosen.
   *
   * SQLAlchemy: `Select.column_descriptions`.
   *
   * @example
   * select(User).columns((user) => ({ email: user.email })).columnDescriptions // [{ name: "email", type: { kind: "text" }, entity: User, … }]
   */
  get columnDescriptions(): readonly ColumnDescription[] {
    const { alias, selected } = this.parts;
    return describeColumns(selected?.items ?? [new SelectedEntity(this.entityColumns, alias)], selected?.names);
  }

  /** The columns that its rows have, in their order. */
  get properties(): readonly ColumnProperty[] {
    const { columns = this.entityColumns.properties, without } = this.parts;
    return without === undefined ? columns : columns.filter((column) => !without.has(column));
  }

  /** What it reads of the selected class. */
  get entityColumns(): EntityColumns {
    const { mapper, parts } = this;
    if (parts.columns !== undefined) return mapper.ownColumns;
    const columns = (parts.alias ?? parts.polymorphic ?? mapper).columns;
    const inline = parts.alias === undefined ? (parts.plan?.tree.subclasses.inline ?? []) : [];
    return inline.length === 0 ? columns : mapper.columnsWith([...columns.subclasses, ...inline]);
  }

  /**
   * What the statement finds in its only row, as a value inside of another statement; null where it finds none. It may compare with the classes of the statement around
   * it.
   *
   * SQLAlchemy: ORM Querying Guide, scalar and correlated subqueries.
   *
   * @throws ArgumentError for a statement that does not select exactly one column.
   * @example
   * select(User).where((user) => select(Post).where((post) => post.authorId.eq(user.id)).columns(() => [func.count()]).scalarSubquery().gt(3))
   */
  scalarSubquery(): ScalarSubquery<FirstColumn<TRow> | null> {
    this.expectOneColumn("scalarSubquery()");
    return new ScalarSubquery(this);
  }

  /** The statement whose rows are put together of those of this one and of others, or compared with them. */
  override combinedWith(
    operator: SetOperator,
    isAll: boolean,
    others: readonly Select<unknown, any, any>[],
  ): Select<any, any, any> {
    const rows = new Subquery(
      this.selected === undefined ? this.mapper.table.name : "rows",
      new SetOperation(operator, isAll, [this, ...others]),
    );
    const { executionOptions } = this.parts;
    return new Select(this.entity, { ...rowsOf(rows), orderBy: [], executionOptions });
  }

  /** The same statement with other columns. */
  withSelected(selected: SelectedColumns): this {
    return this.#with({ selected });
  }

  /** The same statement without what criteria hide, from its own class too unless that is what was asked for. */
  restrictedBy(restriction: Restriction, hidesOwn = true): this {
    const { where, orderBy, having, groupBy, selected, sources, alias, derived } = this.parts;
    // What it names without saying whose is its own.
    if (alias === undefined && restriction.moved?.mapper?.baseMapper === this.mapper.baseMapper) return this;
    const isHidden = hidesOwn && derived === undefined;
    const hidden = isHidden ? hiddenOf(this.mapper, alias, restriction) : undefined;
    const asked = where?.restrictedBy(restriction);
    return this.#with({
      alias: alias?.restrictedBy(restriction),
      derived: derived?.restrictedBy(restriction),
      where: hidden === undefined ? asked : conjunction(asked, hidden),
      orderBy: orderBy.map((ordering) => ordering.restrictedBy(restriction)),
      having: having?.restrictedBy(restriction),
      groupBy: groupBy?.map((grouped) => grouped.restrictedBy(restriction)),
      selected: selected?.restrictedBy(restriction),
      sources: sources?.map((source) => source.restrictedBy(restriction)),
    });
  }

  /** @throws ArgumentError for a statement that does not select exactly one column */
  expectOneColumn(use: string): void {
    const { selected } = this.parts;
    const count = selected?.entities.length === 0 ? selected.items.length : undefined;
    if (count === 1) return;
    const { class: model, primaryKey } = this.mapper;
    const entity = model.name.charAt(0).toLowerCase() + model.name.slice(1);
    throw new ArgumentError(
      `${use} takes a statement of one column, and this one of ${model.name} selects ${count === undefined ? "instances" : `${count} columns`}. ` +
        `Name the column: .columns((${entity}) => [${entity}.${primaryKey[0]?.key ?? "id"}]).`,
    );
  }

  /** The node of a subquery. Kysely, which asks for values, gets it with the common tables that it reads. */
  toOperationNode(keepBinds = false): OperationNode {
    const { plan } = this.parts;
    if (plan === undefined || isEmptyPlan(plan)) {
      const node = selectNode(this as never, keepBinds);
      return keepBinds ? node : withCommonTables(node, structureOf(this), false);
    }
    throw new ArgumentError(
      `A subquery of ${this.mapper.class.name} has options. Give them to the statement around it: criteria there reach its subqueries, and instances are loaded by it alone.`,
    );
  }

  structure(into: Structure): void {
    into.enter(this as never);
    addStructure(this as never, into);
    into.leave();
  }

  /** The names under which it reads what it reads. */
  get sourceNames(): readonly string[] {
    const { alias, derived, sources = [] } = this.parts;
    const named = alias ?? derived;
    const own = named === undefined ? this.entityColumns.tables.map(({ name }) => name) : [named.name];
    return [...own, ...sources.map(({ parts }) => parts.rows.name)];
  }

  /** @throws ArgumentError where it stands inside of a statement that reads the same class under the same name */
  expectOtherNames(around: { readonly sourceNames: readonly string[] }): void {
    const same = this.sourceNames.find((name) => around.sourceNames.includes(name));
    if (same === undefined) return;
    throw new ArgumentError(
      `A subquery of ${this.mapper.class.name} reads "${same}", and so does the statement around it, so what it compares would be compared with itself. ` +
        `Give one of the two another name: const other = aliased(${this.mapper.class.name}, "other"); select(other)…`,
    );
  }

  #with(parts: Partial<SelectParts>): this {
    return new Select(this.entity, { ...this.parts, ...parts }) as this;
  }

  /** A class that it reads under that name. */
  #find({ owner, alias }: EntityInStatement): SelectedEntity | undefined {
    const { alias: own, derived, sources = [] } = this.parts;
    if (alias === undefined) {
      const isRead = own === undefined && derived === undefined && owner === this.entity;
      return isRead ? new SelectedEntity(this.entityColumns, undefined) : undefined;
    }
    const read: readonly unknown[] = [own, derived, ...sources.map(({ parts }) => parts.rows)];
    // An instance in the rows of a subquery is read with those.
    const isRead = read.includes(alias) || (alias.rows !== undefined && read.includes(alias.rows));
    return isRead && owner === alias.mapper.class ? new SelectedEntity(alias.columns, alias) : undefined;
  }

  #beside(method: string, given: readonly unknown[]): Select<TRow, any, TResult> {
    const sources = this.parts.sources ?? [];
    const source = newSource(this as Select<unknown>, method, given);
    const beside = new SelectSource({ ...source, isOuter: method === "outerJoin" });
    return this.#with({ sources: [...sources, beside] });
  }
}

/**
 * Starts a SELECT of instances of a class, or of what another statement finds: of a `subquery()` or `cte()`.
 *
 * @example
 * const sandys = (await session.scalars(select(User).where({ name: "sandy" }))).all();
 */
export function select<TRow, TEntity, TResult extends RowKind>(
  rows: Subquery<TRow, TEntity, TResult>,
): Select<TRow, [TEntity], TResult>;
export function select<TModel extends { readonly "~properties": unknown } & Class>(
  entity: TModel | Aliased<TModel>,
): Select<InstanceType<TModel>, [TModel]>;
export function select(entity: unknown): Select<unknown, any, any> {
  const start = { orderBy: [], executionOptions: {} };
  if (entity instanceof Subquery) return new Select(entity.statement.entity, { ...start, ...rowsOf(entity) });
  if (entity instanceof Aliased) {
    const { mapper, alias } = entity;
    const polymorphic = alias === undefined ? entity.polymorphic : undefined;
    return new Select(mapper.class as never, { ...start, alias, polymorphic });
  }
  mapperOf(entity as never);
  return new Select(entity as never);
}

/** What makes a statement one of what another one finds. */
function rowsOf(rows: Subquery<unknown, unknown, any>): Partial<SelectParts> {
  const { selected, source } = rows;
  return selected === undefined ? { alias: source as EntityAlias } : { derived: rows, selected };
}

/** The value of the only column of a row. */
type FirstColumn<TRow> = TRow extends readonly [infer V] ? V : TRow extends object ? TRow[keyof TRow] : never;

/** Limits are values too, so that pages of one query share its text. */
function countBind(method: string, count: number): Bind {
  if (Number.isSafeInteger(count) && count >= 0) return new Bind(count);
  throw new ArgumentError(`${method}() takes a whole number from 0 on, and got ${String(count)}.`);
}
