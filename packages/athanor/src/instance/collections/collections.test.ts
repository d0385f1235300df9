import assert from "node:assert";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";

import { ArgumentError } from "../../event/errors.ts";
import { arrayKind } from "./array.ts";
import { replaceItems } from "./bulk-replace.ts";
import type { CollectionKind, CollectionOwner } from "./collection.ts";
import { mapKind } from "./map.ts";
import { setKind } from "./set.ts";

class Post {
  title: string;

  constructor(title: string) {
    this.title = title;
  }
}

class Refused extends Error {}

/** Writes down what is announced: `append a at 0 by C.p`. */
class RecordingOwner implements CollectionOwner {
  readonly name = "User.posts";
  log: string[] = [];
  refused = new Set<string>();
  replacement: Post | undefined;
  onAnnouncement: () => void = () => {};

  expect(item: unknown): void {
    if (!(item instanceof Post)) throw new ArgumentError(`${this.name} takes instances of Post.`);
  }

  append(item: object, token: unknown, key: unknown): object {
    this.#record("append", item, token, key);
    return this.replacement ?? item;
  }

  appendWithoutMutation(item: object, token: unknown, key: unknown): void {
    this.#record("keep", item, token, key);
  }

  remove(item: object, token: unknown, key: unknown): void {
    this.#record("remove", item, token, key);
  }

  popping(): void {
    this.log.push("popping");
  }

  touched(): void {
    this.log.push("touched");
  }

  /** What was announced since the last call. */
  take(): string[] {
    const { log } = this;
    this.log = [];
    return log;
  }

  #record(event: string, item: object, token: unknown, key: unknown): void {
    const entry = `${event} ${(item as Post).title}`;
    if (this.refused.has(entry)) throw new Refused(entry);
    this.log.push(
      entry + (key === undefined ? "" : ` at ${String(key)}`) + (token === undefined ? "" : ` by ${String(token)}`),
    );
    this.onAnnouncement();
  }
}

const a = new Post("a");
const b = new Post("b");
const c = new Post("c");
const d = new Post("d");

function filled<TContainer extends object>(kind: CollectionKind<TContainer>, ...items: Post[]) {
  const owner = new RecordingOwner();
  const container = kind.create(owner);
  for (const item of items) kind.appendWithoutEvent(container, item);
  return { owner, container };
}

