import type { InstanceState } from "../instance/instance-state.ts";
import type { Mapper } from "../mapping/mapper.ts";
import { RelationshipProperty } from "../mapping/relationship-property.ts";
import { entriesByRelationship } from "./collect-related.ts";
import type { StepKind } from "./dependencies/dependency.ts";
import { dependencyOf } from "./dependencies/dependency-of.ts";
import type { Entry } from "./entry.ts";
import type { FlushPlan } from "./flush-plan.ts";
import { byKey, compareText, tableOrder } from "./order.ts";
import { Step } from "./step.ts";
import { layers, stronglyConnected } from "./topological-order.ts";

/** The steps of a flush with what comes before what. */
interface Graph {
  readonly steps: Map<string, Step>;
  /** From a step to those that must come after it. */
  readonly edges: Map<Step, Set<Step>>;
}

/**
 * Arranges the steps of a flush: one for the saves and one for the deletes of each hierarchy, two for each relationship between them.
 *
 * Where hierarchies need each other's rows in turn, or rows of one hierarchy need each other, their steps are taken apart into rows; rows that are ready at
 * the same time form one batch again.
 */
export function orderSteps(plan: FlushPlan): Step[] {
  const graph = mapperGraph(plan);
  const circular = stronglyConnected(graph.edges);
  if (circular.size === 0) return layers([...graph.steps.values()].sort(bySortKey), graph.edges).flat();
  return rowOrder(plan, graph, circular);
}

function mapperGraph(plan: FlushPlan): Graph {
  const graph: Graph = { steps: new Map(), edges: new Map() };
  const step = (kind: StepKind, subject: Mapper | RelationshipProperty): Step => {
    const key = Step.keyOf(kind, subject);
    let found = graph.steps.get(key);
    if (found === undefined) graph.steps.set(key, (found = new Step(kind, subject, [])));
    return found;
  };
  let last: { readonly mapper: Mapper; readonly saves: Step; readonly deletes: Step } | undefined;
  for (const entry of plan.entries.values()) {
    const { baseMapper } = entry.mapper;
    if (last?.mapper !== baseMapper) {
      last = { mapper: baseMapper, saves: step("save", baseMapper), deletes: step("delete", baseMapper) };
      connect(graph, last.saves, last.deletes);
    }
    if (!entry.listOnly) (entry.isDelete ? last.deletes : last.saves).entries.push(entry);
  }
  for (const [property, entries] of entriesByRelationship(plan)) {
    if (!plan.active.has(property)) continue;
    const parent = property.parent.baseMapper;
    const child = property.target.baseMapper;
    const afterSave = step("afterSave", property);
    const beforeDelete = step("beforeDelete", property);
    afterSave.entries.push(...entries.filter(({ isDelete }) => !isDelete));
    beforeDelete.entries.push(...entries.filter(({ isDelete }) => isDelete));
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
    for (const [before, after] of edges) connect(graph, before, after);
  }
  // Foreign keys without a relationship: the program set them by hand, and the rows need the same order.
  for (const [before, after] of tableOrder(plan)) {
    connect(graph, step("save", before), step("save", after));
    connect(graph, step("delete", after), step("delete", before));
  }
  return graph;
}

function connect({ edges }: Graph, before: Step, after: Step): void {
  if (before === after && before.kind !== "save" && before.kind !== "delete") return;
  const targets = edges.get(before);
  if (targets === undefined) edges.set(before, new Set([after]));
  else targets.add(after);
}

/** Takes the steps of circles apart into rows. */
function rowOrder(plan: FlushPlan, graph: Graph, circular: ReadonlySet<Step>): Step[] {
  const rows: Graph = { steps: new Map(), edges: new Map() };
  const rowStep = (kind: StepKind, subject: Mapper | RelationshipProperty, entry: Entry): Step => {
    const key = `${Step.keyOf(kind, subject)} ${rowNumber(entry.state)}`;
    let found = rows.steps.get(key);
    if (found === undefined) rows.steps.set(key, (found = new Step(kind, subject, [entry], true)));
    return found;
  };
  const numbers = new Map<InstanceState, number>();
  const rowNumber = (state: InstanceState): number => {
    let number = numbers.get(state);
    if (number === undefined) numbers.set(state, (number = numbers.size));
    return number;
  };
  const isApart = (kind: StepKind, subject: Mapper | RelationshipProperty): boolean => {
    const whole = graph.steps.get(Step.keyOf(kind, subject));
    return whole !== undefined && circular.has(whole);
  };
  const partsOf = (whole: Step): Step[] => {
    if (circular.has(whole)) {
      return whole.entries
        .filter(({ state }) => whole.kind !== "afterSave" || !isSettledByOtherSide(whole.subject, state))
        .map((entry) => rowStep(whole.kind, whole.subject, entry));
    }
    rows.steps.set(Step.keyOf(whole.kind, whole.subject), whole);
    return [whole];
  };
  // Between a step that stays whole and one that is apart, and between two that stay whole, the order is that of the wholes.
  for (const whole of graph.steps.values()) partsOf(whole);
  for (const [before, afters] of graph.edges) {
    for (const after of afters) {
      if (circular.has(before) && circular.has(after)) continue;
      for (const first of partsOf(before)) for (const second of partsOf(after)) connect(rows, first, second);
    }
  }
  // Everything of a hierarchy is saved before anything of it is deleted: a row may take over the key of another.
  for (const saves of circular) {
    const deletes = saves.kind === "save" ? graph.steps.get(Step.keyOf("delete", saves.subject)) : undefined;
    if (deletes === undefined || !circular.has(deletes)) continue;
    for (const first of partsOf(saves)) for (const second of partsOf(deletes)) connect(rows, first, second);
  }
  // Between rows of a circle it is that of the relationships that really hold between them.
  for (const [property, entries] of entriesByRelationship(plan)) {
    const dependency = dependencyOf(property);
    if (!plan.active.has(property)) continue;
    if (
      !isApart("afterSave", property) &&
      !isApart("beforeDelete", property) &&
      !isApart("save", property.parent.baseMapper)
    )
      continue;
    for (const entry of entries) connectRow(plan, property, dependency, entry, rowStep, graph, circular, rows);
  }
  return layers([...rows.steps.values()].sort(bySortKey), rows.edges).flatMap(batches);
}

