import type { CollectionOwner } from "./collection.ts";

/** The place of one element in a container. */
export interface Place {
  put(item: object): void;
  /** Leaves nothing there. */
  clear(): void;
}

/**
 * Announces that one element takes the place of another, and puts there what has come of it.
 *
 * A refused element must not cost the one that stood there. That one has been announced as leaving by then, so it is
 * announced as entering again; only if that is refused too, it is lost.
 */
export function announceReplacement(
  owner: CollectionOwner,
  { leaving, entering }: { readonly leaving: object; readonly entering: object },
  token: unknown,
  key: unknown,
  place: Place,
): void {
  owner.remove(leaving, token, key);
  let standing: object | undefined;
  try {
    standing = owner.append(entering, token, key);
  } catch (refusal) {
    standing = entryOf(owner, leaving, token, key);
    throw refusal;
  } finally {
    if (standing === undefined) place.clear();
    else place.put(standing);
  }
}

function entryOf(owner: CollectionOwner, item: object, token: unknown, key: unknown): object | undefined {
  try {
    return owner.append(item, token, key);
  } catch {
    // The program hears of the first refusal, which is about the element that it named.
    return undefined;
  }
}
