import { CommonTableExpressionNameNode, CommonTableExpressionNode, type OperationNode, WithNode } from "kysely";
import type { Structure } from "./structure.ts";

/** A statement with the common tables before it that it reads, itself or somewhere inside. */
export function withCommonTables<TNode extends OperationNode>(
  node: TNode,
  { commonTables }: Structure,
  keepBinds: boolean,
): TNode {
  const [first, ...others] = commonTables.map(({ tableName, statement }) =>
    CommonTableExpressionNode.create(
      CommonTableExpressionNameNode.create(tableName),
      statement.toOperationNode(keepBinds),
    ),
  );
  if (first === undefined) return node;
  const recursive = commonTables.some(({ isRecursive }) => isRecursive);
  return {
    ...node,
    with: others.reduce(
      (before, table) => WithNode.cloneWithExpression(before, table),
      WithNode.create(first, { recursive }),
    ),
  };
}
