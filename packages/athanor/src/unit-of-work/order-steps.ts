import type { Mapper } from "../mapping/mapper.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import type { StepKind } from "./dependencies/dependency.ts";
import { dependencyOf } from "./dependencies/dependency-of.ts";
import type { Entry } from "./entry.ts";
import type { FlushPlan } from "./flush-plan.ts";
import { tableOrder } from "./order.ts";
import type { Step } from "./step.ts";
import { StepGraph } from "./step-graph.ts";
import { takeApart } from "./take-apart.ts";
import { stronglyConnected } from "./topological-order.ts";

/**
 * Arranges the steps of a flush: one for the saves and one for the deletes of each hierarchy, two for each relationship between them.
 *
 * Where hierarchies need each other's rows in turn, or rows of one hierarchy need each other, their steps are taken apart into rows; rows that are ready at
 * the same time form one batch again.
 */
export async function orderSteps(plan: FlushPlan): Promise<Iterable<Step>> {
  const wholes = hierarchySteps(plan);
  const circular = stronglyConnected(wholes.edges);
  if (circular.size === 0) return inTurn(wholes);
  return inTurn(await takeApart(plan, wholes, circular));
}

/** One step after another. A circle that cannot be resolved is found when it is reached. */
function* inTurn(graph: StepGraph): Generator<Step> {
  for (const layer of graph.layers()) yield* batches(layer);
}

/** Rows that are ready at the same time and do the same are one batch again. */
function batches(steps: readonly Step[]): Iterable<Step> {
  const merged = new StepGraph();
  for (const step of steps) {
    if (!step.isRow) merged.keep(step);
    else for (const entry of step.entries) merged.step(step.kind, step.subject).entries.push(entry);
  }
  return merged.wholes;
}

function hierarchySteps(plan: FlushPlan): StepGraph {
  const graph = new StepGraph();
  const step = (kind: StepKind, subject: Mapper | RelationshipProperty): Step => graph.step(kind, subject);
  const hierarchies = new Map<Mapper, { readonly saves: Step; readonly deletes: Step }>();
  plan.entries.forEach((entry) => {
    const { baseMapper } = entry.mapper;
    let rows = hierarchies.get(baseMapper);
    if (rows === undefined) {
      hierarchies.set(baseMapper, (rows = { saves: step("save", baseMapper), deletes: step("delete", baseMapper) }));
      graph.connect(rows.saves, rows.deletes);
    }
    (entry.isDelete ? rows.deletes : rows.saves).entries.push(entry);
  });
  for (const [property, entries] of plan.byRelationship) {
    if (!plan.active.has(property)) continue;
    const parent = property.parent.baseMapper;
    const child = property.target.baseMapper;
    const afterSave = step("afterSave", property);
    const beforeDelete = step("beforeDelete", property);
    for (let index = 0; index < entries.length; index++) {
      const entry = entries[index] as Entry;
      (entry.isDelete ? beforeDelete : afterSave).entries.push(entry);
    }
    const edges = dependencyOf(property).order<Step>({
      parentSaves: step("save", parent),
      childSaves: step("save", child),
      parentDeletes: step("delete", parent),
      childDeletes: step("delete", child),
      afterSave,
      beforeDelete,
      parentPostUpdates: step("postUpdate", parent),
      parentPreUpdates: step("preUpdate", parent),
      childPostUpdates: step("postUpdate", child),
      childPreUpdates: step("preUpdate", child),
    });
    for (const [before, after] of edges) graph.connect(before, after);
  }
  // Foreign keys without a relationship: the program set them by hand, and the rows need the same order. What relationships say comes first, and a circle of
  // tables is cut where it closes.
  for (const [before, after] of tableOrder(plan)) {
    if (graph.leads(step("save", after), step("save", before))) continue;
    graph.connect(step("save", before), step("save", after));
    graph.connect(step("delete", after), step("delete", before));
  }
  return graph;
}
