import {
  type OperationNode,
  OrderByNode,
  OverNode,
  PartitionByItemNode,
  PartitionByNode,
  RawNode,
  type SimpleReferenceExpressionNode,
} from "kysely";
import { ArgumentError } from "../event/errors.ts";
import { type Expression, expectExpression, type OrderBy, type Restriction } from "./expression.ts";
import { orderItem } from "./ordering.ts";
import type { Structure } from "./structure.ts";

/**
 * From where to where a frame goes, counted from the row itself: negative numbers are before it, 0 is itself, and null is the first row of its partition, or the last.
 * `[null, 0]` is everything up to the row, `[-1, 1]` the row and its neighbours.
 */
export type FrameBounds = readonly [start: number | null, end: number | null];

/** Which rows a function is computed over, for each row. */
export interface OverOptions {
  /** Only rows that are equal in these. */
  readonly partitionBy?: Expression<unknown> | readonly Expression<unknown>[] | undefined;
  /** In this order, which says what is before a row and what behind it. */
  readonly orderBy?: OrderBy | readonly OrderBy[] | undefined;
  /** Only so many rows around it. */
  readonly rows?: FrameBounds | undefined;
  /** Only rows whose value in `orderBy` differs by no more; those that are equal to it count as it. */
  readonly range?: FrameBounds | undefined;
  /** Only so many groups of rows with equal values around it. */
  readonly groups?: FrameBounds | undefined;
}

const frameKinds = ["rows", "range", "groups"] as const;

/** The rows that a function is computed over: OVER. */
export class Window {
  readonly #partitionBy: readonly Expression<unknown>[];
  readonly #orderBy: readonly Expression<unknown>[];
  /** What stands behind them: "rows between 1 preceding and current row". */
  readonly #frame: string | undefined;

  private constructor(
    partitionBy: readonly Expression<unknown>[],
    orderBy: readonly Expression<unknown>[],
    frame: string | undefined,
  ) {
    this.#partitionBy = partitionBy;
    this.#orderBy = orderBy;
    this.#frame = frame;
  }

  /** Takes what users give. @param label of the function, for messages */
  static of(options: OverOptions, label: string): Window {
    return new Window(listOf(options.partitionBy), listOf(options.orderBy), frameOf(options, label));
  }

  structure(into: Structure): void {
    into.add(" over (");
    for (const by of this.#partitionBy) by.structure(into.add(" partition by "));
    for (const by of this.#orderBy) by.structure(into.add(" order by "));
    into.add(`${this.#frame ?? ""})`);
  }

  toOperationNode(keepBinds: boolean): OperationNode {
    const partitions = this.#partitionBy.map((by) =>
      PartitionByItemNode.create(by.toOperationNode(keepBinds) as SimpleReferenceExpressionNode),
    );
    const orderings = this.#orderBy.map((by) => orderItem(by, keepBinds));
    const partitionBy = partitions.length === 0 ? undefined : PartitionByNode.create(partitions);
    const orderBy = orderings.length === 0 ? undefined : OrderByNode.create(orderings);
    if (this.#frame === undefined)
      return {
        ...OverNode.create(),
        ...(partitionBy === undefined ? {} : { partitionBy }),
        ...(orderBy === undefined ? {} : { orderBy }),
      } as OperationNode;
    // Kysely has no node for a frame.
    const nodes = [partitionBy, orderBy].filter((node) => node !== undefined);
    return RawNode.create(["over (", ...nodes.slice(1).map(() => " "), ` ${this.#frame})`], nodes);
  }

  restrictedBy(restriction: Restriction): Window {
    const restricted = (by: Expression<unknown>): Expression<unknown> => by.restrictedBy(restriction);
    return new Window(this.#partitionBy.map(restricted), this.#orderBy.map(restricted), this.#frame);
  }
}

function listOf(by: unknown): readonly Expression<unknown>[] {
  if (by === undefined) return [];
  return ((Array.isArray(by) ? by : [by]) as readonly unknown[]).map(expectExpression);
}

function frameOf(options: OverOptions, label: string): string | undefined {
  const given = frameKinds.filter((kind) => options[kind] !== undefined);
  const [kind] = given;
  if (kind === undefined) return undefined;
  const bounds = options[kind] as FrameBounds;
  const refuse = (what: string): never => {
    throw new ArgumentError(
      `${label}.over() ${what}. A frame is a pair of whole numbers, counted from the row itself, or of null for the first or last row: rows: [-1, 1], range: [null, 0].`,
    );
  };
  if (given.length > 1) refuse(`was given ${given.join(" and ")}, and has one frame`);
  if (!Array.isArray(bounds) || bounds.length !== 2) refuse(`got no pair for ${kind}`);
  const [start, end] = bounds;
  if ([start, end].some((bound) => bound !== null && !Number.isSafeInteger(bound)))
    refuse(`got for ${kind} what is no whole number`);
  if (start !== null && end !== null && start > end) refuse(`got a frame in ${kind} that ends before it begins`);
  return `${kind} between ${boundText(start, "preceding")} and ${boundText(end, "following")}`;
}

function boundText(bound: number | null, unbounded: "preceding" | "following"): string {
  if (bound === null) return `unbounded ${unbounded}`;
  if (bound === 0) return "current row";
  return bound < 0 ? `${-bound} preceding` : `${bound} following`;
}
