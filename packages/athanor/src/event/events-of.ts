// oxlint-disable-next-line no-unused-vars -- the real branches use it
export type EventsOf<T, _Retval = false> = T extends { readonly "~events": infer E } ? E : never;
