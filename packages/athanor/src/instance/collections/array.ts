import { ArgumentError } from "../../event/errors.ts";
import { announceReplacement } from "./announce-replacement.ts";
import type { CollectionKind, CollectionOwner } from "./collection.ts";

/** Leads from the proxy that the program holds to the array behind it: private names do not pass through a proxy. */
const BEHIND = Symbol("the array behind the proxy");

const native = Array.prototype;

const READERS = [
  ...(["at", "concat", "entries", "flat", "includes", "indexOf", "join", "keys", "lastIndexOf", "slice"] as const),
  ...(["toReversed", "toSorted", "toSpliced", "values", "with"] as const),
];
/** Methods that call back with the array as third argument. */
const VISITORS = [
  ...(["every", "filter", "find", "findIndex", "findLast", "findLastIndex"] as const),
  ...(["flatMap", "forEach", "map", "some"] as const),
];
/** Methods that call back with the array as fourth argument. */
const FOLDERS = ["reduce", "reduceRight"] as const;

/**
 * An array that announces its mutations.
 *
 * The program holds a proxy of it, so that `posts[0] = post` and `posts.length = 0` can be heard. Reading through a proxy is
 * slow, so every method, also one that only reads, goes to the array behind the proxy first.
 */
class CollectionArray extends Array<object> {
  #owner: CollectionOwner | undefined;
  declare readonly [BEHIND]: CollectionArray;

  static readonly kind: CollectionKind<object[]> = {
    name: "array",
    create: (owner) => new Proxy(new CollectionArray(owner), CollectionArray.#traps),
    items: (array) => copyOf(behind(array)),
    has: (array, item) => native.includes.call(behind(array), item),
    size: (array) => behind(array).length,
    itemsOf: (value) =>
      Array.isArray(value) ? Array.from(value as unknown[], (item) => ({ item, key: undefined })) : undefined,
    expectKey: () => {},
    appendWithEvent: (array, item, token) => {
      const own = behind(array);
      own.#owner?.expect(item);
      own.#append(item, token, undefined);
    },
    removeWithEvent: (array, item, token) => {
      const own = behind(array);
      own.#owner?.remove(item, token, undefined);
      own.#drop(item, 0);
    },
    appendWithoutEvent: (array, item) => {
      const own = behind(array);
      own[own.length] = item;
    },
    removeWithoutEvent: (array, item) => behind(array).#drop(item, 0),
    clearWithoutEvent: (array) => {
      behind(array).length = 0;
    },
    owner: (array) => {
      const own = Array.isArray(array) ? (array as Partial<CollectionArray>)[BEHIND] : undefined;
      return own === undefined ? undefined : own.#owner;
    },
    detach: (array) => {
      behind(array).#owner = undefined;
    },
  };

  constructor(owner: CollectionOwner) {
    super();
    this.#owner = owner;
    Object.defineProperty(this, BEHIND, { value: this });
  }

  override push(...items: object[]): number {
    const own = this[BEHIND];
    own.#expectAll(items);
    for (let index = 0; index < items.length; index++) own.#append(items[index]!, undefined, undefined);
    return own.length;
  }

  override unshift(...items: object[]): number {
    const own = this[BEHIND];
    own.#expectAll(items);
    own.#insertAll(items, 0);
    return own.length;
  }

  override pop(): object | undefined {
    const own = this[BEHIND];
    return own.#takeOut(own.length - 1, -1);
  }

  override shift(): object | undefined {
    return this[BEHIND].#takeOut(0, 0);
  }

  override splice(...args: [start: number, deleteCount?: number, ...items: object[]]): object[] {
    const own = this[BEHIND];
    const { length } = own;
    const [start, deleteCount, ...items] = args;
    const from = indexIn(length, start, 0);
    // As Array.prototype.splice: a count that is left out means the rest, one that is undefined means none.
    const until = args.length === 1 ? length : Math.min(length, from + integerOf(deleteCount));
    own.#expectAll(items);
    const left = args.length === 0 ? [] : own.#removeRange(from, until);
    own.#insertAll(items, from);
    return left;
  }

  override fill(item: object, start?: number, end?: number): this {
    const own = this[BEHIND];
    const until = indexIn(own.length, end, own.length);
    for (let index = indexIn(own.length, start, 0); index < until; index++) own.#assign(index, item);
    return this;
  }

  override copyWithin(target: number, start: number, end?: number): this {
    const own = this[BEHIND];
    const to = indexIn(own.length, target, 0);
    const room = own.length - to;
    const copies = native.slice.call(own, start, end).slice(0, room) as object[];
    for (const [offset, item] of copies.entries()) own.#assign(to + offset, item);
    return this;
  }

  override sort(compare?: (left: object, right: object) => number): this {
    const own = this[BEHIND];
    own.#owner?.touched?.();
    native.sort.call(own, compare);
    return this;
  }

  override reverse(): object[] {
    const own = this[BEHIND];
    own.#owner?.touched?.();
    native.reverse.call(own);
    return this;
  }

  /** `array[index] = item`. */
  #assign(index: number, item: object): void {
    const owner = this.#owner;
    if (index > this.length) {
      throw new ArgumentError(
        `${this.#name} has ${this.length} elements, so that none can be put at index ${index}: the places before it would be ` +
          `empty, and a collection has no empty places. Use push to add at the end.`,
      );
    }
    owner?.expect(item);
    if (index === this.length) {
      this.#append(item, undefined, index);
    } else if (owner === undefined) {
      this[index] = item;
    } else {
      const leaving = this[index]!;
      announceReplacement(owner, { leaving, entering: item }, undefined, index, {
        put: (entering) => {
          const place = this.#find(leaving, index);
          if (place === -1) native.splice.call(this, index, 0, entering);
          else this[place] = entering;
        },
        clear: () => this.#drop(leaving, index),
      });
    }
  }

