import type { OperationNode } from "kysely";
import { closestName } from "../event/closest-name.ts";
import { ArgumentError } from "../event/errors.ts";
import { type EventNode, eventTarget } from "../event/event-node.ts";
import type { InstrumentedClass } from "../instance/instrumentation.ts";
import { attributeNode } from "../mapping/attribute-node.ts";
import type { Transient } from "../mapping/column.ts";
import type { ColumnType } from "../mapping/column-type.ts";
import { Column } from "../mapping/column.ts";
import { declarationOf } from "../mapping/declaration.ts";
import type { Relationship } from "../mapping/relationship.ts";
import { mapperOf } from "../mapping/configure-mappers.ts";
import type { Mapper } from "../mapping/mapper.ts";
import { Mixin } from "../mapping/mixin.ts";
import type { AttributeName, Class, Instance, PropertiesOf, ValueOf } from "../mapping/model-types.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import type { Table } from "../mapping/table.ts";
import { type EvaluationScope, type Evaluator, readColumn, UnevaluableError } from "./evaluate.ts";
import { Aliased } from "./aliased.ts";
import { derivedName, EntityAlias, statementSource } from "./entity-alias.ts";
import { ComparableExpression } from "./comparable-expression.ts";
import { conjunction } from "./conditions.ts";
import type { Condition, Expression, Restriction } from "./expression.ts";
import { conditionFor } from "./filter.ts";
import type { PolymorphicEntity } from "./polymorphic-entity.ts";
import { RelatedExists } from "./related-exists.ts";
import type { SelectParts } from "./select-parts.ts";
import type { Structure } from "./structure.ts";
import { columnNode } from "./table-node.ts";
import { expectOfType } from "./of-type.ts";
import type { WriteOnlyCollection } from "./write-only-collection.ts";

/** What an attribute holds: a column's value, or one that is not stored. */
export type AttributeKind = "column" | "one" | "many" | "transient";

/**
 * An attribute of a class, as `attributes(User).email` gives it: listen to it, or compare it in a statement.
 *
 * SQLAlchemy: Class Mapping API, `InstrumentedAttribute`.
 */
export class Attribute<
  out TOwner,
  out TValue,
  out TKind extends AttributeKind = AttributeKind,
