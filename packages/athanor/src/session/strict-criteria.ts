import { Result } from "../engine/result.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import { criteriaCondition } from "../loading/criteria-condition.ts";
import { type Mapper, mapperOfState } from "../mapping/mapper.ts";
import { UNKNOWN, UnevaluableError } from "../sql/evaluate.ts";
import type { Expression } from "../sql/expression.ts";
import { func } from "../sql/func.ts";
import { emptyPlan, type EntityCriteria, type LoadingPlan, withCriteria } from "../sql/loading-plan.ts";
import { selectByKey } from "../sql/select-by-key.ts";
import type { ExecutionOptions } from "../sql/execution-options.ts";
import { Select } from "../sql/select.ts";
import { execute, runStatement } from "./execute.ts";
import type { SessionState } from "./session-state.ts";

/** Which rows a load of the session's own sees: what a strict session's program may see, or all, for what a flush must know. */
export type Seen = "visible" | "all";

/**
 * The criteria that listeners of `doOrmExecute` would give a statement of the program's own about a class. They are asked with such a statement, which finds nothing
 * (LIMIT 0), so that it need not be sent: whatever they make of its result is right. A session that is not strict asks nobody.
 *
 * They hold for one load, and are not carried by what it finds: the next load asks again. Carried and given anew they would hold twice.
 *
 * @param options those of the execution that asks; a listener may make an exception for them
 */
export async function criteriaOfListeners(
  core: SessionState,
  mapper: Mapper,
  options: ExecutionOptions = {},
): Promise<readonly EntityCriteria[]> {
  // What a listener loads in turn while it is asked is its own affair.
  if (!core.isStrict || core.dispatch.doOrmExecute === undefined || core.isAskingListeners) return [];
  const statement = new Select<unknown>(mapper.class as never).limit(0);
  const criteria = new Set<EntityCriteria>();
  core.isAskingListeners = true;
  try {
    await execute(core, { statement, parameters: undefined, options }, async (_, asked) => {
      if (asked.statement instanceof Select)
        for (const each of asked.statement.parts.plan?.criteria ?? []) criteria.add(each);
      return new Result<unknown>([], 0);
    });
  } finally {
    core.isAskingListeners = false;
  }
  return [...criteria];
}

/** A plan for a load of rows of a class, with what a strict session's listeners say of that class. */
export async function strictPlan(core: SessionState, plan: LoadingPlan, mapper: Mapper): Promise<LoadingPlan> {
  return withCriteria(plan, await criteriaOfListeners(core, mapper));
}

/**
 * Whether criteria hide the row of an instance: by its values as they are in memory, changes too, where those tell, and else by asking the database.
 */
export async function isHidden(
  core: SessionState,
  state: InstanceState,
  criteria: readonly EntityCriteria[],
): Promise<boolean> {
  const mapper = mapperOfState(state);
  const condition = criteriaCondition(criteria, mapper);
  if (condition === undefined) return false;
  const holds = evaluate(condition, state, mapper);
  return holds === UNKNOWN ? !(await isRowFound(core, mapper, state.identityValues, criteria)) : holds !== true;
}

/** Whether there is a row with a key that criteria do not hide. Nobody is told of the statement. */
export async function isRowFound(
  core: SessionState,
  mapper: Mapper,
  key: readonly unknown[],
  criteria: readonly EntityCriteria[] = [],
): Promise<boolean> {
  const statement = selectByKey(mapper, key)
    .withPlan({ ...emptyPlan, criteria })
    .columns(() => [func.count()]);
  const result = await runStatement(core, { statement, parameters: undefined, options: {} });
  return result.scalar() === 1;
}

function evaluate(condition: Expression<boolean>, state: InstanceState, mapper: Mapper): unknown {
  try {
    return condition.evaluator({ mapper, parameters: undefined })(state);
  } catch (error) {
    if (error instanceof UnevaluableError) return UNKNOWN;
    throw error;
  }
}
