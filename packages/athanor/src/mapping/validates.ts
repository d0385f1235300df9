import { closestName } from "../event/closest-name.ts";
import { ArgumentError } from "../event/errors.ts";
import type { RemoveEvent, SetEvent } from "../instance/attribute-events.ts";
import { NO_VALUE } from "../instance/history.ts";
import { attributeNode } from "./attribute-node.ts";
import { declarationOf } from "./declaration.ts";
import { Mixin } from "./mixin.ts";
import type { Instance, Mapped, PropertiesOf } from "./model-types.ts";

/** What a validator gets: who is assigned what. */
export interface Validation<TOwner, TValue> {
  readonly target: TOwner;
  readonly key: string;
  readonly value: TValue;
  /** With `includeRemoves`: the value is being taken away. */
  readonly isRemove: boolean;
}

type OwnerOf<TModel> = TModel extends abstract new (...args: any[]) => infer I
  ? I
  : Mapped<PropertiesOf<TModel>> & Instance;
type Validated<TModel, TKey> = TKey extends keyof OwnerOf<TModel> ? OwnerOf<TModel>[TKey] : never;

/**
 * Checks every value that is assigned to an attribute, in the constructor too, of the class and its subclasses: throw to refuse it, return another to replace
 * it, return nothing to keep it. It runs before all listeners. What the database loads is not checked.
 *
 * SQLAlchemy: Changing Attribute Behavior, Simple Validators.
 *
 * @throws ArgumentError for a name that the class does not have.
 * @example
 * validates(User, "username", ({ value }) => {
 *   if (!/^\w+$/.test(value)) throw new TypeError("A username is made of letters, digits and _.");
 * });
 */
export function validates<
  TModel extends { readonly "~properties": unknown } | Mixin<any>,
  const TKey extends keyof PropertiesOf<TModel> & string,
>(
  model: TModel,
  keys: TKey | readonly TKey[],
  validator: (
    validation: Validation<OwnerOf<TModel>, Validated<TModel, TKey>>,
  ) => Validated<TModel, TKey> | undefined | void,
  options: { readonly includeRemoves?: boolean } = {},
): void {
  for (const key of typeof keys === "string" ? [keys] : keys) {
    expectAttribute(model, key);
    const node = attributeNode(model, key);
    const validate = (target: unknown, value: unknown, isRemove: boolean): unknown =>
      validator({ target, key, value, isRemove } as never);
    node.listen(
      "set",
      ({ target, value }: SetEvent<unknown, unknown>) => validate(target, value, false),
      { retval: true },
      { builtin: true },
    );
    if (options.includeRemoves !== true) continue;
    const onRemove = ({ target, value }: RemoveEvent<unknown, unknown>): void => {
      if (value !== NO_VALUE) validate(target, value, true);
    };
    node.listen("remove", onRemove, {}, { builtin: true });
  }
}

function expectAttribute(model: object, key: string): void {
  const names =
    model instanceof Mixin
      ? Object.keys(model.properties as object)
      : declarationOf(model)?.properties.map((property) => property.key);
  if (names?.includes(key) === true) return;
  const name = (model as { name?: string }).name ?? "The mixin";
  const closest = closestName(key, names ?? []);
  throw new ArgumentError(
    names === undefined
      ? `validates() takes a model class or a mixin, and got ${name}.`
      : `${name} has no attribute "${key}". ${closest === undefined ? `It has ${names.join(", ")}.` : `Did you mean "${closest}"?`}`,
  );
}
