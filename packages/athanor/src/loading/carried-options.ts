import { stateOf } from "../instance/instance.ts";
import { isRelated } from "../instance/instance-attribute.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import { mapperOfState } from "../mapping/mapper.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import { emptyPlan, isEmptyPlan, type LoaderTree, type LoadingPlan, treeOf } from "../sql/loading-plan.ts";
import type { LoaderStrategy } from "./loader-strategy.ts";
import type { PlannedEntity } from "./planned-entity.ts";

/** What the statement that loaded an instance said of it. Apart from the state, because most statements say nothing. */
const carried = new WeakMap<InstanceState, LoadingPlan>();

/** What instances of an entity carry, for their later loads; undefined where that is nothing. */
export function planToCarry({ tree, statement, path }: PlannedEntity): LoadingPlan | undefined {
  const plan = {
    tree: carriedTree(tree),
    criteria: statement.criteria.filter(({ propagatesToLoaders }) => propagatesToLoaders),
    userDefined: statement.userDefined.filter(({ propagateToLoaders }) => propagateToLoaders),
    path,
  };
  return isEmptyPlan(plan) ? undefined : plan;
}

/** What a tree says of later loads. */
function carriedTree(tree: LoaderTree): LoaderTree {
  const ofStatement = [...tree.values()].filter(
    ({ strategy }) => (strategy as LoaderStrategy | undefined)?.isOfStatement,
  );
  if (ofStatement.length === 0) return tree;
  const carried = new Map(tree);
  for (const { property, related } of ofStatement) {
    if (related.size === 0) carried.delete(property);
    else carried.set(property, { property, strategy: undefined, related });
  }
  return carried;
}

/** Lets an instance remember the options of the statement that loaded it; undefined where that has none for it. */
export function carry(state: InstanceState, plan: LoadingPlan | undefined): void {
  if (plan === undefined) carried.delete(state);
  else carried.set(state, plan);
}

/**
 * The options of the statement that loaded an instance, for loading it anew.
 *
 * @param only the names that are loaded, where not all are
 */
export function carriedBy(state: InstanceState, only?: readonly string[]): LoadingPlan {
  const plan = carried.get(state);
  if (plan === undefined) return emptyPlan;
  if (only === undefined) return plan;
  return { ...plan, tree: new Map([...plan.tree].filter(([{ key }]) => only.includes(key))) };
}

/** The same, for loading one of its relationships. */
export function carriedTo(state: InstanceState, property: RelationshipProperty): LoadingPlan {
  const { tree, criteria, userDefined, path = [] } = carriedBy(state);
  return { tree: tree.get(property)?.related ?? emptyPlan.tree, criteria, userDefined, path: [...path, property] };
}

/** Lets instances remember the options of a statement as if it had found them, and so on for what is loaded along with them. */
export function carryAlong(states: readonly InstanceState[], plan: LoadingPlan): void {
  const { path = [] } = plan;
  const tree = carriedTree(plan.tree);
  const criteria = plan.criteria.filter(({ propagatesToLoaders }) => propagatesToLoaders);
  const userDefined = plan.userDefined.filter(({ propagateToLoaders }) => propagateToLoaders);
  for (const state of states) {
    const own = { tree: treeOf(tree, mapperOfState(state)), criteria, userDefined, path };
    if (!isEmptyPlan(own)) carry(state, own);
  }
  for (const { property, related } of tree.values()) {
    const members = states.flatMap((state) => {
      const attribute = state.instrumentation.find(property.key);
      return attribute !== undefined && isRelated(attribute) ? attribute.loaded(state) : [];
    });
    if (members.length > 0)
      carryAlong(members.map(stateOf), { tree: related, criteria, userDefined, path: [...path, property] });
  }
}
