import {
  AliasNode,
  BinaryOperationNode,
  type ColumnNode,
  createQueryId,
  FromNode,
  GroupByItemNode,
  IdentifierNode,
  type JoinNode,
  LimitNode,
  OffsetNode,
  type OperationNode,
  OperatorNode,
  OrderByItemNode,
  OrderByNode,
  QueryNode,
  RawNode,
  type RootOperationNode,
  SelectionNode,
  SelectModifierNode,
  SelectQueryNode,
  ValueNode,
} from "kysely";
import { ArgumentError, AthanorError } from "../event/errors.ts";
import type { Codec, Dialect } from "../engine/dialect.ts";
import { describeAccepted, isAccepted } from "../mapping/column-type.ts";
import type { ColumnProperty, Mapper } from "../mapping/mapper.ts";
import { columnNode } from "./table-node.ts";
import type { EagerJoin } from "./eager-join.ts";
import { aliasColumn, type NamedSource, rootSource } from "./entity-alias.ts";
import { entityNode, selectedNames } from "./entity-node.ts";
import { conditionNode, describeGiven } from "./expression.ts";
import type { Select } from "./select.ts";
import { Bind, bindNode, Structure } from "./structure.ts";

/** A statement's text, and where each of its parameters comes from. */
export interface Compiled {
  readonly sql: string;
  /** In the order of the text: the index of a bind of the statement, or a value that is always the same. */
  readonly parameters: readonly (
    | { readonly bind: number; readonly codec: Codec | undefined }
    | { readonly constant: unknown }
  )[];
}

/** How many texts are kept for each database; the oldest goes first. */
const CACHE_SIZE = 1000;

const caches = new WeakMap<Dialect, Map<string, Compiled>>();

/** The text of a SELECT of instances, kept by the statement's structure, and the parameters for this very statement. */
export function compileSelect(
  select: Select<unknown>,
  dialect: Dialect,
  given: Readonly<Record<string, unknown>> | undefined,
): { readonly sql: string; readonly parameters: unknown[] } {
  const structure = new Structure();
  select.structure(structure);
  return compileCached(structure, () => selectNode(select), dialect, given);
}

/** The text of any statement of ours, kept by its structure, and the parameters for this very one. */
export function compileCached(
  structure: Structure,
  node: () => OperationNode,
  dialect: Dialect,
  given: Readonly<Record<string, unknown>> | undefined,
): { readonly sql: string; readonly parameters: unknown[] } {
  const cache = cacheOf(dialect);
  let compiled = structure.isCacheable ? cache.get(structure.key) : undefined;
  if (compiled === undefined) {
    compiled = compile(node(), structure.binds, dialect);
    if (structure.isCacheable) {
      if (cache.size >= CACHE_SIZE) cache.delete(cache.keys().next().value as string);
      cache.set(structure.key, compiled);
    }
  }
  return { sql: compiled.sql, parameters: bindParameters(compiled, structure.binds, dialect, given) };
}

/** Any node of Kysely's with its values, as users write them with the `sql` tag. */
export function compileForeign(
  node: OperationNode,
  dialect: Dialect,
): { readonly sql: string; readonly parameters: unknown[] } {
  const compiled = compile(node, [], dialect);
  return { sql: compiled.sql, parameters: bindParameters(compiled, [], dialect, undefined) };
}

interface TextByKey {
  readonly text: string;
  /** How many classes the hierarchy had: those that are declared later belong into the text. */
  readonly identities: number;
}

const textsByKey = new WeakMap<Dialect, WeakMap<Mapper, TextByKey>>();

/** The text of a SELECT of all columns of one row, found by its key. The key's values are its only parameters. */
export function selectAllByKeyText(mapper: Mapper, dialect: Dialect): string {
  let byMapper = textsByKey.get(dialect);
  if (byMapper === undefined) textsByKey.set(dialect, (byMapper = new WeakMap()));
  const known = byMapper.get(mapper);
  const identities = mapper.declaration.identities.size;
  if (known !== undefined && known.identities === identities) return known.text;
  const text = selectByKeyText(mapper, mapper.columnProperties, dialect);
  byMapper.set(mapper, { text, identities });
  return text;
}

/** The same, of some columns. */
export function selectByKeyText(mapper: Mapper, properties: readonly ColumnProperty[], dialect: Dialect): string {
  const conditions = mapper.primaryKey.map(({ source }, index) =>
    BinaryOperationNode.create(
      columnNode(source.table, source.column.name),
      OperatorNode.create("="),
      ValueNode.create(index),
    ),
  );
  const [first, ...rest] = conditions;
  const node = rest.reduce(
    (query, condition) => QueryNode.cloneWithWhere(query, condition),
    QueryNode.cloneWithWhere(entityNode(mapper, properties), first as OperationNode),
  );
  const { sql, parameters } = dialect.compiler.compileQuery(node, createQueryId());
  // Whoever runs the text has the key only.
  if (parameters.length !== conditions.length || parameters.some((parameter, index) => parameter !== index))
    throw new AthanorError("A SELECT by key has other parameters than its key.");
  return sql;
}

