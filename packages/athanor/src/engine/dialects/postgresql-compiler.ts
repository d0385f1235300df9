import { type CompiledQuery, PostgresQueryCompiler, type QueryId, type RootOperationNode } from "kysely";
import { Bind } from "../../sql/structure.ts";

/**
 * Kysely's compiler, but a value that stands in several places of a statement is one parameter there: PostgreSQL takes two expressions for the same, as a column and what
 * rows are grouped by, only where their parameters are the same.
 */
export class PostgresqlCompiler extends PostgresQueryCompiler {
  readonly #placeholders = new Map<Bind, string>();

  override compileQuery(node: RootOperationNode, queryId: QueryId): CompiledQuery {
    this.#placeholders.clear();
    return super.compileQuery(node, queryId);
  }

  protected override appendValue(parameter: unknown): void {
    const known = parameter instanceof Bind ? this.#placeholders.get(parameter) : undefined;
    if (known !== undefined) return this.append(known);
    super.appendValue(parameter);
    if (parameter instanceof Bind) this.#placeholders.set(parameter, this.getCurrentParameterPlaceholder());
  }
}
