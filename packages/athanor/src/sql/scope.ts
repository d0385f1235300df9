import type { AnyModel } from "../mapping/model-types.ts";
import type { Attributes, OuterAttributes, SubclassAttributes } from "./attribute.ts";

/** A class of a statement whose rows may be missing, as `outerJoin` puts it beside the others: what is selected of it may be null. */
export interface Outer<out TModel> {
  readonly "~outer": TModel;
}

/** A class together with subclasses of it, as `withPolymorphic` was given them. */
export type WithSubclasses<TModel, TSubclasses> = TModel & {
  readonly "~base": TModel;
  readonly "~subclasses": TSubclasses;
};

/** A class below another one. */
export type SubclassOf<TModel extends AnyModel> = (abstract new (...args: any[]) => InstanceType<TModel>) & {
  readonly "~properties": unknown;
};

/** The attributes of each entity of a statement. */
export type Scope<TEntities extends readonly unknown[]> = {
  [I in keyof TEntities]: TEntities[I] extends Outer<infer M>
    ? M extends WithSubclasses<infer B, infer S>
      ? OuterAttributes<B> & NamedSubclasses<S>
      : OuterAttributes<M>
    : EntityAttributes<TEntities[I]>;
};

/** The attributes of a class, and those of subclasses that were named with it. */
export type EntityAttributes<TModel> =
  TModel extends WithSubclasses<infer B, infer S> ? Attributes<B> & NamedSubclasses<S> : Attributes<TModel>;

/** The attributes of subclasses by the names that they were given. */
type NamedSubclasses<TSubclasses> = TSubclasses extends string | readonly unknown[]
  ? unknown
  : { readonly [K in keyof TSubclasses]: SubclassAttributes<TSubclasses[K]> };

/** The class itself, whether its rows may be missing or not, and its subclasses are read along or not. */
export type ModelOf<TEntity> =
  TEntity extends Outer<infer M> ? ModelOf<M> : TEntity extends WithSubclasses<infer B, any> ? B : TEntity;
