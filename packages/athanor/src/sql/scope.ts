import type { Attributes, OuterAttributes } from "./attribute.ts";

/** A class of a statement whose rows may be missing, as `outerJoin` puts it beside the others: what is selected of it may be null. */
export interface Outer<out TModel> {
  readonly "~outer": TModel;
}

/** The attributes of each entity of a statement. */
export type Scope<TEntities extends readonly unknown[]> = {
  [I in keyof TEntities]: TEntities[I] extends Outer<infer M> ? OuterAttributes<M> : Attributes<TEntities[I]>;
};

/** The class itself, whether its rows may be missing or not. */
export type ModelOf<TEntity> = TEntity extends Outer<infer M> ? M : TEntity;