  /** `array.length = length`. */
  #resize(length: number): void {
    if (length > this.length) {
      throw new ArgumentError(
        `${this.#name} has ${this.length} elements, so that its length cannot become ${length}: the places added would be ` +
          `empty, and a collection has no empty places. Use push to add elements; a smaller length removes some.`,
      );
    }
    this.#removeRange(length, this.length, length === 0 ? -1 : undefined);
  }

  /** Refuses what would make the array unlike a list of elements. */
  #refuse(what: string, remedy: string): never {
    throw new ArgumentError(
      `${this.#name} does not allow ${what}: every place holds one element, and every change is announced. ${remedy}`,
    );
  }

  get #name(): string {
    return this.#owner?.name ?? "This collection";
  }

  #expectAll(items: readonly object[]): void {
    const owner = this.#owner;
    if (owner !== undefined) for (let index = 0; index < items.length; index++) owner.expect(items[index]);
  }

  #append(item: object, token: unknown, key: unknown): void {
    const entering = this.#owner === undefined ? item : this.#owner.append(item, token, key);
    this[this.length] = entering;
  }

  #insertAll(items: readonly object[], start: number): void {
    let index = start;
    for (const item of items) {
      const entering = this.#owner === undefined ? item : this.#owner.append(item, undefined, index);
      native.splice.call(this, index++, 0, entering);
    }
  }

  #takeOut(index: number, key: number): object | undefined {
    if (this.length === 0) return undefined;
    const owner = this.#owner;
    owner?.popping?.();
    const [item] = native.splice.call(this, index, 1) as [object];
    try {
      owner?.remove(item, undefined, key);
    } catch (refusal) {
      native.splice.call(this, index, 0, item);
      throw refusal;
    }
    return item;
  }

  /**
   * Takes out the elements from one index up to another. They leave together, after the last one that was not refused, which
   * keeps a long array from being moved once for each.
   */
  #removeRange(start: number, end: number, key?: number): object[] {
    const owner = this.#owner;
    if (start >= end) return [];
    if (owner === undefined) return native.splice.call(this, start, end - start) as object[];
    const leaving = native.slice.call(this, start, end) as object[];
    const announced: object[] = [];
    try {
      for (const [offset, item] of leaving.entries()) {
        // A listener may have taken it out, for which it was announced.
        if (this.#find(item, start + offset) === -1) continue;
        owner.remove(item, undefined, key ?? start + offset);
        announced.push(item);
      }
    } finally {
      if (announced.every((item, offset) => this[start + offset] === item)) {
        native.splice.call(this, start, announced.length);
      } else {
        for (const item of announced) this.#drop(item, start);
      }
    }
    return leaving;
  }

  #drop(item: object, expected: number): void {
    const index = this.#find(item, expected);
    if (index !== -1) native.splice.call(this, index, 1);
  }

  /** Where an element stands: where it is expected, unless a listener has changed the array meanwhile. */
  #find(item: object, expected: number): number {
    return this[expected] === item ? expected : native.indexOf.call(this, item);
  }

  /** What the program does to the array other than by its methods. */
  static readonly #traps: ProxyHandler<CollectionArray> = {
    set(own, key, value) {
      if (key === "length") own.#resize(lengthOf(value));
      else {
        const index = indexOf(key);
        if (index === undefined) return Reflect.set(own, key, value);
        own.#assign(index, value as object);
      }
      return true;
    },
    defineProperty(own, key, descriptor) {
      const index = indexOf(key);
      if (index === undefined && key !== "length") return Reflect.defineProperty(own, key, descriptor);
      const { get, set, writable, enumerable, configurable } = descriptor;
      const isFixed = writable === false || (index !== undefined && (enumerable === false || configurable === false));
      if (get !== undefined || set !== undefined || isFixed) {
        own.#refuse(
          `defining the property "${String(key)}" as anything but a plain value`,
          "Assign the element instead.",
        );
      }
      if (!("value" in descriptor)) return true;
      if (index === undefined) own.#resize(lengthOf(descriptor.value));
      else own.#assign(index, descriptor.value as object);
      return true;
    },
    deleteProperty(own, key) {
      const index = indexOf(key);
      if (index === undefined || index >= own.length) return Reflect.deleteProperty(own, key);
      if (index < own.length - 1) {
        own.#refuse(`deleting index ${index}`, `It would leave an empty place. Use splice(${index}, 1).`);
      }
      // Array.prototype.splice.call(posts, …), as libraries write it, deletes from the end before it sets the length.
      own.#resize(index);
      return true;
    },
    preventExtensions(own) {
      return own.#refuse("being frozen or sealed", "Freeze a copy of it.");
    },
  };

  static {
    // Equal to a plain array in tests, printed as one, and `map`, `filter` and the like give plain arrays.
    Reflect.deleteProperty(this.prototype, "constructor");
    for (const name of READERS) define(this.prototype, name, readerBehind(native[name]));
    for (const name of VISITORS) define(this.prototype, name, visitorBehind(native[name]));
    for (const name of FOLDERS) define(this.prototype, name, folderBehind(native[name]));
    define(this.prototype, Symbol.iterator, this.prototype.values);
  }
}

