/** A value that may have to be waited for. A database that answers at once costs its callers no promise and no microtask. */
export type MaybePromise<T> = T | Promise<T>;

/** Goes on with a value as soon as it is there: at once if it is there already. */
export function andThen<T, R>(value: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/**
 * Does something with each item, one after another: at once, as long as nothing has to be waited for. Many items cost neither a promise each nor an
 * iterator's answers.
 */
export function eachInTurn<T>(items: readonly T[], work: (item: T) => MaybePromise<void>): MaybePromise<void> {
  for (let index = 0; index < items.length; index++) {
    const waiting = work(items[index] as T);
    if (waiting instanceof Promise) return restInTurn(waiting, items, index + 1, work);
  }
}

async function restInTurn<T>(
  waiting: Promise<void>,
  items: readonly T[],
  next: number,
  work: (item: T) => MaybePromise<void>,
): Promise<void> {
  await waiting;
  for (let index = next; index < items.length; index++) {
    const again = work(items[index] as T);
    if (again instanceof Promise) await again;
  }
}
