import type { Lazy } from "../mapping/lazy.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import type { LoaderStrategy } from "./loader-strategy.ts";
import type { PlannedEntity } from "./planned-entity.ts";
import { immediate } from "./strategies/immediate.ts";
import { joined } from "./strategies/joined.ts";
import { lazy } from "./strategies/lazy.ts";
import { noLoading } from "./strategies/no-load.ts";
import { raising, raisingOnSql } from "./strategies/raise.ts";
import { selectin } from "./strategies/selectin.ts";
import { subquery } from "./strategies/subquery.ts";
import { writeOnly } from "./strategies/write-only.ts";

const strategies: Readonly<Record<Lazy, LoaderStrategy>> = {
  select: lazy,
  selectin,
  joined,
  subquery,
  immediate,
  raise: raising,
  raiseOnSql: raisingOnSql,
  noload: noLoading,
  writeOnly,
};

/** Lets each strategy arrange what it needs where the instances of an entity are read, in the order in which the class declares its relationships. */
export function arrangeRelationships(entity: PlannedEntity): void {
  for (const property of relationshipsToArrange(entity).toSorted((left, right) => left.slot - right.slot)) {
    const node = entity.tree.node(property);
    const strategy = (node.strategy as LoaderStrategy | undefined) ?? unnamedStrategy(entity, property);
    strategy?.arrange(entity, node);
  }
}

/** The relationships of a class and its subclasses that may be loaded along. */
function relationshipsToArrange({
  tree,
  mapper,
  statement: { only },
  joinedTo,
}: PlannedEntity): RelationshipProperty[] {
  const unnamed = tree.hasOthers
    ? [mapper, ...mapper.subclasses].flatMap(({ relationships }) => relationships)
    : mapper.loadedAlong;
  const isWanted = ({ key }: RelationshipProperty): boolean => joinedTo !== undefined || only?.includes(key) !== false;
  return [...new Set([...tree.named, ...unnamed.filter(isWanted)])];
}

/** How a relationship is loaded that no option names: as options say of all, or as it says itself; undefined where it is not. */
function unnamedStrategy(entity: PlannedEntity, property: RelationshipProperty): LoaderStrategy | undefined {
  const { tree, mapper, columns } = entity;
  const ofAll = tree.wayOfOthers(property, mapper) as LoaderStrategy | undefined;
  const strategy = ofAll ?? strategies[property.options.lazy ?? "select"];
  // What is said of the relationships of one class comes to an end with them.
  if ((ofAll === undefined || ofAll === tree.everywhere) && isEndless(entity, property, strategy)) return undefined;
  // Rows of a hierarchy do not hold what a subclass adds, to join anything to.
  return strategy === joined && !columns.covers(property.parent) ? selectin : strategy;
}

/** Whether the relationship leads back to a class that it comes from, which would go on and on: only options that name it lead there. */
function isEndless(
  { path, origin, depth }: PlannedEntity,
  { target, options: { joinDepth }, inverse, refersToKey }: RelationshipProperty,
  strategy: LoaderStrategy,
): boolean {
  // What an instance is loaded for is there already.
  if (path.at(-1) !== undefined && path.at(-1) === inverse && refersToKey) return true;
  // A statement joins what it needs, whatever it was that led to it.
  const way = strategy === joined ? path.slice(path.length - depth) : path;
  if (joinDepth !== undefined) return way.length + 1 > joinDepth;
  return (way[0]?.parent ?? origin) === target || way.some((step) => step.target === target);
}
