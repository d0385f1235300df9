import { InvalidRequestError } from "../event/errors.ts";
import { EventNode, eventTarget } from "../event/event-node.ts";
import { classEvents } from "./class-events.ts";
import { UnmappedInstanceError } from "./errors.ts";
import { InstanceState, type StateOwner } from "./instance-state.ts";
import type { InstrumentedClass, Instrumentation } from "./instrumentation.ts";

/** Says that the constructor is called for a row: no values are assigned and no `init` is raised. */
const FROM_ROW: unique symbol = Symbol("from row");

/** Says that the constructor is called for a copy: the same, and there is no row. */
const BARE: unique symbol = Symbol("bare");

/** The values of an instance, where tools that compare objects deeply can see them. Nothing in Athanor reads it. */
const VALUES: unique symbol = Symbol("values");

const inspectCustom: unique symbol = Symbol.for("nodejs.util.inspect.custom") as never;

/** Where a mapped class keeps its instrumentation. */
export const INSTRUMENTATION: unique symbol = Symbol("instrumentation");

/** How a class that was declared but never used becomes mapped: the mapping layer puts this on every class it makes. */
export const INSTRUMENT: unique symbol = Symbol("instrument");

let stateOfInstance: (instance: Instance) => InstanceState;

/**
 * The class that every model extends. As `Model` it stands for all of them: `listen(Model, "beforeInsert", …)`.
 *
 * Loading runs no constructor: class fields with initialisers exist only on instances that were constructed.
 */
export class Instance {
  declare readonly "~instance": true;
  declare static readonly [INSTRUMENTATION]: Instrumentation | undefined;
  declare static readonly [INSTRUMENT]: ((instrumentedClass: InstrumentedClass) => Instrumentation) | undefined;
  declare [VALUES]: unknown[];
  readonly #state: InstanceState;

