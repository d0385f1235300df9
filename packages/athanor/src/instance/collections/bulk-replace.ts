import type { CollectionKind, CollectionOwner } from "./collection.ts";

/**
 * Fills the empty container that takes the place of another, and announces the difference: first each element that is
 * new, in its order, then each that is kept and each that is gone, in their old order. SQLAlchemy: `collections.bulk_replace`.
 */
export function replaceItems<TContainer extends object>(
  kind: CollectionKind<TContainer>,
  owner: CollectionOwner,
  container: TContainer,
  newItems: readonly object[],
  oldItems: readonly object[],
  token: unknown,
): void {
  const before = new Set(oldItems);
  const after = new Set(newItems);
  for (const item of newItems) {
    if (before.has(item)) kind.appendWithoutEvent(container, item);
    else kind.appendWithEvent(container, item, token);
  }
  for (const item of before) if (after.has(item)) owner.appendWithoutMutation(item, token, undefined);
  for (const item of before) if (!after.has(item)) owner.remove(item, token, undefined);
}
