import { AthanorError } from "../../event/errors.ts";
import {
  DatabaseError,
  DataError,
  IntegrityError,
  type IntegrityErrorKind,
  lostConnection,
  OperationalError,
  ProgrammingError,
  UnreachableDatabaseError,
} from "../errors.ts";

/** The fields of an error that the server reported, in pg as in PGlite. `detail` and often `message` hold values of columns. */
interface ServerError extends Error {
  readonly code: string;
  readonly severity: string;
  readonly detail?: string;
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
}

interface Details {
  readonly cause: Error;
  readonly sql: string | undefined;
}

function isServerError(error: unknown): error is ServerError {
  return error instanceof Error && "severity" in error && typeof (error as { code?: unknown }).code === "string";
}

/** Turns an error of any PostgreSQL driver into one of ours. */
export function translatePostgresqlError(error: unknown, { sql }: { readonly sql?: string | undefined }): Error {
  if (error instanceof AthanorError) return error;
  if (!(error instanceof Error)) {
    return new DatabaseError(`PostgreSQL failed: ${String(error)}.`, { cause: error, sql });
  }
  const details = { cause: error, sql };
  if (isServerError(error)) return translateServerError(error, details);
  return isConnectionFailure(error) ? lostConnection(error, sql, "PostgreSQL") : error;
}

/** Whether the connection cannot be used after this error. */
export function isConnectionFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // A protocol violation is usually a wrong number of parameters, after which the connection goes on.
  if (isServerError(error)) {
    return error.code === "08P01" ? error.severity === "FATAL" : /^(08|57P0[123])/.test(error.code);
  }
  const { code } = error as { readonly code?: unknown };
  if (typeof code === "string" && /^(ECONNRESET|EPIPE|ETIMEDOUT|ECONNABORTED|ENETDOWN|ENETUNREACH)$/.test(code)) {
    return true;
  }
  return /^(Connection terminated|Client (was closed|has encountered a connection error))/.test(error.message);
}

function translateServerError(error: ServerError, details: Details): Error {
  if (isConnectionFailure(error)) return lostConnection(error, details.sql, "PostgreSQL");
  const translate = translations[error.code] ?? translations[error.code.slice(0, 2)];
  return translate?.(error, details) ?? new DatabaseError(`PostgreSQL reported: ${error.message}.`, details);
}

type Translation = (error: ServerError, details: Details) => Error;

const operational =
  (message: string, isRetryable = false): Translation =>
  (_error, details) =>
    new OperationalError(message, { ...details, isRetryable });

/** Never the server's own message, which quotes the value. */
const data =
  (message: string): Translation =>
  (_error, details) =>
    new DataError(message, details);

const violation =
  (kind: IntegrityErrorKind): Translation =>
  (error, details) =>
    integrityError(kind, error, details);

const numberRemedies: Readonly<Record<string, string>> = {
  integer:
    "integer() holds up to 2147483647 in PostgreSQL: declare the column as bigint(), which holds up to 9223372036854775807.",
  bigint: "bigint() holds up to 9223372036854775807: declare the column as numeric(), or store the number as text().",
  numeric: "Give numeric() a larger precision.",
};