describe("an array", () => {
  const arrayOf = (...items: Post[]) => {
    const { owner, container } = filled(arrayKind, ...items);
    return { owner, posts: container as Post[] };
  };

  test("is a real Array to those who use it, and equal to a plain one", () => {
    const { posts, owner } = arrayOf(a, b);
    expect(Array.isArray(posts)).toBe(true);
    expect(posts).toBeInstanceOf(Array);
    expect(posts.constructor).toBe(Array);
    expect(posts).toEqual([a, b]);
    expect(posts).toStrictEqual([a, b]);
    assert.deepStrictEqual(posts, [a, b]);
    expect(inspect(posts)).toBe(inspect([a, b]));
    expect(JSON.stringify({ posts })).toBe(JSON.stringify({ posts: [a, b] }));
    expect(Object.keys(posts)).toEqual(["0", "1"]);
    expect([...posts, ...Object.entries(posts).map(([, post]) => post)]).toEqual([a, b, a, b]);
    expect([posts[0], posts.at(-1), posts[2], posts.length]).toEqual([a, b, undefined, 2]);
    expect([c].concat(posts)).toEqual([c, a, b]);
    expect(owner.take()).toEqual([]);
  });

  test("gives plain arrays where it gives other arrays, which announce nothing", () => {
    const { posts, owner } = arrayOf(b, a);
    const byTitle = (left: Post, right: Post) => left.title.localeCompare(right.title);
    const derived = [
      posts.map((post) => post),
      posts.filter(() => true),
      posts.slice(),
      posts.concat(),
      posts.toReversed(),
      posts.toSorted(byTitle),
      posts.with(0, c),
      posts.toSpliced(0, 1),
      posts.flatMap((post) => post),
      Array.from(posts),
    ];
    for (const each of derived) {
      expect(arrayKind.owner(each)).toBeUndefined();
      each.push(c);
    }
    expect(derived.map((each) => each.map((post) => post.title).join(""))).toEqual(
      ["bac", "bac", "bac", "bac", "abc", "abc", "cac", "ac", "bac", "bac"], // each with the c that was pushed
    );
    expect(posts).toEqual([b, a]);
    expect(owner.take()).toEqual([]);
  });

  test("hands itself to callbacks, so that what they change is announced", () => {
    const { posts, owner } = arrayOf(a);
    const receiver = {};
    posts.forEach(function (this: unknown, post, index, array) {
      expect([this, post, index, array === posts]).toEqual([receiver, a, 0, true]);
      array.push(b);
    }, receiver);
    posts.reduce((_, __, ___, array) => array.pop()!, a);
    expect(posts.reduceRight((titles, post) => titles + post.title, "")).toBe("a");
    expect(posts.reduce((sum, post) => sum + post.title, "")).toBe("a");
    expect(() => posts.map(undefined as never)).toThrow(TypeError);
    expect(() => posts.reduce(undefined as never)).toThrow(TypeError);
    expect(owner.take()).toEqual(["append b", "popping", "remove b at -1"]);
  });

  test("announces each pushed element, also one that it holds already", () => {
    const { posts, owner } = arrayOf(a);
    expect(posts.push(b, c, a)).toBe(4);
    expect(owner.take()).toEqual(["append b", "append c", "append a"]);
    expect(posts).toEqual([a, b, c, a]);
  });

  test("announces elements put at the front with the index at which they will stand", () => {
    const { posts, owner } = arrayOf(c);
    expect(posts.unshift(a, b)).toBe(3);
    expect(owner.take()).toEqual(["append a at 0", "append b at 1"]);
    expect(posts).toEqual([a, b, c]);
  });

  test("announces what pop and shift took out once it has left", () => {
    const { posts, owner } = arrayOf(a, b, c);
    const seen: number[] = [];
    owner.onAnnouncement = () => seen.push(posts.length);
    expect([posts.pop(), posts.shift()]).toEqual([c, a]);
    expect(owner.take()).toEqual(["popping", "remove c at -1", "popping", "remove a at 0"]);
    expect(seen).toEqual([2, 1]);
    expect([posts.pop(), posts.pop(), posts.shift()]).toEqual([b, undefined, undefined]);
    expect(owner.take()).toEqual(["popping", "remove b at -1"]);
  });

  test("announces, when spliced, all removals before the insertions", () => {
    const { posts, owner } = arrayOf(a, b, c);
    expect(posts.splice(0, 2, d, a)).toEqual([a, b]);
    expect(owner.take()).toEqual(["remove a at 0", "remove b at 1", "append d at 0", "append a at 1"]);
    expect(posts).toEqual([d, a, c]);
    expect(posts.splice(-1)).toEqual([c]);
    expect(owner.take()).toEqual(["remove c at 2"]);
    expect((posts.splice as () => Post[])()).toEqual([]);
    expect(owner.take()).toEqual([]);
  });

  test("announces an assignment to an index as a removal and an addition, also of the same element", () => {
    const { posts, owner } = arrayOf(a, b);
    posts[0] = c;
    posts[0] = posts[0]!;
    expect(owner.take()).toEqual(["remove a at 0", "append c at 0", "remove c at 0", "append c at 0"]);
    posts[2] = d;
    expect(owner.take()).toEqual(["append d at 2"]);
    expect(posts).toEqual([c, b, d]);
  });

  test("announces fill and copyWithin as assignments to each index", () => {
    const { posts, owner } = arrayOf(a, b, c);
    expect(posts.fill(d, -2)).toBe(posts);
    expect(owner.take()).toEqual(["remove b at 1", "append d at 1", "remove c at 2", "append d at 2"]);
    expect(posts.copyWithin(1, 0, 1)).toBe(posts);
    expect(owner.take()).toEqual(["remove d at 1", "append a at 1"]);
    expect(posts).toEqual([a, a, d]);
  });

  test("announces each element that a smaller length takes out", () => {
    const { posts, owner } = arrayOf(a, b, c);
    posts.length = 2;
    expect(owner.take()).toEqual(["remove c at 2"]);
    posts.length = 2;
    posts.length = 0;
    expect(owner.take()).toEqual(["remove a at -1", "remove b at -1"]);
    expect(posts).toEqual([]);
    expect(() => (posts.length = -1)).toThrow(RangeError);
  });

  test("announces no sorting and no reversing, only that it is touched", () => {
    const { posts, owner } = arrayOf(b, c, a);
    expect(posts.sort((left, right) => left.title.localeCompare(right.title))).toBe(posts);
    expect(posts).toEqual([a, b, c]);
    expect(posts.reverse()).toBe(posts);
    expect(posts).toEqual([c, b, a]);
    expect(owner.take()).toEqual(["touched", "touched"]);
  });

  test("hears the methods of Array.prototype and Object.defineProperty too", () => {
    const { posts, owner } = arrayOf(a);
    Array.prototype.push.call(posts, b);
    expect(owner.take()).toEqual(["append b at 1"]);
    Object.defineProperty(posts, 0, { value: c });
    expect(owner.take()).toEqual(["remove a at 0", "append c at 0"]);
    Object.defineProperty(posts, "length", { value: 1 });
    expect(owner.take()).toEqual(["remove b at 1"]);
    Object.defineProperty(posts, 0, { enumerable: true });
    Object.assign(posts, { note: "any other property is the program's own" });
    Object.defineProperty(posts, "other", { value: 1 });
    expect(Object.keys(posts)).toEqual(["0", "note"]);
    expect(owner.take()).toEqual([]);
    expect(posts).toHaveLength(1);
  });

  test("can be spliced by libraries that take the method from Array.prototype", () => {
    const { posts, owner } = arrayOf(a, b, c);
    expect(Array.prototype.splice.call(posts, 0, 1)).toEqual([a]);
    expect(posts).toEqual([b, c]);
    const moved = ["remove a at 0", "append b at 0", "remove b at 1", "append c at 1"];
    expect(owner.take()).toEqual([...moved, "remove c at 2"]);
    expect(Array.prototype.shift.call(posts)).toBe(b);
    expect(Array.prototype.pop.call(posts)).toBe(c);
    expect(posts).toEqual([]);
  });

  test("refuses whatever would leave an empty place or could not be announced, with the remedy", () => {
    const { posts, owner } = arrayOf(a, b);
    expect(() => (posts[3] = c)).toThrow(
      new ArgumentError(
        "User.posts has 2 elements, so that none can be put at index 3: the places before it would be empty, and a collection has no " +
          "empty places. Use push to add at the end.",
      ),
    );
    expect(() => (posts.length = 3)).toThrow("its length cannot become 3");
    expect(() => Reflect.deleteProperty(posts, 0)).toThrow("User.posts does not allow deleting index 0");
    expect(() => Reflect.deleteProperty(posts, 0)).toThrow("Use splice(0, 1).");
    expect(Reflect.deleteProperty(posts, 7)).toBe(true);
    expect(() => Object.defineProperty(posts, 0, { get: () => c })).toThrow(ArgumentError);
    expect(() => Object.defineProperty(posts, 0, { value: c, writable: false })).toThrow(ArgumentError);
    expect(() => Object.defineProperty(posts, "length", { writable: false })).toThrow(ArgumentError);
    expect(() => Object.freeze(posts)).toThrow("Freeze a copy of it.");
    posts.push(c);
    expect(posts).toEqual([a, b, c]);
    expect(owner.take()).toEqual(["append c"]);
  });

  test("checks all that shall enter before anything is announced", () => {
    const { posts, owner } = arrayOf(a);
    const wrong = {} as Post;
    expect(() => posts.push(b, wrong)).toThrow("User.posts takes instances of Post.");
    expect(() => posts.unshift(b, wrong)).toThrow(ArgumentError);
    expect(() => posts.splice(0, 1, b, wrong)).toThrow(ArgumentError);
    expect(() => (posts[0] = wrong)).toThrow(ArgumentError);
    expect(() => posts.fill(wrong)).toThrow(ArgumentError);
    expect(posts).toEqual([a]);
    expect(owner.take()).toEqual([]);
  });

  test("takes in the element that a listener puts in place of another", () => {
    const { posts, owner } = arrayOf(a);
    owner.replacement = d;
    posts.push(b);
    posts[0] = c;
    posts.splice(1, 0, b);
    expect(posts).toEqual([d, d, d]);
  });

  test("holds exactly what was announced when a listener refuses", () => {
    const { posts, owner } = arrayOf(a, b);
    owner.refused = new Set(["append d", "remove b"]);
    expect(() => posts.push(c, d, a)).toThrow(Refused);
    expect(posts).toEqual([a, b, c]);
    expect(() => posts.splice(0, 3)).toThrow(Refused);
    expect(posts).toEqual([b, c]);
    expect(() => posts.shift()).toThrow(Refused);
    expect(posts).toEqual([b, c]);
    expect(owner.take()).toEqual(["append c", "remove a at 0", "popping"]);
  });

  test("keeps the element at an index when the one assigned is refused, and announces it as back", () => {
    const { posts, owner } = arrayOf(a, b);
    owner.refused = new Set(["append c"]);
    expect(() => (posts[0] = c)).toThrow(new Refused("append c"));
    expect(posts).toEqual([a, b]);
    expect(owner.take()).toEqual(["remove a at 0", "append a at 0"]);

    owner.refused.add("append a");
    expect(() => (posts[0] = c)).toThrow(new Refused("append c"));
    expect(posts).toEqual([b]);
    expect(owner.take()).toEqual(["remove a at 0"]);
  });

  test("stays whole when listeners change it during an announcement", () => {
    const { posts, owner } = arrayOf(a, b, c);
    owner.onAnnouncement = () => {
      owner.onAnnouncement = () => {};
      posts.shift();
    };
    posts[1] = d;
    expect(posts).toEqual([d, c]);

    owner.onAnnouncement = () => {
      owner.onAnnouncement = () => {};
      posts.pop();
    };
    posts[1] = b;
    expect(posts).toEqual([d, b]);
    posts[1] = c;

    owner.onAnnouncement = () => {
      owner.onAnnouncement = () => {};
      posts.pop();
      posts.unshift(a);
    };
    owner.take();
    posts.splice(0, 3);
    expect(posts).toEqual([a]);
    expect(owner.take()).toEqual(["remove d at 0", "popping", "remove c at -1", "append a at 0"]);
  });
});

