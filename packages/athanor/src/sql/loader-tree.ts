import type { Deferral } from "../mapping/column.ts";
import type { ColumnProperty, Mapper } from "../mapping/mapper.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import { chosenDeferral, type ColumnChoice, mergedChoice } from "./column-choice.ts";

/** How a statement loads one relationship of its instances, and what in turn is loaded along with those. */
export interface LoaderNode {
  readonly property: RelationshipProperty;
  /** The way it is loaded, which `loading/` knows; undefined where only a longer path leads through it. */
  readonly strategy: object | undefined;
  /** Which related rows are meant by the one who said so; undefined: all. */
  readonly where: RelatedFilter | undefined;
  readonly related: LoaderTree;
}

/** A condition on the attributes of the related class. */
export type RelatedFilter = (related: never) => unknown;

/** The subclasses whose columns are loaded along with the instances of a class: from the same rows, and by a further statement for each. */
export interface SubclassesAlong {
  readonly inline: readonly Mapper[];
  readonly selectin: readonly Mapper[];
}

/**
 * Whether what is said of a class may be about instances that a statement of another one finds: it is that class, or one above it, or one below it, be it a concrete
 * subclass.
 */
export function concerns(said: Mapper, mapper: Mapper): boolean {
  return mapper.isA(said) || said.declaration.isA(mapper.declaration);
}

interface LoaderTreeParts {
  readonly nodes: ReadonlyMap<RelationshipProperty, LoaderNode>;
  /** By class, the way in which relationships of its instances are loaded that are not named. */
  readonly others: ReadonlyMap<Mapper, object>;
  /** The way in which relationships of all classes are loaded, also of related instances, and theirs. */
  readonly everywhere: object | undefined;
  readonly subclasses: SubclassesAlong;
  /** By class, which columns of its instances are loaded. */
  readonly columns: ReadonlyMap<Mapper, ColumnChoice>;
}

const nothing: LoaderTreeParts = {
  nodes: new Map(),
  others: new Map(),
  everywhere: undefined,
  subclasses: { inline: [], selectin: [] },
  columns: new Map(),
};

/** What options say of how instances of a class are loaded, and those that are related to them. A value: what changes it makes another one. */
export class LoaderTree {
  static #empty: LoaderTree | undefined;
  readonly #parts: LoaderTreeParts;

  private constructor(parts: LoaderTreeParts) {
    this.#parts = parts;
  }

