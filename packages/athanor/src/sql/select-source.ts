import { JoinNode } from "kysely";
import { closestName } from "../event/closest-name.ts";
import { ArgumentError } from "../event/errors.ts";
import type { InstrumentedClass } from "../instance/instrumentation.ts";
import { mapperOf } from "../mapping/configure-mappers.ts";
import type { Mapper } from "../mapping/mapper.ts";
import type { RelationshipProperty } from "../mapping/relationship-property.ts";
import { Aliased } from "./aliased.ts";
import { EntityAlias, type NamedSource, rootSource } from "./entity-alias.ts";
import { conjunction } from "./conditions.ts";
import { conditionNode, describeGiven, type Expression, expectExpression, type Restriction } from "./expression.ts";
import { relatedCondition } from "./related-condition.ts";
import { allOf, outerRelatedSource, type RelatedSource, relatedSources } from "./related-rows.ts";
import type { Select } from "./select.ts";
import type { RowSource } from "./row-source.ts";
import type { Structure } from "./structure.ts";
import { scopeOf, Subquery } from "./table-subquery.ts";
import { expectOfType } from "./of-type.ts";

/** How rows of another class come beside those of a statement. */
export interface SourceParts {
  readonly rows: RowSource;
  /** Rows that have none beside them stay. */
  readonly isOuter: boolean;
  /** The relationship that leads there, and from where. */
  readonly along: { readonly property: RelationshipProperty; readonly from: NamedSource } | undefined;
  /** What must hold besides, or alone where no relationship leads there. */
  readonly on: Expression<boolean> | undefined;
}

/** What `join` and `outerJoin` were given, as a source of its own name. */
export function newSource(
  select: Select<unknown>,
  method: string,
  [target, by, more]: readonly unknown[],
): Omit<SourceParts, "isOuter"> {
  if (typeof target === "string") {
    expectClass(select, method);
    const property = expectRelationship(select.mapper, target, method);
    return alongRelationship(select, property, rootSource(select.parts), entityOf(property, by, method));
  }
  const given = target instanceof Aliased ? target : undefined;
  const subquery = target instanceof Subquery ? target.source : undefined;
  const named = given?.alias ?? subquery;
  const known = given ?? subquery;
  const mapper = known === undefined ? mapperOf(target as InstrumentedClass) : known.mapper;
  if (typeof by === "string" && mapper !== undefined && subquery === undefined) {
    const property = expectRelationship(mapper, by, method);
    return alongRelationship(select, property, findSource(select, mapper, method), entityOf(property, more, method));
  }
  const label = mapper?.class.name ?? `"${named?.name ?? ""}"`;
  if (typeof by !== "function") {
    throw new ArgumentError(
      `${method}(${label}, …) takes ${target instanceof Subquery ? "" : `the name of a relationship of ${label}, or `}a function that returns the condition under which its rows belong beside those ` +
        `of the statement, and got ${by === undefined ? "nothing" : describeGiven(by)}.`,
    );
  }
  const rows = subquery ?? aliasOf(select, given ?? new Aliased(mapper as Mapper, undefined));
  if (named !== undefined) expectFreeName(select, named);
  const scope = [...select.scope, scopeOf(rows)];
  return { rows, along: undefined, on: expectExpression((by as (...scope: unknown[]) => unknown)(...scope)) };
}

function alongRelationship(
  select: Select<unknown>,
  property: RelationshipProperty,
  from: NamedSource,
  entity: Aliased<unknown>,
): Omit<SourceParts, "isOuter"> {
  const rows = aliasOf(select, entity);
  if (entity.alias !== undefined) expectFreeName(select, entity.alias);
  return { rows, along: { property, from }, on: relatedCondition(property, rows) };
}

function expectFreeName({ sourceNames }: Select<unknown>, { name, mapper }: RowSource): void {
  if (!sourceNames.includes(name)) return;
  throw new ArgumentError(
    `The statement reads something under the name "${name}" already, so nobody could tell the two apart. Give one of them another name: aliased(${mapper?.class.name ?? "User"}, "other"), or subquery.alias("other").`,
  );
}

function expectClass({ parts: { derived } }: Select<unknown>, method: string): void {
  if (derived === undefined) return;
  throw new ArgumentError(
    `${method}() goes along relationships of the class that a statement selects, and this one selects the columns of "${derived.name}". Join a class by a condition: ${method}(Other, (here, other) => …).`,
  );
}

/** The class at the other end of a relationship, as the options of a join say. */
function entityOf(property: RelationshipProperty, options: unknown, method: string): Aliased<unknown> {
  if (options === undefined) return new Aliased(property.target, undefined);
  if (typeof options === "object" && options !== null && "ofType" in options)
    return expectOfType(property.target, options.ofType, `${method}("${property.key}", { ofType: … })`);
  throw new ArgumentError(
    `${method}("${property.key}", …) takes an option, { ofType: … } with a subclass of ${property.target.class.name}, and got ${describeGiven(options)}.`,
  );
}

