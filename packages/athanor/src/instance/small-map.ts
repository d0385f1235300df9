/** A map that holds one entry without the table that a Map brings along: most instances have one parent, and there are many of them. */
export class SmallMap<TKey extends object, TValue> {
  #key: TKey | undefined = undefined;
  #value: TValue | undefined = undefined;
  #more: Map<TKey, TValue> | undefined = undefined;

  get(key: TKey): TValue | undefined {
    return this.#key === key ? this.#value : this.#more?.get(key);
  }

  set(key: TKey, value: TValue): void {
    if (this.#key === undefined || this.#key === key) {
      this.#key = key;
      this.#value = value;
    } else (this.#more ??= new Map()).set(key, value);
  }

  clear(): void {
    this.#key = undefined;
    this.#value = undefined;
    this.#more = undefined;
  }
}
