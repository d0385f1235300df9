/** A value that may have to be waited for. A database that answers at once costs its callers no promise and no microtask. */
export type MaybePromise<T> = T | Promise<T>;

/** Goes on with a value as soon as it is there: at once if it is there already. */
export function andThen<T, R>(value: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}