  /** A tree that says nothing. */
  // Made when it is asked for: TypeScript writes a class that makes one of its own among its fields in an order that fails.
  static get empty(): LoaderTree {
    return (LoaderTree.#empty ??= new LoaderTree(nothing));
  }

  /** A tree that says this of relationships, and nothing else. */
  static from(nodes: readonly LoaderNode[]): LoaderTree {
    return nodes.length === 0
      ? LoaderTree.empty
      : LoaderTree.empty.#with({ nodes: new Map(nodes.map((node) => [node.property, node])) });
  }

  /** The relationships that are named. */
  get named(): readonly RelationshipProperty[] {
    return [...this.#parts.nodes.keys()];
  }

  /** What is said something of, for messages, and the class that it belongs to. */
  get subjects(): readonly { readonly mapper: Mapper; readonly label: string }[] {
    const { nodes, others, subclasses, columns } = this.#parts;
    return [
      ...[...nodes.keys()].map(({ parent, label }) => ({ mapper: parent, label })),
      ...[...others.keys(), ...columns.keys()].map((mapper) => ({ mapper, label: mapper.class.name })),
      ...subclasses.selectin.map((mapper) => ({ mapper, label: `what ${mapper.class.name} adds` })),
    ];
  }

  get isEmpty(): boolean {
    const { nodes, others, everywhere, subclasses, columns } = this.#parts;
    const saysNothing = nodes.size === 0 && others.size === 0 && everywhere === undefined && columns.size === 0;
    return saysNothing && subclasses.inline.length === 0 && subclasses.selectin.length === 0;
  }

  get subclasses(): SubclassesAlong {
    return this.#parts.subclasses;
  }

  /** The same, and the columns of these subclasses are loaded along. */
  withSubclasses({ inline = [], selectin = [] }: Partial<SubclassesAlong>): LoaderTree {
    if (inline.length === 0 && selectin.length === 0) return this;
    const before = this.#parts.subclasses;
    const subclasses = {
      inline: [...new Set([...before.inline, ...inline])],
      selectin: [...new Set([...before.selectin, ...selectin])],
    };
    return this.#with({ subclasses });
  }

  /** What is said of a relationship by its name. */
  node(property: RelationshipProperty): LoaderNode {
    const { strategy, where } = this.#parts.nodes.get(property) ?? {};
    return { property, strategy, where, related: this.related(property) };
  }

  /** The way in which a relationship of instances of a class is loaded where it is not named; undefined where nothing is said of it. */
  wayOfOthers(property: RelationshipProperty, mapper: Mapper): object | undefined {
    if (property.options.lazy === "writeOnly") return undefined;
    const { others, everywhere } = this.#parts;
    const said = [...others].findLast(([of]) => property.parent.isA(of) || (mapper.isA(of) && of.isA(property.parent)));
    return said?.[1] ?? everywhere;
  }

  /** Whether something is said of relationships that are not named. */
  get hasOthers(): boolean {
    return this.#parts.others.size > 0 || this.#parts.everywhere !== undefined;
  }

  /** The way in which relationships of all classes are loaded that nothing else is said of. */
  get everywhere(): object | undefined {
    return this.#parts.everywhere;
  }

  /** Whether something is said of columns. */
  get hasColumns(): boolean {
    return this.#parts.columns.size > 0;
  }

  /** How a column is left out of the rows of a class; undefined where it is not. */
  deferralOf(property: ColumnProperty, mapper: Mapper): Deferral | undefined {
    let deferral = property.column.options.deferred;
    for (const [of, choice] of this.#parts.columns) {
      const isOwn = of.column(property.key)?.column === property.column;
      // What is said of a subclass is said of what it adds.
      if (isOwn && (mapper.isA(of) || mapper.ownColumns.indexOf(property) === -1))
        deferral = chosenDeferral(property, choice, deferral);
    }
    return deferral;
  }

  /** The same, and this is said of the columns of a class. */
  withColumns(mapper: Mapper, choice: ColumnChoice): LoaderTree {
    const { columns } = this.#parts;
    return this.#with({ columns: new Map(columns).set(mapper, mergedChoice(columns.get(mapper) ?? {}, choice)) });
  }

  /** What is said of the instances at the other end of a relationship. */
  related(property: RelationshipProperty): LoaderTree {
    const { nodes, everywhere } = this.#parts;
    const related = nodes.get(property)?.related ?? LoaderTree.empty;
    return everywhere === undefined ? related : related.#with({ everywhere: related.#parts.everywhere ?? everywhere });
  }

  /** The same, and a relationship is loaded in this way, with the related rows that are meant. */
  withStrategy(property: RelationshipProperty, strategy: object, where?: RelatedFilter): LoaderTree {
    return this.#withNode({ property, strategy, where, related: this.#own(property) });
  }

  /** The same, and the relationships of a class that are not named are loaded in this way. */
  withOthers(mapper: Mapper, strategy: object): LoaderTree {
    const others = new Map(this.#parts.others);
    // What is said last stands last.
    others.delete(mapper);
    return this.#with({ others: others.set(mapper, strategy) });
  }

  /** The same, and relationships that nothing else is said of are loaded in this way, of whatever class. */
  withEverywhere(strategy: object): LoaderTree {
    return this.#with({ everywhere: strategy });
  }

  /** The same, with a change of what is said of the instances that these relationships lead to. */
  changedAt(path: readonly RelationshipProperty[], change: (tree: LoaderTree) => LoaderTree): LoaderTree {
    const [property, ...rest] = path;
    if (property === undefined) return change(this);
    const related = this.#own(property).changedAt(rest, change);
    const { strategy, where } = this.#parts.nodes.get(property) ?? {};
    return this.#withNode({ property, strategy, where, related });
  }

  /** What both say. Where they contradict each other, the other one holds, which was said later. */
  mergedWith(later: LoaderTree): LoaderTree {
    if (this.isEmpty) return later;
    const { nodes, others, everywhere, subclasses, columns } = later.#parts;
    let merged = this.withSubclasses(subclasses).#with({ everywhere: everywhere ?? this.#parts.everywhere });
    for (const [mapper, choice] of columns) merged = merged.withColumns(mapper, choice);
    for (const [mapper, strategy] of others) merged = merged.withOthers(mapper, strategy);
    for (const node of nodes.values()) {
      const { property } = node;
      const said = node.strategy === undefined ? this.#parts.nodes.get(property) : node;
      const related = this.#own(property).mergedWith(node.related);
      merged = merged.#withNode({ property, strategy: said?.strategy, where: said?.where, related });
    }
    return merged;
  }

  /** What is said of instances of a class. */
  of(mapper: Mapper): LoaderTree {
    const { nodes, others, subclasses, columns } = this.#parts;
    const inline = subclasses.inline.filter((subclass) => subclass.isA(mapper));
    const selectin = subclasses.selectin.filter((subclass) => subclass.isA(mapper));
    const isWhole = inline.length === subclasses.inline.length && selectin.length === subclasses.selectin.length;
    if (isWhole && this.subjects.every((said) => concerns(said.mapper, mapper))) return this;
    return this.#with({
      subclasses: { inline, selectin },
      nodes: new Map([...nodes].filter(([{ parent }]) => concerns(parent, mapper))),
      others: new Map([...others].filter(([said]) => concerns(said, mapper))),
      columns: new Map([...columns].filter(([said]) => concerns(said, mapper))),
    });
  }

  /** The same without what is said of relationships of other names. */
  only(names: readonly string[]): LoaderTree {
    return this.#with({ nodes: new Map([...this.#parts.nodes].filter(([{ key }]) => names.includes(key))) });
  }

  /** The same without ways of loading relationships, and what it says of the instances that those lead to all the same. */
  withoutStrategies(isLeftOut: (strategy: object) => boolean): LoaderTree {
    const nodes = [...this.#parts.nodes.values()];
    if (!nodes.some(({ strategy }) => strategy !== undefined && isLeftOut(strategy))) return this;
    const kept = nodes.flatMap((node) => {
      if (node.strategy === undefined || !isLeftOut(node.strategy)) return node;
      return node.related.isEmpty ? [] : { ...node, strategy: undefined, where: undefined };
    });
    return this.#with({ nodes: new Map(kept.map((node) => [node.property, node])) });
  }

  /** What is said of the instances at the other end of a relationship by a path that leads there. */
  #own(property: RelationshipProperty): LoaderTree {
    return this.#parts.nodes.get(property)?.related ?? LoaderTree.empty;
  }

  #withNode(node: LoaderNode): LoaderTree {
    return this.#with({ nodes: new Map(this.#parts.nodes).set(node.property, node) });
  }

  #with(parts: Partial<LoaderTreeParts>): LoaderTree {
    return new LoaderTree({ ...this.#parts, ...parts });
  }
}
