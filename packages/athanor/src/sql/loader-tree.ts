import type { Mapper } from "../mapping/mapper.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";

/** How a statement loads one relationship of its instances, and what in turn is loaded along with those. */
export interface LoaderNode {
  readonly property: RelationshipProperty;
  /** The way it is loaded, which `loading/` knows; undefined where only a longer path leads through it. */
  readonly strategy: object | undefined;
  readonly related: LoaderTree;
}

/** The subclasses whose columns are loaded along with the instances of a class: from the same rows, and by a further statement for each. */
export interface SubclassesAlong {
  readonly inline: readonly Mapper[];
  readonly selectin: readonly Mapper[];
}

const noSubclasses: SubclassesAlong = { inline: [], selectin: [] };

/** Whether instances of a class have a relationship, or those of a subclass do. */
export function isOf({ parent }: RelationshipProperty, mapper: Mapper): boolean {
  return mapper.isA(parent) || parent.isA(mapper);
}

/** What options say of how instances of a class are loaded, and those that are related to them. A value: what changes it makes another one. */
export class LoaderTree {
  static readonly empty: LoaderTree = new LoaderTree(new Map());
  readonly nodes: ReadonlyMap<RelationshipProperty, LoaderNode>;
  readonly subclasses: SubclassesAlong;

  private constructor(
    nodes: ReadonlyMap<RelationshipProperty, LoaderNode>,
    subclasses: SubclassesAlong = noSubclasses,
  ) {
    this.nodes = nodes;
    this.subclasses = subclasses;
  }

  /** A tree that says this of relationships, and nothing else. */
  static from(nodes: readonly LoaderNode[]): LoaderTree {
    return nodes.length === 0 ? LoaderTree.empty : LoaderTree.empty.#withNodes(nodes);
  }

  get isEmpty(): boolean {
    return this.nodes.size === 0 && this.subclasses === noSubclasses;
  }

  /** The same, and the columns of these subclasses are loaded along. */
  withSubclasses({ inline = [], selectin = [] }: Partial<SubclassesAlong>): LoaderTree {
    if (inline.length === 0 && selectin.length === 0) return this;
    return new LoaderTree(this.nodes, {
      inline: [...new Set([...this.subclasses.inline, ...inline])],
      selectin: [...new Set([...this.subclasses.selectin, ...selectin])],
    });
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
    let merged: LoaderTree = this.withSubclasses(later.subclasses);
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
    const nodes = [...this.nodes.values()].filter(({ property }) => isOf(property, mapper));
    const inline = this.subclasses.inline.filter((subclass) => subclass.isA(mapper));
    const selectin = this.subclasses.selectin.filter((subclass) => subclass.isA(mapper));
    const count = inline.length + selectin.length;
    const isWhole =
      nodes.length === this.nodes.size && count === this.subclasses.inline.length + this.subclasses.selectin.length;
    return isWhole ? this : LoaderTree.from(nodes).withSubclasses({ inline, selectin });
  }

  /** What is said of the relationships of these names. */
  only(names: readonly string[]): LoaderTree {
    return LoaderTree.from([...this.nodes.values()].filter(({ property }) => names.includes(property.key)));
  }

  /** The same without ways of loading relationships, and what it says of the instances that those lead to all the same. */
  withoutStrategies(isLeftOut: (strategy: object) => boolean): LoaderTree {
    const nodes = [...this.nodes.values()];
    if (!nodes.some(({ strategy }) => strategy !== undefined && isLeftOut(strategy))) return this;
    const kept = nodes.flatMap((node) => {
      if (node.strategy === undefined || !isLeftOut(node.strategy)) return node;
      return node.related.isEmpty ? [] : { ...node, strategy: undefined };
    });
    return LoaderTree.from(kept).withSubclasses(this.subclasses);
  }

  #withNode(node: LoaderNode): LoaderTree {
    return this.#withNodes([node]);
  }

  #withNodes(nodes: readonly LoaderNode[]): LoaderTree {
    return new LoaderTree(
      new Map([...this.nodes, ...nodes.map((node) => [node.property, node] as const)]),
      this.subclasses,
    );
  }
}
