import * as athanor from "../../src/index.ts";

/** The library lacks something that a program needs. Its name is what a record shows as the step's error. */
export class NotOffered extends Error {
  constructor(name: string) {
    super(`Athanor does not offer ${name} yet.`);
    this.name = `not offered yet: ${name}`;
  }
}

// oxlint-disable-next-line typescript/no-explicit-any -- what it is like is known when the library offers it
type Offer = (...values: any[]) => any;

/** A function of the library, looked up when it is needed, so that programs which do not need it run without it. */
export function offered(name: string): Offer {
  const found = (athanor as Record<string, unknown>)[name];
  if (typeof found !== "function") throw new NotOffered(name);
  return found as Offer;
}

/** A method of one of the library's objects, looked up likewise. */
export function offeredMethod(target: object, name: string): Offer {
  const found = (target as Record<string, unknown>)[name];
  if (typeof found !== "function") throw new NotOffered(name);
  return (...values: unknown[]) => (found as Offer).apply(target, values);
}

/** A constant of the library; undefined where there is none. */
export function offeredValue(name: string): unknown {
  return (athanor as Record<string, unknown>)[name];
}