> extends ComparableExpression<TValue> {
  declare readonly "~owner": TOwner;
  declare readonly "~attribute": TKind;
  readonly key: string;
  readonly owner: object;
  /** The class in a statement, where it stands there under a name of its own. */
  readonly alias: EntityAlias | undefined;
  /** Of a relationship, the subclass of which only those that it leads to are meant. */
  readonly #subclass: Mapper | undefined;

  constructor(owner: object, key: string, alias?: EntityAlias, subclass?: Mapper) {
    super();
    this.owner = owner;
    this.key = key;
    this.alias = alias;
    this.#subclass = subclass;
  }

  get [eventTarget](): EventNode {
    return attributeNode(this.owner, this.key);
  }

  get label(): string {
    return `${this.owner instanceof Mixin ? "The mixin's attribute" : (this.owner as { name: string }).name}.${this.key}`;
  }

  get columnType(): ColumnType | undefined {
    if (this.owner instanceof Mixin) {
      const property: unknown = (this.owner.properties as Record<string, unknown>)[this.key];
      if (property instanceof Column) return property.options.type;
      throw this.#noColumn();
    }
    const column = declarationOf(this.owner)?.find(this.key)?.column;
    if (column === undefined) throw this.#noColumn();
    return column.options.type;
  }

  /**
   * Whether the instance is related to any that fulfils a condition, or to any at all: EXISTS. For collections; of a reference it is `has`.
   *
   * SQLAlchemy: ORM Querying Guide, EXISTS forms.
   *
   * @throws ArgumentError for an attribute that is no relationship.
   * @example
   * select(User).where((user) => user.posts.any((post) => post.title.like("a%")))
   * select(User).where((user) => user.posts.any({ public: true }))
   */
  any<TRelated extends MemberOf<TValue>>(
    this: Attribute<TOwner, TValue, "many">,
    where?: ((related: InstanceAttributes<TRelated>) => Condition) | InstanceFilter<NoInfer<TRelated>>,
  ): Expression<boolean> {
    return relatedExists(this, "any", where, this.#subclass);
  }

  /**
   * Whether the instance that it refers to fulfils a condition, or whether it refers to any: EXISTS. For references; of a collection it is `any`.
   *
   * @throws ArgumentError for an attribute that is no relationship.
   * @example
   * select(Post).where((post) => post.author.has((author) => author.name.eq("sandy")))
   */
  has<TRelated extends NonNullable<TValue>>(
    this: Attribute<TOwner, TValue, "one">,
    where?: ((related: InstanceAttributes<TRelated>) => Condition) | InstanceFilter<NoInfer<TRelated>>,
  ): Expression<boolean> {
    return relatedExists(this, "has", where, this.#subclass);
  }

  /**
   * The same relationship, as far as it leads to instances of a subclass, for `any` and `has`.
   *
   * SQLAlchemy: ORM Querying Guide, `PropComparator.of_type`.
   *
   * @throws ArgumentError for an attribute that is no relationship, and for what is no subclass of the class at its other end.
   * @example
   * select(Company).where((company) => company.employees.ofType(Engineer).any((engineer) => engineer.language.eq("ts")))
   */
  ofType<TSubclass extends abstract new (...args: any[]) => RelatedBy<TValue, TKind>>(
    this: Attribute<TOwner, TValue, TKind>,
    subclass: TSubclass,
  ): Attribute<TOwner, TKind extends "many" ? InstanceType<TSubclass>[] : InstanceType<TSubclass>, TKind> {
    const { target } = relationshipOf(this, "ofType() says nothing");
    const { mapper } = expectOfType(target, subclass, `${this.label}.ofType(…)`);
    return new Attribute(this.owner, this.key, this.alias, mapper);
  }

  structure(into: Structure): void {
    const { table, column } = this.#source();
    // Attributes of subclasses that stand together under one name may have the same key.
    into.add(`${this.alias === undefined ? "" : `${this.alias.place} `}${table.fullName}.${column.name}`);
  }

  toOperationNode(): OperationNode {
    const { table, column } = this.#source();
    const property = this.alias && mapperOf(this.owner as InstrumentedClass).column(this.key);
    return this.alias === undefined || property === undefined
      ? columnNode(table, column.name)
      : this.alias.column(property);
  }

  override restrictedBy({ moved }: Restriction): Attribute<TOwner, TValue, TKind> {
    if (moved?.mapper === undefined || this.alias !== undefined || !moved.isOf(this.owner)) return this;
    return new Attribute(moved.mapper.class, this.key, moved.alias);
  }

  override evaluator({ mapper }: EvaluationScope): Evaluator {
    this.#source();
    if (this.alias !== undefined) throw new UnevaluableError(`${this.label} of another row`);
    const property = mapper.column(this.key);
    if (property === undefined || !mapper.isA(mapperOf(this.owner as InstrumentedClass)))
      throw new UnevaluableError(`${this.label}, which is not of ${mapper.class.name}`);
    return readColumn(property);
  }

  #source(): { readonly table: Table; readonly column: { readonly name: string } } {
    const property = declarationOf(this.owner)?.find(this.key);
    const source = property?.stored[0];
    if (source !== undefined) return source;
    throw this.owner instanceof Mixin
      ? new ArgumentError(
          `${this.label} belongs to no table. Name the attribute of a model that has the mixin, as in attributes(User).${this.key}.`,
        )
      : this.#noColumn();
  }

  #noColumn(): ArgumentError {
    const isRelationship = declarationOf(this.owner)?.find(this.key)?.relationship !== undefined;
    return new ArgumentError(
      isRelationship
        ? `${this.label} is a relationship, and no column that a statement could compare or select. Ask for related rows with any() or has(), join them, or name the foreign key.`
        : `${this.label} is transient, so it is in no table and in no statement. Compare an attribute that is a column.`,
    );
  }
}

