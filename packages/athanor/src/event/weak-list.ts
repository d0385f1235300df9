/**
 * A list that keeps nothing alive: what is collected leaves it by itself. Dead references are swept whenever the list has doubled, so that adding
 * costs the same however many came and went.
 */
export class WeakList<TItem extends object> {
  #references: WeakRef<TItem>[] = [];
  #sweepAt = 16;

  add(item: TItem): void {
    if (this.#references.length >= this.#sweepAt) {
      this.#references = this.#references.filter((reference) => reference.deref() !== undefined);
      this.#sweepAt = Math.max(16, this.#references.length * 2);
    }
    this.#references.push(new WeakRef(item));
  }

  /** The items that still exist, in the order in which they were added. Items added meanwhile are not among them. */
  items(): TItem[] {
    return this.#references.map((reference) => reference.deref()).filter((item) => item !== undefined);
  }

  /** How many references are held, dead ones that were not swept yet included. */
  get size(): number {
    return this.#references.length;
  }
}
