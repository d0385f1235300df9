import { Mapper } from "../mapping/mapper.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import { collectRelated } from "./collect-related.ts";
import { dependencyOf } from "./dependencies/dependency-of.ts";
import type { Entry } from "./entry.ts";
import { FlushPlan } from "./flush-plan.ts";
import type { Flushed, FlushWork } from "./flush-work.ts";
import { leaveToPostUpdates } from "./leave-to-post-updates.ts";
import { deleteOrder, saveOrder } from "./order.ts";
import { orderSteps } from "./order-steps.ts";
import type { Step } from "./step.ts";
import { writeDeletes } from "./write-deletes.ts";
import { writePostUpdates } from "./write-post-updates.ts";
import { writeSaves } from "./write-saves.ts";

/**
 * One flush: what the program added, changed and deleted becomes rows.
 *
 * Rows that others refer to are written before those that refer to them, with foreign keys in between; deletions go the other way around. The session opens the
 * transaction before, and afterwards takes note of what was written (`session/flush-session.ts`). SQLAlchemy: Session Basics, Flushing.
 */
export async function flush(work: FlushWork): Promise<Flushed> {
  const plan = new FlushPlan(work);
  await collectRelated(plan);
  leaveToPostUpdates(plan);
  for (const step of await orderSteps(plan)) await runStep(step, plan);
  return plan.flushed();
}

/** A step is about the rows of one hierarchy of classes, or about what one relationship writes when rows are there or before they go. */
function runStep({ kind, subject, entries }: Step, plan: FlushPlan): Promise<void> {
  return subject instanceof Mapper
    ? writeRows(kind, subject, entries, plan)
    : writeRelated(kind, subject, entries, plan);
}

/** All `before` events, the SQL, all `after` events; the UPDATEs of foreign keys alone raise none. */
async function writeRows(
  kind: Step["kind"],
  mapper: Mapper,
  entries: readonly Entry[],
  plan: FlushPlan,
): Promise<void> {
  if (kind === "preUpdate" || kind === "postUpdate") await writePostUpdates(plan, mapper, kind === "preUpdate");
  else if (entries.length === 0) return;
  else if (kind === "save") await writeSaves(saveOrder(entries), plan);
  else await writeDeletes(deleteOrder(notTakenOver(entries)), plan.work);
}

/** The key of one row is copied to another, or taken away from it; rows of a table between are inserted or deleted. */
async function writeRelated(
  kind: Step["kind"],
  property: RelationshipProperty,
  entries: readonly Entry[],
  plan: FlushPlan,
): Promise<void> {
  const parents = notTakenOver(entries);
  if (parents.length === 0) return;
  const dependency = dependencyOf(property);
  await (kind === "afterSave" ? dependency.afterSave(plan, parents) : dependency.beforeDelete(plan, parents));
}

/** A row that was taken over since the steps were put in order is a new instance's now. */
function notTakenOver(entries: readonly Entry[]): readonly Entry[] {
  return entries.some(({ isTakenOver }) => isTakenOver) ? entries.filter(({ isTakenOver }) => !isTakenOver) : entries;
}