function relationshipOf({ owner, key, label }: Attribute<unknown, unknown>, saying: string): RelationshipProperty {
  const property =
    owner instanceof Mixin
      ? undefined
      : mapperOf(owner as InstrumentedClass).relationships.find((each) => each.key === key);
  if (property !== undefined) return property;
  throw new ArgumentError(`${label} is no relationship, so ${saying} of it. Compare it itself, as in eq().`);
}

/** EXISTS of the rows that an attribute's relationship leads to. */
function relatedExists(
  attribute: Attribute<unknown, unknown>,
  use: string,
  where: unknown,
  subclass: Mapper | undefined,
): RelatedExists {
  const { key, alias: from } = attribute;
  const property = relationshipOf(attribute, "any() and has() say nothing");
  // Of another class around it, a relationship may have the same name.
  const name = derivedName(from?.name ?? `related_${property.parent.table.name}`, key);
  const to = new EntityAlias(subclass ?? property.target, name);
  const related = attributesOf(to);
  const conditions = [property.options.where, where].flatMap((each) =>
    each === undefined ? [] : [conditionFor(each, [related], use)],
  );
  const condition = conditions.reduce<Expression<boolean> | undefined>(conjunction, undefined);
  return new RelatedExists(property, from ?? statementSource, to, condition);
}

/** What a relationship of that kind leads to. */
type RelatedBy<TValue, TKind> = TKind extends "many"
  ? MemberOf<TValue>
  : TKind extends "one"
    ? NonNullable<TValue>
    : never;

/** What is in a collection. */
type MemberOf<TValue> =
  TValue extends ReadonlyMap<unknown, infer M>
    ? M
    : TValue extends Iterable<infer M> | { readonly "~member": infer M }
      ? M
      : never;

/** The attributes of instances of a class, known by what they hold. */
export type InstanceAttributes<TInstance> = {
  readonly [K in AttributeName<TInstance> & keyof TInstance]: Attribute<
    TInstance,
    TInstance[K],
    KindOfValue<TInstance[K]>
  >;
};

/** The same of instances that may be missing: the columns are NULL then. */
export type OuterInstanceAttributes<TInstance> = {
  readonly [K in AttributeName<TInstance> & keyof TInstance]: Attribute<
    TInstance,
    KindOfValue<TInstance[K]> extends "column" ? TInstance[K] | null : TInstance[K],
    KindOfValue<TInstance[K]>
  >;
};

/** The columns of instances of a class with the values they are to equal. */
export type InstanceFilter<TInstance> = {
  readonly [
    K in AttributeName<TInstance> & keyof TInstance as KindOfValue<TInstance[K]> extends "column" ? K : never
  ]?: TInstance[K];
};

type KindOfValue<TValue> = [NonNullable<TValue>] extends [Instance]
  ? "one"
  : NonNullable<TValue> extends
        | ReadonlyMap<unknown, Instance>
        | ReadonlySet<Instance>
        | readonly Instance[]
        | WriteOnlyCollection<any>
    ? "many"
    : "column";

type KindOf<TProperty> =
  TProperty extends Transient<any>
    ? "transient"
    : TProperty extends Relationship<any, infer K, any, any>
      ? K
      : "column";

/** The attributes of a class by name. */
export type Attributes<TModel> = {
  readonly [K in keyof PropertiesOf<TModel>]: Attribute<
    OwnerOf<TModel>,
    ValueOf<PropertiesOf<TModel>[K]>,
    KindOf<PropertiesOf<TModel>[K]>
  >;
} & SelectableEntity<OwnerOf<TModel>>;

/** The attributes of a class whose rows an outer join may lack: the columns are NULL there. */
export type OuterAttributes<TModel> = SubclassAttributes<TModel> & SelectableEntity<OwnerOf<TModel> | null>;

