import { InvalidRequestError } from "../event/errors.ts";
import { NO_VALUE } from "./history.ts";
import { bareInstance, Instance, stateOf } from "./instance.ts";
import { type InstanceAttribute, isRelated } from "./instance-attribute.ts";
import { FLAGGED, type InstanceState } from "./instance-state.ts";
import type { Instrumentation } from "./instrumentation.ts";
import { ownCopy } from "./own-copy.ts";

/**
 * What was known of the row of an instance at one moment, apart from any session: values and loaded relationships, and none of what was not flushed.
 * Nothing that happens to the instance afterwards changes it.
 */
export interface InstanceImage {
  readonly instrumentation: Instrumentation;
  readonly key: unknown;
  readonly identity: readonly unknown[] | undefined;
  /** By slot; undefined where nothing is known. */
  readonly values: readonly unknown[];
  /** The slots of the columns that only the row has. */
  readonly unread: ReadonlySet<number>;
  /** By slot, the members of collections, and the one or none that a reference has. */
  readonly related: Map<number, readonly InstanceImage[]>;
}

/** Takes images, one for each instance, also where instances refer to each other in circles. */
export class ImageTaker {
  readonly #images = new Map<InstanceState, InstanceImage>();
  readonly #instances = new Map<InstanceImage, Instance>();

  /** The instances whose images a relationship of an image has; undefined where it is not loaded. */
  membersOf(image: InstanceImage, slot: number): Instance[] | undefined {
    return image.related.get(slot)?.map((member) => this.#instances.get(member) as Instance);
  }

  of(instance: Instance): InstanceImage {
    const known = this.#images.get(stateOf(instance));
    if (known !== undefined) return known;
    const first = this.#begin(stateOf(instance));
    // A loop, because a list that is linked by a relationship is as deep as it is long.
    const open = [stateOf(instance)];
    for (let state = open.pop(); state !== undefined; state = open.pop()) {
      const { related } = this.#images.get(state) as InstanceImage;
      for (const { slot, members } of loadedRelations(state)) {
        const images = members.map((member) => {
          const memberState = stateOf(member);
          const image = this.#images.get(memberState);
          if (image !== undefined) return image;
          open.push(memberState);
          return this.#begin(memberState);
        });
        related.set(slot, images);
      }
    }
    return first;
  }

  #begin(state: InstanceState): InstanceImage {
    if (state.key === undefined) {
      throw new InvalidRequestError(
        `${state.describe()} cannot be kept apart from its session, because it has no row that could be known. Save it first: await session.flush().`,
      );
    }
    const { instrumentation, key, identity } = state;
    const values: unknown[] = [];
    const unread = new Set<number>();
    for (const { slot, isStored } of instrumentation.attributes) {
      if (!isStored) continue;
      const value = ownCopy(knownValue(state, slot));
      const isUnknown = value === undefined && (state.isChanged(slot) || state.isUnread(slot));
      if (isUnknown) unread.add(slot);
      // What was never set is NULL in the row.
      values[slot] = isUnknown ? undefined : (value ?? null);
    }
    const image = { instrumentation, key, identity, values, unread, related: new Map() };
    this.#images.set(state, image);
    this.#instances.set(image, state.instance);
    return image;
  }
}

/** What the row has in a slot; undefined where that is not known. */
function knownValue(state: InstanceState, slot: number): unknown {
  if (!state.isChanged(slot)) return state.values[slot];
  const old = state.committed?.[slot];
  return old === NO_VALUE || old === FLAGGED ? undefined : old;
}

/** The relationships that are loaded, with what the rows say, and not what is to be flushed. */
function loadedRelations(state: InstanceState): { readonly slot: number; readonly members: readonly Instance[] }[] {
  return state.instrumentation.attributes.flatMap((attribute) => {
    const members = isRelated(attribute) ? knownMembers(state, attribute) : undefined;
    const areRows = members?.every((member) => stateOf(member).key !== undefined) === true;
    return members === undefined || !areRows ? [] : [{ slot: attribute.slot, members }];
  });
}

function knownMembers(state: InstanceState, attribute: InstanceAttribute): readonly Instance[] | undefined {
  const { slot } = attribute;
  if (!isRelated(attribute) || (state.values[slot] === undefined && !state.isChanged(slot))) return undefined;
  if (!state.isChanged(slot)) return attribute.loaded(state);
  const old = knownValue(state, slot);
  if (Array.isArray(old)) return old as Instance[];
  return old === null ? [] : old instanceof Instance ? [old] : undefined;
}

/** Makes detached instances of images, one for each. No constructor runs, and `init` and `load` are not raised. */
export class ImageReader {
  readonly #instances = new Map<InstanceImage, Instance>();

  instanceOf(image: InstanceImage): Instance {
    const known = this.#instances.get(image);
    if (known !== undefined) return known;
    const first = this.#begin(image);
    const open = [image];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const state = stateOf(this.#instances.get(next) as Instance);
      for (const [slot, related] of next.related) {
        const attribute = state.instrumentation.attributes[slot];
        const members = related.map((member) => {
          const instance = this.#instances.get(member);
          if (instance !== undefined) return instance;
          open.push(member);
          return this.#begin(member);
        });
        if (attribute !== undefined && isRelated(attribute)) attribute.setLoaded(state, members);
      }
    }
    return first;
  }

  #begin(image: InstanceImage): Instance {
    const instance = bareInstance(image.instrumentation);
    const state = stateOf(instance);
    state.key = image.key;
    state.identity = image.identity;
    for (const { slot, isStored } of image.instrumentation.attributes)
      if (isStored && image.values[slot] !== undefined) state.values[slot] = ownCopy(image.values[slot]);
    state.commit();
    state.unread = image.unread.size === 0 ? undefined : image.unread;
    this.#instances.set(image, instance);
    return instance;
  }
}
