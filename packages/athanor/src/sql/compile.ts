import {
  AliasNode,
  BinaryOperationNode,
  type ColumnNode,
  createQueryId,
  FromNode,
  IdentifierNode,
  JoinNode,
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
  SelectQueryNode,
  ValueListNode,
  ValueNode,
  WhereNode,
} from "kysely";
import { ArgumentError, AthanorError } from "../event/errors.ts";
import type { Codec, Dialect } from "../engine/dialect.ts";
import { describeAccepted, isAccepted } from "../mapping/column-type.ts";
import type { ColumnProperty, Mapper } from "../mapping/mapper.ts";
import type { Table } from "../mapping/table.ts";
import { columnNode, tableNode } from "./attribute.ts";
import { describeGiven } from "./expression.ts";
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
  const cache = cacheOf(dialect);
  let compiled = structure.isCacheable ? cache.get(structure.key) : undefined;
  if (compiled === undefined) {
    compiled = compile(selectNode(select), structure.binds, dialect);
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
  return dialect.compiler.compileQuery(node, createQueryId()).sql;
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

function selectNode(select: Select<unknown>): SelectQueryNode {
  const { mapper, parts } = select;
  let node = entityNode(mapper, select.columns, parts.from);
  if (parts.where !== undefined) node = QueryNode.cloneWithWhere(node, parts.where.toOperationNode(true));
  if (parts.orderBy.length > 0) {
    const items = parts.orderBy.map((ordering) => {
      const item = ordering.toOperationNode(true);
      return OrderByItemNode.is(item) ? item : OrderByItemNode.create(item);
    });
    node = { ...node, orderBy: OrderByNode.create(items) };
  }
  if (parts.limit === undefined && parts.offset !== undefined)
    node = SelectQueryNode.cloneWithLimit(node, LimitNode.create(everything));
  if (parts.limit !== undefined)
    node = SelectQueryNode.cloneWithLimit(node, LimitNode.create(bindNode(parts.limit, true)));
  if (parts.offset !== undefined)
    node = SelectQueryNode.cloneWithOffset(node, OffsetNode.create(bindNode(parts.offset, true)));
  return node;
}

/** SELECT … FROM the tables of a class, and only the rows that are of it where it shares a table. */
function entityNode(
  mapper: Mapper,
  properties: readonly ColumnProperty[],
  beside: readonly Table[] = [],
): SelectQueryNode {
  const names = new Set<string>();
  const selections = properties.map(({ source }) => {
    const { name } = source.column;
    const column = columnNode(source.table, name);
    // Two columns of one name, from the two tables of a joined subclass: drivers that return objects would lose one.
    const selected = names.has(name)
      ? AliasNode.create(column, IdentifierNode.create(`${source.table.name}_${name}`))
      : column;
    names.add(name);
    return SelectionNode.create(selected as ColumnNode);
  });
  const [root, ...joined] = mapper.tables;
  let node: SelectQueryNode = {
    kind: "SelectQueryNode",
    from: FromNode.create([root as Table, ...beside].map(tableNode)),
    selections,
  };
  for (const table of joined)
    node = QueryNode.cloneWithJoin(
      node,
      JoinNode.createWithOn("InnerJoin", tableNode(table), joinCondition(mapper, table)),
    );
  const identities = sharedTableIdentities(mapper);
  if (identities !== undefined && mapper.polymorphicOn !== undefined) {
    const { source } = mapper.polymorphicOn;
    const list = ValueListNode.create(identities.map((identity) => ValueNode.createImmediate(identity)));
    const condition = BinaryOperationNode.create(
      columnNode(source.table, source.column.name),
      OperatorNode.create("in"),
      list,
    );
    node = { ...node, where: WhereNode.create(condition) };
  }
  return node;
}

/** The subclass's key is its parent's. */
function joinCondition(mapper: Mapper, table: Mapper["table"]): OperationNode {
  const conditions = mapper.primaryKey.map(({ source, stored }) => {
    const own = stored.find((place) => place.table === table)?.column.name ?? source.column.name;
    return BinaryOperationNode.create(
      columnNode(table, own),
      OperatorNode.create("="),
      columnNode(source.table, source.column.name),
    );
  });
  return conditions.reduce((left, right) => ({ kind: "AndNode", left, right }) as never);
}

/** The identities whose rows are of this class, where its table holds rows of others too. */
function sharedTableIdentities(mapper: Mapper): readonly string[] | undefined {
  if (mapper.declaration.hasOwnTable) return undefined;
  const own: string[] = [];
  for (const [identity, declaration] of mapper.declaration.identities) {
    for (let current: typeof declaration | undefined = declaration; current !== undefined; current = current.parent) {
      if (current === mapper.declaration) own.push(identity);
    }
  }
  return own;
}

function cacheOf(dialect: Dialect): Map<string, Compiled> {
  let cache = caches.get(dialect);
  if (cache === undefined) caches.set(dialect, (cache = new Map()));
  return cache;
}
