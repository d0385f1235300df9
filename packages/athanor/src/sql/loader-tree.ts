import type { Mapper } from "../mapping/mapper.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";

/** How a statement loads one relationship of its instances, and what in turn is loaded along with those. */
export interface LoaderNode {
  readonly property: RelationshipProperty;
  /** The way it is loaded, which `loading/` knows; undefined where only a longer path leads through it. */
  readonly strategy: object | undefined;
  readonly related: LoaderTree;
}

/** Whether instances of a class have a relationship, or those of a subclass do. */
export function isOf({ parent }: RelationshipProperty, mapper: Mapper): boolean {
  return mapper.isA(parent) || parent.isA(mapper);
}

/** What options say of how instances of a class are loaded, and those that are related to them. A value: what changes it makes another one. */
export class LoaderTree {
  static readonly empty: LoaderTree = new LoaderTree(new Map());
  readonly nodes: ReadonlyMap<RelationshipProperty, LoaderNode>;

  private constructor(nodes: ReadonlyMap<RelationshipProperty, LoaderNode>) {
    this.nodes = nodes;
  }

  get isEmpty(): boolean {
    return this.nodes.size === 0;
  }

  /** What is said of the instances at the other end of a relationship. */
  related(property: RelationshipProperty): LoaderTree {
    return this.nodes.get(property)?.related ?? LoaderTree.empty;
  }

  /** The same, and a relationship is loaded in this way. */
  withStrategy(property: RelationshipProperty, strategy: object): LoaderTree {
    return this.#withNode({ property, strategy, related: this.related(property) });
  }

  /** The same, with a change of what is said of the instances that these relationships lead to. */
  changedAt(path: readonly RelationshipProperty[], change: (tree: LoaderTree) => LoaderTree): LoaderTree {
    const [property, ...rest] = path;
    if (property === undefined) return change(this);
    const related = this.related(property).changedAt(rest, change);
    return this.#withNode({ property, strategy: this.nodes.get(property)?.strategy, related });
  }

  /** What both say. Where they contradict each other, the other one holds, which was said later. */
  mergedWith(later: LoaderTree): LoaderTree {
    if (this.isEmpty) return later;
    let merged: LoaderTree = this;
    for (const { property, strategy, related } of later.nodes.values()) {
      const before = this.nodes.get(property);
      merged = merged.#withNode({
        property,
        strategy: strategy ?? before?.strategy,
        related: this.related(property).mergedWith(related),
      });
    }
    return merged;
  }

  /** What is said of instances of a class. */
  of(mapper: Mapper): LoaderTree {
    const isWhole = [...this.nodes.keys()].every((property) => isOf(property, mapper));
    return isWhole ? this : new LoaderTree(new Map([...this.nodes].filter(([property]) => isOf(property, mapper))));
  }

  /** What is said of the relationships of these names. */
  only(names: readonly string[]): LoaderTree {
    return new LoaderTree(new Map([...this.nodes].filter(([{ key }]) => names.includes(key))));
  }

  /** The same without ways of loading relationships, and what it says of the instances that those lead to all the same. */
  withoutStrategies(isLeftOut: (strategy: object) => boolean): LoaderTree {
    const nodes = [...this.nodes.values()];
    if (!nodes.some(({ strategy }) => strategy !== undefined && isLeftOut(strategy))) return this;
    const kept = nodes.flatMap((node) => {
      if (node.strategy === undefined || !isLeftOut(node.strategy)) return node;
      return node.related.isEmpty ? [] : { ...node, strategy: undefined };
    });
    return new LoaderTree(new Map(kept.map((node) => [node.property, node])));
  }

  #withNode(node: LoaderNode): LoaderTree {
    return new LoaderTree(new Map(this.nodes).set(node.property, node));
  }
}
