import { type Connection, type Sql, sql } from "athanor";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkOutcome } from "../src/story/checks.ts";
import { openStage, type Stage } from "../src/story/stage.ts";
import { tellStory } from "../src/story/story.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage("sqlite::memory:", () => {});
  await tellStory(stage);
});
afterAll(() => stage[Symbol.asyncDispose]());

async function failedChecks(connection: Connection, mails = stage.mailbox.mails): Promise<string[]> {
  const checks = await checkOutcome(connection, mails);
  return checks.filter(({ problem }) => problem !== undefined).map(({ title }) => title);
}

test("every check holds when the story is over", async () => {
  await using connection = await stage.engine.connect();
  expect(await failedChecks(connection)).toEqual([]);
});

test.each<{ what: string; tampered: Sql<unknown>; failed: string[] }>([
  {
    what: "somebody else is a user",
    tampered: sql`update users set username = 'eve' where username = 'grace'`,
    failed: [
      "Ada and Grace are the users: nobody who was refused, rolled back or deleted",
      "what only a premium user has is in a table of its own, under the same key",
      "Ada's updatedAt moved with her address, and Grace's never did",
      "the stored hashes fit the passwords of Ada and Grace, and no other",
    ],
  },
  {
    what: "a premium user has lost the other half",
    tampered: sql`delete from premium_users`,
    failed: ["what only a premium user has is in a table of its own, under the same key"],
  },
  {
    what: "a premium user has a trial",
    tampered: sql`update users set trial_ends_at = created_at`,
    failed: ["only Ada, who does not pay, has a trial period"],
  },
  {
    what: "an address is in capitals",
    tampered: sql`update users set email = upper(email) where username = 'grace'`,
    failed: ["addresses are stored in lower case"],
  },
  {
    what: "a change of address is forgotten",
    tampered: sql`delete from email_changes`,
    failed: [
      "the change of Ada's address is kept, with the old and the new one",
      "the other models with the mixin have timestamps too",
    ],
  },
  {
    what: "updatedAt did not move with a change",
    tampered: sql`update users set updated_at = created_at`,
    failed: ["Ada's updatedAt moved with her address, and Grace's never did"],
  },
  {
    what: "updatedAt moved for nothing",
    tampered: sql`update users set updated_at = '2999-01-01 00:00:00.000' where username = 'ada'`,
    failed: ["Ada's updatedAt did not move for the update that changed nothing"],
  },
  {
    what: "the profile's updatedAt is too old",
    tampered: sql`update profiles set updated_at = '1999-01-01 00:00:00.000'`,
    failed: ["the profile was changed, and its updatedAt moved with it"],
  },
  {
    what: "an audit entry is missing",
    tampered: sql`delete from audit_entries where operation = 'delete'`,
    failed: ["the audit names every insert, update and delete, in their order"],
  },
  {
    what: "an audit entry has lost its values",
    tampered: sql`update audit_entries set changes = null where subject = 'User max'`,
    failed: ["the audit knows the new values"],
  },
  {
    what: "a token is gone",
    tampered: sql`delete from access_tokens`,
    failed: [
      "the other models with the mixin have timestamps too",
      "Max's access token went with his suspension, and Ada's is there",
    ],
  },
  {
    what: "the archive is empty",
    tampered: sql`delete from archived_users`,
    failed: ["Max is in the archive, and nobody else"],
  },
  {
    what: "all passwords are Ada's",
    tampered: sql`update users set password_hash = (select password_hash from users where username = 'ada')`,
    failed: ["the stored hashes fit the passwords of Ada and Grace, and no other"],
  },
  {
    what: "a password is stored as it is",
    tampered: sql`update users set password_hash = 'a-moth-in-relay-70' where username = 'grace'`,
    failed: ["the stored hashes fit the passwords of Ada and Grace, and no other"],
  },
])("a check fails when $what", async ({ tampered, failed }) => {
  await using connection = await stage.engine.connect();
  await connection.begin();
  await connection.execute(tampered);
  expect(await failedChecks(connection)).toEqual(failed);
  await connection.rollback();
});

test("a check fails when a mail is missing, or one too many has arrived", async () => {
  const failed = ["one welcome mail has arrived for each who became a user, and nothing else"];
  const { mails } = stage.mailbox;
  await using connection = await stage.engine.connect();
  expect(await failedChecks(connection, mails.slice(1))).toEqual(failed);
  expect(await failedChecks(connection, [...mails, { to: "eve@web.example", subject: "Welcome" }])).toEqual(failed);
});
