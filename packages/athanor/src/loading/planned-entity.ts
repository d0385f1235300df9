import type { EntityColumns } from "../mapping/entity-columns.ts";
import type { ColumnProperty, Mapper } from "../mapping/mapper.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import type { EntityAlias } from "../sql/entity-alias.ts";
import type { LoaderNode, LoaderTree } from "../sql/loader-tree.ts";
import type { RelatedPlan } from "../sql/loading-plan.ts";
import type { AfterLoad } from "./after-loads.ts";
import type { StatementPlan } from "./statement-plan.ts";

/** Related instances in the same rows. */
export interface JoinedRelation {
  readonly property: RelationshipProperty;
  readonly entity: PlannedEntity;
}

/** A class whose instances are read from the rows of a statement, with all that is loaded along with them. */
export class PlannedEntity {
  readonly statement: StatementPlan;
  /** What is read of the class. */
  readonly columns: EntityColumns;
  /** Its name in the statement; undefined where it is the class of the statement itself. */
  readonly alias: EntityAlias | undefined;
  readonly tree: LoaderTree;
  /** The relationships that lead to it from the instances that the program asked for. */
  readonly path: readonly RelationshipProperty[];
  /** What it is joined to; undefined where its instances are what the rows consist of. */
  readonly joinedTo: { readonly entity: PlannedEntity; readonly property: RelationshipProperty } | undefined;
  /** How many relationships lead to it from a class that the rows consist of. */
  readonly depth: number;
  /** Relationships that are read from the same rows, in the order of declaration. */
  readonly joined: JoinedRelation[] = [];
  /** The subclasses whose columns the rows do not hold, and which are loaded along by further statements. */
  readonly subclassesToLoad: Set<Mapper>;
  /** Relationships of such subclasses that are read from the rows of those statements. */
  readonly leftToSubclasses: LoaderNode[] = [];
  /** What is to be done when all rows are read, for instances of a class. */
  readonly after: { readonly of: Mapper; readonly load: AfterLoad }[] = [];

  /** Columns of the class that the rows are without. */
  without: ReadonlySet<ColumnProperty> | undefined = undefined;

  constructor(
    statement: StatementPlan,
    columns: EntityColumns,
    alias: EntityAlias | undefined,
    tree: LoaderTree,
    path: readonly RelationshipProperty[],
    joinedTo?: PlannedEntity["joinedTo"],
  ) {
    this.statement = statement;
    this.columns = columns;
    this.alias = alias;
    this.tree = tree;
    this.path = path;
    this.joinedTo = joinedTo;
    const { selectinSubclasses, columns: read } = columns.mapper;
    // Nothing can be joined to SQL of the program's own.
    const unjoined = statement.asked.parts.isWritten === true ? read.subclasses : [];
    const { inline, selectin } = tree.subclasses;
    const subclasses = [...inline, ...selectin, ...selectinSubclasses, ...unjoined];
    this.subclassesToLoad = new Set(subclasses.filter((subclass) => !columns.covers(subclass)));
    this.depth = joinedTo === undefined ? 0 : joinedTo.entity.depth + 1;
  }

  /** What a further statement for related instances says: all that this one does. */
  planOfRelated({ property, related, where }: LoaderNode): RelatedPlan {
    const { criteria, userDefined } = this.statement;
    return { tree: related, criteria, userDefined, path: [...this.path, property], where };
  }

  /** The columns that the rows have. */
  get properties(): readonly ColumnProperty[] {
    const { columns, without } = this;
    return without === undefined ? columns.properties : columns.properties.filter((column) => !without.has(column));
  }

  get mapper(): Mapper {
    return this.columns.mapper;
  }

  /** The class whose instances the rows of the statement consist of, where that leads to this one. */
  get origin(): Mapper {
    return this.joinedTo === undefined ? this.mapper : this.joinedTo.entity.origin;
  }

  loadAfter({ parent }: RelationshipProperty, load: AfterLoad): void {
    if (this.after.length === 0) this.statement.withAfter.push(this);
    this.after.push({ of: parent, load });
  }

  /** The same, before everything else. */
  loadFirst(load: AfterLoad): void {
    if (this.after.length === 0) this.statement.withAfter.push(this);
    this.after.unshift({ of: this.mapper, load });
  }
}
