/**
 * What a listener of a synchronous event may return: anything but a promise, because nobody would wait for it.
 *
 * An async listener where this is asked for is an error: "Type 'Promise<void>' is not assignable to type 'Sync'".
 */
export type Sync = void | string | number | boolean | bigint | symbol | null | undefined | (object & { then?: never });

/** What a listener of an awaited event may return: a promise is waited for before the next listener runs. */
export type Async = Sync | Promise<unknown>;