describe("a set", () => {
  const setOf = (...items: Post[]) => {
    const { owner, container } = filled(setKind, ...items);
    return { owner, posts: container as Set<Post> };
  };

  test("is a real Set to those who use it, and equal to a plain one", () => {
    const { posts, owner } = setOf(a, b);
    expect(posts).toBeInstanceOf(Set);
    expect(posts.constructor).toBe(Set);
    expect(posts).toEqual(new Set([a, b]));
    expect(posts).toStrictEqual(new Set([a, b]));
    assert.deepStrictEqual(posts, new Set([a, b]));
    expect(inspect(posts)).toBe(inspect(new Set([a, b])));
    expect([posts.size, posts.has(a), posts.has(c), [...posts]]).toEqual([2, true, false, [a, b]]);
    const union = posts.union(new Set([c]));
    expect(setKind.owner(union)).toBeUndefined();
    expect(union.add(d).size).toBe(4);
    expect(owner.take()).toEqual([]);
  });

  test("announces a new element as an addition and one it holds as an addition without change", () => {
    const { posts, owner } = setOf(a);
    expect(posts.add(b).add(a)).toBe(posts);
    expect(owner.take()).toEqual(["append b", "keep a"]);
    expect(() => posts.add({} as Post)).toThrow("User.posts takes instances of Post.");
    owner.replacement = d;
    posts.add(c);
    expect([...posts]).toEqual([a, b, d]);
  });

  test("announces what is deleted, and nothing for what it does not hold", () => {
    const { posts, owner } = setOf(a, b, c);
    expect([posts.delete(a), posts.delete(a)]).toEqual([true, false]);
    expect(owner.take()).toEqual(["remove a"]);
    posts.clear();
    expect(owner.take()).toEqual(["remove b", "remove c"]);
    expect(posts.size).toBe(0);
  });

  test("holds exactly what was announced when a listener refuses", () => {
    const { posts, owner } = setOf(a, b);
    owner.refused = new Set(["append c", "remove b"]);
    expect(() => posts.add(c)).toThrow(Refused);
    expect(() => posts.clear()).toThrow(Refused);
    expect([...posts]).toEqual([b]);
    expect(owner.take()).toEqual(["remove a"]);
  });
});

