import { CastNode, type OperationNode, OperationNodeTransformer, RawNode } from "kysely";
import type { Dialect } from "../engine/dialect.ts";
import type { ColumnType } from "../mapping/column-type.ts";

/** The name of a type in SQL, which only the database's dialect knows. */
interface ColumnTypeNode extends RawNode {
  readonly columnType: ColumnType;
  /** Of an expression that is to become of that type: which it is of, where that is known. */
  readonly converted: { readonly from: ColumnType | undefined } | undefined;
}

/** `CAST(expression AS …)` of what is of that type already, and says so. What compiles the node puts in what the database calls the type. */
export function castNode(expression: OperationNode, columnType: ColumnType): CastNode {
  return CastNode.create(expression, typeNode(columnType, undefined));
}

/** The same of what is of another type, and becomes of that one. */
export function conversionNode(
  expression: OperationNode,
  from: ColumnType | undefined,
  columnType: ColumnType,
): CastNode {
  return CastNode.create(expression, typeNode(columnType, { from }));
}

function typeNode(columnType: ColumnType, converted: ColumnTypeNode["converted"]): ColumnTypeNode {
  return { ...RawNode.createWithSql(columnType.kind), columnType, converted };
}

/** Writes the names of types as a database knows them. */
export class ColumnTypeNames extends OperationNodeTransformer {
  readonly #dialect: Dialect;

  constructor(dialect: Dialect) {
    super();
    this.#dialect = dialect;
  }

  protected override transformCast(node: CastNode): CastNode {
    const { columnType, converted } = node.dataType as Partial<ColumnTypeNode>;
    if (columnType === undefined) return super.transformCast(node);
    const { ddl, toCast } = this.#dialect.codec(columnType);
    const expression = this.transformNode(node.expression);
    const isOther = converted !== undefined && converted.from?.kind !== columnType.kind;
    return CastNode.create(
      isOther && toCast !== undefined ? toCast(expression, converted.from) : expression,
      RawNode.createWithSql(ddl),
    );
  }
}