function compile(node: OperationNode, binds: readonly Bind[], dialect: Dialect): Compiled {
  const { sql, parameters } = dialect.compiler.compileQuery(node as RootOperationNode, createQueryId());
  return {
    sql,
    parameters: parameters.map((parameter) => {
      if (!(parameter instanceof Bind)) return { constant: parameter };
      const index = binds.indexOf(parameter);
      // The text would serve other statements with the value of this one.
      if (index === -1)
        throw new AthanorError("A part of a statement left out one of its values when it told its structure.");
      return { bind: index, codec: codecOf(parameter, dialect) };
    }),
  };
}

function bindParameters(
  compiled: Compiled,
  binds: readonly Bind[],
  dialect: Dialect,
  given: Readonly<Record<string, unknown>> | undefined,
): unknown[] {
  return compiled.parameters.map((parameter) => {
    if ("constant" in parameter) return convert(parameter.constant, plainCodec(parameter.constant, dialect));
    const { value, name, type } = binds[parameter.bind] as Bind;
    if (name === undefined) return convert(value, parameter.codec ?? plainCodec(value, dialect));
    if (given === undefined || !Object.hasOwn(given, name)) {
      throw new ArgumentError(
        `The statement needs a value for bindparam("${name}"). Give it with the execution: session.scalars(statement, { ${name}: … }).`,
      );
    }
    const own = given[name];
    if (own === undefined || (own !== null && type !== undefined && !isAccepted(type, own))) {
      throw new ArgumentError(
        `The statement was given ${describeGiven(own)} for bindparam("${name}"), which is compared with a column that holds ` +
          `${type === undefined ? "a value" : describeAccepted(type)}. Convert it first.`,
      );
    }
    return convert(own, parameter.codec ?? plainCodec(own, dialect));
  });
}

function convert(value: unknown, codec: Codec | undefined): unknown {
  return value == null || codec?.toDriver === undefined ? (value ?? null) : codec.toDriver(value);
}

function codecOf({ type }: Bind, dialect: Dialect): Codec | undefined {
  return type === undefined ? undefined : dialect.codec(type);
}

/** A value that is compared with no column of ours is converted by what it is. */
function plainCodec(value: unknown, dialect: Dialect): Codec | undefined {
  if (typeof value === "boolean") return dialect.codec({ kind: "boolean" });
  if (typeof value === "bigint") return dialect.codec({ kind: "bigint" });
  if (value instanceof Date) return dialect.codec({ kind: "timestamp" });
  if (value instanceof Uint8Array) return dialect.codec({ kind: "bytes" });
  return undefined;
}

/** Some databases take no OFFSET without a LIMIT, and none has more rows. */
const everything = RawNode.createWithSql("9223372036854775807");

/** @param keepBinds values stay where a later execution puts in others; without, as for Kysely, they stand for themselves */
export function selectNode(select: Select<unknown, any, any>, keepBinds = true): SelectQueryNode {
  const { parts } = select;
  const { joins = [], links } = parts;
  const orderings = parts.orderBy.map((ordering) => {
    const item = ordering.toOperationNode(keepBinds);
    return OrderByItemNode.is(item) ? item : OrderByItemNode.create(item);
  });
  const root = rootSource(parts);
  let node = rootNode(select, parts.selected === undefined ? select.properties : []);
  const { selected, groupBy = [] } = parts;
  if (selected !== undefined)
    node = withColumns(
      node,
      selected.expressions.map((expression, index) =>
        aliased(expression.toOperationNode(keepBinds), `column_${index + 1}`),
      ),
    );
  if (parts.isDistinct === true) node = { ...node, frontModifiers: [SelectModifierNode.create("Distinct")] };
  for (const source of parts.sources ?? []) node = withJoins(node, source.joinNodes(keepBinds));
  if (parts.where !== undefined) node = QueryNode.cloneWithWhere(node, conditionNode(parts.where, keepBinds));
  if (groupBy.length > 0) {
    const items = groupBy.map((grouped) => GroupByItemNode.create(grouped.toOperationNode(keepBinds) as never));
    node = SelectQueryNode.cloneWithGroupByItems(node, items);
  }
  if (parts.having !== undefined) node = SelectQueryNode.cloneWithHaving(node, conditionNode(parts.having, keepBinds));
  const isLimited = parts.limit !== undefined || parts.offset !== undefined;
  // A limit counts instances, and joined rows must not come into it.
  node = withColumns(
    node,
    (links ?? []).map((link, index) => aliased(link.toOperationNode(), linkName(index))),
  );
  if (isLimited && joins.length > 0)
    return joinedToLimited(select, limited(node, parts, orderings, keepBinds), orderings);
  node = withColumns(node, joinSelections(joins));
  for (const join of joins) node = withJoins(node, join.joinNodes(root, keepBinds));
  const eager = joins.flatMap((join) => join.orderNodes()).map((by) => OrderByItemNode.create(by));
  return limited(node, parts, [...orderings, ...eager], keepBinds);
}

