import type { CollectionKind, CollectionOwner } from "./collection.ts";

/** A Set that announces its mutations. */
class CollectionSet extends Set<object> {
  #owner: CollectionOwner | undefined;

  static {
    // Equal to a plain Set in tests, and printed as one.
    Reflect.deleteProperty(this.prototype, "constructor");
  }

  static readonly kind: CollectionKind<Set<object>> = {
    name: "set",
    create: (owner) => new CollectionSet(owner),
    items: (set) => Array.from(set),
    has: (set, item) => set.has(item),
    size: (set) => set.size,
    itemsOf: (value) =>
      value instanceof Set ? Array.from(value as Set<unknown>, (item) => ({ item, key: undefined })) : undefined,
    expectKey: () => {},
    appendWithEvent: (set, item, token) => (set as CollectionSet).#append(item, token),
    removeWithEvent: (set, item, token) => void (set as CollectionSet).#remove(item, token),
    appendWithoutEvent: (set, item) => (set as CollectionSet).#put(item),
    removeWithoutEvent: (set, item) => void (set as CollectionSet).#drop(item),
    clearWithoutEvent: (set) => (set as CollectionSet).#empty(),
    owner: (set) => (typeof set === "object" && set !== null && #owner in set ? set.#owner : undefined),
    detach: (set) => {
      (set as CollectionSet).#owner = undefined;
    },
  };

  constructor(owner: CollectionOwner) {
    super();
    this.#owner = owner;
  }

  override add(item: object): this {
    this.#append(item, undefined);
    return this;
  }

  override delete(item: object): boolean {
    return this.#remove(item, undefined);
  }

  override clear(): void {
    for (const item of Array.from(this)) this.#remove(item, undefined);
  }

  #append(item: object, token: unknown): void {
    const owner = this.#owner;
    if (owner === undefined) {
      this.#put(item);
    } else if (this.has(item)) {
      owner.appendWithoutMutation(item, token, undefined);
    } else {
      owner.expect(item);
      this.#put(owner.append(item, token, undefined));
    }
  }

  #remove(item: object, token: unknown): boolean {
    if (!this.has(item)) return false;
    this.#owner?.remove(item, token, undefined);
    return this.#drop(item);
  }

  #put(item: object): void {
    super.add(item);
  }

  #drop(item: object): boolean {
    return super.delete(item);
  }

  #empty(): void {
    super.clear();
  }
}

/** Collections that are Sets: `user.tags.add(tag)`. */
export const setKind: CollectionKind<Set<object>> = CollectionSet.kind;
