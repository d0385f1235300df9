import type { Instance } from "../../src/index.ts";
import type { Holding } from "./models.ts";

type Values = Record<string, unknown>;

/** The value of an attribute by its name. */
export function valueOf(instance: Instance, attribute: string): unknown {
  return (instance as unknown as Values)[attribute];
}

/** Assigns to an attribute by its name. */
export function assign(instance: Instance, attribute: string, value: unknown): void {
  (instance as unknown as Values)[attribute] = value;
}

/** What a relationship holds, however it does. */
export function itemsIn(instance: Instance, attribute: string): Instance[] {
  const value = valueOf(instance, attribute);
  if (value === null || value === undefined) return [];
  if (value instanceof Map || value instanceof Set) return [...value.values()] as Instance[];
  return Array.isArray(value) ? [...(value as Instance[])] : [value as Instance];
}

/** Puts one more in. */
export function putIn(instance: Instance, attribute: string, holding: Holding, item: Instance): void {
  const value = valueOf(instance, attribute);
  if (holding === "one") assign(instance, attribute, item);
  else if (holding === "array") (value as Instance[]).push(item);
  else if (holding === "set") (value as Set<Instance>).add(item);
  else (value as Map<unknown, Instance>).set(valueOf(item, "key"), item);
}

/** Takes one out. */
export function takeOut(instance: Instance, attribute: string, holding: Holding, item: Instance): void {
  const value = valueOf(instance, attribute);
  if (holding === "one") assign(instance, attribute, null);
  else if (holding === "array") (value as Instance[]).splice((value as Instance[]).indexOf(item), 1);
  else if (holding === "set") (value as Set<Instance>).delete(item);
  else (value as Map<unknown, Instance>).delete(valueOf(item, "key"));
}

/** Assigns a collection anew. */
export function replaceAll(instance: Instance, attribute: string, holding: Holding, items: readonly Instance[]): void {
  if (holding === "one") assign(instance, attribute, items[0] ?? null);
  else if (holding === "array") assign(instance, attribute, [...items]);
  else if (holding === "set") assign(instance, attribute, new Set(items));
  else assign(instance, attribute, new Map(items.map((item) => [valueOf(item, "key"), item])));
}
