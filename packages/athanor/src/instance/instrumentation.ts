import { closestName } from "../event/closest-name.ts";
import { emit } from "../event/dispatch.ts";
import { ArgumentError } from "../event/errors.ts";
import type { Registration } from "../event/event-node.ts";
import { generate, isCodeGenerationAllowed } from "./generated-code.ts";
import type { Instance } from "./instance.ts";
import type { InstanceAttribute } from "./instance-attribute.ts";
import { type InstanceState, UNCHANGED } from "./instance-state.ts";

/** The listeners of one class, by event. */
export type ClassDispatch = Readonly<Record<string, readonly Registration[] | undefined>>;

/** A class whose instances are instrumented. */
export type InstrumentedClass = abstract new (...args: never[]) => Instance;

/**
 * What a class adds to each of its instances: its attributes by slot, its listeners, its way of being constructed.
 *
 * There is one for each mapped class. SQLAlchemy: Class Instrumentation.
 */
export class Instrumentation {
  readonly class: InstrumentedClass;
  /** By slot. */
  readonly attributes: readonly InstanceAttribute[];
  readonly dispatch: ClassDispatch;
  /** The values of an instance that has none: a place for each stored attribute. */
  readonly empty: readonly undefined[];
  readonly columnSlots: ReadonlySet<number>;
  readonly relatedSlots: ReadonlySet<number> | undefined;
  /** The old values of an instance that has not changed. */
  readonly unchanged: readonly (typeof UNCHANGED)[];
  readonly #byKey: ReadonlyMap<string, InstanceAttribute>;
  readonly #identity: { readonly attribute: InstanceAttribute; readonly value: string } | undefined;
  readonly #assign: (state: InstanceState, given: Readonly<Record<string, unknown>>) => void;

  constructor(
    instrumentedClass: InstrumentedClass,
    attributes: readonly InstanceAttribute[],
    dispatch: ClassDispatch,
    identity: { readonly key: string; readonly value: string } | undefined,
  ) {
    this.class = instrumentedClass;
    this.attributes = attributes;
    this.dispatch = dispatch;
    this.empty = attributes
      .slice(0, attributes.findLastIndex(({ isTransient }) => !isTransient) + 1)
      .map(() => undefined);
    this.columnSlots = new Set(attributes.filter(({ isStored }) => isStored).map(({ slot }) => slot));
    const related = attributes.filter(({ isStored, isTransient }) => !isStored && !isTransient);
    this.relatedSlots = related.length === 0 ? undefined : new Set(related.map(({ slot }) => slot));
    this.unchanged = attributes.map(() => UNCHANGED);
    this.#byKey = new Map(attributes.map((attribute) => [attribute.key, attribute]));
    this.#identity = identity && { attribute: this.expect(identity.key), value: identity.value };
    this.#assign = isCodeGenerationAllowed()
      ? generateAssign(this)
      : (state, given) => assignInOrder(this, state, given);
  }

  /** The attribute of that name, or undefined. */
  find(key: string): InstanceAttribute | undefined {
    return this.#byKey.get(key);
  }

  /** The attribute of that name. Throws ArgumentError, with the likely name, where there is none. */
  expect(key: string): InstanceAttribute {
    const attribute = this.#byKey.get(key);
    if (attribute === undefined) throw unknownAttribute(this, key);
    return attribute;
  }

  /** Gives a new instance its first values: the discriminator, then what the constructor was called with, with events. */
  initialise(state: InstanceState, given: unknown): void {
    if (given !== undefined && (typeof given !== "object" || given === null)) {
      throw new ArgumentError(
        `${this.class.name} was constructed with ${given === null ? "null" : `a ${typeof given}`}. It takes an object with ` +
          `values by attribute, such as new ${this.class.name}({ ${this.attributes[0]?.key ?? ""}: … }).`,
      );
    }
    let values = given as Record<string, unknown> | undefined;
    this.#identity?.attribute.set(state, this.#identity.value);
    const { init } = this.dispatch;
    if (init !== undefined) {
      values = { ...values };
      emit(init, { target: state.instance, values });
    }
    if (values === undefined) return;
    const { initFailure } = this.dispatch;
    if (initFailure === undefined) return this.#assign(state, values);
    try {
      this.#assign(state, values);
    } catch (error) {
      emit(initFailure, { target: state.instance, values });
      throw error;
    }
  }
}

/** An attribute name that the class does not have. */
export function unknownAttribute(instrumentation: Instrumentation, key: string): ArgumentError {
  const names = instrumentation.attributes.map((attribute) => attribute.key);
  const closest = closestName(key, names);
  return new ArgumentError(
    `${instrumentation.class.name} has no attribute "${key}". ` +
      (closest === undefined ? `Its attributes are ${names.join(", ")}.` : `Did you mean "${closest}"?`),
  );
}

/** Assigns in the order in which the values were given. A value of `undefined` counts as not given. */
function assignInOrder(
  instrumentation: Instrumentation,
  state: InstanceState,
  given: Readonly<Record<string, unknown>>,
): void {
  for (const key in given) {
    const value = given[key];
    const attribute = instrumentation.find(key);
    if (attribute === undefined) throw unknownAttribute(instrumentation, key);
    if (value !== undefined) attribute.set(state, value);
  }
}

/** The same with the lookup by name compiled into a switch, and without the call where nobody listens and nothing is to be remembered. */
function generateAssign(
  instrumentation: Instrumentation,
): (state: InstanceState, given: Readonly<Record<string, unknown>>) => void {
  const cases = instrumentation.attributes.map(({ key, slot, isPlain }) =>
    isPlain
      ? `case ${JSON.stringify(key)}: if (value !== undefined) { if (d${slot}.set === undefined) values[${slot}] = value; else a${slot}.set(state, value); } break;`
      : `case ${JSON.stringify(key)}: if (value !== undefined) a${slot}.set(state, value); break;`,
  );
  const scope: Record<string, unknown> = { unknown: (key: string) => unknownAttribute(instrumentation, key) };
  for (const attribute of instrumentation.attributes) {
    scope[`a${attribute.slot}`] = attribute;
    scope[`d${attribute.slot}`] = attribute.dispatch;
  }
  return generate(
    scope,
    `return (state, given) => {
      const values = state.values;
      for (const key in given) {
        const value = given[key];
        switch (key) { ${cases.join("\n")} default: throw unknown(key); }
      }
      state.modified = true;
    };`,
  );
}
