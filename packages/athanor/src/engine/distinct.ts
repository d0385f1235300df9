/**
 * What a value is recognised by, when only the first of equal ones is to be kept: instances and other objects by themselves, everything that databases
 * compare by its content (numbers, text, dates, bytes) by that, and a list of values by all of them.
 */
class ValueIdentity {
  readonly #objects = new Map<object, number>();

  of(value: unknown): unknown {
    return isList(value)
      ? this.#text(value)
      : typeof value === "object" && value !== null
        ? this.#ofObject(value)
        : value;
  }

  #ofObject(value: object): unknown {
    return value instanceof Date || value instanceof Uint8Array ? this.#text(value) : value;
  }

  /** No two values have the same text, and no list has the text of another: strings are quoted. */
  #text(value: unknown): string {
    if (typeof value === "string") return JSON.stringify(value);
    if (isList(value)) return `[${value.map((item) => this.#text(item)).join()}]`;
    if (value instanceof Date) return `date ${value.getTime()}`;
    if (value instanceof Uint8Array) return `bytes ${value.join()}`;
    if (typeof value !== "object" || value === null) return `${typeof value} ${String(value)}`;
    let number = this.#objects.get(value);
    if (number === undefined) this.#objects.set(value, (number = this.#objects.size));
    return `object ${number}`;
  }
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

/**
 * Keeps the first of all values that are the same.
 *
 * @param keyOf what a value is to be recognised by, instead of itself
 */
export function distinct<T>(values: readonly T[], keyOf: (value: T) => unknown = (value) => value): T[] {
  const identity = new ValueIdentity();
  const seen = new Set<unknown>();
  return values.filter((value) => {
    const key = identity.of(keyOf(value));
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
