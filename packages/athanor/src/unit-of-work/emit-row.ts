import type { MaybePromise } from "../engine/maybe-promise.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import { mapperOfState } from "../mapping/mapper.ts";
import type { FlushWork, RunningEvent } from "./flush-work.ts";
import type { MapperFlushEvents } from "./mapper-flush-events.ts";

/** Raises one event of one row. */
export function emitRow(
  state: InstanceState,
  name: keyof MapperFlushEvents<unknown>,
  { connection, running, emit }: FlushWork,
): MaybePromise<void> {
  const listeners = state.instrumentation.dispatch[name];
  if (listeners === undefined) return;
  running.event = name;
  running.target = state;
  const waiting = emit(listeners, { mapper: mapperOfState(state), connection, target: state.instance });
  if (waiting instanceof Promise) {
    return waiting.then(() => {
      running.event = undefined;
    });
  }
  running.event = undefined;
}

/** Which event of which instance is being raised, as a part of a sentence. */
export function describeRunning({ event, target }: RunningEvent): string {
  return event === undefined || target === undefined ? "" : ` (in a listener of ${event} of ${target.describe()})`;
}
