import { type OperationNode, ValueNode } from "kysely";
import { ArgumentError, InvalidRequestError } from "../event/errors.ts";
import type { ColumnType } from "../mapping/column-type.ts";
import { castNode } from "./column-type-node.ts";
import { typeKey } from "./value-type.ts";

/** A value that a statement sends along, or the name under which it is given at execution. */
export class Bind {
  readonly value: unknown;
  /** The type of the column that it is compared with, which says how it is converted. */
  readonly type: ColumnType | undefined;
  /** Of bindparam(): the value comes with the execution. */
  readonly name: string | undefined;
  /**
   * Nothing beside it says what it is, so the database is told its type: to PostgreSQL a parameter has none but that which its place gives it, and SQLite's drivers
   * make whole numbers fractions.
   */
  readonly isAlone: boolean;
  /** It is computed or compared with, and so as exact as it is given. What is stored is rounded as its column does. */
  readonly isCompared: boolean;

  constructor(value: unknown, type?: ColumnType, { name, isAlone = false, isCompared = false }: BindOptions = {}) {
    this.value = value;
    this.type = type;
    this.name = name;
    this.isAlone = isAlone && type !== undefined;
    this.isCompared = isCompared;
  }
}

export interface BindOptions {
  readonly name?: string | undefined;
  readonly isAlone?: boolean;
  readonly isCompared?: boolean;
}

/** A statement, as far as another one inside of it must know it. */
interface Statement {
  /** Throws where it reads something under a name that the one around it has already: what is compared would be compared with itself. */
  expectOtherNames(around: Statement): void;
  readonly sourceNames: readonly string[];
}

/** A table that is found before the statement which reads it: WITH … AS. */
export interface CommonTable {
  readonly tableName: string;
  /** It reads what it found itself one step before. */
  readonly isRecursive: boolean;
  readonly statement: StatementPart;
}

/**
 * What makes two statements compile to the same text: everything about them but their values, which are collected apart. Where one value stands in several places, that is
 * part of it too: the text may send the value once, and the values of another statement may differ there.
 */
export class Structure {
  key = "";
  readonly binds: Bind[] = [];
  /** False where a part can only be compared by compiling it, as Kysely's `sql`. */
  get isCacheable(): boolean {
    return this.#foreign.length === 0;
  }

  /** What only some databases have, by its name in SQL. */
  special: "intersect all" | "except all" | undefined;

  readonly #foreign: object[] = [];
  #statements: Statement[] = [];
  readonly #commonTables = new Map<string, CommonTable>();
  readonly #places = new Map<Bind, number>();
  /** The places of values that stand for all that are equal to them; undefined where equal values are not one. */
  #equal: Map<string, number> | undefined = undefined;

  /** A statement begins, inside of those that have begun and not ended. */
  enter(statement: Statement): void {
    for (const around of this.#statements) statement.expectOtherNames(around);
    this.#statements.push(statement);
  }

  leave(): void {
    this.#statements.pop();
  }

  /** A statement stands here that compares itself with nothing around it, and so may read the same under the same names. */
  include(statement: StatementPart): void {
    const around = this.#statements;
    this.#statements = [];
    statement.structure(this);
    this.#statements = around;
  }

  /** A statement stands here whose rows the one around it reads: it sees nothing of that one, and what stands around that. */
  includeRows(statement: StatementPart): void {
    const reading = this.#statements.pop();
    statement.structure(this);
    if (reading !== undefined) this.#statements.push(reading);
  }

  /**
   * From here on equal values are one. Expressions that must be the same for the database then are, although each was made with values of its own. It costs a text for
   * each set of values that are equal, so it is for statements that need it.
   */
  unite(): void {
    this.#equal ??= new Map();
  }

  /** The common tables that are read, each behind those that it reads itself. */
  get commonTables(): readonly CommonTable[] {
    return [...this.#commonTables.values()];
  }

  /**
   * A common table is read. The first time it is told what it is.
   *
   * @throws ArgumentError where another one has its name
   */
  define(table: CommonTable): void {
    if (this.#isDefined(table)) return;
    this.add(` with ${table.tableName} as (`).include(table.statement);
    this.add(")");
    // It may read one of its own name.
    this.#isDefined(table);
    this.#commonTables.set(table.tableName, table);
  }

  #isDefined({ tableName, statement }: CommonTable): boolean {
    const known = this.#commonTables.get(tableName)?.statement;
    if (known === undefined) return false;
    // What criteria have reached into is another object each time.
    if (known === statement || structureOf(known).equals(structureOf(statement))) return true;
    throw new ArgumentError(
      `The statement reads two different common tables with the name "${tableName}". Give one of them another name: .cte("…").`,
    );
  }

  /** Whether it is of the same parts with the same values. */
  equals(other: Structure): boolean {
    return (
      this.key === other.key &&
      this.#foreign.every((part, index) => part === other.#foreign[index]) &&
      this.binds.every(
        ({ value, name }, index) => value === other.binds[index]?.value && name === other.binds[index]?.name,
      )
    );
  }

  add(part: string): this {
    this.key += part;
    return this;
  }

  /** A part that says nothing of what it is made of. */
  addForeign(part: object): void {
    this.#foreign.push(part);
    this.key += "foreign";
  }

  bind(bind: Bind): void {
    const known = this.#places.get(bind) ?? this.#placeOfEqual(bind);
    this.#places.set(bind, known ?? this.binds.length);
    this.key += known === undefined ? "?" : `=${known}`;
    if (bind.isAlone && bind.type !== undefined) this.key += typeKey(bind.type);
    if (known === undefined) this.binds.push(bind);
  }

  /** The place of a value among the binds; undefined where nothing told of it. */
  placeOf(bind: Bind): number | undefined {
    return this.#places.get(bind);
  }

  #placeOfEqual({ value, type, name, isCompared }: Bind): number | undefined {
    if (this.#equal === undefined || type === undefined || name !== undefined || typeof value === "object")
      return undefined;
    const text = `${typeKey(type)} ${isCompared ? "compared " : ""}${typeof value} ${String(value)}`;
    const known = this.#equal.get(text);
    if (known === undefined) this.#equal.set(text, this.binds.length);
    return known;
  }
}

/**
 * Something that stands in a statement: it can tell its structure, and become a node that Kysely compiles.
 *
 * For Kysely `toOperationNode` is called without argument and values stand for themselves; our own compilation passes true,
 * and gets the binds in their place, so that the text can serve other values.
 */
export interface StatementPart {
  structure(into: Structure): void;
  toOperationNode(keepBinds?: boolean): OperationNode;
}

/** The structure of a part by itself. */
export function structureOf(part: StatementPart): Structure {
  const structure = new Structure();
  part.structure(structure);
  return structure;
}

/** The node of a bound value. */
export function bindNode(bind: Bind, keepBinds: boolean): OperationNode {
  const node = valueNode(bind, keepBinds);
  return bind.isAlone && bind.type !== undefined ? castNode(node, bind.type) : node;
}

function valueNode(bind: Bind, keepBinds: boolean): ValueNode {
  if (keepBinds) return ValueNode.create(bind);
  if (bind.name !== undefined) {
    throw new InvalidRequestError(
      `bindparam("${bind.name}") gets its value from session.execute(statement, { ${bind.name}: … }), and cannot stand in a query of Kysely's.`,
    );
  }
  return ValueNode.create(
    bind.type?.toDatabase !== undefined && bind.value != null ? bind.type.toDatabase(bind.value) : bind.value,
  );
}
