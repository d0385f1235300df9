import { generate, isCodeGenerationAllowed } from "./generated-code.ts";
import { stateOf } from "./instance.ts";

/**
 * Puts a getter and a setter for each attribute on the prototype of a class.
 *
 * They are generated one by one, so that each has type feedback of its own: closures of one function share it, and
 * reading attributes of many classes through it is several times slower.
 */
export function defineAccessors(
  prototype: object,
  attributes: Iterable<{ readonly key: string; readonly slot: number; readonly isTransient: boolean }>,
): void {
  for (const { key, slot, isTransient } of attributes) {
    const accessors =
      isCodeGenerationAllowed() && !isTransient ? generatedAccessors(slot) : closureAccessors(slot, isTransient);
    Object.defineProperty(prototype, key, { ...accessors, enumerable: false, configurable: true });
  }
}

interface Accessors {
  get(this: object): unknown;
  set(this: object, value: unknown): void;
}

function generatedAccessors(slot: number): Accessors {
  return generate<Accessors>(
    { stateOf },
    `return {
      get() {
        const state = stateOf(this);
        if (state === undefined) return undefined;
        const value = state.values[${slot}];
        return value !== undefined ? value : state.instrumentation.attributes[${slot}].readMissing(state);
      },
      set(value) {
        const state = stateOf(this);
        state.instrumentation.attributes[${slot}].set(state, value);
      },
    };`,
  );
}

function closureAccessors(slot: number, isTransient: boolean): Accessors {
  return {
    get() {
      const state = stateOf(this);
      if (state === undefined) return undefined;
      const value = isTransient ? state.transientValues?.[slot] : state.values[slot];
      return value !== undefined ? value : state.instrumentation.attributes[slot]?.readMissing(state);
    },
    set(value) {
      const state = stateOf(this);
      state.instrumentation.attributes[slot]?.set(state, value);
    },
  };
}
