import { History, inspect, type Instance, Model, NO_VALUE, PASSIVE_NO_RESULT } from "../../src/index.ts";
import { type Family, kindNamed } from "./models.ts";
import type { Json } from "./program.ts";

/**
 * The names under which instances appear in the records of one program: what a step called them, or else their class and key.
 *
 * An instance gets its label when it is first mentioned, and keeps it.
 */
export class Labels {
  readonly #family: Family;
  readonly #labels = new Map<Instance, string>();
  readonly #instances = new Map<string, Instance>();
  #anonymous = 0;
  #expected: string | undefined;

  constructor(family: Family) {
    this.#family = family;
  }

  /** All labelled instances. */
  get instances(): ReadonlyMap<string, Instance> {
    return this.#instances;
  }

  /** Constructs an instance that is already known by this label when its first events are raised. */
  construct<T extends Instance>(label: string, create: () => T): T {
    this.#expected = label;
    try {
      const created = create();
      if (!this.#labels.has(created)) this.#set(created, label);
      return created;
    } finally {
      this.#expected = undefined;
    }
  }

  /** Labels an instance that was not mentioned before. */
  suggest(label: string, instance: Instance): void {
    if (!this.#labels.has(instance)) this.#set(instance, label);
  }

  /** The instance of that label. */
  find(label: string): Instance {
    const found = this.#instances.get(label);
    if (found === undefined) throw new Error(`No object is labelled "${label}".`);
    return found;
  }

  /** The label of an instance, which from now on has one. */
  of(instance: Instance): string {
    const known = this.#labels.get(instance);
    if (known !== undefined) return known;
    const label = this.#expected ?? this.#invent(instance);
    this.#expected = undefined;
    this.#set(instance, label);
    return label;
  }

  /** A value as records have it: "@u1" for an instance. */
  encode(value: unknown): Json {
    if (value === NO_VALUE) return "<NO_VALUE>";
    if (value === undefined) return "<undefined>";
    if (value === PASSIVE_NO_RESULT) return "<PASSIVE_NO_RESULT>";
    if (value instanceof Model) return `@${this.of(value)}`;
    if (value instanceof History) return [value.added, value.unchanged, value.deleted].map((part) => this.encode(part));
    if (value instanceof Set) return this.sorted(value);
    if (value instanceof Map)
      return [...value].map(([key, held]) => [this.encode(key), this.encode(held)]).sort(compareText);
    if (Array.isArray(value)) return value.map((item) => this.encode(item));
    return typeof value === "symbol" ? String(value) : (value as Json);
  }

  /** The labels of instances, sorted. */
  sorted(instances: Iterable<unknown>): string[] {
    return [...instances].map((instance) => String(this.encode(instance))).sort();
  }

  /** The value that a step gives: "@u1" is the instance of that label. */
  decode(value: Json | undefined): unknown {
    if (typeof value === "string" && value.startsWith("@")) return this.find(value.slice(1));
    return Array.isArray(value) ? value.map((item) => this.decode(item as Json)) : value;
  }

  #set(instance: Instance, label: string): void {
    this.#labels.set(instance, label);
    this.#instances.set(label, instance);
  }

  #invent(instance: Instance): string {
    const { identity } = inspect(instance);
    if (identity === undefined) return `anon${++this.#anonymous}`;
    const label = `${kindNamed(this.#family, instance.constructor.name).base}#${identity.join("-")}`;
    let copy = 1;
    while (this.#instances.has(copy === 1 ? label : `${label}~${copy}`)) copy++;
    return copy === 1 ? label : `${label}~${copy}`;
  }
}

function compareText(left: unknown, right: unknown): number {
  const [former, latter] = [JSON.stringify(left), JSON.stringify(right)];
  return former < latter ? -1 : former > latter ? 1 : 0;
}
