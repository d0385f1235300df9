import { ArgumentError } from "../event/errors.ts";
import type { EntityColumns } from "../mapping/entity-columns.ts";
import type { Mapper } from "../mapping/mapper.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import { EagerJoin } from "../sql/eager-join.ts";
import { EntityAlias } from "../sql/entity-alias.ts";
import { conjunction } from "../sql/conditions.ts";
import type { Expression } from "../sql/expression.ts";
import { concerns, type LoaderNode, type LoaderTree, type RelatedFilter } from "../sql/loader-tree.ts";
import type { EntityCriteria, LoadingPlan } from "../sql/loading-plan.ts";
import { GivenJoin } from "../sql/given-join.ts";
import { PolymorphicEntity } from "../sql/polymorphic-entity.ts";
import { relatedCondition } from "../sql/related-condition.ts";
import { Select } from "../sql/select.ts";
import { SelectedEntity } from "../sql/selected-entity.ts";
import type { UserDefinedOption } from "../sql/user-defined-option.ts";
import { criteriaCondition, restrictionOf } from "./criteria-condition.ts";
import { deferredColumns } from "./deferred-columns.ts";
import { PlannedEntity } from "./planned-entity.ts";
import { arrangeRelationships } from "./strategy-of.ts";
import { arrangeSubclasses } from "./subclass-load.ts";

/** What is known of an execution besides its statement. */
export interface StatementPlanOptions {
  /** The statement refreshes an instance, so what follows is about this one alone. */
  readonly isRefresh?: boolean;
  /** Whether criteria hold for the rows of the statement itself; a refresh does not hide the instance that it was asked for, unless the session is strict. */
  readonly hidesOwn?: boolean | undefined;
  /** The criteria that what is found carries for its later loads; undefined: all of those. */
  readonly carried?: readonly EntityCriteria[] | undefined;
  /** The names that are loaded, where not the whole instance is: of a refresh, or of what completes instances that are there. */
  readonly only?: readonly string[] | undefined;
}

/** How a statement of instances is executed: what it becomes, and what its rows hold. */
export class StatementPlan {
  /** The statement as it was asked for. */
  readonly asked: Select<unknown>;
  /** The statement as it is sent. */
  readonly select: Select<unknown>;
  /** The classes whose instances its rows consist of, in their order; of most statements one. */
  readonly entities: readonly PlannedEntity[];
  readonly joins: EagerJoin[] = [];
  /** The classes with something to do when all rows are read, in that order. */
  readonly withAfter: PlannedEntity[] = [];
  readonly criteria: readonly EntityCriteria[];
  /** Those of them that what is found carries for its later loads. */
  readonly carried: readonly EntityCriteria[];
  readonly userDefined: readonly UserDefinedOption[];
  /** The statement refreshes an instance, so what follows is about this one alone. */
  readonly isRefresh: boolean;
  /** The names that are loaded, where not the whole instance is: of a refresh, or of what completes instances that are there. */
  readonly only: readonly string[] | undefined;

  constructor(
    select: Select<unknown>,
    { tree, criteria, userDefined, path = [] }: LoadingPlan,
    { isRefresh = false, hidesOwn = !isRefresh, carried = criteria, only }: StatementPlanOptions = {},
  ) {
    this.asked = select;
    this.criteria = criteria;
    this.carried = carried.filter(({ propagatesToLoaders }) => propagatesToLoaders);
    this.userDefined = userDefined;
    this.isRefresh = isRefresh;
    this.only = only;
    const selected = select.parts.selected?.entities ?? [new SelectedEntity(select.entityColumns, undefined)];
    // An instance that is refreshed may carry what was said of others that were found with it.
    if (!isRefresh) expectInRows(tree, selected, select);
    this.entities = selected.map(
      ({ columns, alias }) => new PlannedEntity(this, columns, alias, tree.of(columns.mapper), path),
    );
    this.entities.forEach(arrangeRelationships);
    for (const entity of this.entities.flatMap(withJoined)) arrangeSubclasses(entity);
    this.#leaveOutColumns();
    const restricted = criteria.length === 0 ? select : select.restrictedBy(restrictionOf(criteria), hidesOwn);
    const { parts } = restricted;
    this.select = new Select(select.entity, {
      ...parts,
      selected: parts.selected?.without(this.entities.map(({ without }) => without)),
      without: parts.selected === undefined ? this.entities[0]?.without : undefined,
      joins: this.joins.length > 0 ? this.joins : undefined,
    });
  }

