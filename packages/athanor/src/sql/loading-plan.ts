import { ArgumentError } from "../event/errors.ts";
import type { Mapper } from "../mapping/mapper.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import type { EntityAlias } from "./entity-alias.ts";
import { describeGiven, type Expression } from "./expression.ts";
import { LoaderTree, type RelatedFilter } from "./loader-tree.ts";
import type { UserDefinedOption } from "./user-defined-option.ts";

/** Which instances of some classes a statement, and what it loads along, must not see. */
export interface EntityCriteria {
  /** Whether what is loaded later of the instances found keeps to it too. */
  readonly propagatesToLoaders: boolean;
  /** The condition that the rows of a class must fulfil, under its own name or another one; undefined where it says nothing of that class. */
  conditionFor(mapper: Mapper, alias?: EntityAlias): Expression<boolean> | undefined;
}

/** What the options of a statement say together. */
export interface LoadingPlan {
  readonly tree: LoaderTree;
  readonly criteria: readonly EntityCriteria[];
  /** Options that say something to listeners only. */
  readonly userDefined: readonly UserDefinedOption[];
  /**
   * The relationships that lead to what the statement loads, from the instances that the program asked for; none where it loads some of those anew.
   * Undefined: it is the program's own statement.
   */
  readonly path?: readonly RelationshipProperty[] | undefined;
}

/** What options say of a load of related instances. */
export interface RelatedPlan extends LoadingPlan {
  /** Which of them are meant. */
  readonly where?: RelatedFilter | undefined;
}

export const emptyPlan: LoadingPlan = { tree: LoaderTree.empty, criteria: [], userDefined: [] };

/** Whether a plan says nothing of how rows are loaded, and nothing that instances have to carry. */
export function isEmptyPlan({ tree, criteria, userDefined }: LoadingPlan): boolean {
  return tree.isEmpty && criteria.length === 0 && userDefined.length === 0;
}

/**
 * What a plan says together with options that users give.
 *
 * @param mappers of the classes that the statement reads, the first of them by itself
 */
export function planWith(plan: LoadingPlan, options: readonly unknown[], mappers: readonly Mapper[]): LoadingPlan {
  return options.reduce<LoadingPlan>((before, option) => {
    if (option instanceof LoaderOption) return option.addTo(before, mappers);
    throw new ArgumentError(
      `options() takes what selectinLoad(), joinedLoad() or withLoaderCriteria() return, or a UserDefinedOption, and got ${describeGiven(option)}.`,
    );
  }, plan);
}

/** A plan with further criteria, each of them once: given twice, one that asks of its own class would ask once more of what it asks of. */
export function withCriteria(plan: LoadingPlan, criteria: readonly EntityCriteria[]): LoadingPlan {
  const added = criteria.filter((each) => !plan.criteria.includes(each));
  return added.length === 0 ? plan : { ...plan, criteria: [...plan.criteria, ...added] };
}

/** Something for `select(…).options(…)`: how related instances are loaded, which rows are not to be seen. */
export abstract class LoaderOption {
  /** Whether it says only which rows are not to be seen, so that a statement which loads nothing takes it too. */
  readonly isCriteria: boolean = false;

  /** Adds what it says to the plan of a statement that reads the classes of these mappers, the first of them by itself. */
  abstract addTo(plan: LoadingPlan, mappers: readonly Mapper[]): LoadingPlan;
}