/** Collections that are arrays: `user.posts.push(post)`. */
export const arrayKind: CollectionKind<object[]> = CollectionArray.kind;

function behind(array: object[]): CollectionArray {
  return (array as CollectionArray)[BEHIND];
}

type Method = (this: object[], ...args: never[]) => unknown;

function define(prototype: object, name: string | symbol, value: unknown): void {
  Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
}

function readerBehind(method: Method): unknown {
  return function (this: CollectionArray, ...args: never[]): unknown {
    return method.apply(this[BEHIND], args);
  };
}

/** The callback gets the proxy, as the program's way to the array. */
function visitorBehind(method: Method): unknown {
  return function (this: CollectionArray, visit: unknown, thisArgument?: unknown): unknown {
    if (typeof visit !== "function") return method.call(this[BEHIND], visit as never);
    const visited = (item: object, index: number): unknown => visit.call(thisArgument, item, index, this);
    return method.call(this[BEHIND], visited as never);
  };
}

function folderBehind(method: Method): unknown {
  return function (this: CollectionArray, fold: unknown, ...initial: never[]): unknown {
    if (typeof fold !== "function") return method.call(this[BEHIND], fold as never);
    const folded = (result: unknown, item: object, index: number): unknown => fold(result, item, index, this);
    return method.call(this[BEHIND], folded as never, ...initial);
  };
}

function copyOf(items: readonly object[]): object[] {
  // By hand, because slice and spread are slow for what is not exactly an Array.
  const copy: object[] = [];
  for (let index = 0; index < items.length; index++) copy.push(items[index]!);
  return copy;
}

/** The index that a property name stands for. */
function indexOf(key: string | symbol): number | undefined {
  if (typeof key === "symbol") return undefined;
  const index = Number(key) >>> 0;
  return String(index) === key && index !== 2 ** 32 - 1 ? index : undefined;
}

function lengthOf(value: unknown): number {
  const length = Number(value);
  if (length >>> 0 !== length) throw new RangeError("Invalid array length");
  return length;
}

function integerOf(value: unknown): number {
  return Math.trunc(Number(value)) || 0;
}

/** What an argument that may be left out, negative or too large means in an array of this length. */
function indexIn(length: number, value: unknown, otherwise: number): number {
  if (value === undefined) return otherwise;
  const index = integerOf(value);
  return index < 0 ? Math.max(0, length + index) : Math.min(index, length);
}
