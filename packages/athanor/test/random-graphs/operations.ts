import fc from "fast-check";

/** How often each operation comes, among the others. */
const weights = {
  create: 14,
  set: 4,
  refer: 8,
  "set foreign key": 1,
  collect: 10,
  relate: 6,
  delete: 4,
  flush: 3,
  commit: 4,
  rollback: 2,
  savepoint: 2,
  release: 1,
  "roll back to savepoint": 2,
  expire: 2,
  "set and drop": 1,
  expunge: 1,
  load: 2,
  select: 2,
  "change rows": 1,
  fail: 2,
} as const;

export type OperationKind = keyof typeof weights;

/** One step of a walk. What the numbers choose among is known when it is taken. */
export interface Operation {
  readonly kind: OperationKind;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

/** The options of the session. */
export interface Manner {
  readonly autoflush: boolean;
  readonly expireOnCommit: boolean;
}

/** What a walk is made of. */
export interface Route {
  readonly manner: Manner;
  readonly operations: readonly Operation[];
}

const kinds = Object.entries(weights).flatMap(([kind, weight]) =>
  Array.from({ length: weight }, () => kind as OperationKind),
);
const choice = fc.nat(1023);

/** Walks of up to forty operations. */
export const routes: fc.Arbitrary<Route> = fc.record({
  manner: fc.record({ autoflush: fc.boolean(), expireOnCommit: fc.boolean() }),
  operations: fc.array(fc.record({ kind: fc.constantFrom(...kinds), a: choice, b: choice, c: choice }), {
    maxLength: 40,
    size: "max",
  }),
});