describe("a map", () => {
  const byTitle = mapKind((post) => (post as Post).title);
  const mapOf = (...items: Post[]) => {
    const { owner, container } = filled(byTitle, ...items);
    return { owner, posts: container as Map<string, Post> };
  };

  test("is a real Map to those who use it, and equal to a plain one", () => {
    const { posts, owner } = mapOf(a, b);
    const plain = new Map([
      ["a", a],
      ["b", b],
    ]);
    expect(posts).toBeInstanceOf(Map);
    expect(posts.constructor).toBe(Map);
    expect(posts).toEqual(plain);
    expect(posts).toStrictEqual(plain);
    assert.deepStrictEqual(posts, plain);
    expect(inspect(posts)).toBe(inspect(plain));
    expect([posts.size, posts.get("a"), posts.has("c"), [...posts.keys()]]).toEqual([2, a, false, ["a", "b"]]);
    expect(owner.take()).toEqual([]);
  });

  test("announces an element with its key", () => {
    const { posts, owner } = mapOf(a);
    expect(posts.set("b", b)).toBe(posts);
    expect(posts.delete("a")).toBe(true);
    expect(posts.delete("a")).toBe(false);
    expect(owner.take()).toEqual(["append b at b", "remove a at a"]);
    posts.set("c", c).clear();
    expect(owner.take()).toEqual(["append c at c", "remove b at b", "remove c at c"]);
    expect(posts.size).toBe(0);
  });

  test("announces a replaced element as removed before the other enters, in its place, also the same one", () => {
    const { posts, owner } = mapOf(a, b);
    const other = new Post("a");
    posts.set("a", other).set("b", b);
    expect(owner.take()).toEqual(["remove a at a", "append a at a", "remove b at b", "append b at b"]);
    expect([...posts.values()]).toEqual([other, b]);
    expect(posts.get("a")).toBe(other);
  });

  test("takes an element under its own key only, and names both", () => {
    const { posts, owner } = mapOf();
    expect(() => posts.set("wrong", a)).toThrow(
      new ArgumentError(
        'User.posts cannot hold an element under "wrong", because its own key is "a": the key of this map is a property of its ' +
          'elements, and would be "a" when it is loaded again. Use that key, or change the property first.',
      ),
    );
    expect(() => posts.set("a", {} as Post)).toThrow("User.posts takes instances of Post.");
    expect(owner.take()).toEqual([]);
    expect(posts.size).toBe(0);
    const byNumber = mapKind(() => Number.NaN).create(owner);
    expect(byNumber.set(Number.NaN, a).size).toBe(1);
  });

  test("cannot be given an element without a key through the other side", () => {
    const kind = mapKind(() => undefined);
    const owner = new RecordingOwner();
    expect(() => kind.appendWithEvent(kind.create(owner), a, "Post.user")).toThrow(
      "User.posts cannot hold this Post, because it has no key yet",
    );
    expect(owner.take()).toEqual([]);
  });

  test("holds exactly what was announced when a listener refuses", () => {
    const { posts, owner } = mapOf(a, b);
    owner.refused = new Set(["append c", "remove b"]);
    expect(() => posts.set("c", c)).toThrow(Refused);
    expect(() => posts.clear()).toThrow(Refused);
    expect([...posts.keys()]).toEqual(["b"]);
    expect(owner.take()).toEqual(["remove a at a"]);
  });

  test("keeps an element when the one in its place is refused", () => {
    const first = new Post("a");
    const { posts, owner } = mapOf(first, b);
    const append = owner.append.bind(owner);
    owner.append = (item, token, key) => {
      if (item === a) throw new Refused();
      return append(item, token, key);
    };
    expect(() => posts.set("a", a)).toThrow(Refused);
    expect(owner.take()).toEqual(["remove a at a", "append a at a"]);
    expect([...posts.values()]).toEqual([first, b]);
    owner.refused.add("append a");
    expect(() => posts.set("a", a)).toThrow(Refused);
    expect([...posts.values()]).toEqual([b]);
  });

  test("finds an element whose key has changed since it entered", () => {
    const post = new Post("old");
    const { posts, owner } = mapOf(post);
    post.title = "new";
    expect(byTitle.has(posts, post)).toBe(true);
    byTitle.removeWithEvent(posts, post, "Post.user");
    expect(owner.take()).toEqual(["remove new at old by Post.user"]);
    expect(posts.size).toBe(0);
  });
});