/** The class of a statement, under its own name or another one. */
function rootNode(
  { mapper, parts }: Select<unknown, any, any>,
  properties: readonly ColumnProperty[],
): SelectQueryNode {
  const { alias } = parts;
  if (alias === undefined) return entityNode(mapper, properties, parts.from);
  const names = selectedNames(properties);
  const node: SelectQueryNode = { kind: "SelectQueryNode", from: FromNode.create([alias.sourceNode()]) };
  return withColumns(
    node,
    properties.map((property, index) => aliased(alias.column(property), names[index] as string)),
  );
}

/** A statement with a limit as a subquery, and the related rows joined to what it finds. */
function joinedToLimited(
  { properties: columns, parts: { joins = [], links = [] } }: Select<unknown>,
  inner: SelectQueryNode,
  orderings: readonly OrderByItemNode[],
): SelectQueryNode {
  const names = selectedNames(columns);
  const outer: NamedSource = {
    name: "limited",
    column: ({ slot }) =>
      aliasColumn("limited", names[columns.findIndex((property) => property.slot === slot)] as string),
  };
  // The order of what was found is that of the whole: what it was ordered by goes along as columns.
  const keys = orderings.map((item, index) => ({ item, name: `order_${index + 1}` }));
  const found = withColumns(
    inner,
    keys.map(({ item, name }) => aliased(item.orderBy, name)),
  );
  let node: SelectQueryNode = {
    kind: "SelectQueryNode",
    from: FromNode.create([AliasNode.create(found, IdentifierNode.create(outer.name))]),
    selections: columns.map((property) => SelectionNode.create(outer.column(property) as ColumnNode)),
  };
  node = withColumns(
    node,
    links.map((_, index) => SelectionNode.create(aliasColumn(outer.name, linkName(index)) as ColumnNode)),
  );
  node = withColumns(node, joinSelections(joins));
  for (const join of joins) node = withJoins(node, join.joinNodes(outer, true));
  const eager = joins.flatMap((join) => join.orderNodes()).map((by) => OrderByItemNode.create(by));
  return ordered(node, [
    ...keys.map(({ item, name }) => ({ ...item, orderBy: aliasColumn(outer.name, name) })),
    ...eager,
  ]);
}

function linkName(index: number): string {
  return `link_${index + 1}`;
}

function joinSelections(joins: readonly EagerJoin[]): readonly SelectionNode[] {
  return joins.flatMap((join) => join.selectionNodes());
}

function aliased(node: OperationNode, name: string): SelectionNode {
  return SelectionNode.create(AliasNode.create(node, IdentifierNode.create(name)));
}

function withColumns(node: SelectQueryNode, selections: readonly SelectionNode[]): SelectQueryNode {
  return selections.length === 0 ? node : { ...node, selections: [...(node.selections ?? []), ...selections] };
}

function withJoins(node: SelectQueryNode, joins: readonly JoinNode[]): SelectQueryNode {
  return { ...node, joins: [...(node.joins ?? []), ...joins] };
}

function ordered(node: SelectQueryNode, orderings: readonly OrderByItemNode[]): SelectQueryNode {
  return orderings.length === 0 ? node : { ...node, orderBy: OrderByNode.create(orderings) };
}

function limited(
  given: SelectQueryNode,
  { limit, offset }: Select<unknown>["parts"],
  orderings: readonly OrderByItemNode[],
  keepBinds: boolean,
): SelectQueryNode {
  let node = ordered(given, orderings);
  if (limit === undefined && offset !== undefined)
    node = SelectQueryNode.cloneWithLimit(node, LimitNode.create(everything));
  if (limit !== undefined) node = SelectQueryNode.cloneWithLimit(node, LimitNode.create(bindNode(limit, keepBinds)));
  if (offset !== undefined)
    node = SelectQueryNode.cloneWithOffset(node, OffsetNode.create(bindNode(offset, keepBinds)));
  return node;
}

function cacheOf(dialect: Dialect): Map<string, Compiled> {
  let cache = caches.get(dialect);
  if (cache === undefined) caches.set(dialect, (cache = new Map()));
  return cache;
}
