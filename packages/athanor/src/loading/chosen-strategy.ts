import type { Mapper } from "../mapping/mapper.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import type { LoaderTree } from "../sql/loader-tree.ts";
import type { LoaderStrategy } from "./loader-strategy.ts";

/** The way in which options say that a relationship of instances of a class is loaded: what is said of it by name, or else of all. Undefined: they say nothing of it. */
export function chosenStrategy(
  tree: LoaderTree,
  mapper: Mapper,
  property: RelationshipProperty,
): LoaderStrategy | undefined {
  return (tree.node(property).strategy ?? tree.wayOfOthers(property, mapper)) as LoaderStrategy | undefined;
}