  constructor(
    given?: unknown,
    instrumentation?: Instrumentation,
    values?: unknown[],
    key?: unknown,
    owner?: StateOwner,
  ) {
    if (given === FROM_ROW) {
      this[VALUES] = values as unknown[];
      this.#state = new InstanceState(this, instrumentation as Instrumentation, values as unknown[], key, owner, false);
      return;
    }
    const own = instrumentationOf(new.target);
    const empty = own.empty.slice();
    this[VALUES] = empty;
    this.#state = new InstanceState(this, own, empty, undefined, undefined, true);
    if (given !== BARE) own.initialise(this.#state, given);
  }

  static {
    stateOfInstance = (instance) => (#state in instance ? instance.#state : (undefined as never));
  }

  /** The listeners of this class; one node for each class, whether it is mapped yet or not. */
  static get [eventTarget](): EventNode {
    return classNode(this);
  }

  /**
   * The loaded values, for JSON.stringify: bigints as decimal text, bytes in base64. An instance that is met again inside itself is told
   * by class and key, so it ends.
   */
  toJSON(): unknown {
    return stateOf(this) === undefined ? copiedValues(this) : loadedValues(this, new Set());
  }

  /** How console.log and the diffs of tests show the instance: its class, key and loaded values. */
  [inspectCustom](depth: number | null, options: object, inspect: (value: unknown, options: object) => string): string {
    const state = stateOf(this);
    if (state === undefined) return "[model prototype]";
    const name = state.instrumentation.class.name;
    const label = state.key === undefined ? `${name} (${state.lifecycle})` : `${name} (key ${String(state.key)})`;
    if (depth !== null && depth < 0) return `[${label}]`;
    if (printing.has(state)) return `[Circular ${label}]`;
    printing.add(state);
    try {
      return `${label} ${inspect(shownValues(state), { ...options, depth })}`;
    } finally {
      printing.delete(state);
    }
  }
}

/** The instances that are being printed, to end where one holds itself: the printer sees only what each has made of itself. */
const printing = new Set<InstanceState>();

/** The state of an instance; undefined for anything else. */
export const stateOf: (instance: object) => InstanceState = stateOfInstance as never;

/** The state of an instance. Throws UnmappedInstanceError for anything else, in words of what was given. */
export function expectState(value: unknown): InstanceState {
  const state = typeof value === "object" && value !== null ? stateOf(value) : undefined;
  if (state !== undefined) return state;
  const what =
    value === null || typeof value !== "object"
      ? `${value === null ? "null" : `a ${typeof value}`}`
      : Array.isArray(value)
        ? "an array"
        : `an object of ${value.constructor?.name ?? "no class"}`;
  throw new UnmappedInstanceError(
    `This needs an instance of a model, and got ${what}. ` +
      (Array.isArray(value)
        ? "For several instances use session.addAll([…])."
        : "A plain object or a copy such as {...user} is no instance: construct one with new, or load it."),
  );
}

/** Makes the instance of a row: no constructor of the user's runs, no `init` is raised. The row becomes its values. */
export function instanceFromRow(
  instrumentation: Instrumentation,
  values: unknown[],
  key: unknown,
  owner: StateOwner | undefined,
): Instance {
  return Reflect.construct(
    Instance,
    [FROM_ROW, instrumentation, values, key, owner],
    instrumentation.class,
  ) as Instance;
}

/** Makes an instance without values that has no row: no constructor of the user's runs, no `init` is raised. */
export function bareInstance({ class: instrumentedClass }: Instrumentation): Instance {
  return Reflect.construct(Instance, [BARE], instrumentedClass) as Instance;
}

/** The instrumentation of a class, which is made at its first use. */
export function instrumentationOf(instrumentedClass: InstrumentedClass): Instrumentation {
  const target = instrumentedClass as typeof Instance;
  const instrumentation = target[INSTRUMENTATION];
  if (instrumentation !== undefined && instrumentation.class === instrumentedClass) return instrumentation;
  const instrument = target[INSTRUMENT];
  if (instrument !== undefined) return instrument(instrumentedClass);
  throw new InvalidRequestError(
    `${instrumentedClass.name || "This class"} is not a model. It extends Model itself; a model extends what model("table", { … }) returns.`,
  );
}

const nodes = new WeakMap<object, EventNode>();

function classNode(target: typeof Instance): EventNode {
  let node = nodes.get(target);
  if (node === undefined) {
    const parent = Object.getPrototypeOf(target) as typeof Instance;
    node =
      target === Instance
        ? new EventNode(classEvents, "Model", { level: 0 })
        : new EventNode(classEvents, () => target.name, { parents: [classNode(parent)], level: 1 });
    nodes.set(target, node);
  }
  return node;
}

function shownValues(state: InstanceState): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const { key, slot, isStored, isTransient } of state.instrumentation.attributes) {
    // Transient properties are for secrets that are never stored, so they are never printed either.
    if (isTransient) continue;
    const value = state.values[slot];
    if (value !== undefined) shown[key] = value;
    else if (isStored && state.key !== undefined && !state.isUnread(slot)) shown[key] = null;
  }
  return shown;
}

function loadedValues(instance: Instance, seen: Set<Instance>): unknown {
  const state = stateOf(instance);
  if (seen.has(instance)) return { [state.instrumentation.class.name]: state.key ?? null };
  seen.add(instance);
  const plain = (value: unknown): unknown =>
    value instanceof Instance
      ? loadedValues(value, seen)
      : Array.isArray(value)
        ? value.map(plain)
        : typeof value === "bigint"
          ? String(value)
          : value instanceof Uint8Array
            ? base64(value)
            : value;
  const shown = shownValues(state);
  for (const key in shown) shown[key] = plain(shown[key]);
  seen.delete(instance);
  return shown;
}

/** Test runners compare copies, which have the values and no state: their differences are to show the names too. */
function copiedValues(copy: Instance): Record<string, unknown> {
  const values: readonly unknown[] | undefined = copy[VALUES];
  const named: Record<string, unknown> = {};
  if (values === undefined) return named;
  for (const { key, slot, isStored } of instrumentationOf(copy.constructor as InstrumentedClass).attributes)
    if (isStored && values[slot] !== undefined) named[key] = values[slot];
  return named;
}

/** Bytes as text. */
export function base64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
