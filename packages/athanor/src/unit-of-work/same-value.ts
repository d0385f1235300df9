import { NO_VALUE } from "../instance/history.ts";
import { FLAGGED } from "../instance/instance-state.ts";

/** Whether two values of a column are the same to the database; its type's own comparison is asked about values only, never about NULL. */
export function isSameValue(
  isEqual: ((left: unknown, right: unknown) => boolean) | undefined,
  left: unknown,
  right: unknown,
): boolean {
  // What was never loaded, or was changed in place, may be anything.
  if (left === NO_VALUE || left === FLAGGED) return false;
  if (left == null || right == null) return (left ?? null) === (right ?? null);
  return (isEqual ?? Object.is)(left, right);
}
