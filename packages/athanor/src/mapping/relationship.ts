import { ArgumentError } from "../event/errors.ts";
import type { Attribute } from "../sql/attribute.ts";
import type { Condition } from "../sql/expression.ts";
import { type Cascade, parseCascade } from "./cascade.ts";
import type { Lazy } from "./lazy.ts";
import type { Table } from "./table.ts";

/** The attributes of the related class, to compare. Their names are checked when the relationship is first loaded, not by the compiler. */
// oxlint-disable-next-line typescript/no-explicit-any -- typed by the other class, two classes that name each other would be circular
export type RelatedAttributes = Readonly<Record<string, any>> & { readonly [name: string]: Attribute<unknown, any> };

/** What is said of a relationship. Names are strings: options typed by the other class would make two classes that name each other circular. */
export interface RelationshipOptions {
  /** The relationship of the other class that is the same one, seen from there. Both sides name each other. */
  readonly backPopulates?: string;
  /** What is done to the related along with the instance: "save-update, merge" unless you say otherwise; "all, delete-orphan" for parts of a whole. */
  readonly cascade?: string;
  /** The table between the two sides of a many-to-many, or its name. */
  readonly secondary?: Table | string;
  /**
   * The attribute (or attributes) that hold the foreign key, where there are several between the tables. Where the database has no such constraint, each with the
   * attribute of the other class whose value it holds: `{ authorId: "id" }`.
   */
  readonly foreignKey?: string | readonly string[] | Readonly<Record<string, string>>;
  /** The attribute (or attributes) of the other class by which a collection is ordered. */
  readonly orderBy?: string | readonly string[];
  /**
   * Which related rows are meant, where the key leads to others too: `where: (address) => address.city.eq("Boston")`. Whatever loads the relationship keeps to
   * it. What is put into it is written all the same, and not found again where it does not fulfil it; with `viewOnly` nothing is written.
   */
  readonly where?: (related: RelatedAttributes) => Condition;
  /** When it is loaded, where a statement says nothing of it: by `load()`, unless you say "selectin", "joined" … See {@link Lazy}. */
  readonly lazy?: Lazy;
  /**
   * How many relationships that lead to one another are loaded along, where this one is loaded along with its instances: a folder's folders, and theirs. Without it a
   * class that is on the way already is not loaded along once more.
   */
  readonly joinDepth?: number;
  /** It is only read: changes to it are not written. */
  readonly viewOnly?: boolean;
  /** Related rows that are not loaded are left to the database's ON DELETE. */
  readonly passiveDeletes?: boolean;
  /** The foreign key is written by an UPDATE of its own, after both rows: for rows that need each other. */
  readonly postUpdate?: boolean;
  /** The related instance may have one parent at a time; for delete-orphan on the referring side. */
  readonly singleParent?: boolean;
}

/** What a relationship's attribute holds: one instance, or an array, a set or a map of them. */
export type RelationshipContainer = "one" | "array" | "set" | "map";

/** The same as it follows from how a collection is loaded. */
type ContainerOf<TLazy> = [TLazy] extends ["writeOnly"] ? "writeOnly" : "array";

/**
 * A relationship to another model, as `many()` or `one()` declares it.
 *
 * SQLAlchemy: Relationship Configuration.
 */
export class Relationship<
  out TTarget,
  out TKind extends "many" | "one",
  out TNull extends null = null,
  out TContainer = "array",
> {
  declare readonly "~target": TTarget;
  declare readonly "~kind": TKind;
  declare readonly "~null": TNull;
  declare readonly "~container": TContainer;
  readonly target: TTarget;
  readonly kind: TKind;
  readonly options: RelationshipOptions;
  readonly cascade: Cascade;
  readonly container: RelationshipContainer;
  /** The attribute of the related instances that is their key in a map. */
  readonly keyedByAttribute: string | undefined;

  constructor(
    target: TTarget,
    kind: TKind,
    options: RelationshipOptions,
    container: RelationshipContainer,
    keyedBy?: string,
  ) {
    if (typeof target !== "function") {
      throw new ArgumentError(
        `${kind}() takes the class at the other end, and got ${typeof target}. Where that class is defined later in the file, declare the relationship as a getter: get posts() { return many(Post) }.`,
      );
    }
    this.target = target;
    this.kind = kind;
    this.options = options;
    this.container = container;
    this.keyedByAttribute = keyedBy;
    this.cascade = parseCascade(options.cascade, options.viewOnly === true);
  }

  /** A reference that is never null, because its foreign key is not. */
  required(): Relationship<TTarget, TKind, never, TContainer> {
    return this as never;
  }

  /** A Set instead of an array. */
  asSet(): Relationship<TTarget, TKind, TNull, "set"> {
    return new Relationship(this.target, this.kind, this.options, "set");
  }

  /** A Map by an attribute of the related instances, instead of an array. */
  keyedBy<TKey = string>(attribute: string): Relationship<TTarget, TKind, TNull, { readonly key: TKey }> {
    return new Relationship(this.target, this.kind, this.options, "map", attribute);
  }
}

/**
 * A collection of instances of another class: the foreign key is there, or in a table between.
 *
 * @example
 * get posts() { return many(Post, { backPopulates: "author", cascade: "all, delete-orphan" }); }
 * get events() { return many(Event, { lazy: "writeOnly", passiveDeletes: true }); }
 */
export function many<TTarget, const TLazy extends Lazy = "select">(
  target: TTarget,
  options: RelationshipOptions & { readonly lazy?: TLazy } = {},
): Relationship<TTarget, "many", null, ContainerOf<TLazy>> {
  return new Relationship(target, "many", options, "array");
}

/**
 * A reference to one instance of another class: the foreign key is here, or (one-to-one) there.
 *
 * @example
 * get author() { return one(User, { backPopulates: "posts" }); }
 */
export function one<TTarget>(target: TTarget, options: RelationshipOptions = {}): Relationship<TTarget, "one"> {
  return new Relationship(target, "one", options, "one");
}
