import { ArgumentError, InvalidRequestError } from "../event/errors.ts";
import { type Instance, stateOf } from "../instance/instance.ts";
import { type Declaration, declarationOf } from "./declaration.ts";
import type { RelationshipProperty } from "./relationship-property.ts";

/** Throws ArgumentError where a concrete subclass cannot be one. */
export function expectConcrete(
  options: { readonly concrete?: unknown; readonly table?: unknown },
  parent: Declaration,
): void {
  const [stray] = ["identity", "polymorphicLoad", "withPolymorphic"].filter((option) => option in options);
  if (options.concrete !== true) {
    throw new ArgumentError(
      `The option concrete of inherit() is true or left out: { concrete: true, table: "managers" } gives the class a table of its own with all of its columns.`,
    );
  }
  if (typeof options.table !== "string" || options.table === "") {
    throw new ArgumentError(
      `A concrete subclass of ${parent.label} has all of its columns in a table of its own, and got no name for it: { concrete: true, table: "managers" }.`,
    );
  }
  if (stray !== undefined) {
    throw new ArgumentError(
      `A concrete subclass of ${parent.label} has no option ${stray}: its rows are in a table of their own, so nothing has to tell them apart. Leave it out.`,
    );
  }
  if (parent.polymorphicOn === undefined) return;
  throw new ArgumentError(
    `${parent.label} has the discriminator ${parent.polymorphicOn}, so its subclasses are rows of its own table too, and cannot be concrete. ` +
      `Leave out either polymorphicOn of ${parent.label}, or concrete.`,
  );
}

/** Refuses a relationship of the parent's that a concrete subclass has not declared itself: its rows are related to nothing by the parent's foreign keys. */
export function defineRefusal(prototype: object, declaration: Declaration, key: string): void {
  const refuse = (): never => {
    const { concreteParent, label } = declaration;
    throw new InvalidRequestError(
      `${label}.${key} is a relationship of ${concreteParent?.label ?? "its parent"}, and ${label} is a concrete subclass, which does not inherit it: other tables refer to its rows. ` +
        `Declare it in ${label} too: get ${key}() { return one(…); }, or many(…).`,
    );
  };
  Object.defineProperty(prototype, key, { get: refuse, set: refuse, enumerable: false, configurable: true });
}

/** Throws ArgumentError where a relationship is given an instance of a concrete subclass: foreign keys to the table of the one say nothing of rows of the other. */
export function expectRowOfTarget({ target, label }: RelationshipProperty, value: Instance): void {
  if (target.declaration.concreteChildren.length === 0) return;
  const given = stateOf(value).instrumentation.class;
  const declaration = declarationOf(given);
  if (declaration === undefined || isInTableOf(declaration, target.declaration)) return;
  throw new ArgumentError(
    `${label} leads to rows of the table "${target.table.name}", and was given an instance of ${given.name}, a concrete subclass of ${target.class.name} whose rows are in "${declaration.table.name}". ` +
      `Declare a relationship to ${given.name} for it.`,
  );
}

function isInTableOf(declaration: Declaration, other: Declaration): boolean {
  for (let current: Declaration | undefined = declaration; current !== undefined; current = current.parent)
    if (current === other) return true;
  return false;
}
