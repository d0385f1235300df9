import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  type QueryResult,
  SelectQueryNode,
} from "kysely";
import { InvalidRequestError } from "../event/errors.ts";
import { ColumnTypeNames } from "../sql/column-type-node.ts";
import type { Connection } from "./connection.ts";

/** Makes a Kysely instance that runs everything on one connection. */
export function createKysely<TDatabase>(connection: Connection): Kysely<TDatabase> {
  const { dialect } = connection.engine;
  return new Kysely<TDatabase>({
    dialect: {
      createAdapter: () => dialect.adapter,
      createQueryCompiler: () => dialect.compiler,
      createDriver: () => new BorrowedConnectionDriver(connection),
      createIntrospector: (kysely) => dialect.createIntrospector(kysely),
    },
    // Expressions of ours may stand in its queries, and know types by our names.
    plugins: [
      {
        transformQuery: ({ node }) => new ColumnTypeNames(dialect).transformNode(node),
        transformResult: async ({ result }) => result,
      },
    ],
  });
}

class BorrowedConnectionDriver implements Driver {
  readonly #connection: DatabaseConnection;

  constructor(connection: Connection) {
    this.#connection = new BorrowedConnection(connection);
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection;
  }

  async releaseConnection(): Promise<void> {}

  async beginTransaction(): Promise<void> {
    refuseTransaction();
  }

  async commitTransaction(): Promise<void> {
    refuseTransaction();
  }

  async rollbackTransaction(): Promise<void> {
    refuseTransaction();
  }

  /** The connection belongs to its session, or to whoever took it. */
  async destroy(): Promise<void> {}
}

function refuseTransaction(): never {
  throw new InvalidRequestError(
    "connection.kysely() runs inside the connection's own transaction and cannot begin another one. Run the queries as they are, and let the session or the " +
      "connection commit; for a part that can be undone on its own, use session.beginNested() or connection.savepoint().",
  );
}

class BorrowedConnection implements DatabaseConnection {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, columns, rowCount, insertId } = await this.#connection.run(sql, parameters);
    return {
      rows: toObjects(rows, columns) as R[],
      numAffectedRows: BigInt(rowCount),
      ...(insertId === undefined ? {} : { insertId: BigInt(insertId) }),
    };
  }

  /** Fetches portion by portion what a SELECT finds inside of a transaction; other statements may run between. Anything else is read as a whole. */
  async *streamQuery<R>(query: CompiledQuery, chunkSize = 1000): AsyncIterableIterator<QueryResult<R>> {
    if (!this.#connection.isInTransaction || !SelectQueryNode.is(query.query)) {
      yield await this.executeQuery<R>(query);
      return;
    }
    const cursor = await this.#connection.openCursor(query.sql, query.parameters);
    try {
      for (;;) {
        const { rows, columns } = await cursor.fetch(chunkSize);
        if (rows.length === 0) return;
        yield { rows: toObjects(rows, columns) as R[] };
      }
    } finally {
      await cursor.close();
    }
  }
}

function toObjects(rows: readonly unknown[][], columns: readonly string[]): Record<string, unknown>[] {
  return rows.map((row) => {
    const object: Record<string, unknown> = {};
    for (let index = 0; index < columns.length; index++) object[columns[index]!] = row[index];
    return object;
  });
}
