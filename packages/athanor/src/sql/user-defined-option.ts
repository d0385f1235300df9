import { LoaderOption, type LoadingPlan } from "./loading-plan.ts";

/**
 * An option of your own for `options(…)` of a statement: it changes nothing by itself, and listeners of `doOrmExecute` find it in `userDefinedOptions`. Extend it.
 *
 * SQLAlchemy: Query API, `UserDefinedOption`.
 *
 * @example
 * class FromCache extends UserDefinedOption<{ region: string }> {}
 * const users = await session.scalars(select(User).options(new FromCache({ region: "users" })));
 */
export abstract class UserDefinedOption<out TPayload = unknown> extends LoaderOption {
  /** What it was constructed with. */
  readonly payload: TPayload;
  /** Whether it accompanies later loads of the instances that the statement finds too: of relationships, and of expired attributes. False unless you say so. */
  readonly propagateToLoaders: boolean = false;

  constructor(payload: TPayload) {
    super();
    this.payload = payload;
  }

  override addTo(plan: LoadingPlan): LoadingPlan {
    return { ...plan, userDefined: [...plan.userDefined, this] };
  }
}