/** By SQLSTATE, or by its class for all others of that class. */
const translations: Readonly<Record<string, Translation>> = {
  "08P01": (error, details) =>
    new ProgrammingError(
      `The statement and its parameters do not fit each other: ${error.message}. Pass one parameter for each placeholder ($1, $2, …), and at most 65535: ` +
        `an array takes the place of a long list, as in id = any($1).`,
      details,
    ),
  "0A000": (error, details) =>
    error.message === "cached plan must not change result type"
      ? new OperationalError(
          "A table changed while the connection held a prepared statement for it. Run the transaction again: the statement is prepared anew.",
          { ...details, isRetryable: true },
        )
      : new ProgrammingError(`PostgreSQL does not support this: ${error.message}. See the error's sql.`, details),
  "22": data(
    "A value does not fit its type. Check the values against the columns' types; the error's cause has the server's words.",
  ),
  "22001": data("A string is longer than its column allows. Shorten it, or give the column a greater length."),
  "22003": (error, details) => {
    const type = /\b(integer|bigint|numeric)\b/.exec(error.message)?.[1] ?? "";
    const remedy =
      numberRemedies[type] ?? "Declare it with a type for larger numbers, or give numeric() a larger precision.";
    return new DataError(`A number is too large for its column. ${remedy}`, details);
  },
  "22007": data("A string is no date or time that PostgreSQL understands. Write dates as '2026-02-28'."),
  "22008": data("A date or time is out of the range that PostgreSQL can store, or has a day that does not exist."),
  "22012": data("The statement divides by zero. Exclude such rows, or divide by nullif(divisor, 0)."),
  "22021": data(
    "A string holds the character U+0000, which PostgreSQL cannot store in text. Remove it, or store the data as bytes().",
  ),
  "22P02": data(
    "A value has the wrong form for its type, such as text where a number or a UUID is expected. Convert it first.",
  ),
  "22P05": data("A JSON value holds the character U+0000, which PostgreSQL cannot store. Remove it."),
  "23": violation("check"),
  "23001": violation("foreignKey"),
  "23502": violation("notNull"),
  "23503": violation("foreignKey"),
  "23505": violation("unique"),
  "23514": violation("check"),
  "23P01": violation("exclusion"),
  "25006": operational(
    "Nothing can be written here: the transaction is read-only, or the server is a replica. Begin a transaction without readOnly, or connect to the primary.",
  ),
  "25P02": operational(
    "The transaction has failed: PostgreSQL runs nothing more in it until it is rolled back. A statement before this one failed, and its error was caught. " +
      "Roll back, or run what may fail behind a savepoint.",
  ),
  "2BP01": (error, details) =>
    new ProgrammingError(
      `Something else needs what is to be dropped: ${error.detail?.replaceAll("\n", "; ") ?? error.message}. Probably a table that no model knows has a foreign key to it: ` +
        `drop that table or its foreign key first.`,
      details,
    ),
  "40001": operational(
    "The transaction could not be serialized: another one changed what it has read. Run the whole transaction again.",
    true,
  ),
  "40P01": operational(
    "Two transactions waited for each other, and PostgreSQL broke the deadlock by ending this one. Run the whole transaction again; " +
      "transactions that lock rows in the same order do not meet like this.",
    true,
  ),
  "42": (error, details) =>
    new ProgrammingError(`PostgreSQL cannot run the statement: ${error.message}. See the error's sql.`, details),
  "42501": (error, details) =>
    new ProgrammingError(
      `The user of the connection may not do this: ${error.message}. Grant it, or connect as another user.`,
      details,
    ),
  "42601": (error, details) =>
    new ProgrammingError(`The statement is not valid SQL: ${error.message}. See the error's sql.`, details),
  "42703": (error, details) =>
    new ProgrammingError(
      `A column does not exist: ${error.message}. The model has probably changed since its table was created: run your migrations.`,
      details,
    ),
  "42P18": (error, details) =>
    new ProgrammingError(
      `PostgreSQL cannot know of what type a value is: ${error.message}. It stands where any type may, as in an argument of json_build_object. Give it as literal(value), or as cast(value, text()).`,
      details,
    ),
  "42P01": (error, details) =>
    new ProgrammingError(
      `The table ${quotedName(error) ?? "of the statement"} does not exist. It was probably not created yet in this database: await createAll(engine), or run your migrations.`,
      details,
    ),
  "53": (error, details) =>
    new OperationalError(`PostgreSQL has run out of something: ${error.message}. Try again later.`, {
      ...details,
      isRetryable: true,
    }),
  "53300": operational(
    "PostgreSQL accepts no more connections. Give createEngine a smaller poolSize, or raise max_connections.",
    true,
  ),
  "55P03": operational("A lock is held by another transaction, and this one does not wait for it. Run it again.", true),
  "57": (error, details) => new OperationalError(`PostgreSQL stopped the statement: ${error.message}.`, details),
};

