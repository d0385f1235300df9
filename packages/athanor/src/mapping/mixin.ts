import { EventNode, eventTarget } from "../event/event-node.ts";
import { classEvents } from "../instance/class-events.ts";
import { type Instance, stateOf } from "../instance/instance.ts";
import { declarationOf } from "./declaration.ts";
import type { Mapped } from "./model-types.ts";

/**
 * Properties that several models share, with the rules for them: `listen(HasTimestamps, "beforeUpdate", …)` reaches every
 * model that has it, and `instance instanceof HasTimestamps` tells whether one does.
 *
 * SQLAlchemy: Composing Mapped Hierarchies with Mixins.
 */
export class Mixin<out TProperties> {
  declare readonly "~mixin": TProperties;
  readonly properties: TProperties;
  readonly #node: EventNode;

  constructor(properties: TProperties) {
    this.properties = properties;
    this.#node = new EventNode(classEvents, () => `the mixin with ${Object.keys(properties as object).join(", ")}`, {
      level: 1,
    });
  }

  get [eventTarget](): EventNode {
    return this.#node;
  }

  [Symbol.hasInstance](value: unknown): value is Mapped<TProperties> & Instance {
    const state = typeof value === "object" && value !== null ? stateOf(value) : undefined;
    return state !== undefined && declarationOf(state.instrumentation.class)?.mixins.has(this) === true;
  }
}

/** Properties that several models share: `model("users", { … }, { mixins: [HasTimestamps] })`. */
export function mixin<TProperties>(properties: TProperties): Mixin<TProperties> {
  return new Mixin(properties);
}
