import type { Instance } from "../instance/instance.ts";

/**
 * The instances of one hierarchy by identity key, some of which are held weakly: each is the instance of its row for as long as the program has it, and is held as
 * the others are from the moment that somebody asks for it.
 */
export class HeldInstances extends Map<unknown, Instance> {
  readonly #weak = new Map<unknown, WeakRef<Instance>>();
  readonly #collected = new FinalizationRegistry<unknown>((key) => {
    // Another instance may have come for the row since.
    if (this.#weak.get(key)?.deref() === undefined) this.#weak.delete(key);
  });

  constructor(instances: ReadonlyMap<unknown, Instance>) {
    // Given to Map's own constructor they would be set before there is anything to set them in.
    super();
    for (const [key, instance] of instances) super.set(key, instance);
  }

  override get(key: unknown): Instance | undefined {
    return super.get(key) ?? this.#takeBack(key);
  }

  override set(key: unknown, instance: Instance): this {
    this.#weak.delete(key);
    return super.set(key, instance);
  }

  override delete(key: unknown): boolean {
    const wasWeak = this.#weak.delete(key);
    return super.delete(key) || wasWeak;
  }

  override clear(): void {
    this.#weak.clear();
    super.clear();
  }

  /** Holds an instance weakly from now on, if it is the one of its row. */
  weaken(key: unknown, instance: Instance): void {
    if (super.get(key) !== instance) return;
    super.delete(key);
    this.#weak.set(key, new WeakRef(instance));
    this.#collected.register(instance, key);
  }

  /** All of them: those that are held weakly come last, as far as they are still there. */
  override *values(): MapIterator<Instance> {
    yield* super.values();
    for (const reference of this.#weak.values()) {
      const instance = reference.deref();
      if (instance !== undefined) yield instance;
    }
  }

  /** Those that are not held weakly, of which there are as many as `size` says. */
  held(): MapIterator<Instance> {
    return super.values();
  }

  #takeBack(key: unknown): Instance | undefined {
    const instance = this.#weak.get(key)?.deref();
    if (instance !== undefined) this.set(key, instance);
    return instance;
  }
}
