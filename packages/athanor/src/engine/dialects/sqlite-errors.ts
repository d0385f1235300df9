import { AthanorError } from "../../event/errors.ts";
import {
  DatabaseError,
  DataError,
  IntegrityError,
  type IntegrityErrorKind,
  OperationalError,
  ProgrammingError,
  UnreachableDatabaseError,
} from "../errors.ts";

/** What drivers of SQLite say about an error: node:sqlite by `errcode`, better-sqlite3 by the symbol in `code`. */
interface SqliteError extends Error {
  readonly code?: unknown;
  readonly errcode?: unknown;
}

interface Context {
  readonly sql?: string | undefined;
  /** The file, for errors of opening it. */
  readonly location?: string;
}

const constraintKinds: Readonly<Record<string, IntegrityErrorKind>> = {
  "UNIQUE constraint": "unique",
  "PRIMARY KEY constraint": "unique",
  "FOREIGN KEY constraint": "foreignKey",
  "NOT NULL constraint": "notNull",
  "CHECK constraint": "check",
};

/** The result codes of SQLite that mean something to users, by their lower byte; the rest is a plain DatabaseError. */
const resultCodes: Readonly<Record<string, number>> = {
  SQLITE_ERROR: 1,
  SQLITE_BUSY: 5,
  SQLITE_LOCKED: 6,
  SQLITE_READONLY: 8,
  SQLITE_IOERR: 10,
  SQLITE_CORRUPT: 11,
  SQLITE_FULL: 13,
  SQLITE_CANTOPEN: 14,
  SQLITE_TOOBIG: 18,
  SQLITE_CONSTRAINT: 19,
  SQLITE_MISMATCH: 20,
  SQLITE_RANGE: 25,
  SQLITE_NOTADB: 26,
};

/** The result code without its extension, or undefined if SQLite did not report the error. */
export function sqliteResultCode(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const { errcode, code } = error as SqliteError;
  if (typeof errcode === "number") return errcode & 0xff;
  if (typeof code !== "string" || !code.startsWith("SQLITE_")) return undefined;
  return resultCodes[code] ?? resultCodes[code.split("_").slice(0, 2).join("_")] ?? 0;
}

/** Another connection took a newer snapshot for writing: waiting does not help, only a new transaction does. */
export function isStaleSnapshot(error: unknown): boolean {
  const { errcode, code } = error as SqliteError;
  return errcode === 517 || code === "SQLITE_BUSY_SNAPSHOT";
}

/** Turns an error of any SQLite driver into one of ours. */
export function translateSqliteError(error: unknown, { sql, location }: Context): Error {
  if (error instanceof AthanorError) return error;
  if (!(error instanceof Error)) return new DatabaseError(`SQLite failed: ${String(error)}.`, { cause: error, sql });
  const details = { cause: error, sql };
  switch (sqliteResultCode(error)) {
    case undefined:
      return translateDriverError(error, details);
    case 1:
      return translateStatementError(error.message, details);
    case 5:
    case 6:
      return new OperationalError(
        isStaleSnapshot(error)
          ? "The transaction cannot write: another one has committed since it began to read. Run the whole transaction again; " +
              "with { poolSize: 1 } the transactions of this engine wait for each other instead."
          : "The database is locked: another connection is writing, and did not finish in time. Keep transactions short, run this one again, " +
              "or give createEngine a longer busyTimeout; with { poolSize: 1 } the transactions of this engine wait for each other instead.",
        { ...details, isRetryable: true },
      );
    case 8:
      return new OperationalError(
        "Nothing can be written here: the transaction is read-only, or the database file is. Begin a transaction without readOnly, or check the file's permissions.",
        details,
      );
    case 13:
      return new OperationalError(
        "The database or its disk is full. Free some space, then run the transaction again.",
        details,
      );
    case 10:
    case 11:
    case 26:
      return new OperationalError(
        `The database file cannot be read (${error.message}). It is damaged, encrypted or no SQLite database. Check the path, or restore a backup.`,
        details,
      );
    case 14:
      return new UnreachableDatabaseError(
        `${location === undefined ? "The database file" : `The database file "${location}"`} cannot be opened. Its folder probably does not exist, or may not be ` +
          `written to. A relative path starts at the working directory of the process.`,
        details,
      );
    case 18:
      return new DataError(
        "A value or the statement is longer than SQLite allows. Store large values in files.",
        details,
      );
    case 19:
      return translateConstraintError(error.message, details);
    case 20:
      return new DataError(
        "A value has the wrong type for its column: SQLite takes only whole numbers for an integer primary key.",
        details,
      );
    case 25:
      return new ProgrammingError(
        "The statement has fewer placeholders than parameters. Pass one parameter for each question mark.",
        details,
      );
    default:
      return new DatabaseError(`SQLite reported an error: ${error.message}.`, details);
  }
}

