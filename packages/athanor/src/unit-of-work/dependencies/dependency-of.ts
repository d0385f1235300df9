import type { RelationshipProperty } from "../../mapping/relationship-property.ts";
import type { Dependency } from "./dependency.ts";
import { ManyToMany } from "./many-to-many.ts";
import { ManyToOne } from "./many-to-one.ts";
import { OneToMany } from "./one-to-many.ts";

const kinds = { oneToMany: OneToMany, manyToOne: ManyToOne, manyToMany: ManyToMany };

const dependencies = new WeakMap<RelationshipProperty, Dependency>();

/** What a relationship means for a flush: the one place where its direction is asked. */
export function dependencyOf(property: RelationshipProperty): Dependency {
  let dependency = dependencies.get(property);
  if (dependency === undefined) dependencies.set(property, (dependency = new kinds[property.direction](property)));
  return dependency;
}