  /** Whether each row is another instance: nothing stands beside it, and it is a row of a table. */
  get isDistinct(): boolean {
    const { from, sources, selected, alias } = this.select.parts;
    const isAlone = this.joins.length === 0 && from === undefined && sources === undefined && selected === undefined;
    return isAlone && alias?.rows === undefined && !this.isWritten;
  }

  /** Whether the rows come from SQL of users' own, which nothing can be joined to and which nothing is known of. */
  get isWritten(): boolean {
    return this.asked.parts.isWritten === true;
  }

  /** Reads related rows beside those of an entity. */
  join(parent: PlannedEntity, { property, related: tree, where }: LoaderNode): PlannedEntity {
    const { target } = property;
    const { inline } = tree.subclasses;
    const along =
      inline.length === 0 ? undefined : new PolymorphicEntity(target, [...target.columns.subclasses, ...inline]);
    const name = `${target.table.name}_${this.joins.length + 1}`;
    const alias = along?.aliasAs(name) ?? new EntityAlias(target, name);
    const condition = this.#conditionOf(property, alias, where);
    return this.#read(parent, tree, new EagerJoin(property, parent.alias, alias, condition));
  }

  /** Reads related rows from a join that the statement has itself. */
  readJoin(parent: PlannedEntity, property: RelationshipProperty, alias: EntityAlias, tree: LoaderTree): PlannedEntity {
    return this.#read(parent, tree, new GivenJoin(property, parent.alias, alias, undefined));
  }

  #read(parent: PlannedEntity, tree: LoaderTree, join: EagerJoin): PlannedEntity {
    const { property, alias } = join;
    this.joins.push(join);
    const entity = new PlannedEntity(this, alias.columns, alias, tree, [...parent.path, property], {
      entity: parent,
      property,
    });
    parent.joined.push({ property, entity });
    arrangeRelationships(entity);
    return entity;
  }

  /** Decides which columns the rows are without, when it is known what is joined by them. */
  #leaveOutColumns(): void {
    const { columns, isWritten } = this.asked.parts;
    // A load of single columns says itself which.
    const isTold = columns !== undefined || isWritten === true;
    for (const entity of this.entities.flatMap(withJoined))
      if (!isTold || entity.joinedTo !== undefined) entity.without = deferredColumns(entity);
    for (const { entity } of this.entities.flatMap(withJoined).flatMap(({ joined }) => joined)) {
      const join = this.joins.find(({ alias }) => alias === entity.alias) as EagerJoin;
      join.without = entity.without;
    }
  }

  #conditionOf(
    property: RelationshipProperty,
    alias: EntityAlias,
    where: RelatedFilter | undefined,
  ): Expression<boolean> | undefined {
    const own = relatedCondition(property, alias, where)?.restrictedBy(restrictionOf(this.criteria));
    const criteria = criteriaCondition(this.criteria, property.target, alias);
    return own === undefined || criteria === undefined ? (own ?? criteria) : conjunction(own, criteria);
  }
}

/** An option of a class that stands in no row would do nothing. */
function expectInRows(
  tree: LoaderTree,
  entities: readonly { readonly columns: EntityColumns }[],
  { mapper }: Select<unknown>,
): void {
  for (const { mapper: said, label } of tree.subjects) {
    if (entities.some(({ columns }) => mayBeIn(columns, said))) continue;
    const isConcrete = !said.isA(mapper) && said.declaration.isA(mapper.declaration);
    throw new ArgumentError(
      `An option says how ${label} is loaded, and the rows of the statement of ${mapper.class.name} hold no ${said.class.name}. ` +
        `Select it along, as in ${isConcrete ? `select(withPolymorphic(${mapper.class.name}, [${said.class.name}]))` : ".columns((user, post) => [user, post])"}, or leave out the option.`,
    );
  }
}

/** Whether rows with these columns may be of a class. Those of a concrete subclass are read along, or they are not there. */
function mayBeIn(columns: EntityColumns, said: Mapper): boolean {
  const isInTables = said.baseMapper === columns.mapper.baseMapper;
  return concerns(said, columns.mapper) && (isInTables || columns.covers(said));
}

/** An entity and those that are joined to it. */
function withJoined(entity: PlannedEntity): readonly PlannedEntity[] {
  return [entity, ...entity.joined.flatMap((relation) => withJoined(relation.entity))];
}