type Details = { readonly cause: Error; readonly sql: string | undefined };

function translateStatementError(message: string, details: Details): Error {
  const table = /no such table: (\S+)/.exec(message)?.[1];
  if (table !== undefined) {
    return new ProgrammingError(
      `The table "${table}" does not exist. It was probably not created yet in this database: await createAll(engine), or run your migrations.`,
      details,
    );
  }
  const column = /no such column: (\S+)|has no column named (\S+)/.exec(message);
  if (column !== null) {
    return new ProgrammingError(
      `The column "${column[1] ?? column[2]}" does not exist. The model has probably changed since its table was created: run your migrations.`,
      details,
    );
  }
  if (message.includes("too many SQL variables")) {
    return new ProgrammingError(
      "The statement has more parameters than SQLite takes, which is 32766. Run it several times with a part of the values each, " +
        "or pass a long list as one parameter: id in (select value from json_each(?)).",
      details,
    );
  }
  const syntax = /near "[^"]*": syntax error|incomplete input/.exec(message)?.[0];
  if (syntax !== undefined)
    return new ProgrammingError(`The statement is not valid SQL: ${syntax}. See the error's sql.`, details);
  return new ProgrammingError(`SQLite cannot run the statement: ${message}. See the error's sql.`, details);
}

function translateConstraintError(message: string, details: Details): Error {
  const match = /(\S+ constraint|\S+ \S+ constraint) failed(?:: (.*))?$/.exec(message);
  const kind = constraintKinds[match?.[1]?.replace(/^.*?(FOREIGN|PRIMARY|NOT|UNIQUE|CHECK)/, "$1") ?? ""];
  if (kind === undefined) return new DatabaseError(`A constraint refused the statement: ${message}.`, details);
  const subject = match?.[2];
  if (kind === "foreignKey") {
    return new IntegrityError(
      "A foreign key would point to no row: the row that it points to does not exist, or is being deleted while others still point to it. " +
        "Write the row it points to first, or delete those that point to it (or let onDelete do so).",
      { ...details, kind },
    );
  }
  if (kind === "check" || subject === undefined || !subject.includes(".")) {
    const constraint = subject?.replace(/^index '(.*)'$/, "$1");
    return new IntegrityError(
      `A row breaks the ${kind === "check" ? "check" : "unique"} constraint${constraint === undefined ? "" : ` "${constraint}"`}. ` +
        (kind === "check" ? "Give it a value that the constraint allows." : "Another row has these values already."),
      { ...details, kind, constraint },
    );
  }
  const table = subject.slice(0, subject.indexOf("."));
  const columns = subject.split(", ").map((name) => name.slice(name.indexOf(".") + 1));
  const names = columns.map((name) => `${table}.${name}`).join(", ");
  return new IntegrityError(
    kind === "unique"
      ? `Another row has the same ${names} already, which must be unique. Use another value, or update the row that exists.`
      : `${names} must have a value, but got none. Set it, give the column a default, or declare it nullable.`,
    { ...details, kind, table, columns },
  );
}

/** Errors that node:sqlite raises before SQLite is asked. Their messages may hold values. */
function translateDriverError(error: SqliteError, details: Details): Error {
  switch (error.code) {
    case "ERR_INVALID_ARG_TYPE": {
      const position = /parameter (\d+)/.exec(error.message)?.[1];
      return new DataError(
        `SQLite cannot store the value of parameter ${position ?? "1"}: it takes strings, numbers, bigints, null and Uint8Array. ` +
          `Convert the value, or let a column type do it.`,
        details,
      );
    }
    case "ERR_INVALID_ARG_VALUE":
      return new DataError(
        "A bigint does not fit: SQLite stores whole numbers of up to 64 bits. Store larger ones as text().",
        details,
      );
    case "ERR_INVALID_STATE":
      return new OperationalError(
        "The database is closed. Its engine was probably disposed while it was in use.",
        details,
      );
    default:
      return error;
  }
}
