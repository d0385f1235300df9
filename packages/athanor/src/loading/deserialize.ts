import { Result } from "../engine/result.ts";
import { emit } from "../event/dispatch.ts";
import { ArgumentError } from "../event/errors.ts";
import { type Instance, stateOf } from "../instance/instance.ts";
import { ImageReader, type InstanceImage } from "../instance/instance-image.ts";
import { mapperOf } from "../mapping/configure-mappers.ts";
import { identityKey } from "../mapping/identity.ts";
import type { ColumnProperty, Mapper } from "../mapping/mapper.ts";
import type { AnyModel } from "../mapping/model-types.ts";
import { expectSerialized, type SerializedInstance } from "./serialize.ts";
import { readValue } from "./serialized-value.ts";

/**
 * Reads what `serialize` has written: detached instances, or a frozen result. Add or merge them to a session; a frozen result is for `mergeFrozenResult`.
 *
 * An attribute that the text does not have, because its column came later, counts as not loaded.
 *
 * SQLAlchemy: Session API, Object States, where `pickle` does it.
 *
 * @param models the classes of the instances; of a hierarchy any one of them
 * @throws ArgumentError for text of another kind or version, and for instances of other classes.
 * @example
 * const frozen = deserialize<FrozenResult<readonly [User]>>(await redis.get(key), [User, Post]);
 * return mergeFrozenResult(event.session, event.statement, frozen, { load: false });
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- who has written the text knows what is in it
export function deserialize<T = unknown>(text: string, models: readonly AnyModel[]): T {
  const { instances: written, content, rows, rowCount = 0, names } = expectSerialized(text);
  const instances = readInstances(written, models);
  if (rows === undefined) {
    return (typeof content === "number" ? instances[content] : content?.map((place) => instances[place])) as T;
  }
  const values = rows.map((row) =>
    row.map((part) => ("instance" in part ? instances[part.instance] : readValue(part.value))),
  );
  const found =
    names === undefined
      ? values
      : values.map((row) => Object.fromEntries(names.map((name, index) => [name, row[index]])));
  return new Result<unknown>(found, rowCount, names).freeze() as T;
}

function readInstances(written: readonly SerializedInstance[], models: readonly AnyModel[]): readonly Instance[] {
  const mapperFor = mappersByName(models);
  const images = written.map((instance) => readImage(instance, mapperFor(instance)));
  written.forEach(({ related }, place) => {
    const { instrumentation, related: bySlot } = images[place] as InstanceImage;
    for (const [key, members] of Object.entries(related)) {
      const attribute = instrumentation.find(key);
      if (attribute !== undefined)
        bySlot.set(
          attribute.slot,
          members.map((member) => images[member] as InstanceImage),
        );
    }
  });
  const reader = new ImageReader();
  const instances = images.map((image) => reader.instanceOf(image));
  written.forEach(({ data = {} }, place) => {
    const target = instances[place] as Instance;
    const { deserialize: listeners } = stateOf(target).instrumentation.dispatch;
    if (listeners === undefined) return;
    const added = Object.fromEntries(Object.entries(data).map(([name, value]) => [name, readValue(value)]));
    emit(listeners, { target, data: added });
  });
  return instances;
}

function readImage({ key, values }: SerializedInstance, mapper: Mapper): InstanceImage {
  const identity = mapper.primaryKey.map((property, index) => readColumn(property, key[index]));
  const ownKey = identityKey(mapper, identity);
  const read: unknown[] = [];
  const unread = new Set<number>();
  for (const property of mapper.columnProperties) {
    if (Object.hasOwn(values, property.key)) read[property.slot] = readColumn(property, values[property.key]);
    else unread.add(property.slot);
  }
  return {
    instrumentation: mapper.instrumentation,
    key: ownKey,
    identity: identity.length === 1 && identity[0] === ownKey ? undefined : identity,
    values: read,
    unread,
    related: new Map(),
  };
}

function readColumn({ column }: ColumnProperty, written: unknown): unknown {
  const value = readValue(written);
  const { fromDatabase } = column.options.type;
  return value === null || fromDatabase === undefined ? value : fromDatabase(value);
}

/** Finds the class of an instance among the given ones, and those that inherit from the same. */
function mappersByName(models: readonly AnyModel[]): (instance: SerializedInstance) => Mapper {
  const bases = new Map(
    models.map((model) => mapperOf(model).baseMapper).map((mapper) => [mapper.table.fullName, mapper]),
  );
  return ({ model, identity }) => {
    const mapper = bases.get(model);
    if (mapper !== undefined) return identity === undefined ? mapper : mapper.withIdentity(identity);
    const known = [...bases.values()].map(({ class: mapped }) => mapped.name).join(", ") || "none";
    throw new ArgumentError(
      `The text holds an instance of the table "${model}", and none of the given models is stored there (given are ${known}). ` +
        `Name its class in the second argument: deserialize(text, [${known === "none" ? "" : `${known}, `}…]).`,
    );
  };
}