function aliasOf(select: Select<unknown>, { mapper, alias, polymorphic }: Aliased<unknown>): EntityAlias {
  const name = freeName(select, mapper);
  return alias ?? polymorphic?.aliasAs(name) ?? new EntityAlias(mapper, name);
}

function expectRelationship(mapper: Mapper, name: string, method: string): RelationshipProperty {
  const property = mapper.relationships.find(({ key }) => key === name);
  if (property !== undefined) return property;
  const names = mapper.relationships.map(({ key }) => key);
  const closest = closestName(name, names);
  throw new ArgumentError(
    `${method}() goes along a relationship, and "${name}" is none of ${mapper.class.name}. ` +
      (closest !== undefined
        ? `Did you mean "${closest}"?`
        : names.length > 0
          ? `It has ${names.join(", ")}.`
          : `It has none; join a class by a condition: ${method}(Other, (here, other) => …).`),
  );
}

/** Where the rows of a class come from that a statement reads already: the last one, where there are several. Instances in the rows of subqueries come last. */
function findSource(select: Select<unknown>, mapper: Mapper, method: string): NamedSource {
  const beside = (select.parts.sources ?? []).findLast(
    ({ parts: { rows } }) => rows instanceof EntityAlias && rows.columns.covers(mapper),
  );
  if (beside !== undefined) return beside.parts.rows as EntityAlias;
  if (select.parts.derived === undefined && select.entityColumns.covers(mapper)) return rootSource(select.parts);
  const within = select.subqueries.flatMap(({ selected }) => selected?.entities ?? []);
  const inRow = within.findLast(({ columns }) => columns.covers(mapper))?.alias;
  if (inRow !== undefined) return inRow;
  throw new ArgumentError(
    `${method}(${mapper.class.name}, …) starts at ${mapper.class.name}, which the statement does not read. Join that first.`,
  );
}

/** The table's own name, where nothing else in the statement has it. */
function freeName({ sourceNames, parts }: Select<unknown>, target: Mapper): string {
  const taken = new Set([...sourceNames, ...(parts.from ?? []).map(({ name }) => name)]);
  const { name } = target.table;
  let free = name;
  for (let number = 2; taken.has(free); number++) free = `${name}__${number}`;
  return free;
}

/** What criteria say of a class that is read. They have reached inside of what another statement finds, and say nothing more of it. */
export function hiddenOf(
  mapper: Mapper,
  alias: EntityAlias | undefined,
  restriction: Restriction,
): Expression<boolean> | undefined {
  return alias?.rows === undefined ? restriction(mapper, alias) : undefined;
}

/** A class that a statement reads beside its own, to compare and to order by: what `join` and `outerJoin` add. */
export class SelectSource {
  readonly parts: SourceParts;

  constructor(parts: SourceParts) {
    this.parts = parts;
  }

  structure(into: Structure): void {
    const { rows, isOuter, along, on } = this.parts;
    rows.structure(into.add(isOuter ? " outer join" : " join"));
    if (along !== undefined)
      into.add(` = ${along.property.parent.serial}.${along.property.key} of ${along.from.place}`);
    if (on !== undefined) on.structure(into.add(" on "));
  }

  joinNodes(keepBinds: boolean): readonly JoinNode[] {
    const { isOuter, on } = this.parts;
    const sources = this.#related(keepBinds);
    return sources.map(({ node, on: related }, index) => {
      const isLast = index === sources.length - 1;
      const conditions = [
        ...(related === undefined ? [] : [related]),
        ...(isLast && on !== undefined ? [conditionNode(on, keepBinds)] : []),
      ];
      return JoinNode.createWithOn(isOuter ? "LeftJoin" : "InnerJoin", node, allOf(conditions));
    });
  }

  /** The same, without rows that must not be seen: of an outer join they are as if they were not there. */
  restrictedBy(restriction: Restriction): SelectSource {
    const rows = this.parts.rows.restrictedBy(restriction);
    const hidden = rows instanceof EntityAlias ? hiddenOf(rows.mapper, rows, restriction) : undefined;
    const on = this.parts.on?.restrictedBy(restriction);
    return new SelectSource({ ...this.parts, rows, on: hidden === undefined ? on : conjunction(on, hidden) });
  }

  #related(
    keepBinds: boolean,
  ): readonly (RelatedSource | { readonly node: RelatedSource["node"]; readonly on?: undefined })[] {
    const { rows, along, isOuter } = this.parts;
    if (along === undefined) return [{ node: rows.sourceNode(keepBinds) }];
    const alias = rows as EntityAlias;
    const { property, from } = along;
    if (isOuter && property.secondary !== undefined) return [outerRelatedSource(property, from, alias)];
    return relatedSources(property, from, alias);
  }
}
