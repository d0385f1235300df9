import { emit } from "../event/dispatch.ts";
import { InvalidRequestError } from "../event/errors.ts";
import { expectState, type Instance } from "./instance.ts";
import type { History } from "./history.ts";

/**
 * What a flush would write for one attribute. Loads nothing.
 *
 * SQLAlchemy: Session API, `attributes.get_history`.
 * @throws ArgumentError for a name that the class does not have.
 */
export function getHistory(instance: Instance, key: string): History {
  const state = expectState(instance);
  return state.instrumentation.expect(key).history(state);
}

/** Reads an attribute by name, as `instance[key]` does. SQLAlchemy: `attributes.get_attribute`. */
export function getAttribute(instance: Instance, key: string): unknown {
  const state = expectState(instance);
  const attribute = state.instrumentation.expect(key);
  const value = attribute.loadedValue(state);
  return value !== undefined ? value : attribute.readMissing(state);
}

/** Assigns an attribute by name, with all its events. SQLAlchemy: `attributes.set_attribute`. */
export function setAttribute(instance: Instance, key: string, value: unknown): void {
  const state = expectState(instance);
  state.instrumentation.expect(key).set(state, value);
}

/**
 * Deletes the value of an attribute, with its `remove` event: the flush writes NULL. (JavaScript's `delete user.email` reaches
 * no accessor.)
 *
 * SQLAlchemy: `attributes.del_attribute`.
 * @throws InvalidRequestError where there is no value to delete.
 */
export function delAttribute(instance: Instance, key: string): void {
  const state = expectState(instance);
  state.instrumentation.expect(key).delete(state);
}

/**
 * Gives an attribute a value as if it had been loaded: no event, no history, nothing to flush.
 *
 * SQLAlchemy: `attributes.set_committed_value`.
 */
export function setCommittedValue(instance: Instance, key: string, value: unknown): void {
  const state = expectState(instance);
  const attribute = state.instrumentation.expect(key);
  // A row has no `undefined`: left as it is, it would read as "not loaded".
  attribute.put(state, value === undefined && attribute.isStored && state.key !== undefined ? null : value);
  state.commitSlots([attribute.slot]);
}

/**
 * Declares an attribute changed, so that the next flush writes its present value: for values that were changed in place, such as json.
 *
 * SQLAlchemy: `attributes.flag_modified`.
 * @throws InvalidRequestError where no value is in memory.
 */
export function flagModified(instance: Instance, key: string): void {
  const state = expectState(instance);
  const attribute = state.instrumentation.expect(key);
  const listeners = attribute.dispatch.modified;
  if (listeners !== undefined) emit(listeners, { target: instance, initiator: { key, operation: "modified" } });
  if (attribute.loadedValue(state) === undefined) {
    throw new InvalidRequestError(
      `"${key}" of ${state.describe()} cannot be flagged as modified, because it has no value in memory. Load or assign it first.`,
    );
  }
  if (!state.isNew || state.written) state.flag(attribute.slot);
  state.markModified(attribute.slot);
}

/**
 * Declares the instance changed without naming an attribute: the next flush raises its events, and writes nothing for it.
 *
 * SQLAlchemy: `attributes.flag_dirty`.
 */
export function flagDirty(instance: Instance): void {
  expectState(instance).markModified();
}
