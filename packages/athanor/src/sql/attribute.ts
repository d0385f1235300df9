import { ColumnNode, type OperationNode, ReferenceNode, SchemableIdentifierNode, TableNode } from "kysely";
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
import { Mixin } from "../mapping/mixin.ts";
import type { Class, PropertiesOf, ValueOf } from "../mapping/model-types.ts";
import type { Table } from "../mapping/table.ts";
import { type EvaluationScope, type Evaluator, readColumn, UnevaluableError } from "./evaluate.ts";
import { ComparableExpression } from "./expression.ts";
import type { Structure } from "./structure.ts";

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

  constructor(owner: object, key: string) {
    super();
    this.owner = owner;
    this.key = key;
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
      throw this.#isTransient();
    }
    const column = declarationOf(this.owner)?.find(this.key)?.column;
    if (column === undefined) throw this.#isTransient();
    return column.options.type;
  }

  structure(into: Structure): void {
    const { table, column } = this.#source();
    into.add(`${table.fullName}.${column.name}`);
  }

  toOperationNode(): OperationNode {
    const { table, column } = this.#source();
    return columnNode(table, column.name);
  }

  override evaluator({ mapper }: EvaluationScope): Evaluator {
    this.#source();
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
      : this.#isTransient();
  }

  #isTransient(): ArgumentError {
    return new ArgumentError(
      `${this.label} is transient, so it is in no table and in no statement. Compare an attribute that is a column.`,
    );
  }
}

type KindOf<TProperty> =
  TProperty extends Transient<any>
    ? "transient"
    : TProperty extends Relationship<any, infer K, any, any>
      ? K
      : "column";

/** The attributes of a class by name. */
export type Attributes<TModel> = {
  readonly [K in keyof PropertiesOf<TModel>]: Attribute<
    TModel extends Class ? InstanceType<TModel> : TModel extends Mixin<any> ? object : unknown,
    ValueOf<PropertiesOf<TModel>[K]>,
    KindOf<PropertiesOf<TModel>[K]>
  >;
};

const known = new WeakMap<object, object>();

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
  let found = known.get(model);
  if (found === undefined) known.set(model, (found = makeAttributes(model)));
  return found as Attributes<TModel>;
}

function makeAttributes(owner: object): object {
  const declaration = declarationOf(owner);
  if (declaration === undefined && !(owner instanceof Mixin)) {
    throw new ArgumentError(
      `attributes() takes a model class or a mixin, and got ${typeof owner === "function" ? (owner as { name: string }).name : typeof owner}.`,
    );
  }
  const names = declaration?.properties.map(({ key }) => key) ?? Object.keys((owner as Mixin<object>).properties);
  const byName: Record<string, Attribute<unknown, unknown>> = {};
  for (const name of names) byName[name] = new Attribute(owner, name);
  return new Proxy(Object.freeze(byName), {
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
}

/** A column with its table in front: `"users"."email"`. */
export function columnNode(table: Table, column: string): OperationNode {
  return ReferenceNode.create(ColumnNode.create(column), tableNode(table));
}

/** A table, with its schema where it has one. */
export function tableNode(table: Table): TableNode {
  return table.schema === undefined
    ? TableNode.create(table.name)
    : { kind: "TableNode", table: SchemableIdentifierNode.createWithSchema(table.schema, table.name) };
}
