import { PostgresAdapter, PostgresIntrospector } from "kysely";
import type { DdlRules, Dialect, Traits, TransactionOptions } from "../dialect.ts";
import { OperationalError } from "../errors.ts";
import { postgresqlCodec } from "./postgresql-codecs.ts";
import { PostgresqlCompiler } from "./postgresql-compiler.ts";
import { translatePostgresqlError } from "./postgresql-errors.ts";

export const postgresqlTraits: Traits = {
  returning: true,
  onConflict: true,
  insertRows: "together",
  insertId: false,
  maxParameters: 65_535,
  rowLocks: true,
  setOperationsAll: true,
  duplicateColumnNames: true,
  alterForeignKeys: true,
  schemas: true,
};

export const postgresqlDdl: DdlRules = {
  generatedKey: (column) => column.generatedByDefaultAsIdentity(),
  beforeDrop: [],
  maxNameLength: 63,
};

/** What every driver of PostgreSQL has in common. */
export function postgresqlFamily(): Pick<
  Dialect,
  "name" | "traits" | "ddl" | "compiler" | "adapter" | "codec" | "translateError" | "createIntrospector"
> {
  return {
    name: "postgresql",
    traits: postgresqlTraits,
    ddl: postgresqlDdl,
    compiler: new PostgresqlCompiler(),
    adapter: new PostgresAdapter(),
    codec: postgresqlCodec,
    translateError: translatePostgresqlError,
    createIntrospector: (kysely) => new PostgresIntrospector(kysely),
  };
}

/** Of "begin" and "set transaction": " isolation level serializable read only", or nothing. */
export function transactionModes({ isolationLevel, readOnly }: TransactionOptions = {}): string {
  // What other databases call snapshot is PostgreSQL's repeatable read.
  const level = isolationLevel === "snapshot" ? "repeatable read" : isolationLevel;
  return `${level === undefined ? "" : ` isolation level ${level}`}${readOnly === true ? " read only" : ""}`;
}

/** PostgreSQL answers the COMMIT of a failed transaction with ROLLBACK, and with no error. */
export function expectCommitted(command: string | undefined): void {
  if (command === "ROLLBACK") throw rolledBackAtCommit();
}

export function rolledBackAtCommit(cause?: unknown): OperationalError {
  return new OperationalError(
    "The transaction was rolled back instead of committed: one of its statements had failed before, and its error was caught. " +
      "Let the error end the transaction, or run what may fail behind a savepoint.",
    cause === undefined ? {} : { cause },
  );
}
