import { EventNode } from "../event/event-node.ts";
import { relatedEvents, scalarEvents } from "../instance/attribute-events.ts";
import { declarationOf } from "./declaration.ts";
import { Mixin } from "./mixin.ts";

const nodes = new WeakMap<object, Map<string, EventNode>>();

/**
 * The listeners of one attribute of one class or mixin, mapped or not. What is registered for the same attribute of a parent
 * class or of a mixin is inherited.
 */
export function attributeNode(owner: object, key: string): EventNode {
  let byKey = nodes.get(owner);
  if (byKey === undefined) nodes.set(owner, (byKey = new Map()));
  let node = byKey.get(key);
  if (node === undefined) {
    node = new EventNode(
      isRelationship(owner, key) ? relatedEvents : scalarEvents,
      () => `${owner instanceof Mixin ? "a mixin" : (owner as { name: string }).name}.${key}`,
      {
        parents: parentNodes(owner, key),
        level: 1,
      },
    );
    byKey.set(key, node);
  }
  return node;
}

function parentNodes(owner: object, key: string): EventNode[] {
  if (owner instanceof Mixin) return [];
  const declaration = declarationOf(owner);
  const parent = Object.getPrototypeOf(owner) as object;
  // A relationship that a concrete subclass has too leads from rows of its own.
  const isOwn = declaration?.base === owner && declaration.concreteParent !== undefined && isRelationship(owner, key);
  const parents = isOwn || declarationOf(parent)?.find(key) === undefined ? [] : [attributeNode(parent, key)];
  if (declaration?.base === owner) {
    const inherited = (declaration.parent ?? declaration.concreteParent)?.mixins;
    for (const mixin of declaration.mixins) {
      if (inherited?.has(mixin) !== true && Object.hasOwn(mixin.properties as object, key))
        parents.push(attributeNode(mixin, key));
    }
  }
  return parents;
}

/** Told by the property's descriptor: no getter runs before all classes exist. */
function isRelationship(owner: object, key: string): boolean {
  if (owner instanceof Mixin)
    return Object.getOwnPropertyDescriptor(owner.properties as object, key)?.get !== undefined;
  return declarationOf(owner)?.find(key)?.relationship !== undefined;
}
