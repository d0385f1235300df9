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
  type RootOperationNode,
  SelectionNode,
  SelectQueryNode,
  ValueListNode,
  ValueNode,
  WhereNode,
} from "kysely";
import { ArgumentError } from "../event/errors.ts";
import type { Codec, Dialect } from "../engine/dialect.ts";
import type { ColumnProperty, Mapper } from "../mapping/mapper.ts";
import { columnNode, tableNode } from "./attribute.ts";
import { type Select, limitBind } from "./select.ts";
import { type Bind, bindNode, isBind, Structure } from "./structure.ts";

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

/** The text of a SELECT of some columns of one row, found by its key. The key's values are its only parameters. */
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
      if (!isBind(parameter)) return { constant: parameter };
      const index = binds.indexOf(parameter);
      // A bind that was not met while the structure was told is one that cannot change, and so is a constant.
      if (index === -1) return { constant: convert(parameter.value, codecOf(parameter, dialect)) };
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
    const { value, name } = binds[parameter.bind] as Bind;
    if (name === undefined) return convert(value, parameter.codec ?? plainCodec(value, dialect));
    if (given === undefined || !Object.hasOwn(given, name)) {
      throw new ArgumentError(
        `The statement needs a value for bindparam("${name}"). Give it with the execution: session.scalars(statement, { ${name}: … }).`,
      );
    }
    return convert(given[name], parameter.codec ?? plainCodec(given[name], dialect));
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

function selectNode(select: Select<unknown>): SelectQueryNode {
  const { mapper, parts } = select;
  let node = entityNode(mapper, select.columns);
  if (parts.where !== undefined) node = QueryNode.cloneWithWhere(node, parts.where.toOperationNode(true));
  if (parts.orderBy.length > 0) {
    const items = parts.orderBy.map((ordering) => {
      const item = ordering.toOperationNode(true);
      return OrderByItemNode.is(item) ? item : OrderByItemNode.create(item);
    });
    node = { ...node, orderBy: OrderByNode.create(items) };
  }
  if (parts.limit !== undefined)
    node = SelectQueryNode.cloneWithLimit(node, LimitNode.create(bindNode(limitBind(parts.limit), true)));
  if (parts.offset !== undefined)
    node = SelectQueryNode.cloneWithOffset(node, OffsetNode.create(bindNode(limitBind(parts.offset), true)));
  return node;
}

/** SELECT … FROM the tables of a class, and only the rows that are of it where it shares a table. */
function entityNode(mapper: Mapper, properties: readonly ColumnProperty[]): SelectQueryNode {
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
    from: FromNode.create([tableNode(root as Mapper["table"])]),
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
    const list = ValueListNode.create(identities.map((identity) => ValueNode.create(identity)));
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
