import { InvalidRequestError } from "../event/errors.ts";
import { DetachedInstanceError, UnloadedAttributeError } from "./errors.ts";
import type { InstanceState } from "./instance-state.ts";

/** Why an attribute cannot be read now, and what to do. */
export function unloadedError(state: InstanceState, key: string): InvalidRequestError {
  const name = state.instrumentation.class.name;
  const fact = `${name}.${key} is not loaded.`;
  if (state.owner === undefined) {
    return new DetachedInstanceError(
      `${fact} This ${name} belongs to no session any more, so nothing can load it. Load what you need before the session is ` +
        `closed or lets go of the instance, or bring it back: session.add(instance), then await load(instance, "${key}").`,
    );
  }
  const reason =
    state.expiredBy === undefined ? "The query that loaded it left it out" : `It was expired by ${state.expiredBy}`;
  return new UnloadedAttributeError(
    `${fact} ${reason}, and reading cannot wait for the database. Use await load(instance, "${key}"), ` +
      `await session.refresh(instance), or a query that includes it.`,
  );
}

/** Why a column must not be loaded by itself, and what to do. */
export function refusedColumnError(state: InstanceState, key: string): InvalidRequestError {
  const name = state.instrumentation.class.name;
  return new UnloadedAttributeError(
    `${name}.${key} is deferred, and raiseLoad says that nobody loads it for one ${name} by itself: done for each of many, that would send a statement for each. ` +
      `Load it along with the query: select(${name}).options(undefer(${name}, "${key}")).`,
  );
}

/** Why an attribute can never be read: its value was expired, and then its row was rolled back. */
export function lostError(state: InstanceState, key: string): InvalidRequestError {
  const name = state.instrumentation.class.name;
  const message =
    `${name}.${key} is not known any more: it was expired, and then the transaction was rolled back that had inserted the row. ` +
    `Assign it anew, construct another ${name}, or call makeTransient(instance), after which what is not known counts as not set.`;
  return state.owner === undefined ? new DetachedInstanceError(message) : new InvalidRequestError(message);
}

/** Why a relationship must not be loaded by itself, and what to do. */
export function refusedError(state: InstanceState, key: string): InvalidRequestError {
  const name = state.instrumentation.class.name;
  return new UnloadedAttributeError(
    `${name}.${key} is not loaded, and raiseLoad says that nobody loads it for one ${name} by itself: done for each of many, that would send a statement for each. ` +
      `Load it along with the query: select(${name}).options(selectinLoad(${name}, "${key}")).`,
  );
}

/**
 * Why a write-only collection is not loaded, and what to do.
 *
 * @param isForDeletion it would have to be known to delete the instance
 */
export function writeOnlyError(state: InstanceState, key: string, isForDeletion = false): InvalidRequestError {
  const label = `${state.instrumentation.class.name}.${key}`;
  return new InvalidRequestError(
    isForDeletion
      ? `${state.describe()} cannot be deleted, because ${label} is write-only: it is never loaded, and without passiveDeletes all of it would have to be. ` +
          `Declare it with passiveDeletes: true, and let the foreign key say what becomes of the rows, as in .references("…", { onDelete: "cascade" }).`
      : `${label} is write-only, so it is never loaded: there may be too much of it. Ask for what you need of it with a statement, ` +
          `session.scalars(instance.${key}.select()), where where(), limit() and the like narrow it down.`,
  );
}
