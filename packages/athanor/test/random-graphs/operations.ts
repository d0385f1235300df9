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

/** What an operation chooses by. What it chooses among is known when it is taken. */
interface Choices {
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

/** One step of a walk. */
export interface Operation extends Choices {
  readonly kind: OperationKind;
}

/** The options of the session. */
export interface Manner {
  readonly autoflush: boolean;
  readonly expireOnCommit: boolean;
}

/** What a walk is made of. */
export interface Route {
  readonly manner: Manner;
  /** What is there before it begins, by what its creation is to choose. */
  readonly start: readonly Choices[];
  readonly operations: readonly Operation[];
}

const kinds = Object.entries(weights).flatMap(([kind, weight]) =>
  Array.from({ length: weight }, () => kind as OperationKind),
);
const choice = fc.nat(1023);

const choices = { a: choice, b: choice, c: choice };

/** Walks of up to forty operations, mostly on a graph that is there. */
export const routes: fc.Arbitrary<Route> = fc.record({
  manner: fc.record({ autoflush: fc.boolean(), expireOnCommit: fc.boolean() }),
  start: fc.array(fc.record(choices), { maxLength: 14, size: "max" }),
  operations: fc.array(fc.record({ kind: fc.constantFrom(...kinds), ...choices }), { maxLength: 40, size: "max" }),
});
