import { stateOf } from "../instance/instance.ts";
import { isRelated } from "../instance/instance-attribute.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import type { UnloadedAs } from "../instance/unloaded-as.ts";
import { unloadedAs as unloadedByDefault } from "../mapping/lazy.ts";
import { type Mapper, mapperOfState } from "../mapping/mapper.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import type { LoaderNode, LoaderTree } from "../sql/loader-tree.ts";
import { emptyPlan, isEmptyPlan, type LoadingPlan, type RelatedPlan } from "../sql/loading-plan.ts";
import { chosenStrategy } from "./chosen-strategy.ts";
import { deferralOf } from "./deferred-columns.ts";
import type { LoaderStrategy } from "./loader-strategy.ts";
import type { PlannedEntity } from "./planned-entity.ts";

/** What the statement that loaded an instance said of it. Apart from the state, because most statements say nothing. */
const carried = new WeakMap<InstanceState, LoadingPlan>();

/** What instances of an entity carry, for their later loads; undefined where that is nothing. */
export function planToCarry({ tree, statement, path }: PlannedEntity): LoadingPlan | undefined {
  const plan = {
    tree: carriedTree(tree),
    criteria: statement.carried,
    userDefined: statement.userDefined.filter(({ propagateToLoaders }) => propagateToLoaders),
    path,
  };
  return isEmptyPlan(plan) ? undefined : plan;
}

/** What a tree says of later loads. */
function carriedTree(tree: LoaderTree): LoaderTree {
  return tree.withoutStrategies((strategy) => (strategy as LoaderStrategy).isOfStatement === true);
}

/** What is said of later loads where one of its relationships is loaded for an instance of an entity alone. */
export function planOfLaterLoad(entity: PlannedEntity, { property, related, where }: LoaderNode): RelatedPlan {
  const { criteria, userDefined } = planToCarry(entity) ?? emptyPlan;
  return { tree: related, criteria, userDefined, path: [...entity.path, property], where };
}

/** Lets an instance remember the options of the statement that loaded it; undefined where that has none for it. */
export function carry(state: InstanceState, plan: LoadingPlan | undefined): void {
  if (plan === undefined) carried.delete(state);
  else carried.set(state, plan);
  const unloadedAs = plan && unloadedAttributes(plan.tree, mapperOfState(state));
  if (unloadedAs !== undefined) state.expectRelations().unloadedAs = unloadedAs;
  else if (state.relations !== undefined) state.relations.unloadedAs = undefined;
}

/** Statements load many instances of few classes. */
const unloadedByTree = new WeakMap<LoaderTree, Map<Mapper, ReadonlyMap<number, UnloadedAs> | undefined>>();

/** What relationships and columns of a class are while they are not loaded, where options say so; undefined where they say it of none. */
function unloadedAttributes(tree: LoaderTree, mapper: Mapper): ReadonlyMap<number, UnloadedAs> | undefined {
  let byMapper = unloadedByTree.get(tree);
  if (byMapper === undefined) unloadedByTree.set(tree, (byMapper = new Map()));
  if (byMapper.has(mapper)) return byMapper.get(mapper);
  const unloaded = new Map<number, UnloadedAs>();
  for (const property of mapper.relationships) {
    const strategy = chosenStrategy(tree, mapper, property);
    if (strategy !== undefined && strategy.unloadedAs !== unloadedByDefault(property.options.lazy))
      unloaded.set(property.slot, strategy.unloadedAs);
  }
  for (const property of tree.hasColumns ? mapper.columnProperties : []) {
    const raises = deferralOf(tree, property, mapper)?.raiseLoad === true;
    if (raises !== (property.column.options.deferred?.raiseLoad === true))
      unloaded.set(property.slot, raises ? "refused" : "asked");
  }
  const found = unloaded.size === 0 ? undefined : unloaded;
  byMapper.set(mapper, found);
  return found;
}

/**
 * The options of the statement that loaded an instance, for loading it anew.
 *
 * @param only the names that are loaded, where not all are
 */
export function carriedBy(state: InstanceState, only?: readonly string[]): LoadingPlan {
  const plan = carried.get(state);
  if (plan === undefined) return emptyPlan;
  // The statement may have been about a class above its own.
  const tree = plan.tree.of(mapperOfState(state));
  return { ...plan, tree: only === undefined ? tree : tree.only(only) };
}

/** The same, for loading one of its relationships. */
export function carriedTo(state: InstanceState, property: RelationshipProperty): RelatedPlan {
  const { tree, criteria, userDefined, path = [] } = carriedBy(state);
  const { related, where } = tree.node(property);
  return { tree: related, criteria, userDefined, path: [...path, property], where };
}

/** Lets instances remember the options of a statement as if it had found them, and so on for what is loaded along with them. */
export function carryAlong(states: readonly InstanceState[], plan: LoadingPlan): void {
  const { path = [] } = plan;
  const tree = carriedTree(plan.tree);
  const criteria = plan.criteria.filter(({ propagatesToLoaders }) => propagatesToLoaders);
  const userDefined = plan.userDefined.filter(({ propagateToLoaders }) => propagateToLoaders);
  for (const state of states) {
    const own = { tree: tree.of(mapperOfState(state)), criteria, userDefined, path };
    if (!isEmptyPlan(own)) carry(state, own);
  }
  for (const property of tree.named) {
    const members = states.flatMap((state) => {
      const attribute = state.instrumentation.find(property.key);
      return attribute !== undefined && isRelated(attribute) ? attribute.loaded(state) : [];
    });
    if (members.length > 0)
      carryAlong(members.map(stateOf), {
        tree: tree.related(property),
        criteria,
        userDefined,
        path: [...path, property],
      });
  }
}
