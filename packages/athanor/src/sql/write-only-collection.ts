import { InvalidRequestError } from "../event/errors.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import { makeWriteOnlyCollectionsBy, type WriteOnlyAttribute } from "../instance/write-only-attribute.ts";
import { mapperOfState } from "../mapping/mapper.ts";
import type { Class } from "../mapping/model-types.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import type { AssignedValues } from "./assigned.ts";
import { type Attribute, attributes } from "./attribute.ts";
import { conjunction } from "./conditions.ts";
import { type DeleteFrom, deleteFrom } from "./delete-from.ts";
import type { Expression } from "./expression.ts";
import { type Insert, insert } from "./insert.ts";
import { keyFoundBy } from "./key-found-by.ts";
import { relatedCondition } from "./related-condition.ts";
import { localValues, relatedSelect } from "./related-select.ts";
import type { Select } from "./select.ts";
import { type Update, update } from "./update.ts";

const inspectCustom: unique symbol = Symbol.for("nodejs.util.inspect.custom") as never;

/**
 * A collection that is too large to be ever loaded: what `many(Event, { lazy: "writeOnly" })` is on an instance. It takes additions and removals, with their events and
 * cascades, which the next flush writes; what it has is asked for by statements, which it makes. Nothing loads it, so it cannot be iterated.
 *
 * Deleting its owner needs to know what it has too, unless the relationship says `passiveDeletes: true` and leaves that to the database.
 *
 * SQLAlchemy: Working with Large Collections, Write Only Relationships.
 *
 * @example
 * account.events.add(new Event({ kind: "login" }));
 * const latest = await session.scalars(account.events.select().orderBy((event) => event.at.desc()).limit(10));
 */
// oxlint-disable-next-line typescript/no-explicit-any -- whoever names the members alone says nothing of their class
export class WriteOnlyCollection<TInstance, TModel = any> {
  declare readonly "~member": TInstance;
  readonly #attribute: WriteOnlyAttribute;
  readonly #state: InstanceState;

  /** Only instances make them. */
  private constructor(attribute: WriteOnlyAttribute, state: InstanceState) {
    this.#attribute = attribute;
    this.#state = state;
  }

  static {
    makeWriteOnlyCollectionsBy((attribute, state) => new WriteOnlyCollection(attribute, state));
  }

  /**
   * Puts an instance in: the next flush writes that.
   *
   * @throws ArgumentError for what is no instance of the class at the other end.
   */
  add(instance: TInstance): void {
    this.addAll([instance]);
  }

  /**
   * Puts several instances in.
   *
   * @throws ArgumentError for what is no instance of the class at the other end; then none is put in.
   */
  addAll(instances: Iterable<TInstance>): void {
    const attribute = this.#attribute;
    const given = [...instances].map((instance) => attribute.expectElement(instance));
    for (const instance of given) attribute.append(this.#state, instance, attribute.appendToken);
  }

  /**
   * Takes an instance out: the next flush writes that.
   *
   * @throws ArgumentError for what is no instance of the class at the other end.
   */
  remove(instance: TInstance): void {
    const attribute = this.#attribute;
    attribute.pop(this.#state, attribute.expectElement(instance), attribute.removeToken);
  }

  /**
   * The SELECT of its rows, in the order that the relationship has, as a statement like any other.
   *
   * @throws InvalidRequestError where its owner has no row yet.
   * @example
   * const logins = await session.scalars(account.events.select().where({ kind: "login" }));
   */
  select(): Select<TInstance, [TModel]> {
    return relatedSelect(this.#property, this.#key()) as unknown as Select<TInstance, [TModel]>;
  }

  /**
   * The INSERT of rows that belong to it: each gets the foreign key beside what is given. No instances are made, and no row events raised.
   *
   * @throws InvalidRequestError for a many-to-many relationship, whose rows do not say what they belong to, and where its owner has no row yet.
   * @example
   * await session.execute(account.events.insert([{ kind: "login" }, { kind: "logout" }]));
   */
  insert(rows: AssignedValues<TModel> | readonly AssignedValues<TModel>[]): Insert<TModel> {
    const { pairs, secondary, label, target } = this.#property;
    if (secondary !== undefined) {
      throw new InvalidRequestError(
        `${label} goes through the table "${secondary.table.fullName}", so a row of ${target.class.name} does not say what it belongs to. Insert rows with insert(${target.class.name}).returning(), and put those in: instance.${this.#attribute.key}.addAll(…).`,
      );
    }
    const key = this.#key();
    const foreignKey = Object.fromEntries(pairs.map(({ remote }, index) => [remote.key, key[index]]));
    const given = (Array.isArray(rows) ? rows : [rows]) as readonly object[];
    return insert(this.#target).values(given.map((row) => ({ ...row, ...foreignKey })) as never) as never;
  }

  /**
   * An UPDATE of its rows.
   *
   * @throws InvalidRequestError where its owner has no row yet.
   * @example
   * await session.execute(account.events.update().where({ kind: "login" }).values({ isSeen: true }));
   */
  update(): Update<TModel> {
    return update(this.#target).where(this.#rows() as never) as never;
  }

  /**
   * A DELETE of its rows; of a many-to-many relationship, of those at the other end.
   *
   * @throws InvalidRequestError where its owner has no row yet.
   * @example
   * await session.execute(account.events.delete().where((event) => event.at.lt(lastYear)));
   */
  delete(): DeleteFrom<TModel> {
    return deleteFrom(this.#target).where(this.#rows() as never) as never;
  }

  /** How console.log shows it: nothing of it is in memory. */
  [inspectCustom](): string {
    return `WriteOnlyCollection of ${this.#state.describe()}, ${this.#attribute.key}`;
  }

  get #property(): RelationshipProperty {
    const { slot } = this.#attribute;
    return mapperOfState(this.#state).relationships.find((each) => each.slot === slot) as RelationshipProperty;
  }

  get #target(): { readonly "~properties": unknown } & Class {
    return this.#property.target.class as never;
  }

  /** What its rows hold of its owner's. */
  #key(): readonly unknown[] {
    const state = this.#state;
    if (state.key !== undefined) return localValues(state, this.#property);
    throw new InvalidRequestError(
      `${state.describe()} has no row yet, so no statement can tell the rows of ${this.#property.label}. Save it first: await session.flush().`,
    );
  }

  /** Whether a row of the class at the other end is one of these. */
  #rows(): Expression<boolean> {
    const property = this.#property;
    const { pairs, target, secondary } = property;
    const related = attributes(target.class as never) as Record<string, Attribute<unknown, unknown>>;
    const key = this.#key();
    if (secondary !== undefined) {
      const columns = target.primaryKey.map((part) => related[part.key] as Attribute<unknown, unknown>);
      return keyFoundBy(columns, relatedSelect(property, key), undefined, target.primaryKey);
    }
    const own = pairs
      .map(({ remote }, index) => (related[remote.key] as Attribute<unknown, unknown>).eq(key[index]))
      .reduce<Expression<boolean> | undefined>(conjunction, undefined) as Expression<boolean>;
    const condition = relatedCondition(property);
    return condition === undefined ? own : conjunction(own, condition);
  }
}
