import type { AnyModel, Instance } from "../mapping/model-types.ts";
import type { Aliased } from "./aliased.ts";
import type {
  Attributes,
  InstanceAttributes,
  OuterInstanceAttributes,
  OuterAttributes,
  SelectableEntity,
  SubclassAttributes,
} from "./attribute.ts";
import type { DerivedColumn } from "./derived-column.ts";

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

/** What another statement finds, where its rows consist of these values. */
export interface Columns<out TRow> {
  readonly "~columns": TRow;
}

/** A class below another one, of which it is not known yet that it is a class. */
export type AnySubclassOf<TModel> = TModel extends AnyModel ? SubclassOf<TModel> : never;

/** Which of the instances at the other end of a relationship are meant: those of a subclass, or all of them with what subclasses add. */
export interface OfType<TModel> {
  /** A subclass of the class at the other end, or what `withPolymorphic` made of one or the other. */
  readonly ofType: TModel | Aliased<TModel>;
}

/** The attributes of each entity of a statement, and the columns of each subquery. */
export type Scope<TEntities extends readonly unknown[]> = {
  [I in keyof TEntities]: TEntities[I] extends Outer<infer M>
    ? M extends Columns<infer R>
      ? ColumnsOf<{ [K in keyof R]: R[K] | null }>
      : M extends WithSubclasses<infer B, infer S>
        ? OuterAttributes<B> & NamedSubclasses<S>
        : OuterAttributes<M>
    : EntityAttributes<TEntities[I]>;
};

/** The columns of a subquery with such rows. What is an instance there has its attributes. */
export type ColumnsOf<TRow> = {
  readonly [K in keyof TRow]: [NonNullable<TRow[K]>] extends [Instance]
    ? (null extends TRow[K] ? OuterInstanceAttributes<NonNullable<TRow[K]>> : InstanceAttributes<TRow[K]>) &
        SelectableEntity<TRow[K]>
    : DerivedColumn<TRow[K]>;
};

/** The attributes of a class, and those of subclasses that were named with it; the columns of a subquery. */
export type EntityAttributes<TModel> =
  TModel extends Columns<infer R>
    ? ColumnsOf<R>
    : TModel extends WithSubclasses<infer B, infer S>
      ? Attributes<B> & NamedSubclasses<S>
      : Attributes<TModel>;

/** The attributes of subclasses by the names that they were given. */
type NamedSubclasses<TSubclasses> = TSubclasses extends string | readonly unknown[]
  ? unknown
  : { readonly [K in keyof TSubclasses]: SubclassAttributes<TSubclasses[K]> };

/** The class itself, whether its rows may be missing or not, and its subclasses are read along or not; of a subquery the classes of the instances in its rows. */
export type ModelOf<TEntity> =
  TEntity extends Outer<infer M>
    ? ModelOf<M>
    : TEntity extends WithSubclasses<infer B, any>
      ? B
      : TEntity extends Columns<infer R>
        ? { readonly "~properties": unknown } & (abstract new (...args: any[]) => Extract<R[keyof R], Instance>)
        : TEntity;

/** What a statement is for another one that reads it: its class, or its columns. */
export type DerivedEntity<TRow, TEntities extends readonly unknown[], TResult> = [TResult] extends ["columns"]
  ? Columns<TRow>
  : TEntities[0];

/** What the rows of a statement are: instances of its class, or what `columns` chose. */
export type RowKind = "instances" | "columns";
