import { type Expression as KyselyExpression, type OperationNode, ParensNode, type RawBuilder } from "kysely";
import { ArgumentError } from "../event/errors.ts";
import type { Dialect } from "../engine/dialect.ts";
import type { ColumnType } from "../mapping/column-type.ts";
import type { Mapper } from "../mapping/mapper.ts";
import type { EntityAlias } from "./entity-alias.ts";
import { type EvaluationScope, type Evaluator, UnevaluableError } from "./evaluate.ts";
import type { MovedEntity } from "./moved-entity.ts";
import { Bind, bindNode, type BindOptions, type StatementPart, type Structure } from "./structure.ts";

/**
 * A piece of SQL with a value: an attribute, a comparison, an ordering. It is a Kysely expression too, so Kysely's `sql` and helpers take it.
 */
export abstract class Expression<out TValue> implements StatementPart, KyselyExpression<TValue> {
  declare readonly "~value": TValue;

  get expressionType(): TValue | undefined {
    return undefined;
  }

  /** What its values are: how they are read, and how those that it is compared with are checked and converted. Undefined where only the database knows. */
  get columnType(): ColumnType | undefined {
    return undefined;
  }

  abstract structure(into: Structure): void;
  abstract toOperationNode(keepBinds?: boolean): OperationNode;

  /**
   * The same, where it reads rows of other classes without those that must not be seen. Each kind of expression says for itself how that reaches its parts: one that
   * forgot would show what is hidden.
   */
  abstract restrictedBy(restriction: Restriction): Expression<TValue>;

  /** How its values are read off rows; undefined where they are what the driver gives. */
  reader(dialect: Dialect): ((raw: unknown) => unknown) | undefined {
    const { columnType } = this;
    return columnType === undefined ? undefined : dialect.codec(columnType).fromDriver;
  }

  /** How its value is found in memory. Throws UnevaluableError where only the database can find it. */
  evaluator(_scope: EvaluationScope): Evaluator {
    throw new UnevaluableError("a part of it");
  }
}

/** What criteria say of a class in a statement, where it stands under its own name or another one; undefined where they say nothing. */
export interface Restriction {
  (mapper: Mapper, alias: EntityAlias | undefined): Expression<boolean> | undefined;
  /** Where the class stands whose attributes an expression names as its own. It is moved there, and restricted by nothing. */
  readonly moved?: MovedEntity;
}

/** A value that a comparison takes: one in memory, or another expression, ours or of Kysely's `sql`. */
export type Operand<TValue> = TValue | Expression<TValue | null> | RawBuilder<unknown>;

/** What a row must fulfil: a comparison such as `user.name.eq("x")`, or a piece of SQL written with Kysely's `sql`. */
export type Condition = Expression<boolean> | RawBuilder<unknown>;

/** What rows are ordered by: an attribute, its `asc()` or `desc()`, or a piece of SQL written with Kysely's `sql`. */
export type OrderBy = Expression<unknown> | RawBuilder<unknown>;

/** A value in a statement. */
export class BoundValue extends Expression<unknown> {
  readonly bind: Bind;

  constructor(value: unknown, type: ColumnType | undefined, options?: BindOptions) {
    super();
    this.bind = new Bind(value, type, options);
  }

  override get columnType(): ColumnType | undefined {
    return this.bind.type;
  }

  structure(into: Structure): void {
    into.bind(this.bind);
  }

  toOperationNode(keepBinds = false): OperationNode {
    return bindNode(this.bind, keepBinds);
  }

  restrictedBy(): this {
    return this;
  }

  override evaluator({ parameters }: EvaluationScope): Evaluator {
    const { name } = this.bind;
    const value = name === undefined ? this.bind.value : parameters?.[name];
    // Without its value the statement cannot be executed either, which says so.
    if (value === undefined) throw new UnevaluableError(`bindparam("${name ?? ""}") without a value`);
    return () => value;
  }
}

/**
 * A value that is given when the statement is executed: `session.execute(statement, { name: "sandy" })`.
 *
 * SQLAlchemy: Column Elements and Expressions, `bindparam`.
 */
export function bindparam<TValue = never>(name: string): Expression<TValue> {
  return new BoundValue(undefined, undefined, { name }) as Expression<unknown> as Expression<TValue>;
}

/** Anything with a node of Kysely's: the `sql` tag, an `eb` expression. Its values are part of its text for the statement cache, so it is compiled each time. */
export class ForeignExpression extends Expression<unknown> {
  readonly #expression: { toOperationNode(): OperationNode };

  constructor(expression: { toOperationNode(): OperationNode }) {
    super();
    this.#expression = expression;
  }

  structure(into: Structure): void {
    into.addForeign(this.#expression);
  }

  toOperationNode(): OperationNode {
    return this.#expression.toOperationNode();
  }

  restrictedBy({ moved }: Restriction): this {
    if (moved === undefined) return this;
    throw new ArgumentError(
      `A condition on a class, given as an expression, holds SQL of your own. Nobody can tell which columns that names, and the class may stand in a statement under another name. ` +
        `Give a function of the entity, and name its attributes: (post) => sql\`lower(\${post.title}) <> 'hidden'\`.`,
    );
  }

  override evaluator(): Evaluator {
    throw new UnevaluableError("SQL of your own");
  }
}

/** Whether something is an expression, ours or of Kysely's, and not a value in memory. */
export function isExpression(value: unknown): value is { toOperationNode(): OperationNode } {
  return typeof value === "object" && value !== null && "toOperationNode" in value;
}

/** Takes what users give where an expression is wanted: one of ours, or of Kysely's. */
export function expectExpression(value: unknown): Expression<never> {
  if (value instanceof Expression) return value as Expression<never>;
  if (isExpression(value)) return new ForeignExpression(value) as Expression<unknown> as Expression<never>;
  throw new ArgumentError(
    `A condition was expected, such as user.name.eq("x") or sql\`…\`, and got ${value === undefined ? "nothing: does the function return it?" : `a ${typeof value}`}.`,
  );
}

/** The kind of a value, never the value: it may be secret. */
export function describeGiven(value: unknown): string {
  if (value == null) return String(value);
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return `an object of ${value.constructor?.name ?? "no class"}`;
  return typeof value === "string" ? "a string it cannot hold" : `a ${typeof value}`;
}

/** The node of a condition that others may stand beside: SQL of users' own keeps together, whatever operators it has. */
export function conditionNode(condition: Expression<unknown>, keepBinds: boolean): OperationNode {
  const node = condition.toOperationNode(keepBinds);
  return condition instanceof ForeignExpression ? ParensNode.create(node) : node;
}
