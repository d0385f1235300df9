import type { Instance as RootInstance } from "../instance/instance.ts";
import type { Column, Transient } from "./column.ts";
import type { Mixin } from "./mixin.ts";
import type { Relationship } from "./relationship.ts";
import type { WriteOnlyCollection } from "../sql/write-only-collection.ts";

/** Every mapped instance. */
export interface Instance extends RootInstance {}

/** Any class, abstract ones too. */
export type Class = abstract new (...args: any[]) => object;

/** What an attribute of that declaration holds. */
export type ValueOf<TProperty> =
  TProperty extends Column<infer T, any>
    ? T
    : TProperty extends Relationship<infer C, infer K, infer N, infer S>
      ? RelatedValue<C, InstanceOf<C>, K, N, S>
      : TProperty extends Transient<infer T>
        ? T
        : never;

type InstanceOf<TModel> = TModel extends abstract new (...args: any[]) => infer I ? I : never;

type RelatedValue<TModel, TInstance, TKind, TNull, TContainer> = TKind extends "one"
  ? TInstance | TNull
  : TContainer extends "set"
    ? Set<TInstance>
    : TContainer extends { readonly key: infer K }
      ? Map<K, TInstance>
      : TContainer extends "writeOnly"
        ? WriteOnlyCollection<TInstance, TModel>
        : TInstance[];

/** What the constructor takes for it. */
export type GivenValue<TProperty> =
  TProperty extends Relationship<infer C, "many", any, "writeOnly"> ? readonly InstanceOf<C>[] : ValueOf<TProperty>;

/** The attributes that these properties give an instance. */
export type Mapped<TProperties> = { -readonly [K in keyof TProperties]: ValueOf<TProperties[K]> };

/** What `model()` returns: the class to extend. */
export interface ModelClass<TProperties> {
  // Written out rather than as Partial<Mapped<…>>, so that messages list the attributes and their types.
  new (values?: { -readonly [K in keyof TProperties]?: GivenValue<TProperties[K]> }): Mapped<TProperties> & Instance;
  readonly "~properties": TProperties;
}

/** Any model class, for generic code: `class Repository<C extends AnyModel>`. */
export type AnyModel = (abstract new (...args: any[]) => Instance) & { readonly "~properties": unknown };

/**
 * The names of an instance's attributes: of its properties without the methods, and without the marks of types. Of an instance
 * whose class is not known, any name.
 */
export type AttributeName<TInstance> = {
  [K in keyof TInstance & string]: K extends `~${string}`
    ? never
    : TInstance[K] extends (...args: never[]) => unknown
      ? never
      : K;
}[keyof TInstance & string] extends infer N extends string
  ? [N] extends [never]
    ? string
    : N
  : never;

/** The declared properties of a model or mixin. */
export type PropertiesOf<TModel> = TModel extends { readonly "~properties": infer P }
  ? P
  : TModel extends Mixin<infer M>
    ? M
    : never;

/** The properties of all these mixins together. */
export type MixedIn<TMixins> = TMixins extends readonly [Mixin<infer M>, ...infer Rest] ? M & MixedIn<Rest> : unknown;

/** The names of a class's columns. */
// Inferred once more, so that messages list the names.
export type ColumnName<TModel> = {
  [K in keyof PropertiesOf<TModel>]: PropertiesOf<TModel>[K] extends Column<any, any, any> ? K : never;
}[keyof PropertiesOf<TModel>] extends infer N extends string
  ? N
  : never;

/** The names of a class's relationships. */
// Inferred once more, so that messages list the names.
export type RelationshipName<TModel> = {
  [K in keyof PropertiesOf<TModel>]: PropertiesOf<TModel>[K] extends Relationship<any, any, any, any> ? K : never;
}[keyof PropertiesOf<TModel>] extends infer N extends string
  ? N
  : never;

/** The class at the other end of a relationship. */
export type TargetOf<TModel, TName> = TName extends keyof PropertiesOf<TModel>
  ? PropertiesOf<TModel>[TName] extends Relationship<infer T, any, any, any>
    ? T
    : never
  : never;
