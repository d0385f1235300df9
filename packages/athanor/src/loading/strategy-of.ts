import type { Lazy } from "../mapping/lazy.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import type { LoaderNode } from "../sql/loader-tree.ts";
import { LoaderTree } from "../sql/loader-tree.ts";
import type { LoaderStrategy } from "./loader-strategy.ts";
import type { PlannedEntity } from "./planned-entity.ts";
import { immediate } from "./strategies/immediate.ts";
import { joined } from "./strategies/joined.ts";
import { lazy } from "./strategies/lazy.ts";
import { noLoading } from "./strategies/no-load.ts";
import { raising, raisingOnSql } from "./strategies/raise.ts";
import { selectin } from "./strategies/selectin.ts";
import { subquery } from "./strategies/subquery.ts";

const strategies: Readonly<Record<Lazy, LoaderStrategy>> = {
  select: lazy,
  selectin,
  joined,
  subquery,
  immediate,
  raise: raising,
  raiseOnSql: raisingOnSql,
  noload: noLoading,
};

/** Lets each strategy arrange what it needs where the instances of an entity are read, in the order in which the class declares its relationships. */
export function arrangeRelationships(entity: PlannedEntity): void {
  const { tree, mapper } = entity;
  const properties = new Set([...tree.nodes.keys(), ...mapper.loadedAlong]);
  for (const property of [...properties].toSorted((left, right) => left.slot - right.slot)) {
    const node = tree.nodes.get(property);
    const strategy = (node?.strategy as LoaderStrategy | undefined) ?? defaultStrategy(entity, property);
    strategy?.arrange(entity, node ?? nodeOf(property));
  }
}

function nodeOf(property: RelationshipProperty): LoaderNode {
  return { property, strategy: undefined, related: LoaderTree.empty };
}

/** What the relationship says itself; undefined where that is nothing for the instances of this entity. */
function defaultStrategy(entity: PlannedEntity, property: RelationshipProperty): LoaderStrategy | undefined {
  const strategy = strategies[property.options.lazy ?? "select"];
  if (entity.statement.only?.includes(property.key) === false && entity.joinedTo === undefined) return undefined;
  if (isEndless(entity, property, strategy)) return undefined;
  // Rows of a hierarchy do not hold what a subclass adds, to join anything to.
  return strategy === joined && !entity.columns.covers(property.parent) ? selectin : strategy;
}

/** Whether the relationship leads back to a class that it comes from, which would go on and on: only options lead there. */
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
