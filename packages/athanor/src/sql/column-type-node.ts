import { CastNode, type OperationNode, OperationNodeTransformer, RawNode } from "kysely";
import type { Dialect } from "../engine/dialect.ts";
import type { ColumnType } from "../mapping/column-type.ts";

/** The name of a type in SQL, which only the database's dialect knows. */
interface ColumnTypeNode extends RawNode {
  readonly columnType: ColumnType;
}

/** `CAST(expression AS …)`. What compiles the node puts in what the database calls the type. */
export function castNode(expression: OperationNode, columnType: ColumnType): CastNode {
  const name: ColumnTypeNode = { ...RawNode.createWithSql(columnType.kind), columnType };
  return CastNode.create(expression, name);
}

/** Writes the names of types as a database knows them. */
export class ColumnTypeNames extends OperationNodeTransformer {
  readonly #dialect: Dialect;

  constructor(dialect: Dialect) {
    super();
    this.#dialect = dialect;
  }

  protected override transformCast(node: CastNode): CastNode {
    const { columnType } = node.dataType as Partial<ColumnTypeNode>;
    if (columnType === undefined) return super.transformCast(node);
    return CastNode.create(
      this.transformNode(node.expression),
      RawNode.createWithSql(this.#dialect.codec(columnType).ddl),
    );
  }
}