/** The attributes of a subclass that is read along with a class above it: the columns are NULL in rows of other classes. */
export type SubclassAttributes<TModel> = {
  readonly [K in keyof PropertiesOf<TModel>]: Attribute<
    OwnerOf<TModel>,
    KindOf<PropertiesOf<TModel>[K]> extends "column"
      ? ValueOf<PropertiesOf<TModel>[K]> | null
      : ValueOf<PropertiesOf<TModel>[K]>,
    KindOf<PropertiesOf<TModel>[K]>
  >;
};

type OwnerOf<TModel> = TModel extends Class ? InstanceType<TModel> : TModel extends Mixin<any> ? object : unknown;

/** All attributes of a class in a statement together: as a part of its rows they are an instance. */
// No interface: code that knows no classes takes attributes for a record.
export type SelectableEntity<TInstance> = { readonly "~instance": TInstance };

/** What a class is in a statement. */
export interface EntityInStatement {
  readonly owner: object;
  /** Its name there, where that is not its table's. */
  readonly alias: EntityAlias | undefined;
}

const known = new WeakMap<object, object>();
const entities = new WeakMap<object, EntityInStatement>();

/** The class whose attributes these are, and where it stands in a statement; undefined for anything else. */
export function entityOfAttributes(value: object): EntityInStatement | undefined {
  return entities.get(value);
}

/** The attributes of a class that stands in a statement under a name of its own. */
export function attributesOf(alias: EntityAlias): object {
  return makeAttributes(alias.mapper.class, alias, alias.polymorphic);
}

/** The attributes of the class that a statement selects. */
export function rootAttributes({
  entity,
  parts: { alias, polymorphic },
}: {
  readonly entity: object;
  readonly parts: Pick<SelectParts, "alias" | "polymorphic">;
}): object {
  if (alias !== undefined) return attributesOf(alias);
  return polymorphic === undefined ? attributes(entity as never) : makeAttributes(entity, undefined, polymorphic);
}

/**
 * The attributes of a model or mixin, to listen to and to compare: `attributes(User).email`.
 *
 * (Not `User.email`: an attribute called `name` would collide with the class's own name.) The class need not be mapped yet.
 *
 * @throws ArgumentError for a class that is no model; reading a name that it does not have throws too, and names the likely one.
 * @example
 * listen(attributes(User).email, "set", ({ value }) => value.toLowerCase(), { retval: true });
 */
export function attributes<TModel extends { readonly "~properties": unknown } | Mixin<any>>(
  model: TModel,
): Attributes<TModel> {
  if (model instanceof Aliased)
    return rootAttributes({ entity: model.mapper.class, parts: model }) as Attributes<TModel>;
  let found = known.get(model);
  if (found === undefined) known.set(model, (found = makeAttributes(model)));
  return found as Attributes<TModel>;
}

function makeAttributes(owner: object, alias?: EntityAlias, polymorphic?: PolymorphicEntity): object {
  const declaration = declarationOf(owner);
  if (declaration === undefined && !(owner instanceof Mixin)) {
    throw new ArgumentError(
      `attributes() takes a model class or a mixin, and got ${typeof owner === "function" ? (owner as { name: string }).name : typeof owner}.`,
    );
  }
  const names = declaration?.properties.map(({ key }) => key) ?? Object.keys((owner as Mixin<object>).properties);
  const byName: Record<string, object> = {};
  for (const name of names) byName[name] = new Attribute(owner, name, alias);
  for (const [name, subclass] of polymorphic?.names ?? []) byName[name] = makeAttributes(subclass.class, alias);
  const made = new Proxy(Object.freeze(byName), {
    get(target, name) {
      if (typeof name !== "string" || Object.hasOwn(target, name)) return target[name as string];
      // A promise check, a debugger or a test's printer asks for these, and means no attribute.
      if (name === "then" || name === "toJSON" || name in Object.prototype) return undefined;
      const closest = closestName(name, names);
      throw new ArgumentError(
        `${(owner as { name?: string }).name ?? "The mixin"} has no attribute "${name}". ${closest === undefined ? `It has ${names.join(", ")}.` : `Did you mean "${closest}"?`}`,
      );
    },
  });
  entities.set(made, { owner, alias });
  return made;
}
