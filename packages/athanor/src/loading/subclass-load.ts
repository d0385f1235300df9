import type { InstanceState } from "../instance/instance-state.ts";
import { type ColumnProperty, type Mapper, mapperOfState } from "../mapping/mapper.ts";
import { ColumnExpression } from "../sql/column-expression.ts";
import { LoaderTree } from "../sql/loader-tree.ts";
import { Select } from "../sql/select.ts";
import type { AfterLoad } from "./after-loads.ts";
import { deferralOf } from "./deferred-columns.ts";
import type { PlannedEntity } from "./planned-entity.ts";
import { CHUNK_SIZE, isOneOf } from "./strategies/selectin.ts";

/** Loads what subclasses add to the rows of an entity, before anything else that follows the statement: by what they hold relationships are found. */
export function arrangeSubclasses(entity: PlannedEntity): void {
  const { subclassesToLoad: subclasses, statement } = entity;
  // What is asked anew of an instance is asked of its own class.
  const isAsking = statement.isRefresh && entity.joinedTo === undefined;
  if (subclasses.size > 0 && !isAsking) entity.loadFirst(subclassLoad(entity, subclasses));
}

/** One further statement for the instances of each of these classes, each instance by the nearest of those that it is of. */
function subclassLoad(entity: PlannedEntity, subclasses: ReadonlySet<Mapper>): AfterLoad {
  return async (states, loads) => {
    const bySubclass = new Map<Mapper, InstanceState[]>();
    for (const state of states) {
      const subclass = nearest(mapperOfState(state), entity.mapper, subclasses);
      const known = subclass && bySubclass.get(subclass);
      if (known !== undefined) known.push(state);
      else if (subclass !== undefined) bySubclass.set(subclass, [state]);
    }
    for (const [subclass, instances] of bySubclass) {
      const { columns, tree } = ofSubclass(entity, subclass);
      const isIncomplete = (state: InstanceState): boolean =>
        columns.some(({ slot }) => state.isUnread(slot)) ||
        tree.named.some(({ slot }) => state.values[slot] === undefined);
      const incomplete = instances.filter(isIncomplete);
      for (let start = 0; start < incomplete.length; start += CHUNK_SIZE)
        await loads.complete(statementFor(entity, subclass, incomplete.slice(start, start + CHUNK_SIZE)));
    }
  };
}

function nearest(mapper: Mapper, base: Mapper, subclasses: ReadonlySet<Mapper>): Mapper | undefined {
  for (let each: Mapper | undefined = mapper; each !== undefined && each !== base; each = each.inherits)
    if (subclasses.has(each)) return each;
  return undefined;
}

/** What the rows do not hold of a subclass: columns, and relationships that are read from the same rows as those. */
function ofSubclass(
  { columns: read, leftToSubclasses, tree: of }: PlannedEntity,
  subclass: Mapper,
): { readonly columns: readonly ColumnProperty[]; readonly tree: LoaderTree } {
  return {
    columns: subclass.columnProperties.filter(
      (property) => read.indexOf(property) === -1 && deferralOf(of, property, subclass) === undefined,
    ),
    tree: LoaderTree.from(leftToSubclasses.filter(({ property }) => subclass.isA(property.parent))),
  };
}

function statementFor(entity: PlannedEntity, subclass: Mapper, instances: readonly InstanceState[]): Select<unknown> {
  const { columns, tree } = ofSubclass(entity, subclass);
  const { primaryKey, polymorphicOn } = subclass;
  const needed = new Set([...primaryKey, ...(polymorphicOn === undefined ? [] : [polymorphicOn]), ...columns]);
  const { criteria, userDefined } = entity.statement;
  return new Select(subclass.class as never, {
    where: isOneOf(
      primaryKey.map(({ source }) => new ColumnExpression(source.table, source.column)),
      instances.map(({ identityValues }) => identityValues),
    ),
    columns: [...needed].toSorted((left, right) => left.slot - right.slot),
    orderBy: [],
    executionOptions: {},
    plan: { tree, criteria, userDefined, path: entity.path },
  });
}
