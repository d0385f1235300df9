import type { RelationshipProperty } from "../../mapping/relationship-property.ts";
import type { EntityAlias } from "../../sql/entity-alias.ts";
import { keyFoundBy } from "../../sql/key-found-by.ts";
import { emptyPlan, type RelatedPlan } from "../../sql/loading-plan.ts";
import type { Select } from "../../sql/select.ts";
import type { AfterLoad } from "../after-loads.ts";
import type { LoaderStrategy } from "../loader-strategy.ts";
import type { PlannedEntity } from "../planned-entity.ts";
import { loadEach } from "./immediate.ts";
import { byKnowledge, localProperties, RelatedByKey, relatedSelect } from "./related-by-key.ts";
import { loadByParents, selectin } from "./selectin.ts";

/** Related instances are found by one further statement for all, which has the first one inside of it. */
export const subquery: LoaderStrategy = {
  unloadedAs: "asked",
  arrange(entity, node) {
    const { property } = node;
    if (entity.statement.isRefresh) return entity.loadAfter(property, loadEach(property));
    // Rows of a hierarchy do not hold what a subclass adds, so they cannot be asked for it once more.
    const isHere = localProperties(property).every((own) => entity.mapper.ownColumns.indexOf(own) !== -1);
    if (!isHere || entity.statement.isWritten) return selectin.arrange(entity, node);
    entity.loadAfter(property, loadBySubquery(entity, property, entity.planOfRelated(node)));
  },
};

/** @param plan what the statement for the related instances says in turn */
function loadBySubquery(entity: PlannedEntity, property: RelationshipProperty, plan: RelatedPlan): AfterLoad {
  return async (states, loads) => {
    const { knowing, unknowing } = byKnowledge(states, property);
    const related = new RelatedByKey(property, knowing, localProperties(property));
    if (related.seeking.length > 0) {
      const statement = relatedToAll(entity, property, plan, loads.populateExisting);
      related.fill(related.seeking, await loads.find(statement, property.parent), loads);
    }
    related.fillOthers(loads);
    await loadByParents(property, plan, unknowing, loads);
  };
}

/** The statement for what is related to the instances of an entity, whichever those are. */
function relatedToAll(
  entity: PlannedEntity,
  property: RelationshipProperty,
  plan: RelatedPlan,
  populateExisting: boolean,
): Select<unknown> {
  const keys = localProperties(property);
  return relatedSelect(property, plan, (links) => keyFoundBy(links, ...instancesOf(entity), keys), populateExisting);
}

/** A statement that finds the instances of an entity, and the name that their class has in it: the one that was asked, or what is related to those that it finds. */
function instancesOf({
  statement: { asked },
  alias,
  joinedTo,
}: PlannedEntity): readonly [Select<unknown>, EntityAlias | undefined] {
  const isAsked = joinedTo === undefined || asked.parts.sources?.some(({ parts }) => parts.rows === alias) === true;
  if (isAsked) return [asked, alias];
  const { entity, property } = joinedTo;
  const plan = { ...emptyPlan, where: entity.tree.node(property).where };
  return [relatedToAll(entity, property, plan, false), undefined];
}
