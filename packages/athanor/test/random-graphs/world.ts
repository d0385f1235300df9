import { type Edge, edges, isA, type Link, links } from "./models.ts";

/** What the model knows of one instance. */
export interface Thing {
  readonly label: number;
  readonly kind: string;
  readonly values: Record<string, unknown>;
  /** By reference, the label of the parent. */
  readonly parents: Record<string, number | null>;
  /** By secondary table, the labels on its right side. */
  readonly linked: Record<string, number[]>;
  /** Whether a flush has written it. */
  isSaved: boolean;
  /** Whether it is a part that was taken out of its whole. One that never had a whole is no orphan. */
  isCutOff: boolean;
}

/** An attribute of an instance that no longer holds what it should, once the next flush has happened. */
export type Stale = readonly [label: number, attribute: string];

/**
 * What all instances should be, in the plainest form: what a flush would make of the tables if it happened now.
 *
 * References are held by the child alone, and links by the left side alone: what the other side holds is found by looking.
 */
export class World {
  things: Map<number, Thing> = new Map();

  copy(): World {
    const world = new World();
    world.things = structuredClone(this.things);
    return world;
  }

  get(label: number): Thing {
    const thing = this.things.get(label);
    if (thing === undefined) throw new Error(`There is no ${label}.`);
    return thing;
  }

  ofKind(kind: string): Thing[] {
    return [...this.things.values()].filter((thing) => isA(thing.kind, kind));
  }

  children(edge: Edge, parent: Thing): Thing[] {
    return this.ofKind(edge.child).filter((thing) => thing.parents[edge.reference] === parent.label);
  }

  linkedTo({ table, left }: Link, right: Thing): Thing[] {
    return this.ofKind(left.kind).filter((thing) => thing.linked[table]?.includes(right.label));
  }

  /** What stands in the way of a child in a place for one: another child, or one of the same key. */
  inTheWay(edge: Edge, child: Thing, parent: Thing): Thing[] {
    const others = this.children(edge, parent).filter((other) => other !== child);
    if (edge.holding === "one") return others;
    return edge.holding === "map" ? others.filter((other) => other.values["key"] === child.values["key"]) : [];
  }

  /**
   * Gives a child a parent, or none.
   *
   * @returns what is forgotten: parts that lose their whole before they were saved
   */
  place(edge: Edge, child: Thing, parent: Thing | null): Thing[] {
    const others = parent === null ? [] : this.inTheWay(edge, child, parent);
    const forgotten = others.flatMap((other) => this.place(edge, other, null));
    const before = child.parents[edge.reference];
    child.parents[edge.reference] = parent?.label ?? null;
    if (edge.rule !== "delete orphans" || (parent === null && before === null)) return forgotten;
    child.isCutOff = parent === null;
    if (!child.isCutOff || child.isSaved) return forgotten;
    this.things.delete(child.label);
    return [...forgotten, child];
  }

  link({ table }: Link, left: Thing, right: Thing, isLinked: boolean): void {
    const others = (left.linked[table] ?? []).filter((label) => label !== right.label);
    left.linked[table] = isLinked ? [...others, right.label] : others;
  }

  /** All that goes when a thing is deleted, itself first. */
  goingWith(thing: Thing, found: Set<Thing> = new Set()): Set<Thing> {
    if (found.has(thing)) return found;
    found.add(thing);
    for (const edge of edges) {
      if (edge.rule === "forget" || !isA(thing.kind, edge.parent)) continue;
      for (const child of this.children(edge, thing)) this.goingWith(child, found);
    }
    return found;
  }

  /**
   * Takes a thing away with all that goes along with it, and out of whatever refers to it.
   *
   * @returns the attributes of others that held it
   */
  remove(thing: Thing): Stale[] {
    const stale: Stale[] = [];
    for (const gone of this.goingWith(thing)) {
      this.things.delete(gone.label);
      for (const edge of edges) {
        if (isA(gone.kind, edge.child)) stale.push(...holderOf(gone.parents[edge.reference], edge.collection));
        if (!isA(gone.kind, edge.parent)) continue;
        for (const child of this.children(edge, gone)) {
          child.parents[edge.reference] = null;
          stale.push([child.label, edge.reference]);
        }
      }
      for (const link of links) {
        for (const label of gone.linked[link.table] ?? []) stale.push([label, link.right.attribute]);
        for (const left of this.linkedTo(link, gone)) {
          this.link(link, left, gone, false);
          stale.push([left.label, link.left.attribute]);
        }
      }
    }
    return stale;
  }

  /** What a flush does beside writing: parts that have lost their whole are deleted, and everything else is saved. */
  settle(): Stale[] {
    const stale: Stale[] = [];
    for (const thing of this.things.values()) {
      if (this.things.has(thing.label) && thing.isCutOff) stale.push(...this.remove(thing));
    }
    for (const thing of this.things.values()) thing.isSaved = true;
    return stale;
  }

  /** Every attribute of everything, both sides of relationships too, to be compared. Collections are in the order in which they are loaded. */
  picture(): Picture {
    const picture: Picture = {};
    const inOrder = [...this.things.values()].toSorted((one, other) => one.label - other.label);
    for (const thing of inOrder) {
      const attributes: Record<string, unknown> = { ...thing.values };
      for (const edge of edges) {
        if (isA(thing.kind, edge.child) && !edge.isOneSided) attributes[edge.reference] = thing.parents[edge.reference];
        if (!isA(thing.kind, edge.parent)) continue;
        const labels = labelsOf(
          this.children(edge, thing).toSorted(edge.collection === "chapters" ? byPosition : byLabel),
        );
        attributes[edge.collection] = edge.holding === "one" ? (labels[0] ?? null) : labels;
      }
      for (const link of links) {
        if (isA(thing.kind, link.left.kind))
          attributes[link.left.attribute] = (thing.linked[link.table] ?? []).toSorted((one, other) => one - other);
        if (isA(thing.kind, link.right.kind) && !link.isOneSided)
          attributes[link.right.attribute] = labelsOf(this.linkedTo(link, thing).toSorted(byLabel));
      }
      picture[`${thing.kind} ${thing.label}`] = attributes;
    }
    return picture;
  }
}

/** What things are called, and their attributes: related ones are labels. */
export type Picture = Record<string, Record<string, unknown>>;

/** The columns, references and collections of a class, by name. */
export function relationshipsOf(kind: string): string[] {
  return [
    ...edges.filter(({ child, isOneSided }) => isA(kind, child) && !isOneSided).map(({ reference }) => reference),
    ...edges.filter(({ parent }) => isA(kind, parent)).map(({ collection }) => collection),
    ...links.filter(({ left }) => isA(kind, left.kind)).map(({ left }) => left.attribute),
    ...links
      .filter(({ right, isOneSided }) => isA(kind, right.kind) && !isOneSided)
      .map(({ right }) => right.attribute),
  ];
}

function holderOf(label: number | null | undefined, attribute: string): Stale[] {
  return label == null ? [] : [[label, attribute]];
}

function labelsOf(things: readonly Thing[]): number[] {
  return things.map(({ label }) => label);
}

function byLabel(one: Thing, other: Thing): number {
  return one.label - other.label;
}

function byPosition(one: Thing, other: Thing): number {
  return Number(one.values["position"]) - Number(other.values["position"]) || byLabel(one, other);
}
