import { arrayKind } from "../instance/collections/array.ts";
import type { CollectionKind } from "../instance/collections/collection.ts";
import { mapKind } from "../instance/collections/map.ts";
import { setKind } from "../instance/collections/set.ts";
import type { AnyRelationship } from "./declaration.ts";

/** The container that a relationship declares for its collections. */
export function collectionKind({ container, keyedByAttribute }: AnyRelationship): CollectionKind<any> {
  if (container === "set") return setKind;
  if (container === "map" && keyedByAttribute !== undefined) {
    return mapKind((item) => (item as Record<string, unknown>)[keyedByAttribute]);
  }
  return arrayKind;
}
