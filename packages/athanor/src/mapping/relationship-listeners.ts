import type { CollectionEvent, Initiator, RemoveEvent, SetEvent } from "../instance/attribute-events.ts";
import { InvalidRequestError } from "../event/errors.ts";
import { Instance, stateOf } from "../instance/instance.ts";
import type { RelatedAttribute } from "../instance/instance-attribute.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import { attributeNode } from "./attribute-node.ts";
import { isOrphan } from "./orphans.ts";
import type { RelationshipProperty } from "./relationship-property.ts";

type Element = CollectionEvent<Instance, Instance>;
type Assignment = SetEvent<Instance, Instance | null>;

/** Lets cascades follow what is put into a relationship, and taken out of it: before any listener of the user's. */
export function listenForCascades(property: RelationshipProperty): void {
  const node = attributeNode(property.parent.class, property.key);
  const builtin = { builtin: true };
  if (property.options.singleParent === true) {
    node.listen("set", ({ value, oldValue }: Assignment) => expectNoParent(property, value, oldValue), {}, builtin);
    node.listen("append", ({ value }: Element) => expectNoParent(property, value, undefined), {}, builtin);
  }
  // What stays when a collection is replaced may be outside of the session still.
  for (const event of ["append", "appendWithoutMutation"]) {
    node.listen(
      event,
      ({ target, value, initiator }: Element) => entering(property, target, value, initiator),
      {},
      builtin,
    );
  }
  node.listen(
    "remove",
    ({ target, value }: RemoveEvent<Instance, Instance>) => leaving(property, target, value),
    {},
    builtin,
  );
  node.listen(
    "set",
    ({ target, value, oldValue, initiator }: Assignment) => {
      if (oldValue === value) return;
      if (value !== null) entering(property, target, value, initiator);
      else stateOf(target).owner?.relationshipChanging(property, stateOf(target));
      if (oldValue instanceof Instance) left(property, target, oldValue);
    },
    {},
    builtin,
  );
}

/** Lets the other side of a relationship follow: before any listener of the user's. */
export function listenForInverse(property: RelationshipProperty, inverse: RelationshipProperty): void {
  const node = attributeNode(property.parent.class, property.key);
  const builtin = { builtin: true };
  node.listen(
    "append",
    ({ target, value, initiator }: Element) => addThere(inverse, target, value, initiator),
    {},
    builtin,
  );
  node.listen(
    "remove",
    ({ target, value, initiator }: Element) => removeThere(property, inverse, target, value, initiator),
    {},
    builtin,
  );
  node.listen(
    "set",
    ({ target, value, oldValue, initiator }: Assignment) => {
      if (oldValue === value) return;
      if (oldValue instanceof Instance) replaceThere(property, inverse, target, oldValue, initiator);
      if (value !== null) addThere(inverse, target, value, initiator);
    },
    {},
    builtin,
  );
}

/** Refuses a second parent where there may be one at a time. */
function expectNoParent(property: RelationshipProperty, value: Instance | null, oldValue: unknown): void {
  if (value === null || value === oldValue || stateOf(value).relations?.parents.get(property) == null) return;
  throw new InvalidRequestError(
    `${stateOf(value).describe()} belongs to another ${property.parent.class.name} by ${property.label} already, and may have a single parent. Take it away there first.`,
  );
}

function entering(property: RelationshipProperty, target: Instance, value: Instance, initiator: Initiator): void {
  const { owner } = stateOf(target);
  if (owner === undefined) return;
  owner.relationshipChanging(property, stateOf(target));
  // Only what the program put in here itself: the other side of a relationship does not draw instances into the session.
  if (property.cascade.has("save-update") && initiator.key === property.key) owner.cascadeAdd(stateOf(value));
}

function leaving(property: RelationshipProperty, target: Instance, value: unknown): void {
  stateOf(target).owner?.relationshipChanging(property, stateOf(target));
  if (value instanceof Instance) left(property, target, value);
}

/** A part that was never saved and has no whole any more is nothing: its session lets go of it, or the flush that finds it where it comes into one later. */
function left(property: RelationshipProperty, target: Instance, value: Instance): void {
  const child = stateOf(value);
  if (!property.cascade.has("delete-orphan") || !isOrphan(child)) return;
  const { owner } = stateOf(target);
  if (owner === undefined) child.expectRelations().isCutOff = true;
  else owner.dropPending(child);
}

function attributeOf(property: RelationshipProperty, state: InstanceState): RelatedAttribute {
  return state.instrumentation.attributes[property.slot] as RelatedAttribute;
}

function addThere(inverse: RelationshipProperty, target: Instance, value: Instance, initiator: Initiator): void {
  const there = attributeOf(inverse, stateOf(value));
  // Where the change came from there, it is done there.
  if (initiator === there.appendToken || initiator === there.bulkReplaceToken) return;
  there.append(stateOf(value), target, initiator);
}

function removeThere(
  property: RelationshipProperty,
  inverse: RelationshipProperty,
  target: Instance,
  value: unknown,
  initiator: Initiator,
): void {
  if (!(value instanceof Instance)) return;
  const there = attributeOf(inverse, stateOf(value));
  const replaceToken = there.isCollection ? there.bulkReplaceToken : there.appendToken;
  if (initiator === there.removeToken || initiator === replaceToken) return;
  // An array may hold it a second time: then it is still related.
  const here = attributeOf(property, stateOf(target));
  if (!there.isCollection && here.loaded(stateOf(target)).filter((item) => item === value).length > 1) return;
  there.pop(stateOf(value), target, initiator);
}

function replaceThere(
  property: RelationshipProperty,
  inverse: RelationshipProperty,
  target: Instance,
  old: Instance,
  initiator: Initiator,
): void {
  const there = attributeOf(inverse, stateOf(old));
  if (initiator === (there.isCollection ? there.removeToken : there.appendToken)) return;
  there.pop(stateOf(old), target, attributeOf(property, stateOf(target)).appendToken);
}
