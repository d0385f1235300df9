import {
  BinaryOperationNode,
  createQueryId,
  type OperationNode,
  OperatorNode,
  QueryNode,
  type RootOperationNode,
  ValueNode,
} from "kysely";
import { ArgumentError, AthanorError } from "../event/errors.ts";
import type { Codec, Dialect } from "../engine/dialect.ts";
import { describeAccepted, isAccepted } from "../mapping/column-type.ts";
import type { EntityColumns } from "../mapping/entity-columns.ts";
import type { ColumnProperty, Mapper } from "../mapping/mapper.ts";
import { ColumnTypeNames } from "./column-type-node.ts";
import { columnNode } from "./table-node.ts";
import { entityNode } from "./entity-node.ts";
import { describeGiven } from "./expression.ts";
import type { Select } from "./select.ts";
import { selectNode } from "./select-node.ts";
import { Bind, Structure } from "./structure.ts";
import { withCommonTables } from "./with-common-tables.ts";

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
  return compileCached(structure, () => selectNode(select, true, dialect.traits.rowLocks), dialect, given);
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
    expectSupported(structure, dialect);
    compiled = compile(withCommonTables(node(), structure, true), structure, dialect);
    if (structure.isCacheable) {
      if (cache.size >= CACHE_SIZE) cache.delete(cache.keys().next().value as string);
      cache.set(structure.key, compiled);
    }
  }
  return { sql: compiled.sql, parameters: bindParameters(compiled, structure.binds, dialect, given) };
}

function expectSupported({ special }: Structure, { name, traits }: Dialect): void {
  if (special === undefined || traits.setOperationsAll) return;
  throw new ArgumentError(
    `The statement says ${special.toUpperCase()}, and ${name} has no such thing. Leave out the ALL, which then finds each row once.`,
  );
}

/** Any node of Kysely's with its values, as users write them with the `sql` tag. */
export function compileForeign(
  node: OperationNode,
  dialect: Dialect,
): { readonly sql: string; readonly parameters: unknown[] } {
  const compiled = compile(node, new Structure(), dialect);
  return { sql: compiled.sql, parameters: bindParameters(compiled, [], dialect, undefined) };
}

interface TextByKey {
  readonly text: string;
  /** How many classes the hierarchy had: those that are declared later belong into the text. */
  readonly identities: number;
}

const textsByKey = new WeakMap<Dialect, WeakMap<EntityColumns, TextByKey>>();

/** The text of a SELECT of all that is read of a class, of one row that is found by its key. The key's values are its only parameters. */
export function selectAllByKeyText({ columns, declaration }: Mapper, dialect: Dialect): string {
  let byColumns = textsByKey.get(dialect);
  if (byColumns === undefined) textsByKey.set(dialect, (byColumns = new WeakMap()));
  const known = byColumns.get(columns);
  const identities = declaration.identities.size;
  if (known !== undefined && known.identities === identities) return known.text;
  const text = textByKey(columns, dialect);
  byColumns.set(columns, { text, identities });
  return text;
}

/** The same, of some columns of the class. */
export function selectByKeyText(mapper: Mapper, properties: readonly ColumnProperty[], dialect: Dialect): string {
  return textByKey(mapper.ownColumns, dialect, properties);
}

function textByKey(columns: EntityColumns, dialect: Dialect, properties?: readonly ColumnProperty[]): string {
  const { mapper } = columns;
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
    QueryNode.cloneWithWhere(entityNode(columns, properties), first as OperationNode),
  );
  const { sql, parameters } = dialect.compiler.compileQuery(node, createQueryId());
  // Whoever runs the text has the key only.
  if (parameters.length !== conditions.length || parameters.some((parameter, index) => parameter !== index))
    throw new AthanorError("A SELECT by key has other parameters than its key.");
  return sql;
}

function compile(node: OperationNode, structure: Structure, dialect: Dialect): Compiled {
  const compilable = new CompilableNode(structure, dialect).transformNode(node);
  const { sql, parameters } = dialect.compiler.compileQuery(compilable as RootOperationNode, createQueryId());
  return {
    sql,
    parameters: parameters.map((parameter) =>
      parameter instanceof Bind
        ? { bind: expectPlace(structure, parameter), codec: codecOf(parameter, dialect) }
        : { constant: parameter },
    ),
  };
}

/** A node as a database's compiler takes it: values that are one are the same one, and types have their names. */
class CompilableNode extends ColumnTypeNames {
  readonly #structure: Structure;

  constructor(structure: Structure, dialect: Dialect) {
    super(dialect);
    this.#structure = structure;
  }

  protected override transformValue(node: ValueNode): ValueNode {
    if (!(node.value instanceof Bind)) return node;
    const place = expectPlace(this.#structure, node.value);
    const bind = this.#structure.binds[place];
    return bind === node.value ? node : { ...node, value: bind };
  }
}

function expectPlace(structure: Structure, bind: Bind): number {
  const place = structure.placeOf(bind);
  // The text would serve other statements with the value of this one.
  if (place === undefined)
    throw new AthanorError("A part of a statement left out one of its values when it told its structure.");
  return place;
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

function codecOf({ type, isCompared }: Bind, dialect: Dialect): Codec | undefined {
  if (type === undefined) return undefined;
  const codec = dialect.codec(type);
  return isCompared && codec.toCompared !== undefined ? { ...codec, toDriver: codec.toCompared } : codec;
}

/** A value that is compared with no column of ours is converted by what it is. */
function plainCodec(value: unknown, dialect: Dialect): Codec | undefined {
  if (typeof value === "boolean") return dialect.codec({ kind: "boolean" });
  if (typeof value === "bigint") return dialect.codec({ kind: "bigint" });
  if (value instanceof Date) return dialect.codec({ kind: "timestamp" });
  if (value instanceof Uint8Array) return dialect.codec({ kind: "bytes" });
  return undefined;
}

function cacheOf(dialect: Dialect): Map<string, Compiled> {
  let cache = caches.get(dialect);
  if (cache === undefined) caches.set(dialect, (cache = new Map()));
  return cache;
}
