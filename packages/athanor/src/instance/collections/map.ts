import { ArgumentError, InvalidRequestError } from "../../event/errors.ts";
import { announceReplacement } from "./announce-replacement.ts";
import type { AssignedItem, CollectionKind, CollectionOwner } from "./collection.ts";

/** Reads the key of an element from the element itself: `(setting) => setting.name`. */
export type KeyOf = (item: object) => unknown;

/** A Map whose keys are a property of its elements, and that announces its mutations. */
class CollectionMap extends Map<unknown, object> {
  readonly #keyOf: KeyOf;
  #owner: CollectionOwner | undefined;

  static {
    // Equal to a plain Map in tests, and printed as one.
    Reflect.deleteProperty(this.prototype, "constructor");
  }

  static kind(keyOf: KeyOf): CollectionKind<Map<unknown, object>> {
    return {
      name: "map",
      create: (owner) => new CollectionMap(owner, keyOf),
      items: (map) => Array.from(map.values()),
      has: (map, item) => (map as CollectionMap).#place(item) !== undefined,
      size: (map) => map.size,
      itemsOf: (value) => assignedItems(value, keyOf),
      expectKey: (owner, item, key) => expectOwnKey(owner.name, keyOf(item), key),
      appendWithEvent: (map, item, token) => {
        const own = map as CollectionMap;
        own.#owner?.expect(item);
        own.#append(own.#expectKey(item), item, token);
      },
      removeWithEvent: (map, item, token) => {
        const own = map as CollectionMap;
        const place = own.#place(item);
        if (place !== undefined) own.#remove(place.key, token);
      },
      appendWithoutEvent: (map, item) => {
        const own = map as CollectionMap;
        own.#put(own.#expectKey(item), item);
      },
      removeWithoutEvent: (map, item) => {
        const own = map as CollectionMap;
        const place = own.#place(item);
        if (place !== undefined) own.#drop(place.key);
      },
      clearWithoutEvent: (map) => (map as CollectionMap).#empty(),
      owner: (map) => (typeof map === "object" && map !== null && #owner in map ? map.#owner : undefined),
      detach: (map) => {
        (map as CollectionMap).#owner = undefined;
      },
    };
  }

  constructor(owner: CollectionOwner, keyOf: KeyOf) {
    super();
    this.#owner = owner;
    this.#keyOf = keyOf;
  }

  override set(key: unknown, item: object): this {
    if (this.#owner !== undefined) {
      this.#owner.expect(item);
      expectOwnKey(this.#owner.name, this.#keyOf(item), key);
    }
    this.#append(key, item, undefined);
    return this;
  }

  override delete(key: unknown): boolean {
    return this.#remove(key, undefined);
  }

  override clear(): void {
    for (const key of Array.from(this.keys())) this.#remove(key, undefined);
  }

  #append(key: unknown, item: object, token: unknown): void {
    const owner = this.#owner;
    const standing = this.get(key);
    if (owner === undefined) {
      this.#put(key, item);
    } else if (standing === undefined) {
      this.#put(key, owner.append(item, token, key));
    } else {
      announceReplacement(owner, { leaving: standing, entering: item }, token, key, {
        put: (entering) => this.#put(key, entering),
        clear: () => this.#drop(key),
      });
    }
  }

  #remove(key: unknown, token: unknown): boolean {
    const item = this.get(key);
    if (item === undefined) return false;
    this.#owner?.remove(item, token, key);
    return this.#drop(key);
  }

  #put(key: unknown, item: object): void {
    super.set(key, item);
  }

  #drop(key: unknown): boolean {
    return super.delete(key);
  }

  #empty(): void {
    super.clear();
  }

  /** Where an element stands. Looked for rather than computed: its property may have changed since, or be expired. */
  #place(item: object): { readonly key: unknown } | undefined {
    for (const [key, each] of this) if (each === item) return { key };
    return undefined;
  }

  #expectKey(item: object): unknown {
    const key = this.#keyOf(item);
    if (key === undefined) {
      throw new InvalidRequestError(
        `${this.#owner?.name ?? "A map"} cannot hold this ${item.constructor.name}, because it has no key yet: the property that ` +
          `the map is keyed by was never set. Set it before the element is added.`,
      );
    }
    return key;
  }
}

/**
 * Collections that are Maps, keyed by a property of their elements: `user.settings.get("theme")`.
 *
 * @example
 * mapKind((setting) => setting.name)
 */
export function mapKind(keyOf: KeyOf): CollectionKind<Map<unknown, object>> {
  return CollectionMap.kind(keyOf);
}

function assignedItems(value: unknown, keyOf: KeyOf): AssignedItem[] | undefined {
  if (value instanceof Map) return Array.from(value as Map<unknown, unknown>, ([key, item]) => ({ item, key }));
  if (!isPlainObject(value)) return undefined;
  return Object.entries(value).map(([text, item]) => {
    // A plain object has only strings for keys: 1 was meant by "1" where 1 is the key of the element.
    const key: unknown = typeof item === "object" && item !== null ? keyOf(item) : text;
    return { item, key: typeof key !== "symbol" && String(key) === text ? key : text };
  });
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function expectOwnKey(name: string, own: unknown, key: unknown): void {
  // As Maps compare keys: NaN is itself, 0 is -0.
  if (own === key || (Number.isNaN(own) && Number.isNaN(key))) return;
  throw new ArgumentError(
    `${name} cannot hold an element under ${printKey(key)}, because its own key is ${printKey(own)}: the key of this map is a ` +
      `property of its elements, and would be ${printKey(own)} when it is loaded again. Use that key, or change the property first.`,
  );
}

function printKey(key: unknown): string {
  return typeof key === "string" ? JSON.stringify(key) : String(key);
}