function quotedName(error: ServerError): string | undefined {
  return /"[^"]+"/.exec(error.message)?.[0];
}

function integrityError(kind: IntegrityErrorKind, error: ServerError, details: Details): IntegrityError {
  const { table, constraint } = error;
  const columns = error.column === undefined ? keyColumns(error.detail) : [error.column];
  const subject =
    columns === undefined ? `the table ${table ?? ""}` : columns.map((column) => `${table ?? ""}.${column}`).join(", ");
  const named = constraint === undefined ? "" : ` (constraint "${constraint}")`;
  const messages: Readonly<Record<IntegrityErrorKind, string>> = {
    unique: `Another row has the same ${subject} already, which must be unique${named}. Use another value, or update the row that exists.`,
    notNull: `${subject} must have a value, but got none. Set it, give the column a default, or declare it nullable.`,
    foreignKey:
      `A foreign key would point to no row${named}: the row that it points to does not exist, or is being deleted while others still point to it. ` +
      `Write the row it points to first, or delete those that point to it (or let onDelete do so).`,
    check: `A row of ${table ?? "the table"} breaks the check constraint "${constraint ?? ""}". Give it a value that the constraint allows.`,
    exclusion: `A row of ${table ?? "the table"} conflicts with another one${named}. Use other values, or change the row that exists.`,
  };
  return new IntegrityError(messages[kind], { ...details, kind, table, constraint, columns });
}

/** Only the names: what follows in "Key (email)=(ann@example.com) already exists." is a value. */
function keyColumns(detail: string | undefined): string[] | undefined {
  return detail === undefined ? undefined : /^Key \((.+?)\)=\(/.exec(detail)?.[1]?.split(", ");
}

/** Why a server cannot be reached, by the error codes of sockets and of PostgreSQL. */
const connectFailures: Readonly<Record<string, string>> = {
  ECONNREFUSED: "No server listens there. Start PostgreSQL, or correct the host and port of the URL.",
  ENOENT: "There is no such socket. Start PostgreSQL, or name a host in the URL.",
  ENOTFOUND: "The host name is unknown. Correct the URL, or check the network.",
  EAI_AGAIN: "The host name could not be looked up. Check the network.",
  ETIMEDOUT: "It did not answer. Check the address, the network and the firewall.",
  EHOSTUNREACH: "There is no way to it. Check the address and the network.",
  ENETUNREACH: "There is no way to it. Check the address and the network.",
  ECONNRESET:
    "It closed the connection at once. Check that PostgreSQL is what listens there, and whether it wants TLS (sslmode).",
  "28P01": "The password is wrong. Correct it in the URL, or in the environment variable it comes from.",
  "28000": "The server does not let this user in. Check the user name, and pg_hba.conf on the server.",
  "3D000": "The database does not exist. Create it, or correct its name in the URL.",
  "53300":
    "It accepts no more connections. Give createEngine a smaller poolSize, or raise max_connections on the server.",
  "57P03": "It is starting up or shutting down. Try again in a moment.",
};

/** The error for a server that no connection could be opened to. `server` is its host and port, where they are known. */
export function unreachable(cause: unknown, server?: string): UnreachableDatabaseError {
  const { code, message = "" } = (cause ?? {}) as { readonly code?: unknown; readonly message?: string };
  const reason =
    (typeof code === "string" ? connectFailures[code] : undefined) ??
    (/password must be a string/.test(message)
      ? "The server asks for a password, and the URL has none. Add it: postgresql://user:password@host/database."
      : /timeout|Connection terminated/.test(message)
        ? "It did not answer in time. Check the address, the network and the firewall."
        : /SSL/.test(message)
          ? "The server and the URL disagree about TLS. Set sslmode in the URL, or turn TLS on at the server."
          : `The driver says: ${message}.`);
  return new UnreachableDatabaseError(
    `Cannot connect to PostgreSQL${server === undefined ? "" : ` at ${server}`}${typeof code === "string" ? ` (${code})` : ""}. ${reason}`,
    { cause, isRetryable: code === "57P03" || code === "53300" },
  );
}
