/**
 * Where a container announces its mutations: the attribute implements it, one for each collection of each instance.
 *
 * `token` says which attribute the program touched first and is handed on as it came; undefined: this one. `key` is the
 * place where the program put or found the element: an index, a map's key, -1 for the end of an array; undefined: none.
 */
export interface CollectionOwner {
  /** What messages call the collection: `User.posts`. */
  readonly name: string;
  /** Throws for a value that may not enter at all. Asked for every value of an operation before any is announced. */
  expect(item: unknown): void;
  /** An element is about to enter. Returns the one that shall enter, or throws to refuse. */
  append(item: object, token: unknown, key: unknown): object;
  /** An element that is there already was added again, or is kept by a bulk replacement. */
  appendWithoutMutation(item: object, token: unknown, key: unknown): void;
  /** An element is about to leave; of `pop` and `shift`: has just left. Throws to refuse, and then it stays. */
  remove(item: object, token: unknown, key: unknown): void;
  /** The order is about to change (`sort`, `reverse`), which nobody announces: the last moment to copy the contents. Throws to refuse. */
  touched?(): void;
  /** An element is about to leave that is announced only when it has left (`pop`, `shift`). Throws to refuse. */
  popping?(): void;
}

/** One value that the program assigned to a collection, and the key under which it did. */
export interface AssignedItem {
  readonly item: unknown;
  readonly key: unknown;
}

/**
 * One kind of container, such as array, set, or map by an attribute: shared code asks it, and never which kind it is.
 *
 * Every `container` below is one that `create` of the same kind returned.
 */
export interface CollectionKind<TContainer extends object = object> {
  readonly name: "array" | "set" | "map";
  /** An empty container that announces its mutations to the owner. */
  create(owner: CollectionOwner): TContainer;
  /** The elements in order, as an array of their own. */
  items(container: TContainer): object[];
  has(container: TContainer, item: object): boolean;
  size(container: TContainer): number;
  /** The elements of what the program assigned, instrumented or not; undefined where that is of the wrong kind. */
  itemsOf(value: unknown): readonly AssignedItem[] | undefined;
  /** Throws where an element may not stand under the key under which the program assigned it. */
  expectKey(owner: CollectionOwner, item: object, key: unknown): void;
  /** Adds as the program would, on behalf of another attribute. */
  appendWithEvent(container: TContainer, item: object, token: unknown): void;
  /**
   * Takes out as the program would, on behalf of another attribute. An array announces even an element that it does not
   * hold, as SQLAlchemy's lists do; a set and a map do nothing then.
   */
  removeWithEvent(container: TContainer, item: object, token: unknown): void;
  /** Adds what the database holds. */
  appendWithoutEvent(container: TContainer, item: object): void;
  removeWithoutEvent(container: TContainer, item: object): void;
  clearWithoutEvent(container: TContainer): void;
  /** The owner of an instrumented container of this kind; undefined for a detached one and for any other value. */
  owner(container: unknown): CollectionOwner | undefined;
  /** Cuts a container off that its attribute has disposed of: it announces nothing any more. */
  detach(container: TContainer): void;
}