describe("every kind", () => {
  const kinds: CollectionKind[] = [arrayKind, setKind, mapKind((post) => (post as Post).title)];

  for (const kind of kinds) {
    describe(`(${kind.name})`, () => {
      test("tells its elements, their number and its owner", () => {
        const { container, owner } = filled(kind, a, b);
        expect(kind.items(container)).toEqual([a, b]);
        expect(kind.items(container)).not.toBe(container);
        expect([kind.has(container, a), kind.has(container, c), kind.size(container)]).toEqual([true, false, 2]);
        expect(kind.owner(container)).toBe(owner);
        for (const other of [[], new Set(), new Map(), {}, null, undefined, 1]) {
          expect(kind.owner(other)).toBeUndefined();
        }
        expect(owner.take()).toEqual([]);
      });

      test("passes the token of another attribute on", () => {
        const { container, owner } = filled(kind, a);
        kind.appendWithEvent(container, b, "C.p");
        kind.removeWithEvent(container, a, "C.p");
        const key = (title: string) => (kind.name === "map" ? ` at ${title}` : "");
        expect(owner.take()).toEqual([`append b${key("b")} by C.p`, `remove a${key("a")} by C.p`]);
        expect(kind.items(container)).toEqual([b]);
        expect(() => kind.appendWithEvent(container, {}, "C.p")).toThrow("User.posts takes instances of Post.");
      });

      test("announces the removal of what it does not hold only if it is an array", () => {
        const { container, owner } = filled(kind, a);
        kind.removeWithEvent(container, b, "C.p");
        expect(owner.take()).toEqual(kind.name === "array" ? ["remove b by C.p"] : []);
        expect(kind.items(container)).toEqual([a]);
      });

      test("changes without events for loading", () => {
        const { container, owner } = filled(kind, a, b, c);
        kind.removeWithoutEvent(container, b);
        kind.removeWithoutEvent(container, d);
        expect(kind.items(container)).toEqual([a, c]);
        kind.clearWithoutEvent(container);
        expect(kind.items(container)).toEqual([]);
        expect(owner.take()).toEqual([]);
      });

      test("reads the elements of its own kind of value, instrumented or plain, and of no other", () => {
        const { container } = filled(kind, a);
        const key = kind.name === "map" ? "a" : undefined;
        const plain = { array: [a], set: new Set([a]), map: new Map([["a", a]]) };
        expect(kind.itemsOf(container)).toEqual([{ item: a, key }]);
        for (const [name, value] of Object.entries(plain)) {
          expect(kind.itemsOf(value)).toEqual(name === kind.name ? [{ item: a, key }] : undefined);
        }
        expect(kind.itemsOf({ a })).toEqual(kind.name === "map" ? [{ item: a, key: "a" }] : undefined);
        for (const wrong of [null, undefined, "a", 1, a, new WeakSet()]) expect(kind.itemsOf(wrong)).toBeUndefined();
        kind.expectKey(new RecordingOwner(), a, key);
      });

      test("announces nothing any more once it is detached", () => {
        const { container, owner } = filled(kind, a, b);
        kind.detach(container);
        expect(kind.owner(container)).toBeUndefined();
        if (container instanceof Set) container.add(c).delete(a);
        else if (container instanceof Map) container.set("c", c).set("c", c).delete("a");
        else if (Array.isArray(container)) {
          container.push(d);
          container[2] = c;
          container.unshift(a);
          container.splice(0, 2, d);
          container.shift();
        }
        expect(kind.items(container)).toEqual([b, c]);
        expect(owner.take()).toEqual([]);
      });

      test("announces a replaced collection: what is new, then what is kept, then what is gone", () => {
        const { container, owner } = filled(kind);
        replaceItems(kind, owner, container, [b, c], [a, b], "P.cs");
        const key = kind.name === "map" ? " at c" : "";
        expect(owner.take()).toEqual([`append c${key} by P.cs`, "keep b by P.cs", "remove a by P.cs"]);
        expect(kind.items(container)).toEqual([b, c]);
      });

      test("announces an equal collection as kept", () => {
        const { container, owner } = filled(kind);
        replaceItems(kind, owner, container, [b, a], [a, b], "P.cs");
        expect(owner.take()).toEqual(["keep a by P.cs", "keep b by P.cs"]);
        expect(kind.items(container)).toEqual([b, a]);
      });
    });
  }

  test("takes a number for what a plain object can only write as text, where that is the key of the element", () => {
    const byLength = mapKind((post) => (post as Post).title.length);
    expect(byLength.itemsOf({ 1: a, 2: b, x: null })).toEqual([
      { item: a, key: 1 },
      { item: b, key: "2" },
      { item: null, key: "x" },
    ]);
    expect(() => byLength.expectKey(new RecordingOwner(), b, "2")).toThrow(
      'User.posts cannot hold an element under "2", because its own key is 1',
    );
  });

  test("keeps and announces each copy of a new element of an array, and a kept or dropped one once", () => {
    const { container, owner } = filled(arrayKind);
    replaceItems(arrayKind, owner, container, [c, a, c, a], [a, a, b, b], "P.cs");
    expect(owner.take()).toEqual(["append c by P.cs", "append c by P.cs", "keep a by P.cs", "remove b by P.cs"]);
    expect(container).toEqual([c, a, c, a]);
  });
});
