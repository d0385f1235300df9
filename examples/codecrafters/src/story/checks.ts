import { isDeepStrictEqual } from "node:util";
import { type Connection, type Sql, sql } from "athanor";
import { verifyPassword } from "../argon2id.ts";
import type { ReceivedMail } from "../mail/mailbox.ts";
import { secret } from "./secret.ts";

/** Something that must hold when the story is over, and what is wrong with it if it does not. */
export interface Check {
  readonly title: string;
  readonly problem: string | undefined;
}

/** What a statement must find: its rows, each as its values joined by a space. */
interface Question {
  readonly title: string;
  readonly statement: Sql<unknown>;
  readonly rows: readonly string[];
}

const questions: readonly Question[] = [
  {
    title: "Ada and Grace are the users: nobody who was refused, rolled back or deleted",
    statement: sql`select username, kind, status from users order by username`,
    rows: ["ada user active", "grace premium_user active"],
  },
  {
    title: "what only a premium user has is in a table of its own, under the same key",
    statement: sql`select username, plan from premium_users join users on users.id = premium_users.id`,
    rows: ["grace team"],
  },
  {
    title: "only Ada, who does not pay, has a trial period",
    statement: sql`select username from users where trial_ends_at is not null`,
    rows: ["ada"],
  },
  {
    title: "addresses are stored in lower case",
    statement: sql`select email from users order by username`,
    rows: ["ada.lovelace@engine.example", "grace@navy.example"],
  },
  {
    title: "the change of Ada's address is kept, with the old and the new one",
    statement: sql`select username, old_email, new_email from email_changes join users on users.id = user_id`,
    rows: ["ada ada@math.example ada.lovelace@engine.example"],
  },
  {
    title: "Ada's updatedAt moved with her address, and Grace's never did",
    statement: sql`
      select username, case when updated_at > created_at then 'moved' when updated_at = created_at then 'same' end
      from users order by username`,
    rows: ["ada moved", "grace same"],
  },
  {
    title: "Ada's updatedAt did not move for the update that changed nothing",
    statement: sql`
      select username from users where username = 'ada' and updated_at <=
      (select max(recorded_at) from audit_entries where operation = 'update' and subject = 'User ada')`,
    rows: ["ada"],
  },
  {
    title: "the other models with the mixin have timestamps too",
    statement: sql`
      select (select count(*) from access_tokens where updated_at = created_at) as tokens,
      (select count(*) from email_changes where updated_at = created_at) as changes`,
    rows: ["1 1"],
  },
  {
    title: "the profile was changed, and its updatedAt moved with it",
    statement: sql`
      select bio from profiles where updated_at >=
      (select max(recorded_at) from audit_entries where operation = 'update' and subject = 'Profile of user 1')`,
    rows: ["Writes programs for a machine that is not built yet."],
  },
  {
    title: "the audit names every insert, update and delete, in their order",
    statement: sql`select operation, subject from audit_entries order by id`,
    rows: [
      "insert User ada",
      "insert PremiumUser grace",
      "update User ada",
      "insert Profile of user 1",
      "update Profile of user 1",
      "insert User max",
      "update User max",
      "delete User max",
    ],
  },
  {
    title: "the audit knows the new values",
    statement: sql`
      select operation, subject from audit_entries
      where cast(changes as text) like '%ada.lovelace@engine.example%' or cast(changes as text) like '%suspended%'
      order by id`,
    rows: ["update User ada", "update User max"],
  },
  {
    title: "Max's access token went with his suspension, and Ada's is there",
    statement: sql`select username, name from users join access_tokens on user_id = users.id`,
    rows: ["ada laptop"],
  },
  {
    title: "Max is in the archive, and nobody else",
    statement: sql`select username, email from archived_users`,
    rows: ["max max@example.org"],
  },
];

/** Compares the database and the mails with what the story should have left there. It asks in SQL, and trusts no model and no rule. */
export async function checkOutcome(connection: Connection, mails: readonly ReceivedMail[]): Promise<Check[]> {
  const checks: Check[] = [];
  for (const { title, statement, rows } of questions) {
    const found = (await connection.execute(statement)).all();
    checks.push(
      compare(
        title,
        rows,
        found.map((row) => Object.values(row as object).join(" ")),
      ),
    );
  }
  const hashes = (await connection.execute(sql<StoredHash>`select username, password_hash from users`)).all();
  checks.push(
    compare(
      "the stored hashes fit the passwords of Ada and Grace, and no other",
      ["ada: own true, other's false", "grace: own true, other's false"],
      [await describeHash(hashes, "ada", "grace"), await describeHash(hashes, "grace", "ada")],
    ),
    compare(
      "one welcome mail has arrived for each who became a user, and nothing else",
      [
        "Welcome to CodeCrafters, ada <ada@math.example>",
        "Welcome to CodeCrafters, grace <grace@navy.example>",
        "Welcome to CodeCrafters, max <max@example.org>",
      ],
      mails.map(({ to, subject }) => `${subject} <${to}>`),
    ),
  );
  return checks;
}

interface StoredHash {
  readonly username: string;
  readonly password_hash: string;
}

async function describeHash(
  hashes: readonly StoredHash[],
  own: "ada" | "grace",
  other: "ada" | "grace",
): Promise<string> {
  const hash = hashes.find(({ username }) => username === own)?.password_hash ?? "";
  return `${own}: own ${await verifyPassword(secret[own], hash)}, other's ${await verifyPassword(secret[other], hash)}`;
}

function compare(title: string, expected: readonly string[], found: readonly string[]): Check {
  if (isDeepStrictEqual(found, expected)) return { title, problem: undefined };
  return { title, problem: `expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}` };
}
