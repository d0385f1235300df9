/** A map that holds one entry without the table that a Map brings along: most instances have one parent, and there are many of them. */
export class SmallMap<TKey, TValue> {
  /** Undefined where the first place is free: no key is. */
  #key: TKey | undefined = undefined;
  #value: TValue | undefined = undefined;
  #more: Map<TKey, TValue> | undefined = undefined;

  get(key: TKey): TValue | undefined {
    return this.#key === key ? this.#value : this.#more?.get(key);
  }

  set(key: TKey, value: TValue): void {
    if (this.#key !== key && (this.#key !== undefined || this.#more?.has(key) === true)) {
      (this.#more ??= new Map()).set(key, value);
      return;
    }
    this.#key = key;
    this.#value = value;
  }

  delete(key: TKey): void {
    if (this.#key === key) {
      this.#key = undefined;
      this.#value = undefined;
    } else this.#more?.delete(key);
  }

  /** Deletes the entries whose values a test holds for. */
  deleteWhere(test: (value: TValue) => boolean): void {
    if (this.#key !== undefined && test(this.#value as TValue)) this.delete(this.#key);
    if (this.#more === undefined) return;
    for (const [key, value] of this.#more) if (test(value)) this.#more.delete(key);
  }

  clear(): void {
    this.#key = undefined;
    this.#value = undefined;
    this.#more = undefined;
  }
}