/**
 * Whether the rows of what was added are written by their own references alone: to a collection that is not loaded they were added by them. Row by row,
 * SQLAlchemy does not look at such a collection.
 */
function isSettledByOtherSide(subject: Mapper | RelationshipProperty, state: InstanceState): boolean {
  return (
    subject instanceof RelationshipProperty &&
    subject.direction === "oneToMany" &&
    subject.inverse !== undefined &&
    state.values[subject.slot] === undefined
  );
}

function connectRow(
  plan: FlushPlan,
  property: RelationshipProperty,
  dependency: ReturnType<typeof dependencyOf>,
  entry: Entry,
  rowStep: (kind: StepKind, subject: Mapper | RelationshipProperty, entry: Entry) => Step,
  graph: Graph,
  circular: ReadonlySet<Step>,
  rows: Graph,
): void {
  if (!entry.isDelete && isSettledByOtherSide(property, entry.state)) return;
  const { added, unchanged, deleted } = plan.knownHistory(entry.state, property);
  const parent = property.parent.baseMapper;
  const child = property.target.baseMapper;
  const place = (kind: StepKind, subject: Mapper | RelationshipProperty, of: Entry): Step | undefined => {
    const whole = graph.steps.get(Step.keyOf(kind, subject));
    return whole === undefined || !circular.has(whole) ? whole : rowStep(kind, subject, of);
  };
  for (const related of [...added, ...unchanged, ...deleted]) {
    const childEntry = related === null ? undefined : plan.entries.get(related);
    const childOf = (isDelete: boolean, kind: StepKind): Step | undefined =>
      childEntry !== undefined && childEntry.isDelete === isDelete ? place(kind, child, childEntry) : undefined;
    const edges = dependency.order<Step | undefined>({
      parentSaves: entry.isDelete ? undefined : place("save", parent, entry),
      parentDeletes: entry.isDelete ? place("delete", parent, entry) : undefined,
      childSaves: childOf(false, "save"),
      childDeletes: childOf(true, "delete"),
      afterSave: entry.isDelete ? undefined : place("afterSave", property, entry),
      beforeDelete: entry.isDelete ? place("beforeDelete", property, entry) : undefined,
      parentPostUpdates: graph.steps.get(Step.keyOf("postUpdate", parent)),
      parentPreUpdates: graph.steps.get(Step.keyOf("preUpdate", parent)),
      childPostUpdates: graph.steps.get(Step.keyOf("postUpdate", child)),
      childPreUpdates: graph.steps.get(Step.keyOf("preUpdate", child)),
    });
    for (const [before, after] of edges)
      if (before !== undefined && after !== undefined && before !== after) connect(rows, before, after);
  }
  if (added.length + unchanged.length + deleted.length > 0) return;
  const own = entry.isDelete ? [place("beforeDelete", property, entry), place("delete", parent, entry)] : undefined;
  if (own?.[0] !== undefined && own[1] !== undefined) connect(rows, own[0], own[1]);
}

/** Rows that are ready at the same time and do the same are one batch again. */
function batches(steps: readonly Step[]): Step[] {
  const merged = new Map<string, Step>();
  for (const step of steps) {
    const key = Step.keyOf(step.kind, step.subject);
    const batch = merged.get(key);
    if (batch === undefined) merged.set(key, step.isRow ? new Step(step.kind, step.subject, [...step.entries]) : step);
    else batch.entries.push(...step.entries);
  }
  return [...merged.values()];
}

function bySortKey(left: Step, right: Step): number {
  const order = compareText(left.sortKey, right.sortKey);
  return order !== 0 ? order : byEntries(left, right);
}

function byEntries(left: Step, right: Step): number {
  const [one] = left.entries;
  const [other] = right.entries;
  if (one === undefined || other === undefined || one.state.key === undefined || other.state.key === undefined)
    return 0;
  return byKey(one.state, other.state);
}
