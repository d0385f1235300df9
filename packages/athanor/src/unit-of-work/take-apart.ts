import { type Instance, stateOf } from "../instance/instance.ts";
import { Mapper } from "../mapping/mapper.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import { dependencyOf } from "./dependencies/dependency-of.ts";
import type { Entry } from "./entry.ts";
import type { FlushPlan } from "./flush-plan.ts";
import type { Step } from "./step.ts";
import { StepGraph } from "./step-graph.ts";

/**
 * Takes the steps of a circle apart: one step for each row of its hierarchies, and one for what a relationship writes for each of them. Between rows it is the
 * relationships that really hold between them that make an order.
 *
 * @param wholes the steps of hierarchies and relationships
 * @param circular those of them that stand in a circle
 */
export async function takeApart(plan: FlushPlan, wholes: StepGraph, circular: ReadonlySet<Step>): Promise<StepGraph> {
  const rows = new StepGraph();
  const relationships = relationshipsApart(plan, circular);
  const gone = new Set<Step>([...circular].filter(({ subject }) => !(subject instanceof Mapper)));
  for (const property of relationships) {
    gone.add(wholes.step("afterSave", property));
    gone.add(wholes.step("beforeDelete", property));
  }
  const partsOf = (whole: Step): Step[] => {
    if (gone.has(whole)) return [];
    return circular.has(whole) ? whole.entries.map((entry) => rows.row(whole, entry)) : [whole];
  };
  for (const whole of wholes.wholes) {
    if (circular.has(whole)) partsOf(whole);
    else if (!gone.has(whole)) rows.keep(whole);
  }
  for (const [before, afters] of wholes.edges) {
    for (const after of afters) {
      // Everything of a hierarchy is saved before anything of it is deleted: a row may take over the key of another.
      const keepsTurn = before.kind === "save" && after.kind === "delete" && before.subject === after.subject;
      if (circular.has(before) && circular.has(after) && !keepsTurn) continue;
      rows.connectAll(partsOf(before), partsOf(after));
    }
  }
  for (const property of relationships) {
    for (const kind of ["save", "delete"] as const) {
      for (const entry of wholes.step(kind, property.parent.baseMapper).entries) {
        if (!entry.mapper.relationships.includes(property)) continue;
        await connectRow(plan, property, entry, rows, wholes, circular);
      }
    }
  }
  return rows;
}

/** The relationships that a class of a circle declares. */
function relationshipsApart(plan: FlushPlan, circular: ReadonlySet<Step>): RelationshipProperty[] {
  const mappers = new Set([...circular].map(({ subject }) => subject));
  return [...plan.active].filter(({ parent }) => mappers.has(parent.baseMapper));
}

/** Puts in order what a relationship of one row means: the row, those that it is or was related to, and what is written for the relationship. */
async function connectRow(
  plan: FlushPlan,
  property: RelationshipProperty,
  entry: Entry,
  rows: StepGraph,
  wholes: StepGraph,
  circular: ReadonlySet<Step>,
): Promise<void> {
  const related = await relatedNow(plan, property, entry);
  if (related.length === 0) return;
  const { isDelete } = entry;
  const parent = property.parent.baseMapper;
  const child = property.target.baseMapper;
  const own = rows.row(wholes.step(isDelete ? "delete" : "save", parent), entry);
  const between = rows.row(wholes.step(isDelete ? "beforeDelete" : "afterSave", property), entry);
  const connectWith = (childSaves: Step | undefined, childDeletes: Step | undefined): void => {
    const edges = dependencyOf(property).order<Step | undefined>({
      parentSaves: isDelete ? undefined : own,
      parentDeletes: isDelete ? own : undefined,
      childSaves,
      childDeletes,
      afterSave: isDelete ? undefined : between,
      beforeDelete: isDelete ? between : undefined,
      parentPostUpdates: wholes.step("postUpdate", parent),
      parentPreUpdates: wholes.step("preUpdate", parent),
      childPostUpdates: wholes.step("postUpdate", child),
      childPreUpdates: wholes.step("preUpdate", child),
    });
    for (const [before, after] of edges)
      if (before !== undefined && after !== undefined && before !== after) rows.connect(before, after);
  };
  const saves = wholes.step("save", child);
  const deletes = wholes.step("delete", child);
  if (!circular.has(saves)) return connectWith(saves, deletes);
  for (const instance of related) {
    const childEntry = instance === null ? undefined : plan.entries.get(stateOf(instance));
    if (childEntry === undefined) connectWith(undefined, undefined);
    else if (childEntry.isDelete) connectWith(undefined, rows.row(deletes, childEntry));
    else connectWith(rows.row(saves, childEntry), undefined);
  }
}

/**
 * What a row is and was related to, as it is known now. The reference of a row that goes is loaded, to find out what has to stay until it has gone; what is not
 * loaded of other rows has not changed, and a collection that is not loaded was changed by the references of its members, which stand for themselves.
 */
async function relatedNow(
  plan: FlushPlan,
  property: RelationshipProperty,
  { state, isDelete }: Entry,
): Promise<readonly (Instance | null)[]> {
  const isAbsent = (): boolean => state.values[property.slot] === undefined;
  const { isCollection, inverse, options } = property;
  if (isAbsent() && isDelete && !isCollection && options.passiveDeletes !== true)
    await plan.work.loadRelated(state, property);
  if (isAbsent() && property.direction === "oneToMany" && inverse !== undefined) return [];
  const { added, unchanged, deleted } = plan.historyNow(state, property);
  return [...added, ...unchanged, ...deleted];
}
