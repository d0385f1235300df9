import { ArgumentError } from "../../event/errors.ts";
import type { RelationshipProperty } from "../../mapping/relationship-property.ts";
import { type EntityAlias, rootSource } from "../../sql/entity-alias.ts";
import type { LoaderStrategy } from "../loader-strategy.ts";
import type { PlannedEntity } from "../planned-entity.ts";

/**
 * Related instances are read from a join that the statement has itself.
 *
 * @param given the join, by the name of its class; without it, the one that goes along the relationship, or that reads the class at its other end
 */
export function contained(given?: EntityAlias): LoaderStrategy {
  return {
    unloadedAs: "asked",
    isOfStatement: true,
    arrange(entity, { property, related }) {
      entity.statement.readJoin(entity, property, joinOf(entity, property, given), related);
    },
  };
}

function joinOf(entity: PlannedEntity, property: RelationshipProperty, given: EntityAlias | undefined): EntityAlias {
  const { sources = [] } = entity.statement.asked.parts;
  const { place } = entity.alias ?? rootSource(entity.statement.asked.parts);
  const along = sources.filter(({ parts }) => parts.along?.property === property && parts.along.from.place === place);
  const reading = sources.filter(({ parts }) => parts.along === undefined && parts.rows.mapper?.isA(property.target));
  const candidates = given === undefined ? (along.length > 0 ? along : reading) : sources;
  const found = candidates.findLast(({ parts }) => given === undefined || parts.rows === given);
  if (found?.parts.rows.mapper?.isA(property.target) === true) return found.parts.rows as EntityAlias;
  const { label, key, target } = property;
  throw new ArgumentError(
    `containsEager() says that a join of the statement leads to ${label}, and ${given === undefined ? "it has none that does" : `"${given.name}" is none of its joins to ${target.class.name}`}. ` +
      `Join it, as in .outerJoin("${key}"), or load it by selectinLoad() or joinedLoad(), which need no join.`,
  );
}
