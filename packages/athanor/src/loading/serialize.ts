import { FrozenResult } from "../engine/frozen-result.ts";
import { emit } from "../event/dispatch.ts";
import { ArgumentError, InvalidRequestError } from "../event/errors.ts";
import { expectState, Instance, stateOf } from "../instance/instance.ts";
import type { InstanceState } from "../instance/instance-state.ts";
import { type InstanceImage, ImageTaker } from "../instance/instance-image.ts";
import { type ColumnProperty, type Mapper, mapperOfState } from "../mapping/mapper.ts";
import { writeValue } from "./serialized-value.ts";

/** The version of the text. One of another version is refused, as it might be misread. */
export const SERIALIZED_FORMAT = 1;

/** One instance in the text. Others are told by their places in it. */
export interface SerializedInstance {
  /** The table of its hierarchy, and which class of it. */
  readonly model: string;
  readonly identity?: string | undefined;
  readonly key: readonly unknown[];
  /** By attribute; one that is missing has to be loaded. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly related: Readonly<Record<string, readonly number[]>>;
  /** What listeners of `serialize` have added. */
  readonly data?: Readonly<Record<string, unknown>> | undefined;
}

/** What `serialize` writes, and `deserialize` reads. */
export interface SerializedText {
  readonly athanor: number;
  readonly instances: readonly SerializedInstance[];
  /** Of one instance, or of a list. */
  readonly content?: number | readonly number[];
  /** Of a frozen result: in each row, values, and instances by their places. */
  readonly rows?: readonly (readonly ({ readonly instance: number } | { readonly value: unknown })[])[];
  readonly rowCount?: number;
  /** Where rows are objects, the names of their values. */
  readonly names?: readonly string[] | undefined;
}

/**
 * Writes instances, with the relationships that are loaded, or a frozen result as text, which `deserialize` reads in another process or at another time.
 * The properties that are never stored are left out, as they are for secrets.
 *
 * SQLAlchemy: Session API, Object States, where `pickle` does it.
 *
 * @throws InvalidRequestError for an instance that has no row, or changes that are not flushed; ArgumentError for values that cannot be written.
 * @example
 * await redis.set(key, serialize((await session.execute(statement)).freeze()));
 */
export function serialize(value: Instance | readonly Instance[] | FrozenResult<unknown>): string {
  const writing = new Writing();
  const parts = value instanceof FrozenResult ? writeResult(value, writing) : { content: writeContent(value, writing) };
  const text: SerializedText = { athanor: SERIALIZED_FORMAT, instances: writing.finish(), ...parts };
  return JSON.stringify(text);
}

function writeContent(value: unknown, writing: Writing): number | readonly number[] {
  if (!Array.isArray(value)) return writing.place(expectState(value).instance);
  return value.map((instance) => writing.place(expectState(instance).instance));
}

function writeResult(frozen: FrozenResult<unknown>, writing: Writing): Partial<SerializedText> {
  const result = frozen.result();
  const [first] = result.all();
  const names =
    frozen.names ?? (first === undefined || Array.isArray(first) ? undefined : Object.keys(first as object));
  const rows = result
    .tuples()
    .all()
    .map((row) =>
      row.map((value, index) =>
        value instanceof Instance
          ? { instance: writing.place(value) }
          : { value: writeValue(value, `The column ${names?.[index] ?? index + 1} of the frozen result`) },
      ),
    );
  return { rows, rowCount: result.rowCount, names };
}

class Writing {
  readonly #taker = new ImageTaker();
  readonly #places = new Map<InstanceImage, number>();
  readonly #instances: Instance[] = [];

  place(instance: Instance): number {
    const state = stateOf(instance);
    if (state.key !== undefined && hasChanges(state)) {
      throw new InvalidRequestError(
        `${state.describe()} cannot be serialized, because it has changes that are not flushed, and only what its row has is written. Flush first: await session.flush().`,
      );
    }
    const image = this.#taker.of(instance);
    let place = this.#places.get(image);
    if (place === undefined) {
      this.#places.set(image, (place = this.#instances.length));
      this.#instances.push(instance);
    }
    return place;
  }

  /** Writes all that was placed, and whatever is related to that. */
  finish(): SerializedInstance[] {
    const written: SerializedInstance[] = [];
    for (let place = 0; place < this.#instances.length; place++)
      written.push(this.#write(this.#instances[place] as Instance));
    return written;
  }

  #write(instance: Instance): SerializedInstance {
    const state = stateOf(instance);
    const mapper = mapperOfState(state);
    const image = this.#taker.of(instance);
    const values: Record<string, unknown> = {};
    for (const property of mapper.columnProperties)
      if (!image.unread.has(property.slot))
        values[property.key] = writeColumn(mapper, property, image.values[property.slot]);
    const related: Record<string, number[]> = {};
    for (const { slot, key } of mapper.relationships) {
      const members = this.#taker.membersOf(image, slot);
      if (members !== undefined) related[key] = members.map((member) => this.place(member));
    }
    const { serialize: listeners } = state.instrumentation.dispatch;
    const data: Record<string, unknown> = {};
    if (listeners !== undefined) emit(listeners, { target: instance, data });
    const added = Object.entries(data).map(([name, value]) => [
      name,
      writeValue(value, `"${name}", which a listener of serialize has added to ${state.describe()},`),
    ]);
    return {
      model: mapper.baseMapper.table.fullName,
      identity: mapper.polymorphicIdentity,
      key: mapper.primaryKey.map((property, index) => writeColumn(mapper, property, state.identityValues[index])),
      values,
      related,
      data: added.length === 0 ? undefined : (Object.fromEntries(added) as Record<string, unknown>),
    };
  }
}

/** Whether a flush would write something of it: a value that really differs. */
function hasChanges(state: InstanceState): boolean {
  return (
    state.modified &&
    state.instrumentation.attributes.some(
      (attribute) => !attribute.isTransient && attribute.history(state).hasChanges(),
    )
  );
}

function writeColumn(mapper: Mapper, { key, column }: ColumnProperty, value: unknown): unknown {
  const { kind, toDatabase } = column.options.type;
  const stored = value === null || toDatabase === undefined ? value : toDatabase(value);
  // Whatever object was stored there, the row has what JSON made of it.
  if (kind === "json" && stored !== null) return { json: stored };
  return writeValue(stored, `${mapper.class.name}.${key}`);
}

/** Refuses what `serialize` has not written. */
export function expectSerialized(text: unknown): SerializedText {
  let parsed: unknown;
  try {
    parsed = typeof text === "string" ? JSON.parse(text) : undefined;
  } catch {
    parsed = undefined;
  }
  const version = (parsed as Partial<SerializedText> | null | undefined)?.athanor;
  if (version === SERIALIZED_FORMAT) return parsed as SerializedText;
  throw new ArgumentError(
    version === undefined
      ? "deserialize() takes the text that serialize() has written, and got something else."
      : `The text was serialized in format ${String(version)}, and this version of Athanor reads format ${SERIALIZED_FORMAT}. Drop it from the cache, and load the instances anew.`,
  );
}
