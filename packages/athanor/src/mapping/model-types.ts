import type { Instance as RootInstance } from "../instance/instance.ts";
import type { Column, Transient } from "./column.ts";
import type { Mixin } from "./mixin.ts";

/** Every mapped instance. */
export interface Instance extends RootInstance {}

/** Any class, abstract ones too. */
export type Class = abstract new (...args: any[]) => object;

/** What an attribute of that declaration holds. */
export type ValueOf<TProperty> =
  TProperty extends Column<infer T, any> ? T : TProperty extends Transient<infer T> ? T : never;

/** The attributes that these properties give an instance. */
export type Mapped<TProperties> = { -readonly [K in keyof TProperties]: ValueOf<TProperties[K]> };

/** What `model()` returns: the class to extend. */
export interface ModelClass<TProperties> {
  new (values?: Partial<Mapped<TProperties>>): Mapped<TProperties> & Instance;
  readonly "~properties": TProperties;
}

/** Any model class, for generic code: `class Repository<C extends AnyModel>`. */
export type AnyModel = (abstract new (...args: any[]) => Instance) & { readonly "~properties": unknown };

/** The declared properties of a model or mixin. */
export type PropertiesOf<TModel> = TModel extends { readonly "~properties": infer P }
  ? P
  : TModel extends Mixin<infer M>
    ? M
    : never;

/** The properties of all these mixins together. */
export type MixedIn<TMixins> = TMixins extends readonly [Mixin<infer M>, ...infer Rest] ? M & MixedIn<Rest> : unknown;
